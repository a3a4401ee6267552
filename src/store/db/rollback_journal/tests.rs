//! A journal is told from that of another file, at every moment of a write.

use std::path::PathBuf;

use rusqlite::{Transaction, TransactionBehavior};

use super::*;
use crate::domain::split::SplitShares;
use crate::store::db::log_mark::renew;
use crate::store::db::seals::SESSIONS;
use crate::store::{Access, NewProject, Store};

/// A project that people open from other machines, too, so that it is written through a journal.
fn project(path: &Path) -> Store {
    let mut store = Store::create(path, NewProject { seed: 1, shares: SplitShares::default() }).unwrap();
    store.begin_session("ada").unwrap();
    let elsewhere = format!(
        "UPDATE session SET host = 'elsewhere';
         UPDATE seal SET hash = (SELECT seal_of({}) FROM session WHERE id = row) WHERE of = 'session';
         PRAGMA journal_mode = DELETE",
        SESSIONS.columns
    );
    store.conn.execute_batch(&elsewhere).unwrap();
    drop(store);
    let store = Store::open(path, Access::Session).unwrap();
    assert_eq!(store.journal_mode().unwrap(), "delete");
    store
}

fn copy(from: &Path, to: &Path, ends: &[&str]) {
    for end in ["", "-journal"] {
        let _ = std::fs::remove_file(sidecar(to, end));
    }
    for end in ends {
        std::fs::copy(sidecar(from, end), sidecar(to, end)).unwrap();
    }
}

/// What a write leaves that is killed in its middle: before anything is in the file, with the mark made, and with some pages in it.
fn killed_writes(store: &mut Store, at: &Path) -> Vec<PathBuf> {
    let path = store.path.clone();
    let mut left = Vec::new();
    let mut keep = |name: &str| {
        let to = at.join(name);
        copy(&path, &to, &["", "-journal"]);
        left.push(to);
    };
    // The journal with all that is in it once it is on disk: a small cache has it written in the middle of a write.
    store.conn.execute_batch("PRAGMA cache_size = 5").unwrap();
    let tx = Transaction::new(&mut store.conn, TransactionBehavior::Immediate).unwrap();
    tx.execute("UPDATE session SET ended_ms = NULL", ()).unwrap();
    keep("begun");
    renew(&tx, &path).unwrap();
    keep("marked");
    for item in 0..300 {
        let id = format!("{item}{}", "x".repeat(3_000));
        tx.execute("INSERT INTO root_page VALUES (?1, 1)", [id]).unwrap();
    }
    keep("spilled");
    tx.commit().unwrap();
    // Killed when all of it was in the file, and the journal was not yet removed. This one is not whole, so nothing may play it.
    copy(&path, &at.join("committed"), &[""]);
    std::fs::copy(sidecar(&left[2], "-journal"), sidecar(&at.join("committed"), "-journal")).unwrap();
    store
        .conn
        .execute_batch("DELETE FROM root_page WHERE name LIKE '%xxx'; PRAGMA cache_size = -65536")
        .unwrap();
    left
}

#[test]
fn a_journal_is_told_from_that_of_any_other_state_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let (path, before, older, other, foreign) = (
        dir.path().join("p"),
        dir.path().join("before"),
        dir.path().join("older"),
        dir.path().join("other"),
        dir.path().join("foreign"),
    );
    let mut store = project(&path);
    copy(&path, &older, &[""]);
    store.begin_session("bob").unwrap();
    store.begin_session("carol").unwrap();
    copy(&path, &before, &[""]);
    let left = killed_writes(&mut store, dir.path());
    drop(store);
    drop(project(&foreign));

    // Copies that went another way since: one write further, and some more.
    let [one_further, further] = ["one", "further"].map(|name| dir.path().join(name));
    copy(&before, &one_further, &[""]);
    let mut twin = Store::open(&one_further, Access::Session).unwrap();
    twin.begin_session("dan").unwrap();
    drop(twin);
    copy(&one_further, &further, &[""]);
    Store::open(&further, Access::Session).unwrap().begin_session("eve").unwrap();

    assert_eq!(owner(&dir.path().join("committed")), Owner::This);
    for killed in &left {
        let name = killed.file_name().unwrap().to_string_lossy().into_owned();
        assert_eq!(owner(killed), Owner::This, "{name}");
        copy(&before, &other, &[""]);
        std::fs::copy(sidecar(killed, "-journal"), sidecar(&other, "-journal")).unwrap();
        assert_eq!(owner(&other), Owner::This, "{name}, before anything was written");
        // A journal that was not yet on disk undoes nothing; at most it would cut off what is longer.
        if name == "spilled" {
            for file in [&one_further, &further, &older, &foreign] {
                std::fs::copy(file, &other).unwrap();
                assert_eq!(owner(&other), Owner::Another, "{name} next to {file:?}");
                let bytes = std::fs::read(&other).unwrap();
                let refused = Store::open(&other, Access::Session).err().map(|fault| fault.to_string());
                assert!(refused.unwrap_or_default().contains("belongs to another file"), "{name}");
                assert!(std::fs::read(&other).unwrap() == bytes && sidecar(&other, "-journal").exists());
            }
        }
        // What is its own is undone by the next opening.
        let store = Store::open(killed, Access::Read).unwrap();
        assert_eq!(store.experts().unwrap().len(), 3, "{name}");
        assert_eq!(
            store.conn.query_row("SELECT count(*) FROM root_page WHERE name LIKE '%xxx'", (), |r| r.get(0)),
            Ok(0),
            "{name}"
        );
        // One that holds nothing stays until the next write.
        let is_played = name == "spilled";
        assert!(!is_played || !sidecar(killed, "-journal").exists(), "{name}");
    }
}

#[test]
fn what_cannot_be_told_is_refused_and_what_sqlite_does_not_play_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("p");
    let mut store = project(&path);
    let spilled = killed_writes(&mut store, dir.path()).remove(2);
    drop(store);
    let mut bytes = std::fs::read(&spilled).unwrap();
    bytes[PAGE..2 * PAGE].iter_mut().for_each(|byte| *byte ^= 1);
    std::fs::write(&spilled, bytes).unwrap();
    assert_eq!(owner(&spilled), Owner::Unknown);
    assert!(foreign(&spilled).unwrap().contains("it cannot be told whether"));
    for journal in [&b""[..], &[0; 4_096], b"no journal at all, but as long as the header of one"] {
        std::fs::write(sidecar(&path, "-journal"), journal).unwrap();
        assert_eq!(owner(&path), Owner::This);
        drop(Store::open(&path, Access::Session).unwrap());
    }
}

/// What others do with the file while it is open here, through no lock of it.
#[test]
fn a_file_that_another_was_copied_over_is_noticed_before_anything_more_is_called_saved() {
    let dir = tempfile::tempdir().unwrap();
    let (path, older, twin) = (dir.path().join("p"), dir.path().join("older"), dir.path().join("twin"));
    drop(project(&path));
    for again in 0..4 {
        // A copy from before the session, one from within it, and one with as many writes, which SQLite takes for the same file.
        copy(&path, &older, &[""]);
        let mut store = Store::open(&path, Access::Session).unwrap();
        let mut other = Store::open(&path, Access::Session).unwrap();
        store.begin_session("bob").unwrap();
        other.begin_session("carol").unwrap();
        if again == 1 {
            copy(&path, &older, &[""]);
        }
        copy(&path, &twin, &[""]);
        store.begin_session("bob").unwrap();
        store.check_still_there("go on").unwrap();
        let source = match again {
            0 | 1 => &older,
            _ => {
                Store::open(&twin, Access::Session).unwrap().begin_session("dan").unwrap();
                &twin
            }
        };
        std::fs::copy(source, &path).unwrap();
        let bytes = std::fs::read(&path).unwrap();
        // By the next look, or by the next write.
        let looked = if again == 3 { store.check_still_there("go on") } else { Ok(()) };
        let refused = looked.and_then(|()| store.begin_session("bob")).err();
        if again == 3 {
            assert!(store.check_still_there("go on").is_err(), "the look itself tells it");
        }
        assert!(refused.as_ref().is_some_and(Fault::is_displaced), "{again}: {refused:?}");
        drop(store);
        assert!(std::fs::read(&path).unwrap() == bytes, "{again}: nothing was written into it");
        drop(other);
        let damage = Store::open(&path, Access::Read).unwrap().integrity_check().unwrap();
        assert!(damage.is_empty(), "{damage:?}");
    }
}
