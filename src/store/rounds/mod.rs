//! Rounds, their cases, who holds which, and which still need an annotator.

pub mod annotations_needed;
pub mod blindness;
pub mod cases;
mod comes_back;
pub mod disputes;
pub mod found;
pub mod leases;
pub mod reannotation;
pub mod repeats;
pub mod round;
pub mod round_answers;
pub(in crate::store) mod searched;
