//! Labels of a project whose file was taken away while it was open, as a label log in a file of their own that only their owner may read.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::log::Log;
use crate::formats::write_log;

/// Writes a log without texts next to the project, unless its drive is gone and the folder with it, or else among this person's data, or where temporary files lie. Returns where.
///
/// # Errors
/// None of these can be written.
pub(super) fn write_rescue(project: &Path, log: &Log, drive_is_gone: bool) -> Result<PathBuf> {
    let name = project.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".hardcase").unwrap_or(&name);
    let data =
        directories::ProjectDirs::from("", "", "hardcase").map(|dirs| dirs.data_local_dir().join("rescued"));
    let folders = [(!drive_is_gone).then(|| project.with_file_name("")), data, Some(std::env::temp_dir())];
    let mut refused = None;
    for folder in folders.into_iter().flatten() {
        let folder = if folder.as_os_str().is_empty() { PathBuf::from(".") } else { folder };
        match write_in(&folder, stem, log) {
            Ok(path) => return Ok(path),
            Err(fault) => refused = refused.or(Some(fault)),
        }
    }
    Err(refused.unwrap_or_else(|| Fault::new("keep the labels", "no folder can be written")))
}

fn write_in(folder: &Path, stem: &str, log: &Log) -> Result<PathBuf> {
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H%M%SZ").to_string();
    // The folder of the project is not made again: it is gone for a reason.
    if folder.ends_with("rescued") {
        let _ = std::fs::create_dir_all(folder);
    }
    for n in 1..1_000 {
        let again = if n == 1 { String::new() } else { format!("-{n}") };
        let path = folder.join(format!("{stem}.{now}{again}.rescued.labels.jsonl"));
        let io =
            |e: std::io::Error| Fault::new(format!("write {}", path.display()), io_reason(&e)).because(e);
        let file = match private(&path) {
            Err(e) if e.kind() == std::io::ErrorKind::AlreadyExists => continue,
            file => file.map_err(io)?,
        };
        let mut out = BufWriter::new(file);
        let written = write_log(&mut out, log, None)
            .and_then(|_| out.flush().and_then(|()| out.get_ref().sync_all()).map_err(io));
        if let Err(fault) = written {
            let _ = std::fs::remove_file(&path);
            return Err(fault);
        }
        // So that its name survives a crash, where the file system can.
        let _ = File::open(folder).and_then(|folder| folder.sync_all());
        return Ok(path);
    }
    Err(Fault::new(
        format!("write to {}", folder.display()),
        "too many labels were rescued there this second",
    ))
}

fn private(path: &Path) -> std::io::Result<File> {
    let mut options = File::options();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}
