//! Results that would take the place of what a project was made from.

use std::path::{Path, PathBuf};

use crate::domain::fault::{Fault, Result};
use crate::store::{Access, Store};

/// Refuses to write results over a file that texts were imported from: it may be the only copy.
///
/// # Errors
/// `out` is such a file, or `data`; or the project cannot be read.
pub fn refuse_source(project: &Path, out: &Path, data: Option<&Path>) -> Result<()> {
    let Ok(target) = out.canonicalize() else { return Ok(()) };
    if !target.is_file() {
        return Ok(());
    }
    let folder = project.canonicalize().ok().and_then(|project| project.parent().map(Path::to_owned));
    let sources = Store::open(project, Access::Read)?.sources()?;
    let is_target = |path: PathBuf| path.canonicalize().is_ok_and(|path| path == target);
    // A name is that of the command line which imported it, whatever folder that was in.
    let is_source = sources.iter().any(|source| {
        let beside = folder.iter().map(|folder| folder.join(&source.name));
        std::iter::once(PathBuf::from(&source.name)).chain(beside).any(is_target)
    });
    if is_source || data.is_some_and(|data| is_target(data.to_owned())) {
        return Err(Fault::usage(
            format!("write {}", out.display()),
            "texts of the project come from this file",
        )
        .hint("Choose another name, or add --force to replace it"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::split::SplitShares;
    use crate::store::NewProject;
    use crate::store::pool::sources::LoadOptions;
    use crate::store::pool::text_row::TextRow;

    #[test]
    fn the_file_that_texts_came_from_is_not_replaced_whatever_it_is_called_by() {
        let dir = tempfile::tempdir().unwrap();
        let path = |name: &str| dir.path().join(name);
        let new = NewProject { seed: 1, shares: SplitShares::default() };
        let mut store = Store::create(&path("x.hardcase"), new).unwrap();
        let mut load = store.begin_source("a.csv", "{}", LoadOptions::default()).unwrap();
        store.add_rows(&mut load, [TextRow::new(1, "one")]).unwrap();
        store.finish_source(load, 0, 0).unwrap();
        drop(store);
        for name in ["a.csv", "b.csv", "c.csv"] {
            std::fs::write(path(name), "text\n").unwrap();
        }
        std::os::unix::fs::symlink(path("a.csv"), path("link.csv")).unwrap();
        let refused = |out: &str, data: Option<&str>| {
            let data = data.map(path);
            refuse_source(&path("x.hardcase"), &path(out), data.as_deref())
                .err()
                .map(|fault| fault.to_string())
        };
        for out in ["a.csv", "./a.csv", "link.csv"] {
            let why = refused(out, None).unwrap_or_default();
            assert!(why.contains("--force"), "{out}: {why}");
        }
        assert_eq!(refused("b.csv", None), None);
        assert_eq!(refused("new.csv", None), None);
        assert!(refused("c.csv", Some("c.csv")).is_some(), "what is being scored");
    }
}
