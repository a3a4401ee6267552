//! Labelled data as a simulation sees it: the texts, their gold labels, and a crowd's labels.
//!
//! Duplicates are removed as in an import; the first row's label counts. Rows without a gold label are left out and counted.

use std::collections::hash_map::{Entry as Slot, HashMap};
use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

use serde::Serialize;

use crate::domain::fault::{Fault, Result};
use crate::domain::item::{ItemKey, normalise, split_key};
use crate::domain::label_lists::several_in;
use crate::domain::label_set::LabelSet;
use crate::domain::read_options::ReadOptions;
use crate::domain::split::{Split, SplitShares};
use crate::domain::task::Task;
use crate::domain::task_kind::{MAX_LEVELS, SEPARATORS, TaskKind};
use crate::formats::{Detected, Entry, Reader, Row};
use crate::work::input::open_source;

/// Greatest number of labels.
const MOST_LABELS: usize = 200;

/// Least number of texts that can be divided into a pool and a test set.
const LEAST_TEXTS: usize = 20;

/// Where labelled data comes from.
#[derive(Clone, Debug)]
pub struct Source {
    /// The file; `-` is standard input.
    pub data: PathBuf,
    /// How to read it. The gold column must be named.
    pub read: ReadOptions,
    /// The labels; without a task, the values in the gold column.
    pub task: Option<Task>,
    /// What is asked for, where there is no task to say it.
    pub kind: TaskKind,
    /// A column with a noisy answer to each text.
    pub crowd: Option<String>,
    /// For each label the column that counts the annotators who gave it.
    pub votes: Vec<(String, String)>,
    pub copies: NearCopies,
}

/// What to do with near-duplicates: texts that differ from an earlier one only in letter case, digits, links and names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NearCopies {
    Kept,
    /// Only the first is kept.
    Folded,
}

/// Number of near-duplicates of an earlier text.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct CopyCount {
    /// What was done with them.
    pub are: NearCopies,
    pub texts: usize,
    /// Of these, how many have another label than the first.
    pub of_another_label: usize,
}

#[derive(Clone, Debug)]
pub struct Labels {
    /// Whether the labels are levels, the lowest first.
    pub kind: TaskKind,
    pub names: Vec<String>,
    /// The texts that represent each label before anybody has labelled.
    pub anchors: Vec<Vec<String>>,
    /// The expected shares, if a task gives them.
    pub shares: Vec<Option<f64>>,
}

/// Annotators' labels, besides the gold labels.
#[derive(Clone, Debug, PartialEq)]
pub enum Crowd {
    None,
    /// An answer to each text.
    Column(Vec<LabelSet>),
    /// For each text, how many gave each label.
    Votes(Vec<Vec<u32>>),
}

/// Labelled data; entry `i` of every list is about the same text.
#[derive(Clone, Debug)]
pub struct Dataset {
    pub texts: Vec<String>,
    /// The labels of each text: exactly one, unless the kind is several.
    pub gold: Vec<LabelSet>,
    /// The splits that the texts would have in a project.
    pub splits: Vec<Split>,
    pub crowd: Crowd,
    pub labels: Labels,
    /// Number of rows without a gold label.
    pub unlabelled: usize,
    pub copies: CopyCount,
}

impl Labels {
    fn of_task(task: &Task) -> Self {
        Self {
            kind: task.kind,
            names: task.labels.iter().map(|l| l.name.clone()).collect(),
            anchors: task.anchors(),
            shares: task.shares(),
        }
    }

    /// Without a task, a label has only its name. Levels that are numbers stand in their order.
    fn of_names(mut names: Vec<String>, kind: TaskKind) -> Self {
        if kind.is_scale() && names.iter().all(|name| name.parse::<i64>().is_ok()) {
            names.sort_by_key(|name| name.parse::<i64>().unwrap_or_default());
        }
        let anchors = names.iter().map(|name| vec![name.replace('_', " ")]).collect();
        Self { kind, anchors, shares: vec![None; names.len()], names }
    }

    /// The labels that a cell of several names: a list of JSON, or names with a sign between them. The whole cell is one where it is the name of one.
    fn parts(&self, cell: &str) -> Vec<String> {
        let cell = cell.trim();
        if cell.is_empty() || cell == "[]" {
            return Vec::new();
        }
        match self.index(cell) {
            Some(_) => vec![cell.to_owned()],
            None => listed(cell).unwrap_or_else(|| {
                cell.split(SEPARATORS)
                    .map(|part| part.trim().to_owned())
                    .filter(|part| !part.is_empty())
                    .collect()
            }),
        }
    }

    fn index(&self, said: &str) -> Option<usize> {
        let exact = self.names.iter().position(|name| name == said);
        exact.or_else(|| self.names.iter().position(|name| name.eq_ignore_ascii_case(said)))
    }
}

/// The entries of a list of JSON.
fn listed(cell: &str) -> Option<Vec<String>> {
    let listed: Vec<serde_json::Value> = serde_json::from_str(cell).ok()?;
    let plain = |value: serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    Some(listed.into_iter().map(plain).collect())
}

impl Dataset {
    /// # Errors
    /// A file that cannot be read, a column that is not there, or a label that the task does not have.
    pub fn read(source: &Source) -> Result<Self> {
        let attempted = format!("simulate on {}", source.data.display());
        if source.read.gold.is_none() {
            return Err(Fault::usage(&attempted, "it is not known which column holds the gold labels")
                .hint("Name it: --gold COLUMN"));
        }
        let (rows, unlabelled) = source.rows(&attempted)?;
        let mut set = Self {
            texts: Vec::with_capacity(rows.len()),
            gold: Vec::with_capacity(rows.len()),
            splits: Vec::with_capacity(rows.len()),
            crowd: source.no_crowd_yet(),
            labels: source.labels(&rows, &attempted)?,
            unlabelled,
            copies: CopyCount { are: source.copies, texts: 0, of_another_label: 0 },
        };
        let voted = source.voted(&set.labels);
        set.fill(rows, &voted, &attempted)?;
        if set.len() < LEAST_TEXTS {
            let why = format!("it has {} texts with a known label, of the {LEAST_TEXTS} needed", set.len());
            return Err(Fault::usage(&attempted, why).hint("Name the right column: --gold COLUMN"));
        }
        if let Some(label) = set.counts().iter().position(|n| *n == 0) {
            let why = format!("no text of it has the label '{}'", set.labels.names[label]);
            return Err(Fault::usage(&attempted, why)
                .hint("Leave the label out of the task, or name the right column: --gold COLUMN"));
        }
        Ok(set)
    }

    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Number of labels.
    pub fn classes(&self) -> usize {
        self.labels.names.len()
    }

    /// How many texts have each label.
    pub fn counts(&self) -> Vec<usize> {
        let mut counts = vec![0; self.classes()];
        self.gold.iter().flat_map(LabelSet::places).for_each(|label| counts[label] += 1);
        counts
    }

    /// The rarest label that any text has, which counts as the positive class.
    pub fn positive(&self) -> usize {
        let counts = self.counts();
        (0..counts.len()).filter(|&label| counts[label] > 0).min_by_key(|&label| counts[label]).unwrap_or(0)
    }

    fn fill(&mut self, rows: Vec<KnownRow>, voted: &[usize], attempted: &str) -> Result<()> {
        let shares = SplitShares::default();
        let mut items = HashSet::new();
        let mut firsts: HashMap<String, LabelSet> = HashMap::new();
        for row in rows {
            let normalised = normalise(&row.text);
            if !items.insert(ItemKey::of_normalised(&normalised)) {
                continue;
            }
            let label_of = |said: &str| {
                let said = said.trim();
                self.labels.index(said).ok_or_else(|| {
                    let why =
                        format!("line {} has the label '{said}', which the task does not have", row.line);
                    Fault::usage(attempted, why)
                        .hint(format!("The task's labels are {}", self.labels.names.join(", ")))
                })
            };
            let answer_of = |cell: &str| -> Result<LabelSet> {
                match self.labels.kind.is_several() {
                    true => self.labels.parts(cell).iter().map(|said| label_of(said)).collect(),
                    false => Ok([label_of(cell)?].into_iter().collect()),
                }
            };
            let gold = answer_of(&row.gold)?;
            match firsts.entry(split_key(&normalised)) {
                Slot::Vacant(slot) => {
                    slot.insert(gold.clone());
                }
                Slot::Occupied(first) => {
                    self.copies.texts += 1;
                    self.copies.of_another_label += usize::from(first.get() != &gold);
                    if self.copies.are == NearCopies::Folded {
                        continue;
                    }
                }
            }
            match &mut self.crowd {
                Crowd::None => {}
                Crowd::Column(column) => {
                    let said = row.said.first().map_or("", String::as_str);
                    column.push(answer_of(said)?);
                }
                Crowd::Votes(votes) => votes.push(row.votes(voted, attempted)?),
            }
            self.splits.push(shares.split_normalised(&normalised));
            self.texts.push(row.text);
            self.gold.push(gold);
        }
        Ok(())
    }
}

/// A row with what a simulation needs of it.
struct KnownRow {
    line: u64,
    text: String,
    gold: String,
    /// The crowd's label, or the counts of votes in the order of the labels.
    said: Vec<String>,
}

impl KnownRow {
    /// The number of votes for each label; `voted` is the label of each column.
    fn votes(&self, voted: &[usize], attempted: &str) -> Result<Vec<u32>> {
        let mut votes = vec![0; voted.len()];
        for (cell, label) in self.said.iter().map(|cell| cell.trim()).zip(voted) {
            if cell.is_empty() {
                continue;
            }
            votes[*label] = cell.parse().map_err(|_| {
                let why = format!("line {} has '{cell}' as a number of votes", self.line);
                Fault::usage(attempted, why).hint("A column given with --votes must hold whole numbers")
            })?;
        }
        if votes.iter().all(|n| *n == 0) {
            let why = format!("line {} has no votes for any label", self.line);
            return Err(Fault::usage(attempted, why).hint("Remove such rows, or leave out --votes"));
        }
        Ok(votes)
    }
}

/// The cells of the crowd's columns, which are read as metadata.
fn crowd_cells(row: &Row, detected: &Detected) -> Vec<String> {
    let cells: serde_json::Map<String, serde_json::Value> =
        row.meta(detected).and_then(|json| serde_json::from_str(&json).ok()).unwrap_or_default();
    let plain = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    detected
        .meta
        .iter()
        .map(|&column| cells.get(&detected.columns[column]).map(plain).unwrap_or_default())
        .collect()
}

impl Source {
    fn no_crowd_yet(&self) -> Crowd {
        match (&self.crowd, self.votes.is_empty()) {
            (Some(_), _) => Crowd::Column(Vec::new()),
            (None, false) => Crowd::Votes(Vec::new()),
            (None, true) => Crowd::None,
        }
    }

    /// The rows with a gold label, and the number of rows without.
    fn rows(&self, attempted: &str) -> Result<(Vec<KnownRow>, usize)> {
        let source = open_source(&self.data, &self.read, attempted)?;
        let columns: Vec<String> = match &self.crowd {
            Some(column) => vec![column.clone()],
            None => self.votes.iter().map(|(_, column)| column.clone()).collect(),
        };
        // The crowd's columns are read as metadata columns.
        let options = ReadOptions { meta: columns.clone(), ..source.read_options(&self.read) };
        let name = self.data.to_string_lossy();
        let mut reader =
            Reader::open(source.into_input(), &name, &options).map_err(|f| f.while_trying(attempted))?;
        let (mut rows, mut unlabelled) = (Vec::new(), 0);
        while let Some(entry) = reader.next_entry().map_err(|f| f.while_trying(attempted))? {
            let row = match entry {
                Entry::Row(row) => row,
                Entry::Bad(bad) => return Err(bad.fault(&name).while_trying(attempted)),
            };
            let is_known = |gold: &String| match self.kind() {
                // An empty list says that it has none of the labels.
                TaskKind::Several => !gold.trim().is_empty(),
                TaskKind::One | TaskKind::Scale => !["", "[]"].contains(&gold.trim()),
            };
            let Some(gold) = row.gold.clone().filter(is_known) else {
                unlabelled += 1;
                continue;
            };
            let said = crowd_cells(&row, reader.detected());
            rows.push(KnownRow { line: row.line, text: row.text, gold, said });
        }
        Ok((rows, unlabelled))
    }

    /// What is asked for.
    pub(super) fn kind(&self) -> TaskKind {
        self.task.as_ref().map_or(self.kind, |task| task.kind)
    }

    /// The label of each column of votes.
    fn voted(&self, labels: &Labels) -> Vec<usize> {
        self.votes.iter().filter_map(|(label, _)| labels.index(label)).collect()
    }

    fn labels(&self, rows: &[KnownRow], attempted: &str) -> Result<Labels> {
        if self.kind().is_several() && !self.votes.is_empty() {
            return Err(Fault::usage(
                attempted,
                "--votes counts annotators who gave each one label, and a text may have several",
            )
            .hint("Leave it out, or name a column of one annotator's labels: --crowd COLUMN"));
        }
        let cells: BTreeSet<&str> = rows.iter().map(|row| row.gold.trim()).collect();
        let names: BTreeSet<String> = match self.kind() {
            TaskKind::Several => {
                let nothing = Labels::of_names(Vec::new(), TaskKind::Several);
                cells.iter().flat_map(|cell| nothing.parts(cell)).collect()
            }
            TaskKind::One | TaskKind::Scale => cells.iter().map(|cell| (*cell).to_owned()).collect(),
        };
        let is_label = |cell: &str| self.task.as_ref().is_some_and(|task| task.find_label(cell).is_ok());
        let of_several = |row: &KnownRow| {
            let cell = row.gold.trim();
            several_in(cell, &cells).filter(|_| !is_label(cell)).map(|labels| (row.line, labels))
        };
        if let Some((line, several)) = rows.iter().filter(|_| !self.kind().is_several()).find_map(of_several)
        {
            let why = format!("some texts have several labels: line {line} has {}", several.join(" and "));
            return Err(Fault::usage(attempted, why).hint(
                "Give --kind several, leave such rows out, or name a column with one label for each text",
            ));
        }
        let labels = match &self.task {
            Some(task) => Labels::of_task(task),
            None => Labels::of_names(names.into_iter().collect(), self.kind),
        };
        let n = labels.names.len();
        if labels.kind.is_scale() && n > MAX_LEVELS {
            let why = format!("it has {n} different levels, and a scale has at most {MAX_LEVELS}");
            return Err(Fault::usage(attempted, why)
                .hint("Leave --kind scale out, or name another column: --gold COLUMN"));
        }
        if !(2..=MOST_LABELS).contains(&n) {
            let why = format!("it has {n} different labels, and the number must be from 2 to {MOST_LABELS}");
            return Err(
                Fault::usage(attempted, why).hint("Name the column that holds the label: --gold COLUMN")
            );
        }
        if !self.votes.is_empty() {
            let mut counted = self.voted(&labels);
            if let Some(at) = (0..n).find(|label| !counted.contains(label)) {
                let name = &labels.names[at];
                return Err(Fault::usage(attempted, format!("no column counts the votes for '{name}'"))
                    .hint("Give --votes LABEL=COLUMN once for each label"));
            }
            if let Some((name, _)) = self.votes.iter().find(|(name, _)| labels.index(name).is_none()) {
                return Err(Fault::usage(
                    attempted,
                    format!("--votes names the label '{name}', which it does not have"),
                )
                .hint(format!("Its labels are {}", labels.names.join(", "))));
            }
            counted.sort_unstable();
            if let Some(two) = counted.windows(2).find(|two| two[0] == two[1]) {
                let name = &labels.names[two[0]];
                return Err(Fault::usage(attempted, format!("two columns count the votes for '{name}'"))
                    .hint("Give --votes LABEL=COLUMN once for each label"));
            }
        }
        Ok(labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a small table; to its end it has as many more texts as it takes.
    fn read(text: &str, change: impl FnOnce(&mut Source)) -> Result<Dataset> {
        let columns = text.lines().next().unwrap().split(',').count();
        let last = text.lines().last().unwrap().split(',').nth(1).unwrap();
        let label = if last.is_empty() { "ham" } else { last };
        let more = |i: usize| format!("more {},{label}{}\n", "x".repeat(i + 1), ",1".repeat(columns - 2));
        let text = text.to_owned() + &(0..20).map(more).collect::<String>();
        let dir = tempfile::tempdir().unwrap();
        let data = dir.path().join("d.csv");
        std::fs::write(&data, &text).unwrap();
        let read =
            ReadOptions { gold: Some("gold".into()), text: vec!["text".into()], ..ReadOptions::default() };
        let mut source = Source {
            data,
            read,
            task: None,
            kind: TaskKind::One,
            crowd: None,
            votes: Vec::new(),
            copies: NearCopies::Kept,
        };
        change(&mut source);
        Dataset::read(&source)
    }

    #[test]
    fn one_item_counts_once_rows_without_a_label_are_counted_and_near_copies_too() {
        let text =
            "text,gold\nwin 10 now,spam\nwin  10 now,ham\nWin 25 now,ham\nWIN 77 now,spam\nhello,ham\nwho,\n";
        let set = read(text, |_| {}).unwrap();
        assert_eq!(set.labels.names, ["ham", "spam"]);
        assert_eq!((set.len(), set.counts(), set.positive(), set.unlabelled), (24, vec![22, 2], 1, 1));
        assert_eq!((set.copies.texts, set.copies.of_another_label), (2, 1));
        let folded = read(text, |source| source.copies = NearCopies::Folded).unwrap();
        assert_eq!(folded.texts[..2], ["win 10 now", "hello"]);
        assert_eq!((folded.len(), folded.splits.len()), (22, 22));
    }

    #[test]
    fn votes_are_read_in_the_order_of_the_labels_whatever_that_of_the_columns() {
        let text = "text,gold,a,b\none,spam,3,1\ntwo,ham,0,2\n";
        let votes = vec![("spam".into(), "a".into()), ("ham".into(), "b".into())];
        let set = read(text, |source| source.votes = votes).unwrap();
        assert!(
            matches!(&set.crowd, Crowd::Votes(votes) if votes[..2] == [vec![1, 3], vec![2, 0]]),
            "{:?}",
            set.crowd
        );
        let set = read(text, |source| source.crowd = Some("gold".into())).unwrap();
        assert_eq!(set.crowd, Crowd::Column(set.gold));
    }

    #[test]
    fn what_cannot_be_is_refused_with_the_line_or_the_label() {
        let why =
            |text: &str, change: &dyn Fn(&mut Source)| read(text, |s| change(s)).unwrap_err().to_string();
        let two = "text,gold,a\none,spam,3\ntwo,ham,x\n";
        let task = Task::from_toml(
            "question = \"?\"\n[[label]]\nname = \"ham\"\nkey = \"1\"\n[[label]]\nname = \"eggs\"\nkey = \"2\"",
            "t",
        )
        .unwrap();
        assert!(why(two, &|s| s.task = Some(task.clone())).contains("line 2 has the label 'spam'"));
        assert!(why(two, &|s| s.read.gold = None).contains("--gold"));
        assert!(why(two, &|s| s.votes = vec![("ham".into(), "a".into())]).contains("votes for 'spam'"));
        let both = vec![("ham".to_owned(), "a".to_owned()), ("spam".to_owned(), "a".to_owned())];
        assert!(why(two, &|s| s.votes = both.clone()).contains("line 3 has 'x'"));
        let ham = "text,gold\none,ham\ntwo,ham\n";
        assert!(why(ham, &|s| s.task = Some(task.clone())).contains("no text of it has the label 'eggs'"));
        assert!(why("text,gold\none,a\ntwo,a\n", &|_| {}).contains("1 different"));
        let text = "text,gold\none,a\ntwo,b|a\nthree,\"[\"\"b\"\"]\"\nfour,[]\nfive,a\n";
        let set = read(text, |source| source.kind = TaskKind::Several).unwrap();
        let places = |at: usize| set.gold[at].places().collect::<Vec<_>>();
        assert_eq!([places(0), places(1), places(2), places(3)], [vec![0], vec![0, 1], vec![1], vec![]]);
        assert_eq!((set.labels.names.len(), set.unlabelled, set.counts()[1]), (2, 0, 2));
        let voted = |s: &mut Source| (s.kind, s.votes) = (TaskKind::Several, vec![("a".into(), "b".into())]);
        assert!(why("text,gold,b\none,a,1\ntwo,b,1\n", &voted).contains("several"));
        let several = why("text,gold\none,a\ntwo,b\nthree,a#b\n", &|_| {});
        assert!(several.contains("some texts have several labels: line 4 has a and b"), "{several}");
        let good = "text,gold,a,b\none,spam,3,0\ntwo,ham,0,2\n";
        let thrice = [("ham", "a"), ("spam", "b"), ("HAM", "b")].map(|(l, c)| (l.to_owned(), c.to_owned()));
        let said = why(good, &|s| s.votes = thrice.to_vec());
        assert!(said.contains("two columns count the votes for 'ham'"), "{said}");
    }
}
