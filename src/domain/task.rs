//! The task: the question, the guideline, and the labels with their keys.

use serde::{Deserialize, Serialize};

use super::fault::{Fault, Result};
use super::target::Targets;
use super::task_kind::{MAX_LEVELS, TaskKind, level_keys};

/// Keys that the workstation uses itself, which a label may therefore not have.
const KEYS_TAKEN: &[char] = &['u', 'U', 's', 'f', 'n', 'g', 'q', '?', '/', ':', ' '];

/// The most labels of a task.
pub const MAX_LABELS: usize = 500;
/// A message names no more labels.
const LISTED: usize = 20;

/// One label of a task.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Label {
    /// The stable key, which stays the same across revisions; by default the first name.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub id: String,
    /// The name on the screen.
    pub name: String,
    /// The key to press: one character. Without one, the label is given by its name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<char>,
    /// The meaning; zero-shot prelabels are computed from it and the examples.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Typical texts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub examples: Vec<String>,
    /// Its expected share of the pool, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub share: Option<f64>,
}

/// When experts see the model's view of a training case. Evaluation and audit cases are always blind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Assist {
    /// After they have answered.
    #[default]
    After,
    /// Before they answer.
    Before,
}

/// A labelling task, checked: at least two labels, each with a name of its own, and no two with the same key.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Task {
    /// A short name.
    pub name: String,
    /// What the expert is asked about each text.
    pub question: String,
    /// Whether one label or a level of a scale is asked for.
    #[serde(skip_serializing_if = "TaskKind::is_one")]
    pub kind: TaskKind,
    /// How to decide.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub guideline: String,
    /// When experts see the model's view of a training case.
    pub assist: Assist,
    /// Which part of a text the question is about: who speaks in a conversation, a column's name, or `last`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub asked_about: Option<String>,
    /// The columns of the data that are shown next to a text; without a list, those that the import named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub columns: Option<Vec<String>>,
    /// What is to be reached before the project is done.
    #[serde(skip_serializing_if = "Targets::is_empty")]
    pub target: Targets,
    /// The labels, in the order of the screen; of a scale its levels, the lowest first.
    #[serde(rename = "label")]
    pub labels: Vec<Label>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTask {
    #[serde(default)]
    name: String,
    #[serde(default)]
    question: String,
    /// As it stands in the file: another name than those known is refused in a sentence of ours.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    guideline: String,
    #[serde(default)]
    assist: Assist,
    #[serde(default)]
    asked_about: Option<String>,
    #[serde(default)]
    columns: Option<Vec<String>>,
    #[serde(default)]
    target: Targets,
    #[serde(default, rename = "label")]
    labels: Vec<Label>,
}

impl Label {
    /// Its name, with its key in parentheses where it has one.
    pub fn with_key(&self) -> String {
        self.other_key().map_or_else(|| self.name.clone(), |key| format!("{} ({key})", self.name))
    }

    /// Its key and then its name, as a list has them.
    pub fn after_key(&self, gap: &str) -> String {
        self.other_key().map_or_else(|| self.name.clone(), |key| format!("{key}{gap}{}", self.name))
    }

    fn other_key(&self) -> Option<char> {
        key_beside(&self.name, self.key)
    }

    /// Whether a label may have this key.
    pub fn may_use(key: char) -> bool {
        !key.is_control() && !KEYS_TAKEN.contains(&key)
    }
}

/// A label's key, where it is not its whole name, as of a level that is called by its number.
pub fn key_beside(name: &str, key: Option<char>) -> Option<char> {
    key.filter(|key| !name.chars().eq([*key]))
}

/// The sum of the expected shares if it is impossible: all are given but do not add up to about 1, or nothing is left for those not given. Where a text may
/// have several labels, any shares can be.
pub fn shares_that_cannot_be(kind: TaskKind, labels: &[Label]) -> Option<f64> {
    if kind.is_several() {
        return None;
    }
    let sum: f64 = labels.iter().filter_map(|l| l.share).sum();
    let all_given = labels.iter().all(|l| l.share.is_some());
    (all_given && (sum - 1.0).abs() > 0.02 || !all_given && sum >= 1.0).then_some(sum)
}

fn ids_and_names(labels: &[Label]) -> Vec<(&str, &str)> {
    labels.iter().map(|label| (label.id.as_str(), label.name.as_str())).collect()
}

impl Task {
    /// A checked task.
    ///
    /// # Errors
    /// A clause that says what is wrong.
    pub fn new(
        name: String,
        question: String,
        guideline: String,
        labels: Vec<Label>,
    ) -> std::result::Result<Self, String> {
        Self::of_kind(TaskKind::One, name, question, guideline, labels)
    }

    /// A checked task of a kind. The levels of a scale get their keys.
    ///
    /// # Errors
    /// A clause that says what is wrong.
    pub fn of_kind(
        kind: TaskKind,
        name: String,
        question: String,
        guideline: String,
        labels: Vec<Label>,
    ) -> std::result::Result<Self, String> {
        let kind = Some(kind.as_str().to_owned());
        let (assist, asked_about, columns, target) = (Assist::After, None, None, Targets::default());
        Self::checked(RawTask {
            name,
            question,
            kind,
            guideline,
            assist,
            asked_about,
            columns,
            target,
            labels,
        })
    }

    /// Reads and checks a `TASK.toml`. `name` is the file's name, for messages.
    ///
    /// # Errors
    /// A usage fault that names the line or the label at fault.
    pub fn from_toml(text: &str, name: &str) -> Result<Self> {
        let attempted = format!("read the task {name}");
        let raw: RawTask = toml::from_str(text).map_err(|e| {
            let line = e.span().map(|s| text[..s.start].lines().count().max(1));
            let place = line.map(|l| format!("line {l}: ")).unwrap_or_default();
            Fault::usage(&attempted, format!("{place}{}", e.message()))
                .hint("A task has a name, a question, a guideline, and a [[label]] block for each label")
        })?;
        Self::checked(raw).map_err(|why| {
            Fault::usage(&attempted, why)
                .hint("There must be at least two [[label]] blocks, each with a name of its own, and no two with the same key")
        })
    }

    fn checked(raw: RawTask) -> std::result::Result<Self, String> {
        let RawTask { name, question, kind, guideline, assist, asked_about, columns, target, mut labels } =
            raw;
        let kind: TaskKind = kind.as_deref().map_or(Ok(TaskKind::One), str::parse)?;
        let asked_about = asked_about.map(|part| part.trim().to_owned()).filter(|part| !part.is_empty());
        if question.trim().is_empty() {
            return Err("it has no question".into());
        }
        match labels.len() {
            0 => return Err("it has no label".into()),
            1 => return Err(format!("it has only one label, '{}'", labels[0].name)),
            n if n > MAX_LABELS => {
                return Err(format!("it has {n} labels, more than the limit of {MAX_LABELS}"));
            }
            n if kind.is_scale() && n > MAX_LEVELS => {
                return Err(format!("its scale has {n} levels, more than the limit of {MAX_LEVELS}"));
            }
            _ => {}
        }
        if kind.is_scale() {
            give_level_keys(&mut labels)?;
        }
        for label in &mut labels {
            label.name = label.name.trim().to_owned();
            if label.name.is_empty() {
                return Err("a label has no name".into());
            }
            if label.name.chars().any(char::is_control) {
                return Err(format!("the label name {:?} contains a control character", label.name));
            }
            if label.id.is_empty() {
                label.id = label.name.clone();
            }
            if let Some(key) = label.key.filter(|key| !Label::may_use(*key)) {
                return Err(format!(
                    "the label '{}' has the key {key:?}, which the workstation uses itself",
                    label.name
                ));
            }
            if let Some(share) = label.share
                && !(share > 0.0 && share < 1.0)
            {
                return Err(format!("the share of '{}' is {share}, but must be between 0 and 1", label.name));
            }
        }
        for (i, a) in labels.iter().enumerate() {
            for b in &labels[i + 1..] {
                if let Some(key) = a.key.filter(|key| b.key == Some(*key)) {
                    return Err(format!(
                        "the labels '{}' and '{}' have the same key, '{key}'",
                        a.name, b.name
                    ));
                }
                if a.name == b.name || a.id == b.id {
                    return Err(format!("two labels are called '{}'", a.name));
                }
                if a.name.to_lowercase() == b.name.to_lowercase() {
                    return Err(format!(
                        "the labels '{}' and '{}' differ only in capital letters",
                        a.name, b.name
                    ));
                }
                for (named, pressed) in [(a, b), (b, a)] {
                    if pressed.key.is_some_and(|key| named.name.chars().eq([key])) {
                        return Err(format!(
                            "the label '{}' is called like the key of '{}'",
                            named.name, pressed.name
                        ));
                    }
                }
            }
        }
        if let Some(sum) = shares_that_cannot_be(kind, &labels) {
            let rest = labels.iter().filter(|l| l.share.is_none()).count();
            return Err(match rest {
                0 => format!("the shares of the labels add up to {sum:.2} instead of 1"),
                _ => format!(
                    "the shares add up to {sum:.2}, which leaves nothing for the labels without a share"
                ),
            });
        }
        let target = target.checked(&ids_and_names(&labels))?;
        let name = if name.trim().is_empty() { question.clone() } else { name };
        Ok(Self { name, question, kind, guideline, assist, asked_about, columns, target, labels })
    }

    /// A later revision of this task: labels with the same name or the same `id` keep their stable key.
    ///
    /// # Errors
    /// A usage fault if two labels would have the same stable key.
    pub fn revised(&self, mut next: Self) -> Result<Self> {
        for label in &mut next.labels {
            if let Some(old) = self.labels.iter().find(|old| old.name == label.name && label.id == label.name)
            {
                next.target.rename(&label.id, &old.id);
                label.id.clone_from(&old.id);
            }
        }
        for (i, a) in next.labels.iter().enumerate() {
            if let Some(b) = next.labels[i + 1..].iter().find(|b| a.id == b.id) {
                return Err(Fault::usage(
                    "set the task",
                    format!("the labels '{}' and '{}' have the same id, '{}'", a.name, b.name, a.id),
                )
                .hint("Give one of them another id: id = \"…\""));
            }
        }
        Ok(next)
    }

    /// The index of the label with this stable key.
    pub fn index_of_id(&self, id: &str) -> Option<usize> {
        self.labels.iter().position(|l| l.id == id)
    }

    /// The label that a person means by a name, a stable key or a key to press.
    ///
    /// # Errors
    /// A usage fault that lists the labels.
    pub fn find_label(&self, said: &str) -> Result<&Label> {
        let by_key = |l: &&Label| l.key.is_some() && said.chars().eq(l.key);
        self.labels
            .iter()
            .find(|l| l.name == said)
            .or_else(|| self.labels.iter().find(|l| l.id == said))
            .or_else(|| self.labels.iter().find(by_key))
            .or_else(|| self.labels.iter().find(|l| l.name.eq_ignore_ascii_case(said)))
            .ok_or_else(|| {
                let names: Vec<_> = self.labels.iter().take(LISTED).map(Label::with_key).collect();
                let more = match self.labels.len() - names.len() {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                Fault::usage(format!("give the label '{said}'"), "the task has no such label")
                    .hint(format!("The labels are {}{more}", names.join(", ")))
            })
    }

    /// The labels' stable keys, in order.
    pub fn label_ids(&self) -> Vec<String> {
        self.labels.iter().map(|l| l.id.clone()).collect()
    }

    /// The labels' stable keys and names, in order.
    pub fn ids_and_names(&self) -> Vec<(&str, &str)> {
        ids_and_names(&self.labels)
    }

    /// The names of the labels whose stable keys are not among these.
    pub fn names_beside(&self, stable_keys: &[String]) -> Vec<String> {
        self.labels.iter().filter(|l| !stable_keys.contains(&l.id)).map(|l| l.name.clone()).collect()
    }

    /// The expected shares, one per label, if the task gives them.
    pub fn shares(&self) -> Vec<Option<f64>> {
        self.labels.iter().map(|l| l.share).collect()
    }

    /// The texts that represent each label before anybody has labelled: description first, then examples;
    /// the bare name if the task gives neither.
    pub fn anchors(&self) -> Vec<Vec<String>> {
        self.labels
            .iter()
            .map(|l| {
                let mut texts: Vec<String> = Vec::with_capacity(1 + l.examples.len());
                if !l.description.trim().is_empty() {
                    texts.push(l.description.clone());
                }
                texts.extend(l.examples.iter().filter(|e| !e.trim().is_empty()).cloned());
                if texts.is_empty() {
                    texts.push(l.name.clone());
                }
                texts
            })
            .collect()
    }
}

/// Gives each level of a scale its key. A key that is given must be the same.
fn give_level_keys(labels: &mut [Label]) -> std::result::Result<(), String> {
    let keys = level_keys(labels.iter().map(|label| label.name.as_str()));
    for (label, key) in labels.iter_mut().zip(keys) {
        match (label.key, key) {
            (Some(given), Some(key)) if given != key => {
                return Err(format!(
                    "the level '{}' has the key '{given}', but the key of a level is its own digit or its place on the scale, here '{key}'",
                    label.name
                ));
            }
            _ => label.key = key,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(labels: &str) -> Result<Task> {
        Task::from_toml(&format!("question = \"Spam?\"\n{labels}"), "t.toml")
    }

    fn why(labels: &str) -> String {
        task(labels).err().map(|f| f.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_task_without_two_labels_on_two_keys_is_refused_with_the_reason() {
        assert!(why("").contains("no label"));
        assert!(why("[[label]]\nname='a'\nkey='1'").contains("only one label, 'a'"));
        let two = "[[label]]\nname='a'\nkey='1'\n[[label]]\nname='b'\nkey='1'";
        assert!(why(two).contains("'a' and 'b' have the same key, '1'"), "{}", why(two));
        assert!(
            why("[[label]]\nname='a'\nkey='12'").contains("line 4"),
            "{}",
            why("[[label]]\nname='a'\nkey='12'")
        );
    }

    #[test]
    fn a_label_needs_no_key_and_a_task_may_have_five_hundred() {
        let labels = |n: usize| (0..n).map(|n| format!("[[label]]\nname='label {n}'\n")).collect::<String>();
        let all = task(&labels(MAX_LABELS)).unwrap();
        assert_eq!(all.find_label("label 499").unwrap().key, None);
        let unknown = all.find_label("k").unwrap_err().to_string();
        assert!(unknown.contains("label 19 and 480 more") && !unknown.contains("label 20"), "{unknown}");
        assert!(why(&labels(MAX_LABELS + 1)).contains("it has 501 labels, more than the limit of 500"));
    }

    #[test]
    fn labels_that_one_word_could_both_mean_are_refused() {
        let two = |a: &str, b: &str| why(&format!("[[label]]\n{a}\n[[label]]\n{b}"));
        let clash = two("name='1'\nkey='2'", "name='2'\nkey='1'");
        assert!(clash.contains("the label '1' is called like the key of '2'"), "{clash}");
        assert!(two("name='Yes'\nkey='1'", "name='yes'\nkey='2'").contains("only in capital letters"));
        assert!(two("name='yes'\nkey='1'", "name='yes\u{a0}'\nkey='2'").contains("two labels are called"));
        assert_eq!(two("name='1'\nkey='1'", "name='2'\nkey='2'"), "");
        for odd in ["needs, review / \"now\": yes", "n\u{e4}her gepr\u{fc}ft", "None", "=1+1"] {
            assert_eq!(two(&format!("name='{odd}'\nkey='1'"), "name='x'\nkey='2'"), "", "{odd}");
        }
    }

    #[test]
    fn a_renamed_label_keeps_its_stable_key_when_it_names_it() {
        let old = task("[[label]]\nname='a'\nkey='1'\n[[label]]\nname='b'\nkey='2'").unwrap();
        let new = task("[[label]]\nid='a'\nname='alpha'\nkey='1'\n[[label]]\nname='b'\nkey='2'").unwrap();
        let new = old.revised(new).unwrap();
        assert_eq!(new.labels[0].id, "a");
        assert_eq!(new.find_label("alpha").unwrap().id, "a");
        let newer = task("[[label]]\nname='alpha'\nkey='1'\n[[label]]\nname='b'\nkey='2'").unwrap();
        assert_eq!(new.revised(newer).unwrap().labels[0].id, "a");
    }

    #[test]
    fn the_levels_of_a_scale_have_their_digits_as_keys_and_are_nine_at_most() {
        let scale =
            |labels: &str| Task::from_toml(&format!("question='How bad?'\nkind='scale'\n{labels}"), "t.toml");
        let levels = |n: usize| (1..=n).map(|n| format!("[[label]]\nname='{n}'\n")).collect::<String>();
        let five = scale(&levels(5)).unwrap();
        assert_eq!(five.kind, TaskKind::Scale);
        assert_eq!(five.labels[4].key, Some('5'));
        let why = |labels: &str| scale(labels).unwrap_err().to_string();
        assert!(why(&levels(10)).contains("10 levels, more than the limit of 9"), "{}", why(&levels(10)));
        let other = "[[label]]\nname='1'\nkey='x'\n[[label]]\nname='2'\n";
        assert!(why(other).contains("the level '1' has the key 'x'"), "{}", why(other));
        let many = Task::from_toml(
            "question='?'\nkind='many'\n[[label]]\nname='a'\n[[label]]\nname='b'\n",
            "t.toml",
        );
        let many = many.unwrap_err().to_string();
        assert!(many.contains("only one label for each text") && many.contains("scale"), "{many}");
    }

    fn with_target(target: &str) -> std::result::Result<Task, String> {
        let text =
            format!("question='?'\n[target]\n{target}\n[[label]]\nname='spam'\n[[label]]\nname='ham'\n");
        Task::from_toml(&text, "t").map_err(|f| f.to_string())
    }

    #[test]
    fn a_target_out_of_range_or_for_an_unknown_label_is_refused_with_the_reason() {
        for (target, why) in [
            ("kappa = 1.0", "the target kappa is 1, but must be above 0 and below 1"),
            ("kappa = nan", "the target kappa is NaN"),
            ("of_ceiling = 1.2", "the target of_ceiling is 1.2, but must be above 0 and at most 1"),
            ("recall.spam = 0", "the target recall of 'spam' is 0, but must be above 0 and below 1"),
            ("precision.eggs = 0.9", "the target precision is for 'eggs', but the task has no such label"),
            ("answers = 0", "a budget is at least 1 answer"),
            ("experts_kappa = -1", "the target experts_kappa is -1"),
            ("speed = 1", "unknown field `speed`"),
        ] {
            let said = with_target(target).unwrap_err();
            assert!(said.contains(why), "{target}: {said}");
        }
    }

    #[test]
    fn targets_are_written_and_read_back_and_follow_a_label_that_is_renamed() {
        let all = "kappa = 0.75\nof_ceiling = 1\nrecall = { spam = 0.9 }\nprecision.ham = 0.8\nanswers = 400\nexperts_kappa = 0.7";
        let before = with_target(all).unwrap();
        assert_eq!(Task::from_toml(&before.to_toml().unwrap(), "t").unwrap(), before);
        let renamed = "question='?'\n[target]\nrecall.junk = 0.9\n[[label]]\nid='spam'\nname='junk'\n[[label]]\nname='ham'\n";
        let after = before.revised(Task::from_toml(renamed, "t").unwrap()).unwrap();
        assert_eq!(after.target.recall["spam"], 0.9, "by the key that stays");
        // Later the label is known by its new name alone.
        let later =
            "question='?'\n[target]\nrecall.junk = 0.8\n[[label]]\nname='junk'\n[[label]]\nname='ham'\n";
        let later = after.revised(Task::from_toml(later, "t").unwrap()).unwrap();
        assert_eq!(later.target.recall["spam"], 0.8);
        assert_eq!(later.target.in_words(&later.ids_and_names()), ["recall 0.8 of 'junk'"]);
    }
}
