//! Who leads after a merge: the person who led before. Pure.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use crate::domain::log::{ExpertEventLine, Log};

/// A copy's log without the changes of roles and names that this file lacks, with what to say of it, if together they would change who leads
/// here: a log proves nothing of who wrote it. `first` is the name that leads while no event speaks of it.
pub(super) fn keep_leads(ours: &Log, theirs: &Log, first: Option<&str>) -> Option<(Log, String)> {
    let known: HashSet<_> = ours.expert_events.iter().map(|event| event.uuid).collect();
    let new: Vec<&ExpertEventLine> =
        theirs.expert_events.iter().filter(|event| !known.contains(&event.uuid)).collect();
    let here: Vec<&ExpertEventLine> = ours.expert_events.iter().collect();
    let (now, then) = (leads(&here, first?), leads(&[here.as_slice(), new.as_slice()].concat(), first?));
    if new.is_empty() || now == then {
        return None;
    }
    let list = |names: BTreeSet<&str>| names.into_iter().collect::<Vec<_>>().join(", ");
    let says = format!(
        "by the copy {} would lead, and here {} leads. That stays: the changes of roles and names in the copy were left out ({}). A lead makes those \
         that are right again: `hardcase expert FILE role NAME lead`, `hardcase expert FILE same NAME NAME`",
        list(then),
        list(now),
        new.len()
    );
    let mut left = theirs.clone();
    left.expert_events.retain(|event| known.contains(&event.uuid));
    Some((left, says))
}

/// All names of those who lead by these events, as the view `lead` of the schema has it.
fn leads<'a>(events: &[&'a ExpertEventLine], first: &'a str) -> BTreeSet<&'a str> {
    let (mut roles, mut ties) = (BTreeMap::new(), BTreeMap::new());
    let mut events: Vec<&ExpertEventLine> = events.to_vec();
    events.sort_by_key(|event| (event.lamport, event.uuid));
    for event in events {
        let (one, said) = (event.expert.as_str(), event.action.as_str());
        match &event.other {
            Some(other) => drop(ties.insert((one.min(other), one.max(other.as_str())), said == "same")),
            None => drop(roles.insert(one, said == "lead")),
        }
    }
    let mut leads: BTreeSet<&str> =
        roles.iter().filter(|(_, leads)| **leads).map(|(name, _)| *name).collect();
    if leads.is_empty() || !roles.contains_key(first) {
        leads.insert(first);
    }
    loop {
        let before = leads.len();
        for ((one, other), _) in ties.iter().filter(|(_, same)| **same) {
            if leads.contains(one) || leads.contains(other) {
                leads.extend([*one, *other]);
            }
        }
        if leads.len() == before {
            return leads;
        }
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn log(events: &[(u128, &str, &str, Option<&str>)]) -> Log {
        let line = |(n, action, expert, other): &(u128, &str, &str, Option<&str>)| ExpertEventLine {
            uuid: Uuid::from_u128(*n),
            lamport: *n as i64,
            session: Uuid::nil(),
            action: (*action).into(),
            expert: (*expert).into(),
            other: other.map(Into::into),
            at_ms: 0,
        };
        Log { expert_events: events.iter().map(line).collect(), ..Log::default() }
    }

    #[test]
    fn a_copy_that_would_change_who_leads_is_told_so_and_any_other_is_taken() {
        let after = |ours: &[_], theirs: &[_]| {
            let theirs = log(theirs);
            let kept = keep_leads(&log(ours), &theirs, Some("ada"));
            (kept.is_some(), kept.map_or(theirs, |(left, _)| left).expert_events.len())
        };
        assert_eq!(after(&[], &[(1, "lead", "bob", None)]), (true, 0));
        assert_eq!(after(&[], &[(1, "expert", "ada", None)]), (false, 1), "somebody leads");
        assert_eq!(after(&[], &[(1, "same", "bob", Some("ada"))]), (true, 0));
        assert_eq!(after(&[], &[(1, "same", "bob", Some("cy")), (2, "same", "ada", Some("cy"))]), (true, 0));
        assert_eq!(after(&[], &[(1, "same", "bob", Some("cy"))]), (false, 1));
        assert_eq!(after(&[(5, "lead", "bob", None)], &[(9, "expert", "bob", None)]), (true, 0));
        assert_eq!(
            after(&[(5, "lead", "bob", None)], &[(5, "lead", "bob", None), (4, "expert", "bob", None)]),
            (false, 2),
            "an earlier word changes nothing"
        );
        let ours = [(5, "lead", "bob", None)];
        let theirs = log(&[(5, "lead", "bob", None), (6, "expert", "ada", None), (7, "lead", "cy", None)]);
        let (left, says) = keep_leads(&log(&ours), &theirs, Some("ada")).unwrap();
        assert!(says.starts_with("by the copy bob, cy would lead, and here ada, bob leads."), "{says}");
        assert_eq!(left.expert_events.len(), 1, "what is known stays");
        assert_eq!(keep_leads(&log(&[]), &log(&[(1, "lead", "bob", None)]), None), None, "nobody was here");
    }
}
