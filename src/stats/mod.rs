//! Statistics over plain numbers.
//!
//! - `agreement`: Cohen's kappa, panels of raters, warnings about annotators.
//! - `classifier`: the linear head and its cross-validation, calibration of zero-shot scores, stacking of scout and judge, label issues.
//! - `estimate`: figures of the whole pool from the audit sample, bootstrap intervals, learning curves, label shares.
//! - `languages`: the languages of a sample of texts, or of one.
//! - `slices`, `conditions`: which texts are of a kind, and how far model and experts agree on them.
//!
//! Pure: arrays and indices go in, models and figures come out. Nothing here knows a file, a clock or a language model. Labels are indices in
//! the order of the task, and all randomness comes from a seed that the caller stores.

pub mod agreement;
pub mod classifier;
pub mod conditions;
pub mod estimate;
pub mod languages;
pub mod slices;
