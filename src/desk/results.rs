//! Results written without a command line: what there is to write, in which formats and where, how much it will be, and the writing: a child
//! process with the verb that a person would type. It replaces no file that it was not told to replace.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::written_path::written_path;
use crate::domain::fault::io_reason;
use crate::domain::grouped::{counted, grouped, size};
use crate::formats::OUTPUT_FORMATS;

/// What can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Results {
    /// One label for each text.
    Final,
    /// Every answer.
    Labels,
    /// What the model says of each text.
    Predictions,
    /// The imported rows with what is known of each.
    Rows,
    /// The label log.
    Events,
    Report,
    /// A copy of the project.
    Backup,
}

/// How it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFormat {
    /// What it is, for people who label.
    pub says: String,
    /// The extension that a file of it has.
    ending: &'static str,
    /// What a person would type for it.
    words: Vec<&'static str>,
}

/// What is to be written, how, and where, as a person writes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub results: Results,
    pub format: FileFormat,
    pub place: String,
    /// Whether a file that is there may be replaced.
    pub replaces: bool,
}

/// What became of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// It was written: how much, and where.
    Done(String),
    /// Nothing was written, because something is at that place, which may be replaced.
    Exists(Box<Wanted>),
    /// Why nothing was written.
    Failed(String),
}

impl Results {
    /// Every kind, the most wanted first.
    pub const ALL: [Self; 7] =
        [Self::Final, Self::Labels, Self::Predictions, Self::Rows, Self::Events, Self::Report, Self::Backup];

    /// What it is, for people who label.
    pub fn says(self) -> &'static str {
        match self {
            Self::Final => "one label for each text, and how it was reached",
            Self::Labels => "every answer, with who gave it and when",
            Self::Predictions => "what the model says of each text",
            Self::Rows => "the rows of your file, with the label of each",
            Self::Events => "the label log: everything that was done, for another project or an archive",
            Self::Report => "the report: task, people, agreement, how good the labels are",
            Self::Backup => "a backup: a copy of the whole project",
        }
    }

    /// The arguments a person would type, without the project and the file.
    fn verb(self) -> &'static [&'static str] {
        match self {
            Self::Final => &["export", "--what", "final"],
            Self::Labels => &["export", "--what", "labels"],
            Self::Predictions => &["export", "--what", "predictions"],
            Self::Rows => &["export", "--what", "rows"],
            Self::Events => &["export", "--what", "events"],
            Self::Report => &["report"],
            Self::Backup => &["backup"],
        }
    }

    /// What a file of it is called, after the project's name.
    fn called(self) -> &'static str {
        match self {
            Self::Final => "final",
            Self::Labels => "labels",
            Self::Predictions => "predictions",
            Self::Rows => "rows",
            Self::Events => "log",
            Self::Report => "report",
            Self::Backup => "copy",
        }
    }

    /// The formats in which it can be written, the one for most people first.
    pub fn formats(self) -> Vec<FileFormat> {
        let one = |says: &str, ending, words: &[&'static str]| FileFormat {
            says: says.to_owned(),
            ending,
            words: words.to_vec(),
        };
        match self {
            Self::Final | Self::Labels | Self::Predictions | Self::Rows => {
                let excel =
                    one("table for Excel and other spreadsheets (CSV)", "csv", &["--format", "csv", "--bom"]);
                let listed = OUTPUT_FORMATS.iter().map(|format| FileFormat {
                    says: format!("{}: {}", format.name, format.help),
                    ending: format.ending,
                    words: vec!["--format", format.name],
                });
                std::iter::once(excel).chain(listed).collect()
            }
            Self::Events => vec![one("lines that hardcase merges (JSONL)", "jsonl", &[])],
            Self::Report => {
                vec![
                    one("text to read (Markdown)", "md", &[]),
                    one("figures for programs (JSON)", "json", &["--json"]),
                ]
            }
            Self::Backup => vec![one("a project that hardcase opens", "hardcase", &[])],
        }
    }

    /// Where it goes if the person says nothing else: next to the project, or in its folder of backups.
    pub fn usual_place(self, format: &FileFormat, project: &Path) -> PathBuf {
        match self {
            Self::Backup => backups_of(project),
            _ => project.with_file_name(self.usual_name(format, project)),
        }
    }

    fn usual_name(self, format: &FileFormat, project: &Path) -> OsString {
        let mut name = project.file_stem().unwrap_or_default().to_owned();
        name.push(format!(".{}.{}", self.called(), format.ending));
        name
    }

    fn is_exported(self) -> bool {
        !matches!(self, Self::Report | Self::Backup)
    }
}

/// The folder in which a project's backups are kept, each under its date.
fn backups_of(project: &Path) -> PathBuf {
    let mut name = project.as_os_str().to_owned();
    name.push(".backups");
    name.into()
}

/// What `export --count` says.
#[derive(Deserialize)]
struct Counted {
    lines: usize,
    left_out: LeftOut,
}

#[derive(Deserialize)]
struct LeftOut {
    views: usize,
    answers: usize,
    texts: usize,
    events: usize,
}

/// How much results of this kind hold now, in a sentence or two; nothing is written.
pub(super) fn count(
    program: &Path,
    project: &Path,
    expert: &str,
    results: Results,
) -> Result<String, String> {
    let verb = |words: &[&str]| {
        let mut command = command(program, results);
        command.args(words).arg(project).arg("--as").arg(expert);
        ended(command)
    };
    match results {
        Results::Backup => {
            let facts = std::fs::metadata(project).map_err(|e| io_reason(&e))?;
            Ok(format!("All of the project: {}.", size(facts.len())))
        }
        Results::Report => {
            let (report, left_out) = verb(&[])?;
            let lines = grouped(report.lines().count() as u64);
            let hidden = "Answers to cases that are still open are left out.";
            Ok(if left_out.is_empty() {
                format!("{lines} lines.")
            } else {
                format!("{lines} lines. {hidden}")
            })
        }
        _ => {
            let (said, _) = verb(&["--count", "--json"])?;
            let counted: Counted = serde_json::from_str(&said).map_err(|e| e.to_string())?;
            Ok(rows(&counted))
        }
    }
}

fn rows(said: &Counted) -> String {
    let rows = match said.lines {
        0 => "No rows yet.".to_owned(),
        1 => "1 row.".to_owned(),
        n => format!("{} rows.", grouped(n as u64)),
    };
    let LeftOut { views, answers, texts, events } = said.left_out;
    let hidden = views.max(answers).max(texts);
    if hidden > 0 {
        let texts = counted(hidden, "text", "texts");
        return format!(
            "{rows} Left out because you may not see it yet: what others or the model say of {texts}."
        );
    }
    if events > 0 { format!("{rows} What others did is left out: only the lead gets it.") } else { rows }
}

/// Writes results and waits for it.
pub(super) fn write(program: &Path, project: &Path, expert: &str, wanted: Wanted) -> Written {
    let results = wanted.results;
    let Some(place) = written_path(&wanted.place) else {
        return Written::Failed("Type where it is to be written.".into());
    };
    // A backup in the project's own folder gets its date as its name.
    let is_dated = results == Results::Backup && place == backups_of(project);
    let out = if !is_dated && place.is_dir() {
        place.join(results.usual_name(&wanted.format, project))
    } else {
        place
    };
    if !is_dated && !wanted.replaces && out.symlink_metadata().is_ok() {
        if results == Results::Backup {
            let says = format!("{} exists. A backup replaces nothing: type another name.", out.display());
            return Written::Failed(says);
        }
        let place = out.display().to_string();
        return Written::Exists(Box::new(Wanted { place, ..wanted }));
    }
    let mut command = command(program, results);
    command.args(&wanted.format.words).arg(project).arg("--as").arg(expert);
    if !is_dated {
        // One argument, because a file name may begin with a dash.
        let mut word = OsString::from(if results == Results::Backup { "--to=" } else { "--out=" });
        word.push(&out);
        command.arg(word);
    }
    match ended(command) {
        Err(why) => Written::Failed(why),
        // A backup says itself where it is.
        Ok((said, _)) if results == Results::Backup => Written::Done(said),
        Ok((said, _)) if said.is_empty() => Written::Done(format!("Written to {}", out.display())),
        Ok((said, _)) if results.is_exported() => Written::Done(format!("{said} to {}", out.display())),
        Ok((said, _)) => Written::Done(format!("{} to {}", said.trim_end_matches('.'), out.display())),
    }
}

fn command(program: &Path, results: Results) -> Command {
    let mut command = Command::new(program);
    command.args(results.verb()).args(["--progress", "none"]).stdin(Stdio::null());
    // In a process group of its own, so that signals from the terminal, hang-ups included, do not reach it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    command
}

/// A failure as `--json` says it.
#[derive(Deserialize)]
struct InJson {
    error: String,
}

/// Waits for a child. What it said on both outputs, or why it failed.
fn ended(mut command: Command) -> Result<(String, String), String> {
    let ended = command.output().map_err(|e| format!("cannot start the program: {}", io_reason(&e)))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    let (said, complaint) = (text(&ended.stdout), text(&ended.stderr));
    if ended.status.success() {
        Ok((said, complaint))
    } else {
        let why = complaint.lines().last().unwrap_or_default();
        let in_json = serde_json::from_str(why).ok().map(|failed: InJson| failed.error);
        Err(in_json.unwrap_or_else(|| why.trim_start_matches("hardcase: ").to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(results: Results, place: &Path) -> Wanted {
        let format = results.formats().remove(0);
        Wanted { results, format, place: place.display().to_string(), replaces: false }
    }

    #[test]
    fn a_file_that_is_there_is_asked_about_and_never_replaced_in_silence() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("spam.v2.hardcase");
        let program = Path::new("/nowhere/program");
        for results in Results::ALL {
            for format in results.formats() {
                let place = results.usual_place(&format, &project);
                assert_eq!(place.parent(), Some(dir.path()), "next to the project");
                assert_ne!(place, project);
                let asked = Wanted { format, ..wanted(results, &place) };
                let free = write(program, &project, "ada", asked.clone());
                assert!(matches!(&free, Written::Failed(why) if why.contains("cannot start")), "{free:?}");
                if results == Results::Backup {
                    continue;
                }
                std::fs::write(&place, "mine").unwrap();
                assert_eq!(write(program, &project, "ada", asked.clone()), Written::Exists(Box::new(asked)));
                // Of a folder, what is in it counts.
                let first = results.usual_place(&results.formats()[0], &project);
                std::fs::write(&first, "mine").unwrap();
                let in_folder = write(program, &project, "ada", wanted(results, dir.path()));
                assert!(
                    matches!(&in_folder, Written::Exists(wanted) if Path::new(&wanted.place) == first),
                    "{in_folder:?}"
                );
                assert_eq!(std::fs::read_to_string(&place).unwrap(), "mine");
                for written in [place, first] {
                    let _ = std::fs::remove_file(written);
                }
            }
        }
        let mine = dir.path().join("mine.hardcase");
        std::fs::write(&mine, "mine").unwrap();
        let backup = write(program, &project, "ada", wanted(Results::Backup, &mine));
        assert!(matches!(&backup, Written::Failed(why) if why.contains("replaces nothing")), "{backup:?}");
        let nowhere = write(program, &project, "ada", wanted(Results::Labels, Path::new(" ")));
        assert!(matches!(nowhere, Written::Failed(why) if why.contains("Type where")));
    }

    #[test]
    fn what_is_left_out_is_said_before_it_is_written() {
        let says = |text: &str| rows(&serde_json::from_str(text).unwrap());
        let left_out = |views, answers, events| {
            format!(
                "{{\"views\":{views},\"answers\":{answers},\"texts\":0,\"events\":{events},\"by_lead\":true}}"
            )
        };
        let json = |lines: usize, left_out: String| {
            says(&format!("{{\"lines\":{lines},\"without_prelabel\":0,\"left_out\":{left_out}}}"))
        };
        assert_eq!(json(0, left_out(0, 0, 0)), "No rows yet.");
        assert_eq!(json(1234, left_out(0, 0, 0)), "1,234 rows.");
        assert!(json(1, left_out(3, 1, 0)).ends_with("the model say of 3 texts."));
        assert!(json(1, left_out(0, 0, 9)).ends_with("only the lead gets it."));
    }
}
