//! `import`: the rows of a data file become texts of the pool. Equal texts become one, and every row is kept.
//!
//! One thread reads and hashes, another writes; nothing of an import is seen before all of it is there.

use std::borrow::Cow;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use super::given_predictions::{Given, GivenOptions, check_predictions, take_predictions};
use super::import_report::{ImportReport, ImportedLabels};
use super::import_values::Values;
use crate::domain::answer::Answer;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::item::{ItemKey, normalise};
use crate::domain::read_options::ReadOptions;
use crate::domain::split::{Split, SplitShares};
use crate::formats::{BadRow, Detected, Entry, Reader, Row, TextCell};
use crate::stats::languages::{Languages, SAMPLE};
use crate::store::pool::imported_file::FileFacts;
use crate::store::pool::sources::{Again, ImportRow, LoadOptions, Rows};
use crate::store::{Access, Store};
use crate::work::input::{TextSource, open_source};
use crate::work::runner::{Ended, JobContext, Work, run};
use crate::work::whole_file::{Rights, WholeFile};

/// The most rows handed to the writer at a time.
const BATCH: usize = 4_000;
/// Bytes of text after which a batch ends earlier.
const BATCH_BYTES: usize = 4 << 20;
/// The most batches that wait for the writer.
const READ_AHEAD: usize = 4;

/// What to do with a row that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRows {
    /// The import fails, and none of its rows is kept.
    Stop,
    /// The row is written to `DATA.rejects.jsonl`.
    Reject,
}

/// How data is imported.
#[derive(Clone, Debug)]
pub struct ImportOptions {
    pub read: ReadOptions,
    pub bad_rows: BadRows,
    /// Whose labels `read.labels` holds.
    pub source: Option<LabelsOf>,
    /// What values stand for, each as `VALUE=LABEL`.
    pub map: Vec<String>,
    /// Whether the rows are labels of texts that are there, named by their ids.
    pub by_id: bool,
    /// What the file predicts of its texts.
    pub predictions: Option<PredictionColumns>,
    /// Whether what has changed since an earlier import of the file is followed.
    pub update: bool,
}

/// Predictions of a model elsewhere, next to the texts.
#[derive(Clone, Debug)]
pub struct PredictionColumns {
    pub given: Given,
    /// Whose they are; the file's name where none is given.
    pub name: Option<String>,
}

/// Somebody who has labelled before.
#[derive(Clone, Debug)]
pub struct LabelsOf {
    pub name: String,
    /// What one label counts in training; none leaves it as it is, 1 at first.
    pub weight: Option<f64>,
}

impl ImportOptions {
    /// An import that stops at a row that cannot be read.
    pub fn of(read: ReadOptions) -> Self {
        Self {
            read,
            bad_rows: BadRows::Stop,
            source: None,
            map: Vec::new(),
            by_id: false,
            predictions: None,
            update: false,
        }
    }
}

/// Imports `data` (`-` is standard input).
///
/// # Errors
/// A file that cannot be read as text, a label that is none of the task's, or, with [`BadRows::Stop`], a row that cannot be read. Then none of its rows is
/// kept.
pub fn import(context: &JobContext<'_>, data: &Path, options: &ImportOptions) -> Result<ImportReport> {
    let attempted = format!("import {}", data.display());
    let source = open_source(data, &options.read, &attempted)?;
    let name = data.to_string_lossy().into_owned();
    let options = as_before(context, &name, options)?;
    let predictions = options.predictions.as_ref().map(|columns| given(&options, columns));
    if let Some(predictions) = &predictions {
        if name == "-" {
            return Err(Fault::usage(
                attempted,
                "predictions are read after the texts, and a pipe can be read only once",
            )
            .hint("Write it to a file first"));
        }
        // Before anything is kept: a column that is not there is told while nothing has happened.
        check_predictions(context.project, data, predictions)?;
    }
    let mut report = import_stream(context, source, &name, &options)?;
    if let Some(predictions) = predictions.filter(|_| report.ours) {
        let taken = take_predictions(context, data, &predictions);
        let failed = format!("take in the predictions of {name} (its texts were imported)");
        report.predictions = Some(taken.map_err(|f| f.while_trying(failed))?);
    }
    Ok(report)
}

/// How the predictions of a file are read that is imported: the same texts, by the ids only where the file has no texts.
fn given(options: &ImportOptions, PredictionColumns { given, name }: &PredictionColumns) -> GivenOptions {
    let mut read = ReadOptions { labels: None, labelled_at: None, meta: Vec::new(), ..options.read.clone() };
    if !options.by_id {
        (read.id, read.has_no_id) = (None, true);
    }
    GivenOptions { read, given: given.clone(), map: options.map.clone(), name: name.clone() }
}

/// The options of an import of a file that was imported before: what they do not say is read as it was then.
fn as_before(context: &JobContext<'_>, name: &str, options: &ImportOptions) -> Result<ImportOptions> {
    if name == "-" || options.by_id || options.read.format.is_some() {
        return Ok(options.clone());
    }
    let sources = Store::open(context.project, Access::Read)?.sources()?;
    let earlier = sources.into_iter().rev().find(|source| source.name == name);
    let found = earlier.and_then(|source| serde_json::from_str::<Detected>(&source.found).ok());
    Ok(match found {
        Some(found) => ImportOptions { read: found.as_options(options.read.clone()), ..options.clone() },
        None => options.clone(),
    })
}

/// Imports a text that is part of the program, under the name of a file.
pub fn import_bundled(
    context: &JobContext<'_>,
    name: &str,
    text: &'static str,
    options: &ImportOptions,
) -> Result<ImportReport> {
    let source = TextSource { size: Some(text.len() as u64), ..TextSource::stream(text.as_bytes()) };
    import_stream(context, source, name, options)
}

/// The formats that can be imported, for help: `JSONL, JSON, fastText, CSV, TSV or plain lines`.
pub fn input_formats() -> String {
    crate::formats::input_formats("or")
}

fn import_stream(
    context: &JobContext<'_>,
    source: TextSource,
    name: &str,
    options: &ImportOptions,
) -> Result<ImportReport> {
    let size = source.size;
    let file = source.file.as_ref().and_then(|file| file.metadata().ok()).map(|meta| FileFacts::of(&meta));
    let read = &source.read_options(&options.read);
    let reader = Reader::open(source.into_input(), name, read)
        .map_err(|f| f.while_trying(format!("import {name}")))?;
    context.watcher.note(&format!("{name}: {}", reader.detected()));
    let ended = run(context, "import", name, |work| {
        let report = load(work, reader, (name, size), options)?;
        if let (Some(file), false) = (file, options.by_id) {
            work.store.note_file(name, file)?;
        }
        Ok(report)
    })?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => ImportReport::others(name),
    })
}

fn load(
    work: &mut Work<'_>,
    mut reader: Reader,
    (name, size): (&str, Option<u64>),
    options: &ImportOptions,
) -> Result<ImportReport> {
    let abandoned = work.store.clear_abandoned_sources()?;
    if abandoned > 0 {
        work.note("an earlier import did not finish; its rows were removed");
    }
    let detected = reader.detected().clone();
    let detected_json = serde_json::to_string(&detected)
        .map_err(|e| Fault::new("note how the file was read", e.to_string()))?;
    let shares = work.store.project()?.shares;
    let task = work.store.find_task()?.map(|revision| revision.task);
    let mut values = Values::new(task.as_ref(), &detected, &options.map, work.store.now_ms())
        .map_err(|f| f.while_trying(attempted(name)))?;
    let label_source =
        options.source.as_ref().map(|of| work.store.label_source(&of.name, of.weight)).transpose()?;
    let again = match (name, options.update) {
        // What comes through a pipe may be anything.
        ("-", _) => Again::Added,
        (_, true) => Again::Followed,
        (_, false) => Again::Told,
    };
    let mut under_way = work.store.begin_source(
        &source_name(name, &options.read),
        &detected_json,
        LoadOptions { label_source, again, rows: if options.by_id { Rows::LabelsById } else { Rows::Texts } },
    )?;
    let mut rejects = Rejects::new(name, options.bad_rows);
    let (mut empty, mut number) = (0, 0);
    // Reading and hashing on one thread, writing on this one.
    let outcome = std::thread::scope(|scope| {
        let (send, receive) = sync_channel::<Result<Batch<'_>>>(READ_AHEAD);
        let (detected, shares) = (&detected, &shares);
        scope.spawn(move || {
            loop {
                let batch = read_batch(&mut reader, detected, shares);
                let last = batch.as_ref().map_or(true, |b| b.entries.is_empty());
                if send.send(batch).is_err() || last {
                    break;
                }
            }
        });
        for batch in receive {
            let batch = batch.map_err(|f| f.while_trying(format!("import {name}")))?;
            empty = batch.empty;
            let mut rows = Vec::with_capacity(batch.entries.len());
            for entry in batch.entries {
                match entry {
                    Ok(mut row) => {
                        let answers = values.read(&mut row.row);
                        number += 1;
                        let labelled_at_ms = values.at_ms(&row.row, &answers)?;
                        rows.push(Incoming { number, answers, labelled_at_ms, ..row });
                    }
                    Err(bad) => rejects.take(&bad, name)?,
                }
            }
            work.store.add_rows(&mut under_way, rows)?;
            work.report("reading", size.map_or(batch.read, |s| batch.read.min(s)), size, "bytes")?;
            if work.stopped() {
                return Err(stopped(name));
            }
        }
        Ok(())
    });
    let found = under_way.loaded();
    let outcome = outcome.and_then(|()| match found.rows + found.known + found.forgotten {
        0 if found.unknown > 0 => Err(no_id(name)),
        0 => Err(no_text(name)),
        _ => values.check(&attempted(name)),
    });
    if let Err(fault) = outcome {
        // Nobody has seen any of these rows. They are removed now, or, if even that fails, as on a full disk, by the next import; the first
        // reason is the one to report.
        let _ = work.store.clear_abandoned_sources();
        return Err(fault.while_trying(format!("import {name}")));
    }
    let rejected = rejects.count;
    let path = rejects.finish()?;
    let total = work.store.finish_source(under_way, empty, rejected)?;
    let labels = match &options.source {
        None => None,
        Some(of) => {
            if let Some(weight) = of.weight {
                work.store.weigh_label_source(&of.name, weight)?;
            }
            imported_labels(work, of, total.labels)?
        }
    };
    let sample = work.store.sample_texts(SAMPLE)?;
    Ok(ImportReport {
        data: name.to_owned(),
        found: detected.to_string(),
        rows: total.rows,
        new_items: total.items,
        duplicates: total.rows - total.items,
        known: total.known,
        changed: total.changed,
        followed: options.update,
        kept: total.kept,
        golds: total.golds,
        differing: total.differing,
        unknown: total.unknown,
        forgotten: total.forgotten,
        labels,
        predictions: None,
        remark: values.remark(),
        empty,
        rejected,
        rejects: path,
        languages: Languages::of(sample.iter().map(String::as_str)),
        ours: true,
    })
}

fn imported_labels(work: &Work<'_>, of: &LabelsOf, new: i64) -> Result<Option<ImportedLabels>> {
    let mut sources = work.store.label_sources()?.into_iter();
    let found = sources.find(|(source, _)| source.name == of.name.trim());
    Ok(found.map(|(source, given)| ImportedLabels {
        source: source.name,
        weight: source.weight,
        new,
        training: given.training,
    }))
}

/// By what the rows are known when they come again. Each table of a database and each sheet of a workbook is a file to itself, with ids of its own.
fn source_name(name: &str, read: &ReadOptions) -> String {
    match (&read.table, &read.query, &read.sheet) {
        (Some(table), ..) => format!("{name}, table {table}"),
        (None, Some(query), _) => format!("{name}, query {query}"),
        (None, None, Some(sheet)) => format!("{name}, sheet {sheet}"),
        (None, None, None) => name.to_owned(),
    }
}

fn attempted(name: &str) -> String {
    format!("import {name}")
}

fn stopped(name: &str) -> Fault {
    Fault::new(format!("import {name}"), "it was stopped").hint("None of its rows was kept; run it again")
}

fn no_text(name: &str) -> Fault {
    Fault::usage(format!("import {name}"), "no row has a text")
        .hint("Name the column that has the texts: --text COLUMN")
}

fn no_id(name: &str) -> Fault {
    Fault::usage(attempted(name), "no text of the project has one of its ids")
        .hint("Ids are those that --id named when the texts were imported; `hardcase export FILE --what predictions` shows them")
}

/// What the reading thread hands over.
struct Batch<'d> {
    entries: Vec<std::result::Result<Incoming<'d>, BadRow>>,
    /// Bytes read so far.
    read: u64,
    /// Rows without a text so far.
    empty: u64,
}

fn read_batch<'d>(reader: &mut Reader, detected: &'d Detected, shares: &SplitShares) -> Result<Batch<'d>> {
    let mut entries = Vec::with_capacity(BATCH);
    let mut bytes = 0;
    while entries.len() < BATCH && bytes < BATCH_BYTES {
        match reader.next_entry()? {
            None => break,
            Some(Entry::Row(row)) => {
                bytes += row.text.len();
                let normalised = normalise(&row.text);
                let (key, split) =
                    (ItemKey::of_normalised(&normalised), shares.split_normalised(&normalised));
                // Packed here, on the reading thread, as if the item held the text: nearly always it does.
                let (packed, meta) = (row.pack(detected, TextCell::Elided), row.meta(detected));
                entries.push(Ok(Incoming {
                    number: 0,
                    key,
                    split,
                    packed,
                    meta,
                    row,
                    answers: Vec::new(),
                    labelled_at_ms: 0,
                    detected,
                }));
            }
            Some(Entry::Bad(bad)) => entries.push(Err(bad)),
        }
    }
    Ok(Batch { entries, read: reader.bytes_read(), empty: reader.empty_rows() })
}

/// A row with everything that the store needs.
struct Incoming<'d> {
    number: i64,
    key: ItemKey,
    split: Split,
    /// All columns, without the text.
    packed: String,
    meta: Option<String>,
    row: Row,
    answers: Vec<Answer>,
    labelled_at_ms: i64,
    detected: &'d Detected,
}

impl ImportRow for Incoming<'_> {
    fn row(&self) -> i64 {
        self.number
    }
    fn text(&self) -> &str {
        &self.row.text
    }
    fn key(&self) -> ItemKey {
        self.key
    }
    fn split(&self) -> Split {
        self.split
    }
    fn external_id(&self) -> Option<&str> {
        self.row.external_id.as_deref()
    }
    fn gold(&self) -> Option<&str> {
        self.row.gold.as_deref()
    }
    fn answers(&self) -> &[Answer] {
        &self.answers
    }
    fn labelled_at_ms(&self) -> i64 {
        self.labelled_at_ms
    }
    fn meta(&self) -> Option<&str> {
        self.meta.as_deref()
    }
    fn fields(&self, item_holds_text: bool) -> Cow<'_, str> {
        if item_holds_text {
            Cow::Borrowed(&self.packed)
        } else {
            Cow::Owned(self.row.pack(self.detected, TextCell::Kept))
        }
    }
}

/// The file next to the data with the rows that could not be read, made for the first of them.
struct Rejects {
    bad_rows: BadRows,
    path: PathBuf,
    out: Option<WholeFile>,
    count: u64,
}

impl Rejects {
    fn new(name: &str, bad_rows: BadRows) -> Self {
        let data = if name == "-" { "standard-input" } else { name };
        Self { bad_rows, path: PathBuf::from(format!("{data}.rejects.jsonl")), out: None, count: 0 }
    }

    fn take(&mut self, bad: &BadRow, name: &str) -> Result<()> {
        if self.bad_rows == BadRows::Stop {
            return Err(bad.fault(name).while_trying(format!("import {name}")));
        }
        let fault = |e: std::io::Error| {
            Fault::new(format!("write {}", self.path.display()), io_reason(&e)).because(e)
        };
        if self.out.is_none() {
            self.out = Some(WholeFile::begin(&self.path, Rights::Private).map_err(fault)?);
        }
        self.count += 1;
        let line = serde_json::to_string(bad).map_err(|e| Fault::new("note a bad row", e.to_string()))?;
        match &mut self.out {
            Some(out) => writeln!(out.file(), "{line}").map_err(fault),
            None => Ok(()),
        }
    }

    fn finish(self) -> Result<Option<PathBuf>> {
        let Some(out) = self.out else { return Ok(None) };
        out.finish()
            .map_err(|e| Fault::new(format!("write {}", self.path.display()), io_reason(&e)).because(e))?;
        Ok(Some(self.path))
    }
}
