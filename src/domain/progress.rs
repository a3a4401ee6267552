//! What a running job says of itself, and how it is told to stop.

use serde::{Deserialize, Serialize};

/// One report of a running job. Serialised, it is one line of `--progress json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// The job: `import`, `scout`, …
    pub job: String,
    /// What it is doing now, in a few words.
    pub stage: String,
    /// Units done.
    pub done: u64,
    /// Units in all, where known.
    pub total: Option<u64>,
    /// What a unit is: `texts`, `bytes`, `rows`.
    pub unit: String,
    /// Units per second since the stage began.
    pub rate: Option<f64>,
    /// Seconds left at that rate.
    pub eta_s: Option<f64>,
    /// Tokens of these units read per second, where a language model reads them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_second: Option<f64>,
    /// Epochs of a training that have ended so far.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub epochs: Vec<Epoch>,
}

/// An epoch of a training that has ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// What is trained on: `all labels`, or `fold 2 of 3`.
    pub on: String,
    /// Its number, from 1.
    pub epoch: usize,
    /// Weighted log-loss of the texts when each was seen, in nats.
    pub loss: f64,
    /// The same of the texts that were held out, after the epoch; none where none were.
    pub held_out_loss: Option<f64>,
    /// Cohen's kappa on the texts that were held out; none where it is not defined.
    pub held_out_kappa: Option<f64>,
    /// The ends of its 95 % interval.
    #[serde(default)]
    pub held_out_kappa_interval: Option<(f64, f64)>,
    /// Texts that were held out.
    #[serde(default)]
    pub held_out: usize,
}

/// Where a job reports to, and asks whether to go on. Implemented by whoever shows it.
pub trait Watcher: Sync {
    /// Takes a report. Cheap: called after every batch.
    fn report(&self, progress: &Progress);

    /// Takes one line that a person should read, such as what was found in a file.
    fn note(&self, line: &str);

    /// True once the job should end after its current batch.
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
