//! The write-ahead log of a project, read without SQLite: whether all that was committed in it can be read.
//!
//! SQLite takes a log to end at the first frame that does not fit its checksum, which is right for a write that was cut short, and passes
//! over whatever was committed after a damaged frame without a word. Layout: "The Write-Ahead Log" of the SQLite file format.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::{Path, PathBuf};

use super::seals::WAY_OUT;
use crate::domain::fault::{Fault, Result};

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;

/// What a log holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Commits {
    /// Commits that SQLite reads.
    pub whole: usize,
    /// Commits behind a frame that does not fit: SQLite passes over them.
    pub cut_off: usize,
}

impl Commits {
    /// Whether commits are lost for sure: one alone may be a write that was cut short.
    pub fn are_damaged(self) -> bool {
        self.cut_off > 1
    }
}

/// A file that SQLite keeps next to a database: `-wal`, `-shm`, `-journal`.
pub fn sidecar(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    PathBuf::from(name)
}

/// Refuses a project whose log is damaged, before anything reads it and shortens it to what it can read. A project that has a `-shm` file
/// is in use, or was just now: its log is not looked at.
pub(in crate::store) fn refuse_damaged(path: &Path, attempted: &str) -> Result<()> {
    if sidecar(path, "-shm").exists() {
        return Ok(());
    }
    let found = commits(path);
    if !found.are_damaged() {
        return Ok(());
    }
    let why = format!(
        "its log (the -wal file next to it) is damaged: the last {} changes in it cannot be read",
        found.cut_off
    );
    Err(Fault::new(attempted, why).hint(WAY_OUT))
}

/// The commits of a project's log; none where there is no log. One that others write to is read until two readings agree.
pub fn commits(path: &Path) -> Commits {
    commits_in(&sidecar(path, "-wal"))
}

/// The commits of a log.
pub(in crate::store) fn commits_in(log: &Path) -> Commits {
    let mut found = read(log);
    for _ in 0..5 {
        if !found.are_damaged() {
            break;
        }
        let second = read(log);
        if second == found {
            break;
        }
        found = second;
    }
    found
}

/// A log that cannot be read counts as none: opening the project says why.
fn read(log: &Path) -> Commits {
    File::open(log).and_then(|file| count(BufReader::with_capacity(1 << 18, file))).unwrap_or_default()
}

fn count(mut log: impl Read) -> std::io::Result<Commits> {
    let mut found = Commits::default();
    let mut header = [0; HEADER];
    if !fill(&mut log, &mut header)? {
        return Ok(found);
    }
    let big_ends_first = header[3] & 1 == 1;
    let mut sum = checksum(big_ends_first, &header[..24], (0, 0));
    let mut fits = be32(&header, 0) & !1 == 0x377F_0682 && sum == (be32(&header, 24), be32(&header, 28));
    // Where the header itself is gone, the frames still say which log they are of.
    let mut salts = fits.then(|| (be32(&header, 16), be32(&header, 20)));
    let page = match be32(&header, 8) {
        size @ 512..=65_536 if size.is_power_of_two() => size as usize,
        _ => 4_096,
    };
    let mut frame = vec![0; FRAME_HEADER + page];
    while fill(&mut log, &mut frame)? {
        let own = (be32(&frame, 8), be32(&frame, 12));
        if own != *salts.get_or_insert(own) || own == (0, 0) {
            // Left from before the log was restarted, or never written.
            fits = false;
            continue;
        }
        if fits {
            sum =
                checksum(big_ends_first, &frame[FRAME_HEADER..], checksum(big_ends_first, &frame[..8], sum));
            fits = sum == (be32(&frame, 16), be32(&frame, 20));
        }
        let commits = be32(&frame, 4) != 0;
        found.whole += usize::from(commits && fits);
        found.cut_off += usize::from(commits && !fits);
    }
    Ok(found)
}

/// False where the log ends before `buffer` is full.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match log.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(e) => Err(e),
    }
}

fn be32(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// "The Checksum Algorithm" of the format; `bytes` are a multiple of eight.
fn checksum(big_ends_first: bool, bytes: &[u8], (mut one, mut two): (u32, u32)) -> (u32, u32) {
    let word = |b: [u8; 4]| if big_ends_first { u32::from_be_bytes(b) } else { u32::from_le_bytes(b) };
    for b in bytes.as_chunks::<8>().0 {
        one = one.wrapping_add(word([b[0], b[1], b[2], b[3]])).wrapping_add(two);
        two = two.wrapping_add(word([b[4], b[5], b[6], b[7]])).wrapping_add(one);
    }
    (one, two)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The log of a database with five commits, each of which writes a page or two.
    fn log() -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x");
        let conn = rusqlite::Connection::open(&path).unwrap();
        conn.query_row("PRAGMA journal_mode = WAL", (), |_| Ok(())).unwrap();
        conn.execute_batch("CREATE TABLE a (x)").unwrap();
        for n in 0..4 {
            conn.execute("INSERT INTO a VALUES (?1)", [n]).unwrap();
        }
        std::fs::read(sidecar(&path, "-wal")).unwrap()
    }

    fn found(log: &[u8]) -> (usize, usize) {
        let found = count(log).unwrap();
        (found.whole, found.cut_off)
    }

    #[test]
    fn commits_behind_a_damaged_frame_are_counted() {
        let whole = log();
        assert_eq!(found(&whole).1, 0);
        let all = found(&whole).0;
        assert!(all >= 5);
        for (at, what) in [(8, "its header"), (HEADER + 30, "a page"), (HEADER + 1, "a frame's header")] {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            let (read, cut_off) = found(&damaged);
            assert!(read == 0 && cut_off >= all - 1, "{what}: {read} and {cut_off} of {all}");
        }
        let mut zeroed = whole.clone();
        zeroed[..HEADER].fill(0);
        assert_eq!(found(&zeroed), (0, all));
        // A last write that was cut short is none.
        assert_eq!(found(&whole[..whole.len() - 7]), (all - 1, 0));
        let mut torn = whole.clone();
        let last = torn.len() - 9;
        torn[last] ^= 1;
        assert_eq!(found(&torn), (all - 1, 1));
        assert!(!count(torn.as_slice()).unwrap().are_damaged());
        assert_eq!(found(&[]), (0, 0));
        assert_eq!(found(&vec![0; 10_000]), (0, 0));
    }
}
