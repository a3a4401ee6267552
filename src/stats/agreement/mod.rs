//! Agreement beyond chance, and warnings about annotators.
//!
//! Two raters: `kappa` (Cohen), computed on a `tally`. Any number of raters: `ratings` holds the sums, `fleiss`, `krippendorff`, `gwet` and
//! `specific` are the coefficients, `panel` gives them all with intervals. `answer_matrix` turns stored answers into rows of sets of labels, and `given`
//! lets all of these take single labels as well. `sets` is what only several labels for a text need, `confusion_matrix` counts which labels were given to the same cases, `annotator_warnings` tests for drift, haste and straight-lining.

pub mod annotator_warnings;
pub mod answer_matrix;
pub mod confusion_matrix;
pub mod fleiss;
pub mod given;
pub mod gwet;
pub mod kappa;
pub mod krippendorff;
#[cfg(test)]
mod libraries;
pub mod panel;
pub mod ratings;
pub mod sets;
pub mod specific;
pub(in crate::stats) mod tally;
