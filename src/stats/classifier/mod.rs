//! The linear classifier: logistic and ordinal regression and their cross-validation, calibration of zero-shot scores, stacking, and what its errors say.

pub mod answered;
pub mod calibration;
pub mod head;
pub mod label_issues;
pub mod lbfgs;
pub mod linear;
pub mod logistic;
pub mod one_vs_rest;
pub mod ordinal;
pub mod reliability;
pub mod scores;
pub mod set_scores;
pub mod stack;
pub mod thresholds;
