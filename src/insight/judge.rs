//! Where the judge stands: the language model that has scored some of the texts.

use serde::Serialize;

use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::domain::predictor::{Method, Predictor};
use crate::stats::classifier::stack::{Stack, Worth};
use crate::store::Store;

/// Where the newest judge stands.
#[derive(Clone, Debug, Serialize)]
pub struct JudgeStatus {
    pub model: String,
    /// Whether it is no language model but predictions that were made elsewhere.
    pub imported: bool,
    /// Texts that it has scored.
    pub read: usize,
    /// Whether what it says improves on the scout. `None` if there are too few labels to tell.
    pub worth: Option<Worth>,
    /// The same of a head on its hidden states. `None` if there is none, or too few labels tell.
    pub states: Option<Worth>,
}

impl JudgeStatus {
    /// `None` if no judge has scored anything.
    pub fn read(store: &Store) -> Result<Option<Self>> {
        for predictor in store.judges()? {
            let read = store.prediction_count(predictor.id)?;
            if read > 0 {
                let model = store.model(predictor.model)?.map(|model| model.name).unwrap_or_default();
                let settings = predictor.judge().and_then(|judge| judge.settings.known());
                let worth = settings.and_then(|settings| settings.worth);
                let states = states(store, &predictor)?;
                return Ok(Some(Self { model, imported: predictor.is_imported(), read, worth, states }));
            }
        }
        Ok(None)
    }
}

impl std::fmt::Display for JudgeStatus {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.imported {
            true => write!(f, "There are predictions by {} for {} texts. ", self.model, self.read)?,
            false => write!(f, "The judge {} has scored {} texts. ", self.model, self.read)?,
        }
        let helps = if self.imported { "They help" } else { "It helps" };
        let adds_nothing = match self.imported {
            true => "They add nothing to what decides already",
            false => "It adds nothing to what decides already",
        };
        let known = [
            (self.worth, [helps, adds_nothing]),
            (
                self.states,
                ["Its hidden states help", "Its hidden states add nothing to what decides already"],
            ),
        ];
        let them = if self.imported { "them" } else { "it" };
        let sentence = |(worth, [helps, does_not]): (Option<Worth>, [&str; 2])| {
            let worth = worth?;
            let says = if worth.helps { helps } else { does_not };
            Some(format!(
                "{says}: log-loss is {:.3} with {them} and {:.3} without {them}, on {} held-out labels.",
                worth.both, worth.scout, worth.n
            ))
        };
        let sentences: Vec<String> = known.into_iter().filter_map(sentence).collect();
        match sentences.join(" ") {
            none if none.is_empty() => {
                let they_help = if self.imported { "they help" } else { "it helps" };
                write!(f, "Too few of them have a training label to tell whether {they_help}.")
            }
            sentences => f.write_str(&sentences),
        }
    }
}

/// What the newest head on the hidden states of this judge's model is worth, behind the same prompt.
fn states(store: &Store, judge: &Predictor) -> Result<Option<Worth>> {
    let of_judge = |p: &Predictor| {
        p.model == judge.model && p.labels == judge.labels && p.method.prompt() == judge.method.prompt()
    };
    let newest = store.predictors()?.into_iter().rev().find_map(|p| match &p.method {
        Method::States(states) if of_judge(&p) => Some(states.settings.known().and_then(|known| known.worth)),
        _ => None,
    });
    Ok(newest.flatten())
}

/// The newest judge's calibrated probabilities for an item that it has scored, with the stable keys of the labels.
pub(crate) fn opinion(store: &Store, item: ItemId) -> Result<Option<Vec<(String, f32)>>> {
    for predictor in store.judges()? {
        if let Some(said) = store.prediction(predictor.id, item)? {
            let settings = predictor.judge().and_then(|judge| judge.settings.known());
            let p = match settings.and_then(|settings| settings.calibration.as_ref()) {
                Some(stack) => calibrated(stack, &said),
                None => said,
            };
            return Ok(Some(predictor.labels.into_iter().zip(p).collect()));
        }
    }
    Ok(None)
}

fn calibrated(stack: &Stack, said: &[f32]) -> Vec<f32> {
    let log = |(_, label): (usize, usize)| said[label].max(f32::MIN_POSITIVE).ln();
    let logs = ndarray::Array2::from_shape_fn((1, said.len()), log);
    stack.probabilities(&[logs.view()]).into_raw_vec_and_offset().0
}
