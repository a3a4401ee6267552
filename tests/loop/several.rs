//! Several labels for a text through the whole program: chosen, mined, learned, measured and exported as sets of labels.

use std::collections::HashMap;
use std::ffi::OsStr;

use serde_json::Value;

use super::project::{Project, hardcase};

const TASK: &str = "question = 'What is it about?'\nkind = 'several'\n\
    [[label]]\nname = 'billing'\nkey = 'b'\ndescription = 'invoice money'\n\
    [[label]]\nname = 'delivery'\nkey = 'd'\ndescription = 'parcel late'\n\
    [[label]]\nname = 'praise'\nkey = 'p'\ndescription = 'thanks great'\n";

/// What each label is written about, and what nothing is.
const WORDS: [&str; 3] = ["invoice money charge", "parcel late courier", "thanks great service"];

/// The places of a text's labels: every combination occurs, none among them.
fn places(n: usize) -> Vec<usize> {
    (0..3).filter(|label| (((n * 5 + n / 8) % 8) >> label) & 1 == 1).collect()
}

fn names(n: usize) -> Vec<&'static str> {
    places(n).into_iter().map(|label| ["billing", "delivery", "praise"][label]).collect()
}

fn texts(n: usize) -> String {
    let text = |n: usize| {
        let about: Vec<&str> = places(n).into_iter().map(|label| WORDS[label]).collect();
        let gold = serde_json::to_string(&names(n)).unwrap().replace('"', "\"\"");
        format!("m{n},\"letter {} weather {} {}\",\"{gold}\"\n", n % 13, n % 7, about.join(" "))
    };
    std::iter::once("id,text,gold\n".to_owned()).chain((0..n).map(text)).collect()
}

fn made(n: usize) -> Project {
    let project = Project::none();
    let (task, data) = (project.write("task.toml", TASK), project.write("letters.csv", texts(n)));
    let file = project.file();
    let arguments: [&OsStr; 10] = [
        "new".as_ref(),
        file.as_os_str(),
        "--task".as_ref(),
        task.as_os_str(),
        "--data".as_ref(),
        data.as_os_str(),
        "--text".as_ref(),
        "text".as_ref(),
        "--gold".as_ref(),
        "gold".as_ref(),
    ];
    hardcase(arguments).done();
    project.enter_vectors();
    project
}

/// The labels of each item, as the data has them.
fn gold(project: &Project) -> HashMap<i64, Vec<String>> {
    let lines = project.run("export", &["--what", "predictions"]).json_lines();
    let of = |line: &Value| {
        let gold = line["gold"].as_array()?.iter().map(|name| name.as_str().unwrap().to_owned()).collect();
        Some((line["item"].as_i64()?, gold))
    };
    lines.iter().filter_map(of).collect()
}

fn answer_as(project: &Project, name: &str, item: i64, labels: &[String]) {
    let item = item.to_string();
    let mut arguments = vec!["--as", name, "--item", &item];
    labels.iter().for_each(|label| arguments.extend(["--label", label]));
    if labels.is_empty() {
        arguments.push("--none");
    }
    project.run("answer", &arguments).done();
}

#[test]
fn several_labels_are_mined_learned_measured_and_exported_as_sets() {
    let project = made(160);
    let gold = gold(&project);
    assert_eq!(gold.len(), 160);
    project.run("mine", &["--budget", "70", "--overlap", "eval=2,audit=2,train=1,share=0"]).done();
    while let Some(item) = project.next_as("ada")["item"].as_i64() {
        answer_as(&project, "ada", item, &gold[&item]);
    }
    let mut place = 0;
    while let Some(item) = project.next_as("bob")["item"].as_i64() {
        let mut labels = gold[&item].clone();
        if place % 5 == 0 {
            // One label more or less.
            match labels.iter().position(|label| label == "praise") {
                Some(at) => drop(labels.remove(at)),
                None => labels.push("praise".into()),
            }
        }
        answer_as(&project, "bob", item, &labels);
        place += 1;
    }
    project.run("tune", &[]).done();
    let status = project.json("status", &[]);
    assert_eq!(
        (&status["kappa"]["kind"], &status["prelabels"]),
        (&"several".into(), &"head".into()),
        "{status}"
    );
    assert!(status["kappa"]["expert_expert"]["value"].as_f64().unwrap() > 0.6, "{}", status["kappa"]);
    assert!(status["kappa"]["model_expert"]["value"].as_f64().unwrap() > 0.6, "{}", status["kappa"]);
    for verb in ["status", "agreement", "report"] {
        let said = project.run(verb, &[]).done().out;
        assert!(
            said.contains("mean kappa of the labels") && !said.contains("Cohen's kappa"),
            "{verb}: {said}"
        );
    }
    // What the model says of the others is mostly right, and none of the labels is an answer, too.
    let lines = project.run("export", &["--what", "predictions"]).json_lines();
    let same = |line: &&Value| {
        let said: Vec<String> = serde_json::from_value(line["prelabel"].clone()).unwrap();
        said == gold[&line["item"].as_i64().unwrap()]
    };
    let right = lines.iter().filter(same).count();
    assert!(right > 130, "{right} of 160");
    assert!(lines.iter().any(|line| line["prelabel"] == Value::Array(Vec::new())));
    let last = project.run("export", &["--what", "final", "--format", "label-studio"]).done().out;
    assert!(last.contains(r#""choices":["billing","delivery"]"#), "{last}");
    project.is_whole();
}

#[test]
fn what_cannot_learn_several_labels_says_so_and_what_is_fixed_stays() {
    let project = made(40);
    project.run("mine", &["--budget", "12"]).done();
    let set = |toml: &str| {
        let path = project.write("next.toml", toml);
        project.run("task", &["--set", path.to_str().unwrap()])
    };
    set(&TASK.replace("kind = 'several'\n", "")).done();
    set(TASK).done();
    let item = project.next_as("ada")["item"].as_i64().unwrap();
    let both = project.run("answer", &["--item", &item.to_string(), "--label", "billing", "--none"]);
    assert!(both.code == Some(2) && both.err.contains("--none"), "{}", both.err);
    answer_as(&project, "ada", item, &["billing".into(), "praise".into()]);
    set(&TASK.replace("kind = 'several'\n", "")).refused(2, &["is fixed once something was answered"]);
    let given = project.write("said.csv", "id,label\nm1,billing\n");
    project.run("judge", &["--from", given.to_str().unwrap()]).refused(2, &["one label for each text"]);
    let labels = project.run("export", &["--what", "labels"]).json_lines();
    assert_eq!(labels[0]["label"], serde_json::json!(["billing", "praise"]), "{labels:?}");
}

#[cfg(unix)]
#[test]
fn a_person_chooses_labels_by_their_keys_and_enter_saves_them() {
    use super::seat::{Seat, case_on};

    let project = made(60);
    project.run("mine", &["--budget", "12"]).done();
    let seat = Seat::open(&project, &["--as", "ada"]);
    seat.see("round 1: 0 of");
    let first = seat.case().unwrap();
    seat.press_until("b", "enter: save billing");
    seat.press_until("p", "enter: save billing, praise");
    seat.press_until("b", "enter: save praise");
    seat.press_until("\r", &format!("praise, case {first},"));
    seat.see_that("the next case", |s| case_on(s).is_some_and(|case| case != first));
    let second = seat.case().unwrap();
    seat.press_until("\r", &format!("none of the labels, case {second},"));
    seat.press_until("u", "undone");
    seat.press("q");
    seat.end();
    let labels = project.run("export", &["--what", "labels"]).json_lines();
    assert_eq!((labels.len(), &labels[0]["label"]), (1, &serde_json::json!(["praise"])), "{labels:?}");
}
