//! The key of a judge's server, where a server repeated it and an earlier hardcase kept that: finds it in the project and its backups, and
//! removes it from the project.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::diagnostic::{Finding, State};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::grouped::counted;
use crate::domain::secret::{Secret, VARIABLE, likely_key};
use crate::store::care::backups::Backups;
use crate::store::care::job_words::JobWords;
use crate::store::sync::merge::StoredCopy;
use crate::store::{Access, Store, sidecar};

/// Bytes of a file that are searched at a time.
const PIECE: usize = 1 << 20;

/// Words of one message that are taken for keys.
const MOST_KEYS: usize = 100;

/// What was removed, and where the key still is.
#[derive(Clone, Debug, Serialize)]
pub struct KeyReport {
    /// Records of jobs that held it.
    pub jobs: usize,
    /// Backups that hold it: they are left as they are.
    pub backups: Vec<PathBuf>,
    /// Whether it is in the project elsewhere, too.
    pub elsewhere: bool,
}

impl std::fmt::Display for KeyReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.jobs {
            0 => f.write_str("No job's record holds a key.")?,
            n => write!(f, "Removed the key from the records of {}.", counted(n, "job", "jobs"))?,
        }
        if self.elsewhere {
            f.write_str(" It is in the project elsewhere, too, as in a text or the name of a model: export what you need and begin a new project.")?;
        }
        if !self.backups.is_empty() {
            write!(f, " Delete these backups, which hold it: {}.", named(&self.backups))?;
        }
        if self.jobs > 0 || self.elsewhere || !self.backups.is_empty() {
            f.write_str(" Anyone who had the file may have the key: get another one from the server.")?;
        }
        Ok(())
    }
}

/// A key in a project, as a finding. None where there is no sign of one.
pub(crate) fn key_in(store: &Store, project: &Path) -> Result<Option<Finding>> {
    let key = known();
    let jobs = store.job_words()?.into_iter().filter(|job| without_key(job, key.as_ref()).is_some()).count();
    let copies = Backups::of(project).list().into_iter().map(|backup| backup.path);
    let backups: Vec<PathBuf> = copies.filter(|copy| in_jobs_of(copy, key.as_ref())).collect();
    if jobs == 0 && backups.is_empty() {
        return Ok(None);
    }
    let also = match backups.is_empty() {
        true => String::new(),
        false => format!(" and in these backups, which you delete yourself: {}", named(&backups)),
    };
    let says = format!(
        "what looks like the key of a judge's server is in {}{also}. `hardcase doctor {} --remove-key` removes it from the project (put the key \
         into {VARIABLE} to have every place searched). Get another key from the server",
        counted(jobs, "job's record", "jobs' records"),
        project.display()
    );
    Ok(Some(Finding::new("key", State::Wrong, says)))
}

/// Removes a key of a judge's server from what jobs left in the project.
///
/// # Errors
/// The project cannot be opened or written.
pub fn remove_key(project: &Path) -> Result<KeyReport> {
    let attempted = format!("remove the key from {}", project.display());
    let key = known();
    let mut store = Store::open(project, Access::Job).map_err(|f| f.while_trying(&attempted))?;
    let words = store.job_words()?.into_iter();
    let cleaned: Vec<JobWords> = words.filter_map(|job| without_key(&job, key.as_ref())).collect();
    if !cleaned.is_empty() {
        store.replace_job_words(&cleaned)?;
    }
    drop(store);
    let holds = |path: &Path| {
        let failed = |e: std::io::Error| Fault::new(&attempted, io_reason(&e)).because(e);
        if path.exists() { holds(path, key.as_ref()).map_err(failed) } else { Ok(false) }
    };
    let elsewhere = holds(project)? || holds(&sidecar(project, "-wal"))?;
    Ok(KeyReport { jobs: cleaned.len(), backups: backups_with(project, key.as_ref()), elsewhere })
}

/// The key that judges are sent now.
fn known() -> Option<Secret> {
    std::env::var(VARIABLE).ok().as_deref().and_then(Secret::of)
}

/// What a job's record says without the key. None where no key is in it.
fn without_key(job: &JobWords, key: Option<&Secret>) -> Option<JobWords> {
    let without = |text: &str| {
        let mut text = match key {
            Some(key) if key.is_in(text) => key.taken_out(text),
            _ => text.to_owned(),
        };
        for _ in 0..MOST_KEYS {
            let Some(found) = likely_key(&text).map(str::to_owned) else { break };
            text = text.replace(&found, "[key]");
        }
        text
    };
    let cleaned = JobWords {
        run: job.run,
        arguments: without(&job.arguments),
        progress: job.progress.as_deref().map(without),
        message: job.message.as_deref().map(without),
    };
    (cleaned != *job).then_some(cleaned)
}

/// The backups in which the key is. One that cannot be read is passed over: it is named elsewhere.
fn backups_with(project: &Path, key: Option<&Secret>) -> Vec<PathBuf> {
    let all = Backups::of(project).list().into_iter().map(|backup| backup.path);
    all.filter(|path| holds(path, key).unwrap_or(false) || in_jobs_of(path, key)).collect()
}

/// Whether the record of a job in a copy of a project holds a key.
fn in_jobs_of(copy: &Path, key: Option<&Secret>) -> bool {
    // Opened as a project, it would be changed: a backup keeps its bytes.
    let words = StoredCopy::open(copy, copy).and_then(|copy| copy.store.job_words());
    words.is_ok_and(|all| all.iter().any(|job| without_key(job, key).is_some()))
}

/// Whether the bytes of a file hold the key.
fn holds(path: &Path, key: Option<&Secret>) -> std::io::Result<bool> {
    let needles = key.map(Secret::needles).unwrap_or_default();
    let Some(longest) = needles.iter().map(Vec::len).max() else { return Ok(false) };
    let mut file = File::open(path)?;
    let mut window = Vec::new();
    loop {
        let read = file.by_ref().take(PIECE as u64).read_to_end(&mut window)?;
        let is_in = |needle: &Vec<u8>| window.windows(needle.len()).any(|part| part == needle);
        if needles.iter().any(is_in) {
            return Ok(true);
        }
        if read == 0 {
            return Ok(false);
        }
        window.drain(..window.len().saturating_sub(longest));
    }
}

fn named(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_found_in_a_file_wherever_it_lies() {
        let dir = tempfile::tempdir().unwrap();
        let (path, key) = (dir.path().join("file"), "a-secret-key-7Q2X");
        let secret = Secret::of(key);
        for before in [0, 5, PIECE - 3, 2 * PIECE - 16, 2 * PIECE - 17] {
            std::fs::write(&path, [&vec![b'-'; before], key.as_bytes(), b"behind"].concat()).unwrap();
            assert!(holds(&path, secret.as_ref()).unwrap(), "{before}");
        }
        std::fs::write(&path, [&vec![b'-'; PIECE], &key.as_bytes()[1..]].concat()).unwrap();
        assert!(!holds(&path, secret.as_ref()).unwrap());
        assert!(!holds(&path, None).unwrap());
    }
}
