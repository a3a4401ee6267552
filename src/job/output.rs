//! Where results go: standard output, or a file that appears whole or not at all.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::domain::fault::{Fault, Result, io_reason};

/// Runs `write` into `target`, or into standard output where there is none.
pub(super) fn write_to(
    target: Option<&Path>,
    write: impl FnOnce(&mut dyn Write) -> Result<()>,
) -> Result<()> {
    let Some(target) = target else {
        let mut out = BufWriter::new(io::stdout().lock());
        write(&mut out)?;
        return out.flush().map_err(|e| output_fault("standard output", &e));
    };
    let partial = partial_name(target);
    let name = target.display().to_string();
    let result = File::create(&partial).map_err(|e| output_fault(&name, &e)).and_then(|file| {
        let mut out = BufWriter::new(file);
        write(&mut out)?;
        let file = out.into_inner().map_err(|e| output_fault(&name, e.error()))?;
        file.sync_all().map_err(|e| output_fault(&name, &e))?;
        std::fs::rename(&partial, target).map_err(|e| output_fault(&name, &e))
    });
    if result.is_err() {
        let _ = std::fs::remove_file(&partial);
    }
    result
}

/// A failed write as a sentence.
pub(super) fn output_fault(name: &str, error: &io::Error) -> Fault {
    Fault::new(format!("write {name}"), io_reason(error))
}

fn partial_name(target: &Path) -> PathBuf {
    let mut name = target.as_os_str().to_owned();
    name.push(".partial");
    PathBuf::from(name)
}
