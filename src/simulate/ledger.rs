//! A cache of finished runs on disk, so that a stopped simulation can be continued with the same command.
//!
//! One line of JSON per run, appended when the run is finished. A line that was cut off is ignored.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::domain::fault::{Fault, Result, io_reason};

pub fn stopped() -> Fault {
    Fault::new("finish the simulation", "it was stopped")
        .hint("Finished runs are kept. Run the same command again to continue")
}

/// Finished runs by their key.
pub struct Ledger<T> {
    file: File,
    done: HashMap<String, T>,
}

#[derive(Serialize, Deserialize)]
struct Line<T> {
    key: String,
    run: T,
}

impl<T: Serialize + DeserializeOwned + Clone> Ledger<T> {
    /// Opens the ledger in the directory `dir`, creating both if necessary. The directory is private, because vectors of texts lie in it, too.
    ///
    /// # Errors
    /// A directory that cannot be created, read or written.
    pub fn open(dir: &Path) -> Result<Self> {
        let failed = |e: std::io::Error| {
            Fault::new(format!("keep finished runs in {}", dir.display()), io_reason(&e))
                .hint("Set XDG_CACHE_HOME to use another directory")
                .because(e)
        };
        create_private(dir).map_err(failed)?;
        let path = dir.join("runs.jsonl");
        let mut file = OpenOptions::new().create(true).append(true).read(true).open(&path).map_err(failed)?;
        let mut done = HashMap::new();
        let mut whole = true;
        for line in BufReader::new(&file).split(b'\n') {
            let line = line.map_err(failed)?;
            match serde_json::from_slice::<Line<T>>(&line) {
                Ok(line) => whole = done.insert(line.key, line.run).is_none() || whole,
                Err(_) => whole = line.is_empty(),
            }
        }
        if !whole {
            // The next line must not be appended to one that was cut off.
            file.write_all(b"\n").map_err(failed)?;
        }
        Ok(Self { file, done })
    }

    pub fn get(&self, key: &str) -> Option<&T> {
        self.done.get(key)
    }

    /// # Errors
    /// A full disk.
    pub fn put(&mut self, key: String, run: T) -> Result<()> {
        let failed = |why: String| {
            Fault::new("keep a finished run", why).hint("Set XDG_CACHE_HOME to use another directory")
        };
        let line = Line { key, run };
        let mut text = serde_json::to_vec(&line).map_err(|e| failed(e.to_string()))?;
        text.push(b'\n');
        self.file.write_all(&text).map_err(|e| failed(io_reason(&e)))?;
        self.done.insert(line.key, line.run);
        Ok(())
    }
}

/// A directory that only its owner may enter, also where an earlier version made it.
fn create_private(dir: &Path) -> std::io::Result<()> {
    fs::create_dir_all(dir)?;
    #[cfg(unix)]
    fs::set_permissions(dir, std::os::unix::fs::PermissionsExt::from_mode(0o700))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finished_runs_are_found_again_and_a_line_cut_short_is_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        #[cfg(unix)]
        fs::set_permissions(dir.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let mut ledger = Ledger::open(dir.path()).unwrap();
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(dir.path()).unwrap().permissions()) & 0o777,
            0o700
        );
        ledger.put("a".into(), 1).unwrap();
        ledger.put("b".into(), 2).unwrap();
        drop(ledger);
        let path = dir.path().join("runs.jsonl");
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 3]).unwrap();
        let mut ledger: Ledger<i32> = Ledger::open(dir.path()).unwrap();
        assert_eq!((ledger.get("a"), ledger.get("b")), (Some(&1), None));
        ledger.put("c".into(), 3).unwrap();
        drop(ledger);
        let ledger: Ledger<i32> = Ledger::open(dir.path()).unwrap();
        assert_eq!((ledger.get("a"), ledger.get("c")), (Some(&1), Some(&3)));
    }
}
