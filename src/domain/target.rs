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

    /// What somebody wrote on one line, such as `kappa 0.75, recall 0.9 of 'spam', at most 400 answers`: the clauses of [`Targets::in_words`], or shorter,
    /// separated by commas. `labels` are the task's stable keys and names.
    ///
    /// # Errors
    /// A clause that says what is wrong.
    pub fn from_words(said: &str, labels: &[(&str, &str)]) -> Result<Self, String> {
        let mut targets = Self::default();
        for clause in clauses(said) {
            let unknown = || format!("'{clause}' is no target");
            let lower = clause.to_lowercase();
            let numbers: Vec<f64> = lower.split_whitespace().filter_map(|word| word.parse().ok()).collect();
            let words: Vec<&str> = lower.split_whitespace().collect();
            let twice = match words.first().copied() {
                Some("recall" | "precision") => {
                    let (value, label) = of_label(&clause).ok_or_else(unknown)?;
                    let of = if words[0] == "recall" { &mut targets.recall } else { &mut targets.precision };
                    of.insert(label, value).is_some()
                }
                _ => {
                    let [value] = numbers[..] else { return Err(unknown()) };
                    let has = |word: &str| words.contains(&word);
                    if has("answers") || has("answer") || has("budget") {
                        if value.fract() != 0.0 || !(1.0..=1e9).contains(&value) {
                            return Err(format!("'{clause}' is no whole number of answers"));
                        }
                        targets.answers.replace(value as usize).is_some()
                    } else if has("own") || has("ceiling") {
                        targets.of_ceiling.replace(value).is_some()
                    } else if has("experts") {
                        targets.experts_kappa.replace(value).is_some()
                    } else if has("kappa") {
                        targets.kappa.replace(value).is_some()
                    } else {
                        return Err(unknown());
                    }
                }
            };
            if twice {
                return Err(format!("'{clause}' is there twice"));
            }
        }
        targets.checked(labels)
    }

    /// Follows labels whose stable keys became others.
    pub(crate) fn rename(&mut self, from: &str, to: &str) {
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

/// The parts of a line between its commas and semicolons, but for those in quotation marks. An apostrophe within a word is none.
fn clauses(said: &str) -> Vec<String> {
    let (mut parts, mut open) = (vec![String::new()], None);
    let mut before = ' ';
    let mut characters = said.chars().peekable();
    while let Some(c) = characters.next() {
        let ends = characters.peek().is_none_or(|next| next.is_whitespace() || ",;".contains(*next));
        match (c, open) {
            ('\'' | '"', None) if before.is_whitespace() => open = Some(c),
            ('\'' | '"', Some(mark)) if mark == c && ends => open = None,
            (',' | ';' | '\n', None) => {
                parts.push(String::new());
                before = c;
                continue;
            }
            _ => {}
        }
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
        before = c;
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// The share and the label of `recall 0.9 of 'spam'` or `recall spam 0.9`.
fn of_label(clause: &str) -> Option<(f64, String)> {
    let (_, rest) = clause.split_once(char::is_whitespace)?;
    let (first, after) = rest.trim().split_once(char::is_whitespace)?;
    let is_share = |word: &str| word.parse::<f64>().is_ok();
    let (value, label) = match first.parse() {
        // A level may be called by its number.
        Ok(value) if !is_share(after.trim()) => (value, after.trim()),
        _ => {
            let (label, last) = rest.trim().rsplit_once(char::is_whitespace)?;
            (last.parse().ok()?, label.trim())
        }
    };
    let label = label.strip_prefix("of ").unwrap_or(label).trim().trim_matches(['\'', '"']);
    (!label.is_empty()).then(|| (value, label.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABELS: [(&str, &str); 3] = [("spam", "don't buy"), ("ham", "ham, or eggs"), ("3", "3")];

    #[test]
    fn what_is_asked_for_is_read_back_from_its_own_words() {
        let share = |key: &str, value| BTreeMap::from([(key.to_owned(), value)]);
        let targets = Targets {
            kappa: Some(0.75),
            of_ceiling: Some(1.0),
            recall: share("spam", 0.9),
            precision: share("ham", 0.8),
            answers: Some(400),
            experts_kappa: Some(0.7),
        };
        let line = targets.in_words(&LABELS).join(", ");
        assert_eq!(Targets::from_words(&line, &LABELS).unwrap(), targets, "{line}");
        assert_eq!(Targets::from_words(" ", &LABELS).unwrap(), Targets::default());
    }

    #[test]
    fn shorter_words_are_understood_and_what_is_no_target_is_named() {
        let read = |said: &str| Targets::from_words(said, &LABELS);
        let targets = read("Kappa 0.8; recall don't buy 0.9, recall 3 0.5, budget 300, experts 0.6").unwrap();
        assert_eq!(
            (targets.kappa, targets.answers, targets.experts_kappa),
            (Some(0.8), Some(300), Some(0.6))
        );
        assert_eq!(targets.recall, BTreeMap::from([("3".to_owned(), 0.5), ("spam".to_owned(), 0.9)]));
        for (said, why) in [
            ("be good", "'be good' is no target"),
            ("kappa", "'kappa' is no target"),
            ("kappa 0.8, kappa 0.9", "there twice"),
            ("kappa 80", "must be above 0 and below 1"),
            ("recall 0.9", "is no target"),
            ("recall 0.9 of fish", "the task has no such label"),
            ("at most 2.5 answers", "no whole number"),
        ] {
            let refused = read(said).unwrap_err();
            assert!(refused.contains(why), "{said}: {refused}");
        }
    }
}
