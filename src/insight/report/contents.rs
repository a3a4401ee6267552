//! The contents of a report, part by part. Plain data: `read` fills it, `document` and `markdown` write it.

use serde::Serialize;
use uuid::Uuid;

use super::blindness::{Blindness, Remarks};
use super::data::Data;
use super::decisions::{Decisions, ReachedOn};
use super::figures::FigurePart;
use super::models::{AdapterEntry, ModelEntry, PredictorEntry};
use super::people::{Person, SaidOfExperts};
use super::rounds::{OverlapOn, RoundEntry};
use super::task::RevisionEntry;
use crate::domain::expert::Role;

/// A report on a project.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    pub about: About,
    /// The task, oldest revision first.
    pub revisions: Vec<RevisionEntry>,
    pub data: Data,
    pub people: Vec<Person>,
    /// Changes of roles, and which names are one person.
    pub said_of_experts: Vec<SaidOfExperts>,
    pub blindness: Blindness,
    /// How many experts answered the cases.
    pub overlap: Vec<OverlapOn>,
    /// How texts got their labels.
    pub reached: Vec<ReachedOn>,
    /// Agreement, the model, the audit.
    pub figures: FigurePart,
    /// What leads decided.
    pub decisions: Decisions,
    /// Skips, flags and notes.
    pub remarks: Remarks,
    pub models: Vec<ModelEntry>,
    pub adapters: Vec<AdapterEntry>,
    pub predictors: Vec<PredictorEntry>,
    pub rounds: Vec<RoundEntry>,
    /// What the report does not say, a sentence each.
    pub limits: Vec<String>,
}

/// Which project it is, and how much of it the reader may see.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// The same in all copies of the project.
    pub project: Uuid,
    /// When the project was created, UTC.
    pub made: String,
    /// The program that created it.
    pub made_by: String,
    /// Events in the label log.
    pub events: usize,
    /// Hash of the log: two files with the same hash have the same log.
    pub log_blake3: String,
    /// The seed of every interval.
    pub seed: u64,
    /// The reader's role. Except for a lead, answers to open cases are left out.
    pub reader: Role,
    /// Texts whose answers are left out for that reason.
    pub left_out: usize,
    /// Events that this file lacks, by the event numbers of their sessions.
    pub missing_events: usize,
}
