//! A head on the hidden states of a language model without an adapter, which are read once and learned from in every round.
//!
//! The depth and the penalty are chosen on held-out folds. What it says of the texts that the model has read is kept; of training labels it is what
//! a fit says that has not seen them, so that all of it may be weighed as unseen.

use ndarray::{Array2, ArrayView2, Axis, s};

use super::scorer::{Kind, Load, Scorer};
use super::vectors::{dimensions_of, matrix};
use crate::domain::fault::{Fault, Result};
use crate::domain::hex::hex;
use crate::domain::ids::{ItemId, ModelId, PredictorId};
use crate::domain::predictor::{DEPTHS, Method, Predictor, StatesMethod, StatesSettings};
use crate::domain::settings::Stored;
use crate::domain::task_kind::TaskKind;
use crate::stats::classifier::head::{CrossFitted, cross_fitted};
use crate::store::Store;
use crate::work::runner::Work;

/// Readings, each by one model with one prompt, that heads are fitted on: the newest.
const MOST_READINGS: usize = 2;
/// The least spread of a feature: one that is the same in all texts tells nothing and must not be blown up.
const LEAST_SPREAD: f32 = 1e-4;
const USE: &str = "use the judge's hidden states";

pub(crate) struct States;

impl Kind for States {
    fn describe(&self, _predictor: &Predictor) -> String {
        "the head on a judge's hidden states".into()
    }

    fn remedy(&self) -> &'static str {
        "`hardcase judge FILE` reads texts and fits it again"
    }

    /// It scores texts that a language model has read, not vectors: what it said of them is in the file.
    fn is_available(&self, _store: &Store, _predictor: &Predictor) -> Result<bool> {
        Ok(false)
    }

    fn load(&self, _store: &Store, _predictor: &Predictor, _load: &Load<'_>) -> Result<Box<dyn Scorer>> {
        Err(Fault::new(
            "score texts by their vectors",
            "a head on hidden states needs a language model to read them",
        )
        .hint("`hardcase judge FILE` has it read them"))
    }
}

/// The settings of a stored head on hidden states.
///
/// # Errors
/// They were left out, cannot be read, or the predictor is of another kind.
pub(crate) fn settings(predictor: &Predictor) -> Result<&StatesSettings> {
    match &predictor.method {
        Method::States(states) => {
            states.settings.require(USE).map_err(|fault| fault.or_hint(States.remedy()))
        }
        _ => Err(Fault::new(USE, format!("predictor {} is of the kind {}", predictor.id, predictor.kind()))),
    }
}

/// What hidden states depend on, with the labels that the judge was asked for.
pub(crate) struct Reading {
    model: ModelId,
    prompt: Vec<u8>,
    labels: Vec<String>,
    /// The items that the prompt gives as examples, with their labels.
    pub examples: Vec<ItemId>,
}

impl Reading {
    fn of(judge: &Predictor) -> Self {
        let prompt = judge.method.prompt().unwrap_or_default().to_vec();
        let settings = judge.judge().and_then(|judge| judge.settings.known());
        let examples = settings.map(|settings| settings.examples.clone()).unwrap_or_default();
        Self { model: judge.model, prompt, labels: judge.labels.clone(), examples }
    }

    /// Whether a judge reads so.
    pub fn is_of(&self, judge: &Predictor) -> bool {
        self.model == judge.model && judge.method.prompt() == Some(&self.prompt)
    }
}

/// The newest readings, on which heads are fitted; what earlier ones saw is no longer used.
pub(crate) fn readings(store: &Store) -> Result<Vec<Reading>> {
    let mut readings: Vec<Reading> = Vec::new();
    for judge in store.judges()?.into_iter().filter(|judge| !judge.is_imported()) {
        if readings.len() < MOST_READINGS && !readings.iter().any(|reading| reading.is_of(&judge)) {
            readings.push(Reading::of(&judge));
        }
    }
    Ok(readings)
}

/// Its labelled texts, as each fit sees them.
pub(crate) struct Labelled<'a> {
    /// Ascending.
    pub items: &'a [ItemId],
    /// Each as its place in the task.
    pub labels: &'a [usize],
}

impl Labelled<'_> {
    /// Without the examples of a prompt: a model that has read a text's label tells it in its states, and a head would learn it as if the text told it.
    fn without(&self, examples: &[ItemId]) -> (Vec<ItemId>, Vec<usize>) {
        let both = self.items.iter().zip(self.labels).filter(|(item, _)| !examples.contains(item));
        both.map(|(item, label)| (*item, *label)).unzip()
    }
}

/// Fits a head on each of the newest readings, where there is one and it is not fitted on just these labels and texts yet. Returns all of them, the newest
/// first.
pub(crate) fn fit(
    work: &mut Work<'_>,
    scout: &Predictor,
    scorer: &dyn Scorer,
    labelled: &Labelled<'_>,
    seed: u64,
) -> Result<Vec<Predictor>> {
    let kind = work.store.task()?.task.kind;
    let mut fitted: Vec<Predictor> = Vec::new();
    for Reading { model, prompt, labels, examples } in readings(work.store)? {
        if labels != scout.labels {
            continue;
        }
        let vectors = work.store.hidden_states(model, &prompt)?;
        let known = newest(work.store, scout, model, &prompt)?;
        if vectors.items.is_empty() || !vectors.dimensions.is_multiple_of(DEPTHS) {
            // As in a copy that was merged: what an earlier head said is there, the states are not.
            fitted.extend(known);
            continue;
        }
        work.report("learning from hidden states", 0, None, "texts")?;
        let (items, labels) = labelled.without(&examples);
        let taught = &Labelled { items: &items, labels: &labels };
        let fitted_on = fitted_on(taught, &vectors.items);
        let same = |p: &Predictor| settings(p).is_ok_and(|settings| settings.fitted_on == fitted_on);
        if let Some(known) = known.filter(same) {
            fitted.push(known);
            continue;
        }
        let all = matrix(&vectors)?;
        // Nor may an example stand in for a label: all that have one are passed over.
        let stand_ins = likeliest(work.store, scout, scorer, labelled, &vectors.items)?;
        let Some(Fit { head, depth, said }) = best(all, &vectors.items, taught, &stand_ins, kind, seed)
        else {
            continue;
        };
        let settings = StatesSettings {
            depth,
            c: head.c,
            cv_log_loss: head.loss,
            n: head.held_out.nrows(),
            fitted_on,
            worth: None,
        };
        let method = Method::States(StatesMethod { prompt, settings: Stored::Known(settings) });
        let mut predictor = Predictor { id: PredictorId(0), method, model, ..scout.clone() };
        predictor.id = work.store.add_predictor(&predictor)?;
        let values: Vec<f32> = said.iter().copied().collect();
        work.store.put_predictions(predictor.id, &vectors.items, &values, scout.labels.len())?;
        fitted.push(predictor);
    }
    Ok(fitted)
}

/// The newest head on that reading.
fn newest(store: &Store, scout: &Predictor, model: ModelId, prompt: &[u8]) -> Result<Option<Predictor>> {
    let of_reading = |p: &Predictor| {
        matches!(p.method, Method::States(_))
            && p.model == model
            && p.labels == scout.labels
            && p.method.prompt() == Some(prompt)
    };
    Ok(store.predictors()?.into_iter().rev().find(of_reading))
}

fn fitted_on(labelled: &Labelled<'_>, read: &[ItemId]) -> String {
    let mut hash = blake3::Hasher::new();
    for (item, label) in labelled.items.iter().zip(labelled.labels) {
        hash.update(&item.0.to_le_bytes()).update(&label.to_le_bytes());
    }
    hash.update(&read.len().to_le_bytes());
    for item in read {
        hash.update(&item.0.to_le_bytes());
    }
    hex(&hash.finalize().as_bytes()[..16])
}

/// Of each label the read text that the scout finds the most probable and nobody has labelled: it stands in for a label with too few examples. Rows of
/// the read texts.
fn likeliest(
    store: &Store,
    scout: &Predictor,
    scorer: &dyn Scorer,
    labelled: &Labelled<'_>,
    read: &[ItemId],
) -> Result<Vec<usize>> {
    let vectors = store.vectors_of(scout.space(), read, dimensions_of(store, scout)?)?;
    let p = scorer.of_items(&vectors.items, matrix(&vectors)?);
    let free = |row: &usize| labelled.items.binary_search(&vectors.items[*row]).is_err();
    let free: Vec<usize> = (0..vectors.items.len()).filter(free).collect();
    let row_of = |label: usize| {
        let best = free.iter().max_by(|&&a, &&b| p[(a, label)].total_cmp(&p[(b, label)]))?;
        read.binary_search(&vectors.items[*best]).ok()
    };
    Ok((0..scout.labels.len()).map(|label| row_of(label).unwrap_or(0)).collect())
}

struct Fit {
    head: CrossFitted,
    depth: usize,
    /// Probabilities of all read texts, texts × labels.
    said: Array2<f32>,
}

/// The head at the depth that does best on held-out folds; none where there are too few labels. `states` are texts × (depths × dimensions) of the
/// texts `read`.
fn best(
    states: ArrayView2<'_, f32>,
    read: &[ItemId],
    labelled: &Labelled<'_>,
    stand_ins: &[usize],
    kind: TaskKind,
    seed: u64,
) -> Option<Fit> {
    let both = labelled.items.iter().zip(labelled.labels);
    let (rows, y): (Vec<usize>, Vec<usize>) =
        both.filter_map(|(item, label)| Some((read.binary_search(item).ok()?, *label))).unzip();
    let width = states.ncols() / DEPTHS;
    let mut best: Option<(CrossFitted, usize, Array2<f32>)> = None;
    for depth in 0..DEPTHS {
        let x = standardised(states.slice(s![.., depth * width..(depth + 1) * width]));
        let (examples, fill) = (x.select(Axis(0), &rows), x.select(Axis(0), stand_ins));
        let head = cross_fitted(examples.view(), &y, fill.view(), kind, seed)?;
        if best.as_ref().is_none_or(|(least, ..)| head.loss < least.loss) {
            best = Some((head, depth, x));
        }
    }
    let (head, depth, x) = best?;
    let mut said = head.model.probabilities(x.view());
    for (&row, unseen) in rows.iter().zip(head.held_out.rows()) {
        said.row_mut(row).assign(&unseen);
    }
    Some(Fit { head, depth, said })
}

/// Every feature with mean 0 and spread 1 over the texts, and every text with unit length: hidden states have a few features that are the same in all
/// texts and hundreds of times larger than the rest.
fn standardised(states: ArrayView2<'_, f32>) -> Array2<f32> {
    let mut x = states.to_owned();
    for mut feature in x.columns_mut() {
        let mean = feature.mean().unwrap_or(0.0);
        feature.mapv_inplace(|value| value - mean);
        let spread = (feature.dot(&feature) / feature.len().max(1) as f32).sqrt().max(LEAST_SPREAD);
        feature.mapv_inplace(|value| value / spread);
    }
    for mut text in x.rows_mut() {
        let length = text.dot(&text).sqrt().max(f32::MIN_POSITIVE);
        text.mapv_inplace(|value| value / length);
    }
    x
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    #[test]
    fn a_label_that_the_prompt_gives_is_not_learned_from_the_states_that_have_read_it() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let gold: Vec<usize> = (0..80).map(|i| i % 2).collect();
        let mut states = Array2::from_shape_fn((80, DEPTHS * 8), |_| rng.gen_range(-1.0f32..1.0));
        // Of the first twenty the model has read the labels, and of the others it knows nothing.
        let shown: Vec<ItemId> = (0..20).map(ItemId).collect();
        for row in 0..20 {
            states[(row, gold[row])] += 9.0;
        }
        let read: Vec<ItemId> = (0..80).map(ItemId).collect();
        let all = Labelled { items: &read[..60], labels: &gold[..60] };
        let (items, labels) = all.without(&shown);
        assert_eq!(items, read[20..60]);
        let loss = |labelled: &Labelled<'_>| {
            let fit = best(states.view(), &read, labelled, &[60, 61], TaskKind::One, 1).unwrap();
            let unseen = fit.head.held_out.rows().into_iter().zip(labelled.labels);
            let losses = unseen.map(|(row, &label)| -f64::from(row[label].max(1e-6)).ln());
            losses.sum::<f64>() / labelled.items.len() as f64
        };
        let (leaking, honest) = (loss(&all), loss(&Labelled { items: &items, labels: &labels }));
        assert!(leaking < honest - 0.1 && honest > 0.6, "{leaking} with the labels read, {honest} without");
    }

    #[test]
    fn the_depth_that_knows_the_labels_is_found_though_another_has_larger_numbers() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let gold: Vec<usize> = (0..120).map(|i| i % 3).collect();
        let mut states = Array2::zeros((120, DEPTHS * 8));
        for (row, &label) in gold.iter().enumerate() {
            for feature in 0..DEPTHS * 8 {
                states[(row, feature)] = rng.gen_range(-1.0f32..1.0);
            }
            // A feature that is huge in all texts, and at one depth three small ones that tell the labels apart.
            states[(row, 0)] += 900.0;
            states[(row, 2 * 8 + label)] += 1.5;
        }
        let read: Vec<ItemId> = (0..120).map(ItemId).collect();
        let labelled = Labelled { items: &read[..60], labels: &gold[..60] };
        let fit = best(states.view(), &read, &labelled, &[60, 61, 62], TaskKind::One, 1).unwrap();
        assert_eq!(fit.depth, 2);
        let right = |row: &usize| {
            let p = fit.said.row(*row);
            (0..3).all(|label| p[label] <= p[gold[*row]])
        };
        assert!((60..120).filter(right).count() > 45);
        assert_eq!(
            fit.said.row(7),
            fit.head.held_out.row(7),
            "what is labelled is scored by a fit that has not seen it"
        );
        assert!(
            best(states.view(), &read[..4], &labelled, &[0, 1, 2], TaskKind::One, 1).is_none(),
            "four labelled texts are too few"
        );
    }
}
