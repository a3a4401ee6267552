//! What the labels of a file mean in a task: by name, by what the file's own words stand for, one in a cell or several.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::answer::Answer;
use super::fault::{Fault, Result};
use super::grouped::counted;
use super::task::Task;
use super::task_kind::{SEPARATORS, TaskKind};

/// Values and labels that a message lists.
const LISTED: usize = 8;
/// Different values that are counted.
const COUNTED: usize = 1_000;
/// The longest value that a message shows, in characters.
const SHOWN: usize = 40;

/// Reads the values of a column as labels of a task, and keeps count of those that are none.
#[derive(Clone, Debug)]
pub struct LabelValues {
    column: String,
    kind: TaskKind,
    /// Each label's stable key and name.
    labels: Vec<(String, String)>,
    /// The label of a value as a file may write it, by [`folded`] values; none for one that is left out.
    by_value: HashMap<String, Option<usize>>,
    /// The same of values as they are written.
    by_exact: HashMap<String, Option<usize>>,
    /// How often each value occurred that is no label.
    unknown: BTreeMap<String, usize>,
    /// Values that stand for none of the labels, where a text may have several, folded.
    nothing: HashSet<String>,
    /// Cells with several different labels, where one is wanted, and the first of them.
    lists: (usize, String),
}

impl LabelValues {
    /// For a column of a file; `map` says what values stand for: `0=complaint`, and `2=` for one that is left out.
    ///
    /// # Errors
    /// A usage fault for a part of the map that is not of that form or names no label.
    pub fn new(task: &Task, column: &str, map: &[String]) -> Result<Self> {
        let labels: Vec<(String, String)> =
            task.labels.iter().map(|l| (l.id.clone(), l.name.clone())).collect();
        let (mut by_value, mut by_exact) = (HashMap::new(), HashMap::new());
        // A label that was renamed is known by its first name, too, and a name wins over that.
        let own =
            labels.iter().map(|(id, _)| id).zip(0..).chain(labels.iter().map(|(_, name)| name).zip(0..));
        for (word, at) in own {
            by_exact.insert(word.clone(), Some(at));
        }
        for ((_, name), at) in labels.iter().zip(0..) {
            // Two names that differ in case alone are told apart by it.
            by_value.entry(folded(name)).and_modify(|known| *known = None).or_insert(Some(at));
        }
        for ((id, _), at) in labels.iter().zip(0..) {
            by_value.entry(folded(id)).or_insert(Some(at));
        }
        by_value.retain(|_, known| known.is_some());
        let mut values = Self {
            column: column.to_owned(),
            kind: task.kind,
            labels,
            by_value,
            by_exact,
            unknown: BTreeMap::new(),
            nothing: HashSet::new(),
            lists: (0, String::new()),
        };
        for part in map.iter().flat_map(|list| parts_of_map(list)) {
            let Some((value, label)) = part.rsplit_once('=') else {
                return Err(Fault::usage("read --map", format!("'{part}' is not VALUE=LABEL"))
                    .hint(format!("For example --map 0={},1={}", values.name(0), values.name(1))));
            };
            let (value, label) = (value.trim(), label.trim());
            let at = match label {
                "" => None,
                "[]" if values.kind.is_several() => {
                    values.nothing.insert(folded(value));
                    None
                }
                label => Some(values.one(label).flatten().ok_or_else(|| {
                    Fault::usage("read --map", format!("the task has no label '{label}'"))
                        .hint(format!("The labels are {}", values.listed_labels()))
                })?),
            };
            values.by_exact.insert(value.to_owned(), at);
            values.by_value.insert(folded(value), at);
        }
        Ok(values)
    }

    /// The answers in a cell: one for each label, or one with all of them where a text may have several; where that is a list of lists, one for each. A
    /// value that is none of the task's labels is counted; of one label it yields nothing, and of several the whole answer is left out.
    pub fn read(&mut self, cell: &str) -> Vec<Answer> {
        if self.kind.gives_one() {
            let Found { places, .. } = self.places(cell);
            return places.into_iter().map(|at| Answer::one(self.labels[at].0.as_str())).collect();
        }
        match serde_json::from_str::<Vec<Vec<serde_json::Value>>>(cell.trim()) {
            Ok(lists) if !lists.is_empty() => {
                let cells = lists.into_iter().map(|list| serde_json::Value::Array(list).to_string());
                cells.filter_map(|cell| self.set(&cell).0).collect()
            }
            _ => self.set(cell).0.into_iter().collect(),
        }
    }

    /// The answer of a cell where a text may have several labels, none where it is empty, only left out, or not known; and whether it is known.
    pub fn set(&mut self, cell: &str) -> (Option<Answer>, bool) {
        let Found { places, all_known } = self.places(cell);
        let says = all_known && (!places.is_empty() || is_empty_list(cell) || self.is_none(cell));
        let answer = Answer::of(places.into_iter().map(|at| self.labels[at].0.as_str()));
        (says.then_some(answer), all_known)
    }

    /// The known label of a cell by its name; none for one that is left out. What is no label of the task, and what is several, is counted and stays
    /// as it is written.
    pub fn read_one(&mut self, cell: &str) -> Option<String> {
        if self.kind.is_several() {
            return self.read_set(cell);
        }
        let Found { places, all_known } = self.places(cell);
        if !all_known {
            return Some(cell.to_owned());
        }
        if places.windows(2).any(|pair| pair[0] != pair[1]) {
            if self.lists.0 == 0 {
                self.lists.1 = shown(cell);
            }
            self.lists.0 += 1;
            return Some(cell.to_owned());
        }
        places.first().map(|at| self.labels[*at].1.clone())
    }

    /// The known labels of a cell as a JSON list of their names in the order of the task; what is no label of the task stays as it is written.
    fn read_set(&mut self, cell: &str) -> Option<String> {
        let (answer, all_known) = self.set(cell);
        let Some(answer) = answer else { return (!all_known).then(|| cell.to_owned()) };
        let names = self.labels.iter().filter(|(id, _)| answer.has(id)).map(|(_, name)| name.as_str());
        Some(serde_json::Value::from(names.collect::<Vec<_>>()).to_string())
    }

    /// Whether a map says that this value stands for none of the labels.
    fn is_none(&self, cell: &str) -> bool {
        self.nothing.contains(&folded(cell))
    }

    /// The one label of a cell. What is no label of the task is counted.
    pub fn one_label(&mut self, cell: &str) -> OneLabel {
        let Found { places, all_known } = self.places(cell);
        match places.as_slice() {
            _ if !all_known => OneLabel::Unknown,
            [] => OneLabel::LeftOut,
            [first, others @ ..] if others.iter().all(|at| at == first) => OneLabel::Label(*first),
            _ => OneLabel::Several,
        }
    }

    /// What is known of a text by its cell: one label, or a set of them where a text may have several. What is no label of the task is counted.
    pub fn known_answer(&mut self, cell: &str) -> KnownAnswer {
        if self.kind.is_several() {
            return match self.set(cell) {
                (_, false) => KnownAnswer::Not,
                (None, true) => KnownAnswer::LeftOut,
                (Some(answer), true) => KnownAnswer::Is(answer),
            };
        }
        match self.one_label(cell) {
            OneLabel::Label(at) => KnownAnswer::Is(Answer::one(self.labels[at].0.as_str())),
            OneLabel::LeftOut => KnownAnswer::LeftOut,
            OneLabel::Unknown | OneLabel::Several => KnownAnswer::Not,
        }
    }

    /// The values that were no label of the task, the most frequent first; none where all were.
    pub fn unknown(&self) -> Option<String> {
        self.listed_unknown().map(|(listed, _)| listed)
    }

    fn places(&mut self, cell: &str) -> Found {
        let cell = cell.trim();
        let mut found = Found { places: Vec::new(), all_known: true };
        if cell.is_empty() {
            return found;
        }
        if let Some(one) = self.one(cell) {
            found.places.extend(one);
            return found;
        }
        let parts = self.parts(cell).unwrap_or_else(|| vec![cell.to_owned()]);
        for part in &parts {
            match self.one(part) {
                Some(one) => found.places.extend(one),
                None => {
                    found.all_known = false;
                    self.count(part);
                }
            }
        }
        found
    }

    /// What one value stands for: a label, or nothing where it is to be left out; none if it is unknown.
    fn one(&self, value: &str) -> Option<Option<usize>> {
        let value = value.trim();
        let exact = self.by_exact.get(value).or_else(|| self.by_value.get(&folded(value)));
        // Tables of numbers write 1 as 1.0 once a cell of the column is empty.
        exact.or_else(|| self.by_exact.get(value.strip_suffix(".0")?)).copied()
    }

    /// The parts of a list: in JSON, or with a separator where every part is known.
    fn parts(&self, cell: &str) -> Option<Vec<String>> {
        if cell.starts_with('[') {
            let list: Vec<serde_json::Value> = serde_json::from_str(cell).ok()?;
            return Some(list.iter().map(word).collect());
        }
        SEPARATORS.into_iter().find_map(|separator| {
            let parts: Vec<String> = cell.split(separator).map(|part| part.trim().to_owned()).collect();
            let known = parts.iter().all(|part| self.one(part).is_some());
            (parts.len() > 1 && known).then_some(parts)
        })
    }

    fn count(&mut self, value: &str) {
        if self.unknown.len() < COUNTED || self.unknown.contains_key(value) {
            *self.unknown.entry(value.to_owned()).or_default() += 1;
        }
    }

    /// Whether everything so far was a label.
    ///
    /// # Errors
    /// A usage fault that lists the values which are no label, and shows how to say what they stand for.
    pub fn check(&self, attempted: &str) -> Result<()> {
        let Some((listed, example)) = self.listed_unknown() else { return Ok(()) };
        Err(Fault::usage(
            attempted,
            format!("'{}' holds what is no label of the task: {listed}", self.column),
        )
        .hint(format!(
            "The labels are {}. Say what each value stands for, as in --map '{example}={}'; --map '{example}=' leaves it out",
            self.listed_labels(),
            self.name(0)
        )))
    }

    /// What a person should know of known labels that are none of the task's; none where all are.
    pub fn remark(&self) -> Option<String> {
        let unknown = self.listed_unknown().map(|(listed, example)| {
            format!(
                "'{}' has known labels that are no label of the task: {listed}. They stay as they are written, and agree with no label. The labels are {}; \
                 --map '{example}={}' says what a value stands for, with --update where its rows are there already",
                self.column,
                self.listed_labels(),
                self.name(0)
            )
        });
        let (n, first) = &self.lists;
        let lists = (*n > 0).then(|| {
            format!(
                "'{}' has several labels in {}, such as {first}: a text has one known label. The answers of several people can teach: --label {} --source NAME",
                self.column,
                rows(*n),
                self.column
            )
        });
        match (unknown, lists) {
            (Some(unknown), Some(lists)) => Some(format!("{unknown}. {lists}")),
            (unknown, lists) => unknown.or(lists),
        }
    }

    /// The values that are no label, the most frequent first, and the first of them.
    fn listed_unknown(&self) -> Option<(String, String)> {
        let mut values: Vec<(&String, &usize)> = self.unknown.iter().collect();
        values.sort_by(|a, b| b.1.cmp(a.1).then(a.0.cmp(b.0)));
        let example = shown(values.first()?.0);
        let value = |(value, n): &(&String, &usize)| format!("'{}' ({})", shown(value), rows(**n));
        let mut listed: Vec<String> = values.iter().take(LISTED).map(value).collect();
        if values.len() > LISTED {
            listed.push(format!("and {} more", values.len() - LISTED));
        }
        Some((listed.join(", "), example))
    }

    fn listed_labels(&self) -> String {
        let mut names: Vec<String> =
            self.labels.iter().take(LISTED).map(|(_, name)| format!("'{name}'")).collect();
        if self.labels.len() > LISTED {
            names.push(format!("and {} more", self.labels.len() - LISTED));
        }
        names.join(", ")
    }

    fn name(&self, at: usize) -> &str {
        self.labels.get(at).map_or("LABEL", |(_, name)| name)
    }
}

/// What a cell says is known of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KnownAnswer {
    Is(Answer),
    /// Nothing: it is empty, or to be left out.
    LeftOut,
    /// What is no answer to the task: no label of it, or several where one is asked for.
    Not,
}

/// What a cell says of which one label is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OneLabel {
    /// The label at that place in the task.
    Label(usize),
    /// Nothing: it is empty, or to be left out.
    LeftOut,
    /// What is no label of the task.
    Unknown,
    /// Different labels.
    Several,
}

/// The labels of a cell.
struct Found {
    /// Their places in the task.
    places: Vec<usize>,
    /// Whether all that stands there is a label, or to be left out.
    all_known: bool,
}

fn rows(n: usize) -> String {
    counted(n, "row", "rows")
}

/// The parts of a map between its commas; one without `=` belongs to the label before it.
fn parts_of_map(list: &str) -> Vec<String> {
    let mut parts: Vec<String> = Vec::new();
    for part in list.split(',').filter(|part| !part.trim().is_empty()) {
        match parts.last_mut() {
            Some(before) if !part.contains('=') => {
                before.push(',');
                before.push_str(part);
            }
            _ => parts.push(part.to_owned()),
        }
    }
    parts
}

fn is_empty_list(cell: &str) -> bool {
    cell.trim()
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|rest| rest.trim().is_empty())
}

fn folded(value: &str) -> String {
    value.trim().to_lowercase()
}

fn word(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn shown(value: &str) -> String {
    super::sanitize::sanitize_line(value, SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TASK: &str = r#"
name = "mail"
question = "Is it a complaint?"
[[label]]
name = "complaint"
[[label]]
name = "Other, please say"
[[label]]
name = "other"
"#;

    fn values(map: &[&str]) -> LabelValues {
        let map: Vec<String> = map.iter().map(|part| (*part).to_owned()).collect();
        LabelValues::new(&Task::from_toml(TASK, "here").unwrap(), "kind", &map).unwrap()
    }

    #[test]
    fn a_value_is_a_label_by_name_case_and_map_and_a_float_is_its_integer() {
        let mut values = values(&["0=complaint,1=other,7=Other, please say", "9="]);
        for (cell, label) in [
            ("complaint", "complaint"),
            (" Complaint ", "complaint"),
            ("0", "complaint"),
            ("1.0", "other"),
            ("7", "Other, please say"),
            ("[\"OTHER\"]", "other"),
            ("Other, please say", "Other, please say"),
        ] {
            assert_eq!(values.read_one(cell).as_deref(), Some(label), "{cell}");
        }
        assert!(["", "9", " "].iter().all(|cell| values.read_one(cell).is_none()));
        values.check("import f").unwrap();
    }

    #[test]
    fn a_cell_with_several_labels_is_several_answers_and_no_gold() {
        let mut several = values(&[]);
        assert_eq!(several.read("complaint|other"), ["complaint", "other"].map(Answer::one));
        assert_eq!(
            several.read("[\"complaint\", \"complaint\", \"other\"]"),
            ["complaint", "complaint", "other"].map(Answer::one)
        );
        several.check("import f").unwrap();
        let mut gold = values(&[]);
        assert_eq!(gold.read_one("[\"other\",\"other\"]").as_deref(), Some("other"), "several who agree");
        assert_eq!(
            gold.read_one("complaint; other").as_deref(),
            Some("complaint; other"),
            "as it is written"
        );
        gold.check("import f").unwrap();
        let want = "'kind' has several labels in 1 row, such as complaint; other: a text has one known label. The answers of several people can teach: \
                    --label kind --source NAME";
        assert_eq!(gold.remark().unwrap(), want);
        assert_eq!(gold.read_one("Spam").as_deref(), Some("Spam"));
        let told = gold.remark().unwrap();
        let begins = "'kind' has known labels that are no label of the task: 'Spam' (1 row). They stay as they are written, and agree with no label. The labels \
                      are 'complaint', 'Other, please say', 'other'; --map 'Spam=complaint' says";
        assert!(told.starts_with(begins) && told.ends_with(want), "{told}");
    }

    #[test]
    fn values_that_are_no_label_are_counted_and_listed_and_a_map_is_shown() {
        let mut values = values(&[]);
        for cell in ["2", "spam", "2", "complaint", "[\"x\", \"other\"]"] {
            values.read(cell);
        }
        let why = values.check("import mail.csv").unwrap_err().to_string();
        let want = "cannot import mail.csv: 'kind' holds what is no label of the task: '2' (2 rows), 'spam' (1 row), 'x' (1 row). The labels are 'complaint', \
                    'Other, please say', 'other'. Say what each value stands for, as in --map '2=complaint'; --map '2=' leaves it out";
        assert_eq!(why, want);
    }

    #[test]
    fn a_map_is_refused_where_it_names_no_label_or_has_another_form() {
        let task = Task::from_toml(TASK, "here").unwrap();
        let why = |map: &str| LabelValues::new(&task, "kind", &[map.to_owned()]).unwrap_err().to_string();
        assert!(why("0=ham").contains("the task has no label 'ham'"), "{}", why("0=ham"));
        assert!(why("complaint").contains("'complaint' is not VALUE=LABEL"), "{}", why("complaint"));
    }

    #[test]
    fn a_renamed_label_is_known_by_both_names_and_names_that_differ_in_case_are_told_apart() {
        let mut task = Task::from_toml(TASK, "here").unwrap();
        task.labels[0].name = "grievance".into();
        task.labels[1].name = "Other".into();
        let mut values = LabelValues::new(&task, "kind", &[]).unwrap();
        assert_eq!(values.read("complaint"), [Answer::one("complaint")]);
        assert_eq!(values.read("Grievance"), [Answer::one("complaint")]);
        assert_eq!(values.read("other"), [Answer::one("other")]);
        assert!(values.read("OTHER").is_empty());
    }
}
