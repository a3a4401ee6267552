//! What other labelling programs and trainers take: a text, its label, what a model says of it, and the other columns as metadata.
//!
//! Each takes its columns by name: `text`; `label`, or `hardcase_label`, for what people gave; `prelabel` and `probabilities` for what a model says;
//! `id`. A line has one label or none; of a column of lists any number, where an empty list says that none is right. Written so that a file of any length needs no memory.

use std::io::{self, BufRead, BufReader, BufWriter, Seek, Write};

use serde_json::{Map, Value, json};

use super::cell::Cell;
use super::sink::{Column, Output, OutputFormat, RowSink};
use crate::formats::argilla;

pub static LABEL_STUDIO: OutputFormat = OutputFormat {
    name: "label-studio",
    help: "Label Studio's tasks, as one JSON array",
    extensions: &[],
    ending: "json",
    binary: false,
    open: |out, columns| Ok(Box::new(Objects::new(out, columns, Frame::Array, label_studio)?)),
};

pub static DOCCANO: OutputFormat = OutputFormat {
    name: "doccano",
    help: "doccano's JSONL for text classification",
    extensions: &[],
    ending: "jsonl",
    binary: false,
    open: |out, columns| Ok(Box::new(Objects::new(out, columns, Frame::Lines, doccano)?)),
};

pub static ARGILLA: OutputFormat = OutputFormat {
    name: "argilla",
    help: "Argilla's records as one JSON array, with a question named label",
    extensions: &[],
    ending: "json",
    binary: false,
    open: |out, columns| Ok(Box::new(Objects::new(out, columns, Frame::Array, record_of_argilla)?)),
};

pub static PRODIGY: OutputFormat = OutputFormat {
    name: "prodigy",
    help: "Prodigy's JSONL for text classification",
    extensions: &[],
    ending: "jsonl",
    binary: false,
    open: |out, columns| Ok(Box::new(Objects::new(out, columns, Frame::Lines, prodigy)?)),
};

pub static SPACY: OutputFormat = OutputFormat {
    name: "spacy",
    help: "JSONL with spaCy's cats",
    extensions: &[],
    ending: "jsonl",
    binary: false,
    open: |out, columns| Ok(Box::new(Spacy::new(out, columns)?)),
};

pub static FASTTEXT: OutputFormat = OutputFormat {
    name: "fasttext",
    help: "fastText's lines: __label__LABEL and the text, which loses its line breaks",
    extensions: &[],
    ending: "txt",
    binary: false,
    open: |out, columns| {
        Ok(Box::new(FastText { out: BufWriter::with_capacity(BUFFER, out), places: Places::of(columns)? }))
    },
};

const BUFFER: usize = 64 * 1024;
/// Where the label of an export is, the surest first.
const LABELS: [&str; 2] = ["label", "hardcase_label"];

/// Where in a row each part is.
struct Places {
    names: Vec<String>,
    text: usize,
    label: Option<usize>,
    prelabel: Option<usize>,
    id: Option<usize>,
    probabilities: Option<usize>,
    /// Who decided, in an export of rows: `model` has not labelled.
    decided_by: Option<usize>,
    /// The smallest level of a scale of whole numbers.
    least_level: Option<i64>,
    /// Whether a text may have several labels.
    lists: bool,
}

/// A row by its parts.
struct Labelled {
    text: String,
    /// One label, or any number where a text may have several; none where it is not labelled.
    labels: Option<Vec<String>>,
    prelabels: Option<Vec<String>>,
    id: Option<Value>,
    /// The probability of each prelabel, where all are known.
    scores: Option<Vec<f64>>,
    least_level: Option<i64>,
    lists: bool,
    /// The other columns.
    more: Map<String, Value>,
}

impl Places {
    fn of(columns: &[Column]) -> io::Result<Self> {
        let names: Vec<String> = columns.iter().map(|column| column.name.clone()).collect();
        let at = |name: &str| names.iter().position(|there| there == name);
        let (label, prelabel) = (LABELS.iter().find_map(|name| at(name)), at("prelabel"));
        let (Some(text), true) = (at("text"), label.or(prelabel).is_some()) else {
            let why = "this format needs the columns 'text' and 'label', and not all are there; --what final has them";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
        };
        Ok(Self {
            text,
            label,
            prelabel,
            id: at("id").or_else(|| at("item")),
            probabilities: at("probabilities"),
            decided_by: at("hardcase_decided_by"),
            least_level: columns.iter().find_map(|column| column.least_level),
            lists: columns.iter().any(|column| column.lists),
            names,
        })
    }

    fn row(&self, cells: &[Cell]) -> Labelled {
        let given = |at: Option<usize>| {
            at.and_then(|at| cells.get(at)).filter(|cell| !matches!(cell, Cell::Absent | Cell::Null))
        };
        let plain = |at| given(at).map(|cell| cell.plain().into_owned());
        let of_model = plain(self.decided_by).is_some_and(|who| who == "model");
        let names = |at| given(at).map(|cell| self.names_in(cell));
        let labels = names(self.label);
        let (labels, said) = if of_model { (None, labels) } else { (labels, None) };
        let prelabels = names(self.prelabel).or(said);
        let probabilities = given(self.probabilities).map(value);
        let score = |label: &String| probabilities.as_ref()?.get(label)?.as_f64();
        let scores = prelabels.as_ref().and_then(|labels| labels.iter().map(score).collect());
        let taken = [Some(self.text), self.label, self.prelabel, self.id];
        let more = self.names.iter().enumerate().filter(|(at, _)| !taken.contains(&Some(*at)));
        Labelled {
            text: plain(Some(self.text)).unwrap_or_default(),
            labels,
            prelabels,
            id: given(self.id).map(value),
            scores,
            least_level: self.least_level,
            lists: self.lists,
            more: more.filter_map(|(at, name)| Some((name.clone(), value(given(Some(at))?)))).collect(),
        }
    }
}

impl Places {
    /// The labels in a cell: all names of a list where a text may have several.
    fn names_in(&self, cell: &Cell) -> Vec<String> {
        let text = cell.plain();
        match self.lists.then(|| serde_json::from_str(&text)) {
            Some(Ok(names)) => names,
            _ => vec![text.into_owned()],
        }
    }
}

impl Labelled {
    /// The probability of the one prelabel.
    fn score(&self) -> Option<f64> {
        self.scores.as_ref()?.first().copied().filter(|_| !self.lists)
    }
}

fn value(cell: &Cell) -> Value {
    serde_json::from_str(&cell.json()).unwrap_or_else(|_| Value::from(cell.plain()))
}

/// Stars begin at one.
const LEAST_STAR: i64 = 1;

fn label_studio(row: Labelled) -> Value {
    // A level that is a number of stars is one; any other is a choice.
    let is_rating = row.least_level.is_some_and(|least| least >= LEAST_STAR);
    let rating = |label: &str| label.parse::<i64>().ok().filter(|_| is_rating);
    let choice = |labels: &[String]| match (labels, labels.first().and_then(|label| rating(label))) {
        // Who chose nothing leaves an annotation without a result.
        ([], _) => json!([]),
        (_, Some(stars)) => {
            json!([{ "from_name": "label", "to_name": "text", "type": "rating", "value": { "rating": stars } }])
        }
        (labels, None) => {
            json!([{ "from_name": "label", "to_name": "text", "type": "choices", "value": { "choices": labels } }])
        }
    };
    let score = row.score();
    let mut data = row.more;
    data.insert("text".into(), row.text.into());
    if let Some(id) = row.id {
        data.insert("id".into(), id);
    }
    let annotations: Vec<Value> =
        row.labels.iter().map(|labels| json!({ "result": choice(labels) })).collect();
    let predictions: Vec<Value> = row
        .prelabels
        .iter()
        .map(|labels| json!({ "model_version": "hardcase", "score": score, "result": choice(labels) }))
        .collect();
    json!({ "data": data, "annotations": annotations, "predictions": predictions })
}

fn doccano(row: Labelled) -> Value {
    let mut object = Map::new();
    object.extend(row.id.map(|id| ("id".to_owned(), id)));
    object.insert("text".into(), row.text.into());
    object.insert("label".into(), row.labels.unwrap_or_default().into());
    object.insert("Comments".into(), json!([]));
    for (name, value) in row.more {
        object.entry(name).or_insert(value);
    }
    object.into()
}

fn record_of_argilla(row: Labelled) -> Value {
    let lists = row.lists;
    let score = if lists { json!(row.scores) } else { json!(row.score()) };
    let mut object = Map::new();
    object.extend(
        row.id.map(|id| ("id".to_owned(), id.as_str().map_or_else(|| id.to_string(), str::to_owned).into())),
    );
    object.insert("fields".into(), json!({ "text": row.text }));
    // Metadata is flat there.
    let flat = row.more.into_iter().filter(|(_, value)| !value.is_object() && !value.is_array());
    object.insert("metadata".into(), flat.collect::<Map<_, _>>().into());
    // A rating there is a number that is not negative.
    let is_rating = row.least_level.is_some_and(|least| least >= 0);
    let said = |labels: Vec<String>| match labels.first().map(|label| label.parse::<i64>()) {
        _ if lists => Value::from(labels),
        Some(Ok(level)) if is_rating => Value::from(level),
        _ => Value::from(labels.concat()),
    };
    // A response must name a user of the server to which the file goes, whom nobody here knows.
    let suggested = match (row.labels, row.prelabels) {
        (Some(labels), _) => Some(json!({ "value": said(labels), "agent": argilla::EXPERTS })),
        (None, prelabels) => {
            prelabels.map(|labels| json!({ "value": said(labels), "score": score, "agent": "hardcase" }))
        }
    };
    object.insert("responses".into(), json!({}));
    object.insert("suggestions".into(), suggested.map_or_else(|| json!({}), |one| json!({ "label": one })));
    object.into()
}

fn prodigy(row: Labelled) -> Value {
    let mut meta = row.more;
    meta.extend(row.id.map(|id| ("id".to_owned(), id)));
    let lists = row.lists;
    let said = |labels: Vec<String>| if lists { Value::from(labels) } else { Value::from(labels.concat()) };
    meta.extend(row.prelabels.map(|labels| ("prelabel".to_owned(), said(labels))));
    let mut object = Map::new();
    object.insert("text".into(), row.text.into());
    object.insert("meta".into(), meta.into());
    if let Some(labels) = row.labels {
        let options = labels.iter().map(|label| json!({ "id": label, "text": label }));
        object.insert("options".into(), options.collect::<Vec<_>>().into());
        object.insert("accept".into(), labels.into());
        object.insert("answer".into(), "accept".into());
    }
    object.into()
}

/// How objects are held together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Frame {
    Lines,
    Array,
}

struct Objects<'a> {
    out: BufWriter<Output<'a>>,
    places: Places,
    frame: Frame,
    object: fn(Labelled) -> Value,
    begun: bool,
}

impl<'a> Objects<'a> {
    fn new(
        out: Output<'a>,
        columns: &[Column],
        frame: Frame,
        object: fn(Labelled) -> Value,
    ) -> io::Result<Self> {
        let places = Places::of(columns)?;
        Ok(Self { out: BufWriter::with_capacity(BUFFER, out), places, frame, object, begun: false })
    }
}

impl RowSink for Objects<'_> {
    fn write_row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let object = (self.object)(self.places.row(cells));
        if self.frame == Frame::Array {
            self.out.write_all(if self.begun { b",\n" } else { b"[\n" })?;
        }
        self.begun = true;
        write!(self.out, "{object}")?;
        if self.frame == Frame::Lines { self.out.write_all(b"\n") } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        if self.frame == Frame::Array {
            self.out.write_all(if self.begun { b"\n]\n" } else { b"[]\n" })?;
        }
        self.out.flush()
    }
}

/// Each row must name every label that any row has, so rows wait in a temporary file until all labels are known.
struct Spacy<'a> {
    out: BufWriter<Output<'a>>,
    places: Places,
    waiting: BufWriter<std::fs::File>,
    labels: Vec<String>,
}

impl<'a> Spacy<'a> {
    fn new(out: Output<'a>, columns: &[Column]) -> io::Result<Self> {
        let places = Places::of(columns)?;
        let waiting = BufWriter::with_capacity(BUFFER, tempfile::tempfile()?);
        Ok(Self { out: BufWriter::with_capacity(BUFFER, out), places, waiting, labels: Vec::new() })
    }
}

impl RowSink for Spacy<'_> {
    fn write_row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let row = self.places.row(cells);
        let labels = row.labels.or(row.prelabels);
        for label in labels.iter().flatten() {
            if !self.labels.contains(label) {
                self.labels.push(label.clone());
            }
        }
        let mut meta = row.more;
        meta.extend(row.id.map(|id| ("id".to_owned(), id)));
        writeln!(self.waiting, "{}", json!([row.text, labels, meta]))
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let mut waiting = self.waiting.into_inner().map_err(io::IntoInnerError::into_error)?;
        waiting.rewind()?;
        for line in BufReader::with_capacity(BUFFER, waiting).lines() {
            let (text, labels, meta): (String, Option<Vec<String>>, Value) = serde_json::from_str(&line?)?;
            let cats: Map<String, Value> = match &labels {
                Some(labels) => self
                    .labels
                    .iter()
                    .map(|name| (name.clone(), f64::from(u8::from(labels.contains(name))).into()))
                    .collect(),
                None => Map::new(),
            };
            writeln!(self.out, "{}", json!({ "text": text, "cats": cats, "meta": meta }))?;
        }
        self.out.flush()
    }
}

struct FastText<'a> {
    out: BufWriter<Output<'a>>,
    places: Places,
}

impl RowSink for FastText<'_> {
    fn write_row(&mut self, cells: &[Cell]) -> io::Result<()> {
        let row = self.places.row(cells);
        for label in row.labels.or(row.prelabels).into_iter().flatten() {
            let label: Vec<&str> = label.split_whitespace().collect();
            write!(self.out, "__label__{} ", label.join("_"))?;
        }
        let ends = ['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}', '\u{b}', '\u{c}'];
        writeln!(self.out, "{}", row.text.replace(ends, " "))
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::read_options::ReadOptions;
    use crate::formats::read::reader::{Entry, Reader};
    use crate::formats::write::sink::{ColumnType, RowWriter, columns};

    const COLUMNS: [(&str, ColumnType); 6] = [
        ("id", ColumnType::Text),
        ("text", ColumnType::Text),
        ("label", ColumnType::Text),
        ("prelabel", ColumnType::Text),
        ("probabilities", ColumnType::Json),
        ("place", ColumnType::Text),
    ];

    fn written(format: &OutputFormat, rows: &[[Cell; 6]]) -> io::Result<String> {
        let mut out = Vec::new();
        let mut writer = RowWriter::new(&mut out, format, columns(&COLUMNS))?;
        for row in rows {
            writer.write_row(row)?;
        }
        writer.finish()?;
        Ok(String::from_utf8(out).unwrap())
    }

    fn rows() -> Vec<[Cell; 6]> {
        let said = Cell::Json(r#"{"spam":0.75,"not spam":0.25}"#.into());
        vec![
            ["7".into(), "a \"b\"\nc".into(), "not spam".into(), "spam".into(), said, "x".into()],
            ["8".into(), "win".into(), "spam".into(), Cell::Null, Cell::Null, Cell::Null],
            ["9".into(), "later".into(), Cell::Null, Cell::Null, Cell::Null, Cell::Null],
        ]
    }

    #[test]
    fn each_program_gets_its_own_form() {
        let first = |format| written(format, &rows()).unwrap().lines().next().unwrap().to_owned();
        let whole: Value = serde_json::from_str(&written(&LABEL_STUDIO, &rows()).unwrap()).unwrap();
        assert_eq!(whole[0]["data"]["text"], "a \"b\"\nc");
        assert_eq!(whole[0]["annotations"][0]["result"][0]["value"]["choices"], json!(["not spam"]));
        assert_eq!(whole[0]["predictions"][0]["score"], 0.75);
        assert_eq!((&whole[2]["annotations"], &whole[2]["predictions"]), (&json!([]), &json!([])));
        assert_eq!(written(&LABEL_STUDIO, &[]).unwrap(), "[]\n");
        assert!(
            first(&DOCCANO)
                .starts_with(r#"{"id":"7","text":"a \"b\"\nc","label":["not spam"],"Comments":[]"#)
        );
        let argilla: Value = serde_json::from_str(&written(&ARGILLA, &rows()).unwrap()).unwrap();
        let by_experts = json!({"value":"not spam","agent":"experts"});
        assert_eq!(argilla[0]["suggestions"]["label"], by_experts, "its server knows none of them");
        assert_eq!((&argilla[0]["responses"], &argilla[0]["metadata"]), (&json!({}), &json!({"place":"x"})));
        let mut unlabelled = rows();
        unlabelled[0][2] = Cell::Null;
        let argilla: Value = serde_json::from_str(&written(&ARGILLA, &unlabelled).unwrap()).unwrap();
        let by_model = json!({"value":"spam","score":0.75,"agent":"hardcase"});
        assert_eq!(
            (&argilla[0]["suggestions"]["label"], &argilla[2]["suggestions"]),
            (&by_model, &json!({}))
        );
        let spacy: Value = serde_json::from_str(&first(&SPACY)).unwrap();
        assert_eq!(spacy["cats"], json!({"not spam":1.0,"spam":0.0}));
        assert_eq!(
            written(&FASTTEXT, &rows()).unwrap(),
            "__label__not_spam a \"b\" c\n__label__spam win\nlater\n"
        );
    }

    #[test]
    fn an_export_without_texts_or_labels_is_refused() {
        for format in [&LABEL_STUDIO, &SPACY, &FASTTEXT] {
            let mut out = Vec::new();
            let only = columns(&[("text", ColumnType::Text)]);
            let why = RowWriter::new(&mut out, format, only).err().unwrap().to_string();
            assert!(why.contains("'label'") && why.contains("--what final"), "{why}");
        }
    }

    proptest! {
        #[test]
        fn texts_ids_and_labels_come_back_from_every_form(
            given in prop::collection::vec(("[^\\x00]{1,30}", "[a-zA-Z]{1,8}", any::<bool>()), 1..6),
        ) {
            prop_assume!(given.iter().all(|(text, ..)| !text.trim().is_empty()));
            let cells: Vec<[Cell; 6]> = given
                .iter()
                .enumerate()
                .map(|(i, (text, label, labelled))| {
                    let label = if *labelled { Cell::from(label.as_str()) } else { Cell::Null };
                    [i.to_string().into(), text.as_str().into(), label, Cell::Null, Cell::Null, Cell::Null]
                })
                .collect();
            for (format, name) in [
                (&LABEL_STUDIO, "a.json"),
                (&DOCCANO, "a.jsonl"),
                (&ARGILLA, "a.json"),
                (&SPACY, "a.jsonl"),
            ] {
                let file = written(format, &cells).unwrap();
                let options = ReadOptions { gold: Some("label".into()), ..ReadOptions::default() };
                let source = Box::new(io::Cursor::new(file));
                let mut reader = Reader::open(source, name, &options).unwrap();
                for (text, label, labelled) in &given {
                    let Some(Entry::Row(row)) = reader.next_entry().unwrap() else {
                        panic!("{}: a row is missing", format.name)
                    };
                    prop_assert_eq!(&row.text, text);
                    prop_assert_eq!(row.gold.as_ref(), labelled.then_some(label), "{}", format.name);
                }
                prop_assert!(reader.next_entry().unwrap().is_none());
            }
        }
    }

    #[test]
    fn the_levels_of_a_scale_are_ratings_where_a_program_has_such() {
        let write = |format: &OutputFormat, least| {
            let mut columns = columns(&[("text", ColumnType::Text), ("label", ColumnType::Text)]);
            columns[1].least_level = least;
            let mut out = Vec::new();
            let mut sink = (format.open)(&mut out, &columns).unwrap();
            sink.write_row(&["a".into(), "3".into()]).unwrap();
            sink.finish().unwrap();
            String::from_utf8(out).unwrap()
        };
        let rating = write(&LABEL_STUDIO, Some(1));
        assert!(rating.contains(r#""type":"rating""#) && rating.contains(r#""rating":3"#), "{rating}");
        for other in [Some(0), None] {
            assert!(write(&LABEL_STUDIO, other).contains(r#""choices":["3"]"#), "no star is not a rating");
        }
        assert!(write(&ARGILLA, Some(0)).contains(r#""value":3,"#));
        assert!(
            write(&ARGILLA, Some(-1)).contains(r#""value":"3","#)
                && write(&ARGILLA, None).contains(r#""value":"3","#)
        );
    }

    fn written_lists(format: &OutputFormat, rows: &[(String, Option<Vec<String>>)]) -> String {
        let mut columns = columns(&[("text", ColumnType::Text), ("label", ColumnType::Json)]);
        columns[1].lists = true;
        let mut out = Vec::new();
        let mut writer = RowWriter::new(&mut out, format, columns).unwrap();
        for (text, labels) in rows {
            let list = labels.as_ref().map_or(Cell::Null, |labels| Cell::Json(json!(labels).to_string()));
            writer.write_row(&[text.as_str().into(), list]).unwrap();
        }
        writer.finish().unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn several_labels_have_their_own_form_in_each_program() {
        let labels = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
        let rows =
            [("t".to_owned(), labels(&["a", "b"])), ("u".to_owned(), labels(&[])), ("v".to_owned(), None)];
        let studio: Value = serde_json::from_str(&written_lists(&LABEL_STUDIO, &rows)).unwrap();
        assert_eq!(studio[0]["annotations"][0]["result"][0]["value"]["choices"], json!(["a", "b"]));
        assert_eq!(
            (&studio[1]["annotations"], &studio[2]["annotations"]),
            (&json!([{ "result": [] }]), &json!([]))
        );
        let lines = |format| -> Vec<Value> {
            written_lists(format, &rows).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
        };
        assert_eq!(lines(&DOCCANO)[0]["label"], json!(["a", "b"]));
        let argilla: Value = serde_json::from_str(&written_lists(&ARGILLA, &rows)).unwrap();
        assert_eq!(argilla[0]["suggestions"]["label"]["value"], json!(["a", "b"]));
        assert_eq!(argilla[1]["suggestions"]["label"]["value"], json!([]));
        assert_eq!(argilla[2]["suggestions"], json!({}));
        assert_eq!(lines(&PRODIGY)[0]["accept"], json!(["a", "b"]));
        assert_eq!(
            (&lines(&PRODIGY)[1]["accept"], &lines(&PRODIGY)[2]["accept"]),
            (&json!([]), &Value::Null)
        );
        let cats = lines(&SPACY);
        assert_eq!(cats[0]["cats"], json!({ "a": 1.0, "b": 1.0 }));
        assert_eq!((&cats[1]["cats"], &cats[2]["cats"]), (&json!({ "a": 0.0, "b": 0.0 }), &json!({})));
        assert!(written_lists(&FASTTEXT, &rows).starts_with("__label__a __label__b t\nu\n"));
    }

    proptest! {
        #[test]
        fn sets_of_labels_come_back_from_every_form_that_can_hold_them(
            given in prop::collection::vec(
                ("[a-z]{1,12}", prop::option::of(prop::collection::btree_set("[a-c]", 0..4))), 1..8,
            ),
        ) {
            let rows: Vec<(String, Option<Vec<String>>)> =
                given.into_iter().map(|(text, set)| (text, set.map(|set| set.into_iter().collect()))).collect();
            let has_any = rows.iter().any(|(_, labels)| labels.as_ref().is_some_and(|labels| !labels.is_empty()));
            let set = |cell: &str| -> Vec<String> {
                let mut set: Vec<String> =
                    serde_json::from_str(cell).unwrap_or_else(|_| vec![cell.to_owned()]);
                set.sort();
                set
            };
            for (format, name, tells_none) in [
                (&LABEL_STUDIO, "a.json", true),
                (&DOCCANO, "a.jsonl", false),
                (&ARGILLA, "a.json", true),
                (&SPACY, "a.jsonl", has_any),
            ] {
                let file = written_lists(format, &rows);
                let options = ReadOptions { gold: Some("label".into()), ..ReadOptions::default() };
                let mut reader = Reader::open(Box::new(io::Cursor::new(file)), name, &options).unwrap();
                for (text, labels) in &rows {
                    let Some(Entry::Row(row)) = reader.next_entry().unwrap() else {
                        panic!("{}: a row is missing", format.name)
                    };
                    prop_assert_eq!(&row.text, text);
                    let want = labels.clone().filter(|labels| tells_none || !labels.is_empty());
                    prop_assert_eq!(row.gold.as_deref().map(set), want, "{}: {:?}", format.name, row.gold);
                }
            }
        }
    }
}
