//! Estimates with their intervals: the audit sample, bootstraps, learning curves, label shares, spreads over seeds.

pub mod audit;
pub mod audit_rounds;
pub mod bootstrap;
pub mod learning_curve;
pub mod pace;
pub mod paired;
pub mod seeds;
pub mod shares;
