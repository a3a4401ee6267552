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
        let mut out = BufWriter::new(UntilClosed { out: io::stdout().lock(), closed: false });
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

/// Standard output that whoever reads it may close early, as `head` does: what follows is dropped without complaint.
struct UntilClosed<W> {
    out: W,
    closed: bool,
}

impl<W: Write> Write for UntilClosed<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.closed {
            return Ok(bytes.len());
        }
        match self.out.write(bytes) {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {
                self.closed = true;
                Ok(bytes.len())
            }
            other => other,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.out.flush() {
            Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _bytes: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn a_reader_who_leaves_early_is_no_failure() {
        let mut out = UntilClosed { out: Closed, closed: false };
        assert!(out.write_all(b"a line\n").and_then(|()| out.flush()).is_ok());
        assert!(out.write_all(b"more\n").is_ok());
    }

    #[test]
    fn a_file_appears_whole_or_not_at_all() {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("out.csv");
        let failed = write_to(Some(&target), |out| {
            out.write_all(b"half").map_err(|e| output_fault("x", &e))?;
            Err(Fault::new("write the rest", "it is a test"))
        });
        assert!(failed.is_err());
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        write_to(Some(&target), |out| out.write_all(b"whole").map_err(|e| output_fault("x", &e))).unwrap();
        assert_eq!(std::fs::read(&target).unwrap(), b"whole");
    }
}
