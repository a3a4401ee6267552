//! The loop as a person or a script drives it: import, scout, mine, next and answer, tune, status, export, with the gold as the expert.

use std::collections::HashMap;

use hardcase::desk::session::{Next, OnClose, Remarks, Session};
use hardcase::store::log::runs::{Begun, Outcome};
use hardcase::store::{Access, Store};
use serde_json::{Value, json};

use super::project::{Project, TASK};

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// A figure is a value with its interval and n, or a reason why there is none.
#[track_caller]
fn is_figure(figure: &Value) {
    if figure.get("undefined").is_some() {
        assert_eq!(keys(figure), ["undefined"]);
        assert!(figure["undefined"].as_str().is_some_and(|why| why.len() > 10), "{figure}");
    } else {
        assert!(figure["n"].as_u64().is_some(), "{figure}");
        let [value, lo, hi] = ["value", "lo", "hi"].map(|k| figure[k].as_f64().expect("a number"));
        assert!(lo <= value && value <= hi, "{figure}");
    }
}

#[track_caller]
fn is_status(status: &Value) {
    for key in ["items", "scored", "labels", "round", "experts"] {
        assert!(status[key].is_u64(), "{key} of {status}");
    }
    assert_eq!(status["experts"], status["labels_by_expert"].as_object().unwrap().len());
    assert!(status["balance"].is_object());
    is_figure(&status["kappa"]["model_expert"]);
    is_figure(&status["kappa"]["expert_expert"]);
    is_figure(&status["audit"]["kappa"]);
    assert!(status["advice"].as_str().is_some_and(|advice| !advice.is_empty()));
}

/// Answers every case of the open round with the gold. Returns the items in their order.
#[track_caller]
fn answer_all(project: &Project, gold: &HashMap<i64, String>) -> Vec<i64> {
    let mut answered = Vec::new();
    loop {
        let case = project.json("next", &[]);
        let Some(item) = case["item"].as_i64() else {
            assert_eq!(case["case"], Value::Null);
            assert!(case["why"].as_str().is_some_and(|why| why.contains("hardcase")), "{case}");
            return answered;
        };
        assert!(!answered.contains(&item), "item {item} comes a second time");
        let saved = project.json("answer", &["--item", &item.to_string(), "--label", &gold[&item]]);
        assert_eq!((&saved["item"], &saved["label"]), (&json!(item), &json!(gold[&item])));
        answered.push(item);
        assert_eq!(saved["labels"], answered.len());
    }
}

/// From a scouted project over a whole round to a tuned model and its exports.
#[track_caller]
fn a_round_goes_through(project: &Project, items: usize) {
    let mined = project.json("mine", &["--budget", "30"]);
    assert_eq!(mined["round"], 1);
    let counts = ["train", "eval", "audit"].map(|k| mined[k].as_u64().unwrap());
    assert_eq!(counts.iter().sum::<u64>(), 30, "the budget counts all three");
    assert_eq!(counts[2], 6);

    let gold = project.gold();
    let answered = answer_all(project, &gold);
    assert_eq!(answered.len(), 30);

    let tuned = project.json("tune", &[]);
    assert_eq!((&tuned["verdict"], &tuned["training"]), (&json!("activated"), &json!(counts[0])), "{tuned}");
    let again = project.json("tune", &[]);
    assert_eq!(again["verdict"], "nothing-new", "{again}");

    let status = project.json("status", &[]);
    is_status(&status);
    assert_eq!((&status["items"], &status["scored"]), (&json!(items), &json!(items)));
    assert_eq!((&status["labels"], &status["round"]), (&json!(30), &json!(1)));
    assert_eq!(status["labels_by_expert"], json!({ "ada": 30 }));
    assert_eq!(status["kappa"]["model_expert"]["n"], counts[1]);
    assert!(status["kappa"]["expert_expert"]["undefined"].as_str().unwrap().contains("second"));

    exports_agree(project, items, &gold, &answered);
    let doctor = project.run("doctor", &[]).done().out;
    assert!(doctor.contains(&format!("intact: {items} texts, 30 labels")), "{doctor}");

    let next = project.json("mine", &["--budget", "20", "--strategy", "margin"]);
    assert_eq!(next["round"], 2);
    let second = answer_all_items(project);
    let again = second.iter().filter(|item| answered.contains(item)).count();
    assert!(
        again as u64 <= next["again"].as_u64().unwrap(),
        "no item is asked twice but where it is meant to"
    );
    for sidecar in ["pool.hardcase-wal", "pool.hardcase-shm"] {
        assert!(!project.path(sidecar).exists(), "one file remains to copy");
    }
}

#[test]
fn a_round_over_an_open_one_may_have_its_cases_again_but_for_those_answered_or_on_a_screen() {
    let project = Project::scouted_elsewhere(120);
    let cases =
        |mined: &Value| ["train", "eval", "audit"].map(|k| mined[k].as_u64().unwrap()).iter().sum::<u64>();
    let first = project.json("mine", &["--budget", "3000"]);
    assert_eq!((cases(&first), &first["round"]), (120, &json!(1)), "{first}");
    let places = first["again"].as_u64().unwrap();
    assert!(places <= 120 / 15, "as many as the round's cases ask for: {first}");
    let says = format!("only {} of 3000 cases", 120 + places);
    assert!(first["note"].as_str().is_some_and(|note| note.contains(&says)), "the number typed: {first}");

    let on_screen = project.json("next", &[])["item"].as_i64().unwrap();
    let second = project.json("mine", &["--budget", "3000", "--force"]);
    assert_eq!((cases(&second), &second["round"]), (119, &json!(2)), "{second}");
    assert_eq!(project.json("next", &[])["item"], on_screen, "it stays where it was");
    project.json("answer", &["--item", &on_screen.to_string(), "--label", "fine"]);
    let third = project.json("mine", &["--budget", "40", "--force"]);
    assert_eq!((cases(&third), &third["note"]), (40, &Value::Null), "{third}");
    let status = project.json("status", &[]);
    assert_eq!(status["round_cases"]["cases"], 40);
    assert!(!answer_all_items(&project).contains(&on_screen));
}

/// The items of the open round, each answered with the second label.
fn answer_all_items(project: &Project) -> Vec<i64> {
    let everything_fine = (1..=1_000).map(|item| (item, "fine".to_owned())).collect();
    let mut items = Vec::new();
    loop {
        let case = project.next_as("ada");
        let Some(item) = case["item"].as_i64() else { return items };
        let labels: &HashMap<i64, String> = &everything_fine;
        project.answer_as("ada", item, &labels[&item]);
        items.push(item);
    }
}

fn exports_agree(project: &Project, items: usize, gold: &HashMap<i64, String>, answered: &[i64]) {
    let predictions = project.run("export", &["--what", "predictions"]).json_lines();
    assert_eq!(predictions.len(), items);
    for line in &predictions {
        assert_eq!(keys(line), ["id", "item", "text", "prelabel", "probabilities", "label", "gold"]);
        let item = line["item"].as_i64().unwrap();
        let label = answered.contains(&item).then(|| gold[&item].clone());
        assert_eq!(line["label"], json!(label));
        let p = line["probabilities"].as_object().unwrap();
        assert_eq!(p.keys().collect::<Vec<_>>(), ["clickbait", "fine"]);
        assert!((p.values().map(|p| p.as_f64().unwrap()).sum::<f64>() - 1.0).abs() < 1e-4);
        let top = if p["clickbait"].as_f64() >= p["fine"].as_f64() { "clickbait" } else { "fine" };
        assert_eq!(line["prelabel"], top);
    }
    let scout = project.run("export", &["--what", "predictions", "--by", "scout"]).json_lines();
    assert_eq!(scout.len(), items);
    assert!(scout.iter().all(|line| line["probabilities"].is_object()), "earlier models are computed again");
    assert_ne!(scout, predictions);

    let labels = project.run("export", &["--what", "labels"]).json_lines();
    assert_eq!(labels.len(), answered.len());
    for (line, item) in labels.iter().zip(answered) {
        assert_eq!((&line["item"], &line["label"]), (&json!(item), &json!(gold[item])));
        assert_eq!(
            [&line["expert"], &line["round"], &line["revealed"]],
            [&json!("ada"), &json!(1), &json!(false)]
        );
    }

    let rows = project.run("export", &["--what", "rows"]).json_lines();
    for (line, original) in rows.iter().zip(super::project::ADS.lines().skip(1)) {
        assert!(original.starts_with(line["id"].as_str().unwrap()), "rows keep their order");
        assert_eq!(
            keys(line),
            [
                "id",
                "text",
                "placement",
                "advertiser",
                "gold",
                "hardcase_label",
                "hardcase_probability",
                "hardcase_decided_by"
            ]
        );
    }
    let by_experts = rows.iter().filter(|line| line["hardcase_decided_by"] == "ada").count();
    assert_eq!((rows.len(), by_experts), (items, answered.len()));

    for (what, lines) in [("predictions", items), ("labels", answered.len()), ("rows", items)] {
        let out = project.path("out.csv");
        project.run("export", &["--what", what, "--format", "csv", "-o", out.to_str().unwrap()]).done();
        let mut reader = csv::Reader::from_path(&out).unwrap();
        let columns = reader.headers().unwrap().len();
        let records: Vec<_> = reader.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), lines, "{what}");
        assert!(records.iter().all(|r| r.len() == columns));
    }
}

#[cfg(feature = "engine")]
#[test]
fn the_embedded_model_takes_a_file_from_nothing_to_a_tuned_model() {
    let project = Project::none();
    let task = project.write("task.toml", TASK);
    let data = project.write("ads.csv", super::project::ads(160));
    let named: Vec<&str> =
        "--text text --id id --gold gold --meta placement --meta advertiser".split(' ').collect();
    let from = ["--task", task.to_str().unwrap(), "--data", data.to_str().unwrap()];
    project.run("new", &[&from[..], &named].concat()).done();

    let scouted = super::project::run(project.command("scout", &["--progress", "json", "--json"])).done();
    for line in scouted.err.lines() {
        let progress: Value = serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}"));
        assert!(progress["job"] == "scout" || progress["note"].is_string(), "{line}");
    }
    let report: Value = serde_json::from_str(&scouted.out).unwrap();
    assert_eq!((&report["embedded"], &report["scored"]), (&json!(160), &json!(160)));
    let again = project.json("scout", &[]);
    assert_eq!((&again["embedded"], &again["scored"]), (&json!(0), &json!(160)), "nothing to do");

    a_round_goes_through(&project, 160);

    let before = std::fs::read(project.file()).unwrap();
    let new = project
        .write("new.csv", "id,text\na,You will not believe what happened next\nb,Oak table for 200 euros\n");
    let scored = project.run("predict", &[new.to_str().unwrap()]).json_lines();
    assert_eq!(scored.iter().map(|l| l["id"].as_str().unwrap()).collect::<Vec<_>>(), ["a", "b"]);
    assert!(scored.iter().all(|l| l["probabilities"].is_object() && l["prelabel"].is_string()), "{scored:?}");
    let out = project.path("predicted.csv");
    project.run("predict", &[new.to_str().unwrap(), "-o", out.to_str().unwrap()]).done();
    let mut csv = csv::Reader::from_path(out).unwrap();
    let columns: Vec<String> = csv.headers().unwrap().iter().map(str::to_owned).collect();
    assert_eq!(columns, keys(&scored[0]), "the extension chooses CSV, with the same columns");
    for (row, line) in csv.records().map(Result::unwrap).zip(&scored) {
        let plain = |value: &Value| match value {
            Value::Null => String::new(),
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        let cells: Vec<String> = keys(line).into_iter().map(|key| plain(&line[key])).collect();
        assert_eq!(row.iter().collect::<Vec<_>>(), cells);
    }
    assert!(std::fs::read(project.file()).unwrap() == before, "to predict changes nothing");

    // A line out for each row in, with all its columns.
    let rows = "{\"id\":1,\"text\":\"Oak table\",\"n\":1.50}\n{\"id\":2,\"text\":\" \"}\n{\"id\":3,\n{\"id\":4,\"text\":\"One trick\"}\n";
    let odd = project.write("odd.jsonl", rows);
    let lines = project.run("predict", &[odd.to_str().unwrap()]).json_lines();
    assert_eq!(lines.len(), 4);
    assert_eq!((&lines[0]["id"], lines[0]["n"].to_string().as_str()), (&json!(1), "1.5"));
    assert_eq!((&lines[1]["id"], &lines[1]["prelabel"]), (&json!(2), &Value::Null));
    assert_eq!(lines[1]["error"], "it has no text");
    assert!(lines[2]["line"] == 3 && lines[2]["error"].as_str().unwrap().contains("not a JSON object"));
    assert!(lines[3]["prelabel"].is_string() && lines[3]["error"].is_null());
    assert_eq!(project.run("predict", &[odd.to_str().unwrap(), "--skip-bad"]).json_lines().len(), 3);
    let nothing = project.write("nothing.jsonl", "");
    assert_eq!(project.run("predict", &[nothing.to_str().unwrap()]).done().out, "");
}

#[test]
fn vectors_that_are_in_the_file_are_enough_to_mine_label_tune_and_export() {
    let project = Project::scouted_elsewhere(200);
    a_round_goes_through(&project, 200);
}

#[test]
fn before_anything_is_scouted_every_verb_says_what_to_do_first() {
    let project = Project::with_ads(5);
    let next = project.json("next", &[]);
    assert!(next["case"].is_null() && next["why"].as_str().unwrap().contains("hardcase scout"), "{next}");
    project.run("mine", &[]).refused(1, &["no text has been scouted yet", "hardcase scout"]);
    project.run("tune", &[]).refused(1, &["no text has been scouted yet", "hardcase scout"]);
    let status = project.json("status", &[]);
    is_status(&status);
    assert_eq!((&status["items"], &status["scored"], &status["round"]), (&json!(5), &json!(0), &json!(0)));
    assert!(status["advice"].as_str().unwrap().contains("scout"), "{status}");
}

#[test]
fn a_case_is_blind_and_stays_until_it_is_answered() {
    let project = Project::scouted_elsewhere(100);
    project.run("mine", &["--budget", "20", "--overlap", "eval=1,audit=1,share=0"]).done();
    let case = project.json("next", &[]);
    assert_eq!(keys(&case), ["case", "item", "id", "text", "meta", "partner", "labels"]);
    assert_eq!(keys(&case["meta"]), ["placement"], "never the gold, never a column that was not named");
    assert_eq!(case["labels"], json!([{ "name": "clickbait", "key": "1" }, { "name": "fine", "key": "2" }]));
    assert_eq!(keys(&case["partner"]), ["text", "similarity"], "{case}");
    assert_eq!(project.json("next", &[]), case);
    let hers = project.json("next", &["--as", "grace"]);
    assert_ne!(hers["item"], case["item"], "one case, one expert");
    let in_words = project.run("next", &[]).done().out;
    for hidden in ["train", "eval", "audit", "boundary", "margin", "0.", "gold"] {
        let shown = in_words.replace(case["text"].as_str().unwrap(), "");
        let near = shown.lines().filter(|l| !l.starts_with("similar text")).collect::<String>();
        let partner = case["partner"]["text"].as_str().unwrap_or("\0");
        assert!(!near.replace(partner, "").contains(hidden), "{hidden:?} in {in_words}");
    }
    let item = case["item"].to_string();
    project.json("answer", &["--item", &item, "--label", "2", "--note", "plain enough"]);
    assert_ne!(project.json("next", &[])["item"], case["item"]);
    let label = &project.run("export", &[]).json_lines()[0];
    assert_eq!(
        [&label["label"], &label["note"], &label["seen"]],
        [&json!("fine"), &json!("plain enough"), &json!(null)]
    );
}

#[test]
fn the_task_says_which_columns_are_shown_and_known_labels_never_are() {
    let project = Project::scouted_elsewhere(100);
    project.run("mine", &["--budget", "20"]).done();
    let shown = |columns: &str| {
        let task =
            project.write("columns.toml", TASK.replacen("[[label]]", &format!("{columns}\n[[label]]"), 1));
        project.run("task", &["--set", task.to_str().unwrap()]).done();
        keys(&project.json("next", &[])["meta"]).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let all = "columns = [\"gold\", \"advertiser\", \"text\", \"placement\", \"no such\"]";
    assert_eq!(shown(all), ["advertiser", "placement"]);
    assert_eq!(shown("columns = []"), [""; 0]);
    assert_eq!(shown(""), ["placement"]);
}

#[test]
fn a_reveal_is_recorded_with_the_answer_that_follows_it() {
    let project = Project::scouted_elsewhere(100);
    project.run("mine", &["--budget", "20"]).done();
    let case = project.json("next", &["--reveal"]);
    assert_eq!(keys(&case), ["case", "item", "id", "text", "meta", "partner", "labels", "revealed"]);
    assert!(["train", "eval", "audit"].contains(&case["revealed"]["split"].as_str().unwrap()));
    assert_eq!(keys(&case["revealed"]["probabilities"]), ["clickbait", "fine"]);
    assert!(["the same label", "another label"].contains(&case["revealed"]["partner"].as_str().unwrap()));
    // A later look without the option does not make the answer blind again.
    assert!(project.json("next", &[]).get("revealed").is_none());
    let item = case["item"].to_string();
    project.json("answer", &["--item", &item, "--label", "fine"]);
    let label = &project.run("export", &[]).json_lines()[0];
    assert_eq!([&label["revealed"], &label["seen"]], [&json!(true), &case["revealed"]["prelabel"]]);
}

#[test]
fn a_changed_answer_is_a_second_event_and_one_label() {
    let project = Project::scouted_elsewhere(60);
    project.json("answer", &["--item", "3", "--label", "fine"]);
    let changed = project.json("answer", &["--item", "3", "--label", "clickbait"]);
    assert_eq!((&changed["changed"], &changed["labels"]), (&json!(true), &json!(1)));
    let labels = project.run("export", &[]).json_lines();
    assert_eq!((labels.len(), &labels[0]["label"]), (1, &json!("clickbait")));
    let history = project.run("export", &["--history"]).json_lines();
    assert_eq!(
        history.iter().map(|e| e["label"].as_str().unwrap()).collect::<Vec<_>>(),
        ["fine", "clickbait"]
    );
    assert!(history[0]["lamport"].as_i64() < history[1]["lamport"].as_i64());
}

#[test]
fn a_renamed_label_keeps_its_answers_and_the_revision_they_were_given_under() {
    let project = Project::scouted_elsewhere(60);
    project.json("answer", &["--item", "3", "--label", "fine"]);
    let renamed = TASK.replace("name = \"fine\"", "id = \"fine\"\nname = \"plain\"");
    assert_ne!(renamed, TASK);
    let task = project.write("renamed.toml", renamed);
    assert_eq!(project.json("task", &["--set", task.to_str().unwrap()]), json!({ "revision": 2 }));
    assert_eq!(
        project.json("task", &["--set", task.to_str().unwrap()]),
        json!({ "revision": 2 }),
        "nothing new"
    );
    project.json("answer", &["--item", "4", "--label", "plain"]);
    let labels = project.run("export", &[]).json_lines();
    let told: Vec<_> =
        labels.iter().map(|l| (l["label"].as_str().unwrap(), l["revision"].as_i64().unwrap())).collect();
    assert_eq!(told, [("plain", 1), ("plain", 2)]);
    assert_eq!(project.json("status", &[])["balance"]["plain"]["labels"], 2);
    assert_eq!(project.json("task", &["--show"]).as_array().unwrap().len(), 2);
}

#[test]
fn a_label_that_is_added_later_does_not_keep_the_model_from_learning() {
    let project = Project::scouted_elsewhere(240);
    let answer_all = |rare: Option<&str>| {
        let mut session = Session::open(&project.file(), "ada", OnClose::ReleaseCases).unwrap();
        let mut rare = rare;
        while let Next::Case(case) = session.next_case().unwrap() {
            let usual = if case.item.0 % 3 == 0 { "clickbait" } else { "fine" };
            session.answer(case.item, rare.take().unwrap_or(usual), Remarks::default()).unwrap();
        }
        session.close().unwrap();
    };
    project.run("mine", &["--budget", "40"]).done();
    answer_all(None);
    let unshared: String =
        TASK.lines().filter(|line| !line.starts_with("share")).map(|l| format!("{l}\n")).collect();
    let added =
        format!("{unshared}\n[[label]]\nname = \"advertising\"\nkey = \"9\"\ndescription = \"sells\"\n");
    let task = project.write("added.toml", added);
    project.run("task", &["--set", task.to_str().unwrap()]).done();
    for given in [None, Some("advertising")] {
        project.run("mine", &["--budget", "20"]).done();
        answer_all(given);
        let tuned = project.json("tune", &[]);
        assert_eq!(tuned["verdict"], "activated", "{tuned}");
    }
    // Nobody's text is called what only one answer taught.
    let said = project.run("export", &["--what", "predictions"]).json_lines();
    assert!(said.iter().filter(|line| line["label"] == "advertising").count() < 20);
}

#[test]
fn exact_duplicates_fold_into_one_item_and_every_row_is_kept() {
    let project = Project::with_ads(20);
    let report = project.json("import", &["ads.csv", "--text", "text"]);
    assert_eq!(
        (&report["rows"], &report["new_items"], &report["duplicates"]),
        (&json!(20), &json!(0), &json!(20))
    );
    let status = project.json("status", &[]);
    assert_eq!((&status["items"], &status["rows"]), (&json!(20), &json!(40)));
    assert_eq!(project.run("export", &["--what", "rows"]).json_lines().len(), 40);
    assert_eq!(project.run("export", &["--what", "predictions"]).code, Some(2), "nothing has been scouted");
}

#[test]
fn two_experts_on_the_same_evaluation_cases_have_a_kappa() {
    let project = Project::scouted_elsewhere(200);
    project.run("mine", &["--budget", "40"]).done();
    let items = answer_all_items(&project);
    for (i, item) in items.iter().enumerate() {
        let label = if i % 2 == 0 { "fine" } else { "clickbait" };
        project.json("answer", &["--item", &item.to_string(), "--label", label, "--as", "grace"]);
    }
    let status = project.json("status", &[]);
    is_status(&status);
    assert_eq!(status["labels_by_expert"], json!({ "ada": 40, "grace": 40 }));
    let ceiling = &status["kappa"]["expert_expert"];
    assert!(ceiling["n"].as_u64().is_some_and(|n| n > 0) || ceiling["undefined"].is_string(), "{ceiling}");
}

/// Mines while this test is at it already, with `arguments`, and ends with `outcome` once the program has seen that. Returns what it printed and
/// said.
fn mine_beside(project: &Project, arguments: &str, outcome: Outcome) -> (String, String) {
    use std::io::{BufRead, Read};
    let mut store = Store::open(&project.file(), Access::Job).unwrap();
    let Begun::Ours(ours) = store.begin_run("mine", arguments).unwrap() else { panic!("nobody else mines") };
    let mut command = project.command("mine", &["--budget", "10", "--force"]);
    let piped = std::process::Stdio::piped;
    let mut child = command.stdout(piped()).stderr(piped()).spawn().unwrap();
    let mut said = std::io::BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    said.read_line(&mut line).unwrap();
    assert!(line.contains("another process is at it already"), "{line}");
    store.end_run(ours, outcome, "round 7: the other's").unwrap();
    drop(store);
    said.read_to_string(&mut line).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{line}");
    (String::from_utf8(output.stdout).unwrap(), line)
}

#[test]
fn a_second_start_of_a_job_waits_for_the_first_and_does_only_the_rest() {
    let project = Project::scouted_elsewhere(100);
    let (out, said) = mine_beside(&project, "hybrid", Outcome::Done);
    assert!(
        out.contains("another process chose the cases") && said.contains("round 7: the other's"),
        "{out}{said}"
    );
    let (out, _) = mine_beside(&project, "hybrid", Outcome::Stopped);
    assert!(out.starts_with("round 1: 10 cases by hybrid"), "{out}");
    let (out, said) = mine_beside(&project, "random", Outcome::Done);
    assert!(out.starts_with("round 2: 10 cases by hybrid"), "{out}");
    assert!(said.contains("and then does what it was asked for"), "{said}");
    assert_eq!(project.json("status", &[])["last_job"], "mine: done");
}
