//! New files are private to their owner: pool text and labels are nobody else's business until somebody decides so.

use std::path::Path;

use crate::domain::fault::{Fault, Result, io_reason};

/// Makes an empty file that only its owner may read.
pub(super) fn create_private(path: &Path, attempted: &str) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path).map(drop).map_err(|e| {
        let fault = Fault::new(attempted, io_reason(&e));
        match e.kind() {
            std::io::ErrorKind::AlreadyExists => {
                fault.hint("Choose another name, or add texts to it with `hardcase import`")
            }
            std::io::ErrorKind::NotFound => fault.hint("Make its folder first"),
            _ => fault,
        }
    })
}
