//! Plain lines: a text on each line. Takes any text that no other format recognises.

use std::io;

use super::detected::{Detected, Layout};
use super::encoding::Advice;
use super::format::{InputFormat, Parsed, Recognised, Records};
use super::parse::{RECORD_BUDGET, row_with_text, text_of};
use super::physical::PhysicalLines;
use super::row::{Columns, Row};

pub(super) static LINES: InputFormat = InputFormat {
    names: &["plain lines"],
    extensions: &[],
    chosen_by: |options| options.format.as_deref() == Some("lines"),
    unmistakable: |_| false,
    recognise: |_, _| {
        Ok(Some(Recognised::new("plain lines", Layout::Text, vec!["text".into()], |source| {
            Box::new(PlainLines(PhysicalLines::new(source, RECORD_BUDGET)))
        })))
    },
};

struct PlainLines(PhysicalLines);

impl Records for PlainLines {
    fn next_record(&mut self, _: &Detected, advice: &Advice) -> io::Result<Option<Parsed>> {
        let Some(line) = self.0.next_line()? else { return Ok(None) };
        Ok(Some(text_of(&line, advice).and_then(|text| {
            let row = Row {
                line: line.number,
                text: text.to_owned(),
                external_id: None,
                gold: None,
                labels: Vec::new(),
                labelled_at: None,
                columns: Columns::Text,
            };
            row_with_text(row, line.bytes)
        })))
    }
}
