//! What is written as Parquet and Arrow, read again.

use std::io;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::batches::value;
use super::{ARROW, PARQUET};
use crate::domain::read_options::ReadOptions;
use crate::formats::read::reader::{Entry, Reader};
use crate::formats::read::row::{TextCell, unpack};
use crate::formats::write::cell::Cell;
use crate::formats::write::sink::{ColumnType, RowWriter, columns};

const COLUMNS: [(&str, ColumnType); 5] = [
    ("text", ColumnType::Text),
    ("n", ColumnType::Integer),
    ("p", ColumnType::Float),
    ("sure", ColumnType::Boolean),
    ("any", ColumnType::Json),
];

/// What is written, read again: each row's columns as JSON.
fn there_and_back(rows: &[[Cell; 5]]) -> Vec<Vec<Vec<Value>>> {
    [(&PARQUET, "a.parquet"), (&ARROW, "a.arrow")]
        .into_iter()
        .map(|(format, name)| {
            let mut out = Vec::new();
            let mut writer = RowWriter::new(&mut out, format, columns(&COLUMNS)).unwrap();
            rows.iter().for_each(|row| writer.write_row(row).unwrap());
            writer.finish().unwrap();
            let options = ReadOptions { text: vec!["text".into()], ..ReadOptions::default() };
            let mut reader = Reader::open(Box::new(io::Cursor::new(out)), name, &options).unwrap();
            let detected = reader.detected().clone();
            let mut back = Vec::new();
            while let Some(Entry::Row(row)) = reader.next_entry().unwrap() {
                let cells = unpack(&row.pack(&detected, TextCell::Kept), &detected, &row.text).unwrap();
                back.push(cells.iter().map(|(_, cell)| value(cell)).collect());
            }
            back
        })
        .collect()
}

fn row(text: &str, any: Value) -> [Cell; 5] {
    [text.into(), 3i64.into(), 0.5.into(), true.into(), Cell::from(any)]
}

#[test]
fn a_column_of_anything_gets_the_type_that_fits_all_its_values() {
    let turns = json!([{ "role": "user", "content": "Hi" }, { "role": "bot" }]);
    for (given, back) in [
        (vec![json!(1), json!(2)], vec![json!(1), json!(2)]),
        (vec![json!(1), json!(0.5)], vec![json!(1.0), json!(0.5)]),
        (vec![json!(1), json!("x")], vec![json!("1"), json!("x")]),
        (vec![json!(["a"]), json!([])], vec![json!(["a"]), json!([])]),
        (vec![json!({}), Value::Null], vec![json!("{}"), Value::Null]),
        (
            vec![json!({ "a": 1 }), json!({ "b": [true] })],
            vec![json!({ "a": 1, "b": null }), json!({ "a": null, "b": [true] })],
        ),
        (
            vec![turns, Value::Null],
            vec![
                json!([{ "role": "user", "content": "Hi" }, { "role": "bot", "content": null }]),
                Value::Null,
            ],
        ),
        (vec![json!(u64::MAX), json!(1)], vec![json!(u64::MAX.to_string()), json!("1")]),
    ] {
        let rows: Vec<[Cell; 5]> = given.iter().map(|any| row("a b", any.clone())).collect();
        for rows in there_and_back(&rows) {
            let any: Vec<&Value> = rows.iter().map(|row| &row[4]).collect();
            assert_eq!(any, back.iter().collect::<Vec<_>>());
            assert_eq!(rows[0][..4], [json!("a b"), json!(3), json!(0.5), json!(true)]);
        }
    }
}

#[test]
fn more_rows_than_a_batch_come_back_in_order() {
    let rows: Vec<[Cell; 5]> = (0..5_000).map(|i| row(&format!("text {i}"), json!(i))).collect();
    for back in there_and_back(&rows) {
        assert_eq!(back.len(), rows.len());
        assert!(back.iter().enumerate().all(|(i, row)| row[4] == json!(i)));
    }
}

proptest! {
    #[test]
    fn any_text_comes_back_to_the_byte(texts in prop::collection::vec("[^\\x00]{1,40}", 1..5)) {
        prop_assume!(texts.iter().all(|text| !text.trim().is_empty()));
        let rows: Vec<[Cell; 5]> = texts.iter().map(|text| row(text, json!(text))).collect();
        for back in there_and_back(&rows) {
            for (row, text) in back.iter().zip(&texts) {
                prop_assert_eq!(row[0].as_str(), Some(text.as_str()));
                prop_assert_eq!(row[4].as_str(), Some(text.as_str()));
            }
        }
    }
}
