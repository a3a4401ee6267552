//! The draft of a project between two sittings: a file of the person's own, next to the settings.

use std::fs::{DirBuilder, File};
use std::io::{Read, Write};
use std::path::Path;

use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::project_draft::ProjectDraft;
use crate::store::Store;

/// The most bytes of a draft that are read.
const LONGEST: u64 = 8 << 20;

/// Why no project can be made at this place.
pub fn place_fault(project: &Path) -> Option<String> {
    Store::check_place(project).err().map(|fault| fault.to_string())
}

/// The draft that was kept; none if there is none, or none that can be read.
pub fn load(place: &Path) -> Option<ProjectDraft> {
    let mut text = String::new();
    File::open(place).ok()?.take(LONGEST).read_to_string(&mut text).ok()?;
    serde_json::from_str(&text).ok()
}

/// Keeps a draft. Nobody else may read it: it may quote the texts.
///
/// # Errors
/// The file cannot be written; the draft that was there stays.
pub fn keep(place: &Path, draft: &ProjectDraft) -> Result<()> {
    let failed = |e: std::io::Error| {
        Fault::new(format!("keep your answers in {}", place.display()), io_reason(&e)).because(e)
    };
    let folder = place.parent().unwrap_or(Path::new("."));
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder).map_err(failed)?;
    // Temporary files are for their owner alone, and so is what they become.
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(failed)?;
    let text = serde_json::to_vec(draft).map_err(|e| failed(e.into()))?;
    file.write_all(&text).map_err(failed)?;
    file.persist(place).map_err(|e| failed(e.error))?;
    Ok(())
}

/// Forgets a draft that became a project.
pub fn forget(place: &Path) {
    let _ = std::fs::remove_file(place);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_draft_is_read_back_and_is_for_its_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("drafts").join("a.json");
        assert_eq!(load(&place), None);
        let mut draft = ProjectDraft { expert: "Grace".into(), ..ProjectDraft::default() };
        keep(&place, &draft).unwrap();
        draft.task.insert_label(0, "spam");
        keep(&place, &draft).unwrap();
        assert_eq!(load(&place), Some(draft));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&place), mode(place.parent().unwrap())), (0o600, 0o700));
        }
        std::fs::write(&place, "{\"expert\": 3}").unwrap();
        assert_eq!(load(&place), None);
        forget(&place);
        assert!(!place.exists());
    }
}
