//! A scale through the whole program: its levels are asked for, mined, learned, measured and exported as levels in order.

use std::ffi::OsStr;

use hardcase::domain::task_kind::TaskKind;
use hardcase::store::{Access, Store};

use super::project::{Project, hardcase};

const TASK: &str = "question = 'How urgent is it?'\nkind = 'scale'\n\
    [[label]]\nname = '1'\ndescription = 'calm thanks'\n\
    [[label]]\nname = '2'\ndescription = 'question please'\n\
    [[label]]\nname = '3'\ndescription = 'broken soon'\n\
    [[label]]\nname = '4'\ndescription = 'fire danger now'\n";

/// Words of neighbouring levels overlap, as those of real scales do.
const WORDS: [&str; 5] = ["calm thanks", "question please", "broken soon", "fire danger", "now help"];

fn level(n: usize) -> usize {
    n * 7 % 4
}

fn texts(n: usize) -> String {
    let text = |n: usize| {
        let (low, high) = (WORDS[level(n)], WORDS[level(n) + 1]);
        format!("m{n},\"{low} {low} {high} letter {}\",{}\n", n % 11, level(n) + 1)
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

/// One level off for each fifth.
fn nearly(gold: &str, place: usize) -> String {
    let level: usize = gold.parse().unwrap();
    let other = if level == 4 { 3 } else { level + 1 };
    if place.is_multiple_of(5) { other } else { level }.to_string()
}

#[test]
fn a_scale_is_mined_learned_measured_and_exported_as_levels_in_order() {
    let project = made(160);
    let arguments = ["--budget", "80", "--overlap", "eval=2,audit=2,train=1,share=0"];
    project.run("mine", &arguments).done();
    let gold = project.gold();
    while let Some(item) = project.next_as("ada")["item"].as_i64() {
        project.answer_as("ada", item, &gold[&item]);
    }
    let mut place = 0;
    while let Some(item) = project.next_as("bob")["item"].as_i64() {
        project.answer_as("bob", item, &nearly(&gold[&item], place));
        place += 1;
    }
    project.run("tune", &[]).done();
    let status = project.json("status", &[]);
    assert_eq!(status["kappa"]["kind"], "scale");
    assert_eq!(status["prelabels"], "head");
    for figure in [
        &status["kappa"]["model_error"],
        &status["kappa"]["experts_error"],
        &status["audit"]["absolute_error"],
    ] {
        assert!(figure["value"].is_number() || figure["undefined"].is_string(), "{status}");
    }
    assert!(status["kappa"]["expert_expert"]["value"].as_f64().unwrap() > 0.5, "{}", status["kappa"]);
    assert!(status["kappa"]["ac1"]["undefined"].is_string());
    let said = project.run("status", &[]).done().out;
    for part in ["weighted kappa with 95 % interval", "mean absolute error", "experts, ordinal alpha"] {
        assert!(said.contains(part), "no {part:?} in\n{said}");
    }
    assert!(!said.contains("Cohen's kappa") && !said.contains("AC1"), "{said}");
    let said = project.run("agreement", &[]).done().out;
    for part in [
        "experts, mean weighted kappa",
        "ordinal alpha",
        "mean absolute error",
        "ada and bob: weighted kappa",
    ] {
        assert!(said.contains(part), "no {part:?} in\n{said}");
    }
    assert!(!said.contains("Fleiss") && !said.contains("Cohen's"), "{said}");
    let said = project.run("report", &[]).done().out;
    assert!(said.contains("mean weighted kappa (the ceiling)") && !said.contains("Cohen's kappa"), "{said}");
    // A prelabel is the median level, not the most probable one.
    for line in project.run("export", &["--what", "predictions"]).json_lines() {
        let p: Vec<f32> =
            (1..=4).map(|level| line["probabilities"][level.to_string()].as_f64().unwrap() as f32).collect();
        let sum: f32 = p
            .iter()
            .scan(0.0, |sum, p| {
                *sum += p;
                Some(*sum)
            })
            .filter(|below| (below - 0.5).abs() < 1e-4)
            .count() as f32;
        if sum == 0.0 {
            assert_eq!(line["prelabel"], (TaskKind::Scale.decide(&p) + 1).to_string(), "{line}");
        }
    }
    let tasks = project.run("export", &["--what", "final", "--format", "label-studio"]).done().out;
    assert!(tasks.contains(r#""type":"rating""#) && !tasks.contains(r#""type":"choices""#), "{tasks}");
    project.is_whole();
}

#[test]
fn the_partner_of_a_case_is_of_its_own_or_a_neighbouring_level() {
    let project = made(160);
    project.run("mine", &["--budget", "60"]).done();
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let predictor = store.active_predictor().unwrap().unwrap();
    let level = |item| TaskKind::Scale.decide(&store.prediction(predictor.id, item).unwrap().unwrap());
    let mut across = 0;
    for item in store.items_of_cases().unwrap() {
        let case = store.case_of_item(item).unwrap().unwrap();
        let Some(partner) = case.partner else { continue };
        let apart = level(item).abs_diff(level(partner.item));
        assert!(apart <= 1, "levels {} and {}", level(item), level(partner.item));
        across += apart;
    }
    assert!(across > 0, "some lie on the other side");
}

#[test]
fn what_is_asked_for_and_the_order_of_levels_are_fixed_once_something_was_answered() {
    let project = made(60);
    project.run("mine", &["--budget", "20"]).done();
    let set = |toml: &str| {
        let path = project.write("next.toml", toml);
        project.run("task", &["--set", path.to_str().unwrap()])
    };
    set(&TASK.replace("[[label]]\nname = '1'", "[[label]]\nname = '0'\n[[label]]\nname = '1'")).done();
    set(TASK).done();
    let swapped = TASK.replace("'2'", "'x'").replace("'3'", "'2'").replace("'x'", "'3'");
    set(&swapped).refused(2, &["in another order"]);
    let item = project.next_as("ada")["item"].as_i64().unwrap();
    project.answer_as("ada", item, "3");
    set(&TASK.replace("kind = 'scale'\n", "")).refused(2, &["is fixed once something was answered"]);
    set(&swapped).refused(2, &["stay in their order"]);
    set(&TASK.replace("[[label]]\nname = '2'\ndescription = 'question please'\n", ""))
        .refused(2, &["only at its ends"]);
    set(&TASK.replace("[[label]]\nname = '1'", "[[label]]\nname = '0'\n[[label]]\nname = '1'")).done();
    set(&TASK.replace("kind = 'scale'", "kind = 'many'")).refused(2, &["only one label for each text"]);
}

#[test]
fn a_copy_that_asks_for_something_else_is_not_merged_once_something_was_answered() {
    let project = made(40);
    project.run("mine", &["--budget", "12"]).done();
    let copy = project.path("copy.hardcase");
    project.run("backup", &["--to", copy.to_str().unwrap()]).done();
    let item = project.next_as("ada")["item"].as_i64().unwrap();
    project.answer_as("ada", item, "3");
    let one = project.write("one.toml", TASK.replace("kind = 'scale'\n", ""));
    hardcase(["task".as_ref(), copy.as_os_str(), "--set".as_ref(), one.as_os_str(), "--quiet".as_ref()])
        .done();
    let before = project.json("task", &["--show"]);
    let ran = project.run("merge", &[copy.to_str().unwrap()]);
    ran.refused(2, &["its task and yours differ too much", "is fixed once something was answered"]);
    assert_eq!(project.json("task", &["--show"]), before);
}

#[cfg(unix)]
#[test]
fn a_person_gives_levels_by_their_digits_and_sees_no_key_twice() {
    use super::seat::Seat;

    let project = made(60);
    project.run("mine", &["--budget", "12"]).done();
    let seat = Seat::open(&project, &["--as", "ada"]);
    seat.see("round 1: 0 of");
    let screen = seat.screen();
    let bar = screen.lines().find(|line| line.trim_start().starts_with('1') && line.contains('4')).unwrap();
    assert_eq!(bar.split_whitespace().collect::<Vec<_>>(), ["1", "2", "3", "4"], "{screen}");
    let first = seat.answer('3');
    seat.press("u");
    seat.see("undone");
    assert_eq!(seat.answer('2'), first);
    seat.press("q");
    seat.end();
    let labels = project.run("export", &["--what", "labels"]).json_lines();
    assert_eq!((labels.len(), &labels[0]["label"]), (1, &"2".into()), "{labels:?}");
    // Progress speaks of the scale's own figures.
    let seat = Seat::open(&project, &["--as", "ada"]);
    seat.see("How urgent is it?");
    seat.press("\t");
    seat.see("weighted kappa");
    seat.see("mean error, in levels");
    seat.press("q");
    seat.end();
}
