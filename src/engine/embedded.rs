//! The model that travels in the binary: unpacked once to a file of F32 weights, and checked each time it is used.
//!
//! The check compares every byte of the file with what the binary's model unpacks to, so no hash has to be trusted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use super::gguf::{GgufError, unpack_f32};
use crate::domain::fault::{Fault, Result, io_reason};

/// The path of the F32 form of the model in `bytes`, a GGUF file, unpacked into the directory `dir` where it is not
/// there already or is damaged.
///
/// The file appears whole or not at all, also when two processes do this at once.
///
/// # Errors
/// Where the directory cannot be made or written, with the space that is needed.
pub fn unpack(bytes: &[u8], dir: &Path) -> Result<PathBuf> {
    let hash = blake3::hash(bytes).to_hex();
    let path = dir.join(format!("embedded-f32-{}.gguf", &hash[..16]));
    if is_intact(bytes, &path) {
        return Ok(path);
    }
    install(bytes, dir, &path).map_err(|error| {
        let (why, hint) = match &error {
            GgufError::Io(e) => {
                (io_reason(e), "It needs 100 MB in a directory that can be written; XDG_CACHE_HOME names another")
            }
            other => (other.to_string(), "The program itself is damaged: install it again"),
        };
        Fault::new(format!("unpack the embedded model into {}", dir.display()), why).hint(hint).because(error)
    })?;
    Ok(path)
}

fn install(bytes: &[u8], dir: &Path, path: &Path) -> Result<(), GgufError> {
    fs::create_dir_all(dir)?;
    // One process unpacks, the others wait and find the file. A file system without locks gets a temporary name of
    // its own for each process instead; with locks the name is fixed, so that a killed process leaves one file at most.
    let lock = OpenOptions::new().create(true).append(true).open(path.with_extension("lock"))?;
    let part = match lock.lock() {
        Ok(()) => path.with_extension("part"),
        Err(_) => path.with_extension(format!("{}.part", std::process::id())),
    };
    if is_intact(bytes, path) {
        return Ok(());
    }
    let written = write_whole(bytes, &part).and_then(|()| Ok(fs::rename(&part, path)?));
    if written.is_err() {
        // A half-written file may be what fills the disk. That removing it fails too changes nothing for the caller.
        let _ = fs::remove_file(&part);
    }
    written?;
    sync_dir(dir);
    Ok(())
}

fn write_whole(bytes: &[u8], part: &Path) -> Result<(), GgufError> {
    let mut file = File::create(part)?;
    unpack_f32(&mut Cursor::new(bytes), &mut file)?;
    Ok(file.sync_all()?)
}

/// Makes the rename last. Not every system can, and a file lost with the power is unpacked again.
fn sync_dir(dir: &Path) {
    if let Ok(dir) = File::open(dir) {
        let _ = dir.sync_all();
    }
}

fn is_intact(bytes: &[u8], path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut expected = Comparison { file: BufReader::with_capacity(1 << 20, file), read: Vec::new() };
    unpack_f32(&mut Cursor::new(bytes), &mut expected).is_ok() && expected.at_end()
}

/// A writer that writes nothing and fails at the first byte that is not in the file already.
struct Comparison {
    file: BufReader<File>,
    read: Vec<u8>,
}

impl Comparison {
    fn at_end(&mut self) -> bool {
        matches!(self.file.read(&mut [0]), Ok(0))
    }
}

impl Write for Comparison {
    fn write(&mut self, expected: &[u8]) -> io::Result<usize> {
        self.read.resize(expected.len(), 0);
        self.file.read_exact(&mut self.read)?;
        if self.read == expected { Ok(expected.len()) } else { Err(io::ErrorKind::InvalidData.into()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
