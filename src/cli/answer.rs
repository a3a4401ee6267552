//! `answer`: records an answer, a skip or a flag, or undoes the last; from standard input any number of them.

use std::io::{BufRead, stdin};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::setting::Setting;
use crate::desk::session::{OnClose, Remarks, Session};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::ids::ItemId;
use crate::domain::progress::Watcher;

const FORM: &str = r#"A line is an object such as {"item": 483, "label": "spam"}; "id" instead of "item" is your own id; "labels": ["a", "b"] where a text may have several, [] for none; "skip", "flag" or "undo": true instead of a label"#;

#[derive(clap::Args)]
#[command(group(clap::ArgGroup::new("what").required(true).args(["lines", "label", "none", "skip", "flag", "undo"])))]
#[command(group(clap::ArgGroup::new("answers").args(["label", "none"])))]
#[command(group(clap::ArgGroup::new("subject").args(["item", "id"])))]
pub(super) struct Answer {
    /// The project file
    file: PathBuf,
    /// Take the answers from standard input, one JSON object on each line: item or id, and label or labels, skip, flag or undo; note
    #[arg(value_name = "-", value_parser = ["-"], conflicts_with_all = ["subject", "note"])]
    lines: Option<String>,
    /// The item's number, as `next` shows it
    #[arg(long, value_name = "INT")]
    item: Option<i64>,
    /// The item by your own id, as the data has it
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// The label, by name or key; repeat it where a text may have several
    #[arg(long, value_name = "L", requires = "subject", action = clap::ArgAction::Append)]
    label: Vec<String>,
    /// None of the labels is right, where a text may have several
    #[arg(long, requires = "subject")]
    none: bool,
    /// Skip the item: it comes back once, after all others
    #[arg(long, requires = "subject")]
    skip: bool,
    /// Flag the item for a second look, or remove its flag
    #[arg(long, requires = "subject")]
    flag: bool,
    /// Undo what you did last
    #[arg(long, conflicts_with_all = ["subject", "note"])]
    undo: bool,
    /// A note to keep with the answer
    #[arg(long, value_name = "T", requires = "answers")]
    note: Option<String>,
}

/// One thing to record.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    item: Option<i64>,
    id: Option<serde_json::Value>,
    label: Option<serde_json::Value>,
    /// All that are right; an empty list where none is.
    labels: Option<Vec<serde_json::Value>>,
    note: Option<String>,
    #[serde(default)]
    skip: bool,
    #[serde(default)]
    flag: bool,
    #[serde(default)]
    undo: bool,
}

/// What was recorded, other than an answer.
#[derive(Serialize)]
#[serde(untagged)]
enum Recorded {
    Skipped { item: ItemId, skipped: bool },
    Flagged { item: ItemId, flagged: bool },
    Undone { item: Option<ItemId>, undone: Option<String> },
}

impl std::fmt::Display for Recorded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Skipped { item, .. } => write!(f, "Skipped: item {item}."),
            Self::Flagged { item, flagged: true } => write!(f, "Flagged: item {item}."),
            Self::Flagged { item, flagged: false } => write!(f, "No longer flagged: item {item}."),
            Self::Undone { item: Some(item), undone: Some(what) } => {
                write!(f, "Undone: {what} of item {item}.")
            }
            Self::Undone { .. } => f.write_str("Nothing to undo."),
        }
    }
}

impl Answer {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let expert = setting.expert_on(&self.file)?;
        let mut session = Session::open(&self.file, &expert, OnClose::KeepCases)?;
        if let Some(says) = session.welcome(&expert) {
            setting.watch.note(&says);
        }
        let done = if self.lines.is_some() {
            from_lines(&mut session, stdin().lock(), setting)
        } else {
            let line = Line {
                item: self.item,
                id: self.id.map(Into::into),
                label: None,
                labels: (self.none || !self.label.is_empty())
                    .then(|| self.label.into_iter().map(Into::into).collect()),
                note: self.note,
                skip: self.skip,
                flag: self.flag,
                undo: self.undo,
            };
            record(&mut session, line, setting)
        };
        let closed = session.close();
        done?;
        closed
    }
}

/// Each line is recorded, and what was recorded printed, before the next is read. At the first that cannot be, it ends.
fn from_lines(session: &mut Session, lines: impl BufRead, setting: &Setting) -> Result<()> {
    for (number, line) in lines.lines().enumerate() {
        let attempted = format!("take line {} of the answers", number + 1);
        let line = line.map_err(|e| Fault::new(&attempted, io_reason(&e)).because(e))?;
        if line.trim().is_empty() {
            continue;
        }
        let line = serde_json::from_str(&line).map_err(|e| {
            let message = e.to_string();
            let what = message.split(" at line ").next().unwrap_or(&message).to_owned();
            Fault::usage(&attempted, what).hint(FORM)
        })?;
        record(session, line, setting).map_err(|fault| fault.while_trying(&attempted))?;
    }
    Ok(())
}

fn record(session: &mut Session, line: Line, setting: &Setting) -> Result<()> {
    let unclear = |why: &str| Fault::usage("record the answer", why).hint(FORM);
    let asked = [line.label.is_some(), line.labels.is_some(), line.skip, line.flag, line.undo];
    if asked.iter().filter(|asked| **asked).count() != 1 {
        return Err(unclear("it must say one of label, labels, skip, flag and undo"));
    }
    if line.undo {
        let undone = session.undo()?;
        let (item, undone) = undone.map(|undone| (undone.item, undone.what)).unzip();
        return setting.print(&Recorded::Undone { item, undone });
    }
    let item = match (line.item, line.id) {
        (Some(item), None) => ItemId(item),
        (None, Some(id)) => session.item_of_own_id(&plain(id))?,
        _ => return Err(unclear("it must say which text: either item or id")),
    };
    if let Some(labels) = line.labels.or(line.label.map(|label| vec![label])) {
        let remarks = Remarks { note: line.note, ..Remarks::default() };
        let labels: Vec<String> = labels.into_iter().map(plain).collect();
        let saved = session.answer_and_count(item, labels, remarks)?;
        return setting.print(&saved);
    }
    if line.skip {
        session.skip(item)?;
        return setting.print(&Recorded::Skipped { item, skipped: true });
    }
    let flagged = session.toggle_flag(item)?;
    setting.print(&Recorded::Flagged { item, flagged })
}

/// An id or a key may be a number.
fn plain(value: serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text,
        other => other.to_string(),
    }
}
