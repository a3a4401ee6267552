//! `tune`: trains the head on the experts' training labels, activates it, and prelabels the pool anew. While a label has too few of them,
//! the zero-shot prelabels follow the audit answers instead.

use std::collections::BTreeMap;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{AdapterId, ItemId, PredictorId};
use crate::learn::cascade::combine;
use crate::learn::evaluate::{record_agreement, rescore_cases};
use crate::learn::prelabels::{complete, scouting};
use crate::learn::scorer::{Scorer, ZeroShotSettings};
use crate::learn::shares::following_audit;
use crate::learn::training::Training;
use crate::stats::classifier::head::{TooFew, fit_anchored_head, fit_head, out_of_fold};
use crate::stats::classifier::label_issues::label_issues;
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::store::pool::adapters::{AdapterRow, NewAdapter};
use crate::store::pool::predictors::Predictor;
use crate::work::runner::{Ended, JobContext, Work, run};

/// Whether the pool is prelabelled anew before the verb returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rescore {
    /// All of it.
    Pool,
    /// Only the cases; the pool follows with the next mining.
    CasesOnly,
}

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
    /// Training labels it used.
    pub training: usize,
    /// Of these, by label name.
    pub by_label: BTreeMap<String, usize>,
    /// The penalty's inverse strength.
    pub c: Option<f64>,
    /// Class-weighted log-loss on held-out folds, in nats.
    pub cv_log_loss: Option<f64>,
    /// The label with too few training labels.
    pub missing: Option<String>,
    /// Where zero-shot prelabels were placed anew: how common the labels are expected to be now.
    pub shares: Option<Shares>,
    /// Texts that were prelabelled anew.
    pub rescored: usize,
}

impl TuneReport {
    fn of(training: &Training, revision: &Revision) -> Self {
        Self {
            verdict: Verdict::Activated,
            training: training.items.len(),
            by_label: training.by_label(revision),
            c: None,
            cv_log_loss: None,
            missing: None,
            shares: None,
            rescored: 0,
        }
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
        let counts = counts.join(", ");
        match &self.verdict {
            Verdict::Activated => {
                write!(f, "a head trained on {} labels ({counts}) is active", self.training)?;
                if let Some(loss) = self.cv_log_loss {
                    write!(f, "; log-loss on held-out folds {loss:.3}")?;
                }
                write!(f, "; {} texts prelabelled anew", self.rescored)
            }
            Verdict::NothingNew => {
                write!(f, "no new training label since the active model was tuned ({counts}): it stays")
            }
            Verdict::TooFew => {
                let missing = self.missing.as_deref().unwrap_or("a label");
                write!(f, "'{missing}' has fewer than 2 training labels ({counts}): ")?;
                let Some(Shares { audit, by_label }) = &self.shares else {
                    return write!(f, "the prelabels stay as they are until there are more");
                };
                let shares: Vec<String> =
                    by_label.iter().map(|(name, p)| format!("{:.1} % {name}", 100.0 * p)).collect();
                write!(
                    f,
                    "no head until there are more; the shares expected of the labels now follow {audit} audit answers ({}); {} \
                     texts prelabelled anew",
                    shares.join(", "),
                    self.rescored
                )
            }
            Verdict::Others => write!(f, "another process tuned the model"),
            Verdict::Stopped => {
                write!(f, "stopped; the earlier model stays active, and the next tune goes on from here")
            }
        }
    }
}

/// Of so many training labels one at most is called a slip: they lie on the boundary and are hard on purpose, and a list that is mostly
/// right answers is soon not read.
const ONE_SLIP_IN: usize = 20;

/// What is kept of how a head was trained.
#[derive(Serialize, Deserialize)]
struct HeadSettings {
    c: f64,
    cv_log_loss: Option<f64>,
    folds: usize,
    seed: u64,
    /// Training labels that look like label_issues, the surest first.
    #[serde(default)]
    suspects: Vec<Suspect>,
}

/// A training label that looks like a slip.
#[derive(Serialize, Deserialize)]
struct Suspect {
    item: ItemId,
    /// The label's stable key.
    label: String,
}

/// Tunes the head.
///
/// # Errors
/// Nothing scouted, or labels on texts that have no vector.
pub fn tune(context: &JobContext<'_>, rescore: Rescore) -> Result<TuneReport> {
    let ended = run(context, "tune", "head", |work| {
        let current = scouting(work.store, "tune the model")?;
        let revision = work.store.task()?;
        let training = Training::read(work, &current, &revision)?;
        let mut report = TuneReport::of(&training, &revision);
        let seed = context.seed.unwrap_or(work.store.project()?.seed);
        let predictor = match find_or_train(work, &training, &current, &revision, seed) {
            Ok(Found::Active) => {
                report.verdict = Verdict::NothingNew;
                return Ok(report);
            }
            Ok(Found::Predictor(predictor)) => predictor,
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
        if let Some(adapter) = predictor.adapter
            && let Some(row) = work.store.adapters()?.into_iter().find(|a| a.id == adapter)
            && let Ok(settings) = serde_json::from_str::<HeadSettings>(&row.settings)
        {
            (report.c, report.cv_log_loss) = (Some(settings.c), settings.cv_log_loss);
        }
        if rescore == Rescore::Pool {
            let scorer = Scorer::load(work.store, &predictor)?;
            report.rescored = complete(work, predictor.id, &predictor, &scorer)?;
            if work.stopped() {
                report.verdict = Verdict::Stopped;
                return Ok(report);
            }
        }
        rescore_cases(work.store)?;
        work.store.activate(predictor.id)?;
        combine(work, &predictor, &revision, seed)?;
        work.store.prune_predictions()?;
        record_agreement(work.store, seed)?;
        Ok(report)
    })?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => TuneReport {
            verdict: Verdict::Others,
            training: 0,
            by_label: BTreeMap::new(),
            c: None,
            cv_log_loss: None,
            missing: None,
            shares: None,
            rescored: 0,
        },
    })
}

enum Found {
    /// The active predictor has learned from just these labels.
    Active,
    /// A predictor that is to become the active one: new, or one whose tuning was cut short.
    Predictor(Predictor),
}

enum Refused {
    TooFew(TooFew),
    Fault(Fault),
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn find_or_train(
    work: &mut Work<'_>,
    training: &Training,
    current: &Predictor,
    revision: &Revision,
    seed: u64,
) -> Result<Found, Refused> {
    let labels = revision.task.label_ids();
    let learned: Vec<AdapterRow> = work
        .store
        .adapters()?
        .into_iter()
        .filter(|a| a.training_hash == training.hash && a.model == current.model && a.labels == labels)
        .collect();
    // A low-rank adapter that has learned from just these labels has the head in it.
    if current.kind == "lora" && learned.iter().any(|a| Some(a.id) == current.adapter) {
        return Ok(Found::Active);
    }
    let mut same: Vec<AdapterId> = Vec::new();
    for head in learned.iter().filter(|a| a.kind == "head") {
        // One whose bytes were dropped is trained again.
        if work.store.adapter_size(head.id)? > 0 {
            same.push(head.id);
        }
    }
    let known = work.store.predictors()?.into_iter().rev().find(|p| {
        p.kind == "head"
            && p.model == current.model
            && p.labels == labels
            && p.adapter.is_some_and(|a| same.contains(&a))
    });
    if let Some(predictor) = known {
        return Ok(if predictor.id == current.id { Found::Active } else { Found::Predictor(predictor) });
    }
    let adapter = match same.last() {
        // Trained by a tune that was killed before it could say what it is for.
        Some(&trained) => trained,
        None => train(work, training, current, revision, seed)?,
    };
    let mut predictor = Predictor {
        id: PredictorId(0),
        kind: "head".into(),
        model: current.model,
        adapter: Some(adapter),
        adapter_kind: None,
        prompt: None,
        revision: revision.id,
        labels,
        settings: "{}".into(),
        created_ms: 0,
    };
    predictor.id = work.store.add_predictor(&predictor)?;
    Ok(Found::Predictor(predictor))
}

fn train(
    work: &mut Work<'_>,
    training: &Training,
    current: &Predictor,
    revision: &Revision,
    seed: u64,
) -> Result<AdapterId, Refused> {
    let labels = revision.task.label_ids();
    work.report("training the head", 0, None, "labels")?;
    let (vectors, given) = (training.vectors.view(), &training.labels[..]);
    let fit = match anchors(work.store, current, &labels)? {
        Some(anchors) => fit_anchored_head(vectors, given, anchors.view(), seed),
        None => fit_head(vectors, given, labels.len(), seed),
    };
    let fit = fit.map_err(Refused::TooFew)?;
    let suspects = suspects(training, &labels, fit.c, seed);
    let settings = HeadSettings { c: fit.c, cv_log_loss: fit.cv_log_loss, folds: fit.folds, seed, suspects };
    Ok(work.store.add_adapter(&NewAdapter {
        kind: "head",
        model: current.model,
        parent: current.adapter,
        round: work.store.rounds()?.last().map(|r| r.id),
        revision: revision.id,
        labels,
        settings: serde_json::to_string(&settings).unwrap_or_default(),
        training_hash: training.hash,
        training_n: training.items.len(),
        bytes: fit.model.to_bytes(),
    })?)
}

/// What stood for just these labels before there were answers; none where they were never prelabelled zero-shot.
fn anchors(store: &Store, current: &Predictor, labels: &[String]) -> Result<Option<Array2<f32>>> {
    let zero_shot = store
        .predictors()?
        .into_iter()
        .rev()
        .find(|p| p.kind == "zero-shot" && p.model == current.model && p.labels == labels);
    zero_shot.map(|p| ZeroShotSettings::of(&p)?.anchors()).transpose()
}

/// The training labels that look like label_issues by heads that have not seen them; none while a label has too few examples for that.
fn suspects(training: &Training, labels: &[String], c: f64, seed: u64) -> Vec<Suspect> {
    let held_out = out_of_fold(training.vectors.view(), &training.labels, labels.len(), c, seed);
    let found = held_out.map(|p| label_issues(p.view(), &training.labels)).unwrap_or_default();
    let most = training.items.len() / ONE_SLIP_IN;
    let suspect = |i: usize| Suspect { item: training.items[i], label: labels[training.labels[i]].clone() };
    found.into_iter().take(most).map(suspect).collect()
}
