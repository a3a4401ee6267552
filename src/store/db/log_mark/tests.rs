//! A log is told from that of another file, at every moment of a project's life.

use super::*;
use crate::domain::split::SplitShares;
use crate::store::db::wal::{Commits, commits};
use crate::store::{Access, NewProject, Store};

fn copy(from: &Path, to: &Path, ends: &[&str]) {
    for end in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(sidecar(to, end));
    }
    for end in ends {
        std::fs::copy(sidecar(from, end), sidecar(to, end)).unwrap();
    }
}

#[test]
fn the_mark_is_on_the_second_page_and_a_log_is_told_from_that_of_an_older_file() {
    let dir = tempfile::tempdir().unwrap();
    let (path, old, other) = (dir.path().join("p"), dir.path().join("old"), dir.path().join("other"));
    let mut store = Store::create(&path, NewProject { seed: 1, shares: SplitShares::default() }).unwrap();
    let root: u32 = store
        .conn
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'log_mark'", (), |r| r.get(0))
        .unwrap();
    assert_eq!(root, PAGE_OF_MARK);
    store.begin_session("ada").unwrap();
    drop(store);
    assert!(mark_of_file(&path).is_some());
    copy(&path, &old, &[""]);

    // Labelled a little, checkpointed in part and wholly, written on, and killed at each of these moments.
    let mut store = Store::open(&path, Access::Session).unwrap();
    store.begin_session("bob").unwrap();
    assert_ne!(mark_of_file(&path), None);
    copy(&path, &other, &["", "-wal"]);
    assert_eq!(owner(&other), Owner::This, "killed");
    for mode in ["PASSIVE", "TRUNCATE"] {
        store.conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), (), |_| Ok(())).unwrap();
        copy(&path, &other, &["", "-wal"]);
        assert_eq!(owner(&other), Owner::This, "after a checkpoint");
    }
    assert_ne!(mark_of_file(&path), mark_of_file(&old));
    store.begin_session("carol").unwrap();
    store.begin_session("dora").unwrap();
    copy(&path, &other, &["", "-wal"]);
    assert_eq!(owner(&other), Owner::This, "a log that was begun anew");

    // The older file in its place.
    copy(&old, &other, &[""]);
    std::fs::copy(sidecar(&path, "-wal"), sidecar(&other, "-wal")).unwrap();
    assert_eq!(owner(&other), Owner::Another);
    let before = (std::fs::read(&other).unwrap(), std::fs::read(sidecar(&other, "-wal")).unwrap());
    for access in [Access::Read, Access::Session, Access::Job] {
        let refused = Store::open(&other, access).err().map(|fault| fault.to_string()).unwrap_or_default();
        assert!(refused.contains("belongs to another file"), "{refused}");
    }
    assert!(before == (std::fs::read(&other).unwrap(), std::fs::read(sidecar(&other, "-wal")).unwrap()));

    // Damage is not taken for another file.
    let mut bytes = std::fs::read(&other).unwrap();
    bytes[PAGE..2 * PAGE].iter_mut().for_each(|byte| *byte ^= 1);
    std::fs::write(&other, bytes).unwrap();
    assert_eq!(owner(&other), Owner::Unknown);
    copy(&old, &other, &[""]);
    let mut log = std::fs::read(sidecar(&path, "-wal")).unwrap();
    log[LOG_HEADER + FRAME_HEADER + 100] ^= 1;
    std::fs::write(sidecar(&other, "-wal"), log).unwrap();
    assert_ne!(commits(&other), Commits::default());
    assert_eq!(owner(&other), Owner::Unknown);
}
