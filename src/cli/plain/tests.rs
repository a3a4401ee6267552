//! The plain mode with scripted lines, on a real project.

use std::collections::VecDeque;

use super::*;
use crate::desk::session::OnClose;
use crate::domain::fault::Fault;
use crate::domain::progress::Unwatched;
use crate::domain::read_options::ReadOptions;
use crate::job::create::create;
use crate::job::import::{ImportOptions, import};
use crate::job::task::set;
use crate::work::JobContext;

const TASK: &str = "question = \"Spam?\"\nguideline = \"Read it.\"\n[[label]]\nname = \"spam\"\nkey = \"1\"\n[[label]]\nname = \"ham\"\nkey = \"2\"\n";

/// Types its lines, then leaves.
struct Script {
    lines: VecDeque<&'static str>,
    heard: String,
    /// Done before the line with this number is typed.
    meanwhile: Option<(usize, Box<dyn FnMut()>)>,
    typed: usize,
}

impl Person for Script {
    fn ask(&mut self, prompt: &str) -> Result<String> {
        if let Some((at, meanwhile)) = &mut self.meanwhile
            && *at == self.typed
        {
            meanwhile();
        }
        self.typed += 1;
        let line = self.lines.pop_front().ok_or_else(|| Fault::new("ask", "left"))?;
        self.heard.push_str(&format!("{prompt}{line}\n"));
        Ok(format!("{line}\n"))
    }

    fn say(&mut self, text: &str) -> Result<()> {
        self.heard.push_str(&format!("{text}\n"));
        Ok(())
    }
}

fn project(dir: &tempfile::TempDir) -> std::path::PathBuf {
    let path = dir.path().join("p.hardcase");
    create(&path, Some(&Task::from_toml(TASK, "t").unwrap()), 1, "ada").unwrap();
    let data = dir.path().join("texts.txt");
    // Words rather than numbers: texts that differ in numbers alone have one split.
    let things =
        ["kettle", "garden", "letter", "bridge", "window", "engine", "pencil", "carpet", "doctor", "island"];
    let does = ["sings", "waits", "burns", "melts", "rests", "grows", "turns", "falls", "opens", "sleeps"];
    let pair = |n: usize| {
        format!("the {} {} \u{1b}[31m near the {}\n", things[n % 10], does[n / 10 % 10], things[n / 100])
    };
    let texts: String = (0..1_000).map(pair).collect();
    std::fs::write(&data, texts).unwrap();
    let context = JobContext { project: &path, watcher: &Unwatched, expert: "ada", seed: None };
    import(&context, &data, &ImportOptions::of(ReadOptions::default())).unwrap();
    path
}

/// What was heard, and the answers that are in the file, oldest first.
fn labelled(path: &std::path::Path, script: &mut Script) -> Left {
    let mut session = Session::open(path, "ada", OnClose::ReleaseCases).unwrap();
    let mut jobs =
        |kinds: Vec<JobKind>| Ok(kinds.iter().map(|kind| format!("ran {}", kind.name())).collect());
    let left = label(script, &mut session, &mut jobs).unwrap();
    session.close().unwrap();
    left
}

fn script(lines: &[&'static str]) -> Script {
    Script { lines: lines.iter().copied().collect(), heard: String::new(), meanwhile: None, typed: 0 }
}

/// The labels of the cases that ada has answered, in the order of the log.
fn answers(path: &std::path::Path) -> Vec<String> {
    let mut session = Session::open(path, "ada", OnClose::ReleaseCases).unwrap();
    let cases = session.answered().unwrap();
    cases.into_iter().filter_map(|(case, _)| session.look(case).unwrap().unwrap().label).collect()
}

#[test]
fn cases_are_labelled_skipped_noted_and_taken_back_line_by_line() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir);
    let mut script = script(&[
        "1",
        "HAM",
        "nonsense",
        "undo",
        "sp",
        "note look again",
        "flag",
        "skip",
        "back",
        "forward",
        "",
        "g",
        "quit",
        "1",
    ]);
    let left = labelled(&path, &mut script);
    let heard = &script.heard;
    for says in [
        "Spam? 1 spam, 2 ham",
        "Saved: spam, case 1.",
        "Saved: ham, case 2.",
        "'nonsense' is no label and no word. Nothing was saved",
        "Undone: label ham, case 2.",
        "Saved: spam, case 2.",
        "The note is saved.",
        "Flagged for a second look.",
        "Skipped: this case comes back once",
        "You skipped it.",
        "Read it.",
    ] {
        assert!(heard.contains(says), "no {says:?} in:\n{heard}");
    }
    assert_eq!(answers(&path), ["spam", "spam"]);
    assert_eq!(left.answered(), 2, "the answer that was taken back does not count");
    assert_eq!(script.lines.len(), 1, "nothing is read after quit");
}

#[test]
fn nothing_is_told_before_the_answer_and_a_closed_input_leaves_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir);
    let mut silent = script(&["similar", "again", "labels"]);
    assert_eq!(labelled(&path, &mut silent), Left::default());
    for hidden in ["audit", "drawn", "model", "chosen"] {
        assert!(!silent.heard.to_lowercase().contains(hidden), "{hidden} in {}", silent.heard);
    }
    let mut answered = script(&["2"]);
    labelled(&path, &mut answered);
    assert!(answered.heard.contains("Chosen because it was drawn at random"), "{}", answered.heard);
}

#[test]
fn a_changed_task_is_told_and_takes_no_label_until_enter_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir);
    let swapped = TASK.replace("\"1\"", "\"3\"").replace("\"2\"", "\"1\"").replace("\"3\"", "\"2\"");
    let (other, task) = (path.clone(), Task::from_toml(&swapped, "t").unwrap());
    let mut script = script(&["1", "1", "2", "", "1"]);
    script.meanwhile = Some((0, Box::new(move || assert_eq!(set(&other, task.clone(), "ada").unwrap(), 2))));
    labelled(&path, &mut script);
    assert!(script.heard.contains("\"spam\" now has the key 2; it had the key 1."), "{}", script.heard);
    assert_eq!(script.heard.matches("Nothing was labelled: the task has changed.").count(), 2);
    assert_eq!(answers(&path), ["spam", "ham"], "each key as it was said last");
}

#[test]
fn at_the_end_of_the_cases_next_runs_what_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir);
    let mut all = script(&["1", "1", "1", "1", "1", "1", "1", "next"]);
    labelled(&path, &mut all);
    assert!(all.heard.contains("There is no case to answer."), "{}", all.heard);
    assert_eq!(answers(&path).len(), 6);
    assert!(all.heard.contains("needs a full build") || all.heard.contains("ran scout"), "{}", all.heard);
}
