//! Statistics over plain numbers: the linear head and its cross-validation, kappa and other scores, agreement of a panel, who says what where another says what, audit figures and
//! their intervals, spreads over seeds, and the calibration of zero-shot prelabels.
//!
//! Pure: arrays and indices in, models and figures out. It knows no item, file, clock or model; labels are
//! indices in the order of the task, and all randomness comes from a seed that the caller stores.

pub mod agreement;
pub mod audit;
pub mod bootstrap;
pub mod calibration;
pub mod crossed;
pub mod fleiss;
pub mod gwet;
pub mod head;
pub mod kappa;
pub mod krippendorff;
pub mod label_errors;
pub mod lbfgs;
pub mod learning_curve;
pub mod logistic;
pub mod pace;
pub mod paired;
pub mod panel;
pub mod ratings;
pub mod reliability;
pub mod rounds;
pub mod scores;
pub mod seeds;
pub mod shares;
pub mod signs;
pub mod specific;
pub mod stack;
