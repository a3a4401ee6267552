//! While there are too few training labels for a head, the zero-shot prelabels follow the audit answers, and the audit stays honest.

use hardcase::desk::session::{OnClose, Remarks, Session};
use hardcase::domain::ids::ItemId;
use hardcase::domain::prediction::Probabilities;
use hardcase::domain::predictor::{SharesFrom, ZeroShotSettings};
use hardcase::domain::split::Split;
use hardcase::store::{Access, Store};
use serde_json::{Value, json};

use super::project::Project;

/// No label has a share.
const TASK: &str = r#"
question = "Does it promise a prize?"
[[label]]
name = "prize"
key = "1"
description = "you win free cash, call today after work"
[[label]]
name = "plain"
key = "2"
description = "see you at dinner"
"#;
/// One text in so many promises a prize.
const ONE_IN: usize = 25;
const TEXTS: usize = 1_500;

/// A project of made-up messages, scouted and mined, in which nobody has answered.
fn mined() -> Project {
    let project = Project::none();
    let task = project.write("task.toml", TASK);
    let words = ["you", "work", "dinner", "win", "see", "cash", "today", "call", "free", "train"];
    let mut csv = "gold,text\n".to_owned();
    for i in 0..TEXTS {
        let (gold, topic) =
            if i % ONE_IN == 0 { ("prize", "claim prize free") } else { ("plain", "dinner after work") };
        let rest: Vec<&str> = (0..4).map(|place| words[(i / 10usize.pow(place)) % 10]).collect();
        csv += &format!("{gold},{topic} {}\n", rest.join(" "));
    }
    let data = project.write("messages.csv", csv);
    let [task, data] = [&task, &data].map(|path| path.to_str().unwrap());
    project.run("new", &["--task", task]).done();
    project.run("import", &[data, "--text", "text", "--gold", "gold"]).done();
    project.enter_vectors();
    assert_eq!(project.json("mine", &["--budget", "254"])["audit"], 24);
    project
}

fn audit_cases(project: &Project) -> Vec<i64> {
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let audit = store.splits().unwrap().into_iter().filter(|(_, split)| *split == Split::Audit);
    audit.map(|(item, _)| item).filter(|i| store.case_of_item(*i).unwrap().is_some()).map(|i| i.0).collect()
}

fn answer<'l>(project: &Project, answers: impl IntoIterator<Item = (i64, &'l str)>) {
    answer_as(project, "ada", answers);
}

fn answer_as<'l>(project: &Project, name: &str, answers: impl IntoIterator<Item = (i64, &'l str)>) {
    let mut session = Session::open(&project.file(), name, OnClose::KeepCases).unwrap();
    for (item, label) in answers {
        session.answer(ItemId(item), label, Remarks::default()).unwrap();
    }
    session.close().unwrap();
}

/// The active predictor's settings, and how often its prelabel is the first label.
fn prelabels(project: &Project) -> (ZeroShotSettings, f64) {
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let active = store.active_predictor().unwrap().unwrap();
    let (items, values) = store.predictions(active.id).unwrap();
    let first = values
        .chunks(2)
        .filter(|p| Probabilities(p.to_vec()).top(hardcase::domain::task_kind::TaskKind::One) == 0)
        .count();
    (active.zero_shot().unwrap().clone(), first as f64 / items.len() as f64)
}

fn prediction(project: &Project, item: i64) -> Vec<f32> {
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let active = store.active_predictor().unwrap().unwrap();
    store.prediction(active.id, ItemId(item)).unwrap().unwrap()
}

#[test]
fn audit_answers_move_zero_shot_shares_towards_the_truth_and_only_once() {
    let project = mined();
    let gold = project.gold();
    let truth = 1.0 / ONE_IN as f64;
    let (before, _) = prelabels(&project);
    let guessed = before.calibration.shares[0];
    assert!(guessed > 3.0 * truth, "a guess of {guessed} leaves something to learn");

    let cases = audit_cases(&project);
    answer(&project, cases[..9].iter().map(|item| (*item, gold[item].as_str())));
    let early = project.json("tune", &[]);
    assert_eq!((&early["verdict"], &early["shares"]), (&json!("too-few"), &Value::Null), "nine are too few");

    answer(&project, cases[9..].iter().map(|item| (*item, gold[item].as_str())));
    let tuned = project.json("tune", &[]);
    assert_eq!((&tuned["verdict"], &tuned["missing"]), (&json!("too-few"), &json!("prize")));
    assert_eq!((&tuned["shares"]["audit"], &tuned["rescored"]), (&json!(24), &json!(TEXTS)));
    let share = tuned["shares"]["by_label"]["prize"].as_f64().unwrap();
    assert!((share - truth).abs() < 0.3 * (guessed - truth), "{guessed} became {share}, and {truth} is true");
    let (after, prelabelled) = prelabels(&project);
    assert!((prelabelled - share).abs() < 0.02, "{prelabelled} of the pool for a share of {share}");
    let SharesFrom::Audit(audit) = after.shares_from else { panic!("{after:?}") };
    assert_eq!((audit.n, audit.prior), (24, before.calibration.shares));

    let status = project.json("status", &[]);
    assert_eq!((&status["audit"]["n"], &status["prelabels"]), (&json!(24), &json!("zero-shot")));
    let audits: Vec<&Value> =
        status["curve"].as_array().unwrap().iter().map(|point| &point["audit"]).collect();
    assert_eq!(audits, [&json!(0), &json!(24)]);
    let again = project.json("tune", &[]);
    assert_eq!((&again["shares"], &again["rescored"]), (&Value::Null, &json!(0)), "nothing new to follow");
}

/// Two copies of a project differ in one answer: it moves the prelabels of the pool, but not that of its own item.
#[test]
fn an_audit_answer_does_not_influence_the_prediction_it_is_compared_with() {
    let (one, other) = (mined(), Project::none());
    let gold = one.gold();
    let cases = audit_cases(&one);
    let (asked, rest) = cases.split_first().unwrap();
    answer(&one, rest.iter().map(|item| (*item, gold[item].as_str())));
    std::fs::copy(one.file(), other.file()).unwrap();
    answer(&one, [(*asked, "prize")]);
    answer(&other, [(*asked, "plain")]);
    for project in [&one, &other] {
        assert_eq!(project.json("tune", &[])["shares"]["audit"], 24);
    }
    assert_eq!(prediction(&one, *asked), prediction(&other, *asked));
    let unasked = (1..=TEXTS as i64).find(|item| !cases.contains(item)).unwrap();
    assert_ne!(prediction(&one, unasked), prediction(&other, unasked), "elsewhere it counts");
    assert!(rest.iter().any(|item| prediction(&one, *item) != prediction(&other, *item)));
}

#[test]
fn a_second_expert_on_the_same_audit_texts_adds_no_case_and_narrows_no_interval() {
    let (one, two) = (mined(), Project::none());
    let gold = one.gold();
    let cases = audit_cases(&one);
    // Ada is wrong on some, so that there is an interval to speak of.
    let said: Vec<(i64, &str)> = cases
        .iter()
        .enumerate()
        .map(|(i, item)| (*item, if i % 4 == 0 { "prize" } else { gold[item].as_str() }))
        .collect();
    answer(&one, said.clone());
    std::fs::copy(one.file(), two.file()).unwrap();
    answer_as(&two, "bo", said);
    let [once, twice] = [&one, &two].map(|project| project.json("status", &[]));
    assert_eq!((&once["audit"]["n"], &twice["audit"]["n"]), (&json!(24), &json!(24)));
    assert_eq!(
        twice["calibration_error"], once["calibration_error"],
        "24 of 30 are too few, and so they stay"
    );
    assert!(twice["calibration_error"]["undefined"].as_str().unwrap().starts_with("24 of"));
    let figures = |status: &Value| {
        let mut found: Vec<Value> = ["accuracy", "kappa", "ac1"].map(|f| status["audit"][f].clone()).into();
        for label in status["audit"]["labels"].as_array().unwrap() {
            found.extend(["precision", "recall", "f1", "prevalence"].map(|f| label[f].clone()));
        }
        found
    };
    let mut known = 0;
    for (once, twice) in figures(&once).iter().zip(figures(&twice)) {
        assert_eq!((&once["n"], &once["undefined"]), (&twice["n"], &twice["undefined"]));
        if let Some(lo) = once["lo"].as_f64() {
            let near = |end: &str| (once[end].as_f64().unwrap() - twice[end].as_f64().unwrap()).abs() < 1e-9;
            assert!(lo.is_finite() && ["value", "lo", "hi"].into_iter().all(near), "{once} {twice}");
            known += 1;
        }
    }
    assert!(known >= 5, "{known} figures are known");

    // Where the two differ, there are still as many cases.
    answer_as(&two, "bo", cases.iter().map(|item| (*item, "plain")));
    assert_eq!(two.json("status", &[])["audit"]["n"], 24);
}
