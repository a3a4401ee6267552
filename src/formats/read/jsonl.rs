//! JSONL: one object on each line, its keys the columns.

use std::collections::{HashMap, HashSet};
use std::io;

use serde_json::value::RawValue;
use serde_json::{Map, Value};

use super::columns;
use super::detected::{Detected, LABEL, Layout, PREDICTION, Tool};
use super::encoding::Advice;
use super::excerpt::excerpt;
use super::format::{InputFormat, Parsed, Recognised, Records, Sample};
use super::json::{CUT, EXTENSIONS};
use super::parse::{RECORD_BUDGET, SKIP_HINT, row_with_text, text_of};
use super::physical::{Line, PhysicalLines};
use super::row::{BadRow, Columns, Entries, Row, value_of};
use super::tool::plain_label;
use super::turns::{Part, parts, turns_of};
use crate::domain::fault::{Fault, Result};
use crate::domain::read_options::ReadOptions;
use crate::domain::turn::joined;

pub(super) static JSONL: InputFormat = InputFormat {
    names: &["JSONL", "JSON"],
    extensions: EXTENSIONS,
    chosen_by: |options| matches!(options.format.as_deref(), Some("json" | "jsonl")),
    unmistakable: |_| false,
    recognise,
};

/// The most rows by whose keys a program is told and nested values are found.
const JUDGED: usize = 50;
/// The most nested values that are found.
const MOST_NESTED: usize = 50;

fn recognise(sample: &Sample<'_>, options: &ReadOptions) -> Result<Option<Recognised>> {
    let named = (JSONL.chosen_by)(options) || EXTENSIONS.contains(&sample.extension().as_str());
    if named || sample.text.trim_ascii_start().starts_with(b"{") {
        return table(sample).map(Some);
    }
    if is_array(sample.text) { Err(array(sample)) } else { Ok(None) }
}

fn table(sample: &Sample<'_>) -> Result<Recognised> {
    let text = String::from_utf8_lossy(sample.text);
    let (mut columns, mut objects, mut first_wrong) = (Vec::<String>::new(), Vec::new(), None);
    let mut known = HashSet::new();
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        match object(line) {
            Ok(entries) => {
                for (name, _) in &entries {
                    if known.insert(name.clone()) {
                        columns.push(name.clone());
                    }
                }
                objects.push(entries);
            }
            Err(why) => first_wrong = first_wrong.or(Some(why)),
        }
    }
    if columns.is_empty() {
        if is_array(sample.text) {
            return Err(array(sample));
        }
        let why = first_wrong.map_or("its objects have no keys".into(), |why| format!("line 1: {why}"));
        return Err(sample.fault(why).hint("JSONL has one object on each line"));
    }
    let first: Vec<Map<String, Value>> = objects
        .iter()
        .take(JUDGED)
        .map(|entries| {
            entries
                .iter()
                .map(|(name, value)| (name.clone(), serde_json::from_str(value.get()).unwrap_or_default()))
                .collect()
        })
        .collect();
    let tool = Tool::of(&first);
    // Objects that have no key in common would make a table of their number squared.
    let rows = columns::enough(&objects, columns.len())
        .iter()
        .map(|entries| {
            let cells: HashMap<&str, &RawValue> =
                entries.iter().map(|(name, v)| (name.as_str(), &**v)).collect();
            let cell = |name: &String| sampled(cells.get(name.as_str())?);
            columns.iter().map(|name| cell(name).unwrap_or_default()).collect()
        })
        .collect();
    Ok(Recognised {
        rows,
        tool,
        tool_text: tool.and_then(|tool| tool.text(&first)),
        nested: nested(&first),
        ..Recognised::new("JSONL", Layout::Keys, columns, |source| {
            Box::new(Objects(PhysicalLines::new(source, RECORD_BUDGET)))
        })
    })
}

/// Paths of the strings in objects that are values, in the order of their appearance.
fn nested(rows: &[Map<String, Value>]) -> Vec<String> {
    let mut paths: Vec<String> = Vec::new();
    for (name, value) in rows.iter().flatten().filter(|(name, _)| !name.contains(['.', '/'])) {
        for (inner, value) in value.as_object().into_iter().flatten() {
            let path = format!("{name}.{inner}");
            if value.is_string()
                && !inner.contains('.')
                && paths.len() < MOST_NESTED
                && !paths.contains(&path)
            {
                paths.push(path);
            }
        }
    }
    paths
}

/// `[` and then something that an array can hold; `[Intro] la la la` is a text.
fn is_array(text: &[u8]) -> bool {
    let Some(rest) = text.trim_ascii_start().strip_prefix(b"[") else {
        return false;
    };
    matches!(rest.trim_ascii_start(), [b'{' | b'[' | b'"', ..])
}

/// What a turn of a conversation has.
const ROLE: &[u8] = b"\"role\"";

fn array(sample: &Sample<'_>) -> Fault {
    sample
        .fault("it has JSON arrays instead of objects")
        .hint(match sample.text.windows(ROLE.len()).any(|part| part == ROLE) {
            true => "Put each conversation under a key: {\"messages\": [{\"role\": \"…\", \"content\": \"…\"}]}, one on each line",
            false => "A row is an object with a key for each column: {\"text\": \"…\"}, one on each line or all in one array",
        })
}

struct Objects(PhysicalLines);

impl Records for Objects {
    fn next_record(&mut self, detected: &Detected, advice: &Advice) -> io::Result<Option<Parsed>> {
        Ok(self.0.next_line()?.map(|line| parse(&line, detected, advice)))
    }
}

/// A line with a JSON object as a row.
fn parse(line: &Line<'_>, detected: &Detected, advice: &Advice) -> Parsed {
    let text = text_of(line, advice)?;
    if text.trim().is_empty() {
        return Ok(None);
    }
    if line.bytes == CUT {
        let hint = "Get the file again; --skip-bad takes the rows that are whole";
        return Err(BadRow::new(line.number, "the file ends before its JSON array does", hint, b""));
    }
    let bad = |why: String| BadRow::new(line.number, why, SKIP_HINT, line.bytes);
    let entries = object(text).map_err(bad)?;
    let wrong = |key: &str, what: &str| {
        let bad = bad(format!("the value of '{}' {what}", excerpt(key)));
        match string_inside(&entries, key) {
            Some(path) => {
                BadRow { hint: format!("Name a value inside it, such as '{}'", excerpt(&path)), ..bad }
            }
            None => bad,
        }
    };
    let cell = |i: usize| {
        let key = detected.columns[i].as_str();
        plain_of(&entries, key).map_err(|what| wrong(key, what))
    };
    let missing = |i: &usize| value_of(&entries, &detected.columns[*i]).is_none();
    if detected.text.iter().all(missing) {
        let keys: Vec<String> =
            detected.text.iter().map(|i| format!("'{}'", excerpt(&detected.columns[*i]))).collect();
        return Err(bad(format!("it has no key {}", keys.join(" or "))));
    }
    let mut texts = Vec::with_capacity(detected.text.len());
    for i in &detected.text {
        let key = detected.columns[*i].as_str();
        let value = value_of(&entries, key);
        if value.is_some_and(|value| key == "text" && is_list_of_strings(value)) {
            return Err(wrong(key, "is a list of texts; call it turns if they are those of a conversation"));
        }
        let part = value.map_or(Ok(None), part_of).map_err(|what| wrong(key, what))?;
        texts.extend(part.map(|part| (key, part)));
    }
    let row = Row {
        line: line.number,
        text: joined(&parts(texts.into_iter(), detected)),
        external_id: detected.id.map(cell).transpose()?.flatten(),
        gold: detected.gold.and_then(|column| label_of(&entries, detected, column)),
        labels: labels_of(&entries, detected),
        labelled_at: detected.labelled_at.map(cell).transpose()?.flatten(),
        columns: Columns::Text,
    };
    row_with_text(Row { columns: Columns::Keys(entries), ..row }, line.bytes)
}

/// A list of one label is that label. Several, such as the answers of several annotators, are kept as JSON.
fn label_of(entries: &[(String, Box<RawValue>)], detected: &Detected, column: usize) -> Option<String> {
    let column = detected.columns[column].as_str();
    match (detected.tool, column) {
        (Some(tool), LABEL) => return tool.label(entries),
        (Some(tool), PREDICTION) => return tool.prediction(entries),
        _ => {}
    }
    let value = value_of(entries, column)?;
    plain(value).unwrap_or_else(|_| match serde_json::from_str::<Value>(value.get()) {
        Ok(nested) => {
            let written = nested.to_string();
            plain_label(&nested).map(|label| if label == written { value.get().to_owned() } else { label })
        }
        Err(_) => Some(value.get().to_owned()),
    })
}

/// The labels that somebody has given, one of each answer: a list has several.
fn labels_of(entries: &[(String, Box<RawValue>)], detected: &Detected) -> Vec<String> {
    let Some(column) = detected.labels else { return Vec::new() };
    if let (Some(tool), LABEL) = (detected.tool, detected.columns[column].as_str()) {
        return tool.answers(entries);
    }
    label_of(entries, detected, column).into_iter().collect()
}

/// The path of a string in the object under a key, the last one in the order of the object.
fn string_inside(entries: &[(String, Box<RawValue>)], key: &str) -> Option<String> {
    let inside: Map<String, Value> = serde_json::from_str(value_of(entries, key)?.get()).ok()?;
    let strings = || inside.iter().filter(|(_, value)| value.is_string()).map(|(name, _)| name);
    let name = strings().find(|name| columns::is_text_name(name)).or_else(|| strings().next_back())?;
    Some(format!("{key}.{name}"))
}

/// One line as its keys and values.
///
/// # Errors
/// A clause that says what is wrong and at which character.
fn object(line: &str) -> Result<Vec<(String, Box<RawValue>)>, String> {
    match line.trim_start().as_bytes().first() {
        Some(b'[') => return Err("it is a JSON array instead of an object".into()),
        Some(b'"') => return Err("it is a JSON string instead of an object".into()),
        _ => {}
    }
    let Entries(entries) = serde_json::from_str(line).map_err(|e| {
        let message = e.to_string();
        let what = message.split(" at line ").next().unwrap_or(&message);
        format!("it is not a JSON object: {what} (at byte {})", e.column())
    })?;
    Ok(entries)
}

/// A value as a text, an id or a label: a string as it is, a number or a boolean as it was written; none for null.
///
/// # Errors
/// A clause, if it is an array or an object.
fn plain(value: &RawValue) -> Result<Option<String>, &'static str> {
    let json = value.get();
    match json.as_bytes().first() {
        Some(b'"') => serde_json::from_str(json).map(Some).map_err(|_| "is not a valid string"),
        Some(b'[') => Err("is an array"),
        Some(b'{') => Err("is an object"),
        Some(b'n') | None => Ok(None),
        Some(_) => Ok(Some(json.to_owned())),
    }
}

/// A value of the sample, by which the text column is chosen.
fn sampled(value: &RawValue) -> Option<String> {
    Some(match part_of(value).ok()?? {
        Part::Text(text) => text,
        Part::Turns(turns) => joined(&turns),
    })
}

/// A value as a text, or as a conversation where it is a list.
///
/// # Errors
/// A clause, if it is neither.
fn part_of(value: &RawValue) -> Result<Option<Part>, &'static str> {
    match value.get().as_bytes().first() {
        Some(b'[') => turns_of(value.get()).map(|turns| Some(Part::Turns(turns))),
        _ => Ok(plain(value)?.map(Part::Text)),
    }
}

/// Under the key of a text, such a list is an odd value rather than a conversation.
fn is_list_of_strings(value: &RawValue) -> bool {
    value.get().starts_with('[')
        && serde_json::from_str::<Vec<String>>(value.get()).is_ok_and(|list| !list.is_empty())
}

/// The value under a key as [`plain`] has it; none if the key is missing.
///
/// # Errors
/// A clause that does not name the key.
fn plain_of(entries: &[(String, Box<RawValue>)], key: &str) -> Result<Option<String>, &'static str> {
    value_of(entries, key).map_or(Ok(None), plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_object_is_refused_with_the_place() {
        assert_eq!(object("[1]").unwrap_err(), "it is a JSON array instead of an object");
        assert!(object("\"a\"").unwrap_err().contains("string"));
        let why = object("{\"a\": 1,}").unwrap_err();
        assert!(
            why.contains("trailing comma") && why.contains("at byte 9") && !why.contains("line"),
            "{why}"
        );
        assert!(object("{\"a\":1} x").is_err());
        assert!(object(&"[".repeat(100_000)).is_err());
        assert!(object(&format!("{{\"a\":{}", "[".repeat(100_000))).is_err(), "depth is limited");
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        let entries = object(r#"{"a":1.50,"b":null,"c":[1],"d":"é\n"}"#).unwrap();
        assert_eq!(plain_of(&entries, "a"), Ok(Some("1.50".into())));
        assert_eq!(plain_of(&entries, "b"), Ok(None));
        assert!(plain_of(&entries, "c").is_err());
        assert_eq!(plain_of(&entries, "d"), Ok(Some("é\n".into())));
        assert_eq!(plain_of(&entries, "z"), Ok(None));
    }
}
