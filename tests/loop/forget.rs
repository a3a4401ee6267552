//! Removing a text on demand, by the real binary: what goes, what stays, and that nothing brings it back.

use super::merge::{copy, essence, exported, said, text};
use super::project::{Project, hardcase};

/// A project in which a text was answered with a note, and that text's number and text.
fn answered() -> (Project, String, String) {
    let project = Project::scouted_elsewhere(40);
    project.run("mine", &["--budget", "12", "--as", "ada"]).done();
    let case = project.json("next", &["--as", "ada"]);
    let (item, words) = (case["item"].to_string(), case["text"].as_str().unwrap().to_owned());
    let note = "her name is in it: Roe";
    project.run("answer", &["--item", &item, "--label", "fine", "--note", note, "--as", "ada"]).done();
    (project, item, words)
}

fn holds(project: &Project, part: &str) -> bool {
    let bytes = std::fs::read(project.file()).unwrap();
    bytes.windows(part.len()).any(|window| window == part.as_bytes())
}

#[test]
fn a_removed_text_is_gone_from_the_file_and_from_all_that_is_exported_and_its_label_stays() {
    let (project, item, words) = answered();
    project.run("backup", &[]).done();
    project.run("forget", &[&item]).refused(2, &["cannot be undone", "--yes"]);
    project.run("forget", &["999", "--yes"]).refused(2, &["no item 999"]);
    let would = project.json("forget", &[&item, "--dry-run"]);
    assert_eq!((&would["dry_run"], &would["texts"], &would["notes"]), (&true.into(), &1.into(), &1.into()));
    assert!(holds(&project, &words) && holds(&project, "Roe"));
    let done = project.json("forget", &[&item, "--yes"]);
    assert_eq!((&done["dry_run"], &done["events"]), (&false.into(), &1.into()));
    let backups = done["backups"].as_array().unwrap();
    assert_eq!(backups.len(), 1, "{done}");
    assert!(std::path::Path::new(backups[0].as_str().unwrap()).exists());
    assert!(!holds(&project, &words) && !holds(&project, "Roe"));

    drop(project.is_whole());
    let file = project.file();
    for what in ["labels", "predictions", "final", "rows"] {
        assert!(!exported(&file, &["--what", what, "--reveal"]).contains(&words), "{what}");
    }
    assert!(!exported(&file, &["--what", "labels", "--history", "--reveal"]).contains(&words));
    let log = exported(&file, &["--what", "events"]);
    assert!(log.contains("\"kind\":\"forgotten\"") && !log.contains(&words) && !log.contains("Roe"));
    assert_eq!(log.matches("\"kind\":\"event\"").count(), 1, "{log}");
    let status = project.json("status", &[]);
    assert_eq!((&status["items"], &status["labels"]), (&39.into(), &0.into()));
    project.run("answer", &["--item", &item, "--label", "fine", "--as", "bob"]).refused(1, &["was removed"]);
    while let Some(case) = project.json("next", &["--as", "bob"])["item"].as_i64() {
        assert_ne!(case.to_string(), item);
        project.run("answer", &["--item", &case.to_string(), "--label", "fine", "--as", "bob"]).done();
    }
    project.run("doctor", &[]).done();
    let again = project.json("forget", &[&item, "--yes"]);
    assert_eq!(again["texts"], 0);
}

#[test]
fn no_merge_import_or_restore_brings_a_removed_text_back() {
    let (project, item, words) = answered();
    let holder = copy(&project, "holder.hardcase");
    project.run("backup", &[]).done();
    project.json("forget", &[&item, "--yes"]);

    // A file that still holds it comes in, with more that was said of it there.
    hardcase([
        "answer",
        text(&holder),
        "--item",
        &item,
        "--label",
        "clickbait",
        "--note",
        "Roe",
        "--as",
        "bob",
    ])
    .done();
    said(&project.file(), &[text(&holder)]);
    assert!(!holds(&project, &words) && !holds(&project, "Roe"));
    let second = &said(&project.file(), &[text(&holder)])[0];
    assert_eq!(
        (&second["rows"], &second["texts"], &second["vectors"]),
        (&0.into(), &0.into(), &0.into()),
        "{second}"
    );

    let one = project.write("one.jsonl", serde_json::json!({ "text": words }).to_string());
    let report = project.run("import", &[text(&one), "--text", "text"]);
    assert!(!holds(&project, &words), "{}", report.out);

    // And the other way round: the holder takes the removal in.
    let came = &said(&holder, &[text(&project.file())])[0];
    assert_eq!(came["forgotten"], 1, "{came}");
    let bytes = std::fs::read(&holder).unwrap();
    assert!(!bytes.windows(words.len()).any(|window| window == words.as_bytes()));
    said(&project.file(), &[text(&holder)]);
    assert_eq!(essence(&holder), essence(&project.file()));

    project.run("restore", &["--as-it-was"]).done();
    assert!(!holds(&project, &words) && !holds(&project, "Roe"));
    drop(project.is_whole());
}
