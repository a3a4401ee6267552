//! The combination: the scout's opinion of every text, those of readers of some, and what they come to.
//!
//! Readers are judges, each with its prompt and adapter, and heads on hidden states. Whatever is fitted here is fitted on training labels, each by a scout
//! and readers that have not learned from it. Those join that make labels more probable which no fit has seen. A text that no reader has read keeps what the
//! scout says of it.
//!
//! Training labels were mined: they are harder than the pool, and on hard texts a scout looks worse than it is. So each counts as much as there are
//! texts in the pool of which the scout is as sure.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};
use serde::Serialize;

use super::judge::{self, Judged, logs};
use super::scorer::{Kind, Load, Scorer};
use super::states::{self, Labelled};
use super::training::Training;
use super::vectors::{dimensions_of, matrix};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{AdapterId, ItemId, PredictorId};
use crate::domain::prediction::Probabilities;
use crate::domain::predictor::{CombinedSettings, Method, Predictor, PredictorKind, Scout};
use crate::domain::settings::Stored;
use crate::domain::task_kind::TaskKind;
use crate::stats::classifier::stack::{Evidence, Joined, Opinions, Worth, is_enough};
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::work::runner::Work;

const USE: &str = "use the combination of scout and judge";
/// Judges that are weighed: the newest that have read anything.
const MOST_JUDGES: usize = 6;
/// Texts of the pool that tell how sure the scout is of it.
const SAMPLE: usize = 20_000;
/// Parts of the pool, from what the scout is least sure of to what it is surest of.
const BINS: usize = 5;
/// No label counts for more than so many times its number.
const MOST_IMPORTANCE: f64 = 5.0;

pub(crate) struct Combined;

impl Kind for Combined {
    fn describe(&self, predictor: &Predictor) -> String {
        match predictor.adapter() {
            Some(adapter) => format!("the combination of adapter {adapter} and a judge"),
            None => "the combination of the zero-shot model and a judge".into(),
        }
    }

    fn remedy(&self) -> &'static str {
        "`hardcase adapter FILE use ADAPTER`, with the number of its head or LoRA, combines them again"
    }

    fn is_available(&self, store: &Store, predictor: &Predictor) -> Result<bool> {
        let has_lora = predictor.lora().is_none() || cfg!(feature = "engine");
        let has_bytes = match predictor.adapter() {
            Some(adapter) => store.adapter_size(adapter)? > 0,
            None => true,
        };
        let left_out = matches!(predictor.method, Method::Combined { settings: Stored::LeftOut, .. });
        Ok(has_lora && has_bytes && !left_out)
    }

    fn load(&self, store: &Store, predictor: &Predictor, load: &Load<'_>) -> Result<Box<dyn Scorer>> {
        let Method::Combined { scout, settings } = &predictor.method else {
            return Err(Fault::new(USE, format!("the model is of the kind {}", predictor.kind())));
        };
        let settings = settings.require(USE)?.clone();
        let all = store.predictors()?;
        let reader = |id: &PredictorId| {
            let reader = all.iter().find(|p| p.id == *id && p.is_reader());
            let reader = reader.ok_or_else(|| Fault::new(USE, "one of its judges is not in the file"))?;
            Judged::read(store, reader.clone())
        };
        let readers = settings.readers.iter().map(reader).collect::<Result<_>>()?;
        let scout = load(store, &scout_beneath(&all, predictor, *scout)?)?;
        Ok(Box::new(CombinedScorer { scout, settings, readers }))
    }
}

/// The scout's own predictor: the newest of its kind with its adapter before the combination.
fn scout_beneath(all: &[Predictor], combined: &Predictor, scout: Scout) -> Result<Predictor> {
    let method = match scout {
        Scout::Head(adapter) => Method::Head(adapter),
        Scout::Lora(adapter) => Method::Lora(adapter),
        Scout::ZeroShot => {
            let beneath = |p: &&Predictor| p.id < combined.id && matches!(p.method, Method::ZeroShot(_));
            let zero_shot = all.iter().rev().find(beneath);
            return zero_shot
                .cloned()
                .ok_or_else(|| Fault::new(USE, "its zero-shot model is not in the file"));
        }
    };
    Ok(Predictor { method, ..combined.clone() })
}

/// A scout next to readers, each of which has read some items.
struct CombinedScorer {
    scout: Box<dyn Scorer>,
    settings: CombinedSettings,
    readers: Vec<Judged>,
}

impl CombinedScorer {
    /// What a stack of the scout and the first readers makes of some rows.
    fn stacked(&self, scout: ArrayView2<'_, f32>, readers: &[Array2<f32>]) -> Array2<f32> {
        let views: Vec<ArrayView2<'_, f32>> =
            std::iter::once(scout.reborrow()).chain(readers.iter().map(|logs| logs.view())).collect();
        match self.settings.stacks.get(readers.len()) {
            Some(stack) => stack.probabilities(&views),
            None => scout.mapv(f32::exp),
        }
    }
}

impl Scorer for CombinedScorer {
    fn probabilities(&self, vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        self.stacked(logs(self.scout.probabilities(vectors).view()).view(), &[])
    }

    fn of_items(&self, items: &[ItemId], vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        let scout = logs(self.scout.of_items(items, vectors).view());
        let mut all = self.stacked(scout.view(), &[]);
        let (mut rows, mut said): (Vec<usize>, Vec<Array2<f32>>) = ((0..items.len()).collect(), Vec::new());
        for reader in &self.readers {
            let at: Vec<Option<usize>> =
                rows.iter().map(|&row| reader.items.binary_search(&items[row]).ok()).collect();
            let kept: Vec<usize> = (0..rows.len()).filter(|&n| at[n].is_some()).collect();
            said.iter_mut().for_each(|logs| *logs = logs.select(Axis(0), &kept));
            said.push(reader.logs.select(Axis(0), &at.iter().copied().flatten().collect::<Vec<_>>()));
            rows = kept.iter().map(|&n| rows[n]).collect();
            let p = self.stacked(scout.select(Axis(0), &rows).view(), &said);
            for (&row, p) in rows.iter().zip(p.rows()) {
                all.row_mut(row).assign(&p);
            }
        }
        all
    }
}

/// What a reader is worth.
#[derive(Clone, Debug, Serialize)]
pub struct Reader {
    pub kind: PredictorKind,
    /// Its model's name; of predictions that were made elsewhere, whose they are.
    pub model: String,
    /// Whether it is predictions that were made elsewhere.
    pub imported: bool,
    pub adapter: Option<AdapterId>,
    /// Labelled examples in its prompt.
    pub examples: usize,
    /// Texts that it has read.
    pub read: usize,
    /// What it is worth next to the scout; none where too few labels tell.
    pub worth: Option<Worth>,
}

impl Reader {
    fn name(&self) -> String {
        match (self.kind, self.adapter) {
            (PredictorKind::States, _) => format!("the hidden states of {}", self.model),
            _ if self.imported => format!("what {} predicts", self.model),
            (_, Some(adapter)) => format!("the judge {} with adapter {adapter}", self.model),
            (_, None) if self.examples > 0 => {
                format!("the judge {} with {} examples", self.model, self.examples)
            }
            (_, None) => format!("the judge {}", self.model),
        }
    }
}

/// What readers are worth, in one sentence without its full stop; none where nothing is known of any.
pub(crate) fn in_words(readers: &[Reader]) -> Option<String> {
    let of = |reader: &Reader| {
        let worth = reader.worth?;
        Some(format!(
            "{} {} (log-loss on {} held-out labels {:.3} with it, {:.3} without; difference {:+.3}, standard error {:.3})",
            reader.name(),
            if worth.helps { "counts" } else { "adds nothing to what counts" },
            worth.n,
            worth.both,
            worth.scout,
            worth.difference,
            worth.error
        ))
    };
    let all: Vec<String> = readers.iter().filter_map(of).collect();
    let nobody = if readers.iter().all(|reader| reader.worth.is_none_or(|worth| !worth.helps)) {
        "; so the scout decides alone"
    } else {
        ""
    };
    (!all.is_empty()).then(|| format!("{}{nobody}", all.join("; ")))
}

/// What became of weighing readers against a scout.
#[derive(Default)]
pub(crate) struct Weighed {
    /// The combination, stored and not active yet; none where the scout decides alone.
    pub combined: Option<Predictor>,
    /// All that were weighed, those that the combination listens to first, in the order in which they joined.
    pub readers: Vec<Reader>,
    /// What the active judge is worth; none where no judge has read anything, or there are too few labels to say.
    pub worth: Option<Worth>,
}

/// Calibrates the active judge, fits heads on hidden states, and makes a combination of those that help with `scout`.
pub(crate) fn fit(
    work: &mut Work<'_>,
    scout: &Predictor,
    scorer: &dyn Scorer,
    revision: &Revision,
    seed: u64,
) -> Result<Weighed> {
    let mut readers = judges(work, &scout.labels)?;
    if readers.is_empty() {
        return Ok(Weighed::default());
    }
    let training = Training::read(work, scout, revision)?;
    let (items, given) = training.of_experts();
    let labelled = Labelled { items: &items, labels: &given };
    for states in states::fit(work, scout, scorer, &labelled, seed)? {
        readers.push(Judged::read(work.store, states)?);
    }
    work.report("weighing scout and judge", 0, None, "labels")?;
    let labels = scout.labels.len();
    calibrate(&mut readers[0], &training, revision)?;
    let joined = match Unseen::of(work.store, scout, scorer, &training, seed)? {
        Some(unseen) => unseen.join(&readers, &training, labels, seed)?,
        None => Joined { order: Vec::new(), stacks: Vec::new(), worth: vec![None; readers.len()] },
    };
    for (reader, worth) in readers.iter_mut().zip(&joined.worth) {
        remember(work.store, reader, *worth)?;
    }
    let mut weighed = Weighed { worth: joined.worth[0], ..Weighed::default() };
    let left_out = (0..readers.len()).filter(|at| !joined.order.contains(at));
    for at in joined.order.iter().copied().chain(left_out) {
        weighed.readers.push(described(work.store, &readers[at], joined.worth[at])?);
    }
    let Some(beneath) = scout.scout().filter(|_| !joined.order.is_empty()) else { return Ok(weighed) };
    let combined = CombinedSettings {
        readers: joined.order.iter().map(|&at| readers[at].predictor.id).collect(),
        stacks: joined.stacks,
    };
    let method = Method::Combined { scout: beneath, settings: Stored::Known(combined) };
    let mut predictor = Predictor { id: PredictorId(0), method, ..scout.clone() };
    predictor.id = work.store.add_predictor(&predictor)?;
    weighed.combined = Some(predictor);
    Ok(weighed)
}

/// The judges of these labels that have read anything, the active one first.
fn judges(work: &mut Work<'_>, labels: &[String]) -> Result<Vec<Judged>> {
    let mut judges: Vec<Judged> = Vec::new();
    for predictor in work.store.judges()?.into_iter().filter(|judge| judge.labels == labels) {
        if judges.len() == MOST_JUDGES {
            break;
        }
        if let Err(fault) = judge::settings(&predictor) {
            // Whatever else is at hand must not stop because of it.
            work.note_once(&format!("{fault}. Until then the model decides without that judge"));
            continue;
        }
        let judged = Judged::read(work.store, predictor)?;
        if !judged.items.is_empty() {
            judges.push(judged);
        }
    }
    Ok(judges)
}

/// Calibrates a judge on the training labels that it has read and was not given as examples.
fn calibrate(judged: &mut Judged, training: &Training, revision: &Revision) -> Result<()> {
    let mut settings = judge::settings(&judged.predictor)?.clone();
    let (items, labels) = training.of_experts();
    let seen = items.iter().zip(&labels);
    let seen = seen.filter(|(item, _)| !settings.examples.contains(item));
    let (rows, gold): (Vec<usize>, Vec<usize>) =
        seen.filter_map(|(item, label)| Some((judged.items.binary_search(item).ok()?, *label))).unzip();
    let start = judged.without_labels(&revision.task.shares());
    let said = judged.logs.select(Axis(0), &rows);
    let opinions = Opinions { logs: &[said.view()], gold: &gold, importance: &vec![1.0; gold.len()] };
    let fitted = start.fitted(&opinions);
    // What was mined was chosen by the scout's doubt, not by the judge's: to it a label's texts are there what they are in the pool.
    settings.calibration = Some(match is_enough(&gold, revision.task.labels.len()) {
        true => fitted.at_shares_of(&[judged.logs.view()]),
        false => fitted,
    });
    judged.predictor = judge::with_settings(&judged.predictor, settings);
    Ok(())
}

/// Keeps with a reader what it is worth.
fn remember(store: &mut Store, reader: &mut Judged, worth: Option<Worth>) -> Result<()> {
    match &mut reader.predictor.method {
        Method::Judge(judge) => {
            if let Stored::Known(settings) = &mut judge.settings {
                settings.worth = worth;
            }
        }
        Method::States(states) => {
            if let Stored::Known(settings) = &mut states.settings {
                settings.worth = worth;
            }
        }
        _ => return Ok(()),
    }
    store.set_settings(&reader.predictor)
}

fn described(store: &Store, reader: &Judged, worth: Option<Worth>) -> Result<Reader> {
    let predictor = &reader.predictor;
    let settings = predictor.judge().and_then(|judge| judge.settings.known());
    Ok(Reader {
        kind: predictor.kind(),
        model: store.model(predictor.model)?.map(|model| model.name).unwrap_or_default(),
        imported: predictor.is_imported(),
        adapter: predictor.adapter(),
        examples: settings.map_or(0, |settings| settings.examples.len()),
        read: reader.items.len(),
        worth,
    })
}

/// The experts' training labels as a scout sees them that has not learned from them.
struct Unseen {
    /// Rows of the training labels.
    rows: Vec<usize>,
    /// Rows × labels.
    logs: Array2<f32>,
    /// What each counts.
    importance: Vec<f64>,
}

impl Unseen {
    /// None where the scout has too few labels for folds.
    fn of(
        store: &Store,
        scout: &Predictor,
        scorer: &dyn Scorer,
        training: &Training,
        seed: u64,
    ) -> Result<Option<Self>> {
        let Some(unseen) = scorer.out_of_fold(training, seed) else { return Ok(None) };
        let rows: Vec<usize> = (0..training.items.len())
            .filter(|&row| training.by_experts[row] && unseen.contains_key(&training.items[row]))
            .collect();
        let values = rows.iter().flat_map(|&row| unseen[&training.items[row]].iter().copied()).collect();
        let p = Array2::from_shape_vec((rows.len(), scout.labels.len()), values);
        let p = p.map_err(|e| Fault::new("weigh scout and judge", e.to_string()))?;
        let pool = store.sample_of_vectors(scout.space(), dimensions_of(store, scout)?, SAMPLE)?;
        let pool = scorer.of_items(&pool.items, matrix(&pool)?);
        let kind = store.task()?.task.kind;
        let importance = importance(&margins(p.view(), kind), margins(pool.view(), kind));
        Ok(Some(Self { rows, logs: logs(p.view()), importance }))
    }

    fn join(&self, readers: &[Judged], training: &Training, labels: usize, seed: u64) -> Result<Joined> {
        let mut said: Vec<Vec<Option<ArrayView1<'_, f32>>>> = Vec::with_capacity(readers.len());
        for reader in readers {
            let examples = examples_of(&reader.predictor, readers);
            let of = |&row: &usize| {
                let item = training.items[row];
                let at = reader.items.binary_search(&item).ok().filter(|_| !examples.contains(&item))?;
                Some(reader.logs.row(at))
            };
            said.push(self.rows.iter().map(of).collect());
        }
        let labels_given = training.labels();
        let gold: Vec<usize> = self.rows.iter().map(|&row| labels_given[row]).collect();
        let evidence =
            Evidence { scout: self.logs.view(), readers: &said, gold: &gold, importance: &self.importance };
        Ok(evidence.join(labels, seed))
    }
}

/// The items that a reader has before every text with their labels: a judge's own, and those of the judges behind whose prompt hidden states were seen.
fn examples_of(reader: &Predictor, readers: &[Judged]) -> Vec<ItemId> {
    let same = |p: &&Predictor| p.model == reader.model && p.method.prompt() == reader.method.prompt();
    let judges = readers.iter().map(|judged| &judged.predictor).filter(same);
    let settings = judges.filter_map(|judge| judge.judge()?.settings.known());
    settings.flat_map(|settings| settings.examples.iter().copied()).collect()
}

/// How far each row of rows × labels is from the nearest boundary.
fn margins(p: ArrayView2<'_, f32>, kind: TaskKind) -> Vec<f32> {
    p.rows().into_iter().map(|row| Probabilities(row.to_vec()).margin(kind)).collect()
}

/// What each example counts, so that together they are as sure as the pool: the pool is cut into as many equal parts by its margins, and each part counts
/// in the examples what it counts in the pool.
fn importance(examples: &[f32], mut pool: Vec<f32>) -> Vec<f64> {
    if pool.is_empty() {
        return vec![1.0; examples.len()];
    }
    pool.sort_unstable_by(f32::total_cmp);
    let edges: Vec<f32> = (1..BINS).map(|bin| pool[bin * pool.len() / BINS]).collect();
    let bins: Vec<usize> =
        examples.iter().map(|margin| edges.partition_point(|edge| edge <= margin)).collect();
    let weight = |bin: &usize| {
        let here = bins.iter().filter(|other| *other == bin).count();
        let low = bin.checked_sub(1).map_or(f32::NEG_INFINITY, |edge| edges[edge]);
        let high = edges.get(*bin).copied().unwrap_or(f32::INFINITY);
        let there =
            pool.partition_point(|margin| *margin < high) - pool.partition_point(|margin| *margin < low);
        (there as f64 / pool.len() as f64 * examples.len() as f64 / here as f64).min(MOST_IMPORTANCE)
    };
    bins.iter().map(weight).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_count_what_texts_as_sure_count_in_the_pool() {
        let pool: Vec<f32> = (0..100).map(|i| i as f32 / 100.0).collect();
        // Four of five examples are among the fifth of the pool that is the hardest.
        let weights = importance(&[0.01, 0.05, 0.1, 0.15, 0.95], pool.clone());
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(weights[..4].iter().all(|w| near(*w, 0.25)) && near(weights[4], 1.0), "{weights:?}");
        let one = importance(&[0.95], pool);
        assert!(near(one[0], 0.2), "{one:?}");
        let sure: Vec<f32> = vec![1.0; 50];
        assert!(importance(&[1.0, 0.2], sure).iter().all(|w| w.is_finite()), "a pool that is all alike");
        assert_eq!(importance(&[0.5, 0.5], Vec::new()), [1.0, 1.0]);
    }
}
