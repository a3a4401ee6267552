//! Merging copies of a project by the real binary: labelled independently, assigned, killed, incomplete, and not a copy.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use hardcase::desk::session::{Next, OnClose, Remarks, Session};
use hardcase::domain::ids::ItemId;
use hardcase::domain::log::Log;
use hardcase::domain::progress::Unwatched;
use hardcase::exchange::merge::{MergeReport, Mode, merge};
use hardcase::store::{Access, Store};
use hardcase::work::JobContext;
use serde_json::Value;

use super::kills::{Whom, bytes, kill_after, kills, moments, restore, start};
use super::project::{ADS, Project, ads, hardcase};

/// A copy of a project that nobody has open.
pub fn copy(project: &Project, name: &str) -> PathBuf {
    let path = project.path(name);
    std::fs::write(&path, bytes(project)).unwrap();
    path
}

/// An expert sits down at a file and labels the next `n` cases.
pub fn label(file: &Path, expert: &str, n: usize, label: &str) -> Vec<ItemId> {
    let mut session = Session::open(file, expert, OnClose::ReleaseCases).unwrap();
    let mut items = Vec::new();
    while items.len() < n
        && let Next::Case(case) = session.next_case().unwrap()
    {
        session.answer(case.item, label, Remarks::default()).unwrap();
        items.push(case.item);
    }
    session.close().unwrap();
    items
}

pub fn said(file: &Path, arguments: &[&str]) -> Value {
    let mut all = vec!["merge", file.to_str().unwrap()];
    all.extend(arguments);
    all.push("--json");
    hardcase(all).json()
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

pub fn exported(file: &Path, what: &[&str]) -> String {
    let mut all = vec!["export", text(file)];
    all.extend(what);
    hardcase(all).done().out
}

/// A project with a round, its copy in which bob gave six labels, and these in a log.
pub fn labels_in_a_log() -> (Project, PathBuf, PathBuf) {
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "20"]).done();
    let b = copy(&project, "b.hardcase");
    label(&b, "bob", 6, "fine");
    let log = project.path("events.jsonl");
    hardcase(["export", text(&b), "--what", "events", "-o", text(&log)]).done();
    (project, b, log)
}

pub fn merged(file: &Path, other: &Path) -> MergeReport {
    let context = JobContext { project: file, watcher: &Unwatched, expert: "ada", seed: None };
    merge(&context, other, Mode::Merge).unwrap().unwrap()
}

/// Everything that a union is about, whatever the numbers that are local to a file.
pub fn essence(file: &Path) -> Vec<String> {
    let store = Store::open(file, Access::Read).unwrap();
    assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
    let mut log: Log = store.log().unwrap();
    log.revisions.iter_mut().for_each(|r| r.number = 0);
    log.rounds.iter_mut().for_each(|r| r.number = r.number.min(1));
    log.cases.iter_mut().for_each(|c| c.position = 0);
    let mut lines = vec![format!("{} {}", log.project, log.lamport_heard)];
    lines.extend(log.experts.iter().map(|l| format!("{l:?}")));
    lines.extend(log.sessions.iter().map(|l| format!("{l:?}")));
    lines.extend(log.revisions.iter().map(|l| format!("{l:?}")));
    lines.extend(log.models.iter().map(|l| format!("{l:?}")));
    lines.extend(log.predictors.iter().map(|l| format!("{l:?}")));
    lines.extend(log.rounds.iter().map(|l| format!("{l:?}")));
    lines.extend(log.cases.iter().map(|l| format!("{l:?}")));
    lines.extend(log.events.iter().map(|l| format!("{l:?}")));
    lines.extend(log.reveals.iter().map(|l| format!("{l:?}")));
    lines.extend(log.label_sources.iter().map(|l| format!("{l:?}")));
    lines.extend(log.imported_labels.iter().map(|l| format!("{l:?}")));
    let conn = rusqlite::Connection::open(file).unwrap();
    for sql in [
        "SELECT hex(s.uuid) || ' ' || s.name || ' ' || s.rows FROM source s",
        "SELECT hex(key) || split FROM item",
        // What a row said, whichever spelling of its text came first and is left out of it.
        "SELECT hex(s.uuid) || r.row || coalesce(r.gold, '') || iif(r.fields = '[null]', json_array(i.text), r.fields) || hex(i.key)
         FROM source_row r JOIN source s ON s.id = r.source JOIN item i ON i.id = r.item",
        "SELECT 'items ' || sum(items) FROM source",
        "SELECT hex(m.sha256) || hex(i.key) || hex(e.vector) FROM embedding e JOIN item i ON i.id = e.item JOIN model m ON m.id = e.model",
        "SELECT hex(p.uuid) || hex(i.key) || hex(q.probabilities) FROM prediction q JOIN item i ON i.id = q.item
         JOIN predictor p ON p.id = q.predictor WHERE i.id IN (SELECT item FROM label_case UNION SELECT item FROM label_event)",
    ] {
        let mut statement = conn.prepare(sql).unwrap();
        lines.extend(statement.query_map((), |r| r.get::<_, String>(0)).unwrap().map(Result::unwrap));
    }
    lines.sort();
    lines
}

#[test]
fn copies_labelled_independently_give_the_same_export_in_either_order_of_merging() {
    let project = Project::scouted_elsewhere(80);
    project.run("mine", &["--budget", "30"]).done();
    let b = copy(&project, "b.hardcase");
    label(&project.file(), "ada", 10, "fine");
    label(&b, "bob", 8, "clickbait");
    project.run("answer", &["--item", "70", "--label", "fine", "--as", "ada"]).done();
    let (a_before, b_before) = (copy(&project, "a.hardcase"), std::fs::read(&b).unwrap());

    let dry = said(&project.file(), &[text(&b), "--dry-run"]);
    assert_eq!((&dry[0]["by_expert"], &dry[0]["dry_run"]), (&serde_json::json!({ "bob": 8 }), &true.into()));
    assert_eq!(bytes(&project), std::fs::read(&a_before).unwrap(), "--dry-run changes nothing");
    let real = said(&project.file(), &[text(&b)]);
    assert_eq!(
        (&real[0]["events"], &real[0]["experts"], &real[0]["cases"], &real[0]["texts"]),
        (&serde_json::json!({ "set": 8 }), &1.into(), &0.into(), &0.into()),
        "{real}"
    );
    assert_eq!(std::fs::read(&b).unwrap(), b_before, "a copy is only read");
    let around: Vec<_> =
        std::fs::read_dir(project.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(around.iter().all(|n| !n.to_string_lossy().contains(".copy-")), "{around:?}");
    said(&b, &[text(&a_before)]);
    for what in [&["--what", "labels"][..], &["--history"], &["--what", "events"], &["--what", "rows"]] {
        let both = [&project.file(), &b].map(|file| exported(file, what));
        assert_eq!(both[0], both[1], "{what:?}");
    }
    assert_eq!(exported(&b, &[]).lines().count(), 19);
    let again = said(&project.file(), &[text(&b)]);
    for (kind, none) in [
        ("events", serde_json::json!({})),
        ("sessions", 0.into()),
        ("predictions", 0.into()),
        ("vectors", 0.into()),
    ] {
        assert_eq!(again[0][kind], none, "{again}");
    }
    // The local count goes on from the largest number.
    project.run("answer", &["--item", "71", "--label", "fine", "--as", "ada"]).done();
    let events = project.is_whole().events().unwrap();
    assert!(events.windows(2).all(|w| w[0].order() < w[1].order()));
    assert_eq!(events.last().unwrap().event.item, ItemId(71));
}

#[test]
fn a_label_log_is_merged_back_and_a_malformed_line_is_refused_by_its_number() {
    let (project, b, log) = labels_in_a_log();
    let with_texts = std::fs::read_to_string(&log).unwrap();
    let bare = exported(&b, &["--what", "events", "--no-text"]);
    assert!(with_texts.contains("\"text\":") && !bare.contains("\"text\":"));
    for bad in [
        with_texts.replacen("\"action\":\"set\"", "\"action\":\"sett\"", 1),
        with_texts.replacen("\"seq\":1,", "\"seq\":0,", 1),
        with_texts.replacen("\"lamport\":1,", "\"lamport\":9223372036854775807,", 1),
        with_texts.replacen("\"kind\":\"event\"", "\"kind\":\"event\",\"more\":1", 1),
        with_texts.replacen("\"text\":\"", "\"text\":\"other ", 1),
    ] {
        let line = with_texts.lines().zip(bad.lines()).position(|(a, b)| a != b).unwrap() + 1;
        std::fs::write(&log, bad).unwrap();
        project
            .run("merge", &[text(&log)])
            .refused(2, &[&format!("line {line}: "), "Nothing of it was taken in"]);
    }
    std::fs::write(&log, bare).unwrap();
    let report = said(&project.file(), &[text(&log)]);
    assert_eq!(report[0]["by_expert"], serde_json::json!({ "bob": 6 }), "{report}");
    assert_eq!(exported(&project.file(), &["--history"]), exported(&b, &["--history"]));
    assert_eq!(said(&project.file(), &[text(&log)])[0]["events"], serde_json::json!({}), "once");
    assert_eq!(
        said(&project.file(), &[text(&b)])[0]["events"],
        serde_json::json!({}),
        "the copy has nothing more"
    );
}

#[test]
fn a_file_that_is_not_a_copy_of_the_project_is_refused_with_a_sentence() {
    let (project, other) = (Project::with_ads(5), Project::with_ads(5));
    let before = bytes(&project);
    project.run("merge", &[text(&other.file())]).refused(2, &["another project", "hardcase import"]);
    project.run("merge", &[text(&project.file())]).refused(2, &["one file"]);
    let ads = project.write("x.csv", ads(3));
    project.run("merge", &[text(&ads)]).refused(2, &["line 1", "not a copy of a project"]);
    project.run("merge", &["nowhere.hardcase"]).refused(2, &["no such file"]);
    assert_eq!(project.is_whole().item_count().unwrap(), 5);
    drop(before);
}

#[test]
fn labels_in_a_write_ahead_log_that_was_not_copied_are_reported_missing_by_number() {
    let project = Project::with_ads(80);
    let b = copy(&project, "b.hardcase");
    let mut session = Session::open(&b, "ana", OnClose::ReleaseCases).unwrap();
    for item in 1..=60 {
        session.answer(ItemId(item), "fine", Remarks::default()).unwrap();
        if item == 57 {
            let other = rusqlite::Connection::open(&b).unwrap();
            other.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
        }
    }
    let (whole, cut) = (project.path("whole"), project.path("cut"));
    for folder in [&whole, &cut] {
        std::fs::create_dir(folder).unwrap();
        std::fs::copy(&b, folder.join("b.hardcase")).unwrap();
    }
    std::fs::copy(project.path("b.hardcase-wal"), whole.join("b.hardcase-wal")).unwrap();
    session.close().unwrap();
    let files = |folder: &Path| -> BTreeSet<(PathBuf, Vec<u8>)> {
        let paths = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path());
        paths.map(|p| (p.clone(), std::fs::read(p).unwrap())).collect()
    };
    let before = files(&whole);
    let late = copy(&project, "late.hardcase");
    let first = said(&late, &[text(&cut.join("b.hardcase"))]);
    assert_eq!(first[0]["by_expert"]["ana"], 57, "nobody can know yet: {first}");
    let report = said(&project.file(), &[text(&whole.join("b.hardcase"))]);
    assert_eq!(report[0]["by_expert"]["ana"], 60, "a log next to the copy is read: {report}");
    assert!(files(&whole) == before, "and neither file of the copy is touched, nor one added");
    let report = said(&project.file(), &[text(&cut.join("b.hardcase"))]);
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let sentence = format!("the copy lacks labels 58 to 60 of ana on {host}: was the -wal file left behind?");
    assert!(report[0]["remarks"][0].as_str().unwrap().contains(&sentence), "{report}");
    assert_eq!(said(&late, &[text(&whole.join("b.hardcase"))])[0]["by_expert"]["ana"], 3);
}

#[test]
fn a_killed_merge_leaves_a_whole_file_and_the_next_one_adds_the_rest() {
    const ROWS: usize = 6_000;
    let project = Project::scouted_elsewhere(120);
    project.run("mine", &["--budget", "60"]).done();
    let b = copy(&project, "b.hardcase");
    let rows: String = (0..ROWS).map(|i| format!("the text of row {i}, with a few words more\n")).collect();
    hardcase(["import", text(&b), text(&project.write("rows.txt", rows))]).done();
    label(&b, "bob", 60, "fine");
    label(&project.file(), "ada", 20, "clickbait");
    let mine = project.is_whole().events().unwrap();
    let before = bytes(&project);
    let command = || project.command("merge", &["b.hardcase", "--progress", "json"]);
    let all: Vec<_> = moments(command(), kills(12), 9).collect();
    let want = essence(&project.file());
    let mut killed = 0;
    for (i, wait) in all.into_iter().enumerate() {
        // Every other time the next merge finds what the last one left.
        if i % 2 == 0 {
            restore(&project, &before);
        }
        killed += usize::from(kill_after(start(&mut command()), wait, Whom::Parent).1);
        let store = project.is_whole();
        let items = store.item_count().unwrap();
        assert!(items == 120 || items == 120 + ROWS, "{items}: an import is seen whole or not at all");
        let events = store.events().unwrap();
        assert!(mine.iter().all(|e| events.iter().any(|f| f.uuid == e.uuid)), "a label of this file is gone");
    }
    assert!(killed > 0, "not one merge was caught at work");
    project.run("merge", &["b.hardcase"]).done();
    assert!(essence(&project.file()) == want, "what a merge in one go brings");
}

#[test]
fn assigned_cases_leave_in_a_copy_with_nothing_else_and_return_labelled() {
    let project = Project::empty();
    let marked: String = ADS
        .lines()
        .take(301)
        .enumerate()
        .map(|(i, l)| if i == 0 { format!("{l}\n") } else { format!("{l}GOLDMARK\n") })
        .collect();
    let data = project.write("ads.csv", marked);
    project.import_ads(&data).done();
    project.enter_vectors();
    project.run("mine", &["--budget", "60"]).done();
    let gold = project.gold();
    let mut session = Session::open(&project.file(), "ada", OnClose::ReleaseCases).unwrap();
    while let Next::Case(case) = session.next_case().unwrap() {
        let note = Some("NOTEMARK".to_owned());
        let label = gold[&case.item.0].trim_end_matches("GOLDMARK");
        session.answer(case.item, label, Remarks { note, ..Remarks::default() }).unwrap();
    }
    session.close().unwrap();
    project.run("tune", &[]).done();
    // One person a case, so that nobody is given what another has had.
    project.run("mine", &["--budget", "24", "--overlap", "eval=1,audit=1,train=1,share=0"]).done();

    let out = project.path("for-bob.hardcase");
    let give = |name: &str, to: &Path| {
        project.run("assign", &["--to", name, "--limit", "8", "--without-models", "-o", text(to)])
    };
    let told = give("bob", &out).done().out;
    assert!(
        told.contains("8 cases for bob") && told.contains("--as bob") && told.contains("hardcase merge"),
        "{told}"
    );
    give("bob", &out).refused(2, &["exists already"]);
    give("bo\nb", &project.path("x")).refused(2, &["not a name"]);

    let part = Store::open(&out, Access::Read).unwrap();
    assert_eq!(part.integrity_check().unwrap(), Vec::<String>::new());
    let given: BTreeSet<ItemId> = part.items_of_cases().unwrap().into_iter().collect();
    assert_eq!((given.len(), part.events().unwrap().len()), (8, 0));
    let held: BTreeSet<ItemId> = part.splits().unwrap().into_iter().map(|(item, _)| item).collect();
    drop(part);
    let raw = std::fs::read(&out).unwrap();
    let holds = |needle: &str| raw.windows(needle.len()).any(|w| w == needle.as_bytes());
    let store = project.is_whole();
    let mut absent = 0;
    for (item, _) in store.splits().unwrap() {
        let text = store.item(item).unwrap().unwrap().text;
        assert_eq!(holds(&text), held.contains(&item), "item {item}: {text}");
        absent += usize::from(!held.contains(&item));
    }
    assert!(absent > 270 && held.len() < 24, "{absent} stay behind: cases and partners alone go");
    assert!(!holds("GOLDMARK") && !holds("NOTEMARK"), "no gold label and nobody's note");
    let doctor = hardcase(["doctor", text(&out)]).done().out;
    let hash = "01".repeat(32);
    assert!(doctor.contains("bag of words is not at /nowhere") && doctor.contains(&hash), "{doctor}");
    let bytes_of_head = store.adapter_bytes(store.adapters().unwrap()[0].id).unwrap().unwrap().len();
    assert!(
        doctor.contains(&format!("head 1 was left out of this copy: {bytes_of_head} bytes, sha256 ")),
        "{doctor}"
    );
    drop(store);

    // Nobody else gets them: not ada, and not the next one who is given cases.
    let others: BTreeSet<ItemId> = label(&project.file(), "ada", 5, "fine").into_iter().collect();
    assert!(others.is_disjoint(&given));
    give("cyd", &project.path("for-cyd.hardcase")).done();
    let cyd: BTreeSet<ItemId> = {
        let part = Store::open(&project.path("for-cyd.hardcase"), Access::Read).unwrap();
        part.items_of_cases().unwrap().into_iter().collect()
    };
    assert!(!cyd.is_empty() && cyd.is_disjoint(&given) && cyd.is_disjoint(&others));

    // There: by the program alone. A new round here withdraws none of what is away.
    project.run("mine", &["--budget", "10"]).done();
    let mut answered = 0;
    loop {
        let case = hardcase(["next", text(&out), "--as", "bob", "--json"]).json();
        let Some(item) = case["item"].as_i64() else { break };
        hardcase(["answer", text(&out), "--item", &item.to_string(), "--label", "fine", "--as", "bob"])
            .done();
        answered += 1;
    }
    assert_eq!(answered, 8);
    let report = said(&project.file(), &[text(&out)]);
    assert_eq!(
        (&report[0]["by_expert"], &report[0]["texts"], &report[0]["rows"], &report[0]["cases"]),
        (&serde_json::json!({ "bob": 8 }), &0.into(), &0.into(), &0.into()),
        "{report}"
    );
    let store = project.is_whole();
    let bobs: Vec<_> =
        store.current_answers().unwrap().into_iter().filter(|e| given.contains(&e.event.item)).collect();
    assert_eq!(bobs.len(), 8);
    assert!(
        bobs.iter().all(|e| e.event.case.is_some() && e.lamport > 60),
        "later than what was there when they went"
    );
    assert_eq!(project.gold().len(), 300, "the gold labels here are as they were");
    assert_eq!(said(&project.file(), &[text(&out)])[0]["events"], serde_json::json!({}));
    // And the part can take in the whole.
    said(&out, &[text(&project.file())]);
    assert_eq!(exported(&out, &["--what", "rows"]).lines().count(), 300);
    assert_eq!(exported(&out, &["--what", "predictions"]).matches("GOLDMARK").count(), 300);
}
