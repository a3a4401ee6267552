//! Several experts at one file: who may see and do what, how many see a case, and what a round waits for.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde_json::{Value, json};

use super::project::{Project, Ran, run};

/// `hardcase VERB FILE ARGUMENTS --as NAME` from the login of that name.
fn by(project: &Project, name: &str, verb: &str, arguments: &[&str]) -> Ran {
    from_login(project, (name, name), verb, arguments)
}

/// The same under a name from whatever login.
fn from_login(project: &Project, (name, login): (&str, &str), verb: &str, arguments: &[&str]) -> Ran {
    let mut command = project.command(verb, arguments);
    command.env("LOGNAME", login).args(["--as", name, "--quiet", "--json"]);
    run(command)
}

/// Gets the next case and answers it. The item, or why there is none.
fn step(project: &Project, name: &str, label: &str) -> Result<i64, String> {
    let case = by(project, name, "next", &[]).json();
    let Some(item) = case["item"].as_i64() else { return Err(case["why"].as_str().unwrap().to_owned()) };
    by(project, name, "answer", &["--item", &item.to_string(), "--label", label]).json();
    Ok(item)
}

/// Answers all there is for this expert. The items, and what was said at the end.
fn finish(project: &Project, name: &str, label: &str) -> (Vec<i64>, String) {
    let mut items = Vec::new();
    loop {
        match step(project, name, label) {
            Ok(item) => items.push(item),
            Err(why) => return (items, why),
        }
    }
}

/// What each case of a round was wished for, by item, with its split; cases that come back are left out.
fn wishes(project: &Project, round: i64) -> BTreeMap<i64, (String, usize)> {
    let file = rusqlite::Connection::open(project.file()).unwrap();
    let mut statement = file
        .prepare(
            "SELECT c.item, c.split, c.overlap FROM label_case c JOIN round r ON r.id = c.round
             WHERE r.number = ?1 AND c.withdrawn_ms IS NULL AND c.reason <> 'repeat'",
        )
        .unwrap();
    let rows = statement
        .query_map([round], |r| Ok((r.get(0)?, (r.get(1)?, r.get::<_, i64>(2)?.unsigned_abs() as usize))))
        .unwrap();
    rows.map(Result::unwrap).collect()
}

/// Who has answered each item.
fn annotators(project: &Project) -> HashMap<i64, BTreeSet<String>> {
    let mut annotators: HashMap<i64, BTreeSet<String>> = HashMap::new();
    for line in by(project, "ada", "export", &["--history"]).json_lines() {
        if line["action"] == "set" && line["reason"] != "repeat" {
            let names = annotators.entry(line["item"].as_i64().unwrap()).or_default();
            names.insert(line["person"].as_str().unwrap().to_owned());
        }
    }
    annotators
}

#[test]
fn evaluation_and_audit_cases_go_to_two_experts_and_training_cases_to_one_except_a_share() {
    let project = Project::scouted_elsewhere(300);
    let mined = project.json("mine", &["--budget", "60"]);
    assert_eq!(mined["overlap"], json!({ "eval": 2, "audit": 2, "train": 1, "share": 0.1 }));
    let count = |key: &str| mined[key].as_u64().unwrap();
    let drawn = (count("train") as f64 * 0.1).round() as u64;
    assert_eq!(count("shared"), count("eval") + count("audit") + drawn, "{mined}");

    let (mut ada, mut bob) = (true, true);
    while ada || bob {
        for (name, goes_on) in [("ada", &mut ada), ("bob", &mut bob)] {
            *goes_on = step(&project, name, "fine").is_ok();
        }
    }
    let (wishes, given) = (wishes(&project, 1), annotators(&project));
    assert_eq!(given.keys().collect::<BTreeSet<_>>(), wishes.keys().collect());
    for (item, (split, wish)) in &wishes {
        assert_eq!(given[item].len(), *wish, "item {item} of {split}");
        assert!(*wish == 2 || split == "train" && *wish == 1);
    }
    let status = project.json("status", &[]);
    assert_eq!(status["round_cases"]["complete"], status["round_cases"]["cases"], "{status}");
    assert!(
        status["kappa"]["expert_expert"]["n"].is_u64()
            || status["kappa"]["expert_expert"]["undefined"].is_string()
    );
    let why = project.json("next", &[])["why"].clone();
    assert!(why.as_str().unwrap().starts_with("Round 1 is done"), "{why}");
    project.is_whole();
}

#[test]
fn with_one_expert_a_case_closes_at_once_and_a_second_one_gets_it_while_the_round_is_open() {
    let project = Project::scouted_elsewhere(200);
    project.run("mine", &["--budget", "30"]).done();
    let (items, why) = finish(&project, "ada", "fine");
    assert_eq!(items.len(), 30);
    assert!(why.starts_with("Round 1 is done"), "{why}");
    assert_eq!(project.json("status", &[])["open_rounds"][0]["more"], 0, "she is the only one");

    let wishes = wishes(&project, 1);
    let shared: BTreeSet<i64> =
        wishes.iter().filter(|(_, (_, wish))| *wish == 2).map(|(item, _)| *item).collect();
    let first = step(&project, "bob", "clickbait").unwrap();
    assert!(shared.contains(&first));
    let said = project.run("status", &[]).done().out;
    let left = shared.len() - 1;
    let says = format!(
        "1: {} of 30 cases complete, {left} need a second answer (bob can answer {left} of them)",
        30 - left
    );
    assert!(said.contains(&says), "no {says:?} in {said}");
    let (rest, _) = finish(&project, "bob", "clickbait");
    assert_eq!(rest.into_iter().chain([first]).collect::<BTreeSet<_>>(), shared);
}

#[test]
fn a_requested_overlap_is_kept_for_later_rounds() {
    let project = Project::scouted_elsewhere(200);
    let first = project.json("mine", &["--budget", "20", "--overlap", "eval=1,audit=3,share=0"]);
    assert_eq!(first["overlap"], json!({ "eval": 1, "audit": 3, "train": 1, "share": 0.0 }));
    assert_eq!(first["shared"], first["audit"]);
    let second = project.json("mine", &["--budget", "20", "--force", "--overlap", "train=2"]);
    assert_eq!(second["overlap"], json!({ "eval": 1, "audit": 3, "train": 2, "share": 0.0 }));
    let said = project.run("mine", &["--budget", "20", "--force"]).done().out;
    assert!(said.contains("go to more than one expert"), "{said}");
    for wrong in ["eval=0", "evl=2", "share=2", "eval"] {
        project.run("mine", &["--overlap", wrong]).refused(2, &["overlap"]);
    }
}

#[test]
fn six_processes_on_one_file_never_give_a_case_to_more_experts_than_requested() {
    let project = Project::scouted_elsewhere(300);
    project.run("mine", &["--budget", "60", "--overlap", "eval=3,audit=2,share=0.5"]).done();
    let names = ["ada", "bob", "cy", "dee", "eve", "flo"];
    std::thread::scope(|scope| {
        for name in names {
            let project = &project;
            scope.spawn(move || finish(project, name, if name < "d" { "fine" } else { "clickbait" }));
        }
    });
    let (wishes, annotators) = (wishes(&project, 1), annotators(&project));
    for (item, (split, wish)) in &wishes {
        let had = annotators.get(item).map_or(0, BTreeSet::len);
        assert!(had <= *wish, "item {item} of {split} was to have {wish}, and has {had}");
    }
    for name in names {
        finish(&project, name, "fine");
    }
    let annotators = self::annotators(&project);
    assert!(
        wishes.iter().all(|(item, (_, wish))| annotators[item].len() == *wish),
        "each in the end has what it wants"
    );
    project.is_whole();
}

#[cfg(unix)]
#[test]
fn cases_of_a_killed_terminal_are_free_at_once_and_those_of_a_running_one_are_not() {
    use super::seat::{Seat, Setup, case_on};
    let project = Project::scouted_elsewhere(100);
    project.run("mine", &["--budget", "20", "--overlap", "eval=1,audit=1,share=0"]).done();
    let mut seat = Seat::open_as(&project, &["--as", "bob"], Setup::default(), &[("LOGNAME", "bob")]);
    let held = seat.see_before_end("a case", |s| case_on(s).is_some()).and_then(|s| case_on(&s)).unwrap();
    let first = project.json("next", &[])["case"].as_i64().unwrap();
    assert_ne!(first, held, "it is on bob's screen");
    let mut cases = BTreeSet::from([first]);
    seat.signal(rustix::process::Signal::KILL);
    seat.gone();
    let mut asked = first;
    while !cases.contains(&held) {
        let case = project.json("next", &[]);
        asked = case["case"].as_i64().unwrap_or_else(|| panic!("case {held} never came: {case}, {cases:?}"));
        cases.insert(asked);
        let item = case["item"].to_string();
        project.json("answer", &["--item", &item, "--label", "fine"]);
    }
    assert_eq!(asked, held);
    assert!(cases.len() <= 3, "it comes as the first that is free, not after ten minutes: {cases:?}");
}

#[test]
fn until_a_case_is_closed_experts_see_only_their_own_answers_and_a_lead_may_see_all() {
    let project = Project::scouted_elsewhere(200);
    project.run("mine", &["--budget", "30"]).done();
    // Both are at it before either has answered.
    for name in ["ada", "bob"] {
        by(&project, name, "next", &[]).json();
    }
    let (answered, _) = finish(&project, "ada", "clickbait");
    let wishes = wishes(&project, 1);
    let open: BTreeSet<i64> = answered.iter().copied().filter(|item| wishes[item].1 == 2).collect();
    let seen = |name: &str| -> BTreeSet<i64> {
        let lines = by(&project, name, "export", &[]).json_lines();
        let hers = lines.iter().filter(|line| line["expert"] == "ada");
        hers.map(|line| line["item"].as_i64().unwrap()).collect()
    };
    let labelled = |name: &str| -> BTreeSet<i64> {
        let lines = by(&project, name, "export", &["--what", "predictions"]).json_lines();
        lines.iter().filter(|l| !l["label"].is_null()).map(|l| l["item"].as_i64().unwrap()).collect()
    };
    for name in ["bob", "nobody"] {
        assert!(seen(name).is_disjoint(&open), "{name} sees answers to open cases");
        assert!(labelled(name).is_disjoint(&open));
        let rows = by(&project, name, "export", &["--what", "rows"]).json_lines();
        let decided = rows.iter().filter(|row| row["hardcase_decided_by"] == "ada").count();
        assert_eq!(decided, answered.len() - open.len());
        let history = by(&project, name, "export", &["--history"]).json_lines();
        assert!(history.iter().all(|line| !open.contains(&line["item"].as_i64().unwrap())));
        let status = by(&project, name, "status", &[]).json();
        assert_eq!(status["balance"]["clickbait"]["labels"], answered.len() - open.len(), "{status}");
        assert!(status["kappa"]["model_expert"]["undefined"].is_string(), "no evaluation case is closed");
    }
    assert_eq!(seen("ada").len(), answered.len());
    assert_eq!(by(&project, "ada", "status", &[]).json()["balance"]["clickbait"]["labels"], answered.len());

    let copied = Project::none();
    std::fs::copy(project.file(), copied.file()).unwrap();
    by(&copied, "ada", "expert", &["role", "bob", "lead"]).json();
    let leads = |more: &[&str]| {
        let lines = by(&copied, "bob", "export", more).json_lines();
        lines.iter().filter(|line| line["expert"] == "ada").count()
    };
    assert_eq!(leads(&[]), answered.len() - open.len(), "a lead who has not answered is as blind");
    assert_eq!(leads(&["--reveal"]), answered.len(), "and sees all where that is recorded");
    assert_eq!(leads(&[]), answered.len(), "once");
    let before = seen("bob");
    let item = loop {
        // The first is the one that was on his screen.
        let item = step(&project, "bob", "fine").unwrap();
        if open.contains(&item) {
            break item;
        }
    };
    assert!(!before.contains(&item) && seen("bob").contains(&item), "closed by the second answer");
    finish(&project, "bob", "fine");
    assert_eq!(seen("bob").len(), answered.len(), "all are closed");
}

#[test]
fn a_round_that_needs_answers_from_others_is_closed_only_by_a_lead_and_accepts_answers_until_then() {
    let project = Project::scouted_elsewhere(300);
    project.run("mine", &["--budget", "30"]).done();
    for name in ["ada", "bob"] {
        by(&project, name, "next", &[]).json();
    }
    let (_, why) = finish(&project, "bob", "fine");
    assert!(why.starts_with("You have answered all your cases in round 1: "), "{why}");
    assert!(why.contains("(ada can answer ") && why.contains("--keep-open"), "{why}");
    let refused = by(&project, "bob", "mine", &["--budget", "20"]);
    refused.refused(
        1,
        &["round 1 is not complete", "need a second answer", "ada can answer", "only a lead (ada)"],
    );

    let next = by(&project, "bob", "mine", &["--budget", "20", "--keep-open"]).json();
    assert_eq!(next["round"], 2);
    assert!(next["before"][0].as_str().unwrap().starts_with("round 1 stays open: "), "{next}");
    let (first, second) = (wishes(&project, 1), wishes(&project, 2));
    assert!(first.keys().all(|item| !second.contains_key(item)), "no item is in both");
    assert!(second.contains_key(&step(&project, "bob", "fine").unwrap()), "he goes on with the next round");
    let hers = step(&project, "ada", "fine").unwrap();
    assert!(first.contains_key(&hers), "hers come from the oldest first");
    let status = project.json("status", &[]);
    assert_eq!(status["open_rounds"].as_array().unwrap().len(), 2, "{status}");

    let closed = project.json("mine", &["--budget", "20"]);
    assert_eq!(closed["round"], 3);
    let says = closed["before"].to_string();
    assert!(
        // Whether one answer is enough for the case that has one was drawn with the round.
        says.contains("round 2 is closed as it is: ") && says.contains("19 need a first answer"),
        "{says}"
    );
    assert!(!says.contains("round 1"), "it needed answers only from her: {says}");
    assert_eq!(project.json("status", &[])["open_rounds"].as_array().unwrap().len(), 1);
    let third = wishes(&project, 3);
    assert!(third.contains_key(&step(&project, "bob", "fine").unwrap()));
}

#[test]
fn the_only_expert_of_a_round_may_close_it_without_being_a_lead() {
    let project = Project::scouted_elsewhere(200);
    project.run("mine", &["--budget", "20"]).done();
    step(&project, "bob", "fine").unwrap();
    let next = by(&project, "bob", "mine", &["--budget", "20"]).json();
    assert_eq!((&next["round"], &next["before"]), (&json!(2), &json!([])));
}

fn listed(project: &Project) -> HashMap<String, Value> {
    let list = project.json("expert", &["list"]);
    list.as_array().unwrap().iter().map(|e| (e["name"].as_str().unwrap().to_owned(), e.clone())).collect()
}

#[test]
fn two_names_of_one_person_count_once_everywhere() {
    let project = Project::scouted_elsewhere(200);
    project.run("mine", &["--budget", "30"]).done();
    for name in ["bob", "bobby"] {
        by(&project, name, "next", &[]).json();
    }
    finish(&project, "bob", "fine");
    finish(&project, "bobby", "clickbait");
    let twice: Vec<i64> = annotators(&project)
        .into_iter()
        .filter(|(_, names)| names.len() == 2)
        .map(|(item, _)| item)
        .collect();
    assert!(twice.len() > 5, "{twice:?}");
    let status = project.json("status", &[]);
    assert_eq!(status["experts"], 2);
    assert!(
        status["kappa"]["expert_expert"]["undefined"].is_null()
            || status["kappa"]["expert_expert"]["n"].is_null()
    );

    let said = by(&project, "ada", "expert", &["same", "bobby", "bob"]).json();
    assert_eq!(said["changed"], true, "{said}");
    let status = by(&project, "bob", "status", &[]).json();
    assert_eq!((&status["experts"], &status["labels_by_expert"]), (&json!(1), &json!({ "bob": 30 })));
    assert_eq!(status["labels"], 30, "if both names answered a text, the later answer counts");
    assert!(
        status["kappa"]["expert_expert"]["undefined"].as_str().unwrap().contains("only one has answered"),
        "{status}"
    );
    // Ada, who leads, may be asked as a second person.
    let labels = project.run("export", &["--reveal"]).json_lines();
    assert_eq!(labels.len(), 30);
    assert!(labels.iter().all(|line| line["person"] == "bob"));
    let of_twice = labels.iter().filter(|line| twice.contains(&line["item"].as_i64().unwrap()));
    assert!(of_twice.clone().count() == twice.len());
    let again = by(&project, "bobby", "next", &[]).json();
    assert!(again["case"].is_null(), "what bob answered is not asked of bobby: {again}");
    assert!(step(&project, "ada", "fine").is_ok(), "there is room for a second person");
    assert_eq!(listed(&project)["bobby"]["same_as"], "bob");

    by(&project, "ada", "expert", &["apart", "bob", "bobby"]).json();
    assert_eq!(project.json("status", &[])["experts"], 3);
    assert_eq!(listed(&project)["bobby"]["same_as"], Value::Null);
}

#[test]
fn only_a_lead_says_who_leads_and_a_project_keeps_one() {
    let project = Project::scouted_elsewhere(60);
    by(&project, "bob", "next", &[]).json();
    let list = listed(&project);
    assert_eq!((&list["ada"]["role"], &list["bob"]["role"]), (&json!("lead"), &json!("expert")));
    for words in [&["role", "bob", "lead"][..], &["same", "ada", "bob"], &["apart", "ada", "bob"]] {
        by(&project, "bob", "expert", words)
            .refused(2, &["only a lead may do that, and bob is not a lead", "The lead is ada"]);
        by(&project, "new", "expert", words).refused(2, &["new is not a lead"]);
    }
    assert!(!listed(&project).contains_key("new"), "nobody is enrolled by a refusal");
    let ada = |words: &[&str]| by(&project, "ada", "expert", words);
    ada(&["role", "ada", "expert"]).refused(2, &["must have a lead", "role NAME lead"]);
    ada(&["role", "cy", "lead"]).refused(2, &["no expert called cy", "ada, bob"]);
    ada(&["same", "bob", "bob"]).refused(2, &["the two names are the same"]);
    assert_eq!(ada(&["role", "bob", "expert"]).json()["changed"], false);
    assert_eq!(ada(&["role", "bob", "lead"]).json()["changed"], true);
    assert_eq!(by(&project, "bob", "expert", &["role", "ada", "expert"]).json()["changed"], true);
    let list = listed(&project);
    assert_eq!((&list["ada"]["role"], &list["bob"]["role"]), (&json!("expert"), &json!("lead")));
    let said = project.run("expert", &["list"]).done().out;
    assert!(said.lines().any(|line| line.starts_with("bob") && line.contains("lead")), "{said}");
    project.is_whole();
}

#[test]
fn an_answer_from_a_login_that_is_not_tied_to_the_name_is_marked() {
    let project = Project::scouted_elsewhere(60);
    project.run("mine", &["--budget", "10"]).done();
    let answer = |login: &str, name: &str, item: &str| {
        from_login(&project, (name, login), "answer", &["--item", item, "--label", "fine"]).json();
    };
    answer("bob", "bob", "3");
    answer("mallory", "bob", "4");
    answer("mallory", "mallory", "5");
    let tied: BTreeMap<i64, bool> = project
        .run("export", &[])
        .json_lines()
        .iter()
        .map(|line| (line["item"].as_i64().unwrap(), line["tied"].as_bool().unwrap()))
        .collect();
    assert_eq!(tied, BTreeMap::from([(3, true), (4, false), (5, true)]));
    let list = listed(&project);
    assert_eq!((&list["bob"]["untied_labels"], &list["bob"]["tied"]), (&json!(1), &json!(false)));
    assert_eq!(
        list["bob"]["logins"],
        json!([{ "login": "bob", "tied": true }, { "login": "mallory", "tied": false }])
    );
    assert_eq!(list["mallory"]["tied"], true);
    assert_eq!(project.json("status", &[])["untied_labels"], 1);
    assert!(project.run("status", &[]).done().out.contains("1 of the labels came from a login"));
    assert!(project.run("expert", &["list"]).done().out.contains("mallory (not tied)"));
    // Who says that both are one person ties the logins of both.
    by(&project, "ada", "expert", &["same", "bob", "mallory"]).json();
    assert_eq!(project.json("status", &[])["untied_labels"], 0);
}

#[test]
fn the_items_screen_shows_others_answers_only_for_closed_cases() {
    use hardcase::desk::browse::{Browser, Fetch, Others, Request, Response};
    use hardcase::domain::ids::ItemId;
    let project = Project::scouted_elsewhere(200);
    project.run("mine", &["--budget", "30"]).done();
    for name in ["ada", "bob", "cy"] {
        by(&project, name, "next", &[]).json();
    }
    let (answered, _) = finish(&project, "bob", "clickbait");
    let wishes = wishes(&project, 1);
    // The first case is on cy's screen.
    let of = |wish: usize| *answered.iter().rev().find(|item| wishes[item].1 == wish).unwrap();
    let (open, closed) = (of(2), of(1));
    let others = |name: &str, item: i64| {
        let (told, tell) = std::sync::mpsc::channel();
        let browser = Browser::start(&project.file(), name, move |say| told.send(say).unwrap()).unwrap();
        browser.send(Request::Fetch(Fetch {
            rows: vec![ItemId(item)],
            full: Some(ItemId(item)),
            ..Fetch::default()
        }));
        let Response::Fetched(fetched) = tell.recv().unwrap() else { panic!("it was fetched") };
        match fetched.unwrap().full.unwrap().others {
            Others::Hidden => None,
            Others::Shown(answers) => {
                Some(answers.into_iter().map(|a| (a.name, a.label)).collect::<Vec<_>>())
            }
        }
    };
    let bob = || ("bob".to_owned(), Some("clickbait".to_owned()));
    assert_eq!(others("cy", open), None);
    assert_eq!(others("ada", open), None, "a lead who has not answered is as blind");
    assert_eq!(others("cy", closed), Some(vec![bob()]));
    assert_eq!(others("bob", open), Some(vec![]), "nobody else has answered");
    by(&project, "ada", "answer", &["--item", &open.to_string(), "--label", "fine"]).json();
    assert_eq!(others("ada", open), Some(vec![bob()]));
    assert_eq!(others("cy", open).map(|all| all.len()), Some(2), "two answers close it");
}

#[cfg(unix)]
#[test]
fn an_expert_who_is_done_first_sees_what_the_round_still_needs_from_others() {
    use super::seat::{Seat, Setup};
    let project = Project::scouted_elsewhere(100);
    project.run("mine", &["--budget", "12"]).done();
    for name in ["ada", "bob"] {
        by(&project, name, "next", &[]).json();
    }
    finish(&project, "bob", "fine");
    let seat = Seat::open_as(&project, &["--as", "bob"], Setup::default(), &[("LOGNAME", "bob")]);
    let screen = seat.see("Your part of round 1 is done.");
    let line = screen.split_whitespace().collect::<Vec<_>>().join(" ");
    for part in [
        "of 12 cases complete, ",
        "need a second answer",
        "(ada can answer ",
        "It stays open while the next round goes on",
    ] {
        assert!(line.contains(part), "no {part:?} in:\n{screen}");
    }
    seat.signal(rustix::process::Signal::TERM);
    seat.end();
}

#[test]
fn a_merge_changes_nobody_s_lead_and_says_so() {
    let project = Project::scouted_elsewhere(60);
    for name in ["ada", "bob"] {
        by(&project, name, "next", &[]).json();
    }
    let copied = Project::none();
    std::fs::copy(project.file(), copied.file()).unwrap();
    by(&copied, "ada", "expert", &["role", "bob", "lead"]).json();
    for more in [&["--dry-run"][..], &[]] {
        let other = copied.file();
        let merged =
            by(&project, "bob", "merge", &[&[other.to_str().unwrap()], more].concat()).json().to_string();
        assert!(
            merged.contains("by the copy ada, bob would lead, and here ada leads. That stays"),
            "{merged}"
        );
        assert_eq!(listed(&project)["bob"]["role"], "expert");
    }
    by(&project, "ada", "expert", &["role", "bob", "lead"]).json();
    assert_eq!(listed(&project)["bob"]["role"], "lead");
}

#[test]
fn whoever_makes_a_project_leads_it_even_before_it_has_a_task() {
    let project = Project::none();
    let mut command = super::project::program();
    command.arg("new").arg(project.file()).args(["--as", "ada"]);
    run(command).done();
    by(&project, "bob", "expert", &["role", "ada", "expert"])
        .refused(2, &["bob is not a lead", "The lead is ada"]);
}
