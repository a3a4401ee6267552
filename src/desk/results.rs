//! Results written without a command line: a child process with the verb that a person would type, into a new file next to the project.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::domain::fault::io_reason;

/// What can be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Results {
    /// Every answer.
    Labels,
    /// One label for each text.
    Final,
    /// What the model says of each text.
    Predictions,
    /// The report.
    Report,
    /// A copy of the project.
    Backup,
}

impl Results {
    pub const ALL: [Self; 5] = [Self::Final, Self::Labels, Self::Predictions, Self::Report, Self::Backup];

    /// What it is, for people who label.
    pub fn says(self) -> &'static str {
        match self {
            Self::Final => "one label for each text (table for a spreadsheet, CSV)",
            Self::Labels => "every answer, with who gave it and when (CSV)",
            Self::Predictions => "what the model says of each text (CSV)",
            Self::Report => "the report: task, people, agreement, how good the labels are",
            Self::Backup => "a backup of the project",
        }
    }

    /// The key that chooses it.
    pub fn key(self) -> char {
        match self {
            Self::Final => '1',
            Self::Labels => '2',
            Self::Predictions => '3',
            Self::Report => '4',
            Self::Backup => '5',
        }
    }

    /// The arguments a person would type, without the project and the file, and how the file's name ends; a backup has a name of its own.
    fn verb(self) -> (&'static [&'static str], Option<&'static str>) {
        match self {
            Self::Final => (&["export", "--what", "final"], Some("final.csv")),
            Self::Labels => (&["export", "--what", "labels"], Some("labels.csv")),
            Self::Predictions => (&["export", "--what", "predictions"], Some("predictions.csv")),
            Self::Report => (&["report"], Some("report.md")),
            Self::Backup => (&["backup"], None),
        }
    }
}

/// Writes results and waits for it. What to say: that they were written and where, or why not.
pub(super) fn write(
    program: &Path,
    project: &Path,
    expert: &str,
    results: Results,
) -> Result<String, String> {
    let (verb, ends) = results.verb();
    let mut command = Command::new(program);
    command.args(verb).arg(project).args(["--progress", "none", "--as"]).arg(expert).stdin(Stdio::null());
    let out = ends.map(|ends| free_name(project, ends));
    if let Some(out) = &out {
        command.arg("--out").arg(out);
    }
    // In a process group of its own, so that signals from the terminal, hang-ups included, do not reach it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut command, 0);
    let ended = command.output().map_err(|e| format!("cannot write the results: {}", io_reason(&e)))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().replace('\n', " ");
    let (said, complaint) = (text(&ended.stdout), text(&ended.stderr));
    if !ended.status.success() {
        return Err(complaint.trim_start_matches("hardcase: ").to_owned());
    }
    let written = match &out {
        Some(out) if said.is_empty() => format!("Written to {}", out.display()),
        Some(out) => format!("{said} to {}", out.display()),
        None => said,
    };
    Ok(if complaint.is_empty() { written } else { format!("{written}. {complaint}") })
}

/// A name next to the project that nothing has yet: `pool.labels.csv`, `pool.labels-2.csv`, …
fn free_name(project: &Path, ends: &str) -> PathBuf {
    let stem = project.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    let (what, extension) = ends.split_once('.').unwrap_or((ends, ""));
    let name = |n: u64| match n {
        1 => project.with_file_name(format!("{stem}.{what}.{extension}")),
        n => project.with_file_name(format!("{stem}.{what}-{n}.{extension}")),
    };
    // A folder has fewer names than there are numbers.
    (1..)
        .map(name)
        .find(|path| path.symlink_metadata().is_err())
        .unwrap_or_else(|| project.with_extension(ends))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_never_replace_a_file_and_each_has_a_key_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("spam.v2.hardcase");
        for name in ["spam.v2.labels.csv", "spam.v2.labels-2.csv", "spam.v2.labels-3.csv"] {
            let free = free_name(&project, "labels.csv");
            assert_eq!(free, dir.path().join(name));
            std::fs::write(free, "").unwrap();
        }
        let keys: std::collections::BTreeSet<char> = Results::ALL.into_iter().map(Results::key).collect();
        assert_eq!(keys.len(), Results::ALL.len());
    }
}
