//! A row as it was read, and the compact JSON in which all its columns are kept, so that it can be exported exactly later.
//!
//! The packed form is an array in the order of the columns, or, where each row has keys of its own (JSONL), the object itself with its values
//! verbatim. A single text column may be left out of it as `null`, because the item holds the text: a row's text is never empty, so a null
//! there is never the file's own.

use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::domain::fault::{Fault, Result};

use super::detected::{Detected, Layout};
use super::path::follow;
use crate::formats::write::cell::{Cell, quoted};

/// One row with a text.
#[derive(Clone, Debug)]
pub struct Row {
    /// The line on which it begins, from 1.
    pub line: u64,
    /// The text exactly as the file has it; several text columns and the turns of a conversation are joined, each after its
    /// name.
    pub text: String,
    /// The file's own id, if a column has one.
    pub external_id: Option<String>,
    /// The known label, if a column with labels was named.
    pub gold: Option<String>,
    /// The labels that somebody has given it before, as the file has them: one of each answer.
    pub labels: Vec<String>,
    /// When they were given, as the file has it.
    pub labelled_at: Option<String>,
    pub(in crate::formats) columns: Columns,
}

/// All columns of a row.
#[derive(Clone, Debug)]
pub(in crate::formats) enum Columns {
    Text,
    /// In the order of `Detected::columns`.
    Cells(csv::StringRecord),
    /// The row's own keys in their order, with their JSON values verbatim.
    Keys(Vec<(String, Box<RawValue>)>),
}

/// Whether a packed row repeats its text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextCell {
    /// Left out: the item's text is this row's text to the byte.
    Elided,
    /// Kept: the row folded into an item whose text differs in white space or composition.
    Kept,
}

impl Row {
    /// All columns as one line of JSON. With several text columns none is left out.
    pub fn pack(&self, detected: &Detected, text: TextCell) -> String {
        let elided = match (text, detected.text.as_slice()) {
            (TextCell::Elided, [only]) => Some(*only),
            _ => None,
        };
        let mut out = String::new();
        match &self.columns {
            Columns::Text => {
                out.push('[');
                push_cell(&mut out, &self.text, elided.is_some());
                out.push(']');
            }
            Columns::Cells(record) => {
                let mut before = '[';
                for (i, cell) in record.iter().enumerate() {
                    out.push(before);
                    push_cell(&mut out, cell, elided == Some(i));
                    before = ',';
                }
                out.push(']');
            }
            Columns::Keys(entries) => {
                // A key may occur twice; the last one is the text.
                let key = elided.map(|i| detected.columns[i].as_str());
                let text = entries.iter().rposition(|(name, _)| key == Some(name.as_str()));
                // A row has a text, so there is at least one entry.
                let mut before = '{';
                for (i, (name, value)) in entries.iter().enumerate() {
                    out.push(before);
                    out.push_str(&quoted(name));
                    out.push(':');
                    let elide = text == Some(i) && value.get().starts_with('"');
                    out.push_str(if elide { NULL } else { value.get() });
                    before = ',';
                }
                out.push('}');
            }
        }
        out
    }

    /// The columns to be shown next to the text, as one JSON object; none if no column was named or the row has none of them.
    pub fn meta(&self, detected: &Detected) -> Option<String> {
        let shown: Vec<String> = detected
            .meta
            .iter()
            .filter_map(|&i| {
                let value = match &self.columns {
                    Columns::Text => quoted(&self.text),
                    Columns::Cells(record) => quoted(record.get(i)?),
                    Columns::Keys(entries) => readable(value_of(entries, &detected.columns[i])?.get()),
                };
                Some(format!("{}:{value}", quoted(&detected.columns[i])))
            })
            .collect();
        (!shown.is_empty()).then(|| format!("{{{}}}", shown.join(",")))
    }
}

/// A value that any JSON reader takes. Half a surrogate pair or a number too large for any type is kept with the row as it was written; next to
/// the text it is shown as a string.
fn readable(json: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(json) {
        Ok(_) => json.to_owned(),
        Err(_) => quoted(json),
    }
}

const NULL: &str = "null";

fn push_cell(out: &mut String, cell: &str, elide: bool) {
    if elide { out.push_str(NULL) } else { out.push_str(&quoted(cell)) }
}

/// The value under a key, or at the end of a path where no key is called so; the last one if the key occurs twice, as usual in JSON readers.
pub(in crate::formats) fn value_of<'a>(
    entries: &'a [(String, Box<RawValue>)],
    key: &str,
) -> Option<&'a RawValue> {
    let own = entries.iter().rev().find(|(name, _)| name == key).map(|(_, value)| value.as_ref());
    own.or_else(|| follow(entries, key))
}

/// The columns of a packed row by name, in the order of the file. `text` is the item's text, for the cell that was left out.
///
/// # Errors
/// A fault if `packed` does not come from [`Row::pack`] with the same `detected`.
pub fn unpack(packed: &str, detected: &Detected, text: &str) -> Result<Vec<(String, Cell)>> {
    let broken = |e: serde_json::Error| Fault::new("read the columns of an imported row", e.to_string());
    let text_column = match detected.text.as_slice() {
        [only] => detected.columns.get(*only).map(String::as_str),
        _ => None,
    };
    let restore = |name: &str, cell: Cell| match cell {
        Cell::Null if text_column == Some(name) => Cell::from(text),
        other => other,
    };
    if detected.layout == Layout::Keys {
        let Entries(entries) = serde_json::from_str(packed).map_err(broken)?;
        let last = entries.iter().rposition(|(name, _)| text_column == Some(name.as_str()));
        let cells = entries.into_iter().enumerate().map(|(i, (name, value))| {
            let cell = cell_of(&value);
            let cell = if last == Some(i) { restore(&name, cell) } else { cell };
            (name, cell)
        });
        return Ok(cells.collect());
    }
    let cells: Vec<Option<String>> = serde_json::from_str(packed).map_err(broken)?;
    if cells.len() != detected.columns.len() {
        let why = format!("it has {} columns and its source {}", cells.len(), detected.columns.len());
        return Err(Fault::new("read the columns of an imported row", why));
    }
    Ok(detected
        .columns
        .iter()
        .zip(cells)
        .map(|(name, cell)| (name.clone(), restore(name, cell.into())))
        .collect())
}

/// A packed row with its text put back, which may have been left out because its item held the same.
///
/// # Errors
/// Those of [`unpack`].
pub fn fill_text(packed: &str, detected: &Detected, text: &str) -> Result<String> {
    let broken = |e: serde_json::Error| Fault::new("read the columns of an imported row", e.to_string());
    let [only] = detected.text.as_slice() else { return Ok(packed.to_owned()) };
    if detected.layout != Layout::Keys {
        let mut cells: Vec<Option<String>> = serde_json::from_str(packed).map_err(broken)?;
        if let Some(cell) = cells.get_mut(*only) {
            cell.get_or_insert_with(|| text.to_owned());
        }
        return serde_json::to_string(&cells).map_err(broken);
    }
    let Entries(entries) = serde_json::from_str(packed).map_err(broken)?;
    let key = detected.columns.get(*only).map(String::as_str);
    let last = entries.iter().rposition(|(name, _)| key == Some(name.as_str()));
    let cells: Vec<String> = entries
        .iter()
        .enumerate()
        .map(|(i, (name, value))| {
            let left_out = last == Some(i) && value.get() == NULL;
            format!("{}:{}", quoted(name), if left_out { quoted(text) } else { value.get().into() })
        })
        .collect();
    Ok(format!("{{{}}}", cells.join(",")))
}

fn cell_of(value: &RawValue) -> Cell {
    match value.get() {
        "null" => Cell::Null,
        json => match serde_json::from_str::<String>(json) {
            Ok(text) => Cell::Text(text),
            Err(_) => Cell::Json(json.to_owned()),
        },
    }
}

/// A JSON object with all its keys in order, including repeated ones, and its values verbatim.
pub(in crate::formats) struct Entries(pub(in crate::formats) Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Entries;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<M: MapAccess<'de>>(self, mut map: M) -> std::result::Result<Entries, M::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// A row that could not be read. Serialised, it is one line of `DATA.rejects.jsonl`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BadRow {
    /// The line at fault, from 1.
    pub line: u64,
    /// What is wrong with the line: a clause.
    pub why: String,
    /// What to do about it.
    pub hint: String,
    /// The row itself, at most 1 KiB, with wrong bytes replaced.
    pub raw: String,
    /// What `line` counts.
    #[serde(skip)]
    pub counted: Counted,
}

/// What the number of a row counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Counted {
    /// Lines of the file, from 1.
    #[default]
    Lines,
    /// Rows of a file without lines, from 1.
    Rows,
}

impl BadRow {
    pub(in crate::formats) fn new(
        line: u64,
        why: impl Into<String>,
        hint: impl Into<String>,
        raw: &[u8],
    ) -> Self {
        const MOST: usize = 1024;
        let mut cut = raw.len().min(MOST);
        // A character is at most four bytes long: do not cut one apart.
        while cut < raw.len() && cut > MOST - 4 && raw[cut] & 0xC0 == 0x80 {
            cut -= 1;
        }
        let raw = String::from_utf8_lossy(&raw[..cut]).trim_end_matches(['\r', '\n']).to_owned();
        Self { line, why: why.into(), hint: hint.into(), raw, counted: Counted::Lines }
    }

    /// The fault with which reading `name` ends at this row.
    pub fn fault(&self, name: &str) -> Fault {
        let place = match self.counted {
            Counted::Lines => "line",
            Counted::Rows => "row",
        };
        Fault::new(format!("read {name}"), format!("{place} {}: {}", self.line, self.why)).hint(&self.hint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(layout: Layout, columns: &[&str], text: &[usize]) -> Detected {
        Detected {
            format: "a test".into(),
            layout,
            encoding: "UTF-8".into(),
            byte_order_mark: false,
            header: true,
            columns: columns.iter().map(|c| (*c).to_owned()).collect(),
            text: text.to_vec(),
            id: None,
            gold: None,
            labels: None,
            labelled_at: None,
            meta: Vec::new(),
            tool: None,
            paths: Vec::new(),
        }
    }

    fn row(text: &str, columns: Columns) -> Row {
        Row {
            line: 1,
            text: text.into(),
            external_id: None,
            gold: None,
            labels: Vec::new(),
            labelled_at: None,
            columns,
        }
    }

    #[test]
    fn a_jsonl_row_comes_back_with_its_numbers_and_order_to_the_digit() {
        let json = r#"{"z":1.10,"text":"h\u00e9 \"x\"","a":12345678901234567890123,"n":null,"o":{"p": [1]}}"#;
        let Entries(entries) = serde_json::from_str(json).unwrap();
        let detected = detected(Layout::Keys, &["z", "text", "a", "n", "o"], &[1]);
        let row = row("hé \"x\"", Columns::Keys(entries));
        let elided = row.pack(&detected, TextCell::Elided);
        assert_eq!(elided, r#"{"z":1.10,"text":null,"a":12345678901234567890123,"n":null,"o":{"p": [1]}}"#);
        for packed in [elided, row.pack(&detected, TextCell::Kept)] {
            let back: Vec<String> = unpack(&packed, &detected, &row.text)
                .unwrap()
                .iter()
                .map(|(n, c)| format!("{n}={}", c.json()))
                .collect();
            let want =
                ["z=1.10", "text=\"hé \\\"x\\\"\"", "a=12345678901234567890123", "n=null", "o={\"p\": [1]}"];
            assert_eq!(back, want);
        }
    }

    #[test]
    fn what_no_reader_takes_is_shown_as_it_was_written() {
        let Entries(entries) =
            serde_json::from_str(r#"{"text":"a","m":"\ud800","n":1e999,"o":1.50}"#).unwrap();
        let detected =
            Detected { meta: vec![1, 2, 3], ..detected(Layout::Keys, &["text", "m", "n", "o"], &[0]) };
        let meta = row("a", Columns::Keys(entries)).meta(&detected).unwrap();
        assert_eq!(meta, r#"{"m":"\"\\ud800\"","n":"1e999","o":1.50}"#);
    }

    #[test]
    fn of_a_key_that_stands_twice_only_the_text_itself_is_left_out() {
        let json = r#"{"text":null,"text":"","text":"b"}"#;
        let Entries(entries) = serde_json::from_str(json).unwrap();
        let detected = detected(Layout::Keys, &["text"], &[0]);
        let packed = row("b", Columns::Keys(entries)).pack(&detected, TextCell::Elided);
        assert_eq!(packed, r#"{"text":null,"text":"","text":null}"#);
        let back: Vec<Cell> =
            unpack(&packed, &detected, "b").unwrap().into_iter().map(|(_, cell)| cell).collect();
        assert_eq!(back, [Cell::Null, Cell::from(""), Cell::from("b")]);
        assert_eq!(fill_text(&packed, &detected, "b").unwrap(), json);
    }

    #[test]
    fn a_text_that_was_a_number_is_not_elided() {
        let Entries(entries) = serde_json::from_str(r#"{"text":1.0}"#).unwrap();
        let detected = detected(Layout::Keys, &["text"], &[0]);
        assert_eq!(row("1.0", Columns::Keys(entries)).pack(&detected, TextCell::Elided), r#"{"text":1.0}"#);
    }

    #[test]
    fn a_csv_row_keeps_every_cell_and_several_texts_are_not_elided() {
        let record = csv::StringRecord::from(vec!["1", "a,b", ""]);
        let one = detected(Layout::Cells, &["id", "text", "x"], &[1]);
        let packed = row("a,b", Columns::Cells(record.clone())).pack(&one, TextCell::Elided);
        assert_eq!(packed, r#"["1",null,""]"#);
        let back = unpack(&packed, &one, "a,b").unwrap();
        assert_eq!(back[1], ("text".to_owned(), Cell::from("a,b")));
        let two = Detected { text: vec![0, 1], ..one };
        let packed = row("1\n\na,b", Columns::Cells(record)).pack(&two, TextCell::Elided);
        assert_eq!(packed, r#"["1","a,b",""]"#);
        assert!(unpack("[\"1\"]", &two, "").is_err());
    }

    #[test]
    fn a_text_that_was_left_out_can_be_written_back_and_nothing_else_changes() {
        let csv = detected(Layout::Cells, &["id", "text"], &[1]);
        assert_eq!(fill_text(r#"["1",null]"#, &csv, "a \"b\"").unwrap(), r#"["1","a \"b\""]"#);
        assert_eq!(fill_text(r#"["1","kept"]"#, &csv, "other").unwrap(), r#"["1","kept"]"#);
        let jsonl = detected(Layout::Keys, &["z", "text"], &[1]);
        let packed = r#"{"z":1.10,"text":null,"n":null,"o":{"text": null}}"#;
        assert_eq!(
            fill_text(packed, &jsonl, "t").unwrap(),
            packed.replacen("\"text\":null", "\"text\":\"t\"", 1)
        );
        let two = Detected { text: vec![0, 1], ..csv };
        assert_eq!(
            fill_text("[null,null]", &two, "t").unwrap(),
            "[null,null]",
            "of several none is left out"
        );
    }

    #[test]
    fn what_stands_on_a_bad_row_is_cut_between_characters() {
        let long = "é".repeat(2000);
        let bad = BadRow::new(3, "why", "hint", format!("a{long}").as_bytes());
        assert!(bad.raw.len() <= 1024 && bad.raw.ends_with('é'), "{}", bad.raw.len());
        assert_eq!(BadRow::new(3, "w", "h", b"a\xFF\r\n").raw, "a\u{FFFD}");
    }
}
