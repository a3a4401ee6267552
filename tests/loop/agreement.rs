//! Several experts at one project: whether they agree, who decides where they do not, and cases that are sent round again.

use std::collections::BTreeMap;

use hardcase::desk::session::{OnClose, Remarks, Session};
use hardcase::domain::ids::ItemId;
use hardcase::insight::agreement::agreement;
use hardcase::store::{Access, Store};
use serde_json::{Value, json};

use super::project::{Project, TASK};
#[cfg(unix)]
use super::seat::{Seat, one_line};

fn other(label: &str) -> &'static str {
    if label == "fine" { "clickbait" } else { "fine" }
}

/// A round that ada, who made the project, has answered as the gold has it, and bob, too, but for each fourth item; with each item's label by
/// ada and by bob.
fn labelled_by_two() -> (Project, BTreeMap<i64, (String, String)>) {
    let project = Project::scouted_elsewhere(120);
    project.json("mine", &["--budget", "48", "--strategy", "random", "--seed", "3"]);
    let gold = project.gold();
    let mut said = BTreeMap::new();
    while let Some(item) = project.next_as("ada")["item"].as_i64() {
        let label = gold[&item].clone();
        project.answer_as("ada", item, &label);
        let bobs = if said.len() % 4 == 3 { other(&label).to_owned() } else { label.clone() };
        said.insert(item, (label, bobs));
    }
    for (item, (_, label)) in &said {
        project.answer_as("bob", *item, label);
    }
    (project, said)
}

/// The label that the project gives an item; none where it has none or a tie.
fn decided(project: &Project, item: i64) -> Option<String> {
    let lines = project.run("export", &["--what", "predictions"]).json_lines();
    lines.iter().find(|line| line["item"] == item).unwrap()["label"].as_str().map(str::to_owned)
}

fn split(project: &Project, item: i64) -> &'static str {
    Store::open(&project.file(), Access::Read).unwrap().split_of(ItemId(item)).unwrap().unwrap().as_str()
}

#[test]
fn two_experts_figures_are_those_that_their_definitions_give() {
    let (project, said) = labelled_by_two();
    let report = project.json("agreement", &[]);
    let hard = &report["uses"][0];
    let pairs: Vec<&(String, String)> =
        said.iter().filter(|(item, _)| split(&project, **item) == "eval").map(|(_, both)| both).collect();
    let n = pairs.len() as f64;
    let share = |of: &dyn Fn(&(String, String)) -> bool| pairs.iter().filter(|p| of(p)).count() as f64 / n;
    let raw = share(&|p| p.0 == p.1);
    let (mut cohen, mut fleiss) = (0.0, 0.0);
    for label in ["fine", "clickbait"] {
        let (ada, bob) = (share(&|p| p.0 == label), share(&|p| p.1 == label));
        cohen += ada * bob;
        fleiss += ((ada + bob) / 2.0).powi(2);
    }
    let near = |figure: &Value, want: f64| {
        let value = figure["value"].as_f64().unwrap_or_else(|| panic!("{figure}"));
        assert!((value - want).abs() < 1e-9, "{figure}, not {want}");
        assert!(figure["lo"].as_f64().unwrap() < value && figure["hi"].as_f64().unwrap() > value);
        assert_eq!(figure["n"], pairs.len());
    };
    assert_eq!((hard["cases_of"].as_str(), &hard["shared"]), (Some("hard"), &json!(pairs.len())));
    near(&hard["pairs"][0]["kappa"], (raw - cohen) / (1.0 - cohen));
    near(&hard["pairs"][0]["raw"], raw);
    near(&hard["overall"]["fleiss"], (raw - fleiss) / (1.0 - fleiss));
    near(&hard["ceiling"], (raw - cohen) / (1.0 - cohen));
    near(&hard["overall"]["ac1"], {
        let chance = 1.0 - fleiss;
        (raw - chance) / (1.0 - chance)
    });
    let status = project.json("status", &[]);
    assert_eq!(status["kappa"]["expert_expert"], hard["ceiling"]);
    assert_eq!(status["kappa"]["model_on_shared"], hard["model"]);
    assert_eq!(status["experts_agree"], hard["overall"]);
    let differ = said.values().filter(|(a, b)| a != b).count();
    assert_eq!(status["disagreements"], json!({ "items": differ, "undecided": differ }));
    let says = project.run("agreement", &[]).done().out;
    for part in [
        "Hard cases (evaluation)",
        "ada and bob: kappa",
        "Krippendorff's alpha",
        "disagreements are undecided",
    ] {
        assert!(says.contains(part), "no {part:?} in:\n{says}");
    }
}

#[test]
fn a_lead_decides_with_a_reason_and_undoes_it_and_nobody_else_may() {
    let (project, said) = labelled_by_two();
    let list = project.json("adjudicate", &["--list"]);
    let differ: Vec<i64> = said.iter().filter(|(_, (a, b))| a != b).map(|(item, _)| *item).collect();
    let listed: Vec<i64> = list.as_array().unwrap().iter().map(|d| d["item"].as_i64().unwrap()).collect();
    assert_eq!(listed, differ);
    let (item, number) = (differ[0], differ[0].to_string());
    let answers =
        json!([{ "expert": "ada", "label": said[&item].0 }, { "expert": "bob", "label": said[&item].1 }]);
    assert_eq!(list[0]["answers"], answers);
    assert_eq!(decided(&project, item), None, "a tie");

    let decide = |name: &str, reason: &str| {
        project.run("adjudicate", &["--as", name, "--item", &number, "--label", "fine", "--reason", reason])
    };
    decide("bob", "because").refused(1, &["decide on item", "only a lead may do that"]);
    decide("ada", " ").refused(2, &["no reason is given"]);
    assert_eq!(project.run("adjudicate", &["--item", &number, "--label", "fine"]).code, Some(2));
    assert_eq!(decided(&project, item), None);
    let missing =
        ["--item", "987654", "--label", "fine", "--reason", "it says what it offers", "--as", "ada"];
    project.run("adjudicate", &missing).refused(2, &["987654", "the project has no such text"]);
    project.run("adjudicate", &["--again", "--item", "987654"]).refused(2, &["no such text"]);

    project.json(
        "answer",
        &["--as", "bob", "--item", &number, "--label", &said[&item].1, "--note", "it says so"],
    );
    decide("ada", "it says what it offers").done();
    assert_eq!(decided(&project, item).as_deref(), Some("fine"));
    let shown = project.json("adjudicate", &["--item", &number]);
    assert_eq!(shown["decision"]["by"], "ada");
    assert_eq!(shown["decision"]["reason"], "it says what it offers");
    assert_eq!(shown["answers"][1]["note"], "it says so");
    let list = project.json("adjudicate", &["--list"]);
    assert_eq!(list.as_array().unwrap().last().unwrap()["decided"], "fine", "what is decided stands last");

    project
        .run("adjudicate", &["--as", "bob", "--item", &number, "--undo"])
        .refused(1, &["only a lead may do that"]);
    project.json("adjudicate", &["--item", &number, "--undo"]);
    assert_eq!(decided(&project, item), None);
    project.run("adjudicate", &["--item", &number, "--undo"]).refused(1, &["there is no decision on it"]);
    // The screen's undo is the same.
    let mut session = Session::open(&project.file(), "ada", OnClose::ReleaseCases).unwrap();
    session.decide(ItemId(item), "clickbait", "it withholds").unwrap();
    assert_eq!(session.undo().unwrap().unwrap().what, "decision clickbait");
    assert_eq!(decided(&project, item), None);
    session.redo().unwrap();
    assert_eq!(decided(&project, item).as_deref(), Some("clickbait"));
    session.close().unwrap();
    drop(project.is_whole());
}

#[test]
fn reannotated_cases_are_blind_and_only_answers_under_the_new_revision_count() {
    let (project, said) = labelled_by_two();
    let differ: Vec<i64> = said.iter().filter(|(_, (a, b))| a != b).map(|(item, _)| *item).collect();
    let repeats = project.json("status", &[])["shown_again"].clone();
    project.run("adjudicate", &["--again"]).refused(1, &["before revision 1 of the task"]);
    let task =
        project.write("newer.toml", TASK.replace("guideline = ", "guideline = \"Look twice.\"\n# was: "));
    let changed = std::fs::read_to_string(&task).unwrap();
    let changed = if changed.contains("\"\"\"") {
        TASK.replacen("\"\"\"\n", "\"\"\"\nLook twice. ", 1)
    } else {
        changed
    };
    std::fs::write(&task, changed).unwrap();
    assert_eq!(project.json("task", &["--set", task.to_str().unwrap()])["revision"], 2);
    project.run("adjudicate", &["--again", "--as", "bob"]).refused(1, &["only a lead may do that"]);
    let shared = |name: &str| project.json(name, &[])["uses"][0]["shared"].as_u64().unwrap();
    let before = shared("agreement");
    assert_eq!(
        project.json("adjudicate", &["--again"]),
        json!({ "items": differ.len(), "cases": 2 * differ.len() })
    );
    project.run("adjudicate", &["--again"]).refused(1, &["they have been sent already"]);

    // Until anybody answers again nothing has changed, and nobody who is to answer sees what the others said.
    assert_eq!(project.json("adjudicate", &["--list", "--as", "bob"]), json!([]));
    let first = differ[0].to_string();
    project
        .run("adjudicate", &["--item", &first, "--as", "bob"])
        .refused(1, &["it still needs an answer from you or from others"]);
    let for_ada = project.json("adjudicate", &["--list"]);
    assert!(
        for_ada.as_array().unwrap().iter().all(|d| d["yours_to_answer"] == true && d["answers"] == json!([]))
    );

    // bob sees now what ada saw.
    let mut again = Vec::new();
    while let Some(item) = project.next_as("bob")["item"].as_i64() {
        let case = project.next_as("bob");
        assert!(case.get("revealed").is_none(), "{case}");
        let saved = project.answer_as("bob", item, &said[&item].0);
        assert_eq!(saved["changed"], false, "{saved}");
        again.push(item);
    }
    again.sort_unstable();
    assert_eq!(again, differ);
    let hard = differ.iter().filter(|item| split(&project, **item) == "eval").count() as u64;
    assert!(hard > 0);
    assert_eq!(
        shared("agreement"),
        before - hard,
        "what ada said under the old revision is not compared with the new"
    );
    assert_eq!(
        decided(&project, differ[0]).as_ref(),
        Some(&said[&differ[0]].0),
        "it trains with bob's new answer alone"
    );

    while let Some(item) = project.next_as("ada")["item"].as_i64() {
        project.answer_as("ada", item, &said[&item].0);
    }
    let report = project.json("agreement", &[]);
    assert_eq!(report["uses"][0]["shared"], before);
    assert_eq!(report["uses"][0]["overall"]["raw"]["value"], 1.0, "they agree on all now");
    assert_eq!(project.json("adjudicate", &["--list"]), json!([]));
    assert_eq!(project.json("status", &[])["shown_again"], repeats, "they are no repeats");
    drop(project.is_whole());
}

#[test]
fn a_decision_is_superseded_once_its_item_is_answered_again_under_a_newer_revision() {
    let (project, said) = labelled_by_two();
    let (item, (ada, bob)) = said.iter().find(|(_, (a, b))| a != b).unwrap();
    let number = item.to_string();
    project.run("adjudicate", &["--item", &number, "--label", bob, "--reason", "as bob says"]).done();
    let mut lead = Session::open(&project.file(), "ada", OnClose::ReleaseCases).unwrap();
    assert_eq!(lead.revise_guideline("Only what it offers counts.").unwrap(), 2);
    lead.close().unwrap();
    project.json("adjudicate", &["--again", "--item", &number]);
    assert_eq!(decided(&project, *item).as_ref(), Some(bob), "nobody has answered yet");
    project.json("answer", &["--as", "bob", "--item", &number, "--label", ada]);
    assert_eq!(decided(&project, *item).as_ref(), Some(ada));
    let shown = project.json("adjudicate", &["--item", &number]);
    assert_eq!(shown["decision"]["overtaken"], true, "{shown}");
    assert_eq!(shown["answers"].as_array().unwrap().iter().filter(|a| a["overtaken"] == true).count(), 1);
    // ada, who leads, has now seen bob's answer before answering: hers is not blind.
    project.json("answer", &["--item", &number, "--label", ada]);
    let lines = project.run("export", &["--what", "labels", "--history"]).json_lines();
    let last = lines.last().unwrap();
    assert_eq!((&last["expert"], &last["revealed"]), (&json!("ada"), &json!(true)), "{last}");
}

#[test]
fn fast_answers_and_runs_of_one_label_give_warnings_with_their_n_and_careful_answers_give_none() {
    let project = Project::scouted_elsewhere(120);
    project.json("mine", &["--budget", "80", "--strategy", "random", "--seed", "3"]);
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let items: Vec<ItemId> = store.items_of_cases().unwrap().into_iter().take(70).collect();
    drop(store);
    let label = |i: usize| if i.is_multiple_of(2) { "fine" } else { "clickbait" };
    let answer = |name: &str, with: &dyn Fn(usize) -> (&'static str, i64)| {
        let mut session = Session::open(&project.file(), name, OnClose::ReleaseCases).unwrap();
        for (i, item) in items.iter().enumerate() {
            let (label, ms) = with(i);
            let remarks = Remarks { duration_ms: Some(ms), ..Remarks::default() };
            session.answer(*item, label, remarks).unwrap();
        }
        session.close().unwrap();
    };
    let careful = |i: usize| (label(i), 6_000 + 100 * (i as i64 % 9));
    answer("ada", &careful);
    answer("bob", &careful);
    assert_eq!(agreement(&project.file(), "ada").unwrap().warnings, Vec::<String>::new());
    answer("carl", &|i| if i < 40 { careful(i) } else { ("fine", 300) });
    let warnings = agreement(&project.file(), "ada").unwrap().warnings;
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    assert!(warnings[0].starts_with("carl and the others agree less than before"), "{}", warnings[0]);
    assert!(
        warnings[1].starts_with("30 of 70 timed answers of carl took less than a quarter"),
        "{}",
        warnings[1]
    );
    assert!(warnings[2].starts_with("carl gave the label 'fine' 3"), "{}", warnings[2]);
    assert!(warnings[2].contains("among 70 answers") && warnings[2].contains("n = 140"), "{}", warnings[2]);
}

/// The label that each expert gave each case of one use, by item; none where an expert has not answered it.
type Given = BTreeMap<i64, [Option<&'static str>; 3]>;

/// Three experts' answers to a round of which every case is for all three: bob errs in each fifth case, cy in each fourth, and cy leaves out each sixth.
fn labelled_by_three() -> (Project, BTreeMap<&'static str, Given>) {
    let project = Project::scouted_elsewhere(200);
    let overlap = "eval=3,audit=3,train=3,share=0";
    project
        .run("mine", &["--budget", "90", "--strategy", "random", "--seed", "3", "--overlap", overlap])
        .done();
    let gold = project.gold();
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let mut given: BTreeMap<&'static str, Given> = BTreeMap::new();
    for (i, item) in store.items_of_cases().unwrap().into_iter().enumerate() {
        let right = if gold[&item.0] == "fine" { "fine" } else { "clickbait" };
        let unless = |errs: usize| if i % errs == errs - 1 { other(right) } else { right };
        let split = store.split_of(item).unwrap().unwrap().as_str();
        let cys = (i % 6 != 5).then(|| unless(4));
        given.entry(split).or_default().insert(item.0, [Some(right), Some(unless(5)), cys]);
    }
    drop(store);
    for (i, name) in ["ada", "bob", "cy"].into_iter().enumerate() {
        let mut session = Session::open(&project.file(), name, OnClose::ReleaseCases).unwrap();
        for (item, labels) in given.values().flatten() {
            if let Some(label) = labels[i] {
                session.answer(ItemId(*item), label, Remarks::default()).unwrap();
            }
        }
        session.close().unwrap();
    }
    (project, given)
}

const LABELS: [&str; 2] = ["clickbait", "fine"];

/// Cohen's kappa (1960) over the cases that both have answered.
fn cohen(given: &Given, one: usize, other: usize) -> (f64, usize) {
    let both: Vec<_> = given.values().filter_map(|labels| labels[one].zip(labels[other])).collect();
    let n = both.len() as f64;
    let share = |of: &dyn Fn(&(&str, &str)) -> bool| both.iter().filter(|pair| of(pair)).count() as f64 / n;
    let chance: f64 = LABELS.iter().map(|l| share(&|p| p.0 == *l) * share(&|p| p.1 == *l)).sum();
    ((share(&|p| p.0 == p.1) - chance) / (1.0 - chance), both.len())
}

#[test]
fn three_experts_figures_are_those_that_their_definitions_give_on_training_cases_too_and_where_answers_are_missing()
 {
    let (project, given) = labelled_by_three();
    let report = project.json("agreement", &[]);
    for (i, split) in ["eval", "audit", "train"].into_iter().enumerate() {
        let (on, given) = (&report["uses"][i], &given[split]);
        // How many gave each label, case by case: r answers each, and every case has two or three.
        let counts = |labels: &[Option<&str>; 3]| {
            LABELS.map(|l| labels.iter().filter(|g| **g == Some(l)).count() as f64)
        };
        let table: Vec<[f64; 2]> = given.values().map(counts).collect();
        let (n, total) = (table.len() as f64, table.iter().flatten().sum::<f64>());
        let r = |row: &[f64; 2]| row[0] + row[1];
        let raw = table
            .iter()
            .map(|row| row.iter().map(|k| k * (k - 1.0)).sum::<f64>() / r(row) / (r(row) - 1.0))
            .sum::<f64>()
            / n;
        let sums = [0, 1].map(|l| table.iter().map(|row| row[l]).sum::<f64>());
        // Fleiss (1971).
        let chance: f64 = sums.iter().map(|sum| (sum / total).powi(2)).sum();
        let fleiss = (raw - chance) / (1.0 - chance);
        // Krippendorff (2011), nominal, missing values.
        let alike: f64 =
            table.iter().map(|row| row.iter().map(|k| k * (k - 1.0)).sum::<f64>() / (r(row) - 1.0)).sum();
        let expected: f64 = sums.iter().map(|sum| sum * (sum - 1.0)).sum::<f64>() / (total * (total - 1.0));
        let alpha = 1.0 - (1.0 - alike / total) / (1.0 - expected);
        // Gwet (2008), of two labels.
        let share = table.iter().map(|row| row[0] / r(row)).sum::<f64>() / n;
        let chance = 2.0 * share * (1.0 - share);
        let ac1 = (raw - chance) / (1.0 - chance);
        let pairs = [(0, 1), (0, 2), (1, 2)].map(|(a, b)| cohen(given, a, b));

        let near = |name: &str, figure: &Value, want: f64, n: usize| {
            let value = figure["value"].as_f64().unwrap_or_else(|| panic!("{name} of {split}: {figure}"));
            assert!((value - want).abs() < 1e-9, "{name} of {split}: {figure}, not {want}");
            assert!(figure["lo"].as_f64().unwrap() <= value && figure["hi"].as_f64().unwrap() >= value);
            assert_eq!(figure["n"], n, "{name} of {split}");
        };
        assert_eq!((&on["shared"], &on["experts"]), (&json!(table.len()), &json!(["ada", "bob", "cy"])));
        if table.len() < 15 {
            assert_eq!(split, "audit", "only the audit's are few");
            continue;
        }
        for (name, want) in [("raw", raw), ("fleiss", fleiss), ("alpha", alpha), ("ac1", ac1)] {
            near(name, &on["overall"][name], want, table.len());
            near(name, &on["rounds"][0][name], want, table.len());
        }
        for (pair, (kappa, n)) in on["pairs"].as_array().unwrap().iter().zip(pairs) {
            near("kappa", &pair["kappa"], kappa, n);
        }
        let mean = pairs.iter().map(|(kappa, _)| kappa).sum::<f64>() / 3.0;
        near("ceiling", &on["ceiling"], mean, table.len());
        near("cohen", &on["rounds"][0]["cohen"], mean, table.len());
        let trains = split == "train";
        assert_eq!((on["model"].is_null(), on["rounds"][0]["model"].is_null()), (trains, trains));
        assert_eq!(on["model_with"].as_array().unwrap().len(), if trains { 0 } else { 3 });
    }
    assert_eq!(report["uses"][2]["cases_of"], "training");
}

#[cfg(unix)]
#[test]
fn on_the_screen_a_lead_changes_the_guideline_and_has_disagreements_labelled_again() {
    let (project, said) = labelled_by_two();
    let differ: Vec<i64> = said.iter().filter(|(_, (a, b))| a != b).map(|(item, _)| *item).collect();
    let seat = Seat::open(&project, &["--as", "ada"]);
    seat.see("Round 1 is done");
    let press = |keys: &str, seen: &str| {
        seat.press(keys);
        seat.see_that(seen, |screen| one_line(screen).contains(seen));
    };
    press("\x04", "Cohen's kappa");
    press("\x01", "Open a case first");
    press("\r", "without a decision");
    press("\r", "What each expert says");
    // Left with esc, nothing is set.
    press("\x15", "ctrl-s saves a new version");
    seat.press("Not this. \x1b");
    seat.see_that("the editor gone", |screen| !screen.contains("ctrl-s saves"));
    press("\x15", "ctrl-s saves a new version");
    press("Look twice. \x13", "The guideline is at version 2");
    press("\x01", "Have cases labelled again?");
    let sent = format!("{} cases will be labelled again, {} cases to answer", differ.len(), 2 * differ.len());
    press("d", &sent);
    // What this lead is to answer again is shown without the others' answers from now on.
    seat.press("q");
    assert_eq!(seat.end().0, 0);

    let task = Store::open(&project.file(), Access::Read).unwrap().task().unwrap();
    assert_eq!(task.number, 2);
    assert!(task.task.guideline.contains("Look twice.") && !task.task.guideline.contains("Not this"));
    let case = project.json("next", &["--as", "bob"]);
    assert!(differ.contains(&case["item"].as_i64().unwrap()) && case.get("revealed").is_none(), "{case}");
    project.run("adjudicate", &["--again"]).refused(1, &["they have been sent already"]);
}
