//! Statistics over plain numbers: the linear head and its cross-validation, kappa and other scores, agreement of a panel, who says what where another says what, audit figures and
//! their intervals, spreads over seeds, and the calibration of zero-shot prelabels.
//!
//! Pure: arrays and indices in, models and figures out. It knows no item, file, clock or model; labels are
//! indices in the order of the task, and all randomness comes from a seed that the caller stores.

pub mod agreement;
pub mod classifier;
pub mod estimate;
