//! Prelabels for everything that has a vector.

use ndarray::ArrayView2;

use super::scorer::Scorer;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::PredictorId;
use crate::store::Store;
use crate::store::pool::embeddings::Vectors;
use crate::store::pool::predictors::Predictor;
use crate::work::runner::Work;

/// Rows scored at a time: enough for fast products, little beside the vectors themselves.
const CHUNK: usize = 8_192;

/// The vectors as a matrix, items × dimensions.
pub(crate) fn matrix(vectors: &Vectors) -> Result<ArrayView2<'_, f32>> {
    ArrayView2::from_shape((vectors.items.len(), vectors.dimensions), &vectors.values)
        .map_err(|e| Fault::new("read the vectors", e.to_string()))
}

/// Scores every item that has a vector and no prediction of this predictor yet. Returns how many there were.
pub(crate) fn complete(
    work: &mut Work<'_>,
    id: PredictorId,
    predictor: &Predictor,
    scorer: &Scorer,
) -> Result<usize> {
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

/// Values of one vector of the predictor's model.
pub(crate) fn dimensions_of(store: &Store, predictor: &Predictor) -> Result<usize> {
    let model = store.model(predictor.model)?;
    model
        .map(|m| m.dimensions)
        .ok_or_else(|| Fault::new("read the stored model", "the project does not name it"))
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
    refuse_without_models(store, attempted)?;
    store.scouting_predictor()?.ok_or_else(|| unscouted(attempted))
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
