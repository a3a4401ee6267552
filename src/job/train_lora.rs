//! `tune --adapter lora`: trains a low-rank adapter on the experts' training labels, compares it with the head on labels that neither has seen,
//! checks that llama.cpp serves it as it was trained, reads the pool with it, and activates it. Whatever fails, the model as it was stays active.
//!
//! `tune --distil` does the same, and teaches the adapter what the active combination says of the pool, too: what a judge knows is then there at the
//! scout's speed. It takes the scout's place only where it is better.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::adapter::{AdapterSettings, Comparison, LoraHyperparameters, ServingCheck};
use crate::domain::fault::Result;
use crate::domain::ids::AdapterId;
use crate::domain::predictor::{Predictor, PredictorKind};
use crate::engine::train::Settings;
use crate::learn::activate::{LORA_JOB, Rescore, activate};
use crate::learn::curve::record_agreement;
use crate::learn::distil::Lesson;
use crate::learn::lora_fit::LoraFit;
use crate::learn::lora_rollout::roll_out;
use crate::learn::model::ScoutModel;
use crate::learn::prelabels::{require_one_label, scouting};
use crate::learn::training::{Seen, Training};
use crate::store::log::tasks::Revision;
use crate::work::runner::{Ended, JobContext, Work, run};

/// Training labels below which no adapter is trained.
const LEAST: usize = 60;
/// Of each label: one for each fold.
const LEAST_OF_EACH: usize = 3;
/// Training labels from which three epochs are taken. On 368 labels four were no better than two for hate speech and banking intents, and
/// better for TREC's questions (`benches/lora.rs`), and a round must not wait longer than it has to.
const MANY: usize = 500;
/// How often it starts again because newer labels came.
const MOST_STARTS: usize = 3;

/// What to train.
#[derive(Clone, Copy, Debug)]
pub struct TrainLoraOptions {
    /// How often each label is seen; by the number of labels where nothing is said.
    pub epochs: Option<usize>,
    /// What is prelabelled again before the verb returns.
    pub rescore: Rescore,
    /// Whether it learns from what the active combination says of the pool, too.
    pub distil: bool,
}

/// What a training of an adapter came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The adapter is active.
    Activated,
    /// It is worse than the head by more than one standard error: the head stays.
    HeadStays,
    /// What was distilled is not better than the scout by more than one standard error: the scout stays.
    ScoutStays,
    /// The scout decides alone: there is no slower model to learn from.
    NothingToDistil,
    /// There are too few training labels.
    TooFew,
    /// There is no new training label since the active adapter.
    NothingNew,
    /// Another process did it.
    Others,
    /// Each time it was trained, the model had been tuned on newer labels meanwhile.
    Superseded,
    /// It was told to stop: the model as it was stays active.
    Stopped,
}

/// What a training of an adapter did, with its numbers.
#[derive(Clone, Debug, Serialize)]
pub struct TrainLoraReport {
    /// What came of it.
    pub verdict: Verdict,
    /// The adapter, where there is one.
    pub adapter: Option<AdapterId>,
    /// The model that was active before.
    pub before: PredictorKind,
    /// Training labels, of texts whose answers the person may see.
    pub training: usize,
    /// Of these, by label name.
    pub by_label: BTreeMap<String, usize>,
    /// Texts of open cases that others have answered: where there are any, nothing is said that could tell what.
    pub open: usize,
    /// What is missing, to complete "can be trained once", where there are too few labels.
    pub missing: Option<String>,
    /// How it was trained.
    pub settings: Option<LoraHyperparameters>,
    /// Texts of the pool that taught it what the combination says of them.
    pub distilled_from: Option<usize>,
    /// The adapter against the head; where it was distilled, against the scout.
    pub comparison: Option<Comparison>,
    /// llama.cpp against the trainer.
    pub verified: Option<ServingCheck>,
    /// Texts that were read and prelabelled again.
    pub rescored: usize,
}

impl std::fmt::Display for TrainLoraReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts: Vec<String> = self.by_label.iter().map(|(name, n)| format!("{n} {name}")).collect();
        let counts = counts.join(", ");
        let other = if self.distilled_from.is_some() { "the scout's" } else { "a head's" };
        let against = self.comparison.as_ref().map(|c| {
            format!(
                "log-loss on {} held-out labels {:.3} against {other} {:.3} (lower is better; difference {:+.3}, standard error {:.3})",
                c.n, c.lora, c.head, c.difference, c.error
            )
        });
        let against =
            against.unwrap_or_else(|| "how it was compared is not shown while cases are open".into());
        match &self.verdict {
            Verdict::Activated => {
                match self.distilled_from {
                    Some(texts) => write!(
                        f,
                        "a fast model was trained on {} answers and on what the slower ones say of {texts} texts, and is active. ",
                        self.training
                    )?,
                    None => {
                        write!(
                            f,
                            "a stronger model was trained on {} answers and is active. ",
                            self.training
                        )?;
                    }
                }
                write!(f, "It is a LoRA trained on {counts}; {against}")?;
                if let Some(verified) = &self.verified {
                    write!(
                        f,
                        "; llama.cpp serves it within {:.4} on {} texts",
                        verified.largest, verified.texts
                    )?;
                }
                write!(f, "; {} texts prelabelled again", self.rescored)
            }
            Verdict::HeadStays => {
                write!(
                    f,
                    "the new model was tested and is not better: the old one stays. The LoRA is worse than a head by more than one standard error; {against}"
                )
            }
            Verdict::ScoutStays => {
                write!(
                    f,
                    "what the slower models say was taught to a fast one, and it was tested and is not better by more than one standard error: the scout stays; {against}"
                )
            }
            Verdict::NothingToDistil => {
                write!(
                    f,
                    "there is nothing to distil: the scout decides alone. `hardcase judge FILE --model MODEL` lets a language model read the texts; where it helps, its opinion can be distilled"
                )
            }
            Verdict::TooFew => {
                let missing = self.missing.as_deref().unwrap_or("there are more answers to learn from");
                write!(
                    f,
                    "a larger training, which often gives a better model, is possible once {missing}. Until then the model stays as it is"
                )
            }
            Verdict::NothingNew => {
                write!(f, "the model stays: no new answer teaches it since it was trained ({counts})")
            }
            Verdict::Superseded => {
                write!(
                    f,
                    "the stronger model is not used: the active one has learned newer answers meanwhile. Run this again"
                )
            }
            Verdict::Others => write!(f, "another process trained the stronger model"),
            Verdict::Stopped if self.adapter.is_some() => {
                write!(f, "stopped; the stronger model is trained, and the next start continues from here")
            }
            Verdict::Stopped => {
                write!(
                    f,
                    "stopped; the model stays as it is, and the next training starts from the beginning"
                )
            }
        }
    }
}

/// Trains an adapter.
///
/// # Errors
/// Nothing scouted, a model that cannot be trained, a training that fails, or an adapter that llama.cpp does not serve as it was trained.
pub fn train_lora(
    context: &JobContext<'_>,
    model: &ScoutModel,
    options: &TrainLoraOptions,
) -> Result<TrainLoraReport> {
    let epochs = options.epochs.map(|n| format!(" --epochs {n}")).unwrap_or_default();
    let rescore = if options.rescore == Rescore::Pool { "" } else { " --no-rescore" };
    let what = if options.distil { "distil" } else { "lora" };
    let ended = run(context, LORA_JOB, &format!("{what}{epochs}{rescore}"), |work| {
        for _ in 0..MOST_STARTS {
            if let Some(report) = once(context, work, model, options)? {
                return Ok(report);
            }
            work.epochs.clear();
        }
        Ok(TrainLoraReport { verdict: Verdict::Superseded, ..TrainLoraReport::default() })
    })?;
    Ok(match ended {
        Ended::Ours(report) => report.without_others(),
        Ended::Others => TrainLoraReport { verdict: Verdict::Others, ..TrainLoraReport::default() },
    })
}

/// One training from beginning to end; none where another model became active meanwhile, which may know more labels. Where it does not, the next
/// one finds what was trained here.
fn once(
    context: &JobContext<'_>,
    work: &mut Work<'_>,
    model: &ScoutModel,
    options: &TrainLoraOptions,
) -> Result<Option<TrainLoraReport>> {
    let current = scouting(work.store, "train a stronger model")?;
    let revision = work.store.task()?;
    require_one_label(&revision.task, "train a stronger model")?;
    let training = Training::read(work, &current, &revision)?;
    let seen = training.seen_by(work.store, context.expert, &revision)?;
    let mut report = TrainLoraReport::of(seen, &current);
    if let Some(missing) = too_few(&training, &revision) {
        (report.verdict, report.missing) = (Verdict::TooFew, Some(missing));
        return Ok(Some(report));
    }
    if !options.distil && has_distilled(work, &current, &training)? {
        report.verdict = Verdict::NothingNew;
        return Ok(Some(report));
    }
    let chosen = model.choose(work.store)?;
    let seed = context.seed.unwrap_or(work.store.project()?.seed);
    let lesson = match options.distil {
        true => match Lesson::read(work, &current, &training, seed)? {
            None => {
                report.verdict = Verdict::NothingToDistil;
                return Ok(Some(report));
            }
            lesson => lesson,
        },
        false => None,
    };
    report.distilled_from = lesson.as_ref().map(|lesson| lesson.items.len());
    let mut settings = Settings::usual(seed);
    settings.epochs = options.epochs.unwrap_or(if training.items.len() < MANY { 2 } else { 3 });
    let fit = LoraFit {
        training: &training,
        current: &current,
        revision: &revision,
        settings,
        chosen: &chosen,
        lesson: lesson.as_ref(),
    };
    let Some((predictor, kept)) = fit.find_or_train(work)? else {
        report.verdict = Verdict::Stopped;
        return Ok(Some(report));
    };
    report.adapter = predictor.adapter();
    (report.settings, report.verified) = (Some(kept.training), Some(kept.verified));
    let stays = match options.distil {
        true => (!kept.comparison.better()).then_some(Verdict::ScoutStays),
        false => kept.comparison.worse.then_some(Verdict::HeadStays),
    };
    report.comparison = Some(kept.comparison);
    if let Some(stays) = stays {
        report.verdict = stays;
        return Ok(Some(report));
    }
    let now = scouting(work.store, "train a stronger model")?;
    if now.id != current.id {
        if Training::read(work, &now, &revision)?.hash != training.hash {
            work.note("the model was tuned on newer labels meanwhile: the LoRA is trained on them, too");
        }
        return Ok(None);
    }
    let was_active = predictor.id == current.id;
    report.rescored = roll_out(work, &predictor, &current, &chosen, options.rescore)?;
    report.verdict = match (work.stopped(), was_active && report.rescored == 0) {
        (true, _) => Verdict::Stopped,
        (false, true) => Verdict::NothingNew,
        (false, false) => Verdict::Activated,
    };
    match report.verdict {
        Verdict::Stopped => record_agreement(work.store, seed)?,
        // Where nothing is new, too: a run that was stopped once the LoRA read the pool has not weighed the judge against it.
        _ => drop(activate(work, &predictor, options.rescore, &revision, seed)?),
    }
    Ok(Some(report))
}

/// Whether the active scout was distilled from just these labels: the adapter that has learned from them alone is in it.
fn has_distilled(work: &Work<'_>, current: &Predictor, training: &Training) -> Result<bool> {
    let row = work.store.adapters()?.into_iter().find(|row| Some(row.id) == current.lora());
    let row = row.filter(|row| row.training_hash == training.hash);
    Ok(row.is_some_and(|row| {
        row.settings
            .known()
            .and_then(AdapterSettings::encoder_lora)
            .is_some_and(|lora| lora.distilled.is_some())
    }))
}

impl TrainLoraReport {
    fn of(Seen { training, by_label, open, .. }: Seen, before: &Predictor) -> Self {
        Self { training, by_label, open, before: before.kind(), ..Self::default() }
    }

    /// Without what was measured on answers that the person may not see yet.
    fn without_others(self) -> Self {
        if self.open == 0 {
            return self;
        }
        let missing = self.missing.map(|_| "there are more answers to learn from".to_owned());
        Self { missing, comparison: None, ..self }
    }
}

impl Default for TrainLoraReport {
    fn default() -> Self {
        Self {
            verdict: Verdict::Activated,
            adapter: None,
            before: PredictorKind::ZeroShot,
            training: 0,
            by_label: BTreeMap::new(),
            open: 0,
            missing: None,
            settings: None,
            distilled_from: None,
            comparison: None,
            verified: None,
            rescored: 0,
        }
    }
}

/// What is missing before an adapter can be trained.
fn too_few(training: &Training, revision: &Revision) -> Option<String> {
    // What the experts have not labelled measures nothing, and without a measure none becomes active.
    let n = training.count_by_experts();
    if n < LEAST {
        return Some(format!("there are {LEAST} answers to learn from; there are {n} so far"));
    }
    let (name, have) = training.by_label(revision).into_iter().min_by_key(|(_, have)| *have)?;
    (have < LEAST_OF_EACH)
        .then(|| format!("each label has {LEAST_OF_EACH} answers to learn from; '{name}' has {have} so far"))
}
