//! `adapter`: what the project has been tuned to so far, and how to go back to it.

use std::path::Path;

use serde::Serialize;

use crate::domain::adapter::{AdapterKind, AdapterSettings};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::AdapterId;
#[cfg(feature = "engine")]
use crate::domain::ids::ItemId;
use crate::domain::predictor::Predictor;
use crate::learn::activate::{LORA_JOB, Rescore, activate};
use crate::learn::head::HeadScorer;
#[cfg(feature = "engine")]
use crate::learn::kind::load;
#[cfg(feature = "engine")]
use crate::learn::lora_scorer::LoraScorer;
use crate::learn::prelabels::scouting;
#[cfg(feature = "engine")]
use crate::learn::prelabels::{active, complete};
use crate::stats::classifier::answered::HeadModel;
#[cfg(feature = "engine")]
use crate::stats::classifier::linear::Linear;
use crate::store::pool::adapters::AdapterRow;
use crate::store::{Access, Store};
use crate::work::runner::{Ended, JobContext, Work, run};

/// Jobs to look through for one that runs.
#[cfg(feature = "engine")]
const RECENT: usize = 16;

/// An adapter as it is listed.
#[derive(Clone, Debug, Serialize)]
pub struct Listed {
    pub adapter: AdapterId,
    pub kind: AdapterKind,
    /// The newest round whose answers it saw.
    pub round: Option<i64>,
    /// Training labels.
    pub training: usize,
    /// Whether its prelabels count.
    pub active: bool,
    /// Whether the judge reads with it.
    pub judging: bool,
    /// Labels of the task that it does not know, by name.
    pub lacks: Vec<String>,
    /// Bytes of it in the file; 0 once they were dropped.
    pub bytes: usize,
    /// When it was trained, UTC milliseconds.
    pub created_ms: i64,
    /// How it was trained and what was measured, as anybody may see it; none where that cannot be read.
    #[serde(serialize_with = "as_stored")]
    pub settings: Option<AdapterSettings>,
}

/// Every adapter, oldest first.
///
/// # Errors
/// The project cannot be read.
pub fn list(project: &Path) -> Result<Vec<Listed>> {
    let store = Store::open(project, Access::Read)?;
    let active = store.active_predictor()?.and_then(|p| p.adapter());
    let judging = of_judge(&store)?;
    let revision = store.find_task()?;
    store
        .adapters()?
        .into_iter()
        .map(|row| {
            Ok(Listed {
                settings: row.settings.known().map(|settings| settings.clone().without_answers()),
                lacks: revision.as_ref().map_or_else(Vec::new, |r| r.task.names_beside(&row.labels)),
                adapter: row.id,
                active: active == Some(row.id),
                judging: judging == Some(row.id),
                bytes: store.adapter_size(row.id)?,
                kind: row.kind,
                round: row.round,
                training: row.training_n,
                created_ms: row.created_ms,
            })
        })
        .collect()
}

/// Makes an earlier head active again, and prelabels what it has not seen. A LoRA needs the model: see `use_lora`.
///
/// # Errors
/// No such adapter, or its bytes were dropped.
pub fn use_head(context: &JobContext<'_>, adapter: AdapterId) -> Result<UseReport> {
    activated(context, adapter, Of::Head, |_, _| Ok(0))
}

/// Makes an earlier LoRA active again: every text it has no vector of is read once more.
///
/// # Errors
/// No such adapter, its bytes were dropped, or the model cannot be used.
#[cfg(feature = "engine")]
pub fn use_lora(
    context: &JobContext<'_>,
    adapter: AdapterId,
    model: &crate::learn::model::ScoutModel,
) -> Result<UseReport> {
    activated(context, adapter, Of::Lora, |work, predictor| {
        let chosen = model.choose(work.store)?;
        crate::learn::lora_prelabels::complete(work, predictor, &chosen)
    })
}

/// Whether the active model is a LoRA that has not read all scouted texts, and no process is about to: see [`read_rest`].
///
/// # Errors
/// The project cannot be read.
#[cfg(feature = "engine")]
pub fn is_behind(project: &Path) -> Result<bool> {
    let store = Store::open(project, Access::Read)?;
    let Some(active) = store.scouting_predictor()?.filter(|p| p.lora().is_some()) else { return Ok(false) };
    let at_work = store.runs(RECENT)?.iter().any(|run| run.kind == LORA_JOB && run.outcome.is_none());
    Ok(!at_work && !store.items_without_vector(active.space(), ItemId(0), 1)?.is_empty())
}

/// Reads with the active LoRA what it has not read of the scouted texts.
///
/// # Errors
/// The model cannot be used.
#[cfg(feature = "engine")]
pub fn read_rest(context: &JobContext<'_>, model: &crate::learn::model::ScoutModel) -> Result<()> {
    run(context, LORA_JOB, "rest", |work| {
        let attempted = "read the texts with the active model";
        let scout = scouting(work.store, attempted)?;
        if scout.lora().is_none() {
            return Ok("another model is active by now, which has read all texts".to_owned());
        }
        let chosen = model.choose(work.store)?;
        let read = crate::learn::lora_prelabels::complete(work, &scout, &chosen)?;
        let active = active(work.store, attempted)?;
        let scorer = load(work.store, &active)?;
        complete(work, &active, &*scorer)?;
        Ok(format!("the active model has read {read} more texts"))
    })
    .map(drop)
}

/// Activates the judge with an earlier adapter again. What it said with it counts at once; `judge` has it read on.
///
/// # Errors
/// No such adapter, or its bytes were dropped.
pub fn use_judge(context: &JobContext<'_>, adapter: AdapterId) -> Result<UseReport> {
    usable(&Store::open(context.project, Access::Read)?, adapter)?;
    let ended = run(context, LORA_JOB, &format!("use {adapter}"), |work| {
        let judge = usable(work.store, adapter)?;
        let scout = scouting(work.store, "use the adapter")?;
        let revision = work.store.task()?;
        let seed = context.seed.unwrap_or(work.store.project()?.seed);
        work.store.activate_judge(judge.id)?;
        activate(work, &scout, Rescore::Pool, &revision, seed)?;
        Ok(UseReport { active: Some(adapter), of: Of::Judge, rescored: 0 })
    })?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => UseReport { active: Some(adapter), of: Of::Judge, rescored: 0 },
    })
}

/// What an adapter is one of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    /// A head on the scout's vectors.
    Head,
    /// A LoRA of the scout.
    Lora,
    /// An adapter of the judge.
    Judge,
}

/// What an adapter is one of.
///
/// # Errors
/// No such adapter.
pub fn what(project: &Path, adapter: AdapterId) -> Result<Of> {
    let store = Store::open(project, Access::Read)?;
    let row = adapter_row(&store, adapter, &format!("use adapter {adapter}"))?;
    let judges = store.judges()?.iter().any(|judge| judge.adapter() == Some(adapter));
    Ok(match row.kind {
        _ if judges => Of::Judge,
        AdapterKind::Lora | AdapterKind::Alora => Of::Lora,
        AdapterKind::Head => Of::Head,
    })
}

fn activated(
    context: &JobContext<'_>,
    adapter: AdapterId,
    of: Of,
    read: impl FnOnce(&mut Work<'_>, &Predictor) -> Result<usize>,
) -> Result<UseReport> {
    // What cannot begin is not a job that failed.
    usable(&Store::open(context.project, Access::Read)?, adapter)?;
    let ended = run(context, LORA_JOB, &format!("use {adapter}"), |work| {
        let predictor = usable(work.store, adapter)?;
        let mut rescored = read(work, &predictor)?;
        if work.stopped() {
            return Ok(UseReport { active: None, of, rescored });
        }
        let revision = work.store.task()?;
        let seed = context.seed.unwrap_or(work.store.project()?.seed);
        let activation = activate(work, &predictor, Rescore::Pool, &revision, seed)?;
        rescored = rescored.max(activation.rescored);
        if activation.active.is_none() {
            return Ok(UseReport { active: None, of, rescored });
        }
        Ok(UseReport { active: Some(adapter), of, rescored })
    })?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => UseReport { active: Some(adapter), of, rescored: 0 },
    })
}

/// The adapter that the language model which judged last reads with.
fn of_judge(store: &Store) -> Result<Option<AdapterId>> {
    let read = store.judges()?.into_iter().find(|judge| !judge.is_imported());
    Ok(read.and_then(|judge| judge.adapter()))
}

/// The predictor of an adapter that can be made active.
fn usable(store: &Store, adapter: AdapterId) -> Result<Predictor> {
    let attempted = format!("use adapter {adapter}");
    let row = adapter_row(store, adapter, &attempted)?;
    must_have_bytes(store, adapter, &attempted)?;
    let known = store.task()?.task.label_ids();
    if !row.labels.iter().all(|label| known.contains(label)) {
        return Err(Fault::usage(&attempted, "it has a label that the task no longer has")
            .hint("Tune again: `hardcase tune FILE`"));
    }
    let predictor =
        store.predictors()?.into_iter().rev().find(|p| !p.is_combined() && p.adapter() == Some(adapter));
    predictor.ok_or_else(|| {
        let worse = row.settings.known().and_then(AdapterSettings::comparison).is_some_and(|c| c.worse);
        let why = match worse {
            true => "it was worse on held-out labels than the model without it, so it was never used",
            false => "its training was cut short before it could be used",
        };
        Fault::new(&attempted, why).hint("Tune again")
    })
}

/// What came of a wish to use an adapter again.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct UseReport {
    /// The adapter, now active; none where it was stopped before.
    pub active: Option<AdapterId>,
    /// What it is one of.
    pub of: Of,
    /// Texts that were read or prelabelled again.
    pub rescored: usize,
}

impl std::fmt::Display for UseReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.active {
            Some(adapter) if self.of == Of::Judge => {
                write!(f, "the judge uses adapter {adapter} again")
            }
            Some(adapter) => {
                write!(f, "adapter {adapter} is active; {} texts prelabelled again", self.rescored)
            }
            None => write!(f, "stopped; the earlier model stays active"),
        }
    }
}

/// What a pruning dropped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pruned {
    /// Low-rank adapters whose weights went.
    pub adapters: usize,
    /// Texts whose hidden states went, each as often as an earlier judge had read it.
    pub texts: usize,
    /// Bytes that the file can use again.
    pub bytes: usize,
}

/// Drops the bytes of every LoRA but the active one, the judge's, and the newest `keep` of the others. Heads stay, a few kilobytes each: there is always a way
/// back to them. So does what was said of the cases. Returns how many went, and how many bytes.
///
/// # Errors
/// The project cannot be written.
pub fn prune(project: &Path, keep: usize) -> Result<Pruned> {
    let mut store = Store::open(project, Access::Job)?;
    let mut pruned = Pruned::default();
    let in_use = crate::learn::states::readings(&store)?;
    for (judge, texts, bytes) in store.hidden_state_sizes()? {
        let of = store.predictors()?.into_iter().find(|p| p.id == judge);
        let is_in_use = of.is_some_and(|p| in_use.iter().any(|reading| reading.is_of(&p)));
        if !is_in_use {
            store.drop_hidden_states(judge)?;
            pruned.texts += texts;
            pruned.bytes += bytes as usize;
        }
    }
    let at_work = [store.active_predictor()?.and_then(|p| p.adapter()), of_judge(&store)?];
    let mut others = Vec::new();
    for row in store
        .adapters()?
        .into_iter()
        .rev()
        .filter(|row| row.kind != AdapterKind::Head && !at_work.contains(&Some(row.id)))
    {
        let size = store.adapter_size(row.id)?;
        others.extend((size > 0).then_some((row.id, size)));
    }
    let gone = others.get(keep..).unwrap_or_default();
    for (adapter, _) in gone {
        store.drop_adapter_bytes(*adapter)?;
    }
    pruned.adapters = gone.len();
    pruned.bytes += gone.iter().map(|(_, size)| size).sum::<usize>();
    Ok(pruned)
}

/// Refuses an adapter whose bytes were dropped.
pub(super) fn must_have_bytes(store: &Store, adapter: AdapterId, attempted: &str) -> Result<()> {
    if store.adapter_size(adapter)? == 0 {
        return Err(Fault::usage(attempted, "its bytes were dropped").hint("Tune again to get one like it"));
    }
    Ok(())
}

pub(super) fn adapter_row(store: &Store, adapter: AdapterId, attempted: &str) -> Result<AdapterRow> {
    store.adapters()?.into_iter().find(|row| row.id == adapter).ok_or_else(|| {
        Fault::usage(attempted, format!("the project has no adapter {adapter}"))
            .hint("`hardcase adapter FILE list` shows those it has")
    })
}

/// The head on the vectors, a head's own or a LoRA's; none where this build cannot read it.
pub(super) fn head_of(store: &Store, predictor: &Predictor) -> Result<Option<HeadModel>> {
    match predictor.lora() {
        None => HeadScorer::load(store, predictor).map(|scorer| Some(scorer.model)),
        #[cfg(feature = "engine")]
        Some(_) => LoraScorer::load(store, predictor)
            .map(|scorer| Some(HeadModel::One(Linear::Softmax(scorer.head)))),
        #[cfg(not(feature = "engine"))]
        Some(_) => Ok(None),
    }
}

/// Settings in a document, as the file keeps them.
fn as_stored<S: serde::Serializer>(settings: &Option<AdapterSettings>, to: S) -> Result<S::Ok, S::Error> {
    let json = settings.as_ref().and_then(|settings| serde_json::from_str(&settings.write()).ok());
    json.unwrap_or(serde_json::Value::Null).serialize(to)
}
