//! Where results go: standard output, or a file that appears complete or not at all.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;

pub use super::whole_file::remove_growing;
use super::whole_file::{Place, Rights, WholeFile, place_of};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::sanitize::sanitize;

/// Writes a text into a file that appears complete or not at all.
///
/// # Errors
/// A place that cannot be written, or one where a project lies.
pub fn write_text(target: &Path, text: &str) -> Result<()> {
    write_to(Some(target), |out| {
        out.write_all(text.as_bytes()).map_err(|e| output_fault(&target.display().to_string(), &e))
    })
}

/// Runs `write` into `target`, or into standard output where there is none. A device or a pipe is written to directly.
pub(crate) fn write_to(
    target: Option<&Path>,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
) -> Result<()> {
    let Some(target) = target else {
        let stdout = io::stdout();
        let end = End::of(&stdout);
        return write_on(UntilClosed { out: stdout, closed: false }, end, "standard output", write);
    };
    let name = target.display().to_string();
    let target = match place_of(target)? {
        Place::File(path) => path,
        Place::Stream(device) => {
            let end = End::of(&device);
            return write_on(UntilClosed { out: device, closed: false }, end, &name, write);
        }
    };
    write_file(&target, Rights::Usual, write)
}

/// Whether what [`write_to`] writes there appears complete or not at all, rather than as it is written.
///
/// # Errors
/// A place where a project lies.
pub(crate) fn appears_whole(target: Option<&Path>) -> Result<bool> {
    Ok(matches!(target.map(place_of).transpose()?, Some(Place::File(_))))
}

/// Runs `write` into a file that the program keeps for a project, where [`write_to`] lets no person's output go. It is private, or has the rights of
/// what it replaces.
pub(crate) fn write_own(
    target: &Path,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
) -> Result<()> {
    write_file(target, Rights::Private, write)
}

fn write_file(
    target: &Path,
    rights: Rights,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
) -> Result<()> {
    let failed = |e: &io::Error| output_fault(&target.display().to_string(), e);
    let mut whole = WholeFile::begin(target, rights).map_err(|e| failed(&e))?;
    let mut out = BufWriter::new(whole.file());
    write(&mut out)?;
    out.into_inner().map_err(|e| failed(e.error()))?;
    whole.finish().map_err(|e| failed(&e))
}

/// What is at the other end of an output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum End {
    Terminal,
    /// A file, a pipe or another device.
    Bytes,
}

impl End {
    fn of(out: &impl IsTerminal) -> Self {
        if out.is_terminal() { Self::Terminal } else { Self::Bytes }
    }
}

/// Writes the bytes as they are, or sanitized if a terminal shows them.
fn write_on(
    out: impl Write + Send,
    end: End,
    name: &str,
    write: impl FnOnce(&mut (dyn Write + Send)) -> Result<()>,
) -> Result<()> {
    let flushed = if end == End::Terminal {
        let mut out = Sanitized { out, line: Vec::new() };
        write(&mut out)?;
        out.finish()
    } else {
        let mut out = BufWriter::new(out);
        write(&mut out)?;
        out.flush()
    };
    flushed.map_err(|e| output_fault(name, &e))
}

/// A terminal: each line is sanitized on its way.
struct Sanitized<W> {
    out: W,
    /// The line so far.
    line: Vec<u8>,
}

impl<W: Write> Sanitized<W> {
    fn finish(mut self) -> io::Result<()> {
        let rest = std::mem::take(&mut self.line);
        self.out.write_all(sanitize(&String::from_utf8_lossy(&rest)).as_bytes())?;
        self.out.flush()
    }
}

impl<W: Write> Write for Sanitized<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for piece in bytes.split_inclusive(|b| *b == b'\n') {
            self.line.extend_from_slice(piece);
            if piece.ends_with(b"\n") {
                self.out.write_all(sanitize(&String::from_utf8_lossy(&self.line)).as_bytes())?;
                self.line.clear();
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

/// An output whose reader may close it early, as `head` does: what follows is dropped silently.
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
pub(crate) fn output_fault(name: &str, error: &io::Error) -> Fault {
    Fault::new(format!("write {name}"), io_reason(error))
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
    fn a_terminal_gets_sanitized_text_and_a_file_the_bytes() {
        let row = "{\"text\":\"a\u{9b}2J\u{202e}é\"}\nthe rest \u{1b}";
        let written = |end: End| {
            let mut out = Vec::new();
            write_on(&mut out, end, "x", |out| {
                // In pieces that end inside a character.
                row.as_bytes().chunks(3).try_for_each(|c| out.write_all(c)).map_err(|e| output_fault("x", &e))
            })
            .unwrap();
            String::from_utf8(out).unwrap()
        };
        assert_eq!(written(End::Bytes), row);
        assert_eq!(written(End::Terminal), "{\"text\":\"a\u{fffd}2J\u{fffd}é\"}\nthe rest \u{fffd}");
    }

    #[test]
    fn a_reader_who_closes_the_pipe_early_is_not_an_error() {
        let mut out = UntilClosed { out: Closed, closed: false };
        assert!(out.write_all(b"a line\n").and_then(|()| out.flush()).is_ok());
        assert!(out.write_all(b"more\n").is_ok());
    }

    #[test]
    fn a_file_appears_complete_or_not_at_all() {
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

    #[test]
    fn a_backup_of_the_labels_is_written_where_no_output_of_a_person_may_go() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("p.hardcase");
        std::fs::write(&project, b"SQLite format 3\0and more").unwrap();
        let folder = dir.path().join("p.hardcase.backups");
        std::fs::create_dir(&folder).unwrap();
        let log = folder.join("p.labels.jsonl");
        let all = |out: &mut (dyn Write + Send)| out.write_all(b"x").map_err(|e| output_fault("x", &e));
        assert!(write_to(Some(&log), all).unwrap_err().to_string().contains("a project keeps its own data"));
        write_own(&log, all).unwrap();
        assert_eq!(std::fs::read(&log).unwrap(), b"x");
    }

    #[cfg(unix)]
    #[test]
    fn pipes_and_links_are_written_to_and_stay() {
        use std::os::unix::fs::FileTypeExt;
        let dir = tempfile::tempdir().unwrap();
        let pipe = dir.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let read = {
            let pipe = pipe.clone();
            std::thread::spawn(move || std::fs::read(pipe).unwrap())
        };
        write_to(Some(&pipe), |out| out.write_all(b"whole").map_err(|e| output_fault("x", &e))).unwrap();
        assert_eq!(read.join().unwrap(), b"whole");
        assert!(std::fs::metadata(&pipe).unwrap().file_type().is_fifo());

        // `>(command)` of a shell, and /dev/stdout.
        #[cfg(target_os = "linux")]
        {
            use std::io::Read;
            use std::os::fd::AsRawFd;
            let (mut reading, writing) = io::pipe().unwrap();
            let own = std::path::PathBuf::from(format!("/proc/self/fd/{}", writing.as_raw_fd()));
            write_to(Some(&own), |out| out.write_all(b"whole").map_err(|e| output_fault("x", &e))).unwrap();
            drop(writing);
            let mut came = Vec::new();
            reading.read_to_end(&mut came).unwrap();
            assert_eq!(came, b"whole");
        }

        let (file, link) = (dir.path().join("out.csv"), dir.path().join("link"));
        std::fs::write(&file, "old").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        write_to(Some(&link), |out| out.write_all(b"new").map_err(|e| output_fault("x", &e))).unwrap();
        assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(std::fs::read(&file).unwrap(), b"new");
    }
}
