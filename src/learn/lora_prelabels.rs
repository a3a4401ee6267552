//! Prelabels by a LoRA: its vectors are not the encoder's own, so it reads every text again.

use std::ops::ControlFlow;

use ndarray::ArrayView2;

use super::embed::{CHUNK, embed};
use super::kind::{kind_of, unreadable};
use super::lora_scorer::LoraScorer;
use super::model::Chosen;
use super::scorer::{Scorer, bytes_of};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::predictor::{Predictor, PredictorKind};
use crate::engine::encoder::Encoder;
use crate::work::runner::Work;

/// What becomes of the vectors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keep {
    /// They are kept, to be compared when the next round is mined.
    Vectors,
    /// Only what follows from them is kept.
    PredictionsOnly,
}

/// A model with the adapter of a predictor, and its head.
pub(crate) struct Adapted<'p> {
    predictor: &'p Predictor,
    encoder: Encoder,
    scorer: LoraScorer,
}

impl<'p> Adapted<'p> {
    /// Loads both.
    ///
    /// # Errors
    /// An adapter that is missing, or not for this model.
    pub fn load(work: &Work<'_>, predictor: &'p Predictor, model: &Chosen) -> Result<Self> {
        let scorer = LoraScorer::load(work.store, predictor)?;
        let bytes = predictor.lora().map(|adapter| bytes_of(work.store, adapter)).transpose()?;
        let encoder = model.load_adapted(bytes.as_deref())?;
        Ok(Self { predictor, encoder, scorer })
    }

    /// Reads these items, in their order but for the length of those read together, and keeps their prelabels. Returns how many it read.
    pub fn score(&self, work: &mut Work<'_>, items: &[ItemId], keep: Keep, stage: &str) -> Result<usize> {
        let dimensions = self.encoder.facts().dimensions;
        let labels = self.predictor.labels.len();
        let mut done = 0;
        for chunk in items.chunks(CHUNK) {
            let texts = work.store.texts(chunk)?;
            embed(&self.encoder, texts, &mut |read, values| {
                let vectors = ArrayView2::from_shape((read.len(), dimensions), values)
                    .map_err(|e| Fault::new("prelabel with the adapter", e.to_string()))?;
                let p = self.scorer.probabilities(vectors);
                let flat = p.as_standard_layout();
                if keep == Keep::Vectors {
                    work.store.put_vectors(self.predictor.space(), read, values, dimensions)?;
                }
                work.store.put_predictions(
                    self.predictor.id,
                    read,
                    flat.as_slice().unwrap_or_default(),
                    labels,
                )?;
                done += read.len();
                work.report(stage, done as u64, Some(items.len() as u64), "texts")?;
                Ok(if work.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
            })?;
            if work.stopped() {
                break;
            }
        }
        Ok(done)
    }
}

/// Reads every item that lacks a vector or a prelabel by this predictor, which has a low-rank adapter. Returns how many there were.
pub(crate) fn complete(work: &mut Work<'_>, predictor: &Predictor, model: &Chosen) -> Result<usize> {
    let mut missing = Vec::new();
    let mut after = ItemId(0);
    loop {
        let items = work.store.items_without_vector(predictor.space(), after, CHUNK)?;
        let Some((last, _)) = items.last() else { break };
        after = *last;
        missing.extend(items.iter().map(|(item, _)| *item));
    }
    if missing.is_empty() {
        return Ok(0);
    }
    Adapted::load(work, predictor, model)?.score(
        work,
        &missing,
        Keep::Vectors,
        "prelabelling with the adapter",
    )
}

/// Scores the cases to date with every earlier adapter that has not seen them, so that the curve over rounds rests on the same cases.
pub(crate) fn complete_cases(work: &mut Work<'_>, model: &Chosen) -> Result<()> {
    let active = work.store.scouting_predictor()?.map(|p| p.id);
    let cases = work.store.items_of_cases()?;
    for predictor in work.store.predictors()? {
        let of_this_model =
            work.store.model(predictor.model)?.is_some_and(|m| m.sha256 == model.model.sha256);
        if predictor.kind() != PredictorKind::Lora
            || Some(predictor.id) == active
            || !of_this_model
            || work.stopped()
        {
            continue;
        }
        let (scored, _) = work.store.predictions(predictor.id)?;
        // One whose training was cut short before it was ever used, or whose bytes were dropped, has no part in the curve.
        let missing: Vec<ItemId> =
            cases.iter().copied().filter(|item| scored.binary_search(item).is_err()).collect();
        if scored.is_empty()
            || missing.is_empty()
            || !kind_of(&predictor).is_available(work.store, &predictor)?
        {
            continue;
        }
        let adapted = match Adapted::load(work, &predictor, model) {
            Ok(adapted) => adapted,
            Err(fault) => {
                work.note_once(&unreadable(&predictor, fault.why()));
                continue;
            }
        };
        adapted.score(work, &missing, Keep::PredictionsOnly, "scoring the cases with an earlier adapter")?;
    }
    Ok(())
}
