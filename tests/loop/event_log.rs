//! The label log as a file: who gets what of it, and that a log which is not whole is known as such, by the real binary.

use std::collections::BTreeSet;
use std::path::Path;

use hardcase::store::{Access, Store};
use serde_json::{Value, json};

use super::merge::{copy, label, labels_in_a_log, said, text};
use super::project::{Project, Ran, hardcase};

/// What this person exports of the log into a file.
fn exported_by(project: &Project, name: &str, out: &Path) -> Ran {
    let mut command = project.command("export", &["--what", "events", "--as", name, "-o", text(out)]);
    command.env("LOGNAME", name);
    super::project::run(command).done()
}

fn lines(log: &Path) -> Vec<Value> {
    std::fs::read_to_string(log).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn of_kind<'a>(lines: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    lines.iter().filter(move |line| line["kind"] == kind)
}

fn names(file: &Path) -> BTreeSet<(String, i64)> {
    let store = Store::open(file, Access::Read).unwrap();
    assert_eq!(store.integrity_check().unwrap(), Vec::<String>::new());
    let log = store.log().unwrap();
    log.events.into_iter().map(|event| (event.expert, event.lamport)).collect()
}

#[test]
fn an_expert_who_is_not_a_lead_exports_only_their_own_labels_and_a_merge_misses_nothing() {
    let project = Project::scouted_elsewhere(120);
    project.run("mine", &["--budget", "20"]).done();
    let before = copy(&project, "before.hardcase");
    label(&project.file(), "ada", 6, "fine");
    label(&project.file(), "bob", 4, "clickbait");
    // A round that the copy from before does not have, and one that it has as an open one.
    project.run("mine", &["--budget", "20", "--overlap", "eval=2,share=1"]).done();
    label(&project.file(), "ada", 5, "fine");
    label(&project.file(), "bobby", 3, "clickbait");
    project.run("expert", &["same", "bobby", "bob"]).done();

    let (own, all) = (project.path("bob.jsonl"), project.path("ada.jsonl"));
    let told = exported_by(&project, "bob", &own);
    assert!(
        told.err.contains("Left out: 11 label events of others; only the lead can export them"),
        "{}",
        told.err
    );
    let told = exported_by(&project, "ada", &all);
    assert!(!told.err.contains("left out"), "{}", told.err);
    let (own_lines, all_lines) = (lines(&own), lines(&all));
    assert_eq!(of_kind(&all_lines, "event").count(), 18);
    let bobs: Vec<&Value> = of_kind(&own_lines, "event").collect();
    assert_eq!(bobs.len(), 7);
    assert!(bobs.iter().all(|event| event["expert"] == "bob" || event["expert"] == "bobby"));
    assert!(of_kind(&own_lines, "reveal").all(|reveal| reveal["expert"] != "ada"));
    let cases: BTreeSet<&str> =
        of_kind(&own_lines, "case").map(|case| case["uuid"].as_str().unwrap()).collect();
    assert_eq!(cases, bobs.iter().map(|event| event["case"].as_str().unwrap()).collect());
    assert!(of_kind(&own_lines, "predictor").all(|predictor| predictor["settings"] == "{}"));

    let second = project.path("second.hardcase");
    std::fs::copy(&before, &second).unwrap();
    let report = said(&before, &[text(&own)]);
    assert_eq!(report[0]["by_expert"], json!({ "bob": 4, "bobby": 3 }), "{report}");
    assert!(!report.to_string().contains("lacks"), "no number of a session is missed: {report}");
    assert!(names(&before).iter().all(|(name, _)| name != "ada"));
    assert_eq!(said(&before, &[text(&own)])[0]["events"], json!({}), "once");
    // What others add later makes it what the whole log makes it at once.
    said(&before, &[text(&all)]);
    said(&second, &[text(&all)]);
    assert_eq!(names(&before), names(&project.file()));
    let cases = |file: &Path| -> BTreeSet<(String, bool)> {
        let log = Store::open(file, Access::Read).unwrap().log().unwrap();
        log.cases.iter().map(|case| (case.uuid.to_string(), case.withdrawn_ms.is_some())).collect()
    };
    assert_eq!(cases(&before), cases(&second));
    let nothing_new = said(&project.file(), &[text(&own)]);
    assert_eq!((&nothing_new[0]["events"], &nothing_new[0]["remarks"]), (&json!({}), &json!([])));

    // Nobody in particular is nobody who leads.
    let none = project.path("none.jsonl");
    exported_by(&project, "zoe", &none);
    assert_eq!(of_kind(&lines(&none), "event").count(), 0);
}

#[test]
fn an_incomplete_log_is_refused_and_the_complete_one_is_merged() {
    let (project, _, log) = labels_in_a_log();
    let whole = std::fs::read_to_string(&log).unwrap();
    let all: Vec<&str> = whole.lines().collect();
    let end: Value = serde_json::from_str(all.last().unwrap()).unwrap();
    assert_eq!((&end["kind"], &end["lines"]), (&json!("end"), &json!(all.len() - 1)));

    let cut_at_a_line = all[..all.len() - 5].join("\n") + "\n";
    let cut_in_a_line = &whole[..whole.len() - 700];
    let without_one = [&all[..all.len() - 2], &all[all.len() - 1..]].concat().join("\n");
    let changed = whole.replacen(
        "\"labels\":[\"fine\"],\"confidence\"",
        "\"labels\":[\"clickbait\"],\"confidence\"",
        1,
    );
    let changed =
        if changed == whole { whole.replacen("\"revealed\":false", "\"revealed\":true", 1) } else { changed };
    for (bad, why) in [
        (cut_at_a_line.as_str(), "it was cut short"),
        (cut_in_a_line, "it was cut short"),
        (&without_one, "was cut short or changed after it was written"),
        (&changed, "was changed after it was written"),
    ] {
        std::fs::write(&log, bad).unwrap();
        project.run("merge", &[text(&log)]).refused(2, &[why, "Nothing of it was taken in"]);
    }
    std::fs::write(&log, &whole).unwrap();
    let report = said(&project.file(), &[text(&log)]);
    assert_eq!(
        (&report[0]["by_expert"], &report[0]["remarks"]),
        (&json!({ "bob": 6 }), &json!([])),
        "{report}"
    );
    let again = said(&project.file(), &[text(&log)]);
    assert_eq!((&again[0]["events"], &again[0]["remarks"]), (&json!({}), &json!([])));
}

#[test]
fn a_part_without_models_says_that_it_must_be_returned_and_what_it_lacks() {
    let project = Project::scouted_elsewhere(120);
    project.run("mine", &["--budget", "20"]).done();
    let part = project.path("for-bob.hardcase");
    project.run("assign", &["--to", "bob", "--limit", "5", "--without-models", "-o", text(&part)]).done();
    assert_eq!(label(&part, "bob", 9, "fine").len(), 5);
    let back = "hardcase merge PROJECT COPY";
    let next = hardcase(["next", text(&part), "--as", "bob"]).done().out;
    assert!(next.contains("All assigned cases are done") && next.contains(back), "{next}");
    let status = hardcase(["status", text(&part), "--as", "bob", "--json"]).json();
    let advice = status["advice"].as_str().unwrap();
    assert!(advice.contains("all assigned cases are done") && advice.contains(back), "{advice}");
    for verb in ["tune", "mine"] {
        hardcase([verb, text(&part), "--as", "bob", "--quiet"])
            .refused(2, &["was given for labelling alone", back]);
    }
    let doctor = hardcase(["doctor", text(&part)]).done().out;
    let vectors =
        "texts (64 values each, by bag of words) and the settings of the prelabels (zero-shot) were left out";
    assert!(doctor.contains("the vectors of ") && doctor.contains(vectors), "{doctor}");
    assert!(!hardcase(["doctor", text(&project.file())]).done().out.contains("left out"));
    assert_eq!(said(&project.file(), &[text(&part)])[0]["by_expert"], json!({ "bob": 5 }));
    // Merging the rest makes it a whole project.
    said(&part, &[text(&project.file())]);
    hardcase(["tune", text(&part), "--quiet"]).done();
}
