//! Bytes that are gone, and what stays.

use super::*;
use crate::domain::split::SplitShares;
use crate::store::pool::sources::LoadOptions;
use crate::store::pool::text_row::TextRow;
use crate::store::{Access, NewProject, sidecar};

const TEXT: &str = "Jane Roe of 5 Elm Street owes nine pounds";
const OTHER: &str = "another text that stays";

fn import(store: &mut Store, name: &str, texts: &[&str]) -> (i64, i64) {
    let mut load = store.begin_source(name, "{}", LoadOptions::default()).unwrap();
    let rows = (1..)
        .zip(texts)
        .map(|(n, text)| TextRow::new(n, *text).with_id("roe-7").with_meta("{\"who\":\"Roe, J.\"}"));
    store.add_rows(&mut load, rows).unwrap();
    let loaded = store.finish_source(load, 0, 0).unwrap();
    (loaded.rows, loaded.forgotten)
}

/// A project with two texts; the first has an answer with a note and is an example of the task.
fn project(dir: &std::path::Path) -> Store {
    let mut store =
        Store::create(&dir.join("p"), NewProject { seed: 1, shares: SplitShares::default() }).unwrap();
    import(&mut store, "a.csv", &[TEXT, OTHER]);
    let toml = format!("[[label]]\nname = \"a\"\nexamples = [\"{TEXT}\"]\n");
    store
        .write("make a project to test with", |tx| {
            tx.execute("INSERT INTO expert (uuid, name, created_ms) VALUES (zeroblob(16), 'ana', 0)", ())?;
            tx.execute(
                "INSERT INTO session (uuid, expert, login, uid, host, process, program, started_ms)
                 VALUES (zeroblob(16), 1, '', 0, '', '', '', 0)",
                (),
            )?;
            tx.execute(
                "INSERT INTO task_revision (uuid, number, generation, toml, session, created_ms)
                 VALUES (zeroblob(16), 1, 1, ?1, 1, 0)",
                [toml],
            )?;
            for (item, note) in [(1, "her address is in it"), (2, "see also: Jane Roe of 5 Elm Street owes nine")] {
                tx.execute(
                    "INSERT INTO label_event (uuid, lamport, session, seq, expert, item, action, answer, note, revision, revealed, at_ms)
                     VALUES (randomblob(16), ?1, 1, ?1, 1, ?1, 'set', '[\"a\"]', ?2, 1, 0, 0)",
                    (item, note),
                )?;
            }
            tx.execute("INSERT INTO draft (expert, item, text) VALUES (1, 1, 'begun: her house')", ())?;
            tx.execute(
                "INSERT INTO run (uuid, kind, arguments, host, process, program, started_ms, heartbeat_ms, message)
                 VALUES (zeroblob(16), 'scout', '', '', '', '', 0, 0, 'too long: Jane Roe of 5 Elm Street owes nine pounds')",
                (),
            )?;
            for sealed in crate::store::db::seals::ALL {
                crate::store::db::seals::seal_new(tx, "main", sealed)?;
            }
            Ok(())
        })
        .unwrap();
    store
}

#[test]
fn no_byte_of_a_removed_text_or_of_what_was_said_of_it_is_left_in_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = project(dir.path());
    let path = store.path().to_owned();
    let bytes = || {
        let log = std::fs::read(sidecar(&path, "-wal")).unwrap_or_default();
        let all = [std::fs::read(&path).unwrap(), log].concat();
        move |part: &str| all.windows(part.len()).any(|w| w == part.as_bytes())
    };
    let parts = ["Jane Roe", "Elm Street", "her address", "her house", "roe-7"];
    store.conn.execute_batch("PRAGMA wal_checkpoint").unwrap();
    let before = bytes();
    assert_eq!(parts.map(before), [true; 5]);
    let schema = crate::store::db::version::schema_hash(&store.conn).unwrap();
    store.forget(&[ItemId(1), ItemId(2)]).unwrap();
    let after = bytes();
    assert_eq!(parts.map(after), [false; 5]);
    assert_eq!(crate::store::db::version::schema_hash(&store.conn).unwrap(), schema, "the triggers are back");
    assert!(!store.is_wipe_owed().unwrap());
    let refused = store.conn.execute("UPDATE label_event SET note = 'x'", ());
    assert!(refused.unwrap_err().to_string().contains("append-only"));
    drop(store);
    let store = Store::open(&path, Access::Read).unwrap();
    assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
    store.check_all_rows("test").unwrap();
    store.check_labels("test").unwrap();
}

#[test]
fn the_label_stays_in_the_log_counts_nowhere_and_no_import_brings_the_text_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = project(dir.path());
    store.forget(&[ItemId(1)]).unwrap();
    let log = store.log().unwrap();
    let kept = log.events.iter().find(|e| e.item == ItemKey::of(TEXT)).unwrap();
    assert_eq!((kept.label(), kept.note.as_deref(), kept.expert.as_str()), (Some("a"), None, "ana"));
    assert_eq!(log.forgotten.len(), 1);
    assert!(!log.revisions[0].toml.contains("Roe"));
    let other = log.events.iter().find(|e| e.item == ItemKey::of(OTHER)).unwrap();
    assert_eq!(other.note, None, "it quoted the text");
    assert_eq!(store.count("SELECT count(*) FROM upheld_event", (), "read").unwrap(), 1);
    assert_eq!(store.item(ItemId(1)).unwrap().unwrap().text, FORGOTTEN);
    assert_eq!(store.texts(&[ItemId(1), ItemId(2)]).unwrap(), [(ItemId(2), OTHER.to_owned())]);
    assert_eq!((store.item_count().unwrap(), store.row_count().unwrap()), (1, 1));
    assert_eq!(import(&mut store, "a.csv", &[TEXT, OTHER, "a third"]), (1, 1));
    assert_eq!(import(&mut store, "b.csv", &[TEXT]), (0, 1));
    assert_eq!(store.item_count().unwrap(), 2);
    // The second time nothing is left to do.
    store.forget(&[ItemId(1)]).unwrap();
    assert_eq!(store.held_of(&[ItemId(1)]).unwrap(), HeldOfTexts { events: 1, ..HeldOfTexts::default() });
    assert!(store.held_of(&[ItemId(77)]).is_err());
}

#[test]
fn what_a_kill_left_of_the_bytes_goes_the_next_time() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = project(dir.path());
    store
        .write("test", |tx| {
            tx.execute("INSERT INTO forgotten (item, at_ms, wiped) VALUES (1, 5, 0)", ())?;
            blank(tx)
        })
        .unwrap();
    assert!(store.is_wipe_owed().unwrap());
    let path = store.path().to_owned();
    drop(store);
    let mut store = Store::open(&path, Access::Job).unwrap();
    store.forget(&[]).unwrap();
    assert!(!store.is_wipe_owed().unwrap());
    let bytes = std::fs::read(&path).unwrap();
    assert!(!bytes.windows(8).any(|w| w == b"Jane Roe"));
}
