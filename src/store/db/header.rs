//! The first hundred bytes of a file, read before SQLite touches it: is it ours, whole, and of a version that this program knows?
//!
//! Layout: "The Database Header" of the SQLite file format.

use std::path::Path;

use super::connected::read_head;
use super::seals::WAY_OUT;
use super::version::{FILE_VERSION, Marked, VERSIONS, read_mark};
use super::wal::sidecar;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::store::care::orphan_log::{PUT_TOGETHER, log_without_file};
use crate::store::care::replacing::is_unfinished;

/// `HCAS`: what `application_id` of every project is.
pub(in crate::store) const APPLICATION_ID: u32 = 0x4843_4153;

pub(in crate::store) const MAGIC: &[u8; 16] = b"SQLite format 3\0";

const CUT_SHORT: &str =
    "A restore or a repair was interrupted, and nothing is lost: `hardcase doctor FILE --repair` finishes it";

/// Reads and judges the header. Returns the number of the file's version.
///
/// # Errors
/// Not there, a directory, not a project, of a version that this program does not know, or cut short: each in one sentence. The file is only
/// read.
pub(in crate::store) fn inspect(path: &Path) -> Result<u32> {
    let attempted = format!("open the project {}", path.display());
    let io = |e: std::io::Error| Fault::new(&attempted, io_reason(&e));
    let meta = std::fs::metadata(path).map_err(|e| match log_without_file(path) {
        _ if is_unfinished(path) => io(e).hint(CUT_SHORT),
        Some(log) if e.kind() == std::io::ErrorKind::NotFound => {
            Fault::new(&attempted, format!("{}, but {log}", io_reason(&e))).hint(PUT_TOGETHER)
        }
        _ => io(e)
            .hint("Make a project with `hardcase new FILE --data DATA`, or `hardcase demo` to look around"),
    })?;
    if meta.is_dir() {
        return Err(Fault::usage(&attempted, "it is a directory").hint("Name the .hardcase file inside it"));
    }
    if !meta.is_file() {
        return Err(
            Fault::usage(&attempted, "it is a pipe or a device, and no file").hint("Name a .hardcase file")
        );
    }
    let head = read_head(path, 100).map_err(io)?;
    if head.is_empty() {
        return Err(Fault::new(&attempted, "the file is empty")
            .hint("If it was a project, go back to a backup; else delete it and use `hardcase new`"));
    }
    if head.len() < 100 || &head[..16] != MAGIC {
        return Err(Fault::usage(&attempted, "it is not a hardcase project")
            .hint("To label a file of texts, make a project from it: `hardcase new FILE --data DATA`"));
    }
    let be32 = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (application_id, mark) = (be32(68), be32(60));
    if application_id != APPLICATION_ID {
        return Err(Fault::usage(&attempted, "it is an SQLite database of another program")
            .hint("It was left as it is; name a .hardcase file"));
    }
    let damaged = |why: String| Fault::new(&attempted, why).hint(WAY_OUT);
    let version = match read_mark(mark, VERSIONS) {
        Marked::Known(number) => number,
        Marked::Unmarked => return Err(damaged("its header is damaged".into())),
        other => return Err(refuse_mark(other, &attempted)),
    };
    let page_size = match u32::from(u16::from_be_bytes([head[16], head[17]])) {
        1 => 65_536,
        n => n,
    };
    if page_size < 512 || !page_size.is_power_of_two() {
        return Err(damaged("its header is damaged".into()));
    }
    // The page count is only meaningful when it was written by the last change of the main file, and when no log or journal holds pages
    // that are on their way. In this order: a writer whose header was read is then either still at work, or its pages are all there.
    let expected = u64::from(be32(28)) * u64::from(page_size);
    let being_written = has_log(path) || has_journal(path);
    let there = std::fs::metadata(path).map_err(io)?.len();
    if be32(24) == be32(92) && there < expected && !being_written {
        return Err(damaged(format!("it is cut short: {there} of {expected} bytes are there")));
    }
    Ok(version)
}

/// Says why a file is not opened whose mark is not one of this program's.
pub(in crate::store) fn refuse_mark(mark: Marked, attempted: &str) -> Fault {
    match mark {
        Marked::Newer(number) => Fault::new(
            attempted,
            format!(
                "it was written by a newer hardcase (file version {number}; this program knows {FILE_VERSION})"
            ),
        )
        .hint("Update hardcase; the file was left as it is"),
        Marked::Unmarked | Marked::Known(_) | Marked::Development => Fault::new(
            attempted,
            "a development version of hardcase made it, in a file format that was never released",
        )
        .hint(
            "It was left as it is. Make the project again with `hardcase new`; to keep its labels, run `hardcase export` with the program that made it",
        ),
    }
}

/// Whether a file begins like an SQLite database, of any program. A pipe or a device does not, and nothing is read from it.
///
/// # Errors
/// There is no such file, it cannot be read, or it is a directory.
pub fn is_database(path: &Path) -> Result<bool> {
    let fault = |e: std::io::Error| {
        Fault::usage(format!("open {}", path.display()), io_reason(&e))
            .hint("Name a project or a file of texts")
    };
    let there = std::fs::metadata(path).map_err(fault)?;
    if !there.is_file() && !there.is_dir() {
        return Ok(false);
    }
    Ok(read_head(path, MAGIC.len() as u64).map_err(fault)? == MAGIC)
}

/// Whether the file has a write-ahead log with something in it.
pub(in crate::store) fn has_log(path: &Path) -> bool {
    has_content(path, "-wal")
}

/// Whether the file has a rollback journal with something in it: another process writes, or was killed while it wrote.
pub(in crate::store) fn has_journal(path: &Path) -> bool {
    has_content(path, "-journal")
}

fn has_content(path: &Path, suffix: &str) -> bool {
    std::fs::metadata(sidecar(path, suffix)).is_ok_and(|m| m.len() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_another_process_is_making_longer_is_not_called_cut_short() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.hardcase");
        std::fs::write(&path, header(APPLICATION_ID, VERSIONS[0].mark(1), 2)).unwrap();
        assert!(inspect(&path).unwrap_err().to_string().contains("cut short"));
        for sidecar_name in ["-journal", "-wal"] {
            let sidecar = sidecar(&path, sidecar_name);
            std::fs::write(&sidecar, "pages on their way").unwrap();
            assert_eq!(inspect(&path).map_err(|fault| fault.to_string()), Ok(1), "{sidecar_name}");
            std::fs::remove_file(&sidecar).unwrap();
        }
    }

    fn refusal(bytes: &[u8]) -> String {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.hardcase");
        std::fs::write(&path, bytes).unwrap();
        inspect(&path).err().map(|f| f.to_string()).unwrap_or_default()
    }

    fn header(application_id: u32, version: u32, pages: u32) -> Vec<u8> {
        let mut head = vec![0u8; 100];
        head[..16].copy_from_slice(MAGIC);
        head[16..18].copy_from_slice(&4096u16.to_be_bytes());
        head[28..32].copy_from_slice(&pages.to_be_bytes());
        head[60..64].copy_from_slice(&version.to_be_bytes());
        head[68..72].copy_from_slice(&application_id.to_be_bytes());
        head
    }

    #[test]
    fn foreign_newer_empty_and_cut_files_are_refused_by_name() {
        assert!(refusal(b"").contains("empty"));
        assert!(refusal(b"text,label\nhello,1\n").contains("not a hardcase project"));
        let mark = VERSIONS[0].mark(1);
        assert!(refusal(&header(7, mark, 0)).contains("another program"));
        assert!(refusal(&header(APPLICATION_ID, mark + 8, 0)).contains("newer hardcase"));
        assert!(refusal(&header(APPLICATION_ID, mark, 2)).contains("cut short"));
        assert!(refusal(&header(APPLICATION_ID, 0, 0)).contains("header is damaged"));
        for development in [1, 2, 3, 4] {
            let says = refusal(&header(APPLICATION_ID, development, 0));
            assert!(
                says.contains("a development version of hardcase made it") && says.contains("`hardcase new`"),
                "{says}"
            );
        }
        assert_eq!(refusal(&header(APPLICATION_ID, mark, 0)), "");
    }
}
