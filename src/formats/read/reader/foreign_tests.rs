//! Files as other programs and other people write them.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::tests::{entries, open, read, refusal, texts, with_text};
use super::*;
use crate::formats::read::row::{TextCell, unpack};

fn found(name: &str, bytes: impl Into<Vec<u8>>, options: &ReadOptions) -> (String, Vec<String>) {
    let reader = open(name, bytes, options).unwrap();
    let described = reader.detected().to_string();
    let (rows, bad, _) = entries(reader);
    assert_eq!(bad, [], "{described}");
    (described, rows.into_iter().map(|row| row.text).collect())
}

fn gold(name: &str, bytes: impl Into<Vec<u8>>, column: &str) -> Vec<Option<String>> {
    let options = ReadOptions { gold: Some(column.into()), ..ReadOptions::default() };
    entries(open(name, bytes, &options).unwrap()).0.into_iter().map(|row| row.gold).collect()
}

fn format_in(format: &str) -> ReadOptions {
    ReadOptions { format: Some(format.into()), ..ReadOptions::default() }
}

fn gzipped(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::fast());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

#[test]
fn the_line_in_which_excel_names_the_separator_is_neither_header_nor_text() {
    let two = "sep=;\nid;text\n1;The kettle arrived with a dent\n2;Lovely colour, thank you\n3;No reply\n";
    let three = "\"sep=;\"\r\nid;topic;text\r\n1;kettle;The kettle arrived\r\n2;lamp;Lovely colour, thank you\r\n3;post;No reply to three letters\r\n";
    for text in [two, three] {
        let reader = open("a.csv", text, &ReadOptions::default()).unwrap();
        assert!(reader.detected().to_string().starts_with("CSV with ';', header"), "{}", reader.detected());
        let (rows, bad, _) = entries(reader);
        assert_eq!(
            (rows.len(), bad.len(), rows[0].line, rows[0].external_id.as_deref()),
            (3, 0, 3, Some("1"))
        );
    }
    let tab = found("a.csv", "sep=\t\nid\ttext\n1\ta, b\n", &ReadOptions::default());
    assert_eq!(tab.1, ["a, b"]);
    let (rows, ..) = read("a.csv", "text,n\nsep=;,1\nor so,2\n");
    assert_eq!(rows.len(), 2, "only the first line says it");
}

#[test]
fn a_text_that_begins_with_a_quotation_keeps_it_and_a_quote_that_never_closes_costs_its_row() {
    let csv = "id;text;note\n1;\"Scooped\" prices and what follows from them;a\n2;plain;b\n3;he said \"never\" twice;c\n";
    let (rows, bad, _) = read("a.csv", csv);
    assert_eq!(bad, []);
    assert_eq!(
        texts(&rows),
        ["\"Scooped\" prices and what follows from them", "plain", "he said \"never\" twice"]
    );
    let csv = "id;text;note\n1;\"One of the main reasons was the rain;a\n2;plain sentence;b\n3;another plain one;c\n";
    let (rows, bad, _) = read("a.csv", csv);
    assert_eq!((texts(&rows), bad.len(), bad[0].line), (vec!["plain sentence", "another plain one"], 1, 2));
}

#[test]
fn a_header_in_the_middle_of_joined_files_is_no_text() {
    let joined = "id,text\n1,one two\n\u{feff}id,text\n2,three\nid, text \n3,four\n";
    let (rows, bad, passed) = read("a.csv", joined);
    assert_eq!((texts(&rows), bad.len(), passed), (vec!["one two", "three", "four"], 0, 2));
}

#[test]
fn old_mac_line_ends_are_read() {
    let (described, texts) = found("a.csv", "id,text\r1,one two\r2,three\r", &ReadOptions::default());
    assert_eq!(texts, ["one two", "three"]);
    assert!(described.starts_with("CSV with old Mac line ends, header"), "{described}");
    assert_eq!(found("a.txt", "one two\rthree", &ReadOptions::default()).1, ["one two", "three"]);
}

#[test]
fn a_zero_byte_or_an_odd_byte_costs_its_row_and_not_the_file() {
    let zero = b"id,text\n1,the pump is loud\n2,the valve \0 leaks\n3,all is well here\n";
    let odd = b"id,text\n1,d\xC3\xA9j\xC3\xA0 vu again\n2,one byte \xFF is wrong\n3,cr\xC3\xA8me br\xC3\xBBl\xC3\xA9e for all\n";
    for file in [&zero[..], odd] {
        let (rows, bad, _) = read("a.csv", file);
        assert_eq!((rows.len(), bad.len(), bad[0].line), (2, 1, 3));
        assert!(!bad[0].hint.contains("windows-1252"), "{}", bad[0].hint);
    }
}

#[test]
fn json_that_is_not_one_object_a_line_is_read() {
    let rows = r#"{"id": 1, "text": "The handle came off"}, {"id": 2, "text": "Very good value"}"#;
    let pretty = rows.replace("{", "{\n  ").replace(", \"text\"", ",\n  \"text\"");
    let want = ["The handle came off", "Very good value"];
    let cases = [
        (format!("[{rows}]"), "JSON array, UTF-8, text in 'text', id in 'id'"),
        (format!("[\n{pretty}\n]"), "JSON array, UTF-8, text in 'text', id in 'id'"),
        (
            format!("{{\"n\": 2, \"data\": [{rows}]}}"),
            "JSON with an array of rows, UTF-8, text in 'text', id in 'id'",
        ),
        (
            format!("{{\n \"data\": [\n{pretty}\n]\n}}"),
            "JSON with an array of rows, UTF-8, text in 'text', id in 'id'",
        ),
        (pretty.replace("},", "}\n"), "JSON objects, UTF-8, text in 'text', id in 'id'"),
        (r#"["The handle came off", "Very good value"]"#.into(), "JSON array, UTF-8, text in 'text'"),
    ];
    for (json, described) in cases {
        for name in ["a.json", "-"] {
            let (said, texts) = found(name, json.clone(), &ReadOptions::default());
            assert_eq!(
                (said.as_str(), texts.as_slice()),
                (described, want.map(str::to_owned).as_slice()),
                "{json}"
            );
        }
    }
}

#[test]
fn a_broken_row_of_an_array_costs_itself_and_a_cut_array_says_so() {
    let (rows, bad, _) =
        read("a.json", "[{\"text\":\"a b\"},\n7,\n{\"text\":\"c d\",},\n{\"text\":\"e f\"}]");
    assert_eq!(texts(&rows), ["a b", "e f"]);
    assert_eq!((bad.len(), bad[0].line, bad[1].line), (2, 2, 3));
    assert!(bad[1].fault("a.json").to_string().starts_with("cannot read a.json: row 3: "), "{:?}", bad[1]);
    let (rows, bad, _) = read("a.json", "[{\"text\":\"a b\"},{\"text\":\"c d\"},");
    assert_eq!((rows.len(), bad.len()), (2, 1));
    assert_eq!(bad[0].why, "the file ends before its JSON array does");
}

#[test]
fn a_path_leads_into_nested_values_and_a_wrong_one_lists_those_there_are() {
    let jsonl =
        "{\"n\":{\"a\":\"x y\",\"b\":\"one two\"},\"m\":[{\"t\":\"z\"}]}\n{\"n\":{\"b\":\"three\"}}\n";
    for path in ["n.b", "/n/b"] {
        assert_eq!(found("a.jsonl", jsonl, &with_text(path)).1, ["one two", "three"]);
    }
    let why = open("a.jsonl", jsonl, &with_text("text")).err().unwrap().to_string();
    assert!(why.contains("no column 'text'") && why.contains("'n.a'") && why.contains("'n.b'"), "{why}");
    let options = ReadOptions { meta: vec!["m.0.t".into()], ..with_text("n.b") };
    let reader = open("a.jsonl", jsonl, &options).unwrap();
    let detected = reader.detected().clone();
    let (rows, ..) = entries(reader);
    assert_eq!(rows[0].meta(&detected).as_deref(), Some("{\"m.0.t\":\"z\"}"));
    let packed = rows[0].pack(&detected, TextCell::Elided);
    let own: Vec<String> = detected.own_columns().cloned().collect();
    assert_eq!(own, ["n", "m"], "a path is no column of the file");
    assert_eq!(unpack(&packed, &detected, &rows[0].text).unwrap().len(), 2);
    let (_, bad, _) = entries(open("a.jsonl", jsonl, &with_text("n")).unwrap());
    assert!(bad[0].why.contains("is an object") && bad[0].hint.contains("n.b"), "{:?}", bad[0]);
}

#[test]
fn a_compressed_file_is_known_by_its_bytes_and_read() {
    let csv = "id,text\n1,one two\n2,three\n";
    let (described, texts) = found("a.csv.gz", gzipped(csv.as_bytes()), &ReadOptions::default());
    assert_eq!(texts, ["one two", "three"]);
    assert!(described.starts_with("CSV in gzip, header"), "{described}");
    // Two members, one after the other, as `cat` makes them, under a name that says nothing.
    let two = [gzipped(b"id,text\n1,one two\n"), gzipped(b"2,three\n")].concat();
    assert_eq!(found("data", two, &ReadOptions::default()).1, ["one two", "three"]);
    // A frame of raw blocks: what no checksum follows can be written by hand.
    let mut frame = b"\x28\xB5\x2F\xFD".to_vec();
    frame.extend([0x20, csv.len() as u8]);
    frame.extend(&(((csv.len() as u32) << 3) | 1).to_le_bytes()[..3]);
    frame.extend(csv.as_bytes());
    let (described, texts) = found("a.csv.zst", frame.clone(), &ReadOptions::default());
    assert_eq!((texts.len(), described.starts_with("CSV in zstd")), (2, true), "{described}");
    let cut = open("a.csv.zst", &frame[..frame.len() - 5], &ReadOptions::default());
    assert!(cut.err().unwrap().to_string().starts_with("cannot read a.csv.zst: "));
    let mut reader = open("a.jsonl", &gzipped(b"{\"text\":\"a b\"}\n")[..20], &ReadOptions::default());
    assert!(reader.as_mut().map_or(true, |reader| reader.next_entry().is_err()), "a cut file is told");
}

#[test]
fn a_zip_archive_with_one_file_is_read_and_one_with_several_lists_them() {
    let zipped = |files: &[(&str, &str)]| {
        let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
        for (name, text) in files {
            archive.start_file(*name, zip::write::SimpleFileOptions::default()).unwrap();
            archive.write_all(text.as_bytes()).unwrap();
        }
        archive.finish().unwrap().into_inner()
    };
    let one = zipped(&[("dir/a.tsv", "id\ttext\n1\tone, two\n"), ("__MACOSX/._a.tsv", "x")]);
    let (described, texts) = found("a.zip", one, &ReadOptions::default());
    assert_eq!(texts, ["one, two"]);
    assert!(described.starts_with("TSV in zip, header"), "{described}");
    let why = refusal("a.zip", zipped(&[("a.csv", "text\n"), ("b.csv", "text\n")]));
    assert!(why.contains("2 files in it ('a.csv', 'b.csv')"), "{why}");
    assert!(refusal("a.zip", zipped(&[])).contains("zip archive"));
}

const LABEL_STUDIO: &str = include_str!("../../../../tests/foreign/label-studio.jsonl");
const DOCCANO: &str = include_str!("../../../../tests/foreign/doccano.jsonl");
const ARGILLA: &str = include_str!("../../../../tests/foreign/argilla.jsonl");
const PRODIGY: &str = include_str!("../../../../tests/foreign/prodigy.jsonl");
const SPACY: &str = "{\"text\":\"The handle came off\",\"cats\":{\"unhappy\":1.0,\"fine\":0.0}}\n{\"text\":\"Very good value\",\"cats\":{\"unhappy\":0,\"fine\":0}}\n";
const FASTTEXT: &str = "__label__unhappy The handle came off\nVery good value\n";

#[test]
fn files_of_other_labelling_programs_are_recognised_with_texts_ids_and_labels() {
    let want = ["The handle came off", "Very good value"].map(str::to_owned);
    for (name, file, said) in [
        (
            "a.jsonl",
            LABEL_STUDIO,
            "JSONL of Label Studio, UTF-8, text in 'data.text', id in 'id', labels with --gold label",
        ),
        ("a.jsonl", DOCCANO, "JSONL of doccano, UTF-8, text in 'text', id in 'id', labels with --gold label"),
        (
            "a.jsonl",
            ARGILLA,
            "JSONL of Argilla, UTF-8, text in 'fields.text', id in 'id', labels with --gold label",
        ),
        ("a.jsonl", PRODIGY, "JSONL of Prodigy, UTF-8, text in 'text', labels with --gold label"),
        ("a.jsonl", SPACY, "JSONL of spaCy, UTF-8, text in 'text', labels with --gold label"),
        ("train.txt", FASTTEXT, "fastText, UTF-8, text in 'text'"),
        ("-", FASTTEXT, "fastText, UTF-8, text in 'text'"),
    ] {
        let (described, texts) = found(name, file, &ReadOptions::default());
        assert_eq!((described.as_str(), texts.as_slice()), (said, &want[..]));
        let labels = gold(name, file, "label");
        // Where every label of a text is none, that is said of it.
        let none = (file == SPACY).then(|| "[]".to_owned());
        assert_eq!(labels, [Some("unhappy".to_owned()), none], "{said}");
    }
    assert_eq!(gold("a.jsonl", LABEL_STUDIO, "prediction"), [None, Some("fine".to_owned())]);
    assert_eq!(gold("a.jsonl", ARGILLA, "prediction"), [Some("fine".to_owned()), None]);
    let array = format!("[{}]", LABEL_STUDIO.trim_end().replace('\n', ",\n"));
    let (described, texts) = found("export.json", array, &ReadOptions::default());
    assert_eq!((described.contains("JSON array of Label Studio"), texts.len()), (true, 2), "{described}");
}

#[test]
fn a_list_of_one_gold_label_is_that_label() {
    let jsonl = "{\"text\":\"a\",\"l\":[\"x\"]}\n{\"text\":\"b\",\"l\":[]}\n{\"text\":\"c\",\"l\":[\"x\", \"y\"]}\n{\"text\":\"d\",\"l\":[3]}\n";
    let labels = gold("a.jsonl", jsonl, "l");
    let want = [Some("x"), Some("[]"), Some("[\"x\", \"y\"]"), Some("3")];
    assert_eq!(labels, want.map(|label| label.map(str::to_owned)));
}

#[test]
fn odd_values_of_jsonl_cost_their_rows_alone() {
    let file = include_bytes!("../../../../tests/foreign/odd-values.jsonl");
    let (rows, bad, empty) = read("odd.jsonl", *file);
    assert_eq!(rows.iter().map(|row| row.line).collect::<Vec<_>>(), [1, 4, 5, 10, 12]);
    assert_eq!((bad[0].line, bad.len(), empty), (3, 5, 2), "{bad:?}");
}

#[test]
fn unicode_line_separators_cut_no_text() {
    let file = include_bytes!("../../../../tests/foreign/separators.jsonl");
    let (rows, bad, _) = read("a.jsonl", *file);
    assert_eq!((rows.len(), bad.len()), (3, 0));
    let all: String = rows.iter().map(|row| row.text.as_str()).collect();
    assert!(['\u{2028}', '\u{85}'].iter().any(|c| all.contains(*c)), "{all:?}");
}

#[test]
fn format_in_guesses_nothing() {
    let json = "{\"text\":\"a b\"}\n";
    assert_eq!(found("a.jsonl", json, &format_in("lines")).1, [json.trim_end()]);
    assert_eq!(found("a.txt", json, &format_in("jsonl")).1, ["a b"]);
    assert_eq!(found("a.txt", "[{\"text\":\"a b\"}]", &format_in("json")).1, ["a b"]);
    assert_eq!(found("a.txt", "id,text\n1,a b\n", &format_in("csv")).1, ["a b"]);
    assert_eq!(found("a.csv", "id\ttext\n1\ta, b\n", &format_in("tsv")).1, ["a, b"]);
    assert_eq!(found("a.html", "<p>one</p>\n", &format_in("lines")).1, ["<p>one</p>"]);
    let why = open("a.csv", json, &format_in("xls")).err().unwrap().to_string();
    assert!(why.contains("The formats are csv, tsv, json, jsonl, lines, fasttext"), "{why}");
    assert!(refusal("a.html", "<p>one</p>\n").contains("web page"));
}

#[test]
fn the_questions_of_a_form_are_its_header_and_none_of_its_texts() {
    let form = "Timestamp,How old are you?,\"In your own words, what went wrong with your last order?\"\n\
        2026-03-01 10:02,34,The parcel went to the neighbour\n2026-03-01 10:09,51,Nothing went wrong at all\n\
        2026-03-02 08:30,29,It came two weeks late\n2026-03-02 09:11,47,Wrong size and wrong colour\n";
    let (described, texts) = found("form.csv", form, &ReadOptions::default());
    assert_eq!(texts.len(), 4, "{described}");
    let numbered = "ID;created_at;1. Please tell us in a sentence or two what we should change about the library;2. Anything else?\n\
        1;2026-01-02;Longer hours on Sundays would help;no\n2;2026-01-03;More chairs by the window please;yes, the coffee\n";
    assert_eq!(found("n.csv", numbered, &with_text("3")).1.len(), 2);
}

proptest! {
    #[test]
    fn packing_changes_no_row(
        rows in prop::collection::vec("[^\\x00]{1,20}", 1..6),
        array in any::<bool>(),
    ) {
        prop_assume!(rows.iter().all(|text| !text.trim().is_empty()));
        let lines: Vec<String> =
            rows.iter().map(|text| serde_json::json!({ "text": text, "n": 1.5 }).to_string()).collect();
        let file = if array { format!("[{}]", lines.join(", ")) } else { lines.join("\n") };
        let name = if array { "a.json" } else { "a.jsonl" };
        let plain = found(name, file.clone(), &with_text("text")).1;
        prop_assert_eq!(&plain, &rows);
        let packed = found(&format!("{name}.gz"), gzipped(file.as_bytes()), &with_text("text")).1;
        prop_assert_eq!(packed, rows);
    }
}
