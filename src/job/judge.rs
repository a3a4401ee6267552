//! `judge`: a language model reads the texts nearest the boundary, and the labelled ones that show what it is worth. Every few texts are
//! kept at once, so it can be stopped or killed at any time.

use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde::Serialize;

use super::cascade::combine;
use super::evaluate::{record_agreement, rescore_cases};
use super::judged::JudgeSettings;
use super::model::described;
use super::prelabels::{active, scouting};
use super::runner::{Ended, JobContext, Work, run};
use super::scorer::bytes_of;
use crate::domain::answer::decided;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ItemId, PredictorId};
use crate::domain::prediction::Probabilities;
use crate::domain::split::Split;
use crate::domain::task::{Label, Task};
use crate::engine::judge::{Instruction, Judge, JudgeOptions, Shown};
use crate::engine::model_file::ModelFacts;
use crate::stats::stack::Worth;
use crate::store::Store;
use crate::store::predictors::{Model, Predictor};
use crate::store::tasks::Revision;

/// Labelled examples in the instruction, unless asked otherwise.
pub const EXAMPLES: usize = 8;
/// Texts handed to the model at a time; it keeps what it has scored of them more often.
const CHUNK: usize = 256;
/// What is kept of how long texts are cut.
const CUT: &str = "the first two thirds of the room from its beginning, the rest from its end";

/// How many texts are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// So many.
    Texts(usize),
    /// As many as that time allows.
    Time(Duration),
    /// All.
    All,
}

/// What a person may choose of the judge.
#[derive(Clone, Debug)]
pub struct JudgeChoice {
    /// A GGUF file; none for the one that judged before.
    pub model: Option<PathBuf>,
    /// Threads; as many as there are cores where none are named.
    pub threads: Option<NonZeroUsize>,
    /// The most tokens of instruction, text and answer together; the model's, at most 2,048, where none are named.
    pub context: Option<NonZeroUsize>,
    /// Tokens computed at a time; 512 where none are named.
    pub batch: Option<NonZeroUsize>,
    /// Layers that a graphics card computes; all that it can where none are named.
    pub gpu_layers: Option<u32>,
    /// The most labelled examples in the instruction.
    pub examples: usize,
    /// How many texts.
    pub budget: Budget,
}

impl JudgeChoice {
    fn options(&self) -> JudgeOptions {
        let usual = JudgeOptions::default();
        JudgeOptions {
            threads: self.threads.unwrap_or(usual.threads),
            context: self.context,
            batch: self.batch.unwrap_or(usual.batch),
            gpu_layers: self.gpu_layers,
        }
    }
}

/// What a judging did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct JudgeReport {
    /// The model.
    pub model: String,
    /// Texts read now.
    pub judged: usize,
    /// Texts read with this instruction in all.
    pub judged_in_all: usize,
    /// Of these, labelled ones for training.
    pub training: usize,
    /// Labelled examples in the instruction.
    pub examples: usize,
    /// Tokens of the instruction, which all texts share.
    pub instruction_tokens: usize,
    /// Texts of this run whose middle was left out.
    pub cut: usize,
    /// Texts read per second, the instruction's reading aside.
    pub texts_per_second: Option<f64>,
    /// Tokens of texts read per second.
    pub tokens_per_second: Option<f64>,
    /// What it is worth beside the scout; none where there are too few labels to say.
    pub worth: Option<Worth>,
    /// Whether this process did it.
    pub ours: bool,
}

impl std::fmt::Display for JudgeReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.ours {
            return write!(f, "another process did it");
        }
        write!(f, "{} texts judged by {}", self.judged, self.model)?;
        if let Some((texts, tokens)) = self.texts_per_second.zip(self.tokens_per_second) {
            write!(f, ", {texts:.1} texts or {tokens:.0} tokens a second")?;
        }
        if self.cut > 0 {
            write!(f, ", {} too long to be read whole", self.cut)?;
        }
        write!(f, "; {} in all, {} of them with a training label; ", self.judged_in_all, self.training)?;
        match self.worth {
            Some(worth) => write!(
                f,
                "log-loss on {} held-out labels {:.3} with it, {:.3} without (less is better; difference {:+.3}, standard error {:.3}): {}",
                worth.n,
                worth.both,
                worth.scout,
                worth.difference,
                worth.error,
                if worth.helps {
                    "its opinion counts"
                } else {
                    "it does not help, and the scout decides alone"
                }
            ),
            None => write!(
                f,
                "too few training labels to say what it is worth (5 of each label, by a tuned head): the scout decides alone"
            ),
        }
    }
}

/// Judges.
///
/// # Errors
/// Nothing scouted, a model that is no language model or is damaged, or a task that leaves no room for a text.
pub fn judge(context: &JobContext<'_>, choice: &JudgeChoice) -> Result<JudgeReport> {
    let ended = run(context, "judge", "", |work| {
        let revision = work.store.task()?;
        let scout = scouting(work.store, "judge texts")?;
        let path = path_of(work.store, choice.model.as_deref())?;
        work.report("loading the model", 0, None, "texts")?;
        let mut judge = Judge::load(&path, choice.options())?;
        let seed = context.seed.unwrap_or(work.store.project()?.seed);
        let predictor = predictor(work, &judge, &path, &revision, choice.examples, seed)?;
        let settings = JudgeSettings::of(&predictor)?;
        if let Some(adapter) = predictor.adapter {
            judge.adapt(&bytes_of(work.store, adapter)?)?;
        }
        let mut report = read(work, &judge, &predictor, &settings, choice.budget)?;
        let (items, _) = work.store.predictions(predictor.id)?;
        report.judged_in_all = items.len();
        report.examples = settings.examples.len();
        let training = decided(&work.store.votes(Split::Train)?);
        report.training = training.keys().filter(|item| items.binary_search(item).is_ok()).count();
        report.worth = combine(work, &scout, &revision, seed)?;
        rescore_cases(work.store)?;
        work.store.prune_predictions()?;
        record_agreement(work.store, seed)?;
        Ok(report)
    })?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => JudgeReport::default(),
    })
}

/// The model file: the one that is named, else the one that judged last.
pub(super) fn path_of(store: &Store, named: Option<&Path>) -> Result<PathBuf> {
    if let Some(path) = named {
        return Ok(std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned()));
    }
    let last = store.predictors()?.into_iter().rev().find(|p| p.kind == "judge");
    let model = last.map(|p| store.model(p.model)).transpose()?.flatten();
    model.map(|model| PathBuf::from(model.path)).ok_or_else(|| {
        Fault::usage("judge texts", "no language model has judged in this project yet")
            .hint("Name one once: `hardcase judge FILE --model Qwen3-0.6B-Q8_0.gguf`, or any other language model as GGUF")
    })
}

/// Who judges: with the instruction as it was where that still holds, else with a new one.
pub(super) fn predictor(
    work: &mut Work<'_>,
    judge: &Judge,
    path: &Path,
    revision: &Revision,
    most: usize,
    seed: u64,
) -> Result<Predictor> {
    let facts: &ModelFacts = judge.facts();
    let model: Model = described(facts, path)?;
    let id = work.store.enter_model(&model)?;
    let labels = revision.task.label_ids();
    let given = given(work.store, revision)?;
    let mut examples = balanced_examples(&given, labels.len(), most, seed);
    let texts = work.store.texts(&examples.iter().map(|(item, _)| *item).collect::<Vec<_>>())?;
    let mut told = instruction(&revision.task);
    told.examples = texts.into_iter().zip(&examples).map(|((_, text), (_, label))| (text, *label)).collect();
    let left_out = make_room(judge, &mut told);
    examples.truncate(told.examples.len());
    let known = work
        .store
        .predictors()?
        .into_iter()
        .rev()
        .find(|p| p.kind == "judge" && p.model == id && p.labels == labels && p.revision == revision.id);
    if let Some(known) = known {
        let settings = JudgeSettings::of(&known)?;
        let before: Instruction = serde_json::from_value(settings.instruction.clone())
            .map_err(|e| Fault::new("read what the judge was told", e.to_string()))?;
        let still = |(item, (_, label)): (&ItemId, &(String, usize))| given.contains(&(*item, *label));
        let holds = settings.examples.iter().zip(&before.examples).all(still);
        // What an adapter was trained upon stays.
        let wanted = settings.examples.len() >= examples.len() && settings.examples.len() <= most;
        if holds && (wanted || known.adapter.is_some()) {
            return Ok(known);
        }
    }
    if !left_out.is_empty() {
        work.note(&format!(
            "the model reads {} tokens at a time: to leave room for texts it is not told {}",
            judge.context(),
            left_out.join(", ")
        ));
    }
    judge.room_beside(&told)?;
    let settings = JudgeSettings {
        instruction: serde_json::to_value(&told)
            .map_err(|e| Fault::new("keep what the judge is told", e.to_string()))?,
        examples: examples.iter().map(|(item, _)| *item).collect(),
        template: judge.is_templated(),
        cut: format!("a text of more than {} tokens: {CUT}", judge.room_beside(&told)?),
        calibration: None,
        worth: None,
    };
    let json = settings.to_json()?;
    let mut predictor = Predictor {
        id: PredictorId(0),
        kind: "judge".into(),
        model: id,
        adapter: None,
        adapter_kind: None,
        prompt: Some(blake3::hash(json.as_bytes()).as_bytes().to_vec()),
        revision: revision.id,
        labels,
        settings: json,
        created_ms: 0,
    };
    predictor.id = work.store.add_predictor(&predictor)?;
    Ok(predictor)
}

/// What a judge with a short memory is not told.
#[derive(Clone, Copy)]
enum LeftOut {
    Examples,
    Guideline,
    Meanings,
}

impl LeftOut {
    /// Leaves it out, and says what it is.
    fn from(self, told: &mut Instruction) -> &'static str {
        match self {
            Self::Examples => {
                told.labels.iter_mut().for_each(|label| label.examples.clear());
                "the labels' own examples"
            }
            Self::Guideline => {
                told.guideline.clear();
                "the guideline"
            }
            Self::Meanings => {
                told.labels.iter_mut().for_each(|label| label.description.clear());
                "what the labels mean"
            }
        }
    }
}

/// Shortens what the judge is told until a text has at least as much room, the least useful first. Returns what was left out.
fn make_room(judge: &Judge, told: &mut Instruction) -> Vec<&'static str> {
    let mut left_out = Vec::new();
    let is_tight =
        |told: &Instruction| judge.room_beside(told).ok().is_none_or(|room| 2 * room < judge.context());
    while is_tight(told) && told.examples.pop().is_some() {
        left_out = vec!["some of the labelled examples"];
    }
    for step in [LeftOut::Examples, LeftOut::Guideline, LeftOut::Meanings] {
        if is_tight(told) {
            left_out.push(step.from(told));
        }
    }
    left_out
}

/// The training labels, each as its place in the task.
pub(super) fn given(store: &Store, revision: &Revision) -> Result<Vec<(ItemId, usize)>> {
    let given = decided(&store.votes(Split::Train)?);
    Ok(given.iter().filter_map(|(item, label)| Some((*item, revision.task.index_of_id(label)?))).collect())
}

/// What the judge is told of a task.
fn instruction(task: &Task) -> Instruction {
    let label = |l: &Label| Shown {
        name: l.name.clone(),
        description: l.description.clone(),
        examples: l.examples.clone(),
    };
    Instruction {
        question: task.question.clone(),
        guideline: task.guideline.clone(),
        labels: task.labels.iter().map(label).collect(),
        examples: Vec::new(),
    }
}

/// Up to `most` labelled items, as many of each label as can be, drawn by the seed.
fn balanced_examples(
    given: &[(ItemId, usize)],
    labels: usize,
    most: usize,
    seed: u64,
) -> Vec<(ItemId, usize)> {
    let lot = |item: &ItemId| {
        let mut hash = blake3::Hasher::new();
        hash.update(b"example of a judge").update(&seed.to_le_bytes()).update(&item.0.to_le_bytes());
        *hash.finalize().as_bytes()
    };
    let mut by_label: Vec<Vec<(ItemId, usize)>> = vec![Vec::new(); labels];
    for &(item, label) in given {
        by_label[label].push((item, label));
    }
    by_label.iter_mut().for_each(|of| of.sort_unstable_by_key(|(item, _)| lot(item)));
    let deepest = by_label.iter().map(Vec::len).max().unwrap_or(0);
    let dealt = (0..deepest).flat_map(|at| by_label.iter().filter_map(move |of| of.get(at).copied()));
    dealt.take(most).collect()
}

/// Reads what is to be read and is not yet, and keeps it.
pub(super) fn read(
    work: &mut Work<'_>,
    judge: &Judge,
    predictor: &Predictor,
    settings: &JudgeSettings,
    budget: Budget,
) -> Result<JudgeReport> {
    let told: Instruction = serde_json::from_value(settings.instruction.clone())
        .map_err(|e| Fault::new("read what the judge was told", e.to_string()))?;
    let mut wanted = worth_reading(work.store, predictor.id)?;
    if let Budget::Texts(most) = budget {
        wanted.truncate(most);
    }
    let total = wanted.len() as u64;
    let mut report = JudgeReport { model: judge.facts().name.clone(), ours: true, ..JudgeReport::default() };
    work.report("reading the instruction", 0, Some(total), "texts")?;
    let mut reading = judge.read(&told)?;
    report.instruction_tokens = reading.instruction_tokens();
    let begun = Instant::now();
    let in_time = |begun: Instant| !matches!(budget, Budget::Time(limit) if begun.elapsed() >= limit);
    let (mut tokens, mut failed) = (0, None);
    work.report("judging", 0, Some(total), "texts")?;
    for chunk in wanted.chunks(CHUNK) {
        if work.stopped() || !in_time(begun) {
            break;
        }
        let texts = work.store.texts(chunk)?;
        let (items, texts): (Vec<ItemId>, Vec<&str>) = texts.iter().map(|(id, t)| (*id, t.as_str())).unzip();
        reading.score(&texts, &mut |first, verdicts| {
            let values: Vec<f32> =
                verdicts.iter().flat_map(|v| v.log_probabilities.iter().map(|log| log.exp())).collect();
            let items = &items[first..first + verdicts.len()];
            tokens += verdicts.iter().map(|v| v.tokens).sum::<usize>();
            report.cut += verdicts.iter().filter(|v| v.cut).count();
            report.judged += verdicts.len();
            work.tokens_per_second = Some(tokens as f64 / begun.elapsed().as_secs_f64().max(1e-3));
            let kept = work
                .store
                .put_predictions(predictor.id, items, &values, predictor.labels.len())
                .and_then(|()| work.report("judging", report.judged as u64, Some(total), "texts"));
            if let Err(fault) = kept {
                failed = Some(fault);
                return ControlFlow::Break(());
            }
            if work.stopped() || !in_time(begun) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        if let Some(fault) = failed.take() {
            return Err(fault);
        }
    }
    let seconds = begun.elapsed().as_secs_f64();
    if report.judged > 0 && seconds > 0.0 {
        report.texts_per_second = Some(report.judged as f64 / seconds);
        report.tokens_per_second = Some(tokens as f64 / seconds);
    }
    work.tokens_per_second = None;
    Ok(report)
}

/// What a judge has not read yet, the most useful first: labelled texts for training, which show what it is worth; evaluation cases with an
/// answer, so that its part in kappa is on all of them; then what the scout is least sure of. An audit text has its turn by that alone, as every
/// text of the pool that it stands for.
fn worth_reading(store: &Store, judge: PredictorId) -> Result<Vec<ItemId>> {
    let active = active(store, "judge texts")?;
    let (read, _) = store.predictions(judge)?;
    let mut wanted: Vec<ItemId> = Vec::new();
    for split in [Split::Train, Split::Eval] {
        wanted.extend(decided(&store.votes(split)?).into_keys());
    }
    let (items, values) = store.predictions(active.id)?;
    let margins = values.chunks_exact(active.labels.len().max(1)).map(|p| Probabilities(p.to_vec()).margin());
    let mut by_margin: Vec<(f32, ItemId)> = margins.zip(items).collect();
    by_margin.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    wanted.extend(by_margin.into_iter().map(|(_, item)| item));
    let mut seen: std::collections::HashSet<ItemId> = read.into_iter().collect();
    wanted.retain(|item| seen.insert(*item));
    Ok(wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_balanced_and_drawn_by_the_seed() {
        let given: Vec<(ItemId, usize)> = (0..40).map(|i| (ItemId(i), usize::from(i % 10 == 0))).collect();
        let examples = balanced_examples(&given, 2, 8, 1);
        assert_eq!(examples.iter().filter(|(_, label)| *label == 1).count(), 4);
        assert_eq!(examples.len(), 8);
        assert_eq!(balanced_examples(&given, 2, 8, 1), examples);
        assert_ne!(balanced_examples(&given, 2, 8, 2), examples);
        assert_eq!(balanced_examples(&given[..1], 2, 8, 1).len(), 1);
        assert_eq!(balanced_examples(&given, 2, 0, 1), []);
    }
}
