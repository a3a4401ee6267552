//! The model that travels in the binary: unpacked once to a file of F32 weights, and checked each time it is used.
//!
//! The check compares every byte of the file with what the binary's model unpacks to, so no hash has to be trusted.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Cursor, Read, Write};
use std::path::{Path, PathBuf};

use super::gguf::{GgufError, unpack_f32};
use crate::domain::fault::{Fault, Result, io_reason};

/// Codes of the languages that the model's vocabulary was kept for (`assets/model/convert_e5.py`), if its file does not say so itself
/// (`general.languages`).
pub const LANGUAGES: &[&str] = &[
    "ar", "bg", "cs", "da", "de", "el", "en", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja",
    "ko", "nb", "nl", "pl", "pt", "ro", "ru", "sv", "th", "tr", "uk", "vi", "zh",
];

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
            GgufError::Io(e) => (
                io_reason(e),
                "It needs 100 MB in a directory that can be written; XDG_DATA_HOME names another",
            ),
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

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;
    use crate::domain::skip::skip;
    use crate::engine::gguf::{TensorType, Value, encode_header};

    fn model() -> Vec<u8> {
        let metadata = vec![("general.architecture".into(), Value::text("bert"))];
        let (mut bytes, _) = encode_header(metadata, [("w".into(), vec![64], TensorType::Q8_0)]).unwrap();
        bytes.extend([1; 68]);
        bytes
    }

    fn names(dir: &Path) -> Vec<String> {
        let mut names: Vec<_> = fs::read_dir(dir)
            .unwrap()
            .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn the_model_is_unpacked_once_and_found_again() {
        let dir = tempfile::tempdir().unwrap();
        let path = unpack(&model(), &dir.path().join("deeper")).unwrap();
        let written = fs::metadata(&path).unwrap().modified().unwrap();
        assert_eq!(unpack(&model(), &dir.path().join("deeper")).unwrap(), path);
        assert_eq!(fs::metadata(&path).unwrap().modified().unwrap(), written);
        assert!(names(path.parent().unwrap()).iter().all(|name| !name.ends_with("part")));
    }

    #[test]
    fn a_damaged_shortened_or_lengthened_file_is_repaired() {
        let dir = tempfile::tempdir().unwrap();
        let path = unpack(&model(), dir.path()).unwrap();
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() - 5] ^= 1;
        let longer = [&whole[..], b"x"].concat();
        for damaged in [&flipped[..], &whole[..whole.len() - 1], &longer, b""] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(unpack(&model(), dir.path()).unwrap(), path);
            assert_eq!(fs::read(&path).unwrap(), whole);
        }
    }

    #[test]
    fn many_at_once_all_get_a_whole_file() {
        let dir = tempfile::tempdir().unwrap();
        let expected = {
            let mut out = Vec::new();
            unpack_f32(&mut Cursor::new(model()), &mut out).unwrap();
            out
        };
        thread::scope(|scope| {
            for _ in 0..8 {
                scope
                    .spawn(|| assert_eq!(fs::read(unpack(&model(), dir.path()).unwrap()).unwrap(), expected));
            }
        });
        assert!(names(dir.path()).iter().all(|name| !name.ends_with("part")), "{:?}", names(dir.path()));
    }

    #[test]
    fn a_directory_that_cannot_be_made_is_said_in_one_sentence() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        let said = unpack(&model(), &file.join("models")).unwrap_err().to_string();
        assert!(said.contains("cannot unpack the embedded model into"), "{said}");
        assert!(said.contains("XDG_DATA_HOME"), "{said}");
    }

    #[test]
    fn a_full_disk_is_said_and_leaves_nothing_behind() {
        // Every write to /dev/full fails as on a full disk.
        if !Path::new("/dev/full").exists() {
            return skip("this system has no /dev/full");
        }
        let dir = tempfile::tempdir().unwrap();
        let path = unpack(&model(), dir.path()).unwrap();
        fs::remove_file(&path).unwrap();
        std::os::unix::fs::symlink("/dev/full", path.with_extension("part")).unwrap();
        let said = unpack(&model(), dir.path()).unwrap_err().to_string();
        assert!(said.contains("the disk is full"), "{said}");
        assert!(!path.exists() && !path.with_extension("part").is_symlink());
    }
}
