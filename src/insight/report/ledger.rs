//! The label log and its current state, as far as the reader may see them.
//!
//! Everything is identified by what all copies of a project have in common: UUIDs, keys, names.

use std::collections::{BTreeMap, HashMap, HashSet};

use uuid::Uuid;

use crate::domain::answer::Answer;
use crate::domain::event::Action;
use crate::domain::fault::Result;
use crate::domain::hex::hex;
use crate::domain::ids::{ItemId, SessionId};
use crate::domain::item::ItemKey;
use crate::domain::log::{CaseLine, EventLine, Log};
use crate::insight::viewer::Viewer;
use crate::store::Store;

/// Digits of a key that identify a text in a report.
const DIGITS: usize = 12;

pub(crate) struct Ledger {
    /// Without the events that the reader may not see; rounds in the order in which they were opened.
    pub log: Log,
    /// Number of events in the whole log, including those that the reader may not see.
    pub events: usize,
    /// A hash of all of them.
    pub fingerprint: String,
    /// From each name to the person's first name.
    pub persons: BTreeMap<String, String>,
    /// Events that were not undone.
    pub upheld: HashSet<Uuid>,
    /// The current answer of each person to each item.
    pub standing: HashSet<Uuid>,
    /// Of these, answers from a login that is not tied to their name.
    pub untied: HashSet<Uuid>,
    /// Events that this file lacks, by the event numbers of their sessions.
    pub gaps: usize,
    /// The key of each item that was ever a case or appears in an event.
    pub keys: HashMap<ItemId, ItemKey>,
    /// Items whose answers the reader may not all see.
    pub left_out: HashSet<ItemKey>,
}

impl Ledger {
    /// Reads the log as `viewer` may see it.
    pub fn read(store: &Store, viewer: &Viewer) -> Result<Self> {
        let mut log = store.log()?;
        let keys: HashMap<ItemId, ItemKey> = store.keys_of_cases()?.into_iter().collect();
        let left_out: HashSet<ItemKey> =
            viewer.hidden().iter().filter_map(|item| keys.get(item).copied()).collect();
        let untied_sessions: HashSet<SessionId> = store.untied_sessions()?.into_iter().collect();
        let (mut standing, mut untied) = (HashSet::new(), HashSet::new());
        for answer in store.current_answers()? {
            standing.insert(answer.uuid);
            if untied_sessions.contains(&answer.session) {
                untied.insert(answer.uuid);
            }
        }
        let (events, fingerprint, gaps) = (log.events.len(), fingerprint(&log), gaps(&log));
        log.events.retain(|event| !left_out.contains(&event.item));
        // Round numbers are local to a file, and copies may have opened their rounds in any order.
        log.rounds.sort_by_key(|round| (round.number > 0, round.created_ms, round.uuid));
        Ok(Self {
            persons: persons(store)?,
            upheld: store.upheld()?,
            log,
            events,
            fingerprint,
            standing,
            untied,
            gaps,
            keys,
            left_out,
        })
    }

    /// The first name of the person with this name.
    pub fn person(&self, name: &str) -> String {
        self.persons.get(name).map_or_else(|| name.to_owned(), Clone::clone)
    }

    /// The current answers, in order.
    pub fn answers(&self) -> impl Iterator<Item = &EventLine> {
        self.log.events.iter().filter(|event| self.standing.contains(&event.uuid))
    }

    /// The labels ever given, including changed ones and those of repeated cases, in order.
    pub fn labels_given(&self) -> impl Iterator<Item = &EventLine> {
        self.log.events.iter().filter(|event| event.action == Action::Set.as_str())
    }

    /// The cases that were not withdrawn, without repeats and without those whose answers the reader may not all see.
    pub fn cases(&self) -> impl Iterator<Item = &CaseLine> {
        let stands = |case: &&CaseLine| {
            case.withdrawn_ms.is_none() && case.reason != "repeat" && !self.left_out.contains(&case.item)
        };
        self.log.cases.iter().filter(stands)
    }

    /// How many persons have labelled each item.
    pub fn annotations(&self) -> HashMap<ItemKey, usize> {
        let mut given = HashMap::new();
        for answer in self.answers().filter(|answer| is_label(answer)) {
            *given.entry(answer.item).or_default() += 1;
        }
        given
    }

    /// The number of a revision of the task in this file.
    pub fn revision(&self, uuid: Uuid) -> i64 {
        self.log.revisions.iter().find(|r| r.uuid == uuid).map_or(0, |r| r.number)
    }

    /// The number of a round in this file.
    pub fn round(&self, uuid: Uuid) -> Option<i64> {
        self.log.rounds.iter().find(|r| r.uuid == uuid).map(|r| r.number)
    }

    /// Who worked in a session.
    pub fn expert_of_session(&self, session: Uuid) -> String {
        self.log.sessions.iter().find(|s| s.uuid == session).map_or_else(String::new, |s| s.expert.clone())
    }
}

/// Whether an event gives a label, rather than a skip.
pub(crate) fn is_label(event: &EventLine) -> bool {
    event.action == Action::Set.as_str()
}

/// The beginning of a key, which identifies a text.
pub(crate) fn short(key: &ItemKey) -> String {
    hex(&key.0).chars().take(DIGITS).collect()
}

fn persons(store: &Store) -> Result<BTreeMap<String, String>> {
    let names: BTreeMap<_, String> = store.experts()?.into_iter().collect();
    let name = |id| names.get(id).cloned().unwrap_or_default();
    Ok(store.persons()?.iter().map(|(expert, person)| (name(expert), name(person))).collect())
}

/// A hash over every event in order: two files with the same hash have the same log.
fn fingerprint(log: &Log) -> String {
    let mut hash = blake3::Hasher::new();
    let mut field = |bytes: &[u8]| {
        hash.update(&(bytes.len() as u64).to_le_bytes());
        hash.update(bytes);
    };
    for event in &log.events {
        field(event.uuid.as_bytes());
        field(&event.lamport.to_le_bytes());
        field(event.expert.as_bytes());
        field(&event.item.0);
        field(event.action.as_bytes());
        field(event.target.unwrap_or_default().as_bytes());
        let labels = event.labels.as_ref().map_or(&[][..], Answer::labels);
        field(&(labels.len() as u64).to_le_bytes());
        labels.iter().for_each(|label| field(label.as_bytes()));
        field(event.note.as_deref().unwrap_or_default().as_bytes());
        field(event.revision.as_bytes());
        field(&[u8::from(event.revealed)]);
        field(&event.at_ms.to_le_bytes());
    }
    for event in &log.expert_events {
        field(event.uuid.as_bytes());
        field(&event.lamport.to_le_bytes());
        field(event.action.as_bytes());
        field(event.expert.as_bytes());
        field(event.other.as_deref().unwrap_or_default().as_bytes());
    }
    hash.finalize().to_hex().to_string()
}

/// A session counts its events from 1, so numbers missing below the largest belong to events that this file lacks.
fn gaps(log: &Log) -> usize {
    let mut sessions: HashMap<Uuid, (i64, usize)> = HashMap::new();
    for event in &log.events {
        let (largest, here) = sessions.entry(event.session).or_default();
        *largest = event.seq.max(*largest);
        *here += 1;
    }
    sessions.values().map(|(largest, here)| (largest.unsigned_abs() as usize).saturating_sub(*here)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(session: u128, seq: i64, note: &str) -> EventLine {
        EventLine {
            uuid: Uuid::from_u128(session << 64 | u128::from(seq.unsigned_abs())),
            lamport: seq,
            session: Uuid::from_u128(session),
            seq,
            expert: "ada".into(),
            item: ItemKey([7; 32]),
            case: None,
            action: "set".into(),
            target: None,
            labels: Some(Answer::one("fine")),
            confidence: None,
            note: Some(note.into()),
            revision: Uuid::nil(),
            seen_prelabel: None,
            revealed: false,
            duration_ms: None,
            at_ms: 0,
        }
    }

    fn log(events: &[EventLine]) -> Log {
        Log { events: events.to_vec(), ..Log::default() }
    }

    #[test]
    fn what_a_session_counted_and_is_not_here_is_missed() {
        assert_eq!(gaps(&log(&[event(1, 1, ""), event(1, 2, ""), event(2, 1, "")])), 0);
        assert_eq!(gaps(&log(&[event(1, 1, ""), event(1, 4, ""), event(2, 3, "")])), 4);
    }

    #[test]
    fn a_log_of_which_anything_differs_has_another_fingerprint() {
        let one = fingerprint(&log(&[event(1, 1, "a"), event(1, 2, "b")]));
        assert_eq!(one, fingerprint(&log(&[event(1, 1, "a"), event(1, 2, "b")])));
        assert_ne!(one, fingerprint(&log(&[event(1, 1, "a"), event(1, 2, "c")])));
        assert_ne!(one, fingerprint(&log(&[event(1, 1, "a")])));
        // Fields stay apart.
        assert_ne!(fingerprint(&log(&[event(1, 1, "ab")])), fingerprint(&log(&[event(1, 1, "a")])));
    }

    #[test]
    fn a_text_is_named_by_the_beginning_of_its_key() {
        assert_eq!(short(&ItemKey([0xAB; 32])), "abababababab");
    }
}
