//! `hardcase FILE`: opens a project. Given a file of texts, it offers to start one with them.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::import::Importing;
use super::label::workstation;
use super::new::offer;
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::job::preview::{FileKind, kind_of};

/// The hidden name of this verb.
pub(super) const VERB: &str = "open";
/// Global options that take a value, which is then not the file.
const WITH_VALUE: [&str; 3] = ["--progress", "--seed", "--as"];

#[derive(clap::Args)]
#[command(override_usage = "hardcase [OPTIONS] <FILE>")]
pub(super) struct Open {
    /// A project, or a file of texts to start one with
    file: PathBuf,
    #[command(flatten)]
    importing: Importing,
}

impl Open {
    pub fn run(self, setting: &Setting) -> Result<()> {
        match kind_of(&self.file)? {
            FileKind::Data => offer(setting, self.file, self.importing),
            FileKind::Project => workstation(setting, &self.file),
        }
    }
}

/// The command line with this verb inserted before `word`, which the parser took for an unknown verb. `None` if it is not a file.
pub(super) fn with_verb(arguments: &[OsString], word: &str) -> Option<Vec<OsString>> {
    let path = Path::new(word);
    // A dot or a slash tells the name of a missing file from a mistyped verb.
    if !path.exists() && !word.contains(['.', '/']) {
        return None;
    }
    let mut at = 1;
    while arguments.get(at)?.to_string_lossy() != word {
        at += if WITH_VALUE.iter().any(|option| arguments[at] == OsStr::new(option)) { 2 } else { 1 };
    }
    let mut with = arguments.to_vec();
    with.insert(at, VERB.into());
    Some(with)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn a_file_may_stand_where_a_verb_does() {
        let with = |line: &str, word: &str| with_verb(&words(line), word);
        assert_eq!(with("hardcase a.csv --text b", "a.csv"), Some(words("hardcase open a.csv --text b")));
        assert_eq!(with("hardcase --as a.csv a.csv", "a.csv"), Some(words("hardcase --as a.csv open a.csv")));
        assert_eq!(with("hardcase staus pool.hardcase", "staus"), None, "a mistyped verb stays one");
    }
}
