//! The moment in which a project's place is empty: the old file is put aside, and the new one not yet in its place.

use std::path::{Path, PathBuf};

use crate::store::db::wal::sidecar;

/// Where the file that is to take a project's place is written.
pub(in crate::store) fn successor_of(project: &Path) -> PathBuf {
    let name = project.file_name().unwrap_or_default().to_string_lossy();
    project.with_file_name(format!(".{name}.successor"))
}

/// Whether a kill came in that moment: the new file lies next to the place, whole.
pub(in crate::store) fn is_unfinished(project: &Path) -> bool {
    let successor = successor_of(project);
    project.symlink_metadata().is_err() && successor.is_file() && !sidecar(&successor, "-wal").exists()
}
