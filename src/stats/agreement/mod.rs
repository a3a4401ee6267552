//! Agreement beyond chance: Cohen, Fleiss, Krippendorff and Gwet, each label and pair, and warnings about annotators.

pub mod annotator_warnings;
pub mod ballots;
pub mod crossed;
pub mod fleiss;
pub mod gwet;
pub mod kappa;
pub mod krippendorff;
pub mod panel;
pub mod ratings;
pub mod specific;
