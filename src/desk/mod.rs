//! One expert's sitting at one project, and the figures that are shown.
//!
//! What the screens and the command line share. It keeps cases blind: nothing of the model's view, the split, another expert's answer or
//! the reason for a case leaves it before this expert has answered, except by a reveal, which is recorded. It never runs a model.

pub mod adjudication;
pub mod advice;
pub mod agreement;
pub mod ask;
pub mod browse;
pub mod figures;
pub mod jobs;
pub mod judge;
pub mod latest;
pub mod next_round;
pub mod pages;
pub mod people;
pub mod project;
pub mod query;
pub mod report;
pub mod shown;
mod signs;
pub mod sitting;
pub mod slips;
pub mod status;
pub mod viewer;
pub mod worker;
