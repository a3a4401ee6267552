//! `tune --adapter lora|alora --model GGUF`: trains an adapter of the judge on the experts' training labels, compares it with the judge as it is on labels
//! that it has not seen, lets llama.cpp prove that it serves it, and has it read what was read before. Whatever fails, everything stays as it was.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::judge::path_of;
use crate::domain::adapter::{Comparison, ServingCheck};
use crate::domain::fault::Result;
use crate::domain::ids::{AdapterId, ItemId};
use crate::engine::judge::{Judge, JudgeOptions, is_url};
use crate::engine::model_file::inspect;
use crate::engine::train::Settings;
use crate::learn::activate::{LORA_JOB, Rescore, activate};
use crate::learn::judge::Judged;
use crate::learn::judge_fit::JudgeFit;
use crate::learn::judge_run::{Budget, read};
pub use crate::learn::judge_training::AdapterScope;
use crate::learn::judge_variants::{Compared, add_earlier_variants, compared, in_words};
use crate::learn::model::described;
use crate::learn::prelabels::{require_one_label, scouting};
use crate::learn::prompt::{Examples, instructed, predictor, text_alone};
use crate::learn::prompt_text::given;
use crate::store::log::tasks::Revision;
use crate::store::{Access, Store};
use crate::work::runner::{Ended, JobContext, Work, run};

/// Training labels below which no adapter is trained, and of each label: as for one of the scout.
const LEAST: usize = 60;
const LEAST_OF_EACH: usize = 3;

/// How to train.
#[derive(Clone, Debug)]
pub struct TrainJudgeOptions {
    /// Which tokens it changes.
    pub scope: AdapterScope,
    /// The language model; none for the one that judged before.
    pub model: Option<PathBuf>,
    /// How often each label is seen at most; 16 times by default. It ends earlier where held-out labels no longer gain.
    pub epochs: Option<usize>,
    /// Threads; as many as there are cores where none are named.
    pub threads: Option<NonZeroUsize>,
    /// Whether what was read before is read again.
    pub rescore: Rescore,
}

/// What a training came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The judge reads with it.
    Activated,
    /// It is worse than the judge as it is by more than one standard error.
    JudgeStays,
    /// There are too few training labels.
    TooFew,
    /// There is no new training label since the judge was trained.
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
    pub model: String,
    /// The adapter, where there is one.
    pub adapter: Option<AdapterId>,
    /// Labels that it was trained on: the training labels without those in the prompt.
    pub training: usize,
    /// How often it saw each, where there is an adapter.
    pub epochs: Option<usize>,
    /// What is missing, to complete "can be trained once", where there are too few labels.
    pub missing: Option<String>,
    /// The adapter against the judge as it is: `lora` is the adapter's loss, `head` the judge's.
    pub comparison: Option<Comparison>,
    /// llama.cpp against the trainer, with the adapter.
    pub verified: Option<ServingCheck>,
    /// Texts that were read with it.
    pub read: usize,
    /// It and its earlier variants, where all could read alike.
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

impl TrainJudgeReport {
    /// Whether it was told to stop.
    pub fn stopped(&self) -> bool {
        self.verdict == Verdict::Stopped
    }
}

impl std::fmt::Display for TrainJudgeReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let against = self.comparison.as_ref().map(|c| {
            format!(
                "log-loss on {} held-out labels {:.3}, without it {:.3} (lower is better; difference {:+.3}, standard error {:.3})",
                c.n, c.lora, c.head, c.difference, c.error
            )
        });
        let against = against.unwrap_or_default();
        match self.verdict {
            Verdict::Activated => {
                write!(
                    f,
                    "the judge {} has learned from {} answers. Its adapter was trained for {} epochs; {against}",
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
                    "the judge {} stays as it is: training did not make it better. The adapter is worse by more than one standard error; {against}",
                    self.model
                )
            }
            Verdict::TooFew => {
                let missing = self.missing.as_deref().unwrap_or("there are more answers to learn from");
                write!(f, "the judge can be trained once {missing}. Until then it stays as it is")
            }
            Verdict::NothingNew => {
                write!(f, "the judge stays as it is: no new answer teaches it since it was trained")
            }
            Verdict::Others => write!(f, "another process trained the judge"),
            Verdict::Stopped => {
                write!(
                    f,
                    "stopped; the judge stays as it is, and the next training starts from the beginning"
                )
            }
        }
    }
}

/// Whether a model file is a language model, so that the judge is meant and not the scout. A server counts as one: that it cannot be trained is said later.
///
/// # Errors
/// A file that is not a model.
pub fn is_language_model(path: &Path) -> Result<bool> {
    Ok(path.to_str().is_some_and(is_url) || inspect(path)?.require_language_model().is_ok())
}

/// Whether a model file, and not a server, judged last in this project.
///
/// # Errors
/// The project cannot be read.
pub fn has_local_judge(project: &Path) -> Result<bool> {
    let store = Store::open(project, Access::Read)?;
    Ok(!store.judges()?.is_empty() && path_of(&store, None, "train the judge").is_ok())
}

/// Trains an adapter of the judge.
///
/// # Errors
/// Nothing scouted, a model that cannot be trained, a training that fails, or an adapter that llama.cpp does not serve as it was trained.
pub fn train_judge(context: &JobContext<'_>, options: &TrainJudgeOptions) -> Result<TrainJudgeReport> {
    let ended = run(context, LORA_JOB, &format!("judge {}", options.scope.kind()), |work| {
        once(context, work, options)
    })?;
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
    let attempted = "train the judge";
    let scout = scouting(work.store, attempted)?;
    let path = path_of(work.store, options.model.as_deref(), attempted)?;
    let revision = work.store.task()?;
    require_one_label(&revision.task, attempted)?;
    let mut report = TrainJudgeReport::new(Verdict::TooFew);
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
    let base = predictor(work, &judge, &model, &revision, Examples::Best, seed)?;
    let instructed = instructed(work.store, &base)?;
    let settings = match options.scope {
        AdapterScope::Lora => text_alone(&judge, &instructed)?,
        AdapterScope::Alora => instructed.clone(),
    };
    let labelled: Vec<(ItemId, usize)> =
        all.into_iter().filter(|(item, _)| !instructed.examples.contains(item)).collect();
    report.training = labelled.len();
    let mut training = Settings::of_width(judge.facts().dimensions, seed);
    training.epochs = options.epochs.unwrap_or(training.epochs);
    let fit = JudgeFit {
        base: &base,
        instructed: &instructed,
        settings: &settings,
        labelled: &labelled,
        revision: &revision,
        scope: options.scope,
        training,
        path: &path,
        threads,
    };
    if fit.is_known(work.store)? {
        report.verdict = Verdict::NothingNew;
        return Ok(report);
    }
    let Some((adapter, trained)) = fit.train(work, &judge)? else {
        report.verdict = Verdict::Stopped;
        return Ok(report);
    };
    (report.adapter, report.epochs) = (Some(adapter), Some(trained.epochs));
    report.verified = Some(trained.verified.into());
    report.comparison = Some(trained.comparison.clone());
    if trained.comparison.worse {
        report.verdict = Verdict::JudgeStays;
        return Ok(report);
    }
    let before = Judged::read(work.store, base.clone())?.items.len();
    let next = fit.predictor(work, adapter, &trained)?;
    if options.rescore == Rescore::Pool {
        judge.adapt(&trained.bytes)?;
        let earlier = add_earlier_variants(work, &mut judge, &next)?;
        report.read = read(work, &judge, &next, &settings, &earlier, Budget::Texts(before))?.judged;
        report.compared = compared(work.store, &next, &earlier, &revision, seed)?;
    }
    activate(work, &scout, Rescore::Pool, &revision, seed)?;
    report.verdict = Verdict::Activated;
    Ok(report)
}

/// What is missing before an adapter can be trained.
fn too_few(given: &[(ItemId, usize)], revision: &Revision) -> Option<String> {
    if given.len() < LEAST {
        return Some(format!("there are {LEAST} answers to learn from; there are {} so far", given.len()));
    }
    let of = |label: usize| given.iter().filter(|(_, l)| *l == label).count();
    let label = (0..revision.task.labels.len()).min_by_key(|&label| of(label))?;
    let name = &revision.task.labels[label].name;
    (of(label) < LEAST_OF_EACH).then(|| {
        format!("each label has {LEAST_OF_EACH} answers to learn from; '{name}' has {} so far", of(label))
    })
}
