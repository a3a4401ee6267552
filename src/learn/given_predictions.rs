//! Predictions that were made elsewhere, as a judge: how one becomes a row of probabilities, and whose they are.
//!
//! A judge's log-probabilities are weighed against the scout's, so that no probability may be 0: one text on which it is wrong would outweigh all
//! others. How sure a label without a probability is meant to be need not be known: the weight of these predictions is fitted on labels.

use crate::domain::encoder_reading::EncoderReading;
use crate::domain::fault::Result;
use crate::domain::ids::PredictorId;
use crate::domain::predictor::{
    JudgeMethod, JudgeSettings, Method, Predictor, PromptLabelSettings, PromptLayout, PromptSettings,
};
use crate::domain::settings::Stored;
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::store::pool::predictors::Model;

/// What a project calls the architecture of predictions that were made elsewhere.
const ARCHITECTURE: &str = "predictions";
/// The probability of a label that was given without one; the other labels share the rest.
const OF_A_LABEL: f32 = 0.9;
/// The share of a row that is spread evenly over all labels.
const SPREAD: f64 = 0.01;
/// How far the sum of a row may be from 1: numbers are rounded.
const MOST_OFF: f64 = 0.05;

/// The probabilities of a label, by its place among so many.
pub(crate) fn of_label(label: usize, labels: usize) -> Vec<f32> {
    let other = (1.0 - OF_A_LABEL) / labels.saturating_sub(1).max(1) as f32;
    (0..labels).map(|at| if at == label { OF_A_LABEL } else { other }).collect()
}

/// Probabilities as they are kept, one per label; none where these are not numbers of at least 0 that add up to about 1.
pub(crate) fn of_probabilities(given: &[f64]) -> Option<Vec<f32>> {
    let sum: f64 = given.iter().sum();
    let are_some = given.iter().all(|p| p.is_finite() && *p >= 0.0) && (sum - 1.0).abs() <= MOST_OFF;
    let even = SPREAD / given.len().max(1) as f64;
    are_some.then(|| given.iter().map(|p| ((1.0 - SPREAD) * p / sum + even) as f32).collect())
}

/// The predictor of that name, entered if it is new; it becomes the judge that was active last.
pub(crate) fn predictor(store: &mut Store, name: &str, revision: &Revision) -> Result<Predictor> {
    let model = store.enter_model(&Model {
        // Whose they are is all that tells one set from another: what a later file says takes the place of what an earlier one said.
        sha256: blake3::hash(format!("{ARCHITECTURE} {name}").as_bytes()).as_bytes().to_vec(),
        name: name.to_owned(),
        path: String::new(),
        architecture: ARCHITECTURE.into(),
        quantisation: String::new(),
        dimensions: 0,
        bytes: 0,
        reading: EncoderReading::default(),
    })?;
    let labels = revision.task.label_ids();
    let known =
        store.judges()?.into_iter().find(|p| p.is_imported() && p.model == model && p.labels == labels);
    if let Some(known) = known.filter(|p| p.judge().is_some_and(|judge| judge.settings.known().is_some())) {
        store.activate_judge(known.id)?;
        return Ok(known);
    }
    let name_of = |label: &crate::domain::task::Label| PromptLabelSettings {
        name: label.name.clone(),
        description: String::new(),
        examples: Vec::new(),
    };
    let prompt = PromptSettings {
        layout: PromptLayout::NoPrompt,
        question: String::new(),
        guideline: String::new(),
        labels: revision.task.labels.iter().map(name_of).collect(),
        examples: Vec::new(),
        nearest: 0,
    };
    let settings = JudgeSettings {
        prompt,
        examples: Vec::new(),
        cut: String::new(),
        tried: Vec::new(),
        calibration: None,
        worth: None,
    };
    let method = JudgeMethod { adapter: None, prompt: Vec::new(), settings: Stored::Known(settings) };
    let mut new = Predictor {
        id: PredictorId(0),
        method: Method::Judge(method),
        model,
        revision: revision.id,
        labels,
        created_ms: 0,
    };
    new.id = store.add_predictor(&new)?;
    Ok(new)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_nine_in_ten_and_no_probability_is_0() {
        assert_eq!(of_label(1, 2), [1.0 - OF_A_LABEL, OF_A_LABEL]);
        let three = of_label(0, 3);
        assert!(
            (three[1] - 0.05).abs() < 1e-6 && (three.iter().sum::<f32>() - 1.0).abs() < 1e-6,
            "{three:?}"
        );
        let sure = of_probabilities(&[1.0, 0.0]).unwrap();
        assert!((sure[0] - 0.995).abs() < 1e-6 && (sure[1] - 0.005).abs() < 1e-6, "{sure:?}");
        let rounded = of_probabilities(&[0.33, 0.33, 0.33]).unwrap();
        assert!(rounded.iter().all(|p| (p - 1.0 / 3.0).abs() < 1e-6), "{rounded:?}");
    }

    #[test]
    fn what_is_no_distribution_is_none() {
        let wrong: [&[f64]; 7] = [
            &[],
            &[0.5, 0.6],
            &[90.0, 10.0],
            &[-0.1, 1.1],
            &[f64::NAN, 1.0],
            &[f64::INFINITY, 0.0],
            &[0.0, 0.0],
        ];
        assert!(wrong.iter().all(|given| of_probabilities(given).is_none()));
    }
}
