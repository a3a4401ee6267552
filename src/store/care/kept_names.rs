//! Names under which a project, or SQLite for it, keeps what it needs: nothing else is written there.

use std::path::Path;

use super::replacing::is_grown;
use crate::domain::fault::{Fault, Result};
use crate::store::db::header::is_database;

/// Files that SQLite keeps next to a project.
const SIDECARS: [&str; 3] = ["-wal", "-shm", "-journal"];
/// The folder of a project's backups.
const BACKUPS: &str = ".backups";

/// Whether a name is one of them.
pub fn belongs_to_project(path: &Path) -> bool {
    let folder = path.parent().and_then(Path::to_str).and_then(|folder| folder.strip_suffix(BACKUPS));
    is_kept_name(path) || folder.is_some_and(|project| is_database(Path::new(project)).unwrap_or(false))
}

fn is_kept_name(path: &Path) -> bool {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return false };
    let is_project =
        |stem: &str| stem.ends_with(".hardcase") || is_database(&path.with_file_name(stem)).unwrap_or(false);
    let is_sidecar = SIDECARS.iter().filter_map(|end| name.strip_suffix(end)).any(is_project);
    is_sidecar || is_grown(name).is_some_and(is_project)
}

/// Refuses such a name for a new file. A folder of backups may hold other files.
///
/// # Errors
/// It is one.
pub fn refuse_kept_name(path: &Path, attempted: &str) -> Result<()> {
    if is_kept_name(path) {
        return Err(Fault::usage(attempted, "a project keeps its own data there").hint("Choose another name"));
    }
    Ok(())
}
