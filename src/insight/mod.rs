//! Figures, advice and reports, read from a project. Never writes: every store here is opened with [`crate::store::Access::Read`] or borrowed as
//! `&Store`.
//!
//! How a figure gets to the screen: `viewer` decides whose answers the reader may see; `figures` reads answers and predictions and calls `stats`;
//! each figure comes back as a [`crate::domain::figure::Figure`], with its interval and n or the reason why it is not known; `status` collects them
//! for the Progress screen and the verb `status`, `agreement` for the screen Agree and the verb `agreement`, `report` for an auditor. The desk
//! calls these on a thread of its own (`desk::pages`) and hands the result to the screen, which only draws it.
//!
//! - `advice` chooses the next step; `ceiling` and `next_round` are what it weighs.
//! - `targets` holds the task's finish line against the figures, `gate` all that `check` asks for.
//! - `audit_text` and `status_text` put figures into words.
//! - `of_several` is what is measured where a text may have several labels.
//! - `slices` says for which kinds of texts the model agrees with the experts less.
//! - `disputes`, `label_issues` and `annotator_warnings` find what needs a second look.
//! - `project`, `judge`, `imported_labels` and `last_job` describe what the file holds besides answers.

pub mod advice;
pub mod agreement;
pub(crate) mod annotator_warnings;
pub(crate) mod audit_text;
pub mod ceiling;
pub mod disputes;
pub mod figures;
pub mod gate;
pub mod imported_labels;
pub mod judge;
pub mod label_issues;
pub mod last_job;
pub mod next_round;
pub mod of_several;
pub mod project;
pub mod quality;
pub mod report;
pub mod slices;
pub mod status;
mod status_text;
pub mod targets;
pub mod viewer;
