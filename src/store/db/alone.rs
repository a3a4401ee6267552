//! Projects of which a person has said that nobody else has them open, where the file system would not say so.
//!
//! Asked once: the path is remembered in a file of its own next to the settings.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

struct Said {
    /// Whether it was said of the project that this process opens.
    now: bool,
    /// The file that lists the paths of which it was said before, one on each line.
    remembered_in: Option<PathBuf>,
}

static SAID: Mutex<Said> = Mutex::new(Said { now: false, remembered_in: None });

/// Takes what a person says on the command line, and where earlier answers are kept.
pub fn say_alone(now: bool, remembered_in: Option<PathBuf>) {
    *SAID.lock().unwrap_or_else(PoisonError::into_inner) = Said { now, remembered_in };
}

/// Whether a person said that nobody else has this project open, now or before. What is said now is remembered.
pub(in crate::store) fn is_alone(project: &Path) -> bool {
    let said = SAID.lock().unwrap_or_else(PoisonError::into_inner);
    let path = project.canonicalize().unwrap_or_else(|_| project.to_owned());
    let line = path.to_string_lossy().replace('\n', "\\n");
    let list = said.remembered_in.as_deref();
    let known = list.and_then(|list| std::fs::read_to_string(list).ok()).unwrap_or_default();
    if known.lines().any(|known| known == line) {
        return true;
    }
    if let (true, Some(list)) = (said.now, list) {
        // Where it cannot be remembered, it is asked again.
        let _ = list.parent().map(std::fs::create_dir_all);
        let file = std::fs::File::options().append(true).create(true).open(list);
        let _ = file.and_then(|mut file| writeln!(file, "{line}"));
    }
    said.now
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_said_once_is_remembered_for_that_path_alone() {
        let dir = tempfile::tempdir().unwrap();
        let (project, list) = (dir.path().join("p.hardcase"), dir.path().join("new").join("alone"));
        std::fs::write(&project, "").unwrap();
        let say = |now| say_alone(now, Some(list.clone()));
        say(false);
        assert!(!is_alone(&project));
        say(true);
        assert!(is_alone(&project));
        say(false);
        assert!(is_alone(&project) && !is_alone(&dir.path().join("q.hardcase")));
        say_alone(false, None);
    }
}
