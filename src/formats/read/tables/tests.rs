//! Workbooks, Parquet and Arrow as other programs write them, made here byte for byte.

use std::io::{Cursor, Write};

use super::super::reader::{Entry, Reader};
use super::super::row::Row;
use crate::domain::fuzzing::is_one_sentence;
use crate::domain::read_options::ReadOptions;

fn read(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<(String, Vec<Row>), String> {
    let mut reader =
        Reader::open(Box::new(Cursor::new(bytes.to_vec())), name, options).map_err(|f| f.to_string())?;
    let described = reader.detected().to_string();
    let mut rows = Vec::new();
    loop {
        match reader.next_entry().map_err(|f| f.to_string())? {
            Some(Entry::Row(row)) => rows.push(row),
            Some(Entry::Bad(bad)) => return Err(bad.fault(name).to_string()),
            None => return Ok((described, rows)),
        }
    }
}

fn texts(name: &str, bytes: &[u8], options: &ReadOptions) -> Vec<String> {
    read(name, bytes, options).unwrap().1.into_iter().map(|row| row.text).collect()
}

fn why(name: &str, bytes: &[u8], options: &ReadOptions) -> String {
    read(name, bytes, options).unwrap_err()
}

/// Bytes changed here and there: rows or one sentence, and no panic.
fn survives(name: &str, file: &[u8], rounds: u64) {
    let mut seed = file.len() as u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    for round in 0..rounds {
        let mut bytes = file.to_vec();
        match round % 4 {
            0 => bytes.truncate(next(bytes.len())),
            1 => bytes[next(file.len())] ^= 1 << next(8),
            _ => (0..4).for_each(|_| bytes[next(file.len())] = next(256) as u8),
        }
        if let Err(sentence) = read(name, &bytes, &ReadOptions::default()) {
            is_one_sentence(&sentence).unwrap();
        }
    }
}

// --- workbooks -------------------------------------------------------------------------------------------------

fn zipped(parts: &[(&str, String)]) -> Vec<u8> {
    let parts: Vec<(&str, &[u8])> = parts.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    zipped_bytes(&parts)
}

fn zipped_bytes(parts: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts {
        // The first part of an OpenDocument file names its kind, as it is.
        let method = if *name == "mimetype" {
            zip::CompressionMethod::Stored
        } else {
            zip::CompressionMethod::Deflated
        };
        archive
            .start_file(*name, zip::write::SimpleFileOptions::default().compression_method(method))
            .unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// A binary workbook with one sheet of texts, of which each is a cell of its own.
fn binary_workbook(rows: &[&[&str]]) -> Vec<u8> {
    let record = |kind: u16, body: &[u8]| -> Vec<u8> {
        let mut out = match kind {
            0..0x80 => vec![kind as u8],
            _ => vec![(kind & 0x7F) as u8 | 0x80, (kind >> 7) as u8],
        };
        assert!(body.len() < 0x80, "a length of one byte is enough");
        out.push(body.len() as u8);
        out.extend(body);
        out
    };
    let text = |said: &str| -> Vec<u8> {
        let units: Vec<u16> = said.encode_utf16().collect();
        let units_in_bytes = units.iter().flat_map(|unit| unit.to_le_bytes());
        (units.len() as u32).to_le_bytes().into_iter().chain(units_in_bytes).collect()
    };
    let sheet_of_book = [&[0, 0, 0, 0, 1, 0, 0, 0][..], &text("rId1"), &text("Answers")].concat();
    let book = [record(0x9C, &sheet_of_book), record(0x90, &[]), record(0x84, &[])].concat();
    let mut sheet = [record(0x81, &[]), record(0x94, &[0; 16]), record(0x91, &[])].concat();
    for (at, cells) in rows.iter().enumerate() {
        sheet.extend(record(0x00, &(at as u32).to_le_bytes()));
        for (column, cell) in cells.iter().enumerate() {
            sheet.extend(record(0x06, &[&(column as u32).to_le_bytes()[..], &[0; 4], &text(cell)].concat()));
        }
    }
    sheet.extend(record(0x92, &[]));
    let related =
        "<Relationships><Relationship Id=\"rId1\" Target=\"worksheets/sheet1.bin\"/></Relationships>";
    zipped_bytes(&[
        ("xl/workbook.bin", &book),
        ("xl/_rels/workbook.bin.rels", related.as_bytes()),
        ("xl/worksheets/sheet1.bin", &sheet),
    ])
}

#[test]
fn a_binary_workbook_is_read_as_any_other_and_half_of_one_is_refused() {
    let bytes = binary_workbook(&[&["id", "text"], &["1", "Grüße aus Köln"], &["2", "plain words"]]);
    let (described, rows) = read("a.xlsb", &bytes, &ReadOptions::default()).unwrap();
    assert!(described.starts_with("sheet 'Answers' of a workbook"), "{described}");
    assert_eq!(
        rows.iter().map(|row| row.text.as_str()).collect::<Vec<_>>(),
        ["Grüße aus Köln", "plain words"]
    );
    for end in [200, bytes.len() / 2, bytes.len() - 30] {
        is_one_sentence(&why("a.xlsb", &bytes[..end], &ReadOptions::default())).unwrap();
    }
    survives("a.xlsb", &bytes, 400);
}

/// A workbook of these sheets, each a name, whether it is hidden, and its rows as XML.
fn workbook(sheets: &[(&str, bool, &str)]) -> Vec<u8> {
    const MAIN: &str = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    const RELATED: &str = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let each = |make: &dyn Fn(usize, &str, bool) -> String| -> String {
        sheets.iter().enumerate().map(|(i, (name, hidden, _))| make(i + 1, name, *hidden)).collect()
    };
    let listed = each(&|i, name, hidden| {
        let state = if hidden { " state=\"hidden\"" } else { "" };
        format!("<sheet name=\"{name}\" sheetId=\"{i}\"{state} r:id=\"rId{i}\"/>")
    });
    let related = each(&|i, _, _| {
        format!(
            "<Relationship Id=\"rId{i}\" Type=\"{RELATED}/worksheet\" Target=\"worksheets/sheet{i}.xml\"/>"
        )
    });
    let mut parts = vec![
        (
            "[Content_Types].xml".to_owned(),
            "<Types xmlns=\"http://schemas.openxmlformats.org/package/2006/content-types\"/>".to_owned(),
        ),
        (
            "_rels/.rels".into(),
            format!(
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\"><Relationship Id=\"rId1\" Type=\"{RELATED}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
            ),
        ),
        (
            "xl/workbook.xml".into(),
            format!("<workbook xmlns=\"{MAIN}\" xmlns:r=\"{RELATED}\"><sheets>{listed}</sheets></workbook>"),
        ),
        (
            "xl/_rels/workbook.xml.rels".into(),
            format!(
                "<Relationships xmlns=\"http://schemas.openxmlformats.org/package/2006/relationships\">{related}</Relationships>"
            ),
        ),
        (
            "xl/styles.xml".into(),
            format!(
                "<styleSheet xmlns=\"{MAIN}\"><cellXfs><xf numFmtId=\"0\"/><xf numFmtId=\"14\"/><xf numFmtId=\"22\"/><xf numFmtId=\"46\"/></cellXfs></styleSheet>"
            ),
        ),
        (
            "xl/sharedStrings.xml".into(),
            format!(
                "<sst xmlns=\"{MAIN}\"><si><t>text</t></si><si><t xml:space=\"preserve\">The handle\n came &amp; went </t></si></sst>"
            ),
        ),
    ];
    for (i, (_, _, rows)) in sheets.iter().enumerate() {
        parts.push((
            format!("xl/worksheets/sheet{}.xml", i + 1),
            format!("<worksheet xmlns=\"{MAIN}\"><sheetData>{rows}</sheetData></worksheet>"),
        ));
    }
    let parts: Vec<(&str, String)> = parts.iter().map(|(name, text)| (name.as_str(), text.clone())).collect();
    zipped(&parts)
}

const SHEET: &str = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>id</t></is></c><c r=\"B1\" t=\"s\"><v>0</v></c><c r=\"C1\" t=\"inlineStr\"><is><t>date</t></is></c><c r=\"D1\" t=\"inlineStr\"><is><t>score</t></is></c></row>\
    <row r=\"2\"><c r=\"A2\"><v>12</v></c><c r=\"B2\" t=\"s\"><v>1</v></c><c r=\"C2\" s=\"1\"><v>45943</v></c><c r=\"D2\"><v>0.5</v></c></row>\
    <row r=\"3\"><c r=\"A3\"/></row>\
    <row r=\"5\"><c r=\"A5\"><v>13</v></c><c r=\"B5\" t=\"str\"><f>UPPER(B2)</f><v>VERY GOOD</v></c><c r=\"C5\" s=\"2\"><v>45943.5</v></c><c r=\"D5\" t=\"e\"><v>#N/A</v></c><c r=\"F5\" t=\"b\"><v>1</v></c></row>";

fn with_sheet(sheet: &str) -> ReadOptions {
    ReadOptions { sheet: Some(sheet.into()), ..ReadOptions::default() }
}

#[test]
fn the_first_sheet_that_is_shown_is_read_as_excel_shows_it() {
    let other = "<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>another sheet here</t></is></c></row>";
    let book = workbook(&[("Hidden", true, other), ("Answers", false, SHEET), ("Third", false, other)]);
    let (described, rows) = read("wrong-name.csv", &book, &ReadOptions::default()).unwrap();
    assert_eq!(
        described,
        "sheet 'Answers' of a workbook with 3 (--sheet NAME reads another), UTF-8, text in 'text', id in 'id'"
    );
    let ids: Vec<Option<&str>> = rows.iter().map(|row| row.external_id.as_deref()).collect();
    assert_eq!(ids, [Some("12"), Some("13")]);
    assert_eq!(rows[0].text, "The handle\n came & went ");
    assert_eq!(rows[1].text, "VERY GOOD");
    let options = ReadOptions { text: vec!["date".into()], ..ReadOptions::default() };
    assert_eq!(texts("a.xlsx", &book, &options), ["2025-10-13", "2025-10-13T12:00:00"]);
    let options = ReadOptions { text: vec!["score".into()], ..ReadOptions::default() };
    assert_eq!(texts("a.xlsx", &book, &options), ["0.5"], "an error is no value");
    for (sheet, text) in
        [("Third", "another sheet here"), ("third", "another sheet here"), ("3", "another sheet here")]
    {
        assert_eq!(texts("a.xlsx", &book, &ReadOptions { header: Some(false), ..with_sheet(sheet) }), [text]);
    }
    let said = why("a.xlsx", &book, &with_sheet("Fourth"));
    assert!(said.contains("no sheet 'Fourth'") && said.contains("'Hidden', 'Answers', 'Third'"), "{said}");
    assert!(why("a.csv", b"text\na b\n", &with_sheet("x")).contains("it is no workbook"));
}

#[test]
fn a_workbook_with_a_password_and_one_that_is_none_are_named() {
    let old = |name: &str| {
        let mut file = b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1".to_vec();
        file.resize(1024, 0);
        file.extend(name.encode_utf16().flat_map(u16::to_le_bytes));
        file
    };
    assert!(
        why("a.xlsx", &old("EncryptedPackage"), &ReadOptions::default())
            .contains("a workbook with a password")
    );
    assert!(why("a.xls", &old("WordDocument"), &ReadOptions::default()).contains("Word document"));
    assert!(why("a.xls", &old("Workbook"), &ReadOptions::default()).contains("damaged workbook"));
    let csv = ReadOptions { format: Some("csv".into()), ..ReadOptions::default() };
    assert!(why("a.xlsx", &workbook(&[("A", false, SHEET)]), &csv).contains("it is a workbook, not csv"));
    let excel = ReadOptions { format: Some("excel".into()), ..ReadOptions::default() };
    assert!(why("a.csv", b"text\na b\n", &excel).contains("not those of excel"));
}

#[test]
fn a_workbook_that_unpacks_to_gigabytes_is_refused() {
    let long =
        format!("<row r=\"1\"><c r=\"A1\" t=\"inlineStr\"><is><t>{}</t></is></c></row>", "x".repeat(5 << 20));
    assert!(
        why("a.xlsx", &workbook(&[("A", false, &long)]), &ReadOptions::default()).contains("unpacks to more")
    );
    let far = "<row r=\"1\"><c r=\"XFE1\"><v>1</v></c></row>";
    let said = why("a.xlsx", &workbook(&[("A", false, far)]), &ReadOptions::default());
    assert!(said.contains("damaged workbook") || said.contains("no column looks like text"), "{said}");
    // A cell at the last row and column is one cell.
    let corner = format!("{SHEET}<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>");
    assert_eq!(
        read("a.xlsx", &workbook(&[("A", false, &corner)]), &ReadOptions::default()).unwrap().1.len(),
        2
    );
}

#[test]
fn an_open_document_sheet_is_read() {
    let cell = |text: &str| {
        format!("<table:table-cell office:value-type=\"string\"><text:p>{text}</text:p></table:table-cell>")
    };
    let content = format!(
        "<office:document-content xmlns:office=\"o\" xmlns:table=\"t\" xmlns:text=\"x\"><office:body><office:spreadsheet><table:table table:name=\"One\">\
         <table:table-row>{}{}</table:table-row><table:table-row><table:table-cell office:value-type=\"float\" office:value=\"7\"/>{}</table:table-row>\
         <table:table-row table:number-rows-repeated=\"1048574\"><table:table-cell table:number-columns-repeated=\"16384\"/></table:table-row>\
         </table:table></office:spreadsheet></office:body></office:document-content>",
        cell("id"),
        cell("text"),
        cell("It came late")
    );
    let book = zipped(&[
        ("mimetype", "application/vnd.oasis.opendocument.spreadsheet".into()),
        ("META-INF/manifest.xml", "<manifest:manifest xmlns:manifest=\"m\"/>".into()),
        ("content.xml", content),
    ]);
    let (described, rows) = read("a.ods", &book, &ReadOptions::default()).unwrap();
    assert_eq!(described, "sheet 'One' of a workbook, UTF-8, text in 'text', id in 'id'");
    assert_eq!(
        (rows.len(), rows[0].text.as_str(), rows[0].external_id.as_deref()),
        (1, "It came late", Some("7"))
    );
}

#[test]
fn a_changed_workbook_is_rows_or_one_sentence() {
    survives("a.xlsx", &workbook(&[("A", false, SHEET)]), 400);
}

// --- Parquet and Arrow -----------------------------------------------------------------------------------------

#[cfg(feature = "columnar")]
mod columnar {
    use std::sync::Arc;

    use arrow_array::builder::{ListBuilder, StringBuilder, StringDictionaryBuilder, StructBuilder};
    use arrow_array::types::Int8Type;
    use arrow_array::*;
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};
    use arrow_schema::{DataType, Field};
    use parquet::arrow::ArrowWriter;
    use parquet::basic::{Compression, ZstdLevel};
    use parquet::file::properties::WriterProperties;

    use super::*;

    /// Two rows with a column of each kind.
    fn batch() -> RecordBatch {
        let mut names = StringDictionaryBuilder::<Int8Type>::new();
        names.append_value("spam");
        names.append_null();
        let turn =
            || vec![Field::new("role", DataType::Utf8, true), Field::new("content", DataType::Utf8, true)];
        let mut turns = ListBuilder::new(StructBuilder::from_fields(turn(), 2));
        for said in [["user", "Hi."], ["assistant", "So?"]] {
            let one = turns.values();
            one.field_builder::<StringBuilder>(0).unwrap().append_value(said[0]);
            one.field_builder::<StringBuilder>(1).unwrap().append_value(said[1]);
            one.append(true);
        }
        turns.append(true);
        turns.append(false);
        let column = |array: ArrayRef| array;
        RecordBatch::try_from_iter_with_nullable([
            ("id", column(Arc::new(Int64Array::from(vec![7, 8]))), true),
            ("text", column(Arc::new(LargeStringArray::from(vec!["It came \"late\"\n", "Grüße 🦀"]))), true),
            ("label", column(Arc::new(names.finish())), true),
            ("bytes", column(Arc::new(BinaryArray::from(vec![&b"abc"[..], b"\xFF\xFE"]))), true),
            (
                "at",
                column(Arc::new(
                    TimestampMicrosecondArray::from(vec![1_760_000_000_500_000, -1]).with_timezone("UTC"),
                )),
                true,
            ),
            ("wall", column(Arc::new(TimestampMillisecondArray::from(vec![1_760_000_000_000, 0]))), true),
            ("day", column(Arc::new(Date32Array::from(vec![Some(20_000), None]))), true),
            (
                "price",
                column(Arc::new(
                    Decimal128Array::from(vec![1250, -5]).with_precision_and_scale(9, 2).unwrap(),
                )),
                true,
            ),
            ("p", column(Arc::new(Float32Array::from(vec![0.1, f32::NAN]))), true),
            (
                "view",
                column(Arc::new(StringViewArray::from(vec!["a text longer than twelve bytes", "short"]))),
                true,
            ),
            ("conversations", column(Arc::new(turns.finish())), true),
        ])
        .unwrap()
    }

    fn parquet(compression: Compression) -> Vec<u8> {
        let batch = batch();
        let mut out = Vec::new();
        let properties = WriterProperties::builder().set_compression(compression).build();
        let mut writer = ArrowWriter::try_new(&mut out, batch.schema(), Some(properties)).unwrap();
        writer.write(&batch).unwrap();
        writer.close().unwrap();
        out
    }

    fn stream(compression: Option<CompressionType>) -> Vec<u8> {
        let batch = batch();
        let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
        let mut out = Vec::new();
        let mut writer = StreamWriter::try_new_with_options(&mut out, &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        out
    }

    fn feather(compression: Option<CompressionType>) -> Vec<u8> {
        let batch = batch();
        let options = IpcWriteOptions::default().try_with_compression(compression).unwrap();
        let mut out = Vec::new();
        let mut writer = FileWriter::try_new_with_options(&mut out, &batch.schema(), options).unwrap();
        writer.write(&batch).unwrap();
        writer.finish().unwrap();
        drop(writer);
        out
    }

    fn files() -> Vec<(&'static str, Vec<u8>)> {
        vec![
            ("Parquet", parquet(Compression::UNCOMPRESSED)),
            ("Parquet", parquet(Compression::SNAPPY)),
            ("Parquet", parquet(Compression::LZ4_RAW)),
            ("Parquet", parquet(Compression::ZSTD(ZstdLevel::default()))),
            ("Parquet", parquet(Compression::GZIP(parquet::basic::GzipLevel::default()))),
            ("Arrow", stream(None)),
            ("Arrow", stream(Some(CompressionType::ZSTD))),
            ("Arrow", feather(None)),
            ("Arrow", feather(Some(CompressionType::LZ4_FRAME))),
        ]
    }

    #[test]
    fn every_kind_of_column_is_read_as_a_person_would_write_it() {
        for (said, file) in files() {
            let (described, rows) = read("data", &file, &ReadOptions::default()).unwrap();
            assert_eq!(described, format!("{said}, UTF-8, text in 'text', id in 'id'"));
            assert_eq!(rows[0].text, "It came \"late\"\n");
            assert_eq!((rows[1].text.as_str(), rows[1].external_id.as_deref()), ("Grüße 🦀", Some("8")));
            for (column, want) in [
                ("label", vec!["spam"]),
                ("bytes", vec!["abc"]),
                ("at", vec!["2025-10-09T08:53:20.5Z", "1969-12-31T23:59:59.999999Z"]),
                ("wall", vec!["2025-10-09T08:53:20", "1970-01-01T00:00:00"]),
                ("day", vec!["2024-10-04"]),
                ("price", vec!["12.50", "-0.05"]),
                ("p", vec!["0.1"]),
                ("view", vec!["a text longer than twelve bytes", "short"]),
                ("conversations", vec!["user: Hi.\n\nassistant: So?"]),
            ] {
                let options = ReadOptions { text: vec![column.into()], ..ReadOptions::default() };
                let mut found = texts("data", &file, &options);
                // A stream has the batch twice.
                found.truncate(want.len());
                assert_eq!(found, want, "{column} of {said}");
            }
        }
    }

    #[test]
    fn a_packed_stream_is_read_and_a_packed_parquet_file_is_to_be_unpacked() {
        let packed = |bytes: &[u8]| {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(bytes).unwrap();
            out.finish().unwrap()
        };
        let (described, rows) = read("a.arrow.gz", &packed(&stream(None)), &ReadOptions::default()).unwrap();
        assert_eq!((described.starts_with("Arrow in gzip"), rows.len()), (true, 4), "{described}");
        let said = why("a.parquet.gz", &packed(&parquet(Compression::SNAPPY)), &ReadOptions::default());
        assert!(said.contains("a compressed Parquet file. Unpack it first"), "{said}");
    }

    #[test]
    fn a_changed_file_is_rows_or_one_sentence() {
        for (_, file) in files() {
            survives("data", &file, 60);
        }
        let cut = why("a.parquet", &parquet(Compression::SNAPPY)[..300], &ReadOptions::default());
        assert!(cut.contains("damaged Parquet file"), "{cut}");
        let cut = why("a.arrow", &stream(None)[..2_000], &ReadOptions::default());
        assert!(cut.contains("damaged Arrow file"), "{cut}");
    }

    #[test]
    fn what_a_message_says_of_its_size_makes_no_room() {
        let mut file = stream(Some(CompressionType::ZSTD));
        let length = 5u64.to_le_bytes();
        // Every buffer that unpacks to five bytes is said to unpack to as many as there can be.
        let huge = i64::MAX.to_le_bytes();
        let at: Vec<usize> = (0..file.len() - 8).filter(|at| file[*at..*at + 8] == length).collect();
        at.into_iter().for_each(|at| file[at..at + 8].copy_from_slice(&huge));
        let _ = read("a.arrow", &file, &ReadOptions::default());
        let marked = [&[0xFF; 4][..], &u32::MAX.to_le_bytes(), &[16, 0, 0, 0]].concat();
        assert!(read("a.arrow", &marked, &ReadOptions::default()).is_err());
    }
}

#[cfg(not(feature = "columnar"))]
#[test]
fn a_build_without_parquet_says_which_has_it() {
    let said = why("a.csv", b"PAR1\x15\x04", &ReadOptions::default());
    assert!(
        said.contains("a Parquet file, and this build reads none") && said.contains("feature columnar"),
        "{said}"
    );
}
