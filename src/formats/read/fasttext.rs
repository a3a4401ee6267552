//! fastText's lines: one label or several, each behind `__label__`, then the text.

use std::io;

use serde_json::value::RawValue;

use super::detected::{Detected, Layout};
use super::encoding::Advice;
use super::format::{InputFormat, Parsed, Recognised, Records};
use super::parse::{RECORD_BUDGET, row_with_text, text_of};
use super::physical::PhysicalLines;
use super::row::{Columns, Row};
use super::turns::{Part, parts};
use crate::domain::turn::joined;
use crate::formats::write::cell::quoted;

const PREFIX: &str = "__label__";
const NAME: &str = "fastText";
const COLUMNS: [&str; 2] = ["label", "text"];

pub(super) static FASTTEXT: InputFormat = InputFormat {
    names: &[NAME],
    extensions: &[],
    chosen_by: |options| options.format.as_deref() == Some("fasttext"),
    unmistakable: |sample| {
        let extension = sample.extension();
        !["csv", "tsv"].contains(&extension.as_str())
            && sample.text.trim_ascii_start().starts_with(PREFIX.as_bytes())
    },
    recognise: |sample, options| {
        if !(FASTTEXT.chosen_by)(options) && !(FASTTEXT.unmistakable)(sample) {
            return Ok(None);
        }
        let text = String::from_utf8_lossy(sample.text);
        let rows = text.lines().take(100).map(|line| <[String; 2]>::from(split(line)).to_vec()).collect();
        Ok(Some(Recognised {
            rows,
            ..Recognised::new(NAME, Layout::Keys, COLUMNS.map(str::to_owned).into(), |source| {
                Box::new(LabelledLines(PhysicalLines::new(source, RECORD_BUDGET)))
            })
        }))
    },
};

struct LabelledLines(PhysicalLines);

/// The labels before a text, several as a JSON list, and the text.
struct Labelled(String, String);

impl From<Labelled> for [String; 2] {
    fn from(Labelled(label, text): Labelled) -> Self {
        [label, text]
    }
}

fn split(line: &str) -> Labelled {
    let (mut labels, mut rest) = (Vec::new(), line);
    while let Some(after) = rest.trim_start().strip_prefix(PREFIX) {
        let end = after.find(char::is_whitespace).unwrap_or(after.len());
        labels.push(&after[..end]);
        rest = after.get(end..).unwrap_or_default();
    }
    let label = match labels.as_slice() {
        [] => String::new(),
        [only] => (*only).to_owned(),
        several => serde_json::Value::from(several.to_vec()).to_string(),
    };
    let text = if labels.is_empty() { rest } else { rest.strip_prefix([' ', '\t']).unwrap_or(rest) };
    Labelled(label, text.to_owned())
}

impl Records for LabelledLines {
    fn next_record(&mut self, detected: &Detected, advice: &Advice) -> io::Result<Option<Parsed>> {
        let Some(line) = self.0.next_line()? else { return Ok(None) };
        Ok(Some(text_of(&line, advice).and_then(|text| {
            let cells: [String; 2] = split(text).into();
            let cell = |i: usize| cells.get(i).filter(|cell| !cell.is_empty()).cloned();
            let part = |i: &usize| Some((detected.columns[*i].as_str(), Part::Text(cells.get(*i)?.clone())));
            let row = Row {
                line: line.number,
                text: joined(&parts(detected.text.iter().filter_map(part), detected)),
                external_id: detected.id.and_then(cell),
                gold: detected.gold.and_then(cell),
                labels: detected.labels.and_then(cell).into_iter().collect(),
                labelled_at: detected.labelled_at.and_then(cell),
                columns: Columns::Keys(
                    COLUMNS
                        .iter()
                        .zip(&cells)
                        .filter_map(|(name, cell)| {
                            Some(((*name).to_owned(), RawValue::from_string(quoted(cell)).ok()?))
                        })
                        .collect(),
                ),
            };
            row_with_text(row, line.bytes)
        })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_stand_before_the_text_and_the_rest_is_the_text() {
        let of = |line| <[String; 2]>::from(split(line));
        assert_eq!(of("__label__spam win a car"), ["spam", "win a car"]);
        assert_eq!(of("__label__a __label__b  two"), ["[\"a\",\"b\"]", " two"]);
        assert_eq!(of("no label here"), ["", "no label here"]);
        assert_eq!(of("__label__alone"), ["alone", ""]);
    }
}
