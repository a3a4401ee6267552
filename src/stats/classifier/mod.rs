//! The linear classifier: logistic regression and its cross-validation, calibration of zero-shot scores, stacking, and what its errors say.

pub mod calibration;
pub mod head;
pub mod label_issues;
pub mod lbfgs;
pub mod logistic;
pub mod reliability;
pub mod scores;
pub mod stack;
