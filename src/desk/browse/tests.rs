//! What can be found and seen of the pool, and by whom.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use super::Browser;
use super::messages::{Fetch, Request, Response, Search, State};
use super::reader::PoolReader;
use super::search::FIRST_PIECE;
use crate::desk::query::Query;
use crate::desk::session::{Next, OnClose, Remarks, Session};
use crate::domain::adapter::{AdapterKind, AdapterSettings, HeadFit, LabelIssue};
use crate::domain::case::{Proposal, Reason};
use crate::domain::encoder_reading::EncoderReading;
use crate::domain::ids::{CaseId, ItemId};
use crate::domain::overlap::Overlap;
use crate::domain::predictor::{Method, Predictor};
use crate::domain::settings::Stored;
use crate::domain::split::{Split, SplitShares};
use crate::domain::task::Task;
use crate::store::pool::predictors::Model;
use crate::store::pool::sources::LoadOptions;
use crate::store::pool::text_row::TextRow;
use crate::store::rounds::round::{Incomplete, NewRound};
use crate::store::{Access, NewProject, Store};

const TASK: &str =
    "question = \"spam?\"\n[[label]]\nname = \"spam\"\nkey = \"1\"\n[[label]]\nname = \"ham\"\nkey = \"2\"\n";

/// A project of `count` items, the first three of them cases, with a model that calls every item spam.
fn project(dir: &tempfile::TempDir, count: i64) -> PathBuf {
    let path = dir.path().join("x.hardcase");
    let new = NewProject { seed: 1, shares: SplitShares::default() };
    let mut store = Store::create(&path, new).unwrap();
    let (_, session) = store.begin_session("setup").unwrap();
    let revision = store.set_task(&Task::from_toml(TASK, "t").unwrap(), session).unwrap();
    let mut load = store.begin_source("a.csv", "{}", LoadOptions::default()).unwrap();
    store.add_rows(&mut load, (1..=count).map(|n| TextRow::new(n, format!("text {n}")))).unwrap();
    store.finish_source(load, 0, 0).unwrap();
    let model = Model {
        sha256: vec![1],
        name: "m".into(),
        path: String::new(),
        architecture: "bert".into(),
        quantisation: "F32".into(),
        dimensions: 2,
        bytes: 1,
        reading: EncoderReading::default(),
    };
    let model = store.enter_model(&model).unwrap();
    let predictor = Predictor {
        id: crate::domain::ids::PredictorId(0),
        method: Method::ZeroShot(Stored::LeftOut),
        model,
        revision: revision.id,
        labels: vec!["spam".into(), "ham".into()],
        created_ms: 0,
    };
    let predictor = store.add_predictor(&predictor).unwrap();
    let items: Vec<ItemId> = (1..=count).map(ItemId).collect();
    store.put_predictions(predictor, &items, &[0.9, 0.1].repeat(items.len()), 2).unwrap();
    store.activate(predictor).unwrap();
    open_round(&mut store, 1..=3);
    path
}

fn open_round(store: &mut Store, items: RangeInclusive<i64>) {
    let case = |n| Proposal {
        item: ItemId(n),
        split: Split::Train,
        reason: Reason::Margin,
        partner: None,
        margin: 0.1,
        inclusion: None,
    };
    let cases: Vec<Proposal> = items.map(case).collect();
    let round = NewRound {
        strategy: "margin",
        budget: 3,
        seed: 1,
        predictor: store.active_predictor().unwrap().unwrap().id,
        note: None,
        cases: &cases,
        overlap: Overlap::default(),
        incomplete: Incomplete::Closes,
    };
    store.open_round(&round).unwrap();
}

fn reading(project: &Path, expert: &str) -> PoolReader {
    PoolReader::open(project, expert).unwrap()
}

fn found(reading: &PoolReader, line: &str) -> Vec<i64> {
    let resolved = reading.resolve(Query::parse(line).unwrap()).unwrap();
    let all = reading.store.items_after(ItemId(0), 1_000).unwrap();
    let among = reading.store.find_among(&resolved.conditions, resolved.among.as_ref().unwrap_or(&all));
    let mut items: Vec<i64> = among.unwrap().into_iter().map(|item| item.0).collect();
    items.retain(|item| resolved.without.binary_search(&ItemId(*item)).is_err());
    items
}

#[test]
fn an_item_is_found_by_its_prelabel_only_once_this_expert_has_answered_it_and_seen_the_view() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir, 5);
    let mut ann = Session::open(&path, "ann", OnClose::ReleaseCases).unwrap();
    let mut bob = Session::open(&path, "bob", OnClose::ReleaseCases).unwrap();
    let (of_ann, of_bob) = (reading(&path, "ann"), reading(&path, "bob"));
    assert_eq!(found(&of_ann, "prelabel:spam"), [0; 0]);
    bob.answer_and_reveal(ItemId(1), "ham", Remarks::default()).unwrap();
    ann.answer(ItemId(2), "ham", Remarks::default()).unwrap();
    ann.answer_and_reveal(ItemId(3), "ham", Remarks::default()).unwrap();
    ann.reveal(CaseId(1)).unwrap();
    assert_eq!(found(&of_ann, "prelabel:spam"), [3], "1 is not answered, 2 not revealed");
    assert_eq!(found(&of_ann, "prelabel:ham"), [0; 0]);
    assert_eq!(found(&of_bob, "prelabel:spam"), [1]);
    let view = |reading: &PoolReader, item| reading.full(ItemId(item)).unwrap().unwrap().view;
    assert_eq!(
        (1..=5).map(|n| view(&of_ann, n).is_some()).collect::<Vec<_>>(),
        [false, false, true, false, false]
    );
    assert_eq!(view(&of_bob, 1).unwrap().prelabel, Some(("spam".into(), Some(0.9))));
    ann.undo().unwrap();
    assert_eq!(found(&of_ann, "prelabel:spam"), [0; 0], "an answer that was taken back is none");
}

#[test]
fn a_label_has_the_name_that_it_has_now_in_lists_and_in_searches() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir, 5);
    let mut ann = Session::open(&path, "ann", OnClose::ReleaseCases).unwrap();
    ann.answer(ItemId(2), "ham", Remarks::default()).unwrap();
    let (send, responses) = mpsc::channel();
    let browser = Browser::start(&path, "ann", move |response| drop(send.send(response))).unwrap();
    let label = || {
        browser.send(Request::Fetch(Fetch { rows: vec![ItemId(2)], full: None, query: Query::default() }));
        let Response::Fetched(fetched) = responses.recv().unwrap() else { panic!("no fetch") };
        fetched.unwrap().rows[0].label.clone().unwrap()
    };
    let search = |line: &str| {
        let query = Query::parse(line).unwrap();
        browser.send(Request::Search(Search { number: 1, query }));
        responses.recv().unwrap()
    };
    assert_eq!(label(), "ham");
    assert!(matches!(search("label:ham"), Response::Found(found) if found.items == [ItemId(2)]));
    let renamed = TASK.replace("name = \"ham\"", "id = \"ham\"\nname = \"fine\"");
    let mut store = Store::open(&path, Access::Job).unwrap();
    let (_, session) = store.begin_session("setup").unwrap();
    store.set_task(&Task::from_toml(&renamed, "t").unwrap(), session).unwrap();
    assert_eq!(label(), "fine");
    assert!(matches!(search("label:fine"), Response::Found(found) if found.items == [ItemId(2)]));
}

#[test]
fn a_suspected_answer_is_found_by_the_expert_who_gave_it_until_they_answer_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir, 5);
    let mut ann = Session::open(&path, "ann", OnClose::ReleaseCases).unwrap();
    let mut bob = Session::open(&path, "bob", OnClose::ReleaseCases).unwrap();
    for (item, label) in [(1, "spam"), (2, "spam"), (3, "ham"), (4, "ham")] {
        ann.answer(ItemId(item), label, Remarks::default()).unwrap();
    }
    bob.answer(ItemId(1), "ham", Remarks::default()).unwrap();
    assert_eq!(found(&reading(&path, "ann"), "suspect"), [0; 0], "nothing was tuned");
    let mut store = Store::open(&path, Access::Job).unwrap();
    let current = store.active_predictor().unwrap().unwrap();
    let label_issues = [(5, "spam"), (2, "spam"), (4, "ham"), (1, "spam")]
        .map(|(item, label)| LabelIssue { item: ItemId(item), label: label.into() })
        .into();
    let fit = HeadFit { c: 1.0, cv_log_loss: None, folds: 0, seed: 1, factor_of_others: None, label_issues };
    let head = crate::store::pool::adapters::NewAdapter {
        kind: AdapterKind::Head,
        model: current.model,
        parent: None,
        round: None,
        revision: current.revision,
        labels: current.labels,
        settings: AdapterSettings::Head(fit),
        training_hash: [0; 32],
        training_n: 4,
        bytes: vec![],
    };
    store.add_adapter(&head).unwrap();
    assert_eq!(found(&reading(&path, "ann"), "suspect"), [1, 2, 4], "5 has no answer");
    assert_eq!(found(&reading(&path, "bob"), "suspect"), [0; 0], "bob said ham of 1");
    ann.answer(ItemId(2), "spam", Remarks::default()).unwrap();
    ann.answer(ItemId(4), "spam", Remarks::default()).unwrap();
    assert_eq!(found(&reading(&path, "ann"), "suspect"), [1], "one was confirmed and one changed");
    let status = crate::insight::status::status(&path, "ann").unwrap();
    assert_eq!(status.label_issues_by_expert, [("ann".to_owned(), 1)].into());
    assert!(status.to_string().contains("1 answer may be wrong (1 of ann)"), "{status}");
    ann.undo().unwrap();
    assert_eq!(found(&reading(&path, "ann"), "suspect"), [1, 4]);
}

#[test]
fn filters_are_about_what_this_expert_did() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir, 5);
    let mut ann = Session::open(&path, "ann", OnClose::ReleaseCases).unwrap();
    let mut bob = Session::open(&path, "bob", OnClose::ReleaseCases).unwrap();
    ann.answer(ItemId(1), "spam", Remarks::default()).unwrap();
    ann.answer(ItemId(4), "ham", Remarks::default()).unwrap();
    ann.skip(ItemId(2)).unwrap();
    ann.toggle_flag(ItemId(5)).unwrap();
    ann.toggle_flag(ItemId(4)).unwrap();
    ann.toggle_flag(ItemId(4)).unwrap();
    bob.answer(ItemId(3), "spam", Remarks::default()).unwrap();
    let ann = reading(&path, "ann");
    let of = |line| found(&ann, line);
    assert_eq!(of("label:spam"), [1]);
    assert_eq!(of("label:any"), [1, 4]);
    assert_eq!(of("label:none"), [2, 3, 5]);
    assert_eq!(of("skipped"), [2]);
    assert_eq!(of("flagged"), [5]);
    assert_eq!(of("round:1"), [1, 2, 3]);
    assert_eq!(of("round:1 label:none text"), [2, 3]);
    assert_eq!(of("source:A.csv 5"), [5]);
    let refused = |line: &str| ann.resolve(Query::parse(line).unwrap()).err().unwrap().to_string();
    assert!(refused("label:egg").contains("search the texts"), "{}", refused("label:egg"));
    assert_eq!(refused("source:z"), "cannot search the texts: no import is called 'z'. There are a.csv");
    let full = |item| ann.full(ItemId(item)).unwrap().unwrap();
    assert_eq!((full(2).row.case, full(2).may_answer), (Some(CaseId(2)), true));
    assert_eq!((full(3).row.case, full(3).may_answer), (Some(CaseId(3)), false), "bob has answered it");
    assert_eq!((full(5).row.case, full(5).may_answer), (None, false));
}

#[test]
fn a_newer_search_replaces_the_running_one() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir, 1_000);
    let ann = Session::open(&path, "ann", OnClose::ReleaseCases).unwrap();
    let (to, told) = mpsc::channel();
    let (go, gate) = mpsc::channel::<()>();
    let gate = std::sync::Arc::new(std::sync::Mutex::new(gate));
    let browser = Browser::start(&path, "ann", move |said| {
        to.send(said).unwrap();
        gate.lock().unwrap().recv().unwrap();
    })
    .unwrap();
    let search = |number, line| Request::Search(Search { number, query: Query::parse(line).unwrap() });
    browser.send(search(1, ""));
    let next = || match told.recv().unwrap() {
        Response::Found(found) => found,
        other => panic!("{other:?}"),
    };
    let first = next();
    assert_eq!((first.number, first.items.len(), first.pool), (1, FIRST_PIECE, 1_000));
    assert_eq!(first.state, State::Searching { done: FIRST_PIECE, of: 1_000 });
    // The first search is held up, so both later ones arrive while it runs.
    browser.send(search(2, "text 1"));
    browser.send(search(3, "text 99"));
    let mut items = Vec::new();
    loop {
        go.send(()).unwrap();
        let found = next();
        assert_eq!(found.number, 3);
        items.extend(found.items);
        if found.state == State::Done {
            break;
        }
    }
    go.send(()).unwrap();
    let want: Vec<ItemId> = [99].into_iter().chain(990..=999).map(ItemId).collect();
    assert_eq!(items, want);
    drop(browser);
    ann.close().unwrap();
}

#[test]
fn a_found_text_is_labelled_outside_every_case_teaches_by_its_split_alone_and_is_asked_no_more() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir, 5);
    let mut ann = Session::open(&path, "ann", OnClose::ReleaseCases).unwrap();
    let found = ann.label_found(ItemId(5), "spam").unwrap();
    assert!(found.saved.found && found.case.is_none() && found.reveal.is_none());
    assert!(!ann.label_found(ItemId(5), "spam").unwrap().saved.changed, "the same label again is no change");
    assert!(ann.label_found(ItemId(5), "ham").unwrap().saved.changed);
    let store = Store::open(&path, Access::Read).unwrap();
    let answers = store.current_answers().unwrap();
    assert_eq!(answers.iter().map(|a| (a.event.item.0, a.event.is_found())).collect::<Vec<_>>(), [(5, true)]);
    assert_eq!(store.first_blind_answers().unwrap(), [], "it measures nothing");
    for split in [Split::Train, Split::Eval, Split::Audit] {
        let votes = store.votes(split).unwrap().len();
        let teaches = split == Split::Train && store.split_of(ItemId(5)).unwrap() == Some(split);
        assert_eq!(votes, usize::from(teaches), "{split:?}");
    }
    assert!(store.taken_items(Incomplete::Closes).unwrap().contains(&ItemId(5)));
}

#[test]
fn a_found_text_that_is_a_case_is_answered_as_one_by_those_alone_who_are_asked() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir, 5);
    let mut ann = Session::open(&path, "ann", OnClose::ReleaseCases).unwrap();
    let mut bob = Session::open(&path, "bob", OnClose::ReleaseCases).unwrap();
    let labelled = ann.label_found(ItemId(2), "ham").unwrap();
    assert_eq!((labelled.case, labelled.saved.found), (Some(CaseId(2)), false));
    assert_eq!(labelled.reveal.unwrap().prelabel.as_deref(), Some("spam"));
    let refused = bob.label_found(ItemId(2), "ham").unwrap_err().to_string();
    assert!(refused.contains("it is case 2, which others answer"), "{refused}");
    assert!(bob.label_found(ItemId(2), "egg").is_err(), "no such label");
}

#[test]
fn what_others_said_of_a_found_text_stays_hidden_from_those_who_may_still_find_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir, 5);
    let mut ann = Session::open(&path, "ann", OnClose::ReleaseCases).unwrap();
    let mut bob = Session::open(&path, "bob", OnClose::ReleaseCases).unwrap();
    ann.label_found(ItemId(5), "spam").unwrap();
    let of_bob = reading(&path, "bob");
    let others = || of_bob.full(ItemId(5)).unwrap().unwrap().others;
    assert_eq!(others(), super::Others::Hidden);
    let own_only = |name| {
        let store = Store::open(&path, Access::Read).unwrap();
        let expert = store.find_expert(name).unwrap();
        store.blindness(expert).unwrap().own_only.contains(&ItemId(5))
    };
    assert!(own_only("bob") && !own_only("ann"));
    bob.label_found(ItemId(5), "ham").unwrap();
    assert!(matches!(others(), super::Others::Shown(shown) if shown.len() == 1));
    assert!(!own_only("bob"));
}

#[test]
fn a_case_that_was_skipped_before_its_round_was_closed_comes_back_once_in_the_next_and_is_open_until_then() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir, 9);
    let mut ann = Session::open(&path, "ann", OnClose::ReleaseCases).unwrap();
    let mut answered = |skips: &[i64]| {
        let mut seen = Vec::new();
        while let Next::Case(case) = ann.next_case().unwrap() {
            seen.push(case.item.0);
            assert!(case.revealed.is_none(), "item {}", case.item);
            if skips.contains(&case.item.0) {
                ann.skip(case.case).unwrap();
            } else {
                ann.answer(case.item, "ham", Remarks::default()).unwrap();
            }
            if seen.len() == 2 && skips == [1] {
                break;
            }
        }
        seen
    };
    let to_answer = |name: &str| -> Vec<i64> {
        let store = Store::open(&path, Access::Read).unwrap();
        let blindness = store.blindness(store.find_expert(name).unwrap()).unwrap();
        blindness.to_answer.keys().map(|item| item.0).collect()
    };
    assert_eq!(answered(&[1]), [1, 2], "the round is closed before its end");
    open_round(&mut Store::open(&path, Access::Session).unwrap(), 4..=5);
    assert_eq!(to_answer("ann"), [1, 4, 5], "nothing tells what the model thinks of it");
    assert_eq!(to_answer("bob"), [4, 5]);
    assert_eq!(answered(&[1, 5]), [4, 5, 5, 1], "after all others, and once");
    open_round(&mut Store::open(&path, Access::Session).unwrap(), 6..=7);
    assert_eq!(to_answer("ann"), [6, 7], "what was skipped twice is over");
    assert_eq!(answered(&[]), [6, 7]);
}

#[test]
fn a_text_is_found_by_the_id_of_its_file_alone_and_among_what_else_is_searched_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir, 5);
    let mut store = Store::open(&path, Access::Session).unwrap();
    let mut load = store.begin_source("b.csv", "{}", LoadOptions::default()).unwrap();
    let rows = [TextRow::new(1, "text 4").with_id("M-0051"), TextRow::new(2, "see M-0051").with_id("M-0052")];
    store.add_rows(&mut load, rows).unwrap();
    store.finish_source(load, 0, 0).unwrap();
    let ann = Session::open(&path, "ann", OnClose::ReleaseCases).unwrap();
    let of_ann = reading(&path, "ann");
    let searched = |line: &str| {
        let (to, answers) = mpsc::channel();
        let browser = Browser::start(&path, "ann", move |response| drop(to.send(response))).unwrap();
        browser.send(Request::Search(Search { number: 1, query: Query::parse(line).unwrap() }));
        let mut items = Vec::new();
        loop {
            match answers.recv().unwrap() {
                Response::Found(found) => {
                    items.extend(found.items.iter().map(|item| item.0));
                    if found.state == State::Done {
                        return items;
                    }
                }
                other => panic!("{other:?}"),
            }
        }
    };
    assert_eq!(searched("id:M-0051"), [4]);
    assert_eq!(searched("id:m-0051"), [0; 0], "an id is the file's to the letter");
    assert_eq!(searched("M-0051"), [4, 6], "the text of that id, and one that has it in it");
    assert_eq!(searched("M-0051 round:1"), [0; 0]);
    assert_eq!(searched("M-0051 source:b.csv"), [4, 6]);
    let row = of_ann.full(ItemId(4)).unwrap().unwrap().row;
    assert_eq!((row.id.as_deref(), row.case), (Some("M-0051"), None));
    assert_eq!(of_ann.full(ItemId(2)).unwrap().unwrap().row.case, Some(CaseId(2)));
    ann.close().unwrap();
}

#[test]
fn a_text_is_found_by_a_regular_expression() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir, 12);
    let ann = Session::open(&path, "ann", OnClose::ReleaseCases).unwrap();
    let of_ann = reading(&path, "ann");
    assert_eq!(found(&of_ann, "regex:TEXT.1[0-2]$"), [10, 11, 12]);
    assert_eq!(found(&of_ann, "regex:\"^text [2-4]$\" label:none"), [2, 3, 4]);
    ann.close().unwrap();
}

#[test]
fn a_row_shows_the_passage_that_was_searched_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = project(&dir, 5);
    drop(Session::open(&path, "ann", OnClose::ReleaseCases).unwrap());
    let long = format!("{}the Notice of Termination is void", "Dear Sir or Madam, ".repeat(40));
    let mut store = Store::open(&path, Access::Job).unwrap();
    let mut load = store.begin_source("long.csv", "{}", Default::default()).unwrap();
    store.add_rows(&mut load, [TextRow::new(1, &long)]).unwrap();
    store.finish_source(load, 0, 0).unwrap();
    let reading = reading(&path, "ann");
    let passage = |line: &str| {
        let query = Query::parse(line).unwrap();
        let items = found(&reading, line).into_iter().map(ItemId).collect();
        reading.fetch(Fetch { rows: items, full: None, query }).unwrap().rows.remove(0).passage
    };
    assert_eq!(passage("notice"), "… Dear Sir or Madam, the Notice of Termination is void");
    assert_eq!(passage("regex:term.*void"), "… Madam, the Notice of Termination is void");
    assert!(passage("source:long.csv").starts_with("Dear Sir"));
}
