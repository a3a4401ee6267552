//! `new`: an empty project with the person who makes it, and its task if there is one already.

use std::path::Path;

use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::split::SplitShares;
use crate::domain::task::Task;
use crate::store::{Access, FileSystem, NewProject, Store, file_system};

/// Makes the project file. Returns a warning if the file system is not a good place for it.
///
/// # Errors
/// The file exists, or its folder cannot be written.
pub fn create(path: &Path, task: Option<&Task>, seed: u64, expert: &str) -> Result<Option<String>> {
    begin(Store::create(path, NewProject { seed, shares: SplitShares::default() })?, path, task, expert)
}

/// Makes the project file with the texts of another and their vectors, and nothing else of it.
///
/// # Errors
/// Those of [`create`], or the other cannot be read.
pub fn create_like(
    other: &Path,
    path: &Path,
    task: Option<&Task>,
    seed: u64,
    expert: &str,
) -> Result<Option<String>> {
    Store::open(other, Access::Read)?.write_pool(path, seed)?;
    begin(Store::open(path, Access::Job)?, path, task, expert)
}

fn begin(mut store: Store, path: &Path, task: Option<&Task>, expert: &str) -> Result<Option<String>> {
    // The person who makes the project leads it, in every copy that is ever made, also one without a task yet.
    let (_, session) = store.begin_session(expert)?;
    if let Some(task) = task {
        store.set_task(task, session)?;
    }
    store.end_session(session, false)?;
    Ok(match file_system(path) {
        FileSystem::Local => None,
        FileSystem::Network(name) => Some(format!(
            "{} is on a network file system ({name}). That is slower, and safe only if its file locks work: better use a local disk",
            path.display()
        )),
    })
}

/// Makes a project whole or not at all: `make` makes and fills it in a folder of its own next to `path`, and it goes to `path` when all of
/// that has succeeded.
///
/// # Errors
/// Those of `make`, and of [`check_place`]. Then nothing is left.
pub fn create_whole(path: &Path, make: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    check_place(path)?;
    let attempted = format!("make the project {}", path.display());
    let failed = |e: std::io::Error| Fault::new(&attempted, io_reason(&e)).because(e);
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let folder = tempfile::Builder::new().prefix(".hardcase-new-").tempdir_in(parent).map_err(failed)?;
    let part = folder.path().join(path.file_name().unwrap_or_default());
    make(&part)?;
    // Takes nobody's place, whatever came to be there meanwhile.
    let whole = tempfile::TempPath::try_from_path(&part).map_err(failed)?;
    whole.persist_noclobber(path).map_err(|e| failed(e.error))?;
    if let Ok(parent) = std::fs::File::open(parent) {
        // The name is on disk now, too, where the file system can say so.
        let _ = parent.sync_all();
    }
    Ok(())
}

/// Fails if no project can be made at `path`, before anyone is asked about it.
///
/// # Errors
/// The file exists, or its folder cannot be written.
pub fn check_place(path: &Path) -> Result<()> {
    Store::check_place(path)
}

/// True if the file exists and is a project that opens.
pub fn is_project(path: &Path) -> bool {
    Store::open(path, Access::Read).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_project_is_made_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.hardcase");
        let made = |part: &Path| create(part, None, 1, "Grace").map(drop);
        let fails = |part: &Path| made(part).and(Err(Fault::new("import it", "it cannot be read")));
        let why = create_whole(&path, fails).unwrap_err().to_string();
        assert!(why.contains("it cannot be read"), "{why}");
        assert!(names(dir.path()).is_empty(), "{:?}", names(dir.path()));
        create_whole(&path, made).unwrap();
        assert_eq!(names(dir.path()), ["p.hardcase"]);
        assert_eq!(
            Store::open(&path, Access::Read).unwrap().leads().unwrap(),
            ["Grace"],
            "whoever makes it leads it"
        );
        assert!(create_whole(&path, made).unwrap_err().to_string().contains("exists already"));
    }
}
