//! How a running job reports its progress, and how it is asked to stop.

use serde::{Deserialize, Serialize};

use super::task_kind::TaskKind;

/// One report of a running job. Serialised, it is one line of `--progress json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The job: `import`, `scout`, …
    pub job: String,
    /// What it is doing now, in a few words.
    pub stage: String,
    /// Units done.
    pub done: u64,
    /// Units in total, if known.
    pub total: Option<u64>,
    /// What a unit is: `texts`, `bytes`, `rows`.
    pub unit: String,
    /// Units per second since the stage began.
    pub rate: Option<f64>,
    /// Seconds left at that rate.
    pub eta_s: Option<f64>,
    /// Tokens per second, for a language model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
    /// Finished epochs of a training.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub epochs: Vec<Epoch>,
}

/// A finished epoch of a training.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The training set: `all labels`, or `fold 2 of 3`.
    pub on: String,
    /// Counted from 1.
    pub epoch: usize,
    /// Weighted training log-loss during the epoch, in nats.
    pub loss: f64,
    /// Weighted log-loss on the held-out texts after the epoch, in nats.
    pub held_out_loss: Option<f64>,
    /// Cohen's kappa on the held-out texts, if it is defined.
    pub held_out_kappa: Option<f64>,
    /// The ends of its 95 % interval.
    #[serde(default)]
    pub held_out_kappa_interval: Option<(f64, f64)>,
    /// Number of held-out texts.
    #[serde(default)]
    pub held_out: usize,
    /// What is asked for: of a scale, kappa is the weighted one.
    #[serde(default, skip_serializing_if = "TaskKind::is_one")]
    pub kind: TaskKind,
}

/// Receives a job's progress, and tells it whether to stop. Implemented by the command line and the screens.
pub trait Watcher: Sync {
    /// Called after every batch, so it must be cheap.
    fn report(&self, progress: &Progress);

    /// Receives one line for a person, such as what was found in a file.
    fn note(&self, line: &str);

    /// Whether the job should end after its current batch.
    fn stopped(&self) -> bool;
}

/// A watcher that shows nothing and never stops.
pub struct Unwatched;

impl Watcher for Unwatched {
    fn report(&self, _progress: &Progress) {}
    fn note(&self, _line: &str) {}
    fn stopped(&self) -> bool {
        false
    }
}
