//! A look at a whole data file before anything is made of it: its encoding, its columns and their values, and the first texts as experts will
//! see them. On a thread of its own, and the newest question wins.
//!
//! Only reads. Opens the file itself, since nothing of it is in a project yet.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{Read, Seek};
use std::path::{Path, PathBuf};

use super::worker::{Inbox, Policy, Worker};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::item::ItemKey;
use crate::domain::project_draft::ColumnUse;
use crate::domain::read_options::{Opener, ReadOptions};
use crate::formats::{
    Detected, Entry, Layout, Reader, TextCell, WholeEncoding, is_table, turns, unpack, whole_encoding,
};

/// The bytes that tell a table from a text: what an archive begins with names what it is.
const HEAD: u64 = 256 << 10;
/// The number of rows that are shown.
const SHOWN: usize = 3;
/// The most values of a column that are counted: a column with more holds no labels.
const VALUES: usize = 200;
/// The most bytes of a value that can be a label's name.
const LONGEST_VALUE: usize = 80;
/// The most columns of which values are counted.
const COLUMNS: usize = 100;
/// The most different texts that are counted: they take 16 bytes each.
const DISTINCT: usize = 4_000_000;
/// How the texts of a folder are handed on.
const OF_A_FOLDER: &str = "jsonl";
/// How many rows are read between two looks at the mail.
const OFTEN: u64 = 256;

/// The question how a file reads with these options.
#[derive(Debug)]
pub struct Question {
    /// Told back with every answer.
    pub number: u64,
    pub options: ReadOptions,
}

/// An answer, or a part of one.
#[derive(Debug)]
pub struct Answer {
    pub number: u64,
    pub says: Says,
}

#[derive(Debug)]
pub enum Says {
    /// Bytes read so far and the bytes to read, over all passes.
    Progress { read: u64, of: u64 },
    /// How the file begins.
    Begins(Box<Beginning>),
    /// What all of it holds. Always the last of an answer.
    Whole(Box<Facts>),
    /// Why it cannot be read. Always the last of an answer.
    Failed(String),
}

/// How a file begins, read with the options of the question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beginning {
    /// The format as a person would call it: `CSV with ';'`.
    pub format: String,
    /// The encoding's name.
    pub encoding: String,
    /// Whether rows are cells between delimiters.
    pub has_cells: bool,
    /// Whether the first row names the columns.
    pub header: bool,
    /// The columns with what they are for.
    pub columns: Vec<(String, ColumnUse)>,
    /// Why no column is taken for the text.
    pub unclear: Option<String>,
    /// The first rows with a text, at most three.
    pub rows: Vec<Shown>,
}

/// A row as an expert will see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    pub text: String,
    /// Whether it is a conversation, of which the last turn is usually what is asked about.
    pub has_turns: bool,
    /// The columns shown next to the text, by name.
    pub beside: Vec<(String, String)>,
}

/// What all of a file holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Rows with a text.
    pub rows: u64,
    /// Rows whose text an earlier row has: they become one text with it. Not counted in a file of very many rows.
    pub repeated: Option<u64>,
    /// Rows without one.
    pub empty: u64,
    /// Rows that cannot be read.
    pub bad: u64,
    /// The first of them, and what is wrong with it.
    pub first_bad: Option<String>,
    /// For each column the values it has, the most frequent first; none if there are too many to be labels.
    pub values: Vec<Option<Vec<(String, u64)>>>,
}

/// What is looked at.
pub struct Data {
    pub path: PathBuf,
    /// Where it is a folder: opens what is in it.
    pub folder: Option<Opener>,
}

/// Starts the thread for a file; `respond` is called on it.
///
/// # Errors
/// The system gives no more threads.
pub fn start(data: Data, respond: impl Fn(Answer) + Send + 'static) -> Result<Worker<Question>> {
    Worker::start("survey", Policy::NewestOnly, move |inbox| {
        while let Some(Question { number, options }) = inbox.next() {
            let tell = |says| respond(Answer { number, says });
            match (Look { data: &data, outdated: &|| is_outdated(inbox), tell: &tell }).look(options) {
                Ok(Some(facts)) => tell(Says::Whole(Box::new(facts))),
                Ok(None) => {}
                Err(fault) => tell(Says::Failed(fault.to_string())),
            }
        }
    })
}

/// Of a text's key so much that among the texts of a file two hardly ever share it.
fn short_key(text: &str) -> u64 {
    let [a, b, c, d, e, f, g, h, ..] = ItemKey::of(text).0;
    u64::from_be_bytes([a, b, c, d, e, f, g, h])
}

fn is_outdated(inbox: &Inbox<Question>) -> bool {
    inbox.is_outdated()
}

/// The same at once, for a caller that waits; without progress.
///
/// # Errors
/// The file cannot be read with these options.
pub fn survey(data: &Data, options: &ReadOptions) -> Result<(Beginning, Facts)> {
    let begins = std::cell::RefCell::new(None);
    let tell = |says| {
        if let Says::Begins(beginning) = says {
            *begins.borrow_mut() = Some(*beginning);
        }
    };
    let facts = (Look { data, outdated: &|| false, tell: &tell }).look(options.clone())?;
    begins
        .into_inner()
        .zip(facts)
        .ok_or_else(|| Fault::new(attempt(&data.path), "it has changed while it was read"))
}

fn attempt(data: &Path) -> String {
    format!("read {}", data.display())
}

struct Look<'a> {
    data: &'a Data,
    /// Whether nobody waits for the answer any more.
    outdated: &'a dyn Fn() -> bool,
    tell: &'a dyn Fn(Says),
}

impl Look<'_> {
    /// None if nobody waits any more.
    fn look(&self, mut options: ReadOptions) -> Result<Option<Facts>> {
        let is_folder = self.data.folder.is_some();
        let size = match is_folder {
            true => 0,
            false => self.file()?.metadata().map_err(|e| self.failed(&e))?.len(),
        };
        if is_folder {
            options.format = Some(OF_A_FOLDER.into());
        } else if options.encoding.is_none() {
            // Judged by all of the file: the first umlaut may be in the last row.
            match self.other_encoding(size)? {
                Some(WholeEncoding::Other(encoding)) => options.encoding = Some(encoding.into()),
                Some(WholeEncoding::Unicode) => {}
                None => return Ok(None),
            }
        }
        let (mut reader, unclear) = self.reader(&options)?;
        let detected = reader.detected().clone();
        let mut beginning = begins(&detected, unclear);
        let mut counts: Vec<Option<BTreeMap<String, u64>>> =
            vec![Some(BTreeMap::new()); detected.columns.len().min(COLUMNS)];
        let mut facts = Facts::default();
        let mut distinct = Some(HashSet::new());
        let mut told = false;
        loop {
            let entry = reader.next_entry()?;
            match &entry {
                Some(Entry::Row(row)) => {
                    facts.rows += 1;
                    if let Some(texts) = &mut distinct {
                        texts.insert(short_key(&row.text));
                    }
                    distinct = distinct.filter(|texts| texts.len() < DISTINCT);
                    if beginning.rows.len() < SHOWN {
                        let packed = row.pack(&detected, TextCell::Kept);
                        beginning.rows.push(Shown {
                            has_turns: turns(&packed, &detected, &row.text)
                                .is_ok_and(|turns| turns.len() > 1),
                            text: row.text.clone(),
                            beside: beside(row.meta(&detected)),
                        });
                    }
                    let cells = unpack(&row.pack(&detected, TextCell::Kept), &detected, &row.text)?;
                    for (name, cell) in cells {
                        count(&detected, &mut counts, &name, &cell.plain());
                    }
                }
                Some(Entry::Bad(bad)) => {
                    facts.bad += 1;
                    facts.first_bad.get_or_insert_with(|| format!("line {}: {}", bad.line, bad.why));
                }
                None => {}
            }
            if !told && (entry.is_none() || beginning.rows.len() == SHOWN) {
                told = true;
                if beginning.unclear.is_some() {
                    beginning.rows.clear();
                }
                (self.tell)(Says::Begins(Box::new(beginning.clone())));
            }
            if entry.is_none() {
                break;
            }
            if (facts.rows + facts.bad).is_multiple_of(OFTEN) {
                if (self.outdated)() {
                    return Ok(None);
                }
                (self.tell)(Says::Progress { read: size + reader.bytes_read().min(size), of: 2 * size });
            }
        }
        facts.empty = reader.empty_rows();
        facts.repeated = distinct.map(|texts| facts.rows - texts.len() as u64);
        facts.values = counts.into_iter().map(|values| values.map(by_frequency)).collect();
        Ok(Some(facts))
    }

    fn file(&self) -> Result<File> {
        File::open(&self.data.path).map_err(|e| self.failed(&e))
    }

    fn failed(&self, error: &std::io::Error) -> Fault {
        Fault::new(attempt(&self.data.path), io_reason(error))
    }

    fn open(&self, options: &ReadOptions) -> Result<Reader> {
        let name = self.data.path.to_string_lossy();
        if let Some(open) = &self.data.folder {
            return Reader::open(open()?, &name, options);
        }
        let mut file = self.file()?;
        let mut head = Vec::new();
        let read = (&mut file).take(HEAD).read_to_end(&mut head).and_then(|_| file.rewind());
        read.map_err(|e| self.failed(&e))?;
        // A table is read as a file: its index is at its end.
        let again = if is_table(&head) { file.try_clone().ok() } else { None };
        let stream: Box<dyn Read + Send> = Box::new(file);
        Reader::open((stream, again), &name, options)
    }

    /// The file with its text; if it is not clear which column that is, with all that can be one, and the reason.
    fn reader(&self, options: &ReadOptions) -> Result<(Reader, Option<String>)> {
        let fault = match self.open(options) {
            Ok(reader) => return Ok((reader, None)),
            Err(fault) if options.text.is_empty() => fault,
            Err(fault) => return Err(fault),
        };
        let with = |text: Vec<String>| self.open(&ReadOptions { text, ..options.clone() });
        // If only the text column is unclear, the file opens with any column as its text.
        let Ok(first) = with(vec!["1".into()]) else { return Err(fault) };
        let columns = first.detected().columns.clone();
        let all = if first.detected().layout == Layout::Keys {
            columns.into_iter().filter(|name| with(vec![name.clone()]).is_ok_and(is_plain)).collect()
        } else {
            columns
        };
        if all.is_empty() {
            return Err(fault);
        }
        Ok((with(all)?, Some(fault.why().to_owned())))
    }

    /// Whether the file is Unicode, or else what it probably is; none if nobody waits any more.
    fn other_encoding(&self, size: u64) -> Result<Option<WholeEncoding>> {
        let told = whole_encoding(&mut self.file()?, |read| {
            (self.tell)(Says::Progress { read, of: 2 * size });
            !(self.outdated)()
        });
        told.map_err(|e| self.failed(&e))
    }
}

/// Whether the first rows have a text.
fn is_plain(mut reader: Reader) -> bool {
    (0..20).all(|_| !matches!(reader.next_entry(), Ok(Some(Entry::Bad(_))) | Err(_)))
}

fn begins(detected: &Detected, unclear: Option<String>) -> Beginning {
    let is = |i: usize| match i {
        i if detected.gold == Some(i) => ColumnUse::Labels,
        i if detected.labels == Some(i) => ColumnUse::Earlier,
        i if unclear.is_none() && detected.text.contains(&i) => ColumnUse::Text,
        i if detected.meta.contains(&i) => ColumnUse::Beside,
        i if detected.id == Some(i) => ColumnUse::Id,
        _ => ColumnUse::Out,
    };
    Beginning {
        format: detected.format.clone(),
        encoding: detected.encoding.clone(),
        has_cells: detected.layout == Layout::Cells,
        header: detected.header,
        columns: detected.columns.iter().enumerate().map(|(i, name)| (name.clone(), is(i))).collect(),
        unclear,
        rows: Vec::new(),
    }
}

fn beside(meta: Option<String>) -> Vec<(String, String)> {
    let Some(Ok(serde_json::Value::Object(object))) = meta.map(|json| serde_json::from_str(&json)) else {
        return Vec::new();
    };
    let plain = |value: serde_json::Value| match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    };
    object.into_iter().map(|(name, value)| (name, plain(value))).collect()
}

fn count(detected: &Detected, counts: &mut [Option<BTreeMap<String, u64>>], name: &str, value: &str) {
    let value = value.trim();
    if value.is_empty() {
        return;
    }
    let Some(at) = detected.columns.iter().position(|column| column == name) else { return };
    let Some(slot) = counts.get_mut(at) else { return };
    let Some(values) = slot else { return };
    if let Some(n) = values.get_mut(value) {
        *n += 1;
    } else if values.len() == VALUES || value.len() > LONGEST_VALUE {
        *slot = None;
    } else {
        values.insert(value.to_owned(), 1);
    }
}

fn by_frequency(values: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut values: Vec<(String, u64)> = values.into_iter().collect();
    values.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
    values
}

/// Where the draft of a project from this data is kept: a file in `folder` of its own, named after the path.
pub fn draft_place(folder: &Path, data: &Path) -> PathBuf {
    let path = std::path::absolute(data).unwrap_or_else(|_| data.to_owned());
    let name = blake3::hash(path.as_os_str().as_encoded_bytes());
    folder.join(format!("{}.json", &name.to_hex()[..32]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<(Beginning, Facts)> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        survey(&Data { path, folder: None }, options)
    }

    #[test]
    fn the_encoding_is_told_by_the_whole_file() {
        let mut late = b"who,text\n".to_vec();
        for _ in 0..40_000 {
            late.extend(b"ann,nothing special in this row\n");
        }
        late.extend(b"bo,caf\xE9 au lait\n");
        let (beginning, facts) = of("a.csv", &late, &ReadOptions::default()).unwrap();
        assert_eq!((beginning.encoding.as_str(), facts.rows, facts.bad), ("windows-1252", 40_001, 0));
        let (beginning, facts) =
            of("a.csv", "text\nhé là\nça va\n".as_bytes(), &ReadOptions::default()).unwrap();
        assert_eq!((beginning.encoding.as_str(), facts.bad), ("UTF-8", 0));
        let broken = ["text\nhé là ça\n".as_bytes(), b"b\xE9\n"].concat();
        let (beginning, facts) = of("a.csv", &broken, &ReadOptions::default()).unwrap();
        assert_eq!((beginning.encoding.as_str(), facts.rows, facts.bad), ("UTF-8", 1, 1));
        assert!(facts.first_bad.unwrap().starts_with("line 3: "));
        let wide: Vec<u8> = "\u{feff}text\nhé là\n".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(of("a.csv", &wide, &ReadOptions::default()).unwrap().0.encoding, "UTF-16LE");
    }

    #[test]
    fn values_are_counted_and_the_first_texts_shown_as_experts_will_see_them() {
        let options = ReadOptions { meta: vec!["who".into()], ..ReadOptions::default() };
        let (beginning, facts) =
            of("a.csv", b"label;who;text\nx;ann;one two\ny;bo;\nx;cy;three four\n", &options).unwrap();
        assert_eq!(beginning.columns[2], ("text".into(), ColumnUse::Text));
        assert_eq!(beginning.columns[1], ("who".into(), ColumnUse::Beside));
        let shown =
            Shown { text: "three four".into(), has_turns: false, beside: vec![("who".into(), "cy".into())] };
        assert_eq!(beginning.rows[1], shown);
        assert_eq!((facts.rows, facts.empty), (2, 1));
        assert_eq!(facts.values[0], Some(vec![("x".into(), 2)]));
    }

    #[test]
    fn a_column_of_ids_is_known_as_one_unless_the_person_leaves_it_out() {
        let unclear = b"id,agent,user\n7,what do you think,I do not know\n";
        let ids = |options: &ReadOptions| {
            let (beginning, _) = of("a.csv", unclear, options).unwrap();
            beginning.columns[0].1
        };
        assert_eq!(ids(&ReadOptions::default()), ColumnUse::Id, "also where the text is not clear");
        assert_eq!(ids(&ReadOptions { has_no_id: true, ..ReadOptions::default() }), ColumnUse::Out);
    }

    #[test]
    fn an_unclear_text_column_leaves_the_choice_and_shows_no_text() {
        let (beginning, facts) =
            of("a.csv", b"agent,user\nwhat do you think,I do not know\n", &ReadOptions::default()).unwrap();
        assert!(beginning.unclear.unwrap().contains("several columns"));
        assert!(beginning.rows.is_empty() && facts.rows == 1);
        let lists = br#"{"a":["x"],"b":"what do you think","c":"I do not know"}"#;
        let (beginning, facts) = of("a.jsonl", lists, &ReadOptions::default()).unwrap();
        assert_eq!((beginning.columns.len(), facts.rows, facts.bad), (3, 1, 0));
        assert!(of("a.csv", b"", &ReadOptions::default()).unwrap_err().to_string().contains("empty"));
    }
}
