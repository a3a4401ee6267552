//! `tune`: trains the head on the experts' training labels and activates it, which prelabels the pool again. While a label has too few of them, the
//! zero-shot prelabels follow the audit answers instead.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::domain::fault::Result;
pub use crate::learn::activate::Rescore;
use crate::learn::activate::activate;
use crate::learn::combined::{Reader, in_words};
use crate::learn::head::{Fitted, Refused, fit};
use crate::learn::prelabels::scouting;
use crate::learn::training::{Seen, Training};
use crate::learn::zero_shot::following_audit;
use crate::work::runner::{Ended, JobContext, run};

/// What a tuning did.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A new head was trained and is active.
    Activated,
    /// There is no new training label since the active head.
    NothingNew,
    /// A label has too few training labels; the prelabels stay zero-shot.
    TooFew,
    /// Another process did it.
    Others,
    /// It was told to stop before all was prelabelled; the next tune goes on.
    Stopped,
}

/// What a tuning did, with its numbers.
#[derive(Clone, Debug, Serialize)]
pub struct TuneReport {
    /// What came of it.
    pub verdict: Verdict,
    /// Training labels it used, of texts whose answers the person may see.
    pub training: usize,
    /// Of these, by label name.
    pub by_label: BTreeMap<String, usize>,
    /// Of these, labels that sources gave before the project.
    pub imported: usize,
    /// Texts of open cases that others have answered: where there are any, nothing is said that could tell what.
    pub open: usize,
    /// The penalty's inverse strength.
    pub c: Option<f64>,
    /// Class-weighted log-loss on held-out folds, in nats.
    pub cv_log_loss: Option<f64>,
    /// The label with too few training labels.
    pub missing: Option<String>,
    /// Where the zero-shot prelabels moved: how common the labels are expected to be now.
    pub shares: Option<Shares>,
    /// Texts that were prelabelled again.
    pub rescored: usize,
    /// All that have read texts, with what each is worth: those that the model listens to first.
    pub readers: Vec<Reader>,
}

impl TuneReport {
    fn of(verdict: Verdict, Seen { training, by_label, imported, open }: Seen) -> Self {
        Self {
            verdict,
            training,
            by_label,
            imported,
            open,
            c: None,
            cv_log_loss: None,
            missing: None,
            shares: None,
            rescored: 0,
            readers: Vec::new(),
        }
    }

    /// Without what was measured on answers that the person may not see yet.
    fn without_others(self) -> Self {
        if self.open == 0 {
            return self;
        }
        Self { c: None, cv_log_loss: None, missing: None, shares: None, readers: Vec::new(), ..self }
    }
}

/// Expected shares that follow the audit answers.
#[derive(Clone, Debug, Serialize)]
pub struct Shares {
    /// Audit texts whose answers moved them.
    pub audit: usize,
    /// By label name, summing to one.
    pub by_label: BTreeMap<String, f64>,
}

impl std::fmt::Display for TuneReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts: Vec<String> = self.by_label.iter().map(|(name, n)| format!("{n} {name}")).collect();
        let mut counts = counts.join(", ");
        if self.imported > 0 {
            counts.push_str(&format!("; {} of these labels were imported", self.imported));
        }
        if self.open > 0 {
            counts.push_str("; answers to cases that are still open are not counted here");
        }
        match &self.verdict {
            Verdict::Activated => {
                if self.open == 0 {
                    write!(f, "the model has learned from {} answers. ", self.training)?;
                }
                write!(
                    f,
                    "A head trained on {} ({counts}) is active",
                    if self.open == 0 { "them" } else { "the answers" }
                )?;
                if let Some(loss) = self.cv_log_loss {
                    write!(f, "; log-loss on held-out folds {loss:.3} (lower is better)")?;
                }
                write!(f, "; {} texts prelabelled again", self.rescored)?;
                in_words(&self.readers).map_or(Ok(()), |words| write!(f, "; {words}"))
            }
            Verdict::NothingNew => {
                write!(f, "the model stays: no new answer teaches it since it was trained ({counts})")
            }
            Verdict::TooFew if self.open > 0 => {
                write!(
                    f,
                    "the model cannot learn yet: for at least one label there are fewer than 2 answers to learn from (so far {counts}). Go on labelling"
                )
            }
            Verdict::TooFew => {
                let missing = self.missing.as_deref().unwrap_or("a label");
                let have = match self.by_label.get(missing) {
                    Some(1) => "only one",
                    _ => "none",
                };
                write!(
                    f,
                    "the model cannot learn \"{missing}\" yet: {have} of the answers that teach it has this label ({counts}). Go on labelling"
                )?;
                let Some(Shares { audit, by_label }) = &self.shares else { return Ok(()) };
                let shares: Vec<String> =
                    by_label.iter().map(|(name, p)| format!("{:.1} % {name}", 100.0 * p)).collect();
                write!(
                    f,
                    ". How common each label is expected to be now follows {audit} audit answers ({}); {} texts prelabelled again",
                    shares.join(", "),
                    self.rescored
                )
            }
            Verdict::Others => write!(f, "another process trained the model on the answers"),
            Verdict::Stopped => {
                write!(
                    f,
                    "stopped; the earlier model stays active, and the next training continues from here"
                )
            }
        }
    }
}

/// Tunes the head.
///
/// # Errors
/// Nothing scouted, or labels on texts that have no vector.
pub fn tune(context: &JobContext<'_>, rescore: Rescore) -> Result<TuneReport> {
    let ended = run(context, "tune", "head", |work| {
        let current = scouting(work.store, "train the model")?;
        let revision = work.store.task()?;
        let training = Training::read(work, &current, &revision)?;
        let seen = training.seen_by(work.store, context.expert, &revision)?;
        let mut report = TuneReport::of(Verdict::Activated, seen);
        let seed = context.seed.unwrap_or(work.store.project()?.seed);
        let predictor = match fit(work, &training, &current, &revision, seed) {
            Ok(Fitted::Active) => {
                report.verdict = Verdict::NothingNew;
                return Ok(report);
            }
            Ok(Fitted::Predictor(predictor)) => *predictor,
            Err(Refused::TooFew(few)) => {
                report.verdict = Verdict::TooFew;
                report.missing = revision.task.labels.get(few.label).map(|l| l.name.clone());
                let Some(followed) = following_audit(work, &current, &revision, seed)? else {
                    return Ok(report);
                };
                let names = revision.task.labels.iter().map(|l| l.name.clone());
                let by_label = names.zip(followed.shares).collect();
                report.shares = Some(Shares { audit: followed.n, by_label });
                followed.predictor
            }
            Err(Refused::Fault(fault)) => return Err(fault),
        };
        let row = work.store.adapters()?.into_iter().find(|a| Some(a.id) == predictor.adapter());
        if let Some(head) = row.as_ref().and_then(|row| row.settings.known()?.head()) {
            (report.c, report.cv_log_loss) = (Some(head.c), head.cv_log_loss);
        }
        let activation = activate(work, &predictor, rescore, &revision, seed)?;
        report.rescored = activation.rescored;
        report.readers = activation.readers;
        if activation.active.is_none() {
            report.verdict = Verdict::Stopped;
        }
        Ok(report)
    })?;
    Ok(match ended {
        Ended::Ours(report) => report.without_others(),
        Ended::Others => TuneReport::of(
            Verdict::Others,
            Seen { training: 0, by_label: BTreeMap::new(), imported: 0, open: 0 },
        ),
    })
}
