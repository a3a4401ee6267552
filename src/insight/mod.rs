//! Figures and advice read from a project: agreement, the audit, the curve over models, status, the auditor's report. Never writes.

pub mod advice;
pub mod agreement;
pub(crate) mod annotator_warnings;
pub mod disputes;
pub mod figures;
pub mod judge;
pub mod label_issues;
pub mod last_job;
pub mod next_round;
pub mod project;
pub mod report;
pub mod status;
pub mod viewer;
