//! Files that somebody else made: with a schema that never ends, of another kind, under a name that SQLite reads otherwise, with values that nothing
//! writes, or with a key in each row.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Stdio;

use super::project::{Project, TASK, hardcase, program, run};
use super::report::text;

/// What every verb that opens a project is asked, most of them without a change to it.
const VERBS: &[(&str, &[&str])] = &[
    ("status", &["--json"]),
    ("next", &[]),
    ("export", &["--what", "labels", "--history"]),
    ("export", &["--what", "predictions"]),
    ("export", &["--what", "final"]),
    ("export", &["--what", "rows"]),
    ("export", &["--what", "events"]),
    ("agreement", &[]),
    ("report", &[]),
    ("adjudicate", &["--list"]),
    ("expert", &["list"]),
    ("adapter", &["list"]),
    ("doctor", &[]),
    ("mine", &["--budget", "5"]),
    ("tune", &[]),
];

fn changed(file: &Path, sql: &str) {
    let conn = rusqlite::Connection::open(file).unwrap();
    super::crowd::seal_rows(&conn);
    conn.pragma_update(None, "writable_schema", true).unwrap();
    conn.execute_batch(sql).unwrap();
}

#[test]
fn a_view_that_never_ends_in_the_place_of_a_table_is_refused_before_it_is_asked() {
    const ENDLESS: &str = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)";
    for (mode, table, columns) in [
        (
            "delete",
            "session",
            "i AS host, i AS started_ms, i AS id, i AS expert, i AS ended_ms, i AS process",
        ),
        ("wal", "session", "i AS host, i AS started_ms, i AS id, i AS expert, i AS ended_ms, i AS process"),
        ("wal", "project", "i AS seed, i AS audit_share, i AS eval_share"),
        ("wal", "item", "i AS id, i AS key, i AS text, i AS split, i AS source"),
    ] {
        let project = Project::with_ads(10);
        changed(
            &project.file(),
            &format!(
                "PRAGMA journal_mode = {mode}; PRAGMA foreign_keys = off; PRAGMA legacy_alter_table = on;
                 ALTER TABLE {table} RENAME TO kept; CREATE VIEW {table} AS {ENDLESS} SELECT {columns} FROM n;"
            ),
        );
        for (verb, arguments) in VERBS.iter().filter(|(verb, _)| *verb != "doctor") {
            project.run(verb, arguments).refused(1, &["its tables are not those of a hardcase project"]);
        }
        assert!(project.run("doctor", &[]).out.contains("its tables are not those of a hardcase project"));
        let whole = Project::with_ads(10);
        whole.run("merge", &[text(&project.file())]).refused(1, &["its tables are not those"]);
        // What can be saved of it is saved, or nothing is: it ends.
        let repaired = project.run("doctor", &["--repair"]);
        assert!(repaired.code.is_some_and(|code| code <= 3), "{}", repaired.err);
    }
}

#[test]
fn a_pipe_or_a_device_in_the_place_of_a_project_is_refused_at_once() {
    let project = Project::with_ads(5);
    let pipe = project.path("pipe.hardcase");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for path in [pipe.as_path(), Path::new("/dev/zero")] {
        for verb in ["status", "next", "export", "report", "mine", "backup", "label", "open"] {
            let mut command = program();
            let ran = run({
                command.arg(verb).arg(path).stdin(Stdio::null());
                command
            });
            ran.refused(2, &["it is a pipe or a device"]);
        }
        // Without a verb it might be a file of texts.
        hardcase([text(path)]).refused(2, &["it is a pipe or a device"]);
    }
}

#[test]
fn a_task_without_an_end_is_refused_after_its_first_megabyte() {
    let project = Project::with_ads(5);
    project.run("task", &["--set", "/dev/zero"]).refused(2, &["it is larger than 1 MB"]);
    let mut command = program();
    command.arg("new").arg(project.path("new.hardcase")).args(["--task", "/dev/zero"]);
    run(command).refused(2, &["it is larger than 1 MB"]);
}

#[test]
fn a_name_that_sqlite_would_read_otherwise_is_a_name() {
    for name in ["file:x.hardcase", "file:y?mode=memory&cache=shared", ":memory:", "file:///etc/z"] {
        let project = Project::none();
        std::fs::create_dir_all(project.path("file:/etc")).unwrap();
        let name = name.replace("///", "/");
        let task = project.write("task.toml", TASK);
        project.write("texts.txt", "one text\nand another\nand a third\n");
        let ran = |arguments: &[&str]| {
            let mut command = program();
            command.args(arguments).arg("--quiet").current_dir(project.path(""));
            run(command)
        };
        ran(&["new", &name, "--task", text(&task)]).done();
        ran(&["import", &name, "texts.txt"]).done();
        assert_eq!(ran(&["export", &name, "--what", "rows"]).done().out.lines().count(), 3, "{name}");
        ran(&["backup", &name]).done();
        ran(&["doctor", &name]).done();
        std::fs::copy(project.path(&name), project.path("copy.hardcase")).unwrap();
        ran(&["merge", &name, "copy.hardcase"]).done();
        ran(&["merge", "copy.hardcase", &name]).done();
        assert_eq!(ran(&["export", &name, "--what", "rows"]).done().out.lines().count(), 3, "{name}");
        let bytes = std::fs::read(project.path(&name)).unwrap();
        assert!(bytes.starts_with(b"SQLite format 3\0"), "{name} is the file");
    }
}

#[test]
fn a_file_with_another_key_in_each_row_comes_back_whole_and_not_a_thousand_times_as_large() {
    let project = Project::empty();
    let lines: String =
        (0..4_000).map(|n| format!("{{\"text\":\"row {n}\",\"key number {n}\":{n}}}\n")).collect();
    let data = project.write("keys.jsonl", &lines);
    project.run("import", &[text(&data), "--text", "text"]).done();
    let csv = project.run("export", &["--what", "rows", "--format", "csv"]).done().out;
    assert!(csv.len() < 40 * lines.len(), "{} bytes of {}", csv.len(), lines.len());
    let mut reader = csv::Reader::from_reader(csv.as_bytes());
    let columns: Vec<String> = reader.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(columns.len(), 1_000 + 1 + 3);
    let more = columns.iter().position(|name| name == "hardcase_more").unwrap();
    let mut values = BTreeSet::new();
    for row in reader.records().map(Result::unwrap) {
        values.extend(row.iter().skip(1).take(999).filter_map(|cell| cell.parse::<i64>().ok()));
        if !row[more].is_empty() {
            let rest: std::collections::BTreeMap<String, i64> = serde_json::from_str(&row[more]).unwrap();
            values.extend(rest.into_iter().map(|(key, value)| {
                assert_eq!(key, format!("key number {value}"));
                value
            }));
        }
    }
    assert_eq!(values, (0..4_000).collect(), "nothing is left out");
}

/// Values that nothing writes, for each column in turn.
const VALUES: &[&str] = &[
    "-9223372036854775808",
    "9223372036854775807",
    "-1",
    "0",
    "1e308",
    "-1e-320",
    "''",
    "char(0)",
    "'[]'",
    "'{}'",
    "'null'",
    "'[\"' || hex(zeroblob(200)) || '\"]'",
    "x''",
    "x'00'",
    "x'ffffffff'",
    "zeroblob(70000)",
    "x'0000c07f0000c07f0000c07f0000c07f'",
];

/// What is tried in any case: a model without labels or of no width, rows of another length than their model's, and times at the end of time.
const ALWAYS: &[(&str, &str, &str)] = &[
    ("predictor", "labels", "'[]'"),
    ("model", "dimensions", "0"),
    ("prediction", "probabilities", "x'00'"),
    ("embedding", "vector", "x''"),
    ("lease", "shown_ms", "-9223372036854775808"),
];

#[test]
fn no_value_in_any_column_makes_a_verb_panic() {
    let project = Project::scouted_elsewhere(40);
    project.run("mine", &["--budget", "12", "--overlap", "eval=2,share=1"]).done();
    for name in ["ada", "bob"] {
        for item in [1, 2, 3, 5, 8, 13, 21, 34] {
            project.answer_as(name, item, if item % 3 == 0 { "fine" } else { "clickbait" });
        }
        project.next_as(name);
    }
    project.run("tune", &[]).code.unwrap();
    project.run("mine", &["--budget", "6"]).done();
    let columns: Vec<(String, String)> = {
        let conn = rusqlite::Connection::open(project.file()).unwrap();
        let mut statement = conn
            .prepare(
                "SELECT t.name, c.name FROM sqlite_schema t JOIN pragma_table_info(t.name) c
                 WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY t.name, c.cid",
            )
            .unwrap();
        let rows = statement.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        rows.map(Result::unwrap).collect()
    };
    // A part of the pairs in the ordinary suite; HARDCASE_PROOF_VALUES=1 takes all.
    let every: usize = std::env::var("HARDCASE_PROOF_VALUES").map_or(401, |every| every.parse().unwrap());
    let (mut tried, mut panicked) = (0, Vec::new());
    let pairs = columns.iter().flat_map(|column| VALUES.iter().map(move |value| (column, value)));
    for (number, ((table, column), value)) in pairs.enumerate() {
        let always = ALWAYS.contains(&(table.as_str(), column.as_str(), *value));
        if number % every != 0 && !always {
            continue;
        }
        let hostile = Project::none();
        std::fs::copy(project.file(), hostile.file()).unwrap();
        {
            let conn = rusqlite::Connection::open(hostile.file()).unwrap();
            conn.execute_batch("PRAGMA foreign_keys = off; PRAGMA ignore_check_constraints = on; PRAGMA writable_schema = on;").unwrap();
            let triggers: Vec<(String, String)> = {
                let mut all =
                    conn.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").unwrap();
                let rows = all.query_map([], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
                rows.map(Result::unwrap).collect()
            };
            for (name, _) in &triggers {
                conn.execute_batch(&format!("DROP TRIGGER {name}")).unwrap();
            }
            // One row, or all: whichever the schema still takes.
            let all = format!("UPDATE OR IGNORE \"{table}\" SET \"{column}\" = {value}");
            let taken = conn.execute(&all, []).is_ok();
            for (_, sql) in &triggers {
                conn.execute_batch(sql).unwrap();
            }
            if !taken {
                continue;
            }
        }
        tried += 1;
        for (verb, arguments) in VERBS {
            let ran = hostile.run(verb, arguments);
            if !matches!(ran.code, Some(0..=3)) || ran.err.contains("panicked") {
                panicked.push(format!(
                    "{table}.{column} = {value}: {verb} {arguments:?}: {:?} {}",
                    ran.code, ran.err
                ));
            }
        }
    }
    println!("{tried} crafted values, {} panics", panicked.len());
    assert!(panicked.is_empty(), "{}", panicked.join("\n"));
}
