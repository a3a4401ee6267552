//! `predict`: scores new texts with the active model, or an earlier one. The project does not change.

use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::blind_texts::BlindTexts;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::item::ItemKey;
use crate::domain::progress::{Progress, Watcher};
use crate::domain::read_options::ReadOptions;
use crate::domain::task::Task;
use crate::exchange::export::{
    By, Reveal, RowsOut, answer_cell, find_predictor, least_level, probabilities_cell,
};
use crate::formats::{
    Cell, ColumnType, Entry, Layout, Output, OutputFormat, Reader, Row, TextCell, chosen_format, unpack,
};
use crate::learn::known_labels::{Agreement, KnownLabels};
use crate::learn::model::ScoutModel;
use crate::learn::prelabels::active;
use crate::learn::text_model::TextModel;
use crate::store::{Access, Store};
use crate::work::input::open_source;
use crate::work::output::write_to;

/// Rows scored at a time.
const CHUNK: usize = 1_024;

/// What is written first of each row; its other columns follow as the file has them.
const COLUMNS: [(&str, ColumnType); 6] = [
    ("id", ColumnType::Json),
    ("line", ColumnType::Integer),
    ("text", ColumnType::Text),
    ("prelabel", ColumnType::Text),
    ("probabilities", ColumnType::Json),
    ("error", ColumnType::Text),
];

/// Where predictions come from and go to.
#[derive(Clone, Debug)]
pub struct PredictOptions {
    /// How to read the data. Where a column with known labels is named, predictions are compared with it.
    pub read: ReadOptions,
    /// Whose predictions.
    pub by: By,
    /// Whether each row is scored and written as soon as it is there, rather than many at a time.
    pub flush: bool,
    /// A seed instead of the project's own, for the interval of a comparison.
    pub seed: Option<u64>,
    /// Where none is given, the extension of `out` decides, and then the default.
    pub format: Option<&'static OutputFormat>,
    /// Standard output where no file is named.
    pub out: Option<PathBuf>,
    /// The name of the expert who reads it. Texts that they may still be asked about are written without the model's view.
    pub reader: String,
    pub reveal: Reveal,
    /// Whether rows that cannot be read are left out; otherwise each is a line with its error.
    pub skip_bad: bool,
}

/// What was written.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Scored {
    /// Rows.
    pub texts: usize,
    /// Of these, rows without the model's view, because the reader may still be asked about their text.
    pub left_out: usize,
    /// Rows that could not be read.
    pub bad: usize,
    /// How far the predictions that were shown agree with the labels that are known; none where no column has these.
    pub agreement: Option<Agreement>,
}

/// Scores every row of `data`: a line for each row, in their order. Nothing in gives nothing out.
///
/// # Errors
/// No active model yet, a file that cannot be read, or a model that cannot be used.
pub fn predict(
    project: &Path,
    data: &Path,
    model: &ScoutModel,
    options: &PredictOptions,
    watcher: &dyn Watcher,
) -> Result<Scored> {
    let attempted = format!("score {}", data.display());
    let store = Store::open(project, Access::Read)?;
    let now = active(&store, &attempted)?;
    let predictor =
        if options.by == By::Active { now } else { find_predictor(&store, &options.by, "score texts")? };
    let task = store.task()?.task;
    let mut blind = BlindTexts::read(&store, &options.reader, options.reveal)?;
    let names: Vec<String> = predictor
        .labels
        .iter()
        .map(|key| task.index_of_id(key).map_or_else(|| key.clone(), |i| task.labels[i].name.clone()))
        .collect();
    let model = TextModel::open(&store, &predictor, model, &attempted)?;
    let format = chosen_format(options.format, options.out.as_deref());
    let mut source = open_source(data, &options.read, &attempted)?;
    let mut first = [0u8; 1];
    let any = source.stream.read(&mut first).map_err(|e| Fault::new(&attempted, io_reason(&e)).because(e))?;
    if any == 0 {
        write_to(options.out.as_deref(), |out| {
            rows_out(out, format, &task).with_columns(&COLUMNS)?.finish().map(drop)
        })?;
        return Ok(Scored::default());
    }
    let read =
        ReadOptions { may_be_empty: true, as_it_comes: options.flush, ..source.read_options(&options.read) };
    let stream: Box<dyn Read + Send> = Box::new(Cursor::new(first).chain(source.stream));
    let size = source.size;
    let name = data.to_string_lossy().into_owned();
    let mut reader = Reader::open((stream, source.file, source.more), &name, &read)
        .map_err(|f| f.while_trying(&attempted))?
        .with_empty_rows();
    watcher.note(&format!("{name}: {}", reader.detected()));
    let detected = reader.detected().clone();
    let column = detected.gold.map(|at| detected.columns[at].as_str());
    let mut known = column.map(|column| KnownLabels::new(&task, column)).transpose()?;
    let other: Vec<(&str, ColumnType)> = detected
        .own_columns()
        .filter(|name| COLUMNS.iter().all(|(own, _)| own != name))
        .map(|name| {
            (name.as_str(), if detected.layout == Layout::Keys { ColumnType::Json } else { ColumnType::Text })
        })
        .collect();
    let columns: Vec<(&str, ColumnType)> = COLUMNS.iter().copied().chain(other.iter().copied()).collect();
    let (mut written, mut bad_rows) = (0, 0);
    write_to(options.out.as_deref(), |out| {
        let mut out = rows_out(out, format, &task).with_columns(&columns)?;
        loop {
            let entries = read_chunk(&mut reader, if options.flush { 1 } else { CHUNK }, &attempted)?;
            if entries.is_empty() {
                break;
            }
            let has_text = |row: &&Row| !row.text.trim().is_empty();
            let rows: Vec<&Row> = entries.iter().filter_map(row_of).filter(has_text).collect();
            let texts: Vec<&str> = rows.iter().map(|r| r.text.as_str()).collect();
            let predicted = model.probabilities(&texts, watcher)?;
            let keys: Vec<ItemKey> = texts.iter().map(|text| ItemKey::of(text)).collect();
            let shown = blind.may_show(project, &keys)?;
            let mut views = predicted.iter().zip(shown);
            for entry in &entries {
                let row = match entry {
                    Entry::Row(row) => row,
                    Entry::Bad(bad) => {
                        bad_rows += 1;
                        if !options.skip_bad {
                            let why = Cell::from(bad.why.as_str());
                            out.write(&[
                                Cell::Null,
                                bad.line.into(),
                                Cell::Null,
                                Cell::Null,
                                Cell::Null,
                                why,
                            ])?;
                        }
                        continue;
                    }
                };
                let empty = row.text.trim().is_empty();
                let view = if empty { None } else { views.next() };
                let p = view.and_then(|(p, shown)| p.as_ref().filter(|_| shown));
                // Where a view is left out, no count may tell it either.
                if let (Some(known), Some(p)) = (&mut known, p) {
                    known.add(row.gold.as_deref(), &predictor.answer(task.kind, &p.0));
                }
                let error = empty.then_some("it has no text");
                let own = unpack(&row.pack(&detected, TextCell::Kept), &detected, &row.text)?;
                let id = detected.id.map(|at| detected.columns[at].as_str());
                let id = own.iter().rev().find(|(name, _)| Some(name.as_str()) == id);
                let mut cells = vec![
                    // A number stays a number.
                    id.map_or_else(|| row.external_id.clone().into(), |(_, cell)| cell.clone()),
                    row.line.into(),
                    row.text.as_str().into(),
                    p.map_or(Cell::Null, |p| answer_cell(&task, &predictor.answer(task.kind, &p.0))),
                    p.map(|p| probabilities_cell(&names, p)).into(),
                    error.map_or(Cell::Null, Cell::from),
                ];
                cells.extend(other.iter().map(|(column, _)| {
                    let there = own.iter().rev().find(|(name, _)| name == column);
                    there.map_or(Cell::Absent, |(_, cell)| cell.clone())
                }));
                out.write(&cells)?;
            }
            out.flush()?;
            watcher.report(&Progress {
                job: "predict".into(),
                stage: "scoring".into(),
                done: size.map_or(reader.bytes_read(), |s| reader.bytes_read().min(s)),
                total: size,
                unit: "bytes".into(),
                rate: None,
                eta_s: None,
                tokens_per_second: None,
                epochs: Vec::new(),
            });
        }
        written = out.finish()?;
        Ok(())
    })?;
    let seed = options.seed.unwrap_or(store.project()?.seed);
    let agreement = known.map(|known| known.agreement(seed));
    Ok(Scored { texts: written, left_out: blind.left_out(), bad: bad_rows, agreement })
}

fn rows_out<'a>(out: Output<'a>, format: &'static OutputFormat, task: &Task) -> RowsOut<'a> {
    let (least_level, lists) = (least_level(task), task.kind.is_several());
    RowsOut { out, format, what: "the predictions", least_level, lists }
}

fn row_of(entry: &Entry) -> Option<&Row> {
    match entry {
        Entry::Row(row) => Some(row),
        Entry::Bad(_) => None,
    }
}

fn read_chunk(reader: &mut Reader, most: usize, attempted: &str) -> Result<Vec<Entry>> {
    let mut entries = Vec::with_capacity(most);
    while entries.len() < most {
        match reader.next_entry().map_err(|f| f.while_trying(attempted))? {
            Some(entry) => entries.push(entry),
            None => break,
        }
    }
    Ok(entries)
}
