//! What a project is to reach before it is done: the table `[target]` of a task.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Experts who certainly agree less than this, as Cohen's kappa, need a clearer guideline before more labels.
pub const EXPERTS_KAPPA: f64 = 0.8;

/// What a project is to reach. Labels are named by their stable keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Targets {
    /// Agreement of the model with the experts on the hard cases, as Cohen's kappa: above 0 and below 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kappa: Option<f64>,
    /// The same as a share of the experts' own agreement: above 0 and at most 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub of_ceiling: Option<f64>,
    /// Of all texts that have a label, the share that the model finds: above 0 and below 1.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub recall: BTreeMap<String, f64>,
    /// Of all texts that the model gives a label, the share that has it: above 0 and below 1.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub precision: BTreeMap<String, f64>,
    /// The most answers that may be spent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answers: Option<usize>,
    /// Agreement of the experts with each other, as Cohen's kappa; where none is given, [`EXPERTS_KAPPA`] is what advice asks for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub experts_kappa: Option<f64>,
}

impl Targets {
    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The agreement of experts below which the guideline comes first.
    pub fn least_experts_kappa(&self) -> f64 {
        self.experts_kappa.unwrap_or(EXPERTS_KAPPA)
    }

    /// Checks every figure, and names labels by their stable keys instead of their names. `labels` are the task's stable keys and names.
    ///
    /// # Errors
    /// A clause that says what is wrong.
    pub fn checked(self, labels: &[(&str, &str)]) -> Result<Self, String> {
        let share = |name: &str, value: Option<f64>, one: bool| match value {
            Some(v) if !(v > 0.0 && (v < 1.0 || one && v <= 1.0)) => Err(format!(
                "the target {name} is {v}, but must be above 0 and {}",
                if one { "at most 1" } else { "below 1" }
            )),
            _ => Ok(()),
        };
        share("kappa", self.kappa, false)?;
        share("of_ceiling", self.of_ceiling, true)?;
        share("experts_kappa", self.experts_kappa, false)?;
        if self.answers == Some(0) {
            return Err("the target answers is 0, but a budget is at least 1 answer".into());
        }
        let by_key = |name: &str, of: BTreeMap<String, f64>| {
            let mut keyed = BTreeMap::new();
            for (said, value) in of {
                // Keys first: what is written into the project must be read back as the same.
                let by_id = labels.iter().find(|(id, _)| *id == said);
                let Some((id, called)) = by_id.or_else(|| labels.iter().find(|(_, name)| *name == said))
                else {
                    return Err(format!("the target {name} is for '{said}', but the task has no such label"));
                };
                share(&format!("{name} of '{said}'"), Some(value), false)?;
                if keyed.insert((*id).to_owned(), value).is_some() {
                    return Err(format!("there are two targets {name} for '{called}'"));
                }
            }
            Ok(keyed)
        };
        let (recall, precision) = (by_key("recall", self.recall)?, by_key("precision", self.precision)?);
        Ok(Self { recall, precision, ..self })
    }

    /// Follows labels whose stable keys became others.
    pub(super) fn rename(&mut self, from: &str, to: &str) {
        for of in [&mut self.recall, &mut self.precision] {
            if let Some(value) = of.remove(from) {
                of.insert(to.to_owned(), value);
            }
        }
    }

    /// Leaves out what is asked for labels that are no longer there.
    #[must_use]
    pub fn of_labels(mut self, labels: &[(&str, &str)]) -> Self {
        for of in [&mut self.recall, &mut self.precision] {
            of.retain(|key, _| labels.iter().any(|(id, _)| id == key));
        }
        self
    }

    /// Everything that is asked for, a clause each, with labels by their names.
    pub fn in_words(&self, labels: &[(&str, &str)]) -> Vec<String> {
        let name = |key: &String| {
            labels
                .iter()
                .find(|(id, _)| id == key)
                .map_or_else(|| key.clone(), |(_, name)| (*name).to_owned())
        };
        let mut says = Vec::new();
        says.extend(self.kappa.map(|v| format!("kappa {v}")));
        says.extend(self.of_ceiling.map(|v| format!("{v} of the experts' own agreement")));
        says.extend(self.recall.iter().map(|(key, v)| format!("recall {v} of '{}'", name(key))));
        says.extend(self.precision.iter().map(|(key, v)| format!("precision {v} of '{}'", name(key))));
        says.extend(self.answers.map(|n| format!("at most {n} answers")));
        says.extend(self.experts_kappa.map(|v| format!("kappa {v} of the experts with each other")));
        says
    }
}
