//! JSONL: one object on each line, its keys the columns.

use std::collections::{HashMap, HashSet};
use std::io;

use serde_json::value::RawValue;

use super::columns;
use super::detected::{Detected, Layout};
use super::encoding::Advice;
use super::excerpt::excerpt;
use super::format::{InputFormat, Parsed, Recognised, Records, Sample};
use super::parse::{RECORD_BUDGET, SKIP_HINT, row_with_text, text_of};
use super::physical::{Line, PhysicalLines};
use super::row::{BadRow, Columns, Entries, Row, value_of};
use super::turns::{Part, parts, turns_of};
use crate::domain::fault::{Fault, Result};
use crate::domain::read_options::ReadOptions;
use crate::domain::turn::joined;

const EXTENSIONS: &[&str] = &["jsonl", "ndjson", "json"];

pub(super) static JSONL: InputFormat =
    InputFormat { names: &["JSONL"], extensions: EXTENSIONS, chosen_by: |_| false, recognise };

fn recognise(sample: &Sample<'_>, _: &ReadOptions) -> Result<Option<Recognised>> {
    let named = EXTENSIONS.contains(&sample.extension().as_str());
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
        return Err(sample
            .fault(why)
            .hint("JSONL has one object on each line; convert it with jq -c . FILE"));
    }
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
        format: "JSONL".into(),
        layout: Layout::Keys,
        header: false,
        columns,
        rows,
        open: Box::new(|source| Box::new(Objects(PhysicalLines::new(source, RECORD_BUDGET)))),
    })
}

/// `[` and then something that an array can hold; `[Intro] la la la` is a text.
fn is_array(text: &[u8]) -> bool {
    let Some(rest) = text.trim_ascii_start().strip_prefix(b"[") else {
        return false;
    };
    matches!(rest.trim_ascii_start(), [b'{' | b'[' | b'"', ..])
}

fn array(sample: &Sample<'_>) -> Fault {
    sample
        .fault("it is one JSON array instead of one object on each line")
        .hint("Convert it: jq -c '.[]' FILE > FILE.jsonl")
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
    let bad = |why: String| BadRow::new(line.number, why, SKIP_HINT, line.bytes);
    let entries = object(text).map_err(bad)?;
    let cell = |i: usize| {
        let key = &detected.columns[i];
        plain_of(&entries, key).map_err(|what| bad(format!("the value of '{}' {what}", excerpt(key))))
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
        let part = value_of(&entries, key).map_or(Ok(None), part_of);
        let part = part.map_err(|what| bad(format!("the value of '{}' {what}", excerpt(key))))?;
        texts.extend(part.map(|part| (key, part)));
    }
    let row = Row {
        line: line.number,
        text: joined(&parts(texts.into_iter(), detected)),
        external_id: detected.id.map(cell).transpose()?.flatten(),
        gold: gold_of(&entries, detected),
        columns: Columns::Text,
    };
    row_with_text(Row { columns: Columns::Keys(entries), ..row }, line.bytes)
}

/// A gold label may be a list or an object, such as the answers of several annotators. It is then kept as JSON.
fn gold_of(entries: &[(String, Box<RawValue>)], detected: &Detected) -> Option<String> {
    let value = value_of(entries, &detected.columns[detected.gold?])?;
    plain(value).unwrap_or_else(|_| Some(value.get().to_owned()))
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
