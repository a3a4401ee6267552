//! A value inside the nested values of a JSON row, named by a path: `data.text`, `responses.mood.0.value` or, as a JSON Pointer, `/data/text`.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::value::RawValue;

/// Nested deeper than this no path leads.
const DEEPEST: usize = 32;

/// Whether a name reads as a path below one of these columns.
pub(in crate::formats) fn leads_below(columns: &[String], given: &str) -> bool {
    let steps = steps(given);
    (2..=DEEPEST).contains(&steps.len()) && columns.iter().any(|column| *column == steps[0])
}

/// The value at the end of a path; none if it leads nowhere.
pub(in crate::formats) fn follow<'a>(
    entries: &'a [(String, Box<RawValue>)],
    path: &str,
) -> Option<&'a RawValue> {
    let steps = steps(path);
    let (first, below) = steps.split_first()?;
    if below.is_empty() || below.len() >= DEEPEST {
        return None;
    }
    let mut value =
        entries.iter().rev().find(|(name, _)| name == first.as_ref()).map(|(_, value)| value.as_ref())?;
    for step in below {
        value = match value.get().as_bytes().first()? {
            b'{' => serde_json::from_str::<BTreeMap<Cow<'a, str>, &'a RawValue>>(value.get())
                .ok()?
                .remove(step.as_ref())?,
            b'[' => {
                let at: usize = step.parse().ok()?;
                serde_json::from_str::<Vec<&'a RawValue>>(value.get()).ok()?.get(at).copied()?
            }
            _ => return None,
        };
    }
    Some(value)
}

/// A JSON Pointer (RFC 6901) begins with a slash; anything else has dots between its steps.
fn steps(path: &str) -> Vec<Cow<'_, str>> {
    match path.strip_prefix('/') {
        Some(pointer) => {
            pointer.split('/').map(|step| Cow::from(step.replace("~1", "/").replace("~0", "~"))).collect()
        }
        None if path.contains('.') => path.split('.').map(Cow::from).collect(),
        None => vec![Cow::from(path)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(json: &str, path: &str) -> Option<String> {
        let entries: BTreeMap<String, Box<RawValue>> = serde_json::from_str(json).unwrap();
        let entries: Vec<_> = entries.into_iter().collect();
        follow(&entries, path).map(|value| value.get().to_owned())
    }

    #[test]
    fn dots_and_pointers_lead_into_objects_and_lists() {
        let json = r#"{"data":{"text":"a b","n/m":{"~":1}},"list":[{"v":1.50},"x"]}"#;
        assert_eq!(at(json, "data.text").as_deref(), Some("\"a b\""));
        assert_eq!(at(json, "/data/text").as_deref(), Some("\"a b\""));
        assert_eq!(at(json, "/data/n~1m/~0").as_deref(), Some("1"));
        assert_eq!(at(json, "list.0.v").as_deref(), Some("1.50"), "as it was written");
        assert_eq!(at(json, "list.1").as_deref(), Some("\"x\""));
        for nowhere in ["data", "data.none", "list.9", "list.-1", "list.1.x", "none.a", "", "/", "."] {
            assert_eq!(at(json, nowhere), None, "{nowhere:?}");
        }
    }

    #[test]
    fn a_path_begins_at_a_column() {
        let columns = ["data".to_owned(), "a.b".to_owned()];
        assert!(leads_below(&columns, "data.text") && leads_below(&columns, "/data/text"));
        assert!(!leads_below(&columns, "text.data") && !leads_below(&columns, "data"));
    }
}
