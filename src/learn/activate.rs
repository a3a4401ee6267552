//! How a model becomes the one whose prelabels count: one sequence, in one order, whichever verb asks for it. Only a zero-shot model (`job/scout.rs`), a
//! LoRA that is still reading the pool (`lora_rollout`), and what a merge brings from a copy become active without it, and it follows on the first two.
//!
//! 1. The judge is weighed against the scout; what decides from now on is their combination where it helps, else the scout.
//! 2. That predictor prelabels the pool. Until it has, the earlier model stays active.
//! 3. Every stored model scores the cases that are new to it.
//! 4. It becomes the active one, in one commit.
//! 5. The predictions and vectors that nothing needs any more are dropped.
//! 6. Its agreement with the experts is recorded.
//!
//! A job that is stopped or killed in between leaves the earlier model active, and the next one starts from the beginning.

use super::combined::{self, Reader};
use super::curve::{record_agreement, rescore_cases};
use super::kind::load;
use super::prelabels::complete;
use crate::domain::fault::Result;
use crate::domain::predictor::Predictor;
use crate::stats::classifier::stack::Worth;
use crate::store::log::tasks::Revision;
use crate::work::runner::Work;

/// Jobs to look through for one that trains a low-rank adapter.
const RECENT: usize = 16;
/// Whatever trains, reads with and activates low-rank adapters is one kind of job, so that no two of them meet.
pub(crate) const LORA_JOB: &str = "lora";

/// How much is prelabelled before a model becomes active.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rescore {
    Pool,
    /// Only the cases; the pool follows when the next round is mined.
    CasesOnly,
}

/// What came of it.
pub(crate) struct Activation {
    /// The scout, or its combination with a judge; none where the job was stopped before it was active.
    pub active: Option<Predictor>,
    /// Texts of the pool that were prelabelled.
    pub rescored: usize,
    /// What the judge is worth; none where there is no judge, or too few labels to say.
    pub worth: Option<Worth>,
    /// All readers that were weighed, those that count first.
    pub readers: Vec<Reader>,
}

/// Makes a scout, or its combination with the judge where that helps, the active predictor.
///
/// # Errors
/// The scout cannot be read, or the project cannot be written.
pub(crate) fn activate(
    work: &mut Work<'_>,
    scout: &Predictor,
    rescore: Rescore,
    revision: &Revision,
    seed: u64,
) -> Result<Activation> {
    let scorer = load(work.store, scout)?;
    let weighed = combined::fit(work, scout, &*scorer, revision, seed)?;
    let (decides, scorer) = match weighed.combined {
        Some(combined) => {
            let scorer = load(work.store, &combined)?;
            (combined, scorer)
        }
        None => (scout.clone(), scorer),
    };
    let mut activation =
        Activation { active: None, rescored: 0, worth: weighed.worth, readers: weighed.readers };
    if rescore == Rescore::Pool {
        activation.rescored = complete(work, &decides, &*scorer)?;
    }
    if work.stopped() {
        return Ok(activation);
    }
    rescore_cases(work)?;
    work.store.activate(decides.id)?;
    work.store.prune_predictions()?;
    if !others_train(work)? {
        work.store.keep_vectors_of(decides.lora())?;
    }
    record_agreement(work.store, seed)?;
    activation.active = Some(decides);
    Ok(activation)
}

/// Whether another process trains a low-rank adapter, whose vectors are on their way into the file.
fn others_train(work: &Work<'_>) -> Result<bool> {
    let runs = work.store.runs(RECENT)?;
    Ok(work.kind() != LORA_JOB && runs.iter().any(|run| run.kind == LORA_JOB && run.outcome.is_none()))
}
