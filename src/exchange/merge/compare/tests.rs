//! Logs of a few lines side by side.

use super::*;
use crate::domain::answer::Answer;
use crate::domain::log::{ExpertLine, RoundLine};

fn id(n: u128) -> Uuid {
    Uuid::from_u128(n)
}

fn session(n: u128, expert: &str, host: &str) -> SessionLine {
    SessionLine {
        uuid: id(n),
        expert: expert.into(),
        login: expert.into(),
        uid: 1,
        host: host.into(),
        process: "1".into(),
        program: "hardcase".into(),
        started_ms: 0,
        ended_ms: None,
        ended_how: None,
    }
}

/// Event `seq` of a session, with its Lamport number and its time in seconds.
fn event(session: u128, seq: i64, lamport: i64, seconds: i64) -> EventLine {
    EventLine {
        uuid: id(session * 1_000 + seq.unsigned_abs() as u128),
        lamport,
        session: id(session),
        seq,
        expert: "ana".into(),
        item: ItemKey([1; 32]),
        case: None,
        action: "set".into(),
        target: None,
        labels: Some(Answer::one("a")),
        confidence: None,
        note: None,
        revision: id(7),
        seen_prelabel: None,
        revealed: false,
        duration_ms: None,
        at_ms: seconds * 1_000,
    }
}

fn log(events: Vec<EventLine>) -> Log {
    Log { sessions: vec![session(1, "ana", "ws3"), session(2, "ana", "laptop")], events, ..Log::default() }
}

const NOON: i64 = 43_200;

fn remarks(ours: Vec<EventLine>, theirs: Vec<EventLine>) -> Vec<String> {
    compare(&log(ours), &log(theirs), NOON * 1_000).remarks
}

#[test]
fn numbers_that_a_copy_lacks_are_named_with_whom_and_where() {
    let session = |n: std::ops::RangeInclusive<i64>| n.map(|n| event(1, n, n, n)).collect::<Vec<_>>();
    assert_eq!(remarks(session(1..=60), session(1..=60)), Vec::<String>::new());
    assert_eq!(remarks(session(1..=57), session(1..=60)), Vec::<String>::new());
    assert_eq!(
        remarks(session(1..=60), session(1..=57)),
        ["the copy lacks labels 58 to 60 of ana on ws3: was the -wal file left behind? This file has them"]
    );
    let holes: Vec<_> = session(1..=9).into_iter().filter(|e| ![3, 5, 6].contains(&e.seq)).collect();
    let said = remarks(Vec::new(), holes);
    assert!(
        said[0].contains("labels 3, 5 to 6 of ana") && said[0].contains("This file lacks them too"),
        "{said:?}"
    );
    let far = vec![event(1, 1, 1, 1), event(1, i64::MAX, 2, 2)];
    assert!(remarks(Vec::new(), far)[0].contains("labels 2 to 9223372036854775806"), "and counts in no time");
}

#[test]
fn clocks_are_judged_by_what_surely_came_before() {
    let shared = vec![event(1, 1, 1, 3_600), event(1, 2, 2, 3_700)];
    let with = |more: &[EventLine]| shared.iter().chain(more).cloned().collect::<Vec<_>>();
    // An hour before what it had in front of it.
    let behind = remarks(shared.clone(), with(&[event(2, 1, 3, 100)]));
    assert!(
        behind.len() == 1 && behind[0].contains("the clock of laptop was behind by 60 min"),
        "{behind:?}"
    );
    let ahead = remarks(shared.clone(), with(&[event(2, 1, 3, NOON + 7_200)]));
    assert!(ahead.len() == 1 && ahead[0].contains("the clock of laptop was ahead by 2 h"), "{ahead:?}");
    let back = remarks(shared.clone(), with(&[event(2, 1, 3, 5_000), event(2, 2, 4, 4_000)]));
    assert!(
        back.len() == 1 && back[0].contains("went back by 16 min while ana worked, before label 2"),
        "{back:?}"
    );
    // What was done apart has no order: the later one has a smaller number here, and nobody's clock is wrong.
    let ours = with(&[event(1, 3, 3, 9_000), event(1, 4, 4, 9_100)]);
    let said = remarks(ours, with(&[event(2, 1, 5, 4_000)]));
    assert!(said.iter().all(|line| !line.contains("clock")), "{said:?}");
}

#[test]
fn two_events_at_one_place_or_under_one_uuid_are_a_contradiction() {
    let ours = log(vec![event(1, 1, 1, 1)]);
    let other = EventLine { uuid: id(99), ..event(1, 1, 1, 1) };
    let changed = EventLine { labels: Some(Answer::one("b")), ..event(1, 1, 1, 1) };
    let late = EventLine { lamport: i64::MAX, ..event(2, 1, 1, 1) };
    for theirs in [other, changed, late] {
        assert_eq!(compare(&ours, &log(vec![theirs]), 0).contradictions.len(), 1);
    }
    assert_eq!(compare(&ours, &ours, 0).contradictions, Vec::<String>::new());
}

#[test]
fn revisions_written_apart_are_a_conflict_with_what_to_do_and_one_after_the_other_are_none() {
    let revision = |n: u128, generation: i64, session: u128| RevisionLine {
        uuid: id(n),
        generation,
        number: generation,
        session: id(session),
        created_ms: 0,
        toml: format!("revision {n}"),
    };
    let with = |revisions: &[RevisionLine]| Log {
        sessions: vec![session(1, "ana", "a"), session(2, "bob", "b")],
        revisions: revisions.to_vec(),
        ..Log::default()
    };
    let (first, anas, bobs) = (revision(1, 1, 1), revision(2, 2, 1), revision(3, 2, 2));
    let conflicts =
        |ours: &[RevisionLine], theirs: &[RevisionLine]| compare(&with(ours), &with(theirs), 0).conflicts;
    let base = [first.clone()];
    assert_eq!(conflicts(&base, &[first.clone(), bobs.clone()]), Vec::<String>::new());
    let said = conflicts(&[first.clone(), anas.clone()], &[first.clone(), bobs.clone()]);
    assert!(
        said.len() == 1
            && said[0]
                .contains("revision 2 by ana, from this file; revision 3 by bob, from the copy (numbered as in this file)")
            && said[0].contains("Revision 3 by bob is current"),
        "{said:?}"
    );
    assert_eq!(
        conflicts(&[first.clone(), anas.clone(), bobs.clone()], &[first.clone(), bobs.clone()]),
        Vec::<String>::new()
    );
    let same = RevisionLine { toml: anas.toml.clone(), ..bobs };
    assert_eq!(conflicts(&[first.clone(), anas], &[first, same]), Vec::<String>::new(), "both set the same");
}

#[test]
fn a_round_whose_number_is_taken_gets_the_next_free_one_and_one_closed_in_one_file_is_closed() {
    let round = |n: u128, number: i64, closed_ms: Option<i64>| RoundLine {
        uuid: id(n),
        number,
        strategy: "margin".into(),
        budget: 1,
        seed: 1,
        predictor: Some(id(8)),
        note: None,
        created_ms: 0,
        closed_ms,
        overlap: None,
    };
    let with = |rounds: Vec<RoundLine>| Log { rounds, ..Log::default() };
    let ours = with(vec![round(1, 1, Some(5)), round(2, 2, None), round(3, 3, None)]);
    let theirs = with(vec![round(1, 1, None), round(4, 2, None), round(5, 3, None), round(6, 7, None)]);
    let said = compare(&ours, &theirs, 0);
    assert_eq!(said.renumbered, [(2, 4), (3, 5)]);
    assert_eq!(said.closed, [Closed { round: 1, at: Side::Here, waited: 0 }]);
    assert_eq!(compare(&theirs, &ours, 0).closed, [Closed { round: 1, at: Side::There, waited: 0 }]);
    assert_eq!(said.brought.rounds, 3);
    let zero = compare(&with(vec![round(1, 0, None)]), &with(vec![round(2, 0, None)]), 0);
    assert_eq!((zero.brought.rounds, zero.renumbered), (0, Vec::new()), "round 0 is one round in all copies");
}

#[test]
fn one_name_enrolled_apart_by_two_logins_is_said() {
    let with = |n: u128, host: &str| Log {
        experts: vec![ExpertLine { name: "ana".into(), uuid: id(n), created_ms: 0 }],
        sessions: vec![session(n, "ana", host)],
        ..Log::default()
    };
    let said = compare(&with(1, "a"), &with(2, "b"), 0).remarks;
    assert!(
        said.len() == 1
            && said[0].contains("the name ana is used by different logins: ana@a here, ana@b in the copy"),
        "{said:?}"
    );
    assert_eq!(compare(&with(1, "a"), &with(2, "a"), 0).remarks, Vec::<String>::new(), "one login");
    assert_eq!(compare(&with(1, "a"), &with(1, "b"), 0).remarks, Vec::<String>::new(), "one enrolment");
}

#[test]
fn a_copy_that_counts_far_ahead_is_told_from_one_that_is_only_ahead() {
    let log = |heard| Log { lamport_heard: heard, ..Log::default() };
    for (ours, theirs, far) in [
        (0, 5_000_000, false),
        (0, FAR_AHEAD, true),
        (1 << 40, (1 << 40) + 9, false),
        (LARGEST_LAMPORT - 5, LARGEST_LAMPORT - 1, false),
        (LARGEST_LAMPORT - 5, LARGEST_LAMPORT, true),
        (9, -1, true),
    ] {
        assert_eq!(counts_too_far(&log(ours), &log(theirs)), far, "{ours} {theirs}");
    }
}
