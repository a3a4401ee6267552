//! What a report holds, part by part. Pure: it is read elsewhere, and written elsewhere.

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
    /// Which project, and how much of it is told.
    pub about: About,
    /// The task, oldest revision first.
    pub revisions: Vec<RevisionEntry>,
    /// The texts.
    pub data: Data,
    /// Who labelled.
    pub people: Vec<Person>,
    /// What was said of experts.
    pub said_of_experts: Vec<SaidOfExperts>,
    /// How blind answers were.
    pub blindness: Blindness,
    /// How many experts saw the cases.
    pub overlap: Vec<OverlapOn>,
    /// How texts came to their labels.
    pub reached: Vec<ReachedOn>,
    /// Agreement, the model, the audit.
    pub figures: FigurePart,
    /// What leads decided.
    pub decisions: Decisions,
    /// What was skipped, flagged and noted.
    pub remarks: Remarks,
    /// Model files.
    pub models: Vec<ModelEntry>,
    /// What tuning yielded.
    pub adapters: Vec<AdapterEntry>,
    /// Ways of making prelabels.
    pub predictors: Vec<PredictorEntry>,
    /// Rounds.
    pub rounds: Vec<RoundEntry>,
    /// What all this does not say, a sentence each.
    pub limits: Vec<String>,
}

/// Which project, and how much of it is told.
#[derive(Clone, Debug, Serialize)]
pub struct About {
    /// The project, the same in all its copies.
    pub project: Uuid,
    /// When it was made, UTC.
    pub made: String,
    /// By which program.
    pub made_by: String,
    /// Events of the label log.
    pub events: usize,
    /// Hash of the log: two files with the same one have the same log.
    pub log_blake3: String,
    /// The seed of every interval.
    pub seed: u64,
    /// What the reader may do: one who does not lead is not told of answers to cases that are open.
    pub reader: Role,
    /// Texts of which nothing is told for that reason.
    pub left_out: usize,
    /// Events that this file lacks, by the numbers of their sessions.
    pub missing_events: usize,
}
