//! Two logs side by side: what one lacks of the other, and what a person should know before or after they come together. Pure.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use serde::Serialize;
use uuid::Uuid;

use crate::domain::event::LARGEST_LAMPORT;
use crate::domain::item::ItemKey;
use crate::domain::log::{CaseLine, EventLine, Log, RevisionLine, SessionLine};

/// A clock is spoken of when it is wrong by more than this, in milliseconds.
const SKEW_MS: i64 = 60_000;
/// What a clock may go back inside a session, as when it is set right by the network, in milliseconds.
const STEP_MS: i64 = 1_000;

/// No copy of a project gets this far ahead of another: what is further ahead was written by hand, and would use up the numbers of this one.
const FAR_AHEAD: i64 = 1 << 32;

/// What a log brings.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Brought {
    /// Experts who were not known.
    pub experts: usize,
    pub sessions: usize,
    pub revisions: usize,
    pub rounds: usize,
    pub cases: usize,
    /// Label events by what they do.
    pub events: BTreeMap<String, usize>,
    /// Label events by expert.
    pub by_expert: BTreeMap<String, usize>,
    /// Who leads and which names are one person.
    pub expert_events: usize,
    /// Texts whose prelabel was shown.
    pub reveals: usize,
    /// Sources of imported labels that were not known.
    pub label_sources: usize,
    /// Imported labels that are new, or later than the one here.
    pub imported_labels: usize,
    /// Texts that were removed there, and are removed here.
    pub forgotten: usize,
    pub models: usize,
    pub adapters: usize,
    pub predictors: usize,
}

/// What a log brings, and what to say of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Comparison {
    pub brought: Brought,
    /// Rounds that get another number: the number there, and here.
    pub renumbered: Vec<(i64, i64)>,
    /// Rounds that were closed in one of the two, with their number here.
    pub closed: Vec<Closed>,
    /// Sentences about revisions that were written apart.
    pub conflicts: Vec<String>,
    /// Sentences about names, clocks and gaps.
    pub remarks: Vec<String>,
    /// Two different events that claim one place: the copies cannot both be whole.
    pub contradictions: Vec<String>,
}

/// A round that was closed in one of two files and is open in the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Closed {
    /// Its number here.
    pub round: i64,
    /// Where it was closed.
    pub at: Side,
    /// Its cases that nobody has answered and that were still to come where it is open.
    pub waited: usize,
}

/// One of two files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Here,
    There,
}

/// Compares what a copy's log (`theirs`) has with a file's (`ours`). `now_ms` is the file's clock.
pub(crate) fn compare(ours: &Log, theirs: &Log, now_ms: i64) -> Comparison {
    let mut out = Comparison { brought: brought(ours, theirs), ..Comparison::default() };
    rounds(ours, theirs, &mut out);
    out.conflicts = conflicting_revisions(ours, theirs);
    out.remarks = two_people_of_one_name(ours, theirs);
    out.remarks.extend(gaps(ours, theirs));
    out.remarks.extend(clocks(ours, theirs, now_ms));
    out.contradictions = contradictions(ours, theirs);
    out
}

/// Whether a copy counts its events as no project does.
pub(crate) fn counts_too_far(ours: &Log, theirs: &Log) -> bool {
    let reach = |log: &Log| {
        let events = log.events.iter().map(|event| event.lamport);
        events.chain(log.expert_events.iter().map(|event| event.lamport)).fold(log.lamport_heard, i64::max)
    };
    theirs.lamport_heard < 0 || reach(theirs) >= LARGEST_LAMPORT.min(reach(ours).saturating_add(FAR_AHEAD))
}

fn lacking<'a, T, K: Eq + std::hash::Hash>(
    ours: &'a [T],
    theirs: &'a [T],
    key: impl Fn(&'a T) -> K,
) -> Vec<&'a T> {
    let here: HashSet<K> = ours.iter().map(&key).collect();
    theirs.iter().filter(|t| !here.contains(&key(t))).collect()
}

/// What makes a case the same in two copies.
#[derive(PartialEq, Eq, Hash)]
enum CaseIdentity<'a> {
    OfRound0(&'a ItemKey),
    Repeat(&'a str, &'a ItemKey),
    Place(Uuid, i64),
    Uuid(Uuid),
}

fn identity<'a>(case: &'a CaseLine, round_0: &HashSet<Uuid>) -> CaseIdentity<'a> {
    match &case.expert {
        Some(expert) => CaseIdentity::Repeat(expert, &case.item),
        None if case.is_kept_place() => CaseIdentity::Place(case.round, case.position),
        None if round_0.contains(&case.round) => CaseIdentity::OfRound0(&case.item),
        None => CaseIdentity::Uuid(case.uuid),
    }
}

/// What a copy's log (`theirs`) has that a file's (`ours`) lacks.
pub(crate) fn brought(ours: &Log, theirs: &Log) -> Brought {
    let round_0: HashSet<Uuid> =
        ours.rounds.iter().chain(&theirs.rounds).filter(|r| r.number == 0).map(|r| r.uuid).collect();
    // A place that somebody came to here is no place any more.
    let taken: HashSet<(Uuid, i64)> =
        ours.cases.iter().filter(|c| c.reason == "repeat").map(|c| (c.round, c.position)).collect();
    let cases = lacking(&ours.cases, &theirs.cases, |c| identity(c, &round_0));
    let mut brought = Brought {
        experts: lacking(&ours.experts, &theirs.experts, |e| &e.name).len(),
        sessions: lacking(&ours.sessions, &theirs.sessions, |s| s.uuid).len(),
        revisions: lacking(&ours.revisions, &theirs.revisions, |r| r.uuid).len(),
        rounds: new_rounds(ours, theirs).len(),
        cases: cases
            .iter()
            .filter(|c| !(c.is_kept_place() && taken.contains(&(c.round, c.position))))
            .count(),
        expert_events: lacking(&ours.expert_events, &theirs.expert_events, |e| e.uuid).len(),
        reveals: lacking(&ours.reveals, &theirs.reveals, |r| (&r.expert, &r.item)).len(),
        label_sources: lacking(&ours.label_sources, &theirs.label_sources, |s| &s.name).len(),
        imported_labels: imported_labels(ours, theirs),
        forgotten: lacking(&ours.forgotten, &theirs.forgotten, |f| f.item).len(),
        models: lacking(&ours.models, &theirs.models, |m| &m.sha256).len(),
        adapters: lacking(&ours.adapters, &theirs.adapters, |a| a.uuid).len(),
        predictors: lacking(&ours.predictors, &theirs.predictors, |p| p.uuid).len(),
        ..Brought::default()
    };
    for event in lacking(&ours.events, &theirs.events, |e| e.uuid) {
        *brought.events.entry(event.action.clone()).or_default() += 1;
        *brought.by_expert.entry(event.expert.clone()).or_default() += 1;
    }
    brought
}

fn imported_labels(ours: &Log, theirs: &Log) -> usize {
    let here: HashMap<_, _> = ours
        .imported_labels
        .iter()
        .map(|l| ((&l.source, l.item, l.file, l.place), (l.at_ms, &l.labels)))
        .collect();
    let is_new = |l: &&crate::domain::log::ImportedLabelLine| {
        here.get(&(&l.source, l.item, l.file, l.place)).is_none_or(|held| *held < (l.at_ms, &l.labels))
    };
    theirs.imported_labels.iter().filter(is_new).count()
}

fn new_rounds<'a>(ours: &'a Log, theirs: &'a Log) -> Vec<&'a crate::domain::log::RoundLine> {
    let zero = ours.rounds.iter().any(|r| r.number == 0);
    let mut new = lacking(&ours.rounds, &theirs.rounds, |r| r.uuid);
    new.retain(|r| !(zero && r.number == 0));
    new
}

fn rounds(ours: &Log, theirs: &Log, out: &mut Comparison) {
    let mut taken: BTreeSet<i64> = ours.rounds.iter().map(|r| r.number).collect();
    for round in new_rounds(ours, theirs) {
        let number = if taken.contains(&round.number) {
            let next = taken.last().map_or(1, |last| last + 1);
            out.renumbered.push((round.number, next));
            next
        } else {
            round.number
        };
        taken.insert(number);
    }
    let answered: HashSet<&ItemKey> =
        ours.events.iter().chain(&theirs.events).filter(|e| e.action == "set").map(|e| &e.item).collect();
    for there in &theirs.rounds {
        let here = ours.rounds.iter().find(|r| r.uuid == there.uuid || (r.number == 0 && there.number == 0));
        let Some(here) = here.filter(|r| r.closed_ms.is_some() != there.closed_ms.is_some()) else {
            continue;
        };
        let (at, cases, open) = match here.closed_ms {
            Some(_) => (Side::Here, &theirs.cases, there.uuid),
            None => (Side::There, &ours.cases, here.uuid),
        };
        let waits =
            |c: &&CaseLine| c.round == open && c.withdrawn_ms.is_none() && !answered.contains(&c.item);
        out.closed.push(Closed { round: here.number, at, waited: cases.iter().filter(waits).count() });
    }
}

fn conflicting_revisions(ours: &Log, theirs: &Log) -> Vec<String> {
    let new: HashSet<Uuid> =
        lacking(&ours.revisions, &theirs.revisions, |r| r.uuid).iter().map(|r| r.uuid).collect();
    if new.is_empty() {
        return Vec::new();
    }
    let here: HashSet<Uuid> = ours.revisions.iter().map(|r| r.uuid).collect();
    let mut all: Vec<&RevisionLine> =
        ours.revisions.iter().chain(theirs.revisions.iter().filter(|r| !here.contains(&r.uuid))).collect();
    all.sort_by_key(|r| (r.generation, r.uuid));
    let Some(standing) = all.last() else { return Vec::new() };
    let by = |r: &RevisionLine| {
        let session = ours.sessions.iter().chain(&theirs.sessions).find(|s| s.uuid == r.session);
        session.map_or("somebody", |s| s.expert.as_str())
    };
    let number = numbers_here(ours, theirs);
    let mut conflicts = Vec::new();
    for same in all.chunk_by(|a, b| a.generation == b.generation) {
        if same.len() > 1
            && same.iter().any(|r| new.contains(&r.uuid))
            && same.windows(2).any(|w| w[0].toml != w[1].toml)
        {
            let place =
                |r: &RevisionLine| if new.contains(&r.uuid) { "from the copy" } else { "from this file" };
            let each: Vec<String> = same
                .iter()
                .map(|r| format!("revision {} by {}, {}", number[&r.uuid], by(r), place(r)))
                .collect();
            conflicts.push(format!(
                "the task was changed in {} copies independently: {} (numbered as in this file). Revision {} by {} is current. `hardcase task FILE \
                 --show` shows it, `hardcase task FILE --set TASK.toml` sets another; each label keeps the revision it was given under",
                same.len(),
                each.join("; "),
                number[&standing.uuid],
                by(standing)
            ));
        }
    }
    conflicts
}

/// The number that each revision has here once those of the copy are taken in: its own, or the next where that is taken.
fn numbers_here(ours: &Log, theirs: &Log) -> HashMap<Uuid, i64> {
    let mut numbers: HashMap<Uuid, i64> = ours.revisions.iter().map(|r| (r.uuid, r.number)).collect();
    let mut taken: BTreeSet<i64> = numbers.values().copied().collect();
    for there in lacking(&ours.revisions, &theirs.revisions, |r| r.uuid) {
        let next = taken.last().map_or(1, |last| last + 1);
        let number = if taken.contains(&there.number) { next } else { there.number };
        taken.insert(number);
        numbers.insert(there.uuid, number);
    }
    numbers
}

fn two_people_of_one_name(ours: &Log, theirs: &Log) -> Vec<String> {
    let logins = |log: &Log, name: &str| -> BTreeSet<String> {
        log.sessions.iter().filter(|s| s.expert == name).map(|s| format!("{}@{}", s.login, s.host)).collect()
    };
    let mut remarks = Vec::new();
    for there in &theirs.experts {
        let Some(here) = ours.experts.iter().find(|e| e.name == there.name && e.uuid != there.uuid) else {
            continue;
        };
        let (mine, other) = (logins(ours, &here.name), logins(theirs, &there.name));
        if mine.is_disjoint(&other) && !mine.is_empty() && !other.is_empty() {
            let list = |set: &BTreeSet<String>| set.iter().cloned().collect::<Vec<_>>().join(", ");
            remarks.push(format!(
                "the name {} is used by different logins: {} here, {} in the copy. They count as one expert; if they are two people, each needs a name (--as)",
                here.name,
                list(&mine),
                list(&other)
            ));
        }
    }
    remarks
}

/// The numbers that each session has in a log.
fn numbers(log: &Log) -> HashMap<Uuid, BTreeSet<i64>> {
    let mut numbers: HashMap<Uuid, BTreeSet<i64>> = HashMap::new();
    for event in &log.events {
        numbers.entry(event.session).or_default().insert(event.seq);
    }
    numbers
}

/// Numbers up to the largest known that the copy does not have, of sessions of which it has something.
fn gaps(ours: &Log, theirs: &Log) -> Vec<String> {
    let (here, there) = (numbers(ours), numbers(theirs));
    let mut remarks = Vec::new();
    for session in &theirs.sessions {
        let Some(has) = there.get(&session.uuid) else { continue };
        let known = here.get(&session.uuid);
        let last = has.last().max(known.and_then(|k| k.last())).copied().unwrap_or(0);
        let missing = missing(has, last);
        if missing.is_empty() {
            continue;
        }
        let nowhere = missing.iter().any(|(a, b)| (*a..=*b).any(|n| known.is_none_or(|k| !k.contains(&n))));
        let ranges: Vec<String> =
            missing.iter().map(|(a, b)| if a == b { a.to_string() } else { format!("{a} to {b}") }).collect();
        remarks.push(format!(
            "the copy lacks labels {} of {} on {}: was the -wal file left behind? {}",
            ranges.join(", "),
            session.expert,
            session.host,
            if nowhere {
                "This file lacks them too: look for the -wal file where the copy was made, and merge again"
            } else {
                "This file has them"
            }
        ));
    }
    remarks
}

/// Stretches of numbers from 1 to `last` that are not there. As many steps as there are numbers, however large those are.
fn missing(has: &BTreeSet<i64>, last: i64) -> Vec<(i64, i64)> {
    let mut stretches = Vec::new();
    let mut next = 1;
    for &n in has {
        if n > next {
            stretches.push((next, n - 1));
        }
        next = n.saturating_add(1);
    }
    if next <= last {
        stretches.push((next, last));
    }
    stretches
}

fn clocks(ours: &Log, theirs: &Log, now_ms: i64) -> Vec<String> {
    let sessions: HashMap<Uuid, &SessionLine> =
        ours.sessions.iter().chain(&theirs.sessions).map(|s| (s.uuid, s)).collect();
    let host = |e: &EventLine| sessions.get(&e.session).map_or("an unknown machine", |s| s.host.as_str());
    let here: HashSet<Uuid> = ours.events.iter().map(|e| e.uuid).collect();
    let there: HashSet<Uuid> = theirs.events.iter().map(|e| e.uuid).collect();
    let mut remarks = backwards(theirs, &here, &sessions);
    let mut worst: BTreeMap<(&str, &str), i64> = BTreeMap::new();
    let mut note = |machine, how, by: i64| {
        let most: &mut i64 = worst.entry((machine, how)).or_default();
        *most = by.max(*most);
    };
    for event in theirs.events.iter().filter(|e| !here.contains(&e.uuid)) {
        note(host(event), "ahead", event.at_ms.saturating_sub(now_ms));
    }
    // What came before the copies parted is what both have below the first that one has alone; that, all else came after.
    let alone = |log: &Log, other: &HashSet<Uuid>| {
        log.events.iter().filter(|e| !other.contains(&e.uuid)).map(|e| e.lamport).min().unwrap_or(i64::MAX)
    };
    let parted = alone(ours, &there).min(alone(theirs, &here));
    let before = theirs.events.iter().filter(|e| e.lamport < parted && here.contains(&e.uuid));
    let latest = before.map(|e| e.at_ms).max().unwrap_or(i64::MIN);
    for (log, other) in [(theirs, &here), (ours, &there)] {
        for event in log.events.iter().filter(|e| e.at_ms < latest && !other.contains(&e.uuid)) {
            note(host(event), "behind", latest.saturating_sub(event.at_ms));
        }
    }
    remarks.extend(worst.into_iter().filter(|(_, by)| *by > SKEW_MS).map(|((machine, how), by)| {
        format!(
            "the clock of {machine} was {how} by {} or more: the order of labels does not depend on it, but their times are wrong",
            span(by)
        )
    }));
    remarks
}

fn backwards(log: &Log, known: &HashSet<Uuid>, sessions: &HashMap<Uuid, &SessionLine>) -> Vec<String> {
    let mut by_session: BTreeMap<Uuid, Vec<&EventLine>> = BTreeMap::new();
    for event in &log.events {
        by_session.entry(event.session).or_default().push(event);
    }
    let mut remarks = Vec::new();
    for (session, mut events) in by_session {
        if events.iter().all(|e| known.contains(&e.uuid)) {
            continue;
        }
        events.sort_by_key(|e| e.seq);
        let steps = events.windows(2).filter(|w| w[0].at_ms.saturating_sub(w[1].at_ms) > STEP_MS);
        let worst = steps.max_by_key(|w| w[0].at_ms.saturating_sub(w[1].at_ms));
        if let (Some(pair), Some(session)) = (worst, sessions.get(&session)) {
            remarks.push(format!(
                "the clock of {} went back by {} while {} worked, before label {} of the session",
                session.host,
                span(pair[0].at_ms.saturating_sub(pair[1].at_ms)),
                session.expert,
                pair[1].seq
            ));
        }
    }
    remarks
}

fn span(ms: i64) -> String {
    match ms / 1_000 {
        s @ 0..120 => format!("{s} s"),
        s @ 120..7_200 => format!("{} min", s / 60),
        s @ 7_200..172_800 => format!("{} h", s / 3_600),
        s => format!("{} days", s / 86_400),
    }
}

/// Events that say otherwise of one place in a session, or under one UUID.
fn contradictions(ours: &Log, theirs: &Log) -> Vec<String> {
    let by_uuid: HashMap<Uuid, &EventLine> = ours.events.iter().map(|e| (e.uuid, e)).collect();
    let by_place: HashMap<(Uuid, i64), Uuid> =
        ours.events.iter().map(|e| ((e.session, e.seq), e.uuid)).collect();
    let mut found = Vec::new();
    for e in &theirs.events {
        let other = by_place.get(&(e.session, e.seq)).is_some_and(|uuid| *uuid != e.uuid);
        let says = |e: &EventLine| {
            (e.lamport, e.seq, e.session, e.item, e.action.clone(), e.labels.clone(), e.target)
        };
        if other
            || !(1..LARGEST_LAMPORT).contains(&e.lamport)
            || by_uuid.get(&e.uuid).is_some_and(|mine| says(mine) != says(e))
        {
            found.push(format!("label {} of {} (event {})", e.seq, e.expert, e.uuid));
        }
    }
    found
}

#[cfg(test)]
mod tests;
