//! One expert's session at one project, and the figures that are shown.
//!
//! What the screens and the command line share. It keeps cases blind: nothing of the model's view, the split, another expert's answer or
//! the reason for a case leaves it before this expert has answered, except by a reveal, which is recorded. It never runs a model.

pub mod adjudication;
pub mod browse;
pub mod jobs;
pub mod pages;
pub mod people;
pub mod query;
pub mod request;
pub mod session;
pub mod shown;
pub mod worker;
