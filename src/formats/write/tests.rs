//! Every format of the list, on the same rows.

use std::io::{self, Write};

use super::cell::Cell;
use super::sink::{ColumnType, OutputFormat, RowWriter, columns};
use super::*;

fn written(format: &OutputFormat, names: &[(&str, ColumnType)], rows: &[&[Cell]]) -> String {
    let mut out = Vec::new();
    let mut writer = RowWriter::new(&mut out, format, columns(names)).unwrap();
    for row in rows {
        writer.write_row(row).unwrap();
    }
    writer.finish().unwrap();
    String::from_utf8(out).unwrap()
}

const EACH: [(&str, ColumnType); 8] = [
    ("text", ColumnType::Text),
    ("p", ColumnType::Float),
    ("gold", ColumnType::Text),
    ("note", ColumnType::Text),
    ("n", ColumnType::Integer),
    ("kappa", ColumnType::Float),
    ("tied", ColumnType::Boolean),
    ("labels", ColumnType::Json),
];

#[test]
fn one_row_with_a_cell_of_each_type_in_both_formats() {
    let cells = [
        Cell::from("a \"b\",\nc"),
        Cell::from(0.25),
        Cell::Null,
        Cell::from("=1+1"),
        Cell::from(-3i64),
        Cell::Decimal { value: 0.5, places: 6 },
        Cell::from(false),
        Cell::Json("{\"spam\":[1, 2]}".into()),
    ];
    assert_eq!(
        written(&JSONL, &EACH, &[&cells]),
        "{\"text\":\"a \\\"b\\\",\\nc\",\"p\":0.25,\"gold\":null,\"note\":\"=1+1\",\"n\":-3,\"kappa\":0.500000,\"tied\":false,\
         \"labels\":{\"spam\":[1, 2]}}\n"
    );
    assert_eq!(
        written(&CSV, &EACH, &[&cells]),
        "text,p,gold,note,n,kappa,tied,labels\n\
         \"a \"\"b\"\",\nc\",0.25,,=1+1,-3,0.500000,false,\"{\"\"spam\"\":[1, 2]}\"\n"
    );
}

#[test]
fn a_missing_key_stays_missing_and_a_row_is_as_wide_as_its_columns() {
    let columns = ["a", "b", "c"].map(|name| (name, ColumnType::Integer));
    let absent = [Cell::Absent, Cell::from(1i64)];
    let wide = [Cell::from(1i64), Cell::Null, Cell::Absent, Cell::from(4i64)];
    assert_eq!(written(&JSONL, &columns, &[&absent, &[], &wide]), "{\"b\":1}\n{}\n{\"a\":1,\"b\":null}\n");
    assert_eq!(written(&CSV, &columns, &[&absent, &wide]), "a,b,c\n,1,\n1,,\n");
}

#[test]
fn a_full_disk_is_reported_at_the_latest_when_finishing() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let built = |format: &&&OutputFormat| cfg!(feature = "columnar") || !format.binary;
    for format in OUTPUT_FORMATS.iter().filter(built) {
        let mut full = Full;
        let two = columns(&[("text", ColumnType::Text), ("label", ColumnType::Text)]);
        let written = RowWriter::new(&mut full, format, two).and_then(|mut writer| {
            writer.write_row(&[Cell::from("x"), Cell::from("y")])?;
            writer.finish()
        });
        let error = written.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull, "{}", format.name);
    }
}

#[test]
fn a_format_is_chosen_by_its_name_then_by_the_extension_of_the_file_then_by_default() {
    let chosen = |asked: Option<&str>, out: Option<&str>| {
        chosen_format(asked.map(|name| output_format(name).unwrap()), out.map(Path::new)).name
    };
    assert!(written(&CSV_FOR_EXCEL, &EACH, &[]).starts_with("\u{feff}text,p,"));
    for format in OUTPUT_FORMATS {
        assert_eq!(chosen(Some(format.name), Some("out.csv")), format.name);
        for extension in format.extensions {
            assert_eq!(chosen(None, Some(&format!("a.b/out.{}", extension.to_uppercase()))), format.name);
        }
    }
    assert_eq!([None, Some("out"), Some("out.txt")].map(|out| chosen(None, out)), ["jsonl"; 3]);
    let why = output_format("xml").unwrap_err().to_string();
    assert_eq!(
        why,
        "cannot write the format 'xml': there is no such format. The formats are jsonl, csv, label-studio, doccano, argilla, \
                     prodigy, spacy, fasttext, parquet, arrow"
    );
}

#[test]
fn no_two_formats_share_a_name_or_an_extension() {
    let each = |names: &dyn Fn(&OutputFormat) -> Vec<&'static str>| {
        let mut names: Vec<&str> = OUTPUT_FORMATS.iter().copied().flat_map(names).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{names:?}");
    };
    each(&|format| vec![format.name]);
    each(&|format| format.extensions.to_vec());
}
