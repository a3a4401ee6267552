//! Files that other labelling programs write, known by their keys: where the text is, and what counts as its label.
//!
//! A label is what a person gave a whole text, once and finally. Labels of single words are none, and an answer that was rejected, skipped or
//! discarded is none.

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::columns::is_text_name;
use super::detected::Tool;
use super::row::value_of;
use crate::formats::argilla;

impl Tool {
    /// The program that wrote objects with these keys; none if that does not show.
    pub(in crate::formats) fn of(rows: &[Map<String, Value>]) -> Option<Self> {
        let all = |test: &dyn Fn(&Map<String, Value>) -> bool| !rows.is_empty() && rows.iter().all(test);
        let has = |key: &'static str| all(&move |row| row.contains_key(key));
        let object = |key: &'static str| all(&move |row| row.get(key).is_some_and(Value::is_object));
        let list = |key: &'static str| all(&move |row| row.get(key).is_some_and(Value::is_array));
        let text = || all(&|row| row.get("text").is_some_and(Value::is_string));
        if object("data") && (list("annotations") || list("predictions") || list("completions")) {
            Some(Self::LabelStudio)
        } else if has("annotation_id") && has("annotator") {
            Some(Self::LabelStudioMin)
        } else if object("fields") && (has("responses") || has("suggestions")) {
            Some(Self::Argilla)
        } else if text() && (has("_input_hash") || rows.iter().any(is_choice)) {
            Some(Self::Prodigy)
        } else if text() && object("cats") {
            Some(Self::Spacy)
        } else if text() && list("label") && (has("Comments") || has("id")) {
            Some(Self::Doccano)
        } else {
            None
        }
    }

    /// The path of the text in such rows.
    pub(in crate::formats) fn text(self, rows: &[Map<String, Value>]) -> Option<String> {
        let inside = match self {
            Self::LabelStudio => "data",
            Self::Argilla => "fields",
            Self::Doccano | Self::Prodigy | Self::Spacy => return Some("text".into()),
            Self::LabelStudioMin => return None,
        };
        let first = rows.first()?.get(inside)?.as_object()?;
        let strings = || first.iter().filter(|(_, value)| value.is_string()).map(|(name, _)| name);
        let mut only = strings();
        let name = strings()
            .find(|name| is_text_name(name))
            .or_else(|| only.next().filter(|_| only.next().is_none()))?;
        let dotted = !name.is_empty() && !name.contains('.');
        Some(if dotted {
            format!("{inside}.{name}")
        } else {
            format!("/{inside}/{}", name.replace('~', "~0").replace('/', "~1"))
        })
    }

    /// The label of a row, or several as a JSON list; none if it has none.
    pub(in crate::formats) fn label(self, entries: &[(String, Box<RawValue>)]) -> Option<String> {
        one_of(self.answers(entries).into_iter())
    }

    /// The labels of a row, one of each answer.
    pub(in crate::formats) fn answers(self, entries: &[(String, Box<RawValue>)]) -> Vec<String> {
        let value = |key: &str| value_of(entries, key).and_then(|raw| serde_json::from_str(raw.get()).ok());
        let given = || -> Option<Vec<String>> {
            match self {
                Self::LabelStudio => {
                    let annotations: Value = value("annotations").or_else(|| value("completions"))?;
                    let finished = annotations
                        .as_array()?
                        .iter()
                        .filter(|one| !one.get("was_cancelled").is_some_and(|cancelled| *cancelled == true));
                    Some(finished.filter_map(choice).collect())
                }
                Self::Argilla => {
                    let responses: Option<Value> = value("responses");
                    let of_question =
                        responses.as_ref().and_then(|all| all.as_object()?.values().next()?.as_array());
                    let submitted = of_question.into_iter().flatten().filter(|one| {
                        one.get("status").is_none_or(|status| status.is_null() || *status == "submitted")
                    });
                    let said: Vec<String> =
                        submitted.filter_map(|one| plain_label(one.get("value")?)).collect();
                    if !said.is_empty() {
                        return Some(said);
                    }
                    let suggestions: Value = value("suggestions")?;
                    let suggested = suggestions.as_object()?.values().next()?;
                    is_by_experts(suggested)
                        .then(|| plain_label(suggested.get("value")?))
                        .flatten()
                        .map(|one| vec![one])
                }
                Self::LabelStudioMin => {
                    const KNOWN: [&str; 3] = ["choice", "label", "sentiment"];
                    KNOWN.iter().find_map(|key| value(key)).and_then(|v| plain_label(&v)).map(|one| vec![one])
                }
                // A text that nobody has labelled has an empty list, too.
                Self::Doccano => plain_label(&value("label")?).filter(|one| one != NONE).map(|one| vec![one]),
                Self::Prodigy => {
                    if value("answer")? != "accept" {
                        return None;
                    }
                    let accepted = value("accept").or_else(|| value("label"));
                    accepted.and_then(|v| plain_label(&v)).map(|one| vec![one])
                }
                Self::Spacy => {
                    let cats: Value = value("cats")?;
                    let cats = cats.as_object()?;
                    let given = cats.iter().filter(|(_, p)| number(p).is_some_and(|p| p > 0.5));
                    let none = (!cats.is_empty()).then(|| NONE.to_owned());
                    listed(given.map(|(name, _)| name.clone()).collect()).or(none).map(|one| vec![one])
                }
            }
        };
        given().unwrap_or_default()
    }

    /// What a model said of a row; none if nothing.
    pub(in crate::formats) fn prediction(self, entries: &[(String, Box<RawValue>)]) -> Option<String> {
        let value =
            |key: &str| value_of(entries, key).and_then(|raw| serde_json::from_str::<Value>(raw.get()).ok());
        match self {
            Self::LabelStudio => value("predictions")?.as_array()?.iter().find_map(choice),
            Self::Argilla => {
                let suggestions = value("suggestions")?;
                let suggested = suggestions.as_object()?.values().next()?;
                (!is_by_experts(suggested)).then(|| plain_label(suggested.get("value")?)).flatten()
            }
            _ => None,
        }
    }
}

/// Whether a suggestion of Argilla is a label that experts gave: a response there needs a user of its server.
fn is_by_experts(suggestion: &Value) -> bool {
    suggestion.get("agent").is_some_and(|agent| *agent == argilla::EXPERTS)
}

/// An answer to a choice between labels, as Prodigy has it.
fn is_choice(row: &Map<String, Value>) -> bool {
    row.get("accept").is_some_and(Value::is_array) && row.contains_key("answer")
}

/// The choice or the rating in an annotation or a prediction of Label Studio.
fn choice(annotation: &Value) -> Option<String> {
    let results = annotation.get("result")?.as_array()?;
    if results.is_empty() {
        return Some(NONE.to_owned());
    }
    let of = |name: &str| {
        let found = results.iter().find(|result| result.get("type").is_some_and(|kind| *kind == name))?;
        plain_label(found.get("value")?.get(name)?)
    };
    of("choices").or_else(|| of("rating"))
}

fn number(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_bool().map(|yes| f64::from(u8::from(yes))))
}

/// What several people said: their label if they agree, else a list.
fn one_of(said: impl Iterator<Item = String>) -> Option<String> {
    let mut different: Vec<String> = Vec::new();
    for label in said {
        if !different.contains(&label) {
            different.push(label);
        }
    }
    listed(different)
}

fn listed(mut labels: Vec<String>) -> Option<String> {
    match labels.len() {
        0 => None,
        1 => labels.pop(),
        _ => Some(Value::from(labels).to_string()),
    }
}

/// That none of several labels is right, as a cell has it.
const NONE: &str = "[]";

/// A label as a file may write it: a string, a number, `{"choices": […]}`, or a list of one of these. Several stay a JSON list, and so does an empty one.
pub(in crate::formats) fn plain_label(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Array(several) => match several.as_slice() {
            [] => Some(NONE.to_owned()),
            [one] if !one.is_array() => plain_label(one),
            _ => Some(value.to_string()),
        },
        Value::Object(fields) => match fields.get("choices") {
            Some(choices) => plain_label(choices),
            None => Some(value.to_string()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::read::row::Entries;

    fn label(tool: Tool, json: &str) -> Option<String> {
        let Entries(entries) = serde_json::from_str(json).unwrap();
        tool.label(&entries)
    }

    #[test]
    fn a_rejected_or_cancelled_answer_is_no_label_and_several_stay_several() {
        let rating =
            r#"{"data":{"text":"t"},"annotations":[{"result":[{"type":"rating","value":{"rating":4}}]}]}"#;
        assert_eq!(label(Tool::LabelStudio, rating).as_deref(), Some("4"));
        let cancelled = r#"{"annotations":[{"was_cancelled":true,"result":[{"type":"choices","value":{"choices":["a"]}}]}]}"#;
        assert_eq!(label(Tool::LabelStudio, cancelled), None);
        assert_eq!(label(Tool::LabelStudio, &cancelled.replace("true", "false")).as_deref(), Some("a"));
        let words = r#"{"annotations":[{"result":[{"type":"labels","value":{"start":0,"end":3,"labels":["PER"]}}]}]}"#;
        assert_eq!(label(Tool::LabelStudio, words), None, "a label of a word is not one of the text");
        assert_eq!(label(Tool::Prodigy, r#"{"accept":["a"],"answer":"reject"}"#), None);
        assert_eq!(label(Tool::Prodigy, r#"{"label":"A","answer":"accept"}"#).as_deref(), Some("A"));
        assert_eq!(label(Tool::Spacy, r#"{"cats":{"x":0.0,"y":1}}"#).as_deref(), Some("y"));
        assert_eq!(label(Tool::Spacy, r#"{"cats":{"x":true,"y":1}}"#).as_deref(), Some(r#"["x","y"]"#));
        let two = r#"{"responses":{"q":[{"value":"a"},{"value":"a"},{"value":"b","status":"discarded"}]}}"#;
        assert_eq!(label(Tool::Argilla, two).as_deref(), Some("a"));
        assert_eq!(label(Tool::Doccano, r#"{"label":[]}"#), None);
        assert_eq!(label(Tool::Doccano, r#"{"label":["a","b"]}"#).as_deref(), Some(r#"["a","b"]"#));
    }
}
