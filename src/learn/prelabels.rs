//! Prelabels for everything that has a vector.

use super::scorer::Scorer;
use super::vectors::{dimensions_of, matrix};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ModelId;
use crate::domain::predictor::{Method, Predictor, PredictorKind};
use crate::domain::settings::Stored;
use crate::domain::task::Task;
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::work::runner::Work;

/// Rows scored at a time: enough for fast products, and little next to the vectors themselves.
const CHUNK: usize = 8_192;

/// The active scout where it fits a model that has vectors of the pool, and the task; none where one has to be made. What was learned from labels fits as
/// long as the task has all its labels: a label that was added since has to be answered before it can be learned.
pub(crate) fn fitting(work: &mut Work<'_>, model: ModelId, revision: &Revision) -> Result<Option<Predictor>> {
    let labels = revision.task.label_ids();
    let Some(active) = work.store.scouting_predictor()?.filter(|p| p.model == model) else { return Ok(None) };
    let tuned = active.kind() != PredictorKind::ZeroShot;
    if !tuned && active.labels == labels && active.revision == revision.id {
        match &active.method {
            Method::ZeroShot(Stored::Unreadable(why)) => work.note_once(&format!(
                "the zero-shot model's settings cannot be read ({why}): it is made again"
            )),
            _ => return Ok(Some(active)),
        }
    }
    if tuned && active.labels.iter().all(|known| labels.contains(known)) {
        let lacks = revision.task.names_beside(&active.labels);
        if !lacks.is_empty() {
            work.note(&format!(
                "the active model stays; it does not know '{}' yet: `hardcase tune FILE` adds what has 2 training labels",
                lacks.join("', '")
            ));
        }
        return Ok(Some(active));
    }
    if tuned {
        work.note(
            "the active model has a label that the task does not have any more: zero-shot prelabels take its place until \
             `hardcase tune FILE`",
        );
    }
    Ok(None)
}

/// Scores every item that has a vector and no prediction of this predictor yet, if it can. Returns how many there were.
pub(crate) fn complete(work: &mut Work<'_>, predictor: &Predictor, scorer: &dyn Scorer) -> Result<usize> {
    if predictor.guesses_nothing() {
        return Ok(0);
    }
    let id = predictor.id;
    let dimensions = dimensions_of(work.store, predictor)?;
    let vectors = work.store.vectors_without_prediction(predictor.space(), id, dimensions)?;
    let all = matrix(&vectors)?;
    let total = vectors.items.len();
    let mut done = 0;
    while done < total && !work.stopped() {
        let end = (done + CHUNK).min(total);
        let probabilities = scorer.of_items(&vectors.items[done..end], all.slice(ndarray::s![done..end, ..]));
        let flat = probabilities.as_standard_layout();
        let values = flat.as_slice().unwrap_or_default();
        work.store.put_predictions(id, &vectors.items[done..end], values, probabilities.ncols())?;
        done = end;
        work.report("prelabelling", done as u64, Some(total as u64), "texts")?;
    }
    Ok(done)
}

/// The predictor whose prelabels count, which may be a combination with a judge.
///
/// # Errors
/// Nothing was scouted yet, or the file is a part that was given without models.
pub(crate) fn active(store: &Store, attempted: &str) -> Result<Predictor> {
    refuse_without_models(store, attempted)?;
    store.active_predictor()?.ok_or_else(|| unscouted(attempted))
}

/// The active scout: what is tuned, and what the active predictor takes its vectors from.
///
/// # Errors
/// Nothing was scouted yet, or the file is a part that was given without models.
pub(crate) fn scouting(store: &Store, attempted: &str) -> Result<Predictor> {
    scouting_if_any(store, attempted)?.ok_or_else(|| unscouted(attempted))
}

/// The active scout; none where nothing was scouted yet.
///
/// # Errors
/// The file is a part that was given without models.
pub(crate) fn scouting_if_any(store: &Store, attempted: &str) -> Result<Option<Predictor>> {
    refuse_without_models(store, attempted)?;
    store.scouting_predictor()
}

/// Refuses what learns or says one label of each text, where a text may have several.
///
/// # Errors
/// The task asks for several labels.
pub(crate) fn require_one_label(task: &Task, attempted: &str) -> Result<()> {
    match task.kind.is_several() {
        false => Ok(()),
        true => Err(Fault::usage(
            attempted,
            "it works with one label for each text, and in this project a text may have several",
        )
        .hint("`hardcase tune FILE` trains a model of each label on the answers")),
    }
}

fn refuse_without_models(store: &Store, attempted: &str) -> Result<()> {
    if store.is_part_without_models()? {
        return Err(Fault::usage(
            attempted,
            "this copy was given for labelling alone, without what a model computes with",
        )
        .hint("Give it back: `hardcase merge PROJECT COPY` takes its labels in, and models learn there"));
    }
    Ok(())
}

fn unscouted(attempted: &str) -> Fault {
    Fault::new(attempted, "no text has been scouted yet").hint("Run `hardcase scout FILE` first")
}
