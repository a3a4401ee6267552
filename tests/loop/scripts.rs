//! What scripts rely on: answers from standard input, what `next` and errors say to programs, and what a failure leaves behind.

use std::ffi::OsStr;
use std::io::Write;
use std::process::Stdio;

use serde_json::{Value, json};

use super::project::{Project, Ran, hardcase};

/// Runs a verb with something on standard input.
#[track_caller]
fn fed(project: &Project, verb: &str, arguments: &[&str], input: &str) -> Ran {
    let mut command = project.command(verb, arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let ended = child.wait_with_output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    Ran { code: ended.status.code(), out: text(ended.stdout), err: text(ended.stderr) }
}

fn labelled(project: &Project) -> Vec<(i64, String)> {
    let lines = project.run("export", &[]).json_lines();
    lines
        .iter()
        .map(|line| (line["item"].as_i64().unwrap(), line["label"].as_str().unwrap().to_owned()))
        .collect()
}

#[test]
fn answers_come_from_standard_input_by_item_or_own_id_with_skips_flags_and_undo() {
    let project = Project::with_ads(6);
    let rows = project.run("export", &["--what", "rows"]).json_lines();
    let own = &rows[1]["id"];
    let lines = format!(
        "{{\"item\":1,\"label\":\"fine\",\"note\":\"sure\"}}\n\n{{\"id\":{own},\"label\":1}}\n\
         {{\"item\":3,\"skip\":true}}\n{{\"item\":4,\"flag\":true}}\n{{\"item\":5,\"label\":\"fine\"}}\n{{\"undo\":true}}\n"
    );
    let said = fed(&project, "answer", &["-", "--json"], &lines).json_lines();
    assert_eq!(said[1], json!({"item":2,"label":"clickbait","changed":false,"found":true,"labels":2}));
    assert_eq!(said[2], json!({"item":3,"skipped":true}));
    assert_eq!(said[3], json!({"item":4,"flagged":true}));
    assert_eq!(said[5], json!({"item":5,"undone":"label fine"}));
    assert_eq!(labelled(&project), [(1, "fine".into()), (2, "clickbait".into())]);

    let ran =
        fed(&project, "answer", &["-"], "{\"item\":6,\"label\":\"fine\"}\n{\"item\":1,\"lable\":\"fine\"}\n");
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("cannot take line 2 of the answers: unknown field `lable`"), "{}", ran.err);
    assert_eq!(labelled(&project).len(), 3, "what came before is saved");

    project.run("answer", &["--id", own.as_str().unwrap(), "--label", "fine"]).done();
    assert_eq!(project.json("answer", &["--item", "2", "--flag"]), json!({"item":2,"flagged":true}));
    assert_eq!(project.json("answer", &["--item", "2", "--skip"])["skipped"], true);
    project
        .run("answer", &["--id", "nobody's", "--label", "fine"])
        .refused(2, &["no imported row has it", "--id"]);
    assert_eq!(project.run("answer", &["--item", "2"]).code, Some(2), "nothing to record");
}

#[test]
fn next_tells_that_nothing_is_left_from_that_nothing_is_there_yet() {
    let project = Project::empty();
    assert_eq!(project.json("next", &[])["state"], "not_yet");
    let project = Project::scouted_elsewhere(12);
    assert_eq!(project.json("next", &[])["state"], "not_yet");
    project.run("mine", &["--budget", "4"]).done();
    project.answer_all(|_| "fine".into());
    let next = project.json("next", &[]);
    assert_eq!((&next["case"], &next["state"]), (&Value::Null, &json!("none_left")), "{next}");
}

#[test]
fn an_error_is_one_json_object_for_who_asked_for_json() {
    let project = Project::with_ads(2);
    for (arguments, code) in [(&["--item", "99", "--label", "fine"][..], 2), (&["--no-such-option"], 2)] {
        let ran = project.run("answer", &[arguments, &["--json"]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (Some(code), ""));
        let error: Value = serde_json::from_str(&ran.err).unwrap();
        assert_eq!(error["code"], code);
        assert!(error["error"].as_str().is_some_and(|said| !said.is_empty()), "{error}");
    }
}

#[test]
fn a_round_that_nobody_has_begun_is_closed_only_by_force() {
    let project = Project::scouted_elsewhere(30);
    project.run("mine", &["--budget", "4"]).done();
    project
        .run("mine", &["--budget", "4"])
        .refused(1, &["nobody has answered a case of round 1 yet", "--force"]);
    assert_eq!(project.json("mine", &["--budget", "4", "--force"])["round"], 2);
    let item = project.json("next", &[])["item"].to_string();
    project.run("answer", &["--item", &item, "--label", "fine"]).done();
    assert_eq!(project.json("mine", &["--budget", "4"])["round"], 3);
}

#[test]
fn a_project_whose_texts_cannot_be_imported_is_not_left_behind() {
    let project = Project::none();
    let task = project.write("task.toml", super::project::TASK);
    let good = project.write("good.csv", "text\nhello there you\n");
    let bad = project.write("bad.csv", "text,n\nhello there you,1\nand you,2,3\n");
    let file = project.file();
    let new = [OsStr::new("new"), file.as_os_str(), "--task".as_ref(), task.as_os_str(), "--data".as_ref()];
    let with = |data: &[&OsStr]| {
        let more = data.iter().skip(1).flat_map(|data| [OsStr::new("--data"), *data]);
        hardcase(new.iter().copied().chain([data[0]]).chain(more))
    };
    let failed = with(&[good.as_os_str(), bad.as_os_str()]);
    assert_eq!(failed.code, Some(1), "{}", failed.err);
    let left: Vec<_> = std::fs::read_dir(project.path("")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().contains("hardcase")), "{left:?}");
    with(&[good.as_os_str()]).done();
    assert_eq!(project.json("status", &[])["items"], 1);
}

#[test]
fn a_second_import_adds_no_text_and_ids_may_repeat_or_be_missing() {
    let project = Project::empty();
    let a = "record_id,id,text\n1,x,The kettle arrived with a dent\n1,x,Lovely colour indeed\n,y,No reply to three letters\n";
    let b = "record_id,id,text\n9,z,The  kettle arrived with a dent \n10,z,lovely colour indeed\n11,,A new sentence altogether\n";
    for (name, text, new, duplicates, known) in
        [("a.csv", a, 3, 0, 0), ("a.csv", a, 0, 0, 3), ("b.csv", b, 2, 1, 0)]
    {
        project.write(name, text);
        let report = project.json("import", &[name]);
        assert_eq!(
            (&report["new_items"], &report["duplicates"], &report["known"]),
            (&json!(new), &json!(duplicates), &json!(known)),
            "{name}"
        );
    }
    let rows = project.run("export", &["--what", "rows"]).json_lines();
    project
        .write("b.csv", b.replace("A new sentence", "No sentence").replace("10,z,lovely", "10,z,dreadful"));
    let report = project.json("import", &["b.csv"]);
    assert_eq!(
        (&report["new_items"], &report["changed"]),
        (&json!(2), &json!(0)),
        "z has two texts, one of them the same"
    );
    project.write("a.csv", a.replace("No reply", "A reply"));
    assert_eq!(project.json("import", &["a.csv"])["changed"], 1);
    let ids: Vec<&str> = rows.iter().map(|row| row["id"].as_str().unwrap_or_default()).collect();
    assert_eq!(ids, ["x", "x", "y", "z", "z", ""]);
}

#[test]
fn rows_that_were_exported_come_in_again_as_the_same_and_their_columns_are_not_doubled() {
    let project = Project::empty();
    let rows = "{\"id\":1,\"text\":\"commas, \\\"quotes\\\"\\nand a line break\\t\",\"n\":\" both ends \"}\n{\"id\":2,\"text\":\"plain\"}\n";
    project.write("rows.jsonl", rows);
    project.run("import", &["rows.jsonl"]).done();
    project.run("export", &["--what", "rows", "--format", "csv", "--bom", "-o", "r.csv"]).done();
    let csv = std::fs::read_to_string(project.path("r.csv")).unwrap();
    assert!(csv.starts_with("\u{feff}id,text,n,hardcase_label,"), "{csv}");
    let again = project.json("import", &["r.csv"]);
    assert_eq!((&again["new_items"], &again["duplicates"]), (&json!(0), &json!(2)));
    let back = project.run("export", &["--what", "rows", "-o", "-"]).json_lines();
    assert_eq!((back.len(), &back[2]["text"], &back[2]["n"]), (4, &back[0]["text"], &back[0]["n"]));
    let head = project.run("export", &["--what", "rows", "--format", "csv"]).done().out;
    assert_eq!(head.lines().next().unwrap().matches("hardcase_label").count(), 1, "{head}");
    project.run("export", &["--bom"]).refused(2, &["jsonl with a byte-order mark", "--format csv"]);
}

#[test]
fn labels_go_to_other_programs_and_come_back() {
    let project = Project::with_ads(3);
    project.answer_as("ada", 1, "fine");
    for format in ["label-studio", "doccano", "argilla", "prodigy", "spacy", "fasttext"] {
        let name = if ["label-studio", "argilla"].contains(&format) {
            "out.json"
        } else if format == "fasttext" {
            "out.txt"
        } else {
            "out.jsonl"
        };
        project.run("export", &["--what", "final", "--format", format, "-o", name]).done();
        let other = Project::empty();
        std::fs::copy(project.path(name), other.path(name)).unwrap();
        let report = other.json("import", &[name, "--gold", "label"]);
        assert_eq!(report["new_items"], 3, "{format}: {report}");
        other.enter_vectors();
        let gold = other.gold();
        assert_eq!(gold.get(&1).map(String::as_str), Some("fine"), "{format}: {gold:?}");
        assert_eq!(gold.len(), 1, "{format}: {gold:?}");
    }
}
