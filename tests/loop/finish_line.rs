//! The finish line of a task and the gate that `check` is: what is met by the lower end of an interval, and that nothing else passes.

use std::cell::RefCell;
use std::collections::BTreeMap;

use hardcase::desk::session::{OnClose, Remarks, Session};
use hardcase::domain::ids::ItemId;
use serde_json::Value;

use super::project::{Project, TASK};

/// The task of the demo with these targets.
fn set_targets(project: &Project, targets: &str) {
    let path = project
        .write("target.toml", TASK.replacen("[[label]]", &format!("[target]\n{targets}\n\n[[label]]"), 1));
    project.run("task", &["--set", path.to_str().unwrap()]).done();
}

/// A round of most of the pool that ada and bob have answered as the gold has it, but for each twentieth item of bob's.
fn labelled() -> Project {
    let project = Project::scouted_elsewhere(200);
    project.json("mine", &["--budget", "180", "--strategy", "random", "--seed", "3"]);
    let gold = project.gold();
    let said = RefCell::new(Vec::new());
    project.answer_all(|item| {
        said.borrow_mut().push(item);
        gold[&item].clone()
    });
    let mut bob = Session::open(&project.file(), "bob", OnClose::KeepCases).unwrap();
    for (place, item) in said.into_inner().into_iter().enumerate() {
        let other = if gold[&item] == "fine" { "clickbait" } else { "fine" };
        let label = if place % 20 == 19 { other } else { &gold[&item] };
        bob.answer(ItemId(item), label, Remarks::default()).unwrap();
    }
    bob.close().unwrap();
    project
}

fn verdicts(document: &Value, list: &str) -> BTreeMap<String, String> {
    let of = |rule: &Value| {
        (rule["rule"].as_str().unwrap().to_owned(), rule["verdict"].as_str().unwrap().to_owned())
    };
    document[list].as_array().unwrap().iter().map(of).collect()
}

/// The project file with all that SQLite keeps next to it.
fn files(project: &Project) -> BTreeMap<String, blake3::Hash> {
    let folder = project.file().parent().unwrap().to_owned();
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.display().to_string(), blake3::hash(&std::fs::read(&path).unwrap())))
        .collect()
}

/// `check` with its exit code and document.
fn check(project: &Project, rules: &[&str]) -> (i32, Value) {
    let before = files(project);
    let mut arguments = rules.to_vec();
    arguments.push("--json");
    let ran = project.run("check", &arguments);
    assert_eq!(files(project), before, "a check changes no file");
    let document = serde_json::from_str(&ran.out).unwrap_or_else(|e| panic!("{e}: {}{}", ran.out, ran.err));
    (ran.code.unwrap(), document)
}

#[test]
fn the_finish_line_is_crossed_by_lower_ends_and_says_what_is_missing() {
    let project = labelled();
    let without = project.json("status", &[]);
    assert_eq!(without["targets"], serde_json::json!([]), "nothing is asked for");
    set_targets(&project, "kappa = 0.01\nexperts_kappa = 0.05\nanswers = 500\nrecall.clickbait = 0.99");
    let status = project.json("status", &[]);
    let found = verdicts(&status, "targets");
    assert_eq!(found["kappa of the experts with each other"], "met", "{status}");
    let kappa = &status["kappa"]["model_expert"];
    let is_met = kappa["lo"].as_f64().is_some_and(|lo| lo >= 0.01);
    assert_eq!(found["kappa on the hard cases"] == "met", is_met, "{status}");
    assert_ne!(found["recall of 'clickbait' in the whole pool"], "met", "few audit cases prove no 0.99");
    assert_eq!((&status["budget"]["spent"], &status["budget"]["of"]), (&status["labels"], &500.into()));
    let text = project.run("status", &[]).done().out;
    assert!(text.contains("Finish line") && text.contains("of at most 500 given"), "{text}");

    // An agreement of people that is enough for one target is not for the next, whatever the value is.
    let people = status["kappa"]["expert_expert"].clone();
    let between = f64::midpoint(people["lo"].as_f64().unwrap(), people["value"].as_f64().unwrap());
    set_targets(&project, &format!("experts_kappa = {between}"));
    let status = project.json("status", &[]);
    let target = &status["targets"][0];
    assert_eq!(target["verdict"], "not met", "{target}");
    assert!(target["missing"]["answers"].as_u64().is_some_and(|n| n > 0), "{target}");
    let lowest = people["lo"].as_f64().unwrap() - 0.01;
    set_targets(&project, &format!("experts_kappa = {lowest}"));
    let advice = project.json("status", &[])["advice"].as_str().unwrap().to_owned();
    assert!(advice.starts_with("you are done: the target of the task is met"), "{advice}");
    set_targets(&project, &format!("experts_kappa = {between}\nanswers = 10"));
    let advice = project.json("status", &[])["advice"].as_str().unwrap().to_owned();
    assert!(advice.contains("of at most 10 given, and not yet met: kappa of the experts"), "{advice}");
}

#[test]
fn a_target_that_cannot_be_is_refused_and_the_task_stays() {
    let project = Project::empty();
    let before = project.json("task", &["--show"]);
    for (target, why) in [("kappa = 1.5", "above 0 and below 1"), ("recall.eggs = 0.9", "no such label")] {
        let path =
            project.write("t.toml", TASK.replacen("[[label]]", &format!("[target]\n{target}\n[[label]]"), 1));
        project.run("task", &["--set", path.to_str().unwrap()]).refused(2, &["the target", why]);
    }
    assert_eq!(project.json("task", &["--show"]), before);
}

#[test]
fn a_gate_passes_and_fails_for_each_rule_with_its_code_and_changes_nothing() {
    let project = labelled();
    project.run("tune", &[]).done();
    let status = project.json("status", &[]);
    let people = &status["kappa"]["expert_expert"];
    let [lo, value] = ["lo", "value"].map(|end| people[end].as_f64().unwrap());

    let (code, passed) = check(&project, &["--experts-kappa", &(lo - 0.01).to_string()]);
    assert_eq!((code, &passed["passed"]), (0, &true.into()), "{passed}");
    // The value is enough, the lower end is not.
    let (code, failed) = check(&project, &["--experts-kappa", &f64::midpoint(lo, value).to_string()]);
    assert_eq!((code, &failed["passed"]), (3, &false.into()), "{failed}");
    for rule in [
        &["--kappa", "0.99"][..],
        &["--of-ceiling", "1"],
        &["--recall", "clickbait=0.99"],
        &["--precision", "fine=0.99"],
        &["--no-worse-than", "1"],
    ] {
        let (code, document) = check(&project, rule);
        let rules = document["rules"].as_array().unwrap();
        assert_eq!((code, rules.len()), (3, 1), "{rule:?}: {document}");
        assert_ne!(rules[0]["verdict"], "met");
        assert!(rules[0]["why"].as_str().is_some_and(|why| why.len() > 5), "{document}");
    }
    let text = project.run("check", &["--kappa", "0.99", "--experts-kappa", "0.01"]);
    assert_eq!((text.code, text.out.lines().count()), (Some(3), 2), "{}", text.out);
    assert!(text.err.contains("cannot pass the check: of 2 rules, 1 "), "{}", text.err);

    // Wrong usage is another code, and no rule is no pass.
    project.run("check", &[]).refused(2, &["there is no rule to check", "[target]"]);
    project.run("check", &["--recall", "eggs=0.9"]).refused(2, &["the task has no such label"]);
    project.run("check", &["--no-worse-than", "99"]).refused(2, &["no such model", "adapter FILE list"]);

    // Targets of the task are rules, too, and the command line wins.
    set_targets(&project, "kappa = 0.99");
    assert_eq!(check(&project, &[]).0, 3);
    set_targets(&project, &format!("experts_kappa = {}\nanswers = 10000", lo - 0.01));
    assert_eq!(check(&project, &[]).0, 0);
    assert_eq!(check(&project, &["--experts-kappa", "0.999"]).0, 3);
    set_targets(&project, "answers = 10");
    let (code, spent) = check(&project, &[]);
    assert_eq!((code, &spent["rules"][0]["rule"]), (3, &"answers given".into()), "{spent}");
}

#[test]
fn an_earlier_model_is_compared_on_cases_that_neither_learned_from() {
    let project = Project::scouted_elsewhere(200);
    let gold = project.gold();
    // The last round is answered and not learned from: two models, and cases that are new to both.
    for (budget, learns) in [("30", true), ("30", true), ("130", false)] {
        project.json("mine", &["--budget", budget, "--strategy", "random", "--force"]);
        project.answer_all(|item| gold[&item].clone());
        if learns {
            project.run("tune", &[]).done();
        }
    }
    let before = ["--no-worse-than", "1", "--margin"];
    for margin in ["0.001", "0.9"] {
        let (code, document) = check(&project, &[&before[..], &[margin]].concat());
        let rule = &document["rules"][0];
        let measured = &rule["measured"];
        assert!(measured["n"].as_u64().is_some_and(|n| n >= 30), "{document}");
        let is_met = measured["lo"].as_f64().unwrap() >= -margin.parse::<f64>().unwrap();
        assert_eq!((code == 0, rule["verdict"] == "met"), (is_met, is_met), "{document}");
        assert!(rule["why"].as_str().unwrap().contains("hard cases of later rounds"), "{document}");
    }
    let (code, itself) = check(&project, &["--no-worse-than", "2"]);
    assert_eq!((code, &itself["rules"][0]["verdict"]), (3, &"cannot be told".into()), "{itself}");
}

#[test]
#[cfg(not(feature = "engine"))]
fn a_file_of_texts_is_looked_up_in_the_pool_and_what_is_not_there_does_not_pass() {
    let project = labelled();
    let lines = project.run("export", &["--what", "predictions"]).json_lines();
    let right = |line: &&Value| line["prelabel"] == line["gold"];
    let row =
        |line: &Value, label: &Value| serde_json::json!({ "text": line["text"], "label": label }).to_string();
    let file = |name: &str, rows: Vec<String>| {
        project.write(name, rows.join("\n") + "\n").to_str().unwrap().to_owned()
    };
    let passing =
        file("hard.jsonl", lines.iter().filter(right).take(8).map(|l| row(l, &l["gold"])).collect());
    let (code, document) = check(&project, &["--must-pass", &passing]);
    assert_eq!(code, 0, "{document}");
    assert!(document["robustness"]["all"]["undefined"].as_str().unwrap().contains("no models"), "{document}");
    let (code, _) = check(&project, &["--must-pass", &passing, "--robustness", "0.5"]);
    assert_eq!(code, 3, "what cannot be told does not pass");

    let wrong = lines.iter().find(|line| !right(line)).unwrap();
    let failing = file("wrong.jsonl", vec![row(wrong, &wrong["gold"])]);
    let (code, document) = check(&project, &["--must-pass", &failing]);
    assert_eq!((code, &document["rules"][0]["verdict"]), (3, &"not met".into()), "{document}");
    assert!(document["rules"][0]["why"].as_str().unwrap().contains("line 1 '"), "{document}");

    let new =
        file("new.jsonl", vec![serde_json::json!({"text": "nowhere seen", "label": "fine"}).to_string()]);
    let (code, document) = check(&project, &["--must-pass", &new]);
    assert_eq!((code, &document["rules"][0]["verdict"]), (3, &"cannot be told".into()), "{document}");
    let none = file("none.jsonl", vec![serde_json::json!({"text": "x", "label": "eggs"}).to_string()]);
    project.run("check", &["--must-pass", &none]).refused(2, &["line 1 has no single label of the task"]);

    let gold = file("gold.jsonl", lines.iter().map(|l| row(l, &l["gold"])).collect());
    let (_, document) = check(&project, &["--gold", &gold, "--kappa", "0.01", "--recall", "fine=0.01"]);
    let found = verdicts(&document, "rules");
    assert!(
        found.contains_key("kappa on gold.jsonl") && found.contains_key("recall of 'fine' on gold.jsonl"),
        "{document}"
    );
    let notes = document["notes"].to_string();
    assert!(notes.contains("may teach the model and are left out"), "{notes}");
    let n = document["rules"][0]["measured"]["n"].as_u64().unwrap();
    assert!(n > 20 && n < 120, "texts that teach are not measured on: {n}");
    assert_eq!(check(&project, &["--gold", &gold, "--kappa", "0.99"]).0, 3);
    let twice: Vec<String> = lines.iter().chain(&lines).map(|l| row(l, &l["gold"])).collect();
    let (_, document) = check(&project, &["--gold", &file("twice.jsonl", twice), "--kappa", "0.01"]);
    assert_eq!(document["rules"][0]["measured"]["n"], n, "a text counts once: {document}");
    let nothing = ["--gold", &gold, "--experts-kappa", "0.01"];
    project.run("check", &nothing).refused(2, &["no rule is measured on that file", "--kappa"]);
    let broken = project.write("broken.jsonl", "{\"text\": \"a\", \"label\": \"fine\"}\n{\"text\": \n");
    project.run("check", &["--must-pass", broken.to_str().unwrap()]).refused(2, &["line 2"]);
    let (code, document) = check(&project, &["--latency", "20ms"]);
    assert_eq!((code, &document["rules"][0]["verdict"]), (3, &"cannot be told".into()), "{document}");
}

#[test]
#[cfg(feature = "engine")]
fn new_texts_are_scored_changed_and_timed() {
    let project = Project::with_ads(60);
    project.run("scout", &[]).done();
    let rows: Vec<String> = project
        .run("export", &["--what", "predictions"])
        .json_lines()
        .iter()
        .map(|line| serde_json::json!({ "text": format!("{} !", line["text"].as_str().unwrap()), "label": line["gold"] }).to_string())
        .collect();
    let gold = project.write("gold.jsonl", rows.join("\n") + "\n");
    let gold = gold.to_str().unwrap();
    let (code, document) =
        check(&project, &["--gold", gold, "--must-pass", gold, "--kappa", "0.999", "--robustness", "0.999"]);
    assert_eq!(code, 3, "{document}");
    assert_eq!(document["robustness"]["all"]["n"], 60, "{document}");
    assert_eq!(document["robustness"]["by_change"].as_object().unwrap().len(), 5);
    assert_eq!(document["rules"][0]["measured"]["n"], 60, "no text of the file is in the pool: {document}");
    assert_eq!(check(&project, &["--latency", "100s"]).0, 0);
    assert_eq!(check(&project, &["--latency", "0.0001ms"]).0, 3);
}
