//! Cases shown again: they come blind, vote on nothing, and say how far the answers agree with the first ones by the same expert.

use std::collections::BTreeMap;

use hardcase::desk::request::{Outcome, Request, Response, Window};
use hardcase::desk::session::{Next, OnClose, Remarks, Session};
use hardcase::domain::ids::{CaseId, ItemId};
use hardcase::insight::status::status;
use hardcase::store::{Access, Store};
use serde_json::{Value, json};

use super::project::Project;

/// An answer to a case that was shown again: the item, the first label, and the second.
type Pair = (i64, String, String);

/// Cohen's kappa of two labels, by its definition.
fn kappa(pairs: &[Pair]) -> f64 {
    let n = pairs.len() as f64;
    let share = |of: &dyn Fn(&Pair) -> bool| pairs.iter().filter(|p| of(p)).count() as f64 / n;
    let agreed = share(&|p| p.1 == p.2);
    let by_chance: f64 =
        ["fine", "clickbait"].iter().map(|l| share(&|p| p.1 == *l) * share(&|p| p.2 == *l)).sum();
    (agreed - by_chance) / (1.0 - by_chance)
}

fn other(label: &str) -> String {
    if label == "fine" { "clickbait" } else { "fine" }.to_owned()
}

#[test]
fn an_expert_who_changes_a_tenth_of_repeated_answers_has_that_self_agreement_and_no_vote_changes() {
    let project = Project::scouted_elsewhere(500);
    let mined = project.json("mine", &["--budget", "330", "--strategy", "random", "--seed", "5"]);
    let places = mined["again"].as_u64().unwrap();
    let uses = ["train", "eval", "audit", "again"].map(|k| mined[k].as_u64().unwrap());
    assert!(uses.iter().sum::<u64>() == 330 && (19..=21).contains(&places), "{mined}");

    let gold = project.gold();
    let mut first: BTreeMap<i64, (usize, String)> = BTreeMap::new();
    let mut pairs: Vec<Pair> = Vec::new();
    let (mut before, mut answers) = (None::<Value>, 0);
    loop {
        let case = project.next_as("ada");
        let Some(item) = case["item"].as_i64() else { break };
        if let Some(before) = &before {
            let (number, last) = (case["case"].as_i64().unwrap(), before["case"].as_i64().unwrap());
            assert!(number > last && number - last <= 2, "{number} after {last}: its number tells it");
            assert_eq!(keys(&case), keys(before));
        }
        let label = match first.get(&item) {
            None => gold[&item].clone(),
            Some((at, label)) => {
                assert!(answers - at > 30, "item {item} came back after {} answers", answers - at);
                assert!(pairs.iter().all(|pair| pair.0 != item), "item {item} comes a third time");
                let again = if pairs.len() % 10 == 5 { other(label) } else { label.clone() };
                pairs.push((item, label.clone(), again.clone()));
                again
            }
        };
        let saved = project.answer_as("ada", item, &label);
        answers += 1;
        assert_eq!((&saved["labels"], &saved["changed"]), (&json!(answers), &json!(false)), "{saved}");
        first.entry(item).or_insert((answers - 1, label));
        before = Some(case);
    }
    assert!(pairs.len() as u64 + 2 >= places && pairs.len() >= 15, "{} of {places}", pairs.len());
    assert!(pairs.iter().filter(|p| p.1 != p.2).count() >= 2);

    let status = project.json("status", &[]);
    assert_eq!((&status["labels"], &status["shown_again"]), (&json!(first.len()), &json!(pairs.len())));
    let own = &status["kappa"]["self_agreement"];
    assert!((own["value"].as_f64().unwrap() - kappa(&pairs)).abs() < 1e-9, "{own}, {}", kappa(&pairs));
    assert_eq!(own["n"], pairs.len());
    assert!(own["lo"].as_f64() < own["value"].as_f64() && own["hi"].as_f64() >= own["value"].as_f64());
    assert_eq!(status["kappa"]["model_expert"]["n"], mined["eval"]);
    assert!(status["kappa"]["expert_expert"]["undefined"].is_string(), "it is no second expert");
    let says = project.run("status", &[]).done().out;
    let named = format!("experts with themselves, {} repeated cases ", pairs.len());
    let few = format!("The ceiling is not known yet ({} of the 30 cases needed).", pairs.len());
    assert!(says.contains(&few), "{says}");
    assert!(says.contains(&named) && says.contains("One case in 15 comes back blind"), "{says}");

    let labels = project.run("export", &["--what", "labels"]).json_lines();
    let given: BTreeMap<i64, &str> =
        labels.iter().map(|l| (l["item"].as_i64().unwrap(), l["label"].as_str().unwrap())).collect();
    assert_eq!(given, first.iter().map(|(item, (_, label))| (*item, label.as_str())).collect());
    assert_eq!(labels.len(), first.len());
    let history = project.run("export", &["--what", "labels", "--history"]).json_lines();
    let again: Vec<_> = history.iter().filter(|l| l["reason"] == "repeat").collect();
    assert_eq!((again.len(), history.len()), (pairs.len(), answers));
    assert!(again.iter().all(|l| l["revealed"] == false && l["split"] == "eval"));
    assert_eq!(project.json("tune", &[])["training"], mined["train"]);
    project.is_whole();
}

fn keys(value: &Value) -> Vec<&str> {
    value.as_object().expect("an object").keys().map(String::as_str).collect()
}

/// One person at the screen of cases, as the workstation asks.
struct Person {
    session: Session,
    window: Window,
}

impl Person {
    fn sits_down(project: &Project, name: &str) -> Self {
        let mut session = Session::open(&project.file(), name, OnClose::ReleaseCases).unwrap();
        let window = session.handle(Request::Window).window.unwrap().unwrap();
        Self { session, window }
    }

    fn does(&mut self, ask: Request) -> Outcome {
        let Response { outcome, window, .. } = self.session.handle(ask);
        if let Some(window) = window.unwrap() {
            self.window = window;
        }
        outcome.unwrap()
    }

    /// The case on the screen.
    fn at(&self) -> Option<(CaseId, ItemId)> {
        self.window.cards.first().map(|card| (card.shown.case, card.shown.item))
    }

    fn labels(&mut self, label: &str) {
        let case = self.at().unwrap().0;
        self.does(Request::Answer { case, labels: label.into(), remarks: Remarks::default() });
    }

    /// Labels up to the next case that was answered before, with a flag and a note on each of the others, and returns it.
    fn goes_to_a_repeat(&mut self, seen: &mut Vec<ItemId>) -> Option<(CaseId, ItemId)> {
        while let Some((case, item)) = self.at() {
            if seen.contains(&item) {
                return Some((case, item));
            }
            seen.push(item);
            self.does(Request::Flag(case));
            self.does(Request::Note(case, "the first time".into()));
            self.labels(if item.0 % 2 == 0 { "fine" } else { "clickbait" });
        }
        None
    }
}

fn label_of(project: &Project, expert: &str, item: ItemId) -> Option<String> {
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let expert = store.find_expert(expert).unwrap().unwrap();
    store.current_answer(expert, item).unwrap().and_then(|answer| answer.event.label().map(str::to_owned))
}

#[test]
fn on_the_screen_a_repeat_looks_like_a_case_that_nobody_has_seen() {
    let project = Project::scouted_elsewhere(300);
    project.json("mine", &["--budget", "150", "--strategy", "random", "--seed", "2"]);
    let mut ada = Person::sits_down(&project, "ada");
    let whole = ada.window.progress.unwrap();
    assert_eq!((whole.cases, whole.mine), (150, 0));

    let mut seen = Vec::new();
    let (case, item) = ada.goes_to_a_repeat(&mut seen).expect("one comes back");
    let first = label_of(&project, "ada", item).unwrap();
    let card = &ada.window.cards[0];
    assert_eq!(
        (&card.label, card.skipped, card.flagged, &card.note, &card.draft),
        (&None, false, false, &None, &None)
    );
    assert!(card.shown.revealed.is_none(), "the view was shown the first time, not now");
    let progress = ada.window.progress.unwrap();
    let counted = |progress: hardcase::desk::shown::RoundProgress| (progress.mine, progress.answered);
    assert_eq!(counted(progress), (seen.len(), seen.len()));
    assert!(
        whole.cases - progress.cases <= 2,
        "only places at which nothing came back are given up: {progress:?}"
    );

    // A flag and a note of the first time do not turn into their opposite.
    assert!(matches!(ada.does(Request::Flag(case)), Outcome::Flagged(true)));
    assert!(matches!(ada.does(Request::Flag(case)), Outcome::Flagged(false)));
    assert!(matches!(ada.does(Request::Skip(case)), Outcome::Skipped));
    assert_ne!(ada.at(), Some((case, item)), "it comes back once, at the end");
    ada.does(Request::Undo);
    assert_eq!(ada.at(), Some((case, item)));

    let again = other(&first);
    ada.labels(&again);
    assert_eq!(label_of(&project, "ada", item), Some(first.clone()), "no vote");
    let after = ada.window.progress.unwrap();
    assert_eq!(counted(after), (seen.len() + 1, seen.len() + 1), "it counts like any other");
    let Outcome::Found(back) = ada.does(Request::Earlier(None)) else { panic!("the last answer") };
    assert_eq!((back.shown.case, back.label.as_deref()), (case, Some(again.as_str())));
    assert_eq!(back.shown.revealed.as_ref().unwrap().reason, "repeat", "now it may be known");

    // Taken back and answered otherwise after the reveal: the first blind answer stays the one that is compared.
    ada.does(Request::Undo);
    assert_eq!(ada.at(), Some((case, item)));
    ada.labels(&first);
    let store = Store::open(&project.file(), Access::Read).unwrap();
    let compared: Vec<_> = store
        .first_blind_answers_to_repeats()
        .unwrap()
        .into_iter()
        .map(|a| (a.item, a.answer.single().unwrap().to_owned()))
        .collect();
    assert_eq!(compared, [(item, again)]);
    assert_eq!(store.repeat_count(None).unwrap(), 1);

    // The first answer is changed: that is the label from now on, and the first blind one is still compared.
    let changed = other(&first);
    ada.labels("fine");
    ada.session.answer(item, &changed, Remarks::default()).unwrap();
    assert_eq!(label_of(&project, "ada", item), Some(changed));
    let compared = store.first_blind_answers().unwrap();
    assert!(
        compared.iter().any(|a| a.item == item && a.answer.single() == Some(&first)),
        "the first blind one"
    );
    let figure = status(&project.file(), "ada").unwrap().kappa.self_agreement;
    assert!(figure.to_string().contains("1 of the 5 cases needed"), "{figure}");
}

#[test]
fn two_experts_each_get_their_own_answers_repeated() {
    let project = Project::scouted_elsewhere(400);
    project.json(
        "mine",
        &["--budget", "240", "--strategy", "random", "--seed", "3", "--overlap", "eval=1,audit=1,share=0"],
    );
    let mut people = ["ada", "grace"].map(|name| (Person::sits_down(&project, name), Vec::new(), 0));
    loop {
        let mut any = false;
        for (person, own, again) in &mut people {
            let Some((case, item)) = person.at() else { continue };
            any = true;
            if own.contains(&item) {
                *again += 1;
                assert!(sees(&mut person.session, case));
            } else {
                own.push(item);
            }
            person.labels("fine");
        }
        if !any {
            break;
        }
    }
    let [(mut ada, hers, n), (mut grace, his, m)] = people;
    assert!(n > 0 && m > 0 && hers.iter().all(|item| !his.contains(item)), "{n} and {m}");
    let (ada_has, grace_has) = (ada.session.answered().unwrap(), grace.session.answered().unwrap());
    assert_eq!((ada_has.len(), grace_has.len()), (hers.len() + n, his.len() + m));
    let of_ada = ada_has.iter().find(|(case, _)| !sees(&mut grace.session, *case));
    assert!(of_ada.is_some(), "what came back to one is not there for the other");
    assert!(ada_has.iter().all(|(case, _)| sees(&mut ada.session, *case)));
    assert!(matches!(ada.session.next_case().unwrap(), Next::None(_)));
    assert_eq!(project.json("status", &[])["shown_again"], n + m);
}

fn sees(session: &mut Session, case: CaseId) -> bool {
    session.look(case).unwrap().is_some()
}

#[test]
fn thirty_answers_are_too_few_for_a_repeat_and_a_new_round_withdraws_waiting_repeats() {
    let project = Project::scouted_elsewhere(300);
    let few = project.json("mine", &["--budget", "30", "--strategy", "random"]);
    assert_eq!(few["again"], 0, "nobody can have one answer with thirty after it");
    let mut ada = Person::sits_down(&project, "ada");
    let mut seen = Vec::new();
    assert_eq!(ada.goes_to_a_repeat(&mut seen), None);
    assert_eq!(seen.len(), 30);
    drop(ada);

    assert!(project.json("mine", &["--budget", "60", "--strategy", "random"])["again"].as_u64() >= Some(3));
    let mut ada = Person::sits_down(&project, "ada");
    let (case, item) = ada.goes_to_a_repeat(&mut seen).expect("one comes back");
    ada.session.close().unwrap();
    project.json("mine", &["--budget", "20", "--strategy", "random"]);
    assert_eq!(project.json("status", &[])["shown_again"], 0);
    let next = project.json("next", &[]);
    assert_ne!(next["case"], case.0, "it was withdrawn with its round");
    // An answer that comes now is an ordinary one.
    let answer =
        |label| project.json("answer", &["--item", &item.to_string(), "--label", label])["changed"].clone();
    let changed = [answer("fine"), answer("clickbait"), answer("clickbait")];
    assert_eq!(changed[1..], [true, false], "the same label again is no change");
}
