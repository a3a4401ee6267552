//! Whole files through the reader: real ones, broken ones, and any bytes at all.

use std::io::{self, Cursor, Read};

use proptest::prelude::*;

use super::*;
use crate::domain::skip::test_data;
use crate::formats::read::row::{TextCell, unpack};
use crate::formats::write::cell::Cell;
use crate::formats::write::sink::{ColumnType, RowWriter, columns};
use crate::formats::write::{CSV, JSONL};

/// Gives a few bytes at a time, as a pipe may.
struct Dripping(Cursor<Vec<u8>>, usize);

impl Read for Dripping {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = buf.len().min(self.1);
        self.0.read(&mut buf[..n])
    }
}

pub(super) fn open(name: &str, bytes: impl Into<Vec<u8>>, options: &ReadOptions) -> Result<Reader> {
    Reader::open(Box::new(Cursor::new(bytes.into())), name, options)
}

pub(super) fn entries(mut reader: Reader) -> (Vec<Row>, Vec<BadRow>, u64) {
    let (mut rows, mut bad) = (Vec::new(), Vec::new());
    while let Some(entry) = reader.next_entry().unwrap() {
        match entry {
            Entry::Row(row) => rows.push(row),
            Entry::Bad(row) => bad.push(row),
        }
    }
    (rows, bad, reader.empty_rows())
}

pub(super) fn read(name: &str, bytes: impl Into<Vec<u8>>) -> (Vec<Row>, Vec<BadRow>, u64) {
    entries(open(name, bytes, &ReadOptions::default()).unwrap())
}

pub(super) fn texts(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.text.as_str()).collect()
}

pub(super) fn with_text(text: &str) -> ReadOptions {
    ReadOptions { text: vec![text.into()], ..ReadOptions::default() }
}

pub(super) fn refusal(name: &str, bytes: impl Into<Vec<u8>>) -> String {
    open(name, bytes, &ReadOptions::default()).err().map(|f| f.to_string()).unwrap_or_default()
}

#[test]
fn rows_come_with_line_id_gold_and_meta() {
    let csv = "id,text,label,when\n\n7,\"Hi, you\",ham,now\n8,   ,ham,now\n9,\"two\nlines\",,later\n";
    let options =
        ReadOptions { gold: Some("label".into()), meta: vec!["when".into()], ..ReadOptions::default() };
    let reader = open("dir/a.csv", csv, &options).unwrap();
    let detected = reader.detected().clone();
    assert_eq!(
        detected.to_string(),
        "CSV, header, UTF-8, text in 'text' (column 2 of 4), id in 'id', gold in 'label'"
    );
    let (rows, bad, empty) = entries(reader);
    assert_eq!((bad.len(), empty), (0, 2));
    assert_eq!(texts(&rows), ["Hi, you", "two\nlines"]);
    assert_eq!(
        (rows[0].line, rows[0].external_id.as_deref(), rows[0].gold.as_deref()),
        (3, Some("7"), Some("ham"))
    );
    assert_eq!((rows[1].line, rows[1].gold.as_deref()), (5, None));
    assert_eq!(rows[1].meta(&detected).as_deref(), Some("{\"when\":\"later\"}"));
}

#[test]
fn the_row_taken_for_the_header_is_the_row_passed_over() {
    let (rows, bad, empty) = read("a.csv", "\n  \nid,text\n1,a b\n,\n   \n2,c d\n");
    assert_eq!((texts(&rows), bad.len(), empty), (vec!["a b", "c d"], 0, 4));
    let (rows, ..) = read("a.csv", ",\nname,what was said about it\n1,hello you\n");
    assert_eq!(texts(&rows), ["what was said about it", "hello you"]);
}

#[test]
fn several_text_columns_are_joined_with_their_names_and_empty_ones_left_out() {
    let options = ReadOptions { text: vec!["body".into(), "1".into()], ..ReadOptions::default() };
    let (rows, ..) = entries(open("a.csv", "title,body\nT,B\nU,\n", &options).unwrap());
    assert_eq!(texts(&rows), ["body: B\n\ntitle: T", "title: U"]);
    let options = ReadOptions { header: Some(false), text: vec!["1".into(), "2".into()], ..options };
    let (rows, ..) = entries(open("a.csv", "T,B\nU,\n", &options).unwrap());
    assert_eq!(texts(&rows), ["T\n\nB", "U"], "columns without names have none");
}

#[test]
fn a_conversation_is_one_text_that_gives_its_turns_back() {
    let jsonl = r#"{"id":"c1","messages":[{"role":"user","content":"My parcel is lost."},{"role":"assistant","content":"Which number?"}]}"#;
    for options in
        [ReadOptions::default(), ReadOptions { text: vec!["messages".into()], ..ReadOptions::default() }]
    {
        let mut reader = open("a.jsonl", jsonl, &options).unwrap();
        let detected = reader.detected().clone();
        let Some(Entry::Row(row)) = reader.next_entry().unwrap() else { panic!("it is a row") };
        assert_eq!(row.text, "user: My parcel is lost.\n\nassistant: Which number?");
        let turns =
            crate::formats::turns(&row.pack(&detected, TextCell::Elided), &detected, &row.text).unwrap();
        let turns: Vec<_> =
            turns.iter().map(|turn| (turn.speaker.as_deref().unwrap(), turn.text.as_str())).collect();
        assert_eq!(turns, [("user", "My parcel is lost."), ("assistant", "Which number?")]);
        let of_another =
            crate::formats::turns(&row.pack(&detected, TextCell::Kept), &detected, "Another text").unwrap();
        assert!(of_another.is_empty(), "the parts of a text are its own");
    }
}

#[test]
fn jsonl_rows_without_a_usable_text_are_bad_and_empty_ones_passed_over() {
    let jsonl = "{\"id\":1,\"text\":\"a b\"}\n{\"id\":2}\n{\"text\":null}\n\n{\"text\":[1]}\n{\"text\":\"c\",}\n{\"text\":\"d\"}";
    let (rows, bad, empty) = read("a.jsonl", jsonl);
    assert_eq!((texts(&rows), rows[0].external_id.as_deref(), empty), (vec!["a b", "d"], Some("1"), 2));
    let why: Vec<String> = bad.iter().map(|b| format!("{} {}", b.line, b.why)).collect();
    assert_eq!(why[0], "2 it has no key 'text'");
    assert!(
        why[1].starts_with("5 the value of 'text' is a list of something else than texts or turns"),
        "{}",
        why[1]
    );
    assert!(why[2].starts_with("6 it is not a JSON object: trailing comma"), "{}", why[2]);
}

#[test]
fn a_wrong_byte_has_its_line_and_the_probable_encoding_and_reads_with_it() {
    let csv = b"id,text\n1,plain\n2,caf\xE9 cr\xE8me\n3,d\xE9j\xE0 vu\n";
    let (rows, bad, _) = read("a.csv", csv);
    assert_eq!((rows.len(), bad.len()), (1, 2));
    assert_eq!(
        bad[0].fault("a.csv").to_string(),
        "cannot read a.csv: line 3: character 6 is not UTF-8 (byte E9). \
         The file is probably windows-1252: add --encoding windows-1252"
    );
    assert_eq!(bad[0].raw, "2,caf\u{FFFD} cr\u{FFFD}me");
    let options = ReadOptions { encoding: Some("windows-1252".into()), ..ReadOptions::default() };
    let (rows, bad, _) = entries(open("a.csv", csv, &options).unwrap());
    assert_eq!((texts(&rows), bad.len()), (vec!["plain", "café crème", "déjà vu"], 0));
}

#[test]
fn utf_16_and_a_byte_order_mark_are_found() {
    let text = "id\ttext\n1\tGrüße\n2\tδοκιμή\n";
    let mut utf16 = vec![0xFF, 0xFE];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    let reader = open("a.tsv", utf16, &ReadOptions::default()).unwrap();
    assert_eq!(
        reader.detected().to_string(),
        "TSV, header, UTF-16LE with a byte-order mark, text in 'text' (column 2 of 2), id in 'id'"
    );
    assert_eq!(texts(&entries(reader).0), ["Grüße", "δοκιμή"]);
    let marked = open("a.tsv", format!("\u{FEFF}{text}"), &ReadOptions::default()).unwrap();
    assert_eq!((marked.detected().columns[0].as_str(), marked.detected().byte_order_mark), ("id", true));
}

#[test]
fn rows_of_another_width_say_how_many_cells_they_have() {
    let (rows, bad, _) = read("a.csv", "id,text\n1,a b\n2,b,c\n3\n4,d\n");
    assert_eq!(texts(&rows), ["a b", "d"]);
    assert_eq!((bad[0].line, bad[0].why.as_str()), (3, "it has 3 cells and the header has 2"));
    assert_eq!((bad[1].line, bad[1].why.as_str()), (4, "it has 1 cell and the header has 2"));
    let (_, bad, _) = read("a.csv", "id,text\n1,a b\n2,\"b\n3\",c\n4,d e\n");
    assert_eq!(bad[0].why, "it has 3 cells and the header has 2 (it runs to line 4)", "{bad:?}");
}

#[test]
fn commas_in_a_lone_column_get_a_hint_that_helps() {
    let csv = "text\nHello, you\nWell, \"this\", or that\n";
    let (_, bad, _) = read("a.csv", csv);
    assert_eq!(bad[0].why, "it has 2 cells and the header has 1");
    assert!(bad[0].hint.contains("in quotes") && bad[0].hint.contains("--delimiter tab"), "{}", bad[0].hint);
    let options = ReadOptions { delimiter: Some("tab".into()), ..ReadOptions::default() };
    let (rows, bad, _) = entries(open("a.csv", csv, &options).unwrap());
    assert_eq!(texts(&rows), ["Hello, you", "Well, \"this\", or that"]);
    assert!(bad.is_empty(), "{bad:?}");
    let (rows, bad, _) = read("a.csv", "text\n\"Hello, you\"\n\"Well, \"\"this\"\", or that\"\n");
    assert_eq!((texts(&rows), bad.len()), (vec!["Hello, you", "Well, \"this\", or that"], 0));
}

#[test]
fn a_stray_quote_in_tsv_swallows_nothing() {
    let tsv = "ham\t\"Hi you\nspam\tWin a car\nham\t\"Gimme a few\" was a while ago\n";
    let (rows, bad, _) = read("sms.tsv", tsv);
    assert_eq!(texts(&rows), ["\"Hi you", "Win a car", "\"Gimme a few\" was a while ago"]);
    assert!(bad.is_empty());
}

#[test]
fn ten_megabytes_in_one_cell_are_one_bad_row() {
    let cell = "word ".repeat(2 << 20);
    for (name, text) in [
        ("a.csv", format!("id,text\n1,\"{cell}\"\n2,b c\n")),
        ("a.csv", format!("id,text\n1,{cell}\n2,b c\n")),
        ("a.jsonl", format!("{{\"text\":\"a a\"}}\n{{\"text\":\"{cell}\"}}\n{{\"text\":\"b c\"}}\n")),
        ("a.txt", format!("a a\n{cell}\nb c\n")),
    ] {
        let (rows, bad, _) = read(name, text);
        assert_eq!(rows.last().map(|r| r.text.as_str()), Some("b c"), "{name}");
        assert_eq!((bad.len(), bad[0].line), (1, 2), "{name}");
        assert_eq!(
            bad[0].why, "its text is 10,485,760 bytes long, and at most 1,000,000 are allowed",
            "{name}"
        );
    }
}

#[test]
fn an_unclosed_quote_before_a_long_file_costs_one_row_and_bounded_memory() {
    let rows: String = (0..400_000).map(|i| format!("{i},the same text over and over\n")).collect();
    let (rows, bad, _) = read("a.csv", format!("id,text\nx,\"open\n{rows}"));
    assert_eq!((rows.len(), rows[0].line, bad.len()), (400_000, 3, 1));
    assert_eq!((bad[0].line, bad[0].why.as_str()), (2, "a quote opens here and never closes"));
    assert_eq!(bad[0].raw, "x,\"open");
}

#[test]
fn wrong_files_are_refused_in_one_clear_line() {
    assert!(refusal("a.csv", "").starts_with("cannot read a.csv: it is empty."));
    assert!(refusal("a.csv", "%PDF-1.4\n%\u{e2}").contains("it is a PDF"));
    assert!(refusal("a.csv", *b"PK\x03\x04\x14\0xl/workbook.xml").contains("damaged workbook"));
    let cut = refusal("a.docx", *b"PK\x03\x04\x14\0 and no more");
    assert!(cut.contains("a zip archive or an office document, and is damaged"), "{cut}");
    assert!(refusal("a.csv", *b"id,te\0xt\n1,a\0b\n").contains("it is binary: byte 6 is zero"));
    assert!(refusal("a.csv", "n,m\n1,2\n3,4\n").contains("no column looks like text"));
    for why in ["a.csv", "\u{1b}[2Ja.csv"].map(|name| refusal(name, "")) {
        assert!(!why.contains('\n') && !why.contains('\u{1b}'), "{why}");
    }
    struct Directory;
    impl Read for Directory {
        fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
            Err(io::ErrorKind::IsADirectory.into())
        }
    }
    let fault = Reader::open(Box::new(Directory), "data", &ReadOptions::default()).err().unwrap();
    assert_eq!(fault.to_string(), "cannot read data: it is a directory");
}

#[test]
fn a_zero_byte_further_down_is_a_bad_row() {
    let mut csv = b"id,text\n".to_vec();
    csv.extend((0..40_000).flat_map(|i| format!("{i},some text\n").into_bytes()));
    csv.extend(b"x,a\0b\n");
    let (rows, bad, _) = read("a.csv", csv);
    assert_eq!((rows.len(), bad.len(), bad[0].line), (40_000, 1, 40_002));
}

/// A file of the real data; none, with the reason printed, where the data is absent.
fn real(path: &str) -> Option<std::fs::File> {
    Some(std::fs::File::open(test_data(&format!("data/{path}"))?).unwrap())
}

#[test]
fn real_files_have_the_rows_that_their_notes_count() {
    let options = ReadOptions::default;
    let cases: [(&str, ReadOptions, usize, &str); 7] = [
        ("sms_spam/sms.tsv", options(), 5574, "TSV, no header, UTF-8, text in column 2 of 2"),
        ("clickbait/clickbait.tsv", options(), 32_000, "TSV, no header, UTF-8, text in column 2 of 2"),
        (
            "davidson_hate/labeled_data.csv",
            options(),
            24_783,
            "CSV, header, UTF-8, text in 'tweet' (column 7 of 7)",
        ),
        ("banking77/train.csv", options(), 10_003, "CSV, header, UTF-8, text in 'text' (column 1 of 2)"),
        ("banking77/test.csv", options(), 3080, "CSV, header, UTF-8, text in 'text' (column 1 of 2)"),
        (
            "convabuse/ConvAbuseEMNLPfull.csv",
            with_text("user"),
            12_768,
            "CSV, header, UTF-8, text in 'user' (column 7 of 25)",
        ),
        (
            "snow2008_rte/rte1.tsv",
            options(),
            800,
            "TSV, header, UTF-8, text in 'text' (column 4 of 5), id in 'id'",
        ),
    ];
    for (path, options, count, described) in cases {
        let Some(file) = real(path) else { continue };
        let length = file.metadata().unwrap().len();
        let mut reader = Reader::open(Box::new(file), path, &options).unwrap();
        assert_eq!(reader.detected().to_string(), described);
        let (mut rows, mut first_bad) = (0, None);
        while let Some(entry) = reader.next_entry().unwrap() {
            match entry {
                Entry::Row(_) => rows += 1,
                Entry::Bad(bad) => first_bad = first_bad.or(Some(bad)),
            }
        }
        assert_eq!(first_bad, None, "{path}");
        assert_eq!(rows + reader.empty_rows() as usize, count, "{path}, {} empty", reader.empty_rows());
        assert_eq!(reader.bytes_read(), length, "{path}");
    }
}

#[test]
fn real_gold_columns_are_read_to_the_row() {
    let Some(file) = real("sms_spam/sms.tsv") else {
        return;
    };
    let options = ReadOptions { gold: Some("1".into()), ..ReadOptions::default() };
    let (rows, ..) = entries(Reader::open(Box::new(file), "sms.tsv", &options).unwrap());
    let count = |label: &str| rows.iter().filter(|row| row.gold.as_deref() == Some(label)).count();
    assert_eq!((count("ham"), count("spam")), (4827, 747));
}

#[test]
fn real_files_without_a_clear_text_ask_for_it() {
    if let Some(file) = real("convabuse/ConvAbuseEMNLPfull.csv") {
        let fault = Reader::open(Box::new(file), "conv.csv", &ReadOptions::default()).err().unwrap();
        assert!(fault.to_string().contains("'agent', 'user'"), "{fault}");
    }
    if let Some(file) = real("snow2008_rte/rte.standardized.tsv") {
        let fault = Reader::open(Box::new(file), "rte.tsv", &ReadOptions::default()).err().unwrap();
        assert!(fault.to_string().contains("no column looks like text"), "{fault}");
    }
}

#[test]
fn the_latin_1_lines_of_trec_say_so_and_read_with_the_option_they_name() {
    let Some(file) = real("trec/train_5500.label") else {
        return;
    };
    let reader = Reader::open(Box::new(file), "train_5500.label", &ReadOptions::default()).unwrap();
    assert_eq!(reader.detected().to_string(), "plain lines, UTF-8, a text on each line");
    let (rows, bad, _) = entries(reader);
    assert!(!bad.is_empty() && rows.len() + bad.len() == 5452, "{} {}", rows.len(), bad.len());
    assert!(bad.iter().all(|b| b.hint.contains("--encoding windows-1252")), "{:?}", bad[0]);
    let Some(file) = real("trec/train_5500.label") else {
        return;
    };
    let options = ReadOptions { encoding: Some("windows-1252".into()), ..ReadOptions::default() };
    let (rows, bad, _) = entries(Reader::open(Box::new(file), "train_5500.label", &options).unwrap());
    assert_eq!((rows.len(), bad.len()), (5452, 0));
}

fn summary(source: Source, name: &str, options: &ReadOptions) -> std::result::Result<String, String> {
    let mut reader = Reader::open(source, name, options).map_err(|f| f.to_string())?;
    let mut out = format!("{}\n", reader.detected());
    let detected = reader.detected().clone();
    while let Some(entry) = reader.next_entry().map_err(|f| f.to_string())? {
        match entry {
            Entry::Row(row) => {
                assert!(!row.text.trim().is_empty() && row.line > 0);
                let packed = row.pack(&detected, TextCell::Elided);
                let kept = row.pack(&detected, TextCell::Kept);
                assert_eq!(
                    unpack(&packed, &detected, &row.text).unwrap(),
                    unpack(&kept, &detected, "").unwrap()
                );
                out += &format!("{} {packed} {:?}\n", row.line, row.text);
            }
            Entry::Bad(bad) => out += &format!("{bad:?}\n"),
        }
    }
    Ok(format!("{out}{}", reader.empty_rows()))
}

/// Bytes that look like tables often enough to reach every branch.
fn tableish() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        Just(b"\"".to_vec()),
        Just(b",".to_vec()),
        Just(b"\t".to_vec()),
        Just(b"\n".to_vec()),
        Just(b"\r\n".to_vec()),
        Just(b"{\"text\":\"a b\"}\n".to_vec()),
        Just(b"id,text\n1,a b\n".to_vec()),
        Just(b"\xEF\xBB\xBF".to_vec()),
        Just(b"\xFF\xFEa\0".to_vec()),
        Just(b"\xE9".to_vec()),
        Just("día é ok ".as_bytes().to_vec()),
        prop::collection::vec(any::<u8>(), 0..12),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic_and_chunks_do_not_matter(
        bytes in tableish(),
        name in prop::sample::select(vec!["-", "a.csv", "a.tsv", "a.jsonl", "a.txt"]),
        encoding in prop::sample::select(vec![None, Some("utf-16le"), Some("shift_jis"), Some("windows-1252")]),
        text in prop::sample::select(vec![None, Some("1"), Some("text")]),
        drip in 1usize..5,
    ) {
        let options = ReadOptions {
            encoding: encoding.map(str::to_owned),
            text: text.map(str::to_owned).into_iter().collect(),
            ..ReadOptions::default()
        };
        let whole = summary(Box::new(Cursor::new(bytes.clone())), name, &options);
        let dripped = summary(Box::new(Dripping(Cursor::new(bytes), drip)), name, &options);
        prop_assert_eq!(whole, dripped);
    }

    #[test]
    fn any_strings_written_are_read_back(
        rows in prop::collection::vec((any::<String>(), any::<String>(), "[^\0]{1,20}"), 1..8),
        csv in any::<bool>(),
    ) {
        let rows: Vec<_> = rows.into_iter().filter(|(.., text)| !text.trim().is_empty()).collect();
        prop_assume!(!rows.is_empty());
        prop_assume!(rows.iter().all(|(a, b, _)| !a.contains('\0') && !b.contains('\0')));
        let columns = columns(&["a", "b", "text"].map(|name| (name, ColumnType::Text)));
        let (format, name) = if csv { (&CSV, "a.csv") } else { (&JSONL, "a.jsonl") };
        let mut bytes = Vec::new();
        let mut writer = RowWriter::new(&mut bytes, format, columns).unwrap();
        for (a, b, text) in &rows {
            writer.write_row(&[a.clone().into(), b.clone().into(), text.clone().into()]).unwrap();
        }
        writer.finish().unwrap();
        let options = ReadOptions {
            text: vec!["text".into()],
            header: Some(true),
            delimiter: csv.then(|| ",".into()),
            ..ReadOptions::default()
        };
        let reader = open(name, bytes, &options).unwrap();
        let detected = reader.detected().clone();
        let (back, bad, _) = entries(reader);
        prop_assert_eq!(bad, vec![]);
        prop_assert_eq!(back.len(), rows.len());
        for ((a, b, text), row) in rows.iter().zip(back) {
            prop_assert_eq!(&row.text, text);
            let cells = unpack(&row.pack(&detected, TextCell::Elided), &detected, &row.text).unwrap();
            let cells: Vec<Cell> = cells.into_iter().map(|(_, cell)| cell).collect();
            prop_assert_eq!(cells, vec![Cell::from(a.as_str()), Cell::from(b.as_str()), Cell::from(text.as_str())]);
        }
    }
}

/// A stream that has a line at a time, and tells how many of them were asked for.
struct Lines(Vec<&'static str>, Arc<AtomicU64>);

impl Read for Lines {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let at = self.1.fetch_add(1, Ordering::Relaxed) as usize;
        let Some(line) = self.0.get(at) else { return Ok(0) };
        buf[..line.len()].copy_from_slice(line.as_bytes());
        Ok(line.len())
    }
}

#[test]
fn a_stream_that_is_read_as_it_comes_gives_each_row_before_the_next_is_there() {
    let csv = vec!["id,text\n", "1,a b\n", "2,c d\n", "3,\"e, f\"\n"];
    let objects = vec!["{\"text\":\"a b\"}\n", "{\"text\":\"c d\"}\n", "{\"text\":\"e, f\"}\n"];
    for (name, lines, before_first) in [("a.csv", csv, 2), ("a.jsonl", objects, 1)] {
        let asked = Arc::new(AtomicU64::new(0));
        let stream: Box<dyn Read + Send> = Box::new(Lines(lines, Arc::clone(&asked)));
        let options = ReadOptions { as_it_comes: true, ..ReadOptions::default() };
        let mut reader = Reader::open(stream, name, &options).unwrap();
        for (n, text) in ["a b", "c d", "e, f"].into_iter().enumerate() {
            let Some(Entry::Row(row)) = reader.next_entry().unwrap() else { panic!("{name}: no row") };
            assert_eq!(row.text, text);
            assert_eq!(asked.load(Ordering::Relaxed), before_first + n as u64, "{name}, row {n}");
        }
        assert!(reader.next_entry().unwrap().is_none());
    }
}
