//! Figures by slice, and rounds of the texts that meet conditions.

use std::cell::RefCell;
use std::collections::BTreeSet;

use hardcase::domain::ids::ItemId;
use hardcase::store::{Access, Store};
use serde_json::Value;

use super::project::{Project, ads};

fn labelled() -> Project {
    all_labelled(Project::scouted_elsewhere(200))
}

fn all_labelled(project: Project) -> Project {
    project.json("mine", &["--budget", "90", "--strategy", "random", "--seed", "3"]);
    let gold = project.gold();
    project.answer_all(|item| gold[&item].clone());
    project
}

#[test]
fn agreement_by_slice_has_the_worst_first_and_adds_up() {
    let project = labelled();
    let found = project.json("status", &["--slice", "meta:placement"]);
    let slices = found["slices"].as_array().unwrap();
    assert!(slices.len() > 1, "{found}");
    let known: Vec<&Value> = slices.iter().filter(|one| one["slice"] != "others").collect();
    let values: Vec<f64> = known.iter().map(|one| one["agreement"]["value"].as_f64().unwrap()).collect();
    assert!(values.is_sorted(), "{values:?}");
    let n = |figure: &Value| figure["n"].as_u64().unwrap_or(0);
    let sum: u64 = slices.iter().map(|one| n(&one["agreement"])).sum();
    let others_are_few = slices.iter().any(|one| one["agreement"].get("undefined").is_some());
    assert!(sum == n(&found["all"]) || others_are_few, "{found}");
    let status = project.json("status", &[]);
    assert_eq!(n(&found["all"]), n(&status["kappa"]["model_expert"]));
    let weak = &status["weak_slices"];
    assert_eq!(weak["all"], found["all"], "{status}");
    let of_placement: Vec<&Value> =
        weak["slices"].as_array().unwrap().iter().filter(|one| one["by"] == "placement").collect();
    assert!(weak["looked_at"].as_u64() > Some(known.len() as u64), "lengths are looked at, too: {weak}");
    for one in of_placement {
        let same = known.iter().find(|known| known["slice"] == one["slice"]).unwrap();
        let (together, alone) = (&one["agreement"], &same["agreement"]);
        assert_eq!(together["value"], alone["value"]);
        assert!(together["lo"].as_f64() < alone["lo"].as_f64(), "it allows for more slices: {one} {same}");
        assert!(together["value"].as_f64() < weak["all"]["value"].as_f64(), "{weak}");
    }
    assert_eq!(found["correction"], "bonferroni");
    for by in ["source", "language", "length"] {
        assert_eq!(project.json("status", &["--slice", by])["by"], by);
    }
    let text = project.run("status", &["--slice", "length"]).done().out;
    assert!(text.contains("the worst first") && text.contains("Bonferroni"), "{text}");
    project
        .run("status", &["--slice", "meta:colour"])
        .refused(2, &["no answered text has that column", "placement"]);
    project.run("status", &["--slice", "colour"]).refused(2, &["meta:COLUMN"]);
}

#[test]
fn a_column_that_is_called_like_another_way_takes_none_of_its_slices() {
    let project = Project::empty();
    let data = project.write("ads.csv", ads(200).replacen("placement", "length", 1));
    let data = data.to_str().unwrap();
    let columns = ["--text", "text", "--id", "id", "--gold", "gold", "--meta", "length"];
    project.run("import", &[&[data][..], &columns].concat()).done();
    project.enter_vectors();
    let looked_at = |project: &Project| project.json("status", &[])["weak_slices"]["looked_at"].clone();
    assert_eq!(looked_at(&all_labelled(project)), looked_at(&labelled()));
}

#[test]
fn a_round_of_some_texts_has_only_these_and_its_audit_is_drawn_from_all() {
    let project = Project::scouted_elsewhere(200);
    let placement = |item: ItemId| -> String {
        let store = Store::open(&project.file(), Access::Read).unwrap();
        let meta: Value = serde_json::from_str(&store.item(item).unwrap().unwrap().meta.unwrap()).unwrap();
        meta["placement"].as_str().unwrap().to_owned()
    };
    let mined = project.json("mine", &["--budget", "60", "--where", "placement=search and length>5"]);
    assert!(
        mined["note"].as_str().unwrap().contains("only texts with placement=search and length>5"),
        "{mined}"
    );
    let counts = ["train", "eval", "audit"].map(|split| mined[split].as_u64().unwrap());
    assert!(counts[2] <= 8, "few texts to choose from make no larger audit: {mined}");
    let gold = project.gold();
    let chosen = RefCell::new(BTreeSet::new());
    project.answer_all(|item| {
        chosen.borrow_mut().insert(ItemId(item));
        gold[&item].clone()
    });
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let (audit, others): (Vec<ItemId>, Vec<ItemId>) = chosen
        .into_inner()
        .into_iter()
        .partition(|item| store.split_of(*item).unwrap().unwrap().as_str() == "audit");
    assert!(others.len() > 5 && others.iter().all(|item| placement(*item) == "search"), "{}", others.len());
    assert!(
        !audit.is_empty() && audit.iter().any(|item| placement(*item) != "search"),
        "audit is of the whole pool"
    );
}

#[test]
fn conditions_that_cannot_be_are_refused_and_no_round_opens() {
    let project = Project::scouted_elsewhere(60);
    for (conditions, why) in [
        ("german", "is no condition"),
        ("re:(", "is not a pattern"),
        ("colour=red", "no text has the column 'colour'"),
        ("placement=nowhere", "no open text meets"),
    ] {
        project.run("mine", &["--where", conditions]).refused(2, &[why]);
    }
    assert_eq!(project.json("status", &[])["round"], 0);
}
