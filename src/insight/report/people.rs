//! Who labelled, how much and when; roles, and which names are one person.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::ledger::{Ledger, is_label};
use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::moment::{day, utc};
use crate::stats::estimate::pace::median;
use crate::store::Store;

/// Seconds per case are the median of this many last timed answers.
const TIMED: usize = 200;

/// A person, with all their names together.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    /// The first name used.
    pub name: String,
    pub other_names: Vec<String>,
    pub role: Role,
    /// Number of logins under which the names were used.
    pub logins: usize,
    /// Sessions with at least one event.
    pub sessions: usize,
    /// Current labels.
    pub labels: usize,
    /// Labels ever given, including changed ones and those of repeated cases.
    pub answers: usize,
    /// Of these, given before the model's view or others' answers were shown.
    pub blind: usize,
    /// Of these, given after that.
    pub after_reveal: usize,
    /// Cases skipped and not labelled.
    pub skips: usize,
    /// Current labels from a login that is not tied to their name.
    pub untied: usize,
    /// UTC.
    pub first_day: Option<String>,
    /// UTC.
    pub last_day: Option<String>,
    /// Seconds per case.
    pub seconds: Figure,
}

/// A change of a role, or of which names are one person.
#[derive(Clone, Debug, Serialize)]
pub struct SaidOfExperts {
    /// UTC.
    pub at: String,
    pub by: String,
    /// `lead`, `expert`, `same` or `apart`.
    pub action: String,
    pub expert: String,
    /// The other name, for `same` and `apart`.
    pub other: Option<String>,
}

/// Everybody, in the order in which they joined the project.
pub(crate) fn people(store: &Store, ledger: &Ledger) -> Result<Vec<Person>> {
    let mut names: BTreeMap<String, Vec<crate::store::log::people::Enrolled>> = BTreeMap::new();
    let mut order = Vec::new();
    for enrolled in store.enrolled()? {
        let person = ledger.person(&enrolled.name);
        if !names.contains_key(&person) {
            order.push(person.clone());
        }
        names.entry(person).or_default().push(enrolled);
    }
    let of = |name: String| {
        let all = names.get(&name).map_or(&[][..], Vec::as_slice);
        let mine = |expert: &str| ledger.person(expert) == name;
        let answers: Vec<_> = ledger.labels_given().filter(|e| mine(&e.expert)).collect();
        let standing: Vec<_> = ledger.answers().filter(|e| mine(&e.expert)).collect();
        let logins: BTreeSet<&str> =
            all.iter().flat_map(|e| e.logins.iter().map(|(login, _)| login.as_str())).collect();
        let sessions: BTreeSet<_> =
            ledger.log.events.iter().filter(|e| mine(&e.expert)).map(|e| e.session).collect();
        let timed = answers.iter().rev().filter_map(|e| e.duration_ms).take(TIMED);
        Person {
            other_names: all.iter().filter(|e| e.name != name).map(|e| e.name.clone()).collect(),
            role: all.first().map_or(Role::Expert, |e| e.role),
            logins: logins.len(),
            sessions: sessions.len(),
            labels: standing.iter().filter(|e| is_label(e)).count(),
            answers: answers.len(),
            blind: answers.iter().filter(|e| !e.revealed).count(),
            after_reveal: answers.iter().filter(|e| e.revealed).count(),
            skips: standing.iter().filter(|e| !is_label(e)).count(),
            untied: standing.iter().filter(|e| is_label(e) && ledger.untied.contains(&e.uuid)).count(),
            first_day: answers.iter().map(|e| e.at_ms).min().map(day),
            last_day: answers.iter().map(|e| e.at_ms).max().map(day),
            seconds: median(&timed.map(|ms| ms as f64 / 1_000.0).collect::<Vec<_>>()),
            name,
        }
    };
    Ok(order.into_iter().map(of).collect())
}

/// Who made whom a lead, and which names were declared to be one person.
pub(crate) fn said_of_experts(ledger: &Ledger) -> Vec<SaidOfExperts> {
    let said = ledger.log.expert_events.iter().map(|event| SaidOfExperts {
        at: utc(event.at_ms),
        by: ledger.expert_of_session(event.session),
        action: event.action.clone(),
        expert: event.expert.clone(),
        other: event.other.clone(),
    });
    said.collect()
}
