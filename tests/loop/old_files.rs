//! Files that a development version made: nothing of it was released, so they are refused in one sentence, and not a byte of them changes.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::Connection;

use super::merge::text;
use super::project::{Project, hardcase};

/// Every file in a folder, with its bytes.
fn lies_in(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files.map(|file| (file.file_name().into_string().unwrap(), std::fs::read(file.path()).unwrap())).collect()
}

/// Makes a project one of a development version, by what its header says.
fn mark(file: &Path, version: i64) {
    let conn = Connection::open(file).unwrap();
    conn.pragma_update(None, "user_version", version).unwrap();
    conn.query_row("PRAGMA journal_mode = DELETE", (), |_| Ok(())).unwrap();
}

#[test]
fn a_project_of_a_development_version_is_refused_in_one_sentence_and_stays_as_it_was() {
    let says = ["a development version of hardcase made it", "hardcase new", "hardcase export"];
    let here = Project::with_ads(20);
    let own = Connection::open(here.file()).unwrap();
    let own_mark: i64 = own.query_row("PRAGMA user_version", (), |r| r.get(0)).unwrap();
    drop(own);
    // The first four formats had their number alone; later ones differ in what stands above it.
    for version in [1, 2, 3, 4, own_mark ^ 1 << 12] {
        let project = Project::with_ads(20);
        project.run("answer", &["--item", "1", "--label", "fine", "--as", "ada"]).done();
        mark(&project.file(), version);
        if version > 4 {
            Connection::open(project.file())
                .unwrap()
                .execute_batch("ALTER TABLE expert_event DROP COLUMN at_ms")
                .unwrap();
        }
        let before = lies_in(&project.path("."));
        for (verb, arguments) in [
            ("status", &[][..]),
            ("next", &["--as", "ada"]),
            ("answer", &["--item", "2", "--label", "fine", "--as", "ada"]),
            ("export", &["--what", "labels"]),
            ("export", &["--what", "events"]),
            ("task", &["--show"]),
            ("backup", &[]),
            ("doctor", &["--repair"]),
        ] {
            let ran = project.run(verb, arguments);
            ran.refused(1, &says);
        }
        let doctor = project.run("doctor", &[]);
        assert!(doctor.out.contains(says[0]) && doctor.code == Some(3), "{}", doctor.out);
        here.run("merge", &[text(&project.file())]).refused(1, &says);
        here.run("restore", &["--from", text(&project.file())]).refused(1, &says);
        assert!(
            lies_in(&project.path(".")) == before,
            "version {version}: a file changed, or another was put next to it"
        );
    }
}

#[test]
fn a_log_of_a_development_version_is_refused_in_one_sentence() {
    let project = Project::with_ads(20);
    project.run("answer", &["--item", "1", "--label", "fine", "--as", "ada"]).done();
    let log = project.path("log.jsonl");
    hardcase(["export", text(&project.file()), "--what", "events", "-o", text(&log)]).done();
    let whole = std::fs::read_to_string(&log).unwrap();
    std::fs::write(&log, whole.replacen("\"event-log\",\"version\":1", "\"events\",\"version\":2", 1))
        .unwrap();
    project
        .run("merge", &[text(&log)])
        .refused(2, &["line 1: a development version of hardcase wrote it", "Nothing of it was taken in"]);
}
