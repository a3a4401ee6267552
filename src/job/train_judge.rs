//! `tune --adapter lora|alora --model GGUF`: trains an adapter of the judge on the experts' training labels, compares it with the judge as it is on labels
//! that it has not seen, lets llama.cpp prove that it serves it, and has it read what was read before. Whatever fails, everything stays as it was.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::adapters::KIND;
use super::judge::path_of;
use super::tune::Rescore;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{AdapterId, ItemId, PredictorId};
use crate::domain::progress::Epoch;
use crate::engine::judge::{Judge, JudgeOptions, is_url};
use crate::engine::model_file::inspect;
use crate::engine::train::Settings;
use crate::engine::verify::Verified;
use crate::learn::cascade::combine;
use crate::learn::evaluate::{record_agreement, rescore_cases};
use crate::learn::held_out::Comparison;
use crate::learn::judge_run::{Budget, read};
use crate::learn::judge_scores::{JudgeSettings, Judged};
pub use crate::learn::judge_training::AdapterScope;
use crate::learn::judge_training::JudgeTraining;
use crate::learn::judge_variants::{Compared, add_earlier_variants, compared, in_words};
use crate::learn::model::described;
use crate::learn::prelabels::scouting;
use crate::learn::prompt::{EXAMPLES, Examples, given, predictor};
use crate::store::log::tasks::Revision;
use crate::store::pool::adapters::NewAdapter;
use crate::store::pool::predictors::Predictor;
use crate::work::runner::{Ended, JobContext, Work, run};

/// Training labels below which no adapter is trained, and of each label: as for one of the scout.
const LEAST: usize = 60;
const LEAST_OF_EACH: usize = 3;

/// How to train.
#[derive(Clone, Debug)]
pub struct TrainJudgeOptions {
    /// Which tokens it changes.
    pub reach: AdapterScope,
    /// The language model; none for the one that judged before.
    pub model: Option<PathBuf>,
    /// How often each label is seen at most; where nothing is said twice, and by a small model eight times.
    pub epochs: Option<usize>,
    /// Threads; as many as there are cores where none are named.
    pub threads: Option<NonZeroUsize>,
    /// Whether what was read before is read anew.
    pub rescore: Rescore,
}

/// What a training came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The judge judges with it.
    Activated,
    /// It is worse than the judge as it is by more than one standard error.
    JudgeStays,
    /// There are too few training labels.
    TooFew,
    /// There is no new training label since the judge was taught.
    NothingNew,
    /// Another process did it.
    Others,
    /// It was told to stop: everything stays as it was.
    Stopped,
}

/// What a training did, with its numbers.
#[derive(Clone, Debug, Serialize)]
pub struct TrainJudgeReport {
    /// What came of it.
    pub verdict: Verdict,
    /// The model.
    pub model: String,
    /// The adapter, where there is one.
    pub adapter: Option<AdapterId>,
    /// Labels that it was trained on: training labels but those in the instruction.
    pub training: usize,
    /// How often it saw each, where there is an adapter.
    pub epochs: Option<usize>,
    /// What is missing, where there is too little.
    pub missing: Option<String>,
    /// The adapter against the judge as it is: `lora` is the adapter's loss, `head` the judge's.
    pub comparison: Option<Comparison>,
    /// llama.cpp against the trainer, with the adapter.
    pub verified: Option<Verified>,
    /// Texts that were read with it.
    pub read: usize,
    /// It and the earlier ones of the same model, where they could speak beside it.
    pub compared: Vec<Compared>,
}

impl TrainJudgeReport {
    fn new(verdict: Verdict) -> Self {
        Self {
            verdict,
            model: String::new(),
            adapter: None,
            training: 0,
            epochs: None,
            missing: None,
            comparison: None,
            verified: None,
            read: 0,
            compared: Vec::new(),
        }
    }
}

impl std::fmt::Display for TrainJudgeReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let against = self.comparison.as_ref().map(|c| {
            format!(
                "log-loss on {} held-out labels {:.3}, without it {:.3} (less is better; difference {:+.3}, standard error {:.3})",
                c.n, c.lora, c.head, c.difference, c.error
            )
        });
        let against = against.unwrap_or_default();
        match self.verdict {
            Verdict::Activated => {
                write!(
                    f,
                    "{} judges with an adapter trained on {} labels, seen {} times each; {against}",
                    self.model,
                    self.training,
                    self.epochs.unwrap_or_default()
                )?;
                if let Some(v) = &self.verified {
                    write!(f, "; llama.cpp serves it within {:.4} on {} texts", v.largest, v.texts)?;
                }
                write!(f, "; {} texts read with it", self.read)?;
                if self.compared.is_empty() { Ok(()) } else { write!(f, "; {}", in_words(&self.compared)) }
            }
            Verdict::JudgeStays => {
                write!(
                    f,
                    "{} stays as it is: the adapter is worse by more than one standard error; {against}",
                    self.model
                )
            }
            Verdict::TooFew => {
                write!(f, "the judge stays as it is: {}", self.missing.as_deref().unwrap_or("too few labels"))
            }
            Verdict::NothingNew => write!(f, "no new training label since the judge was taught: it stays"),
            Verdict::Others => write!(f, "another process taught the judge"),
            Verdict::Stopped => {
                write!(f, "stopped; the judge stays as it is, and the next training begins anew")
            }
        }
    }
}

/// What is kept of how an adapter of a judge was trained.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct TrainedJudge {
    /// As asked: it may see each text `epochs` times.
    #[serde(flatten)]
    settings: Settings,
    /// The epochs that served best.
    trained_for: usize,
    /// Whose loss the comparison's other one is: the judge's, without the adapter.
    against: String,
    comparison: Comparison,
    verified: Verified,
    epochs_ended: Vec<Epoch>,
}

/// Whether a model file is a language model, so that the judge is meant and not the scout; so is whoever names a server, and is told then that none is
/// trained.
///
/// # Errors
/// A file that is no model.
pub fn is_language_model(path: &Path) -> Result<bool> {
    Ok(path.to_str().is_some_and(is_url) || inspect(path)?.require_language_model().is_ok())
}

/// Trains an adapter of the judge.
///
/// # Errors
/// Nothing scouted, a model that cannot be trained, a training that fails, or an adapter that llama.cpp does not serve as it was trained.
pub fn train_judge(context: &JobContext<'_>, options: &TrainJudgeOptions) -> Result<TrainJudgeReport> {
    let ended =
        run(context, KIND, &format!("judge {}", options.reach.name()), |work| once(context, work, options))?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => TrainJudgeReport::new(Verdict::Others),
    })
}

fn once(
    context: &JobContext<'_>,
    work: &mut Work<'_>,
    options: &TrainJudgeOptions,
) -> Result<TrainJudgeReport> {
    let attempted = "teach the judge";
    let scout = scouting(work.store, attempted)?;
    let path = path_of(work.store, options.model.as_deref(), attempted)?;
    let revision = work.store.task()?;
    let mut report = TrainJudgeReport::new(Verdict::TooFew);
    let labels = revision.task.labels.len();
    let all = given(work.store, &revision)?;
    if let Some(missing) = too_few(&all, &revision) {
        report.missing = Some(missing);
        return Ok(report);
    }
    work.report("loading the model", 0, None, "texts")?;
    let threads = options.threads.unwrap_or_else(|| JudgeOptions::default().threads);
    let mut judge = Judge::load(&path, JudgeOptions { threads, ..JudgeOptions::default() })?;
    report.model.clone_from(&judge.facts().name);
    let seed = context.seed.unwrap_or(work.store.project()?.seed);
    let model = described(judge.facts(), &path)?;
    let base = predictor(work, &judge, &model, &revision, Examples::Shared(EXAMPLES), seed)?;
    let settings = JudgeSettings::of(&base)?;
    let lessons: Vec<(ItemId, usize)> =
        all.into_iter().filter(|(item, _)| !settings.examples.contains(item)).collect();
    report.training = lessons.len();
    let hash = hash_of(&lessons, &settings);
    let mut training = Settings::of_width(judge.facts().dimensions, seed);
    training.epochs = options.epochs.unwrap_or(training.epochs);
    let known = work.store.adapters()?.into_iter().rev().find(|a| {
        a.kind == options.reach.name()
            && a.training_hash == hash
            && a.model == base.model
            && Some(a.id) == base.adapter
    });
    if let Some(known) = known
        && serde_json::from_str::<TrainedJudge>(&known.settings)
            .is_ok_and(|taught| taught.settings == training)
    {
        report.verdict = Verdict::NothingNew;
        return Ok(report);
    }
    let told = settings.told()?;
    let texts = work.store.texts(&lessons.iter().map(|(item, _)| *item).collect::<Vec<_>>())?;
    let texts: Vec<String> = texts.into_iter().map(|(_, text)| text).collect();
    let gold: Vec<usize> = lessons.iter().map(|(_, label)| *label).collect();
    let taught = JudgeTraining {
        judge: &judge,
        path: &path,
        lesson: &judge.prompt_encoder(&told)?,
        texts: &texts,
        gold: &gold,
        labels,
        settings: training,
        reach: options.reach,
        threads,
    }
    .run(work)?;
    let Some(taught) = taught else {
        report.verdict = Verdict::Stopped;
        return Ok(report);
    };
    let kept = TrainedJudge {
        settings: training,
        trained_for: taught.epochs,
        against: "judge".into(),
        comparison: taught.comparison.clone(),
        verified: taught.verified,
        epochs_ended: work.epochs.clone(),
    };
    report.epochs = Some(taught.epochs);
    let bytes = taught.bytes;
    let adapter = work.store.add_adapter(&NewAdapter {
        kind: options.reach.name(),
        model: base.model,
        parent: base.adapter,
        round: work.store.rounds()?.last().map(|r| r.id),
        revision: revision.id,
        labels: base.labels.clone(),
        settings: serde_json::to_string(&kept)
            .map_err(|e| Fault::new("keep how the adapter was trained", e.to_string()))?,
        training_hash: hash,
        training_n: lessons.len(),
        bytes: bytes.clone(),
    })?;
    (report.adapter, report.verified) = (Some(adapter), Some(taught.verified));
    let worse = taught.comparison.worse;
    report.comparison = Some(taught.comparison);
    if worse {
        report.verdict = Verdict::JudgeStays;
        return Ok(report);
    }
    let before = Judged::read(work.store, base.clone())?.items.len();
    let mut next = Predictor {
        id: PredictorId(0),
        adapter: Some(adapter),
        adapter_kind: Some(options.reach.name().to_owned()),
        settings: JudgeSettings { calibration: None, worth: None, ..settings.clone() }.to_json()?,
        ..base
    };
    next.id = work.store.add_predictor(&next)?;
    // What it says of the texts that it was trained on is what the fold's adapter said that had not seen them.
    let items: Vec<ItemId> = lessons.iter().map(|(item, _)| *item).collect();
    let unseen: Vec<f32> = taught.held_out.iter().copied().collect();
    work.store.put_predictions(next.id, &items, &unseen, labels)?;
    if options.rescore == Rescore::Pool {
        judge.adapt(&bytes)?;
        let earlier = add_earlier_variants(work.store, &mut judge, &next)?;
        report.read = read(work, &judge, &next, &settings, &earlier, Budget::Texts(before))?.judged;
        report.compared = compared(work.store, &next, &earlier, &revision, seed)?;
    }
    combine(work, &scout, &revision, seed)?;
    rescore_cases(work.store)?;
    work.store.prune_predictions()?;
    record_agreement(work.store, seed)?;
    report.verdict = Verdict::Activated;
    Ok(report)
}

/// What is missing before an adapter can be trained.
fn too_few(given: &[(ItemId, usize)], revision: &Revision) -> Option<String> {
    if given.len() < LEAST {
        return Some(format!("an adapter needs {LEAST} training labels, and there are {}", given.len()));
    }
    let of = |label: usize| given.iter().filter(|(_, l)| *l == label).count();
    let label = (0..revision.task.labels.len()).min_by_key(|&label| of(label))?;
    let name = &revision.task.labels[label].name;
    (of(label) < LEAST_OF_EACH).then(|| {
        format!(
            "an adapter needs {LEAST_OF_EACH} training labels of each label, and '{name}' has {}",
            of(label)
        )
    })
}

fn hash_of(lessons: &[(ItemId, usize)], settings: &JudgeSettings) -> [u8; 32] {
    let mut hash = blake3::Hasher::new();
    hash.update(settings.instruction.to_string().as_bytes());
    for (item, label) in lessons {
        hash.update(&item.0.to_le_bytes()).update(&label.to_le_bytes());
    }
    *hash.finalize().as_bytes()
}
