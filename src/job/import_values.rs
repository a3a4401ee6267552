//! The known labels of a file, held against the task while its rows come in.

use crate::domain::answer::Answer;
use crate::domain::fault::{Fault, Result};
use crate::domain::label_values::LabelValues;
use crate::domain::moment;
use crate::domain::sanitize::sanitize_line;
use crate::domain::task::Task;
use crate::formats::{Detected, Row};

/// The longest time that a message shows, in characters.
const SHOWN: usize = 40;

/// What the values of the columns with labels mean.
pub(super) struct Values {
    gold: Option<LabelValues>,
    labels: Option<LabelValues>,
    /// When this import began, for labels without a time of their own, UTC milliseconds.
    now_ms: i64,
}

impl Values {
    /// # Errors
    /// A map that cannot be read or is for no column, or labels for a project without a task.
    pub fn new(task: Option<&Task>, detected: &Detected, map: &[String], now_ms: i64) -> Result<Self> {
        let attempted = "read the labels";
        let column = |at: usize| detected.columns.get(at).map_or("", String::as_str);
        if !map.is_empty() && detected.gold.is_none() && detected.labels.is_none() {
            return Err(Fault::usage(
                attempted,
                "--map says what labels mean, and no column with labels was named",
            )
            .hint("Name the column with --label or --gold"));
        }
        let labels = match (detected.labels, task) {
            (None, _) => None,
            (Some(at), Some(task)) => Some(LabelValues::new(task, column(at), map)?),
            (Some(_), None) => {
                return Err(Fault::usage(
                    attempted,
                    "the project has no task yet, so nothing says what they are labels of",
                )
                .hint("Write a TASK.toml and set it with `hardcase task FILE --set TASK.toml`"));
            }
        };
        // Without a task a gold label is kept as it is written: there is nothing to hold it against.
        let gold = detected.gold.zip(task);
        let gold = gold.map(|(at, task)| LabelValues::new(task, column(at), map)).transpose()?;
        Ok(Self { gold, labels, now_ms })
    }

    /// Reads the labels of a row: its gold label becomes the name of a label, in place, and its other labels are returned as answers.
    pub fn read(&mut self, row: &mut Row) -> Vec<Answer> {
        if let (Some(values), Some(gold)) = (&mut self.gold, &row.gold) {
            row.gold = values.read_one(gold);
        }
        if self.gold.is_none() && row.gold.as_deref() == Some("[]") {
            // Without a task nothing says that a text may have several labels, of which this would be none.
            row.gold = None;
        }
        match &mut self.labels {
            Some(values) => row.labels.iter().flat_map(|cell| values.read(cell)).collect(),
            None => Vec::new(),
        }
    }

    /// When a row's labels were given.
    ///
    /// # Errors
    /// What stands there is no time.
    pub fn at_ms(&self, row: &Row, answers: &[Answer]) -> Result<i64> {
        let Some(written) = row.labelled_at.as_deref().filter(|_| !answers.is_empty()) else {
            return Ok(self.now_ms);
        };
        moment::read(written).ok_or_else(|| {
            let shown = sanitize_line(written, SHOWN);
            Fault::usage("read the labels", format!("row at line {}: '{shown}' is no time", row.line)).hint(
                "Write times as 2026-08-07, 2026-08-07 14:05:09, or seconds since 1970, or leave --at out",
            )
        })
    }

    /// Whether everything in the column of a source's labels was one.
    ///
    /// # Errors
    /// A usage fault that lists what is none.
    pub fn check(&self, attempted: &str) -> Result<()> {
        self.labels.as_ref().map_or(Ok(()), |labels| labels.check(attempted))
    }

    /// What a person should know of the gold labels.
    pub fn remark(&self) -> Option<String> {
        self.gold.as_ref()?.remark()
    }
}
