//! A report for whoever mends a fault: what the program, the machine and the project are like, without a text, a label or a name.

use std::fmt::Write as _;
use std::path::Path;

use super::doctor::{Finding, State};
use crate::domain::fault::Result;
use crate::domain::grouped::grouped;
use crate::domain::sanitize::sanitize_line;
use crate::store::log::runs::Outcome;
use crate::store::{Access, Store};

/// Variables of the environment whose values say how the screen is drawn and the program is set up, and nothing about a person.
const SHOWN: [&str; 9] = [
    "TERM",
    "COLORTERM",
    "TERM_PROGRAM",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "NO_COLOR",
    "RUST_BACKTRACE",
    "HARDCASE_COMMIT",
];
/// Variables that are set or not; their values may name people and places.
const NAMED: [&str; 5] = ["SSH_CONNECTION", "TMUX", "STY", "HTTPS_PROXY", "HARDCASE_MODELS"];
/// Jobs that are listed.
const JOBS: usize = 30;
/// A shorter word is not taken out: it would tear others apart.
const SHORTEST: usize = 2;
/// The longest finding, in characters.
const LONGEST: usize = 2_000;

/// The report: `version` as `--version` says it, the findings of `doctor`, and what a project is like, where one is given.
///
/// # Errors
/// None but those of reading the project, which then stand in the report.
pub fn support_report(version: &str, findings: &[Finding], project: Option<&Path>) -> String {
    let mut hidden = Hidden::default();
    let about_project = project.map(|path| {
        hidden.add_path(path);
        describe(path, &mut hidden).unwrap_or_else(|fault| format!("it cannot be read: {fault}\n"))
    });
    if let Some(home) = std::env::home_dir() {
        hidden.add_path(&home);
    }
    let mut out = String::from(
        "hardcase: a report for support\n\
         It holds no text, no label and no name of yours. Read it before you send it.\n",
    );
    let _ = write!(out, "\n## Program\n{version}\n\n## Machine\n");
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    let _ = writeln!(out, "processors: {cores}");
    for name in SHOWN {
        if let Ok(value) = std::env::var(name) {
            let _ = writeln!(out, "{name}={}", sanitize_line(&value, 100));
        }
    }
    for name in NAMED {
        let is = if std::env::var_os(name).is_some() { "set" } else { "not set" };
        let _ = writeln!(out, "{name}: {is}");
    }
    out += "\n## What doctor finds\n";
    for finding in findings {
        let state = match finding.state {
            State::Fine => "ok",
            State::Warning => "note",
            State::Wrong => "BAD",
        };
        let _ = writeln!(out, "{state} {}: {}", finding.what, sanitize_line(&finding.says, LONGEST));
    }
    if let Some(about) = about_project {
        let _ = write!(out, "\n## Project\n{about}");
    }
    hidden.out_of(&out)
}

/// A project by its numbers. Adds everything by which people are named in it to what is hidden.
fn describe(path: &Path, hidden: &mut Hidden) -> Result<String> {
    let store = Store::open(path, Access::Read)?;
    let mut out = String::new();
    for (_, name) in store.experts()? {
        hidden.add(&name, "[a name]");
    }
    for source in store.sources()? {
        hidden.add(&source.name, "[a source]");
    }
    for (source, _) in store.label_sources()? {
        hidden.add(&source.name, "[a source]");
    }
    let revisions = store.task_revisions()?;
    for label in revisions.iter().flat_map(|revision| &revision.task.labels) {
        hidden.add(&label.name, "[a label]");
        hidden.add(&label.id, "[a label]");
    }
    let made = store.made()?;
    let _ = writeln!(out, "made by: {}", sanitize_line(&made.by, 100));
    let _ = writeln!(out, "size: {} bytes", grouped(std::fs::metadata(path).map_or(0, |facts| facts.len())));
    let labels = revisions.last().map_or(0, |revision| revision.task.labels.len());
    let _ = writeln!(out, "task: {} revisions, {labels} labels", revisions.len());
    for (split, n) in store.split_counts()? {
        let _ = writeln!(out, "texts, {}: {}", split.as_str(), grouped(n as u64));
    }
    for (table, rows) in store.rows_of_tables()? {
        let _ = writeln!(out, "rows of {table}: {}", grouped(rows));
    }
    out += "\n## Jobs, the newest first\n";
    for run in store.runs(JOBS)? {
        let ended = run.outcome.map_or("running", Outcome::as_str);
        let _ = writeln!(out, "{}: {ended}", sanitize_line(&run.kind, 40));
        if let (Some(said), Some(Outcome::Failed)) = (&run.message, run.outcome) {
            let _ = writeln!(out, "  {}", sanitize_line(said, LONGEST));
        }
    }
    Ok(out)
}

/// What is taken out of the report wherever it stands.
#[derive(Default)]
struct Hidden(Vec<(String, &'static str)>);

impl Hidden {
    fn add(&mut self, word: &str, instead: &'static str) {
        if word.len() >= SHORTEST {
            self.0.push((word.to_owned(), instead));
        }
    }

    fn add_path(&mut self, path: &Path) {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        for path in [path, whole.as_path()] {
            self.add(&path.display().to_string(), "[a path]");
            if let Some(folder) = path.parent().filter(|folder| folder.components().count() > 1) {
                self.add(&folder.display().to_string(), "[a path]");
            }
            if let Some(name) = path.file_name() {
                self.add(&name.to_string_lossy(), "[a path]");
            }
        }
    }

    /// The longest words first: what is part of another goes with it.
    fn out_of(mut self, text: &str) -> String {
        self.0.sort_by(|a, b| b.0.len().cmp(&a.0.len()).then_with(|| a.cmp(b)));
        self.0.dedup();
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let starts_word = !out.ends_with(char::is_alphanumeric);
            let here = self.0.iter().find(|(word, _)| {
                let after = rest.strip_prefix(word.as_str());
                after.is_some_and(|after| !after.starts_with(char::is_alphanumeric))
            });
            match here.filter(|_| starts_word) {
                Some((word, instead)) => {
                    out += instead;
                    rest = &rest[word.len()..];
                }
                None => {
                    out.push(c);
                    rest = &rest[c.len_utf8()..];
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_out_as_whole_words_and_the_longest_first() {
        let mut hidden = Hidden::default();
        hidden.add("ada", "[a name]");
        hidden.add("ada lovelace", "[a name]");
        hidden.add("a", "[never]");
        hidden.add_path(Path::new("/home/ada/pool.hardcase"));
        let says = "ada lovelace, ada, adamant: /home/ada/pool.hardcase and /home/ada/x; a pool.hardcase";
        assert_eq!(hidden.out_of(says), "[a name], [a name], adamant: [a path] and [a path]/x; a [a path]");
    }
}
