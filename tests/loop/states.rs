//! A real language model as judge: what it makes of texts inside is learned from, and to judge or to tune again never makes the active model worse.

use std::collections::HashMap;

use super::judge::model;
use super::project::Project;
use super::skip::test_data;

const MODEL: &str = "SmolLM2-135M-Instruct.Q4_1.gguf";
/// Of a kappa on about 60 texts, one standard error and more.
const NOISE: f64 = 0.1;

struct Set {
    task: String,
    /// Texts with their labels.
    rows: Vec<(String, String)>,
}

fn task(question: &str, labels: &[(&str, &str)]) -> String {
    let mut task = format!("name = \"set\"\nquestion = \"{question}\"\n");
    for (key, (name, about)) in ('1'..).zip(labels) {
        task += &format!("[[label]]\nkey = \"{key}\"\nname = \"{name}\"\ndescription = \"{about}\"\n");
    }
    task
}

fn trec() -> Option<Set> {
    let bytes = std::fs::read(test_data("data/trec/train_5500.label")?).unwrap();
    let labels = [
        ("abbreviation", "a question that asks for what an abbreviation stands for"),
        ("description", "a question that asks for a definition, description, manner or reason"),
        ("entity", "a question that asks for a thing: animal, food, product, word or other entity"),
        ("human", "a question that asks for a person or a group of people"),
        ("location", "a question that asks for a place: city, country, mountain, state"),
        ("number", "a question that asks for a number: date, count, distance, money"),
    ];
    let named = |code: &str| labels.iter().find(|(name, _)| name[..2].eq_ignore_ascii_case(&code[..2]));
    let row = |line: &str| {
        let (code, text) = line.split_once(' ')?;
        // NUM is a number, and so on; DESC, ENTY, HUM, LOC and ABBR begin like their names.
        Some((text.to_owned(), named(code)?.0.to_owned()))
    };
    let rows = String::from_utf8_lossy(&bytes).lines().filter_map(row).take(150).collect();
    Some(Set { task: task("What does the question ask for?", &labels), rows })
}

fn sms() -> Option<Set> {
    let text =
        String::from_utf8_lossy(&std::fs::read(test_data("data/sms_spam/sms.tsv")?).unwrap()).into_owned();
    let rows = text.lines().filter_map(|line| line.split_once('\t'));
    let labels = [
        ("spam", "advertising, prizes, premium numbers and scams sent to many people"),
        ("ham", "a personal message to a friend or relative"),
    ];
    let rows = rows.map(|(label, text)| (text.to_owned(), label.to_owned())).take(150).collect();
    Some(Set { task: task("Is this message spam?", &labels), rows })
}

/// A scouted project of the set, with three rounds of 30 answered and learned from.
fn labelled(set: &Set) -> Project {
    let project = Project::none();
    let task = project.write("task.toml", &set.task);
    let mut csv = String::from("text,gold\n");
    for (text, gold) in &set.rows {
        csv += &format!("\"{}\",{gold}\n", text.replace('"', "\"\""));
    }
    let data = project.write("set.csv", csv);
    project.run("new", &["--task", task.to_str().unwrap(), "--seed", "1"]).done();
    project.run("import", &[data.to_str().unwrap(), "--text", "text", "--gold", "gold"]).done();
    project.run("scout", &[]).done();
    for _ in 0..3 {
        round(&project);
    }
    project
}

fn round(project: &Project) {
    let gold = project.gold();
    project.run("mine", &["--budget", "30"]).done();
    project.answer_all(|item| gold[&item].clone());
    project.run("tune", &[]).done();
}

/// Cohen's kappa of a model with the gold labels of the texts that nobody has labelled.
fn kappa(project: &Project, by: &str) -> f64 {
    let answered: Vec<i64> =
        project.run("export", &[]).json_lines().iter().filter_map(|a| a["item"].as_i64()).collect();
    let lines = project.run("export", &["--what", "predictions", "--by", by]).json_lines();
    let open = lines.iter().filter(|line| !answered.contains(&line["item"].as_i64().unwrap()));
    let pairs: Vec<(String, String)> =
        open.map(|line| (line["prelabel"].to_string(), line["gold"].to_string())).collect();
    let n = pairs.len() as f64;
    let (mut said, mut gold) = (HashMap::new(), HashMap::new());
    for (by_model, by_expert) in &pairs {
        *said.entry(by_model).or_insert(0.0) += 1.0 / n;
        *gold.entry(by_expert).or_insert(0.0) += 1.0 / n;
    }
    let agreed = pairs.iter().filter(|(a, b)| a == b).count() as f64 / n;
    let chance: f64 = said.iter().map(|(label, share)| share * gold.get(label).unwrap_or(&0.0)).sum();
    (agreed - chance) / (1.0 - chance)
}

#[track_caller]
fn never_gets_worse(set: &Set, model: &str) {
    let project = labelled(set);
    let head = kappa(&project, "head");
    let report = project.json("judge", &["--model", model, "--all"]);
    assert_eq!(report["judged_in_all"], project.json("status", &[])["scored"], "all are read: {report}");
    assert!(
        report["tried"].as_array().is_some_and(|tried| tried.len() >= 3),
        "several prompts were tried: {report}"
    );
    let states =
        &report["readers"].as_array().unwrap().iter().find(|reader| reader["kind"] == "states").unwrap();
    assert!(states["worth"]["n"].as_u64().unwrap() >= 25, "{report}");
    let judged = kappa(&project, "active");
    assert!(
        judged > head - NOISE,
        "the head alone {head:.3}, with what the model read {judged:.3}: {report}"
    );
    let again = project.json("judge", &["--all"]);
    assert_eq!(again["judged"], 0, "nothing is read twice: {again}");
    assert!(kappa(&project, "active") > judged - NOISE, "{again}");
    project.run("tune", &[]).done();
    assert!(kappa(&project, "active") > judged - NOISE, "tuned again on the same answers");
    // A head on the hidden states has seen no evaluation label, and is a model like others to who exports.
    assert!(kappa(&project, "states") > head - 2.0 * NOISE);
}

#[test]
fn a_real_model_helps_or_changes_little_on_questions_and_never_makes_it_worse_when_run_again() {
    let (Some(model), Some(set)) = (model(MODEL), trec()) else { return };
    never_gets_worse(&set, model.to_str().unwrap());
}

#[test]
fn a_real_model_helps_or_changes_little_on_messages_and_never_makes_it_worse_when_run_again() {
    let (Some(model), Some(set)) = (model(MODEL), sms()) else { return };
    never_gets_worse(&set, model.to_str().unwrap());
}
