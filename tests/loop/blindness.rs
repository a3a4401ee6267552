//! What no output shows: the model's view of a text that its reader may still be asked about, or others' answers to it.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::Path;

use hardcase::desk::session::{About, Next, OnClose, Remarks, Session};
use hardcase::exchange::export::{ExportOptions, History, Reveal, export, export_kind};
use serde_json::Value;

use super::project::Project;
use super::report::copy;

/// Who leads the project below.
const LEAD: &str = "ada";

/// A round that cy has answered whole and ada, who leads, in part: others could still be asked about most of it.
fn half_answered() -> Project {
    let project = Project::scouted_elsewhere(240);
    project.run("mine", &["--budget", "60", "--overlap", "eval=3,audit=3,train=2,share=0"]).done();
    answer(&project.file(), "cy", 60);
    answer(&project.file(), "ada", 10);
    project
}

/// Answers up to `most` cases, each as it comes. Returns how many.
fn answer(file: &Path, name: &str, most: usize) -> usize {
    let mut session = Session::open(file, name, OnClose::ReleaseCases).unwrap();
    let mut answered = 0;
    while answered < most
        && let Next::Case(case) = session.next_case().unwrap()
    {
        let label = if case.item.0 % 3 == 0 { "clickbait" } else { "fine" };
        session.answer(case.item, label, Remarks::default()).unwrap();
        answered += 1;
    }
    session.close().unwrap();
    answered
}

/// Leaves so many cases unanswered, which come back.
fn skip(file: &Path, name: &str, cases: usize) {
    let mut session = Session::open(file, name, OnClose::ReleaseCases).unwrap();
    for _ in 0..cases {
        let Next::Case(case) = session.next_case().unwrap() else { panic!("{name} has no case left") };
        session.skip(case.item).unwrap();
    }
    session.close().unwrap();
}

fn exported(file: &Path, name: &str, kind: &str, history: History, reveal: Reveal) -> Vec<Value> {
    let out = file.with_extension("out");
    let options = ExportOptions { history, reveal, out: Some(out.clone()), ..ExportOptions::read_by(name) };
    export(file, export_kind(kind).unwrap(), &options).unwrap();
    let lines = std::fs::read_to_string(out).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The items of which any output shows this reader what the model or others say, and how many each kind of output shows.
fn seen(file: &Path, name: &str, reveal: Reveal) -> (BTreeSet<i64>, Vec<(&'static str, usize)>) {
    let item = |line: &Value| line["item"].as_i64().unwrap();
    let shown = |kind: &str, history: History, by: &dyn Fn(&Value) -> bool| -> BTreeSet<i64> {
        exported(file, name, kind, history, reveal).iter().filter(|line| by(line)).map(item).collect()
    };
    let of_others = |line: &Value| line["expert"] != name;
    let finals = exported(file, name, "final", History::Standing, reveal);
    let by_id: HashMap<String, i64> =
        finals.iter().map(|line| (line["id"].to_string(), item(line))).collect();
    // Whoever does not lead has no more than one's own part of the log, so that each case in it tells something of the case. The lead has the keys of
    // all cases, which tell nothing as long as no other output names the text of one.
    let by_key: HashMap<String, i64> = if name == LEAD {
        finals.iter().map(|line| (line["key"].to_string(), item(line))).collect()
    } else {
        keys(file)
    };
    let rows = exported(file, name, "rows", History::Standing, reveal);
    let log = exported(file, name, "events", History::Standing, reveal);
    let kinds = [
        ("labels", shown("labels", History::Standing, &of_others)),
        ("history", shown("labels", History::All, &of_others)),
        (
            "predictions",
            shown("predictions", History::Standing, &|line| {
                !line["prelabel"].is_null() || !line["probabilities"].is_null() || !line["label"].is_null()
            }),
        ),
        (
            "final",
            finals
                .iter()
                .filter(|line| {
                    !line["prelabel"].is_null() || !line["split"].is_null() || line["how"] != "open"
                })
                .map(item)
                .collect(),
        ),
        (
            "rows",
            rows.iter()
                .filter(|row| !row["hardcase_label"].is_null())
                .map(|row| by_id[&row["id"].to_string()])
                .collect(),
        ),
        (
            "events",
            log.iter()
                .filter(|line| line["kind"] == "case")
                .filter_map(|case| by_key.get(&case["item"].to_string()).copied())
                .collect(),
        ),
    ];
    let counts = kinds.iter().map(|(kind, items)| (*kind, items.len())).collect();
    (kinds.into_iter().flat_map(|(_, items)| items).collect(), counts)
}

/// The items by their keys, as the log writes them.
fn keys(file: &Path) -> HashMap<String, i64> {
    let file = rusqlite::Connection::open(file).unwrap();
    let mut statement = file.prepare("SELECT lower(hex(key)), id FROM item").unwrap();
    let rows =
        statement.query_map([], |r| Ok((format!("\"{}\"", r.get::<_, String>(0)?), r.get(1)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

/// The items that this expert has answered, and those among them whose answers count as blind.
fn answers(file: &Path, name: &str) -> (HashSet<i64>, HashSet<i64>) {
    let file = rusqlite::Connection::open(file).unwrap();
    let mut statement = file
        .prepare(
            "SELECT v.item, v.revealed FROM label_event v JOIN expert e ON e.id = v.expert WHERE e.name = ?1 AND v.action = 'set'",
        )
        .unwrap();
    let rows = statement.query_map([name], |r| Ok((r.get::<_, i64>(0)?, r.get::<_, bool>(1)?))).unwrap();
    let all: Vec<(i64, bool)> = rows.map(Result::unwrap).collect();
    let blind = all.iter().filter(|(_, revealed)| !revealed).map(|(item, _)| *item).collect();
    (all.into_iter().map(|(item, _)| item).collect(), blind)
}

fn reveals(file: &Path) -> i64 {
    let file = rusqlite::Connection::open(file).unwrap();
    file.query_row("SELECT count(*) FROM reveal", [], |r| r.get(0)).unwrap()
}

#[test]
fn nothing_that_any_output_showed_is_answered_as_blind_before_or_after_the_first_case_by_whoever_reads() {
    let project = half_answered();
    // zoe has not been here, bob has answered some cases, ada leads.
    for (name, before, skips) in [("zoe", 0, 0), ("bob", 5, 3), (LEAD, 0, 3)] {
        let file = copy(&project, &format!("{name}.hardcase"));
        answer(&file, name, before);
        skip(&file, name, skips);
        let (had, _) = answers(&file, name);
        let noted = reveals(&file);
        let (seen, counts) = seen(&file, name, Reveal::No);
        assert!(seen.len() > 150, "{name}: what is no case of theirs is shown: {counts:?}");
        assert_eq!(reveals(&file), noted, "{name}: an export un-blinds nothing by itself");
        assert!(answer(&file, name, 60) > 20, "{name} is asked about more than that");
        let (all, blind) = answers(&file, name);
        let leaked = blind.iter().filter(|item| seen.contains(item) && !had.contains(item)).count();
        assert_eq!(leaked, 0, "{name}: of {} answers: {counts:?}", all.len() - had.len());
        assert_eq!(all, blind, "{name} was shown nothing");
    }
}

#[test]
fn a_reveal_shows_what_was_left_out_and_no_answer_after_it_counts_as_blind() {
    let project = half_answered();
    for (name, before) in [("bob", 5), ("ada", 0)] {
        let file = copy(&project, &format!("{name}.hardcase"));
        answer(&file, name, before);
        let (had, _) = answers(&file, name);
        let (left, _) = seen(&file, name, Reveal::No);
        let (seen, counts) = seen(&file, name, Reveal::Yes);
        assert!(seen.len() > left.len() + 20 && seen.len() == 240, "{name}: {counts:?}");
        answer(&file, name, 60);
        let (all, blind) = answers(&file, name);
        assert!(all.len() > had.len() + 20);
        assert_eq!(blind, had, "{name}: all that came after was shown");
        // An expert who does not lead is not shown others' answers for that.
        let hidden = exported(&file, name, "final", History::Standing, Reveal::Yes);
        assert!(name == "ada" || hidden.iter().any(|line| line["how"] == "open"));
    }
    let file = copy(&project, "zoe.hardcase");
    let options = ExportOptions { reveal: Reveal::Yes, ..ExportOptions::read_by("zoe") };
    let refusal = export(&file, export_kind("predictions").unwrap(), &options).unwrap_err().to_string();
    assert!(refusal.contains("nobody of that name has joined the project"), "{refusal}");
    assert_eq!(reveals(&file), 0);
}

#[test]
fn an_export_in_the_middle_leaves_the_cases_of_later_rounds_blind_and_says_what_it_left_out() {
    let project = half_answered();
    let mut command = project.command("export", &["--what", "predictions"]);
    command.args(["-o", "all.jsonl"]);
    let told = super::project::run(command).done().err;
    assert!(told.contains("Left out: what the model says about ") && told.contains("add --reveal"), "{told}");
    let mut command = project.command("export", &["-o", "labels.jsonl"]);
    command.args(["--as", "bob"]);
    let told = super::project::run(command).done().err;
    assert!(
        told.contains("Left out: the answers of others to ") && told.contains("whose cases are open"),
        "{told}"
    );
    answer(&project.file(), "ada", 60);
    project.run("mine", &["--budget", "30", "--overlap", "eval=1,audit=1,train=1"]).done();
    assert!(answer(&project.file(), "ada", 40) >= 25);
    let (all, blind) = answers(&project.file(), "ada");
    assert_eq!(all, blind);
    assert!(all.len() >= 80, "{}", all.len());
}

/// So many of the verbs below speak before the model has learnt.
const UNTAUGHT: usize = 19;

/// All that a person can have the program say of a project, by the command that says it.
fn all_that_is_said(project: &Project, file: &Path, name: &str) -> Vec<(String, String)> {
    let verbs: [&[&str]; 24] = [
        &["status"],
        &["status", "--json"],
        &["agreement"],
        &["agreement", "--json"],
        &["adjudicate", "--list"],
        &["adjudicate", "--list", "--json"],
        &["report"],
        &["report", "--json"],
        &["expert", "list", "--json"],
        &["adapter", "list", "--json"],
        &["export"],
        &["export", "--history"],
        &["export", "--what", "predictions"],
        &["export", "--what", "final"],
        &["export", "--what", "rows"],
        &["export", "--what", "events"],
        &["export", "--what", "events", "--no-text"],
        &["next", "--json"],
        &["doctor"],
        // From here on the model knows what they answered.
        &["tune", "--json"],
        &["tune"],
        &["status", "--json"],
        &["agreement", "--json"],
        // Here they close what only they have left to answer.
        &["mine", "--keep-open", "--budget", "10", "--json"],
    ];
    let mut said = Vec::new();
    for verb in verbs {
        let (first, rest) = verb.split_first().unwrap();
        let mut command = super::project::program();
        // `adapter list FILE` is written `adapter FILE list`.
        command.arg(first).arg(file).args(rest).args(["--as", name, "--progress", "none"]);
        command.current_dir(project.path("")).env("LOGNAME", name);
        let ran = super::project::run(command);
        said.push((verb.join(" "), format!("{}{}", ran.out, ran.err)));
    }
    said
}

/// Whether somebody says that an item is clickbait.
type Says = fn(&str, i64) -> bool;

#[test]
fn whatever_others_answered_to_open_cases_nothing_that_is_said_to_an_expert_differs() {
    let project = Project::scouted_elsewhere(240);
    project.run("mine", &["--budget", "60", "--overlap", "eval=4,audit=4,train=4,share=0"]).done();
    answer(&project.file(), "ada", 0);
    answer(&project.file(), "bob", 5);
    let mut bob = Session::open(&project.file(), "bob", OnClose::ReleaseCases).unwrap();
    for remark in 0..3 {
        let Next::Case(case) = bob.next_case().unwrap() else { panic!("bob has more cases") };
        match remark {
            0 => drop(bob.toggle_flag(About::Item(case.item)).unwrap()),
            1 => drop(bob.note(About::Item(case.item), "what is this?").unwrap()),
            _ => {}
        }
        bob.skip(About::Item(case.item)).unwrap();
    }
    bob.close().unwrap();
    let (hers, _) = answers(&project.file(), "bob");
    let variants: [(&str, Says); 4] = [
        ("alike", |_, item| item % 3 == 0),
        ("the-other-way", |_, item| item % 3 != 0),
        ("all-alike", |_, item| item % 60 != 0),
        ("at-odds", |who, item| (item % 3 == 0) == (who == "ada")),
    ];
    let mut said: Vec<Vec<(String, String)>> = Vec::new();
    for (variant, is_bait) in variants {
        std::fs::create_dir(project.path(variant)).unwrap();
        let file = project.path(variant).join("p.hardcase");
        std::fs::copy(copy(&project, "copied.hardcase"), &file).unwrap();
        for who in ["ada", "cy"] {
            let mut session = Session::open(&file, who, OnClose::ReleaseCases).unwrap();
            while let Next::Case(case) = session.next_case().unwrap() {
                let bait = if hers.contains(&case.item.0) { true } else { is_bait(who, case.item.0) };
                let label = if bait { "clickbait" } else { "fine" };
                let remarks = Remarks { duration_ms: Some(1_000), ..Remarks::default() };
                session.answer(case.item, label, remarks).unwrap();
            }
            session.close().unwrap();
        }
        let masked = all_that_is_said(&project, &file, "bob").into_iter().map(|(verb, text)| {
            let of_the_project = text.lines().filter(|line| !line.contains("bytes free"));
            let text = of_the_project.collect::<Vec<_>>().join("\n");
            (verb, text.replace(&*file.to_string_lossy(), "FILE").replace(variant, "VARIANT"))
        });
        said.push(masked.collect());
    }
    let mut compared = 0;
    for (variant, others) in variants.iter().zip(&said).skip(1) {
        for (n, ((verb, first), (_, other))) in said[0].iter().zip(others).enumerate() {
            if n >= UNTAUGHT {
                // A model that was trained on what they answered shows in all that it says. The counts of what it learns from do not.
                if verb == "tune --json" {
                    let [first, other] =
                        [first, other].map(|said| serde_json::from_str::<Value>(said).unwrap());
                    for count in ["training", "by_label", "open"] {
                        assert_eq!(first[count], other[count], "{count}: agree, and {}", variant.0);
                    }
                    assert!(first["open"].as_u64() > Some(10), "{first}");
                    compared += 1;
                }
                continue;
            }
            assert!(first.len() > 20 || verb.starts_with("adapter"), "{verb}: {first}");
            assert_eq!(timeless(first), timeless(other), "{verb}: agree, and {}", variant.0);
            compared += 1;
        }
    }
    assert_eq!(compared, 3 * (UNTAUGHT + 1));
}

/// The same without times, the UUIDs of what was made in this run, and hashes.
fn timeless(text: &str) -> String {
    let digits = |c: char| c.is_ascii_digit();
    text.split_inclusive(|c: char| c == ',' || c.is_whitespace())
        .filter(|word| {
            !(word.contains("_ms")
                || word.contains(':') && word.matches(digits).count() >= 8
                || word.matches('-').count() >= 4
                || word.matches(|c: char| c.is_ascii_hexdigit()).count() >= 48)
        })
        .collect()
}
