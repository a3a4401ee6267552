//! Model files, adapters and predictors, with hashes and settings.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::ledger::Ledger;
use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::hex::{Hex, hex};
use crate::domain::moment::utc;
use crate::insight::figures::CurvePoint;
use crate::store::Store;
use crate::store::care::file_facts::AdapterBytes;

/// Longer texts in stored settings, such as prompts, are left out.
const LONGEST: usize = 100;

/// A model file.
#[derive(Clone, Debug, Serialize)]
pub struct ModelEntry {
    /// The name inside the file, or the file's own.
    pub name: String,
    /// llama.cpp's name of the architecture.
    pub architecture: String,
    /// For example `Q8_0`.
    pub quantisation: String,
    /// Size of the file.
    pub bytes: i64,
    /// Hash of the whole file.
    pub sha256: String,
}

/// A trained adapter.
#[derive(Clone, Debug, Serialize)]
pub struct AdapterEntry {
    /// `head`, `lora` or `alora`.
    pub kind: String,
    /// The name of the model that it adapts.
    pub model: String,
    /// UTC.
    pub at: String,
    /// The newest round whose answers it was trained on, by its number in this file.
    pub after_round: Option<i64>,
    /// Number of the revision of the task.
    pub revision: i64,
    /// Training labels.
    pub training: i64,
    /// Hash of the training set: its texts and labels.
    pub training_hash: String,
    /// Where its weights are: `in the file`, `left out of this copy`, or `pruned`.
    pub bytes: &'static str,
    /// Hash of its weights, if they are known.
    pub sha256: Option<String>,
    /// Hyper-parameters, and figures measured during training.
    pub settings: BTreeMap<String, Value>,
}

/// A source of prelabels.
#[derive(Clone, Debug, Serialize)]
pub struct PredictorEntry {
    /// `zero-shot`, `head`, `lora`, `judge` or `combined`.
    pub kind: String,
    /// The name of the model.
    pub model: String,
    /// When it was created, UTC; for a judge, when it was last started.
    pub at: String,
    /// Number of the revision of the task.
    pub revision: i64,
    /// The hash of a judge's prompt.
    pub prompt: Option<String>,
    /// Training labels.
    pub training: usize,
    /// Whether its prelabels are in use in this file.
    pub active: bool,
    /// Its agreement with the experts on all hard cases to date. `None` for a judge, which has scored only some of the texts.
    pub kappa: Option<Figure>,
    /// Its calibration, and whether that helped.
    pub settings: BTreeMap<String, Value>,
}

/// Every model file, by name and hash.
pub(crate) fn models(ledger: &Ledger) -> Vec<ModelEntry> {
    let mut models: Vec<ModelEntry> = ledger
        .log
        .models
        .iter()
        .map(|model| ModelEntry {
            name: model.name.clone(),
            architecture: model.architecture.clone(),
            quantisation: model.quantisation.clone(),
            bytes: model.bytes,
            sha256: model.sha256.to_string(),
        })
        .collect();
    models.sort_by(|a, b| (&a.name, &a.sha256).cmp(&(&b.name, &b.sha256)));
    models
}

/// Every adapter, oldest first.
pub(crate) fn adapters(store: &Store, ledger: &Ledger) -> Result<Vec<AdapterEntry>> {
    let mut lines: Vec<_> = ledger.log.adapters.iter().collect();
    lines.sort_by_key(|line| (line.created_ms, line.uuid));
    let entry = |line: &crate::domain::log::AdapterLine| -> Result<AdapterEntry> {
        let (bytes, sha256) = match store.bytes_of_adapter(line.uuid)? {
            AdapterBytes::Held(bytes) => ("in the file", Some(Sha256::digest(bytes).to_vec())),
            AdapterBytes::LeftOut(sha256) => ("left out of this copy", Some(sha256)),
            AdapterBytes::Dropped => ("pruned", None),
        };
        Ok(AdapterEntry {
            kind: line.adapts.clone(),
            model: name_of(ledger, &line.model),
            at: utc(line.created_ms),
            after_round: line.round.and_then(|round| ledger.round(round)),
            revision: ledger.revision(line.revision),
            training: line.training_n,
            training_hash: line.training_hash.to_string(),
            bytes,
            sha256: sha256.map(|sha256| hex(&sha256)),
            settings: settings(&line.settings),
        })
    };
    lines.into_iter().map(entry).collect()
}

/// Every source of prelabels, oldest first, with its agreement from the `curve`.
pub(crate) fn predictors(
    store: &Store,
    ledger: &Ledger,
    curve: &[CurvePoint],
) -> Result<Vec<PredictorEntry>> {
    let uuids = store.predictor_uuids()?;
    let points: BTreeMap<Uuid, &CurvePoint> =
        curve.iter().filter_map(|point| Some((*uuids.get(&point.predictor)?, point))).collect();
    let active = store.active_predictor()?.and_then(|active| uuids.get(&active.id).copied());
    let mut lines: Vec<_> = ledger.log.predictors.iter().collect();
    lines.sort_by_key(|line| (line.created_ms, line.uuid));
    let entry = |line: &crate::domain::log::PredictorLine| {
        let point = points.get(&line.uuid);
        PredictorEntry {
            kind: line.predicts.clone(),
            model: name_of(ledger, &line.model),
            at: utc(line.created_ms),
            revision: ledger.revision(line.revision),
            prompt: line.prompt.as_ref().map(ToString::to_string),
            training: point.map_or(0, |point| point.training),
            active: active == Some(line.uuid),
            kappa: point.map(|point| point.kappa.clone()),
            settings: settings(&line.settings),
        }
    };
    Ok(lines.into_iter().map(entry).collect())
}

fn name_of(ledger: &Ledger, sha256: &Hex) -> String {
    ledger.log.models.iter().find(|m| m.sha256 == *sha256).map_or_else(String::new, |m| m.name.clone())
}

/// The numbers, short texts and booleans of stored settings, by path. Lists are left out.
fn settings(json: &str) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    if let Ok(value) = serde_json::from_str(json) {
        gather(&value, String::new(), &mut found);
    }
    found
}

fn gather(value: &Value, path: String, found: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(fields) => {
            for (name, inner) in fields {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                gather(inner, path, found);
            }
        }
        Value::Number(_) | Value::Bool(_) => drop(found.insert(path, value.clone())),
        Value::String(text) if text.len() <= LONGEST && !path.is_empty() => {
            found.insert(path, value.clone());
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_told_without_vectors_and_lists_of_texts() {
        let json = r#"{"c":10.0,"seed":7,"anchors":[[0.1,0.2]],"suspects":[{"item":"ab"}],"worth":{"n":12,"helps":true},
            "against":"head","cv_log_loss":null,"instruction":{"text":"LONG"}}"#.replace("LONG", &"x".repeat(200));
        let told: Vec<String> = settings(&json).into_iter().map(|(name, v)| format!("{name}={v}")).collect();
        assert_eq!(told, ["against=\"head\"", "c=10.0", "seed=7", "worth.helps=true", "worth.n=12"]);
        assert!(settings("none").is_empty());
    }
}
