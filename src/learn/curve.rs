//! Every stored model is scored on every case to date, so that the curve over rounds rests on the same cases.

use super::kind::{load_if_available, unreadable};
use super::vectors::{dimensions_of, matrix};
use crate::domain::fault::Result;
use crate::domain::split::Split;
use crate::domain::task_kind::TaskKind;
use crate::stats::agreement::answer_matrix::AnswerMatrix;
use crate::stats::agreement::kappa::mean_model_expert;
use crate::store::Store;
use crate::work::runner::Work;

/// Scores the items of all cases with every predictor that this program can compute, the active one included. One that cannot be read is named
/// to the person, once.
pub(crate) fn rescore_cases(work: &mut Work<'_>) -> Result<()> {
    for predictor in work.store.predictors()?.into_iter().filter(|p| !p.guesses_nothing()) {
        let dimensions = dimensions_of(work.store, &predictor)?;
        let mut vectors = work.store.vectors_of_cases(predictor.space(), dimensions)?;
        let (scored, _) = work.store.predictions(predictor.id)?;
        let missing: Vec<usize> =
            (0..vectors.items.len()).filter(|&i| scored.binary_search(&vectors.items[i]).is_err()).collect();
        if missing.is_empty() {
            continue;
        }
        let scorer = match load_if_available(work.store, &predictor) {
            Ok(Some(scorer)) => scorer,
            Ok(None) => continue,
            Err(fault) => {
                work.note_once(&unreadable(&predictor, fault.why()));
                continue;
            }
        };
        vectors.values = missing
            .iter()
            .flat_map(|&i| vectors.values[i * dimensions..(i + 1) * dimensions].iter().copied())
            .collect();
        vectors.items = missing.iter().map(|&i| vectors.items[i]).collect();
        let probabilities = scorer.of_items(&vectors.items, matrix(&vectors)?);
        let flat = probabilities.as_standard_layout();
        work.store.put_predictions(
            predictor.id,
            &vectors.items,
            flat.as_slice().unwrap_or_default(),
            probabilities.ncols(),
        )?;
    }
    Ok(())
}

/// Keeps the active model's agreement with the experts on the evaluation cases as it stands now.
pub(crate) fn record_agreement(store: &mut Store, seed: u64) -> Result<()> {
    let Some(predictor) = store.active_predictor()? else {
        return Ok(());
    };
    let task = store.task()?.task;
    let answers: Vec<_> = store
        .first_blind_answers()?
        .into_iter()
        .filter(|a| a.split == Split::Eval && a.round.is_some())
        .collect();
    let (items, probabilities) = store.predictions(predictor.id)?;
    let matrix =
        AnswerMatrix::collect(&answers, &task).predicted_by(&items, &probabilities, &predictor, &task);
    let figure = mean_model_expert(&matrix.model, &matrix.experts, task.kind, seed);
    let round = store.rounds()?.last().map(|r| r.id);
    let name = match task.kind {
        TaskKind::One => "kappa.model_expert",
        TaskKind::Several => "mean_kappa.model_expert",
        TaskKind::Scale => "weighted_kappa.model_expert",
    };
    store.add_metric(name, round, Some(predictor.id), &figure)
}
