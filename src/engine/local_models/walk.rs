//! Looks through folders that other programs fill: in bounded time, whatever lies there and however links lead around.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use crate::domain::fault::io_reason;

/// Files and folders that are looked at below one place.
const MOST_ENTRIES: usize = 20_000;
/// Folders inside each other; the deepest store has five.
const DEEPEST: usize = 8;

/// What a walk found.
#[derive(Debug, Default)]
pub(super) struct Walked {
    /// Files, sorted within their folders.
    pub files: Vec<PathBuf>,
    /// What was not looked at, and why.
    pub remarks: Vec<String>,
}

/// All files below `root` whose name is wanted. `enters` is asked of each folder with its depth: 1 for those in `root`.
///
/// Links are followed, a folder is entered once, and only what is a file in the end is taken.
pub(super) fn walk(
    root: &Path,
    enters: impl Fn(usize, &str) -> bool,
    wanted: impl Fn(&str) -> bool,
) -> Walked {
    walk_within(root, MOST_ENTRIES, enters, wanted)
}

fn walk_within(
    root: &Path,
    most: usize,
    enters: impl Fn(usize, &str) -> bool,
    wanted: impl Fn(&str) -> bool,
) -> Walked {
    let (mut walked, mut seen, mut left) = (Walked::default(), HashSet::new(), most);
    let mut folders = vec![(0, root.to_owned())];
    while let Some((depth, folder)) = folders.pop() {
        // A link that leads back ends here.
        if !fs::canonicalize(&folder).is_ok_and(|real| seen.insert(real)) {
            continue;
        }
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) => {
                walked.remarks.push(format!("{} cannot be read: {}", folder.display(), io_reason(&error)));
                continue;
            }
        };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).take(left + 1).collect();
        let too_many = paths.len() > left;
        paths.truncate(left);
        left -= paths.len();
        paths.sort();
        let mut inner = Vec::new();
        for path in paths {
            let Some(name) = path.file_name().map(|name| name.to_string_lossy().into_owned()) else {
                continue;
            };
            match fs::metadata(&path) {
                Ok(about) if about.is_dir() && depth < DEEPEST && enters(depth + 1, &name) => {
                    inner.push((depth + 1, path));
                }
                Ok(about) if about.is_file() && wanted(&name) => walked.files.push(path),
                // What a link promises and is not there, devices and pipes.
                _ => {}
            }
        }
        if too_many {
            walked
                .remarks
                .push(format!("{} holds more than {most} files: not all were looked at", root.display()));
            return walked;
        }
        folders.extend(inner.into_iter().rev());
    }
    walked
}

/// Whether a file is a model by its name.
pub(super) fn is_gguf_name(name: &str) -> bool {
    name.len() > 5 && name.get(name.len() - 5..).is_some_and(|end| end.eq_ignore_ascii_case(".gguf"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_in_gguf_in_any_case() {
        assert!(is_gguf_name("a.gguf") && is_gguf_name("a.GGUF"));
        assert!(!is_gguf_name(".gguf") && !is_gguf_name("a.gguf.part") && !is_gguf_name("é"));
    }

    #[test]
    fn a_tree_with_too_many_files_is_left_with_a_remark() {
        let dir = tempfile::tempdir().unwrap();
        for i in 0..20 {
            fs::write(dir.path().join(format!("{i}.gguf")), "").unwrap();
        }
        let walked = walk_within(dir.path(), 10, |_, _| true, is_gguf_name);
        assert_eq!((walked.files.len(), walked.remarks.len()), (10, 1));
        assert!(walked.remarks[0].contains("more than 10 files"), "{:?}", walked.remarks);
    }

    #[cfg(unix)]
    #[test]
    fn links_that_lead_around_end_and_links_to_files_are_followed() {
        use std::os::unix::fs::symlink;
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("models");
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(dir.path().join("blob"), "").unwrap();
        symlink(&root, root.join("a/b/around")).unwrap();
        symlink(root.join("a"), root.join("other")).unwrap();
        symlink(root.join("self"), root.join("self")).unwrap();
        symlink(dir.path().join("nowhere"), root.join("gone.gguf")).unwrap();
        symlink(dir.path().join("blob"), root.join("a/b/linked.gguf")).unwrap();
        let walked = walk(&root, |_, _| true, is_gguf_name);
        assert_eq!(walked.files, [root.join("a/b/linked.gguf")]);
        assert_eq!(walked.remarks, Vec::<String>::new());
    }
}
