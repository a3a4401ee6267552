//! Labels that existed before the project: they teach, an expert wins over them, they travel, and no figure counts one.

use serde_json::{Value, json};

use super::merge::{copy, essence, label, merged, text};
use super::project::{Project, TASK, ads, hardcase};

/// The advertisements again, each with a wrong label in a column `crowd`.
fn wrong_labels(n: usize) -> String {
    let swapped = |line: &str| match line.rsplit_once(',') {
        Some((_, "clickbait")) => format!("{line},fine\n"),
        Some((_, "fine")) => format!("{line},clickbait\n"),
        _ => format!("{line},crowd\n"),
    };
    ads(n).lines().map(swapped).collect()
}

/// Takes wrong labels for the texts of the project in: of the same file, so that nothing else comes with them.
#[track_caller]
pub fn import_wrong_labels(project: &Project, n: usize, options: &[&str]) -> Value {
    project.write("ads.csv", wrong_labels(n));
    let data = project.path("ads.csv");
    let mut all =
        vec![text(&data), "--text", "text", "--id", "id", "--label", "crowd", "--source", "the crowd"];
    all.extend(options);
    project.json("import", &all)
}

/// Everything that is measured or counted, but for what says how many labels teach.
fn figures(project: &Project) -> Vec<Value> {
    let mut status = project.json("status", &[]);
    for told in ["imported_labels", "advice", "last_job", "next_round"] {
        status.as_object_mut().unwrap().remove(told);
    }
    for balance in status["balance"].as_object_mut().unwrap().values_mut() {
        balance.as_object_mut().unwrap().remove("training");
    }
    let mut report = project.json("report", &[]);
    report["data"].as_object_mut().unwrap().remove("imported_labels");
    report["about"].as_object_mut().unwrap().remove("log_blake3");
    let exported = ["labels", "final", "predictions", "rows"]
        .map(|what| Value::from(project.run("export", &["--what", what]).done().out));
    let mut all = vec![status, report, project.json("agreement", &[])];
    all.extend(exported);
    all
}

/// A project in which ada has answered her round and bob a part of it.
fn answered() -> Project {
    let project = Project::scouted_elsewhere(120);
    project.run("mine", &["--budget", "40", "--overlap", "eval=2,audit=2,train=1"]).done();
    let gold = project.gold();
    project.answer_all(|item| gold[&item].clone());
    label(&project.file(), "bob", 8, "fine");
    project
}

#[test]
fn no_figure_export_or_report_differs_by_them() {
    let project = answered();
    let before = figures(&project);
    let report = import_wrong_labels(&project, 120, &[]);
    assert_eq!(
        (&report["rows"], &report["known"], &report["labels"]["new"]),
        (&0.into(), &120.into(), &120.into())
    );
    for (before, after) in before.iter().zip(figures(&project)) {
        assert_eq!(before, &after);
    }
    let told = &project.json("status", &[])["imported_labels"][0];
    assert_eq!(
        (&told["source"], &told["labels"], &told["weight"]),
        (&"the crowd".into(), &120.into(), &json!(1.0))
    );
    let written = project.run("report", &[]).done().out;
    assert!(written.contains("Labels that existed before") && written.contains("the crowd"), "{written}");

    // Where they count nothing, the model is the one without them: figures after a training, too.
    let twin = answered();
    twin.run("tune", &[]).done();
    project.run("source", &["weight", "the crowd", "0"]).done();
    project.run("tune", &[]).done();
    let kappas = |project: &Project| {
        let status = project.json("status", &[]);
        (status["kappa"].clone(), status["audit"].clone(), status["balance"].clone())
    };
    assert_eq!(kappas(&project), kappas(&twin));
    project.is_whole();
}

#[test]
fn they_teach_what_no_expert_has_answered_and_stop_nothing_from_being_asked() {
    let project = Project::scouted_elsewhere(120);
    import_wrong_labels(&project, 120, &["--weight", "0.5"]);
    let source = || project.json("source", &["list"])[0].clone();
    let in_training = source()["in_training"].as_u64().unwrap();
    assert!(in_training > 40 && source()["teach"] == in_training, "{}", source());
    let tuned = project.json("tune", &[]);
    assert_eq!(
        (&tuned["verdict"], &tuned["training"], &tuned["imported"], &tuned["cv_log_loss"]),
        (&"activated".into(), &in_training.into(), &in_training.into(), &Value::Null),
        "a figure would rest on them: {tuned}"
    );
    assert_eq!(project.json("tune", &[])["verdict"], "nothing-new");

    let mined = project.json("mine", &["--budget", "40"]);
    let cases = ["train", "eval", "audit"].map(|split| mined[split].as_u64().unwrap());
    assert_eq!(cases.iter().sum::<u64>(), 40, "{mined}");
    let gold = project.gold();
    project.answer_all(|item| gold[&item].clone());
    let taught = source()["teach"].as_u64().unwrap();
    assert_eq!(taught, in_training - cases[0], "what an expert answered is the expert's");
    let status = project.json("status", &[]);
    assert_eq!((&status["labels"], &status["experts"]), (&40.into(), &1.into()));
    let tuned = project.json("tune", &[]);
    assert_eq!((&tuned["training"], &tuned["imported"]), (&in_training.into(), &taught.into()));

    let advice = || project.json("status", &[])["advice"].as_str().unwrap().to_owned();
    assert!(!advice().contains("train again"), "{}", advice());
    project.run("source", &["weight", "the crowd", "0.25"]).done();
    assert!(advice().starts_with("train again (`hardcase tune FILE`)"), "{}", advice());
    project.run("source", &["weight", "the crowd", "0"]).done();
    assert_eq!(project.json("tune", &[])["training"], cases[0]);
    project
        .run("source", &["weight", "the crowed", "1"])
        .refused(2, &["no labels of that source", "the crowd"]);
    project.run("source", &["weight", "the crowd", "7"]).refused(2, &["between 0 and 1"]);
}

#[test]
fn a_value_that_is_no_label_leaves_nothing_and_a_map_says_what_it_stands_for() {
    let project = Project::with_ads(20);
    let rows =
        "text,n\nOne weird trick about a kettle,1\nA kettle for sale,0\nA lid for a kettle,\nA spout,7\n";
    let data = project.write("numbers.csv", rows);
    let before = project.visible();
    let import = |options: &[&str]| {
        let mut all = vec![text(&data), "--text", "text", "--label", "n", "--source", "team"];
        all.extend(options);
        project.run("import", &all)
    };
    import(&[]).refused(
        2,
        &[
            "'n' holds what is no label of the task: '0' (1 row), '1' (1 row), '7' (1 row)",
            "--map '0=clickbait'",
        ],
    );
    assert_eq!((project.visible(), project.json("source", &["list"])), (before, json!([])));
    import(&["--map", "0=fine,1=clickbait", "--map", "7=", "--json"]).done();
    let list = project.json("source", &["list"]);
    assert_eq!(
        (&list[0]["source"], &list[0]["labels"], &list[0]["texts"]),
        (&"team".into(), &2.into(), &2.into())
    );
    let without = hardcase(["import", text(&project.file()), text(&data), "--label", "n"]);
    assert!(without.code == Some(2) && without.err.contains("--source"), "{}", without.err);
    project.is_whole();
}

#[test]
fn several_answers_to_a_text_are_one_say_of_their_source() {
    let project = Project::scouted_elsewhere(60);
    // In a list, in several rows, and both; the majority of the source counts.
    let gold = project.gold();
    let mut lines = String::new();
    for line in project.run("export", &["--what", "predictions"]).json_lines() {
        let said = &gold[&line["item"].as_i64().unwrap()];
        let text = &line["text"];
        lines.push_str(&format!(
            "{}\n",
            json!({ "text": text, "said": [said, said, "fine"], "when": "2024-05-01" })
        ));
        lines.push_str(&format!("{}\n", json!({ "text": text, "said": said })));
    }
    let data = project.write("crowd.jsonl", lines);
    let report = project.json(
        "import",
        &[text(&data), "--text", "text", "--label", "said", "--at", "when", "--source", "crowd"],
    );
    assert_eq!((&report["new_items"], &report["labels"]["new"]), (&0.into(), &240.into()));
    let tuned = project.json("tune", &[]);
    assert_eq!(tuned["training"], report["labels"]["training"]);
    let train: Vec<i64> = project
        .is_whole()
        .splits()
        .unwrap()
        .iter()
        .filter(|(_, s)| s.as_str() == "train")
        .map(|(i, _)| i.0)
        .collect();
    let clickbait = train.iter().filter(|item| gold[*item] == "clickbait").count();
    assert_eq!(tuned["by_label"]["clickbait"], clickbait, "{tuned}");
    // Once more: they are known.
    let again =
        project.json("import", &[text(&data), "--text", "text", "--label", "said", "--source", "crowd"]);
    assert_eq!(
        (&again["rows"], &again["labels"]["new"], &again["differing"]),
        (&0.into(), &0.into(), &0.into())
    );
}

#[test]
fn they_travel_with_copies_logs_and_renamed_labels_and_never_in_a_part() {
    let project = answered();
    let (without, log_only) = (copy(&project, "b.hardcase"), copy(&project, "c.hardcase"));
    import_wrong_labels(&project, 120, &["--weight", "0.25"]);
    project.run("source", &["weight", "the crowd", "0.75"]).done();
    let list = |file: &std::path::Path| hardcase(["source", text(file), "list", "--json"]).json();
    let want = list(&project.file());
    assert_eq!((want[0]["labels"].as_u64(), want[0]["weight"].as_f64()), (Some(120), Some(0.75)));

    let brought = merged(&without, &project.file()).brought;
    assert_eq!((brought.label_sources, brought.imported_labels), (1, 120));
    let log = project.path("log.jsonl");
    project.run("export", &["--what", "events", "-o", text(&log)]).done();
    merged(&log_only, &log);
    for file in [&without, &log_only] {
        assert_eq!(list(file), want);
        assert_eq!(essence(file), essence(&project.file()));
    }
    assert_eq!(merged(&without, &project.file()).brought.imported_labels, 0);

    // A copy that weighs them otherwise, later, is followed; one that did before is not.
    hardcase(["source", text(&without), "weight", "the crowd", "0.5"]).done();
    merged(&project.file(), &without);
    merged(&project.file(), &log_only);
    assert_eq!(list(&project.file())[0]["weight"], 0.5);

    let teach = list(&project.file())[0]["teach"].clone();
    let renamed = TASK.replace("name = \"clickbait\"", "name = \"lure\"\nid = \"clickbait\"");
    project.run("task", &["--set", text(&project.write("t.toml", &renamed))]).done();
    assert_eq!(list(&project.file())[0]["teach"], teach);
    let by_label = project.json("tune", &[])["by_label"].clone();
    assert!(by_label["lure"].as_u64() > Some(10) && by_label["clickbait"] == Value::Null, "{by_label}");

    // An expert's own log and part have none.
    let own = project.run("export", &["--what", "events", "--as", "bob"]).done().out;
    assert!(!own.contains("imported-label") && !own.contains("label-source"), "{own}");
    project.run("mine", &["--budget", "20"]).done();
    let part = project.path("part.hardcase");
    project.run("assign", &["--to", "eve", "-o", text(&part)]).done();
    assert_eq!(list(&part), json!([]));
}
