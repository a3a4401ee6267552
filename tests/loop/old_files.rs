//! Files of earlier versions: they open, are brought up to date, and keep their labels.
//!
//! Each lies in `old_files/` as the text that `sqlite3 FILE .dump` gives; the two numbers of the header that a dump leaves out are put
//! back. Version 3 was written by its own program; 1 and 2 hold the same project in the tables of their scripts, 2 with a case that came
//! back.

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use super::project::{Project, hardcase};

/// Each version with its dump.
const DUMPS: [(u32, &str); 3] = [
    (1, include_str!("old_files/v1.sql")),
    (2, include_str!("old_files/v2.sql")),
    (3, include_str!("old_files/v3.sql")),
];

/// `HCAS`.
const APPLICATION_ID: i64 = 0x4843_4153;

/// Item, expert, action, label, note.
type Label = (i64, String, String, Option<String>, Option<String>);

/// What that file says of its labels, read without the program, in the order of the log.
fn labels(conn: &Connection) -> Vec<Label> {
    let mut statement = conn
        .prepare(
            "SELECT v.item, e.name, v.action, v.label, v.note FROM label_event v JOIN expert e ON e.id = v.expert ORDER BY v.lamport, v.uuid",
        )
        .unwrap();
    let rows =
        statement.query_map((), |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn version(path: &Path) -> u32 {
    Connection::open(path).unwrap().query_row("PRAGMA user_version", (), |r| r.get(0)).unwrap()
}

#[test]
fn a_file_of_each_earlier_version_opens_and_keeps_its_labels() {
    for (number, dump) in DUMPS {
        let project = Project::none();
        let conn = Connection::open(project.file()).unwrap();
        conn.execute_batch(dump).unwrap();
        conn.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
        conn.pragma_update(None, "user_version", number).unwrap();
        let before = labels(&conn);
        assert!(before.len() >= 6, "version {number} has too few labels to prove anything");
        let items: i64 = conn.query_row("SELECT count(*) FROM item", (), |r| r.get(0)).unwrap();
        drop(conn);
        let old = std::fs::read(project.file()).unwrap();

        let status = project.json("status", &[]);
        assert_eq!(status["items"], items, "version {number}");
        let store = project.is_whole();
        assert_eq!(store.events().unwrap().len(), before.len());
        drop(store);
        assert_eq!(labels(&Connection::open(project.file()).unwrap()), before, "version {number}");
        assert_eq!(version(&project.file()), hardcase::store::FILE_VERSION);

        // The old file is kept, and its program would open it.
        let folder = project.path("pool.hardcase.backups");
        let backups: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        assert_eq!(backups.len(), 1, "version {number}: {backups:?}");
        assert_eq!(version(&backups[0]), number);
        assert_eq!(labels(&Connection::open(&backups[0]).unwrap()), before);
        assert!(old.len() as u64 >= std::fs::metadata(&backups[0]).unwrap().len());

        // Work goes on in it, and a copy that was not brought up to date comes in.
        let lines = project.run("export", &["--what", "labels"]).json_lines();
        assert!(!lines.is_empty(), "version {number}");
        project.run("answer", &["--item", "5", "--label", "fine", "--as", "cyd"]).done();
        let copy = project.path("copy.hardcase");
        std::fs::write(&copy, &old).unwrap();
        let report = project.json("merge", &[copy.to_str().unwrap()]);
        assert_eq!(report[0]["events"], Value::Object(serde_json::Map::new()), "version {number}: {report}");
        assert_eq!(std::fs::read(&copy).unwrap(), old, "a copy is only read");
        assert_eq!(project.run("export", &["--what", "labels"]).json_lines().len(), lines.len() + 1);
        drop(project.is_whole());
        let listed = hardcase(["backup", project.file().to_str().unwrap(), "--list"]).done().out;
        assert!(listed.contains("earlier version"), "{listed}");
    }
}
