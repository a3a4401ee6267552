//! `import`: rows of a foreign file become items; duplicates fold, every row is kept.

use std::borrow::Cow;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::sync_channel;

use serde::Serialize;

use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::item::{ItemKey, normalise};
use crate::domain::read_options::ReadOptions;
use crate::domain::split::{Split, SplitShares};
use crate::formats::{BadRow, Entry, Found, Reader, Row, TextCell};
use crate::store::pool::sources::ImportRow;
use crate::work::input::{TextSource, open_source};
use crate::work::runner::{Ended, JobContext, Work, run};

/// Rows handed to the writer at a time, where their texts are not longer than `BATCH_BYTES` together.
const BATCH: usize = 4_000;
/// Bytes of text after which a batch ends.
const BATCH_BYTES: usize = 4 << 20;
/// Batches that may wait for the writer.
const READ_AHEAD: usize = 4;

/// What to do with a row that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadRows {
    /// The import ends, and nothing of it is seen.
    Stop,
    /// The row goes to `DATA.rejects.jsonl`.
    Reject,
}

/// What an import did.
#[derive(Clone, Debug, Serialize)]
pub struct ImportReport {
    /// The file.
    pub data: String,
    /// How it was read.
    pub found: String,
    /// Rows kept.
    pub rows: i64,
    /// Texts that were new.
    pub new_items: i64,
    /// Rows whose text was there already.
    pub duplicates: i64,
    /// Rows without a text, passed over.
    pub empty: u64,
    /// Rows refused.
    pub rejected: u64,
    /// Where the refused rows went.
    pub rejects: Option<PathBuf>,
    /// False where another process did the work and this one watched.
    pub ours: bool,
}

impl std::fmt::Display for ImportReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.ours {
            return write!(
                f,
                "another process finished an import; run this one again if it was a different file"
            );
        }
        write!(
            f,
            "{}: {} rows, {} new texts, {} duplicates",
            self.data, self.rows, self.new_items, self.duplicates
        )?;
        if self.empty > 0 {
            write!(f, ", {} without a text", self.empty)?;
        }
        match &self.rejects {
            Some(path) => write!(f, ", {} rejected (see {})", self.rejected, path.display()),
            None => Ok(()),
        }
    }
}

/// Imports `data` (`-` is standard input).
///
/// # Errors
/// A file that cannot be read as text, or a bad row where those stop the import: nothing of it is seen then.
pub fn import(
    context: &JobContext<'_>,
    data: &Path,
    options: &ReadOptions,
    bad_rows: BadRows,
) -> Result<ImportReport> {
    let attempted = format!("import {}", data.display());
    let source = open_source(data, &attempted)?;
    let name = data.to_string_lossy().into_owned();
    import_stream(context, source, &name, options, bad_rows)
}

/// Imports a text that travels in the binary, under the name of a file.
pub fn import_bundled(
    context: &JobContext<'_>,
    name: &str,
    text: &'static str,
    options: &ReadOptions,
    bad_rows: BadRows,
) -> Result<ImportReport> {
    let source = TextSource { stream: Box::new(text.as_bytes()), size: Some(text.len() as u64) };
    import_stream(context, source, name, options, bad_rows)
}

fn import_stream(
    context: &JobContext<'_>,
    source: TextSource,
    name: &str,
    options: &ReadOptions,
    bad_rows: BadRows,
) -> Result<ImportReport> {
    let size = source.size;
    let reader =
        Reader::open(source.stream, name, options).map_err(|f| f.while_trying(format!("import {name}")))?;
    context.watcher.note(&format!("{name}: {}", reader.found()));
    let ended = run(context, "import", name, |work| load(work, reader, name, size, bad_rows))?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => ImportReport {
            data: name.to_owned(),
            found: String::new(),
            rows: 0,
            new_items: 0,
            duplicates: 0,
            empty: 0,
            rejected: 0,
            rejects: None,
            ours: false,
        },
    })
}

fn load(
    work: &mut Work<'_>,
    mut reader: Reader,
    name: &str,
    size: Option<u64>,
    bad_rows: BadRows,
) -> Result<ImportReport> {
    let abandoned = work.store.clear_abandoned_sources()?;
    if abandoned > 0 {
        work.note("an earlier import had not finished; its rows were cleared");
    }
    let found = reader.found().clone();
    let found_json =
        serde_json::to_string(&found).map_err(|e| Fault::new("note how the file was read", e.to_string()))?;
    let shares = work.store.project()?.shares;
    let mut under_way = work.store.begin_source(name, &found_json)?;
    let mut rejects = Rejects::new(name, bad_rows);
    let mut empty = 0;
    // Reading and hashing on one thread, writing on this one.
    let outcome = std::thread::scope(|scope| {
        let (send, receive) = sync_channel::<Result<Batch<'_>>>(READ_AHEAD);
        let (found, shares) = (&found, &shares);
        scope.spawn(move || {
            loop {
                let batch = read_batch(&mut reader, found, shares);
                let last = batch.as_ref().map_or(true, |b| b.entries.is_empty());
                if send.send(batch).is_err() || last {
                    break;
                }
            }
        });
        for batch in receive {
            let batch = batch.map_err(|f| f.while_trying(format!("import {name}")))?;
            empty = batch.empty;
            let before = under_way.loaded().rows;
            let mut rows = Vec::with_capacity(batch.entries.len());
            for entry in batch.entries {
                match entry {
                    Ok(row) => rows.push(Incoming { number: before + rows.len() as i64 + 1, ..row }),
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
    let outcome =
        outcome.and_then(|()| if under_way.loaded().rows == 0 { Err(nothing(name)) } else { Ok(()) });
    if let Err(fault) = outcome {
        // Nothing of it was ever seen; the rows go now rather than at the next import.
        // Where even that fails, as on a full disk, the first reason is the one to tell, and the next import clears them.
        let _ = work.store.clear_abandoned_sources();
        return Err(fault.while_trying(format!("import {name}")));
    }
    let rejected = rejects.count;
    let path = rejects.finish()?;
    let total = work.store.finish_source(under_way, empty, rejected)?;
    Ok(ImportReport {
        data: name.to_owned(),
        found: found.to_string(),
        rows: total.rows,
        new_items: total.items,
        duplicates: total.rows - total.items,
        empty,
        rejected,
        rejects: path,
        ours: true,
    })
}

fn stopped(name: &str) -> Fault {
    Fault::new(format!("import {name}"), "it was stopped").hint("Nothing of it was kept; run it again")
}

fn nothing(name: &str) -> Fault {
    Fault::usage(format!("import {name}"), "no row holds a text")
        .hint("Name the column with the texts: --text COLUMN")
}

/// What the reading thread hands over.
struct Batch<'f> {
    entries: Vec<std::result::Result<Incoming<'f>, BadRow>>,
    /// Bytes read so far.
    read: u64,
    /// Rows without a text so far.
    empty: u64,
}

fn read_batch<'f>(reader: &mut Reader, found: &'f Found, shares: &SplitShares) -> Result<Batch<'f>> {
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
                // In advance, on this thread: nearly every row's text is its item's.
                let (packed, meta) = (row.pack(found, TextCell::Elided), row.meta(found));
                entries.push(Ok(Incoming { number: 0, key, split, packed, meta, row, found }));
            }
            Some(Entry::Bad(bad)) => entries.push(Err(bad)),
        }
    }
    Ok(Batch { entries, read: reader.bytes_read(), empty: reader.empty_rows() })
}

/// A row with all that the store wants to know of it.
struct Incoming<'f> {
    number: i64,
    key: ItemKey,
    split: Split,
    /// All columns, without the text.
    packed: String,
    meta: Option<String>,
    row: Row,
    found: &'f Found,
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
    fn meta(&self) -> Option<&str> {
        self.meta.as_deref()
    }
    fn fields(&self, item_holds_text: bool) -> Cow<'_, str> {
        if item_holds_text {
            Cow::Borrowed(&self.packed)
        } else {
            Cow::Owned(self.row.pack(self.found, TextCell::Kept))
        }
    }
}

/// Where refused rows go: a file beside the data, made with the first of them.
struct Rejects {
    bad_rows: BadRows,
    path: PathBuf,
    out: Option<BufWriter<File>>,
    count: u64,
}

impl Rejects {
    fn new(name: &str, bad_rows: BadRows) -> Self {
        let beside = if name == "-" { "standard-input" } else { name };
        Self { bad_rows, path: PathBuf::from(format!("{beside}.rejects.jsonl")), out: None, count: 0 }
    }

    fn take(&mut self, bad: &BadRow, name: &str) -> Result<()> {
        if self.bad_rows == BadRows::Stop {
            return Err(bad.fault(name).while_trying(format!("import {name}")));
        }
        let fault = |e: std::io::Error| {
            Fault::new(format!("write {}", self.path.display()), io_reason(&e)).because(e)
        };
        if self.out.is_none() {
            self.out = Some(BufWriter::new(File::create(&self.path).map_err(fault)?));
        }
        self.count += 1;
        let line = serde_json::to_string(bad).map_err(|e| Fault::new("note a bad row", e.to_string()))?;
        match &mut self.out {
            Some(out) => writeln!(out, "{line}").map_err(fault),
            None => Ok(()),
        }
    }

    fn finish(self) -> Result<Option<PathBuf>> {
        let Some(mut out) = self.out else { return Ok(None) };
        out.flush()
            .map_err(|e| Fault::new(format!("write {}", self.path.display()), io_reason(&e)).because(e))?;
        Ok(Some(self.path))
    }
}
