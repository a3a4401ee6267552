//! The dialogue with scripted answers: what is asked, what is explained, and which task results.

use std::collections::VecDeque;

use proptest::prelude::*;

use super::*;
use crate::domain::fault::Fault;
use crate::job::preview::PreviewRow;

/// Answers with its lines, then leaves.
struct Script {
    lines: VecDeque<String>,
    /// Everything printed and asked, with each answer in its place.
    heard: String,
}

impl Script {
    fn of(lines: &[&str]) -> Self {
        Self { lines: lines.iter().map(|l| (*l).to_owned()).collect(), heard: String::new() }
    }

    #[track_caller]
    fn heard(&self, parts: &[&str]) {
        for part in parts {
            assert!(self.heard.contains(part), "no {part:?} in:\n{}", self.heard);
        }
    }

    #[track_caller]
    fn is_used_up(&self) {
        assert!(self.lines.is_empty(), "{:?} was not asked for:\n{}", self.lines, self.heard);
    }
}

impl Person for Script {
    fn ask(&mut self, prompt: &str) -> Result<String> {
        let line = self.lines.pop_front().ok_or_else(|| Fault::new("ask", "left"))?;
        self.heard.push_str(&format!("{prompt}{line}\n"));
        // As from a terminal: with the end of the line.
        Ok(format!("{line}\n"))
    }

    fn say(&mut self, text: &str) -> Result<()> {
        self.heard.push_str(&format!("{text}\n"));
        Ok(())
    }
}

const SPAM: [&str; 16] = [
    "",
    "Is it spam?",
    "Look closely.",
    "one",
    "spam",
    "",
    "sells something",
    "WINNER!! \"Call\" now",
    "10",
    "ham",
    "h",
    "",
    "",
    "",
    "",
    "",
];

fn names() -> Names {
    Names {
        task: "messages".into(),
        project: "messages.hardcase".into(),
        toml: "messages.task.toml".into(),
        data: Some("messages.csv".into()),
    }
}

fn asked(lines: &[&str]) -> (Result<Task>, Script) {
    let mut script = Script::of(lines);
    (
        ask_task(&mut script, &names(), &mut TaskDraft::default()).map(|reply| match reply {
            Reply::Said(task) => task,
            Reply::Back => panic!("before the first question"),
        }),
        script,
    )
}

fn label(name: &str, key: char, description: &str, example: &str, share: Option<f64>) -> Label {
    Label {
        id: name.into(),
        name: name.into(),
        key: Some(key),
        description: description.into(),
        examples: if example.is_empty() { vec![] } else { vec![example.into()] },
        share,
    }
}

fn spam() -> Task {
    let labels = vec![
        label("spam", '1', "sells something", "WINNER!! \"Call\" now", Some(0.1)),
        label("ham", 'h', "", "", None),
    ];
    Task::new("messages".into(), "Is it spam?".into(), "Look closely.".into(), labels).unwrap()
}

#[test]
fn the_answers_make_the_task_that_the_summary_tells() {
    let (task, script) = asked(&SPAM);
    assert_eq!(task.unwrap(), spam());
    script.is_used_up();
    script.heard(&[
        "Name of the task [messages]: ",
        "  Key to press [2]: h",
        "Label 3 [no more]: ",
        "The task 'messages': Is it spam?\n  Look closely.\n",
        "  key 1  spam: sells something (about 10 in a hundred)\n         for example: WINNER!! \"Call\" now\n",
        "  key h  ham (share unknown)\n",
        "saved as messages.task.toml, for the project messages.hardcase with the texts in messages.csv.",
        "Is this correct? [Y/n] ",
    ]);
}

/// Puts a wrong answer before the right one at one place of the script.
#[track_caller]
fn is_explained(at: usize, wrong: &str, why: &str) {
    let mut lines = SPAM.to_vec();
    lines.insert(at, wrong);
    let (task, script) = asked(&lines);
    script.heard(&[&format!("{wrong}\n{why}")]);
    script.is_used_up();
    assert_eq!(task.unwrap(), spam(), "nothing else was lost");
}

#[test]
fn a_wrong_answer_is_explained_and_asked_again_and_nothing_is_lost() {
    is_explained(1, "", "A task needs a question");
    is_explained(1, " \t ", "A task needs a question");
    is_explained(1, "\u{1b}[D", "That contains a special key");
    is_explained(1, "caf\u{fffd}", "That is not valid UTF-8");
    is_explained(3, "many", "Answer one, several or scale.");
    is_explained(4, "", "A task needs at least two labels");
    is_explained(5, "11", "A key is one character");
    is_explained(5, "u", "The workstation uses the key u itself");
    for wrong in ["0", "100", "120", "-3", "many", "nan", "inf"] {
        is_explained(8, wrong, "Enter a number above 0 and below 100");
    }
    is_explained(9, "", "A task needs at least two labels");
    is_explained(9, "Spam", "There is already a label 'spam'");
    is_explained(10, "1", "The key 1 already stands for 'spam'");
    is_explained(13, "95", "With the earlier labels this adds up to 105 of 100");
    is_explained(15, "maybe", "Answer y if all of this is correct, or n if not.");
}

#[test]
fn figures_that_do_not_make_a_hundred_are_asked_for_once_more() {
    let mut lines = SPAM.to_vec();
    lines[13] = "80";
    lines.splice(15..15, ["", "90 %"]);
    let (task, script) = asked(&lines);
    script.heard(&["These add up to 90 of 100. Please enter them again.", "in a hundred are 'spam' [10]: "]);
    assert_eq!(task.unwrap().shares(), [Some(0.1), Some(0.9)]);
    script.is_used_up();
    let three = ["", "?", "", "", "a", "", "", "", "60", "b", "", "", "", "40", "c", "", "", "", "", ""];
    let again = ["", "2,5", "", "y"];
    let (task, script) = asked(&[&three[..], &again[..]].concat());
    script.heard(&["These add up to 100 of 100 and leave nothing for 'c'. Please enter them again."]);
    assert_eq!(task.unwrap().shares(), [Some(0.6), Some(0.025), None]);
}

#[test]
fn after_no_each_answer_stands_in_brackets_and_can_be_changed_or_taken_away() {
    let mut lines = SPAM.to_vec();
    lines[15] = "n";
    let kept = [""; 16];
    let (task, script) = asked(&[&lines[..], &kept[..]].concat());
    assert_eq!(task.unwrap(), spam(), "Enter keeps all of it");
    script.heard(&[
        "Guideline [Look closely.]: ",
        "Label 2 [ham]: ",
        "  Key to press [h]: ",
        "in a hundred are 'spam' [10]: ",
    ]);

    let changed = ["", "", "-", "", "-", "ham", "", "", "", "", "junk", "", "", "", "-", "", "y"];
    let (task, script) = asked(&[&lines[..], &changed[..]].concat());
    let labels = vec![label("ham", 'h', "", "", None), label("junk", '1', "", "", None)];
    let want = Task::new("messages".into(), "Is it spam?".into(), String::new(), labels);
    assert_eq!(task.unwrap(), want.unwrap(), "{}", script.heard);
    script.is_used_up();
}

#[test]
fn a_person_can_go_back_to_any_question_and_loses_nothing() {
    for at in 1..SPAM.len() {
        let mut lines = SPAM[..at].to_vec();
        lines.extend(std::iter::repeat_n("<", at));
        // Back at the first question, Enter keeps every answer there is; a label without a name yet gets it now.
        lines.push("<");
        let (mut script, mut draft) = (Script::of(&lines), TaskDraft::default());
        let reply = ask_task(&mut script, &names(), &mut draft).unwrap();
        assert_eq!(reply, Reply::Back, "after {at} answers:\n{}", script.heard);
        // What was answered is kept for when the task is asked for again.
        assert_eq!(draft.question.is_empty(), at < 2);
    }
    let mut lines = SPAM[..9].to_vec();
    // The share, the example, the meaning, the key and the name of the first label: it is called junk instead.
    lines.extend(["<", "<", "<", "<", "<", "junk", "", "", "", ""]);
    lines.extend(&SPAM[9..]);
    let (task, script) = asked(&lines);
    let mut want = spam();
    want.labels[0].name = "junk".into();
    want.labels[0].id = "junk".into();
    assert_eq!(task.unwrap(), want, "{}", script.heard);
}

#[test]
fn the_levels_of_a_scale_are_asked_for_without_keys() {
    let scale =
        ["", "How severe?", "", "scale", "1 mild", "", "", "", "2 severe", "", "<", "", "", "", "", "y"];
    let (task, script) = asked(&scale);
    let task = task.unwrap();
    assert_eq!(task.kind, TaskKind::Scale, "{}", script.heard);
    assert_eq!(task.labels.iter().map(|level| level.key).collect::<Vec<_>>(), [Some('1'), Some('2')]);
    script.is_used_up();
    script.heard(&[
        "such as 1 to 5 (scale) [one]: scale",
        "  a scale, the lowest level first:\n  key 1  1 mild",
    ]);
    assert!(!script.heard.contains("Key to press"), "{}", script.heard);
}

#[test]
fn several_labels_are_asked_for_with_shares_of_any_sum() {
    let several = [
        "",
        "Which rules does it break?",
        "",
        "several",
        "alcohol",
        "",
        "",
        "",
        "70",
        "health",
        "",
        "",
        "",
        "70",
        "",
        "y",
    ];
    let (task, script) = asked(&several);
    let task = task.unwrap();
    assert_eq!(task.kind, TaskKind::Several, "{}", script.heard);
    assert_eq!(task.shares(), [Some(0.7), Some(0.7)]);
    script.is_used_up();
    script.heard(&[
        "(several), or a level",
        "  any number of these labels, or none of them:\n  key 1  alcohol",
    ]);
}

#[test]
fn a_person_can_leave_at_every_question() {
    for n in 0..SPAM.len() {
        assert!(asked(&SPAM[..n]).0.is_err(), "after {n} answers");
    }
}

#[test]
fn keys_are_proposed_that_the_task_may_have_and_labels_beyond_them_need_none() {
    let names: Vec<String> = (0..90).map(|i| format!("label {i}")).collect();
    let mut lines = vec!["", "Which?", "", ""];
    for name in &names {
        lines.extend([name.as_str(), "", "", "", ""]);
    }
    let (task, script) = asked(&[&lines[..], &["", ""]].concat());
    assert_eq!(task.unwrap().labels.len(), 90, "{}", script.heard);
}

proptest! {
    #[test]
    fn whatever_is_typed_either_is_a_task_that_can_be_read_back_or_none(
        lines in proptest::collection::vec(prop_oneof![any::<String>(), "[-yn0-9a-c]{0,2}", Just(String::new())], 0..60),
    ) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        if let (Ok(task), _) = asked(&lines) {
            prop_assert_eq!(Task::from_toml(&task.to_toml().unwrap(), "t").unwrap(), task);
        }
    }
}

/// Four columns, of which the first is gold: `texts` are those that make the text.
fn look_at(texts: std::result::Result<Vec<usize>, String>) -> Preview {
    let cells = ["gold", "one", "two", "three"];
    Preview {
        columns: ["label", "title", "body", "4"].map(str::to_owned).into(),
        gold: Some(0),
        texts: texts.map(|columns| Texts {
            read_as: "CSV".into(),
            rows: vec![PreviewRow {
                text: columns.iter().map(|i| cells[*i]).collect::<Vec<_>>().join("\n\n"),
                meta: serde_json::json!({ "who": "ann" }),
            }],
            columns,
        }),
    }
}

fn chosen(start: Preview, lines: &[&str]) -> (Vec<String>, Script) {
    let mut script = Script::of(lines);
    let columns = start.columns.clone();
    let chosen = choose_text(&mut script, start, |said| {
        let find = |said: &String| {
            let number = said.parse::<usize>().ok().filter(|n| (1..=4).contains(n)).map(|n| n - 1);
            let at = columns.iter().position(|c| c == said).or(number);
            at.ok_or_else(|| Fault::usage("read it", format!("it has no column '{said}'")))
        };
        said.iter().map(find).collect::<Result<Vec<_>>>().map(|c| look_at(Ok(c)))
    });
    script.is_used_up();
    let Reply::Said(chosen) = chosen.unwrap() else { panic!("went back") };
    (chosen, script)
}

#[test]
fn enter_takes_the_column_that_was_found_and_says_nothing_of_its_own() {
    let (columns, script) = chosen(look_at(Ok(vec![2])), &[""]);
    assert!(columns.is_empty());
    script.heard(&[
        "CSV\nThe first texts, as experts will see them:\n\n  two\n  who: ann\n",
        "Columns: 1 label, 2 title, 3 body, 4.",
        "Text column [3 body]: ",
    ]);
}

#[test]
fn other_columns_are_shown_before_they_are_taken() {
    let (columns, script) = chosen(look_at(Ok(vec![2])), &["nope", "title, 3", ""]);
    assert_eq!(columns, ["title", "body"]);
    script.heard(&["It has no column 'nope'.", "  one\n  \n  two\n", "[2 title, 3 body]: "]);
}

#[test]
fn a_column_of_known_labels_is_never_shown() {
    let (columns, script) = chosen(look_at(Ok(vec![2])), &["label", "4", ""]);
    assert_eq!(columns, ["4"]);
    script.heard(&["That column holds the known labels"]);
    assert!(!script.heard.contains("gold"), "{}", script.heard);
}

#[test]
fn where_no_column_is_clearly_the_text_there_is_no_answer_to_take() {
    let unclear = look_at(Err("several columns could be the text".into()));
    let (columns, script) = chosen(unclear, &["", "body", ""]);
    assert_eq!(columns, ["body"]);
    script.heard(&[
        "Cannot tell which column holds the texts: several columns could be the text.",
        "column [none yet]: \nGive the name or number of the column",
    ]);
}

#[test]
fn a_file_of_one_column_leaves_nothing_to_choose() {
    let mut only = look_at(Ok(vec![0]));
    only.columns.truncate(1);
    let (columns, script) = chosen(only, &[]);
    assert!(columns.is_empty());
    script.heard(&["The first texts"]);
}
