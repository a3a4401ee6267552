//! The log of label events: appended to, read, never changed.
//!
//! What an event records of its moment (whether it is blind, which prelabel was to be seen, how long it took) is read in the transaction that
//! writes it: two terminals of one person cannot log an answer as blind that was not.

use rusqlite::{OptionalExtension, Row, Transaction};
use uuid::Uuid;

use crate::domain::answer::Answer;
use crate::domain::event::{Action, LabelEvent, NewEvent};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{CaseId, ExpertId, ItemId, RevisionId, SessionId};
use crate::domain::task::Task;
use crate::store::db::clock::{new_uuid, now_ms};
use crate::store::db::convert::{Json, Uuid16, f32_values};
use crate::store::db::open::Store;
use crate::store::db::person::{ME, MY_NAMES};
use crate::store::db::seals::{EVENTS, seal_new};
use crate::store::rounds::leases::hold_after_retract;

pub(in crate::store) const EVENT: &str = "SELECT uuid, lamport, session, seq, expert, item, label_case, action, target, answer, confidence, note, revision,
    seen_prelabel, revealed, duration_ms, at_ms FROM";

pub(in crate::store) fn event(r: &Row<'_>) -> rusqlite::Result<LabelEvent> {
    Ok(LabelEvent {
        uuid: r.get::<_, Uuid16>(0)?.0,
        lamport: r.get(1)?,
        session: r.get(2)?,
        seq: r.get(3)?,
        at_ms: r.get(16)?,
        event: NewEvent {
            expert: r.get(4)?,
            item: r.get(5)?,
            case: r.get(6)?,
            action: r.get(7)?,
            target: r.get::<_, Option<Uuid16>>(8)?.map(|u| u.0),
            answer: r.get(9)?,
            confidence: r.get(10)?,
            note: r.get(11)?,
            revision: r.get(12)?,
            duration_ms: r.get(15)?,
        },
        seen_prelabel: r.get(13)?,
        revealed: r.get(14)?,
    })
}

/// The number of the next event: the logs of labels and of experts are one order.
pub(in crate::store) const NEXT_LAMPORT: &str = "(SELECT lamport FROM next_lamport)";

/// Whether an answer is followed by the model's view.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reveals {
    /// The expert sees it next.
    Yes,
    /// It stays hidden.
    No,
}

/// What a person knew when they asked for an event. It is compared in the transaction that writes the event, which may have waited for others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    /// Whatever there is by now.
    Anything,
    /// The last event of theirs on the item, under whichever name, from any other session.
    OnItem(Option<Uuid>),
    /// Their last event of all.
    Last(Option<Uuid>),
}

/// What came of an event.
#[derive(Clone, Debug, PartialEq)]
pub enum Appended {
    /// It is on disk.
    Written(LabelEvent),
    /// It is not: this event of the same person, which they did not know of, is there by now.
    Overtaken(LabelEvent),
}

/// Notes in the same transaction that an expert was shown the model's view of an item, in the case where there was one.
pub(in crate::store) fn note_reveal(
    tx: &Transaction<'_>,
    expert: ExpertId,
    item: ItemId,
    case: Option<CaseId>,
) -> rusqlite::Result<()> {
    let now = now_ms();
    tx.prepare_cached("INSERT OR IGNORE INTO reveal (expert, item, at_ms) VALUES (?1, ?2, ?3)")?
        .execute((expert, item, now))?;
    // Of a repeat the case says it: the item may have been revealed the first time.
    tx.prepare_cached(&format!(
        "UPDATE label_case SET revealed_ms = ?3 WHERE id = ?2 AND expert IN {MY_NAMES} AND revealed_ms IS NULL"
    ))?
    .execute((expert, case, now))
    .map(drop)
}

impl Store {
    /// Appends an event whatever else there is by now; see [`Self::append_knowing`].
    pub fn append(&mut self, session: SessionId, new: NewEvent, reveals: Reveals) -> Result<LabelEvent> {
        match self.append_knowing(session, new, reveals, Known::Anything)? {
            Appended::Written(event) | Appended::Overtaken(event) => Ok(event),
        }
    }

    /// Appends an event, unless there is more than its person knew of, and gives the case back; with [`Reveals::Yes`], the same commit notes that the
    /// model's view of the item is shown from now on. The case of an answer that is taken back stays with its expert. When this returns, `Store::write`
    /// has committed it: the event is on disk.
    pub fn append_knowing(
        &mut self,
        session: SessionId,
        new: NewEvent,
        reveals: Reveals,
        known: Known,
    ) -> Result<Appended> {
        if new.action != Action::Set {
            self.searched = None;
        }
        self.refuse_forgotten(new.item, "save the label")?;
        let about = self.keep_what_it_refers_to(session, &new)?;
        let mut written = None;
        let saved = self.write("save the label", |tx| {
            if let Some(later) = overtaking(tx, session, &new, known)? {
                return Ok(Appended::Overtaken(later));
            }
            let event = insert(tx, session, new)?;
            written = Some(event.clone());
            if reveals == Reveals::Yes {
                note_reveal(tx, event.event.expert, event.event.item, event.event.case)?;
            }
            if let (Some(case), Action::Set | Action::Skip | Action::Restore) =
                (event.event.case, event.event.action)
            {
                tx.prepare_cached(&format!(
                    "DELETE FROM lease WHERE expert IN {MY_NAMES} AND label_case = ?2"
                ))?
                .execute((event.event.expert, case))?;
            }
            if event.event.action == Action::Retract {
                hold_after_retract(tx, session, &event.event)?;
            }
            Ok(Appended::Written(event))
        });
        // Also the one that found the file gone: it is in the file that was opened, or nowhere else.
        if saved.as_ref().map_or_else(Fault::is_displaced, |_| true)
            && let Some(event) = written
        {
            self.kept.add(event, about, reveals == Reveals::Yes);
        }
        saved
    }

    /// The last event of a person on an item, under whichever name, from any other session than this.
    pub fn last_elsewhere(&self, expert: ExpertId, item: ItemId, session: SessionId) -> Result<Option<Uuid>> {
        let last = self.one(&last_elsewhere(), (expert, item, session), "read the labels", event)?;
        Ok(last.map(|event| event.uuid))
    }

    /// The last event of a person, under whichever name.
    pub fn last_event_of(&self, expert: ExpertId) -> Result<Option<Uuid>> {
        let sql = format!(
            "{EVENT} label_event WHERE expert IN {MY_NAMES} ORDER BY lamport DESC, uuid DESC LIMIT 1"
        );
        Ok(self.one(&sql, [expert], "read the labels", event)?.map(|event| event.uuid))
    }

    /// All events of an expert in order, under whichever name, for undo and redo.
    pub fn events_of(&self, expert: ExpertId) -> Result<Vec<LabelEvent>> {
        let sql = format!("{EVENT} label_event WHERE expert IN {MY_NAMES} ORDER BY lamport, uuid");
        self.all_rows_of(&sql, [expert], "read the labels", event)
    }

    /// All events of the project in order.
    pub fn events(&self) -> Result<Vec<LabelEvent>> {
        self.all_rows(&format!("{EVENT} label_event ORDER BY lamport, uuid"), "read the labels", event)
    }

    /// The last standing answer of each person on each item, in the order in which they were given.
    pub fn current_answers(&self) -> Result<Vec<LabelEvent>> {
        self.all_rows(&format!("{EVENT} current_answer ORDER BY lamport, uuid"), "read the labels", event)
    }

    /// The standing answer of one expert on one item, under whichever name.
    pub fn current_answer(&self, expert: ExpertId, item: ItemId) -> Result<Option<LabelEvent>> {
        let sql = format!("{EVENT} current_answer WHERE person = {ME} AND item = ?2");
        self.one(&sql, (expert, item), "read the label", event)
    }

    /// The cases that an expert answered or skipped, in the order of the last answer, each with the item.
    pub fn answered_cases(&self, expert: ExpertId) -> Result<Vec<(CaseId, ItemId)>> {
        let sql = format!(
            "SELECT label_case, item, lamport, uuid FROM current_answer WHERE person = {ME} AND label_case IS NOT NULL
             UNION ALL SELECT label_case, item, lamport, uuid FROM repeat_answer a WHERE expert IN {MY_NAMES}
               AND EXISTS (SELECT 1 FROM label_case c WHERE c.id = a.label_case AND c.reannotation IS NULL)
             ORDER BY lamport, uuid"
        );
        self.all_rows_of(&sql, [expert], "read the labels", |r| Ok((r.get(0)?, r.get(1)?)))
    }

    /// The last note of an expert on an item, be it its own event or given with an answer; of a repeat, the last one written in it.
    pub fn note_of(&self, expert: ExpertId, item: ItemId, repeat: Option<CaseId>) -> Result<Option<String>> {
        let sql = format!(
            "SELECT note FROM upheld_event WHERE expert IN {MY_NAMES} AND item = ?2 AND note IS NOT NULL
               AND (?3 IS NULL OR label_case = ?3)
             ORDER BY lamport DESC, uuid DESC LIMIT 1"
        );
        self.one(&sql, (expert, item, repeat), "read the notes", |r| r.get(0))
    }

    /// Whether an item is flagged by an expert; of a repeat, whether it was flagged in it.
    pub fn is_flagged(&self, expert: ExpertId, item: ItemId, repeat: Option<CaseId>) -> Result<bool> {
        let sql = format!(
            "SELECT action FROM upheld_event WHERE expert IN {MY_NAMES} AND item = ?2 AND action IN ('flag', 'unflag')
               AND (?3 IS NULL OR label_case = ?3)
             ORDER BY lamport DESC, uuid DESC LIMIT 1"
        );
        let last: Option<Action> = self.one(&sql, (expert, item, repeat), "read the flags", |r| r.get(0))?;
        Ok(last == Some(Action::Flag))
    }
}

/// The event of the same person that they did not know of, where there is one.
fn overtaking(
    tx: &Transaction<'_>,
    session: SessionId,
    new: &NewEvent,
    known: Known,
) -> rusqlite::Result<Option<LabelEvent>> {
    let (last, known) = match known {
        Known::Anything => return Ok(None),
        Known::OnItem(known) => {
            let mut statement = tx.prepare_cached(&last_elsewhere())?;
            (statement.query_row((new.expert, new.item, session), event).optional()?, known)
        }
        Known::Last(known) => {
            let sql = format!(
                "{EVENT} label_event WHERE expert IN {MY_NAMES} ORDER BY lamport DESC, uuid DESC LIMIT 1"
            );
            (tx.prepare_cached(&sql)?.query_row([new.expert], event).optional()?, known)
        }
    };
    Ok(last.filter(|last| Some(last.uuid) != known))
}

/// `?1` the expert, `?2` the item, `?3` the session.
fn last_elsewhere() -> String {
    format!(
        "{EVENT} label_event WHERE expert IN {MY_NAMES} AND item = ?2 AND session <> ?3 ORDER BY lamport DESC, uuid DESC LIMIT 1"
    )
}

fn insert(tx: &Transaction<'_>, session: SessionId, new: NewEvent) -> rusqlite::Result<LabelEvent> {
    let (uuid, at_ms) = (new_uuid(), now_ms());
    let Moment { revealed, shown_ms } = Moment::read(tx, &new)?;
    let seen_prelabel = match (revealed, new.case) {
        (true, Some(_)) => active_prelabel(tx, new.item, new.revision)?,
        _ => None,
    };
    // How long a case was on the screen says nothing of a decision, and a clock that was put back since says nothing at all.
    let since_shown = shown_ms.filter(|_| new.action != Action::Adjudicate).map(|shown| at_ms - shown);
    let new = NewEvent { duration_ms: new.duration_ms.or(since_shown.filter(|ms| *ms >= 0)), ..new };
    let (lamport, seq) = tx
        .prepare_cached(&format!(
            "INSERT INTO label_event (uuid, lamport, session, seq, expert, item, label_case, action, target, answer,
                                      confidence, note, revision, seen_prelabel, revealed, duration_ms, at_ms)
             VALUES (?1, {NEXT_LAMPORT}, ?2,
                     (SELECT coalesce(max(seq), 0) + 1 FROM label_event WHERE session = ?2),
                     ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             RETURNING lamport, seq"
        ))?
        .query_row(
            rusqlite::params![
                Uuid16(uuid),
                session,
                new.expert,
                new.item,
                new.case,
                new.action,
                new.target.map(Uuid16),
                new.answer,
                new.confidence,
                new.note,
                new.revision,
                seen_prelabel,
                revealed,
                new.duration_ms,
                at_ms
            ],
            |r| Ok((r.get(0)?, r.get(1)?)),
        )?;
    seal_new(tx, "main", EVENTS)?;
    Ok(LabelEvent { uuid, lamport, session, seq, at_ms, event: new, revealed, seen_prelabel })
}

/// What was true of an event's case for its expert when the event was written.
struct Moment {
    /// Whether the model's view was shown (of a repeat: since it came back), or the expert decided on the item between others and so has seen
    /// what each of them said.
    revealed: bool,
    /// When the case appeared on the expert's screen.
    shown_ms: Option<i64>,
}

impl Moment {
    fn read(tx: &Transaction<'_>, event: &NewEvent) -> rusqlite::Result<Self> {
        let sql = format!(
            "SELECT coalesce((SELECT c.revealed_ms IS NOT NULL FROM label_case c WHERE c.id = ?3 AND c.reason = 'repeat'),
                             EXISTS (SELECT 1 FROM reveal v WHERE v.expert IN {MY_NAMES} AND v.item = ?2))
                 OR EXISTS (SELECT 1 FROM label_event d WHERE d.item = ?2 AND d.action = 'adjudicate' AND d.expert IN {MY_NAMES}),
               (SELECT l.shown_ms FROM lease l WHERE l.label_case = ?3 AND l.expert = ?1)"
        );
        tx.prepare_cached(&sql)?.query_row((event.expert, event.item, event.case), |r| {
            Ok(Self { revealed: r.get(0)?, shown_ms: r.get(1)? })
        })
    }
}

/// What the active model says of an item; none where it says nothing.
fn active_prelabel(
    tx: &Transaction<'_>,
    item: ItemId,
    revision: RevisionId,
) -> rusqlite::Result<Option<Answer>> {
    let said: Option<(Json<Vec<String>>, Vec<f32>)> = tx
        .prepare_cached(
            "SELECT p.labels, q.probabilities FROM project j JOIN predictor p ON p.id = j.active_predictor
             JOIN prediction q ON q.predictor = p.id WHERE q.item = ?1",
        )?
        .query_row([item], |r| Ok((r.get(0)?, f32_values(r.get_ref(1)?.as_blob()?).collect())))
        .optional()?;
    let Some((labels, values)) = said else { return Ok(None) };
    let toml: String = tx
        .prepare_cached("SELECT toml FROM task_revision WHERE id = ?1")?
        .query_row([revision], |r| r.get(0))?;
    // A task that cannot be read is refused wherever it is asked for.
    let kind = Task::from_toml(&toml, "of the project").map(|task| task.kind).unwrap_or_default();
    let said = kind.decide_set(&values, &[]);
    let said = Answer::of(said.places().filter_map(|at| labels.0.get(at).cloned()));
    Ok(Some(said).filter(|_| !labels.0.is_empty()))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};

    use rusqlite::TransactionBehavior;

    use super::*;
    use crate::domain::split::SplitShares;
    use crate::store::{Access, NewProject};

    const TASK: &str =
        "question = \"?\"\n[[label]]\nname = \"a\"\nkey = \"1\"\n[[label]]\nname = \"b\"\nkey = \"2\"\n";
    static WAITS: AtomicBool = AtomicBool::new(false);

    #[test]
    fn an_answer_that_waited_while_the_view_was_shown_elsewhere_is_not_logged_as_blind() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.hardcase");
        drop(Store::create(&path, NewProject { seed: 1, shares: SplitShares::default() }).unwrap());
        let mut store = Store::open(&path, Access::Session).unwrap();
        let (expert, session) = store.begin_session("ada").unwrap();
        let revision = store.set_task(&Task::from_toml(TASK, "test").unwrap(), session).unwrap().id;
        store
            .conn
            .execute_batch(
                "INSERT INTO source (id, uuid, name, found, state, started_ms) VALUES (1, zeroblob(16), 's', '', 'ready', 0);
                 INSERT INTO item VALUES (1, key_of('one'), 'one', 'train', 1), (2, key_of('two'), 'two', 'train', 1);",
            )
            .unwrap();
        let answer = |item| NewEvent {
            expert,
            item: ItemId(item),
            case: None,
            action: Action::Set,
            target: None,
            answer: Some(Answer::one("a")),
            confidence: None,
            note: None,
            revision,
            duration_ms: None,
        };
        let mut other = Store::open(&path, Access::Session).unwrap();
        let (_, session) = other.begin_session("ada").unwrap();
        assert!(!other.append(session, answer(2), Reveals::No).unwrap().revealed);

        // This terminal holds the file; the other one comes with an answer and waits for it.
        let tx = Transaction::new_unchecked(&store.conn, TransactionBehavior::Immediate).unwrap();
        tx.execute("UPDATE project SET seed = 2", ()).unwrap();
        let written = std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                other
                    .conn
                    .busy_handler(Some(|_| {
                        WAITS.store(true, Ordering::Release);
                        std::thread::yield_now();
                        true
                    }))
                    .unwrap();
                other.append(session, answer(1), Reveals::No).unwrap()
            });
            while !WAITS.load(Ordering::Acquire) {
                std::thread::yield_now();
            }
            note_reveal(&tx, expert, ItemId(1), None).unwrap();
            tx.commit().unwrap();
            waiting.join().unwrap()
        });
        assert!(written.revealed, "it was shown before the answer was written");
        assert_eq!(store.current_answer(expert, ItemId(1)).unwrap(), Some(written));
    }

    #[test]
    fn an_event_that_waited_while_the_same_person_did_more_elsewhere_is_not_written() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("p.hardcase");
        drop(Store::create(&path, NewProject { seed: 1, shares: SplitShares::default() }).unwrap());
        let mut store = Store::open(&path, Access::Session).unwrap();
        let (expert, here) = store.begin_session("ada").unwrap();
        let (_, there) = store.begin_session("ada").unwrap();
        let revision = store.set_task(&Task::from_toml(TASK, "test").unwrap(), here).unwrap().id;
        store
            .conn
            .execute_batch(
                "INSERT INTO source (id, uuid, name, found, state, started_ms) VALUES (1, zeroblob(16), 's', '', 'ready', 0);
                 INSERT INTO item VALUES (1, key_of('one'), 'one', 'train', 1);",
            )
            .unwrap();
        let event = |action, target| NewEvent {
            expert,
            item: ItemId(1),
            case: None,
            action,
            target,
            answer: (action == Action::Set).then(|| Answer::one("a")),
            confidence: None,
            note: None,
            revision,
            duration_ms: None,
        };
        let mut append = |session, action, target, known| {
            store.append_knowing(session, event(action, target), Reveals::No, known).unwrap()
        };
        let Appended::Written(first) = append(there, Action::Set, None, Known::OnItem(None)) else {
            panic!()
        };
        let overtaken = Appended::Overtaken(first.clone());
        for action in [Action::Set, Action::Skip, Action::Flag, Action::Note] {
            assert_eq!(append(here, action, None, Known::OnItem(None)), overtaken, "{action:?}");
        }
        assert_eq!(append(here, Action::Retract, Some(first.uuid), Known::Last(None)), overtaken);
        let known = Some(first.uuid);
        let written = |appended| matches!(appended, Appended::Written(_));
        assert!(written(append(here, Action::Flag, None, Known::OnItem(known))), "it was seen");
        assert!(written(append(here, Action::Flag, None, Known::OnItem(known))), "one's own is no other's");
        assert!(!written(append(here, Action::Retract, known, Known::Last(known))));
        assert_eq!(store.events().unwrap().len(), 3);
    }
}
