//! New files are private to their owner: texts and labels are shared only when somebody decides so.

use std::path::Path;

use crate::domain::fault::{Fault, Result, io_reason};

/// Fails as [`create_private`] would, without making anything.
///
/// # Errors
/// Something has that name, or its folder is not there or cannot be written.
pub(in crate::store) fn check_place(path: &Path, attempted: &str) -> Result<()> {
    if path.symlink_metadata().is_ok() {
        return Err(refused(std::io::ErrorKind::AlreadyExists.into(), attempted));
    }
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    if !folder.is_dir() {
        let why = format!("there is no folder {}", folder.display());
        return Err(Fault::new(attempted, why).hint("Make it first, or choose another"));
    }
    rustix::fs::access(folder, rustix::fs::Access::WRITE_OK | rustix::fs::Access::EXEC_OK)
        .map_err(|e| refused(e.into(), attempted))
}

/// Makes an empty file that only its owner may read.
pub(in crate::store) fn create_private(path: &Path, attempted: &str) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|e| refused(e, attempted))
}

fn refused(error: std::io::Error, attempted: &str) -> Fault {
    let fault = Fault::new(attempted, io_reason(&error));
    match error.kind() {
        std::io::ErrorKind::AlreadyExists => {
            fault.hint("Choose another name, or add texts to it with `hardcase import`")
        }
        std::io::ErrorKind::NotFound => fault.hint("Make its folder first"),
        std::io::ErrorKind::PermissionDenied => fault.hint("Choose a folder that you may write"),
        _ => fault,
    }
}
