//! How a LoRA comes into use: it reads what is nearest the boundary first and is active then, so that nobody waits for the rest of the pool.

use std::collections::HashSet;

use super::activate::Rescore;
use super::curve::rescore_cases;
use super::lora_prelabels::{Adapted, Keep, complete_cases};
use super::model::Chosen;
use super::prelabels::active;
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::domain::prediction::Probabilities;
use crate::domain::predictor::Predictor;
use crate::work::runner::Work;

/// Texts nearest the boundary that are read first; the adapter is active once they are.
const UNCERTAIN: usize = 2_048;

/// Reads the pool with the adapter of `predictor`, which takes the place of the scout `current`. The whole sequence of an activation follows. Returns how
/// many texts it read.
pub(crate) fn roll_out(
    work: &mut Work<'_>,
    predictor: &Predictor,
    current: &Predictor,
    model: &Chosen,
    rescore: Rescore,
) -> Result<usize> {
    let order = nearest_first(work)?;
    let done: HashSet<ItemId> = work.store.predictions(predictor.id)?.0.into_iter().collect();
    let cases: HashSet<ItemId> = work.store.items_of_cases()?.into_iter().collect();
    let missing = |of_cases: bool| {
        let wanted = |i: &ItemId| !done.contains(i) && cases.contains(i) == of_cases;
        order.iter().copied().filter(wanted).collect::<Vec<_>>()
    };
    let (cases, mut uncertain) = (missing(true), missing(false));
    let rest = uncertain.split_off(if rescore == Rescore::Pool { UNCERTAIN.min(uncertain.len()) } else { 0 });
    let stage = if rest.is_empty() { "prelabelling the pool" } else { "prelabelling what is uncertain" };
    let adapted = Adapted::load(work, predictor, model)?;
    let mut read = adapted.score(work, &uncertain, Keep::Vectors, stage)?;
    // The cases last: otherwise, for as long as the pool takes, a figure of some of them would stand next to figures of all.
    read += adapted.score(work, &cases, Keep::Vectors, "prelabelling the cases")?;
    if work.stopped() {
        return Ok(read);
    }
    // One that is active already, alone or combined with a judge, stays so.
    if predictor.id != current.id {
        rescore_cases(work)?;
        let ranked = nearest_by(work, predictor)?;
        work.store.activate(predictor.id)?;
        work.store.rank_unseen_cases(&ranked)?;
    }
    if rescore == Rescore::Pool {
        read += adapted.score(work, &rest, Keep::Vectors, "prelabelling the rest of the pool")?;
    }
    drop(adapted);
    complete_cases(work, model)?;
    Ok(read)
}

/// Every text, those first that the active model is least sure of.
fn nearest_first(work: &Work<'_>) -> Result<Vec<ItemId>> {
    let mut order = nearest_by(work, &active(work.store, "read the pool with the LoRA")?)?;
    let known: HashSet<ItemId> = order.iter().copied().collect();
    let all = work.store.splits()?;
    order.extend(all.into_iter().map(|(item, _)| item).filter(|item| !known.contains(item)));
    Ok(order)
}

/// What a predictor has scored, the smallest margin first.
fn nearest_by(work: &Work<'_>, predictor: &Predictor) -> Result<Vec<ItemId>> {
    let (items, values) = work.store.predictions(predictor.id)?;
    let (labels, kind) = (predictor.labels.len().max(1), work.store.task()?.task.kind);
    let mut margins: Vec<(f32, ItemId)> = values
        .chunks_exact(labels)
        .zip(items)
        .map(|(row, item)| (Probabilities(row.to_vec()).margin(kind), item))
        .collect();
    margins.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    Ok(margins.into_iter().map(|(_, item)| item).collect())
}
