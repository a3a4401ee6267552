//! Variants of the active judge: the same model as it is and with its earlier adapters. Where all of them read a text alike, what they say of the
//! labelled ones costs the answer's tokens alone, so each pass over the texts compares them.

use serde::Serialize;

use super::judge::{self, Judged};
use crate::domain::adapter::AdapterKind;
use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::ids::AdapterId;
use crate::domain::predictor::Predictor;
use crate::domain::settings::Stored;
use crate::domain::split::Split;
use crate::domain::task_kind::TaskKind;
use crate::engine::judge::JudgeBackend;
use crate::stats::agreement::answer_matrix::AnswerMatrix;
use crate::stats::agreement::kappa::mean_model_expert;
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::work::runner::Work;

/// The most variants: each costs the tokens of an answer for every text.
const MOST: usize = 4;

/// A judge with what it is worth.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Its adapter; none for the model as it is.
    pub adapter: Option<AdapterId>,
    /// Its agreement with the experts on the evaluation cases that all of them have read.
    pub kappa: Figure,
    /// What is asked for: of a scale, kappa is the weighted one.
    #[serde(skip)]
    pub kind: TaskKind,
}

/// Adds earlier variants of `judge` to `reader`: the same model with the same prompt, as it is and with its earlier adapters, where these read texts as it
/// does. The newest first.
pub(crate) fn add_earlier_variants(
    work: &mut Work<'_>,
    reader: &mut dyn JudgeBackend,
    judge: &Predictor,
) -> Result<Vec<Predictor>> {
    let reads_alike = |p: &Predictor| {
        p.judge().is_some_and(|judge| judge.adapter.is_none_or(|(_, kind)| kind == AdapterKind::Alora))
    };
    let prompt = &judge::settings(judge)?.prompt;
    let mut variants = Vec::new();
    for other in work.store.judges()? {
        let same = other.id != judge.id && other.model == judge.model && other.labels == judge.labels;
        if !same || !reads_alike(&other) || !reads_alike(judge) || variants.len() == MOST {
            continue;
        }
        if let Some(Stored::Unreadable(why)) = other.judge().map(|judge| &judge.settings) {
            work.note_once(&format!("an earlier judge is not compared: its settings cannot be read: {why}"));
            continue;
        }
        let settings = other.judge().and_then(|judge| judge.settings.known());
        if settings.is_some_and(|settings| settings.prompt == *prompt) {
            let bytes =
                other.adapter().map(|adapter| work.store.adapter_bytes(adapter)).transpose()?.flatten();
            let dropped = other.adapter().is_some() && bytes.as_ref().is_none_or(Vec::is_empty);
            if !dropped {
                reader.add_variant(bytes.as_deref())?;
                variants.push(other);
            }
        }
    }
    Ok(variants)
}

/// All of them on the evaluation cases that all have read; nothing where there is one alone, or no such case.
pub(crate) fn compared(
    store: &Store,
    judge: &Predictor,
    earlier: &[Predictor],
    revision: &Revision,
    seed: u64,
) -> Result<Vec<Compared>> {
    if earlier.is_empty() {
        return Ok(Vec::new());
    }
    let now = store.judges()?;
    let mut all = Vec::new();
    for predictor in std::iter::once(judge).chain(earlier) {
        let now = now.iter().find(|p| p.id == predictor.id).unwrap_or(predictor);
        all.push(Judged::read(store, now.clone())?);
    }
    let answers: Vec<_> = store
        .first_blind_answers()?
        .into_iter()
        .filter(|a| a.split == Split::Eval && a.round.is_some())
        .filter(|a| all.iter().all(|judged| judged.items.binary_search(&a.item).is_ok()))
        .collect();
    if answers.is_empty() {
        return Ok(Vec::new());
    }
    let matrix = AnswerMatrix::collect(&answers, &revision.task);
    all.iter()
        .map(|judged| {
            let p = judged.calibrated()?;
            let p: Vec<f32> = p.as_standard_layout().iter().copied().collect();
            let matrix = matrix.predicted_by(&judged.items, &p, &judged.predictor, &revision.task);
            let kappa = mean_model_expert(&matrix.model, &matrix.experts, revision.task.kind, seed);
            Ok(Compared { adapter: judged.predictor.adapter(), kappa, kind: revision.task.kind })
        })
        .collect()
}

/// Several judges in one sentence, the active one first.
pub(crate) fn in_words(compared: &[Compared]) -> String {
    let of = |one: &Compared| match one.adapter {
        Some(adapter) => format!("with adapter {adapter} {}", one.kappa),
        None => format!("as it is {}", one.kappa),
    };
    let all: Vec<String> = compared.iter().map(of).collect();
    let kappa = compared.first().map(|one| one.kind).unwrap_or_default().kappa();
    format!("{kappa} with the experts on the evaluation cases that all have read: {}", all.join("; "))
}
