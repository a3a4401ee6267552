//! What meets in a merge besides labels: rounds that one copy closed, round 0 and cases that come back, answers taken back and put back.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::merge::{copy, essence, label, merged, said, text};
use super::project::{Project, hardcase};
use hardcase::desk::session::{Next, OnClose, Session};
use hardcase::domain::ids::ItemId;
use hardcase::store::{Access, Store};
use serde_json::json;

/// A copy of a file under another name next to the project.
fn again(project: &Project, from: &Path, name: &str) -> PathBuf {
    let to = project.path(name);
    std::fs::copy(from, &to).unwrap();
    to
}

/// Two copies come together in both ways; what they hold then is the same. Returns the first with the second taken in.
fn both_ways(project: &Project, a: &Path, b: &Path) -> PathBuf {
    let (ab, ba) = (again(project, a, "ab.hardcase"), again(project, b, "ba.hardcase"));
    merged(&ab, b);
    merged(&ba, a);
    assert_eq!(essence(&ab), essence(&ba));
    let before = essence(&ab);
    merged(&ab, b);
    merged(&ab, a);
    assert_eq!(essence(&ab), before, "once is enough");
    ab
}

fn one(file: &Path, sql: &str) -> i64 {
    rusqlite::Connection::open(file).unwrap().query_row(sql, (), |r| r.get(0)).unwrap()
}

const OPEN: &str = "SELECT count(*) FROM round WHERE closed_ms IS NULL";

#[test]
fn a_copy_from_before_the_close_adds_its_answers_and_does_not_reopen_the_round() {
    let project = Project::scouted_elsewhere(120);
    project.run("mine", &["--budget", "20", "--overlap", "eval=1,audit=1,train=1,share=0"]).done();
    let (stale, reviewer) = (copy(&project, "stale.hardcase"), copy(&project, "reviewer.hardcase"));
    let mine = label(&project.file(), "ada", 5, "fine");
    let theirs = label(&reviewer, "bob", 12, "clickbait");
    project.run("mine", &["--budget", "10"]).done();
    assert_eq!(one(&project.file(), OPEN), 1);

    let report = said(&project.file(), &[text(&stale)]);
    assert_eq!(one(&project.file(), OPEN), 1, "a copy that only lagged behind opens nothing");
    let remark = report[0]["remarks"].to_string();
    assert!(remark.contains("round 1 was still open in the copy and stays closed here"), "{report}");
    let closed_here = again(&project, &project.file(), "closed.hardcase");

    let report = said(&project.file(), &[text(&reviewer)]);
    assert_eq!(report[0]["by_expert"], json!({ "bob": 12 }), "{report}");
    let store = project.is_whole();
    let counted: BTreeSet<ItemId> =
        store.first_blind_answers().unwrap().into_iter().map(|a| a.item).collect();
    assert!(
        theirs.iter().chain(&mine).all(|item| counted.contains(item)),
        "late answers count in their round"
    );
    let round = &store.rounds().unwrap()[0];
    let all: BTreeSet<ItemId> = mine.into_iter().chain(theirs).collect();
    assert_eq!((round.closed_ms.is_some(), round.answered), (true, all.len()));
    assert!(round.cases >= round.answered);
    drop(store);
    // Nobody gets a case of the closed round any more, and mining may choose what was withdrawn with it.
    let next = hardcase(["next", text(&project.file()), "--as", "cyd", "--json"]).json();
    let case = next["case"].as_i64().unwrap();
    assert_eq!(
        one(
            &project.file(),
            &format!("SELECT r.number FROM label_case c JOIN round r ON r.id = c.round WHERE c.id = {case}")
        ),
        2
    );

    let there = said(&reviewer, &[text(&closed_here)]);
    assert!(
        there[0]["remarks"].to_string().contains("round 1 was closed in the copy, so it is closed here"),
        "{there}"
    );
    assert_eq!(one(&reviewer, OPEN), 1);
    both_ways(&project, &closed_here, &again(&project, &reviewer, "r2.hardcase"));
    both_ways(&project, &stale, &closed_here);
}

#[test]
fn rounds_closed_independently_in_two_copies_merge_in_every_order() {
    let project = Project::scouted_elsewhere(120);
    project.run("mine", &["--budget", "16", "--overlap", "eval=2,audit=2,train=1,share=0"]).done();
    label(&project.file(), "ada", 3, "fine");
    let [a, b, c] = ["a", "b", "c"].map(|name| copy(&project, &format!("{name}.hardcase")));
    let mine = |file: &Path| {
        hardcase(["mine", text(file), "--budget", "8", "--strategy", "random", "--quiet"]).done();
    };
    label(&a, "ada", 4, "fine");
    mine(&a);
    label(&b, "bob", 6, "clickbait");
    mine(&b);
    label(&b, "bob", 2, "fine");
    label(&c, "cyd", 9, "fine");
    let ab_c = both_ways(&project, &a, &b);
    merged(&ab_c, &c);
    let ab_c = again(&project, &ab_c, "ab_c.hardcase");
    let bc = both_ways(&project, &b, &c);
    let a_bc = again(&project, &a, "a_bc.hardcase");
    merged(&a_bc, &bc);
    assert_eq!(essence(&ab_c), essence(&a_bc));
    let ca = both_ways(&project, &c, &a);
    merged(&ca, &b);
    assert_eq!(essence(&ab_c), essence(&ca));
    assert_eq!(one(&ab_c, OPEN), 2, "each has opened one round of its own");
}

#[test]
fn round_0_opened_in_two_copies_is_one_round_and_each_of_its_texts_one_case() {
    let project = Project::with_ads(300);
    let [a, b] = ["a", "b"].map(|name| copy(&project, &format!("{name}.hardcase")));
    for (file, expert) in [(&a, "ada"), (&b, "bob")] {
        let mut session = Session::open(file, expert, OnClose::ReleaseCases).unwrap();
        assert!(session.begin_without_model().unwrap());
        session.close().unwrap();
    }
    let (by_ada, by_bob) = (label(&a, "ada", 4, "fine"), label(&b, "bob", 6, "clickbait"));
    assert!(by_ada.iter().all(|item| by_bob.contains(item)), "drawn from the texts alone, so the same");
    let ab = both_ways(&project, &a, &b);
    assert_eq!(one(&ab, "SELECT count(*) FROM round"), 1);
    assert_eq!(one(&ab, "SELECT count(*) FROM label_case"), 6);
    assert_eq!(one(&ab, "SELECT count(DISTINCT label_case) FROM label_event WHERE action = 'set'"), 6);
    assert_eq!(one(&ab, "SELECT count(*) FROM label_event WHERE action = 'set'"), 10);
}

#[test]
fn repeats_in_two_copies_merge_into_one_for_each_person_and_text() {
    let project = Project::scouted_elsewhere(300);
    let mined = project.json(
        "mine",
        &[
            "--budget",
            "150",
            "--strategy",
            "random",
            "--seed",
            "2",
            "--overlap",
            "eval=2,audit=2,train=2,share=0",
        ],
    );
    let places = mined["again"].as_i64().unwrap();
    assert!(places >= 8, "{mined}");
    label(&project.file(), "ada", 70, "fine");
    label(&project.file(), "bob", 70, "fine");
    let before = one(
        &project.file(),
        "SELECT count(*) FROM label_case WHERE reason = 'repeat' AND expert IS NOT NULL",
    );
    let [a, b, c] = ["a", "b", "c"].map(|name| copy(&project, &format!("{name}.hardcase")));
    // The same person goes on in two copies, and another comes to the same places in the third.
    label(&a, "ada", 60, "fine");
    label(&b, "ada", 40, "clickbait");
    label(&c, "bob", 60, "fine");
    let claimed = |file: &Path| {
        one(file, "SELECT count(*) FROM label_case WHERE reason = 'repeat' AND expert IS NOT NULL")
    };
    assert!(claimed(&a) > before && claimed(&b) > before && claimed(&c) > before, "{before}");
    let twice = "SELECT count(*) FROM (SELECT 1 FROM label_case WHERE expert IS NOT NULL GROUP BY expert, item HAVING count(*) > 1)";
    let ab = both_ways(&project, &a, &b);
    assert_eq!(one(&ab, twice), 0);
    assert_eq!(claimed(&ab), claimed(&a).max(claimed(&b)), "drawn by the seed, so the same");
    let ab = again(&project, &ab, "ab2.hardcase");
    let all = both_ways(&project, &ab, &c);
    assert_eq!(one(&all, twice), 0);
    assert_eq!(claimed(&all) - claimed(&ab), claimed(&c) - before);
    assert_eq!(
        one(
            &all,
            "SELECT count(*) FROM repeat_answer a JOIN label_case c ON c.id = a.label_case WHERE a.expert <> c.expert"
        ),
        0,
        "nobody's answer lies in another's repeat"
    );
}

#[test]
fn the_case_of_an_undone_answer_stays_with_its_expert() {
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "12", "--overlap", "eval=1,audit=1,train=1,share=0"]).done();
    let mut ada = Session::open(&project.file(), "ada", OnClose::ReleaseCases).unwrap();
    let mut bob = Session::open(&project.file(), "bob", OnClose::ReleaseCases).unwrap();
    let Next::Case(case) = ada.next_case().unwrap() else { panic!("a case") };
    ada.answer(case.item, "fine", Default::default()).unwrap();
    ada.undo().unwrap().expect("one answer");
    while let Next::Case(next) = bob.next_case().unwrap() {
        assert_ne!(next.item, case.item, "ada may put hers back");
        bob.answer(next.item, "clickbait", Default::default()).unwrap();
    }
    assert!(ada.redo().unwrap().is_some());
    let labels = project.is_whole().current_answers().unwrap();
    assert_eq!(labels.iter().filter(|e| e.event.item == case.item).count(), 1, "as was wished for");
    for session in [ada, bob] {
        session.close().unwrap();
    }
}

#[test]
fn the_similar_text_of_a_case_comes_along_with_its_side_and_a_coin_chose_that() {
    let project = Project::scouted_elsewhere(300);
    let other = copy(&project, "other.hardcase");
    hardcase(["mine", text(&other), "--budget", "60"]).done();
    said(&project.file(), &[text(&other)]);
    let shown = |file: &Path| {
        let cases = Store::open(file, Access::Read).unwrap().log().unwrap().cases.into_iter();
        let mut shown: Vec<_> =
            cases.map(|c| (c.uuid, c.partner, c.similarity.map(f64::to_bits), c.side)).collect();
        shown.sort_by_key(|case| case.0);
        shown
    };
    let mined = shown(&other);
    assert!(mined == shown(&project.file()), "the copy has other texts next to its cases");
    let across = mined.iter().filter(|case| case.3.as_deref() == Some("across")).count();
    assert!((12..=48).contains(&across), "{across} of {}", mined.len());
}
