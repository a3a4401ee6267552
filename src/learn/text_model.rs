//! A stored model that scores texts which are not the project's: the encoder that it was scouted with, and the predictor's scorer.

use std::ops::ControlFlow;
use std::time::Instant;

use super::kind::load;
use super::model::ScoutModel;
use super::scorer::{Scorer, bytes_of};
use crate::domain::fault::{Fault, Result};
use crate::domain::figure::Figure;
use crate::domain::prediction::Probabilities;
use crate::domain::predictor::Predictor;
use crate::domain::progress::Watcher;
use crate::engine::encoder::Encoder;
use crate::stats::estimate::pace::median;
use crate::store::Store;

/// What `predict` and `check` score texts with.
pub(crate) struct TextModel {
    encoder: Encoder,
    scorer: Box<dyn Scorer>,
    attempted: String,
}

impl TextModel {
    /// Loads what this predictor needs.
    ///
    /// # Errors
    /// The model is not the one that the project was scouted with, or cannot be used.
    pub fn open(store: &Store, predictor: &Predictor, model: &ScoutModel, attempted: &str) -> Result<Self> {
        let scorer = load(store, predictor)?;
        let chosen = model.choose(store)?;
        if store.model(predictor.model)?.is_none_or(|m| m.sha256 != chosen.model.sha256) {
            return Err(Fault::usage(
                attempted,
                format!("the project was scouted with another model than {}", chosen.model.name),
            )
            .hint("Leave --model out, or name the file of the model that it was scouted with"));
        }
        let bytes = predictor.space().adapter.map(|adapter| bytes_of(store, adapter)).transpose()?;
        let encoder = chosen.load_adapted(bytes.as_deref())?;
        Ok(Self { encoder, scorer, attempted: attempted.to_owned() })
    }

    /// The probabilities of each text, in their order.
    ///
    /// # Errors
    /// It was stopped, or a batch fails.
    pub fn probabilities(&self, texts: &[&str], watcher: &dyn Watcher) -> Result<Vec<Option<Probabilities>>> {
        let mut predicted = vec![None; texts.len()];
        self.encoder.embed(texts, &mut |indices, vectors| {
            let scored = self.scorer.probabilities(vectors);
            for (index, p) in indices.iter().zip(scored.rows()) {
                predicted[*index] = Some(Probabilities(p.to_vec()));
            }
            if watcher.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if watcher.stopped() {
            let hint = "No file was changed by it. Run the same command again";
            return Err(Fault::new(&self.attempted, "it was stopped").hint(hint));
        }
        Ok(predicted)
    }
}

/// The median time of one text in milliseconds, each scored by itself after a first one that warms the model up.
///
/// # Errors
/// Those of [`TextModel::probabilities`].
pub(crate) fn median_milliseconds(
    model: &TextModel,
    texts: &[String],
    watcher: &dyn Watcher,
) -> Result<Figure> {
    if let Some(first) = texts.first() {
        model.probabilities(&[first.as_str()], watcher)?;
    }
    let mut times = Vec::with_capacity(texts.len());
    for text in texts {
        let began = Instant::now();
        model.probabilities(&[text.as_str()], watcher)?;
        times.push(1_000.0 * began.elapsed().as_secs_f64());
    }
    Ok(median(&times))
}
