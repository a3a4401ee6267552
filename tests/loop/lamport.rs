//! The order of the log, through the public store: Lamport numbers rise over interleaved sessions, and nothing in the log ever changes.

use hardcase::domain::answer::Answer;
use hardcase::domain::event::{Action, LabelEvent, NewEvent};
use hardcase::domain::ids::{ExpertId, ItemId, SessionId};
use hardcase::store::log::events::Reveals;
use hardcase::store::{Access, Store};
use proptest::prelude::*;

use super::project::Project;

/// One expert at a handle of their own.
struct Seat {
    store: Store,
    expert: ExpertId,
    session: SessionId,
}

impl Seat {
    fn at(project: &Project, name: &str) -> Self {
        let mut store = Store::open(&project.file(), Access::Session).unwrap();
        let (expert, session) = store.begin_session(name).unwrap();
        Self { store, expert, session }
    }

    fn append(&mut self, item: i64, action: Action) -> LabelEvent {
        let answer = (action == Action::Set).then(|| Answer::one("fine"));
        let event = NewEvent {
            expert: self.expert,
            item: ItemId(item),
            case: None,
            action,
            target: None,
            answer,
            confidence: None,
            note: None,
            revision: self.store.task().unwrap().id,
            duration_ms: None,
        };
        self.store.append(self.session, event, Reveals::No).unwrap()
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers_rise_strictly_over_interleaved_sessions(
        turns in prop::collection::vec((0usize..2, 1i64..=5, 0usize..4, prop::bool::weighted(0.1)), 1..30),
    ) {
        let project = Project::with_ads(5);
        let names = ["ada", "grace"];
        let mut seats = names.map(|name| Seat::at(&project, name));
        let mut appended = Vec::new();
        for (who, item, action, gets_up) in turns {
            let action = [Action::Set, Action::Skip, Action::Flag, Action::Note][action];
            appended.push(seats[who].append(item, action));
            if gets_up {
                let (store, session) = (&mut seats[who].store, seats[who].session);
                store.end_session(session, false).unwrap();
                seats[who] = Seat::at(&project, names[who]);
            }
        }
        prop_assert!(appended.windows(2).all(|w| w[0].lamport < w[1].lamport));
        prop_assert!(appended.windows(2).all(|w| w[0].order() < w[1].order()));
        for seat in &seats {
            prop_assert_eq!(&seat.store.events().unwrap(), &appended, "every handle reads the same log");
        }
        let mut seen = std::collections::HashMap::new();
        for event in &appended {
            let last = seen.entry(event.session).or_insert(0);
            prop_assert_eq!(event.seq, *last + 1, "numbers of a session have no gap");
            *last += 1;
        }
    }
}

#[test]
fn an_event_can_neither_be_changed_nor_deleted_nor_replaced() {
    let project = Project::with_ads(3);
    let mut seat = Seat::at(&project, "ada");
    seat.append(1, Action::Set);
    seat.append(2, Action::Skip);
    let before = seat.store.events().unwrap();
    let connection = rusqlite::Connection::open(project.file()).unwrap();
    for sql in [
        "UPDATE label_event SET answer = '[]' WHERE item = 1",
        "UPDATE OR REPLACE label_event SET lamport = 9",
        "DELETE FROM label_event WHERE item = 1",
        "DELETE FROM label_event",
        "UPDATE task_revision SET toml = ''",
        "DELETE FROM task_revision",
    ] {
        let refusal = connection.execute(sql, []).unwrap_err().to_string();
        assert!(refusal.contains("append-only"), "{sql}: {refusal}");
    }
    assert_eq!(seat.store.events().unwrap(), before);
}

#[test]
fn a_copy_with_a_number_behind_which_there_is_no_other_is_refused_and_can_be_repaired() {
    let project = Project::with_ads(3);
    let copy = project.path("copy.hardcase");
    std::fs::copy(project.file(), &copy).unwrap();
    {
        let file = rusqlite::Connection::open(&copy).unwrap();
        super::crowd::seal_rows(&file);
        file.execute("UPDATE project SET lamport_heard = ?1", [i64::MAX - 1]).unwrap();
    }
    let name = copy.to_str().unwrap();
    super::project::hardcase(["answer", name, "--item", "1", "--label", "fine", "--as", "eve"]);
    project.run("merge", &[name]).refused(1, &["damaged", "Lamport number"]);
    let doctor = super::project::hardcase(["doctor", name]);
    assert!(doctor.code == Some(3) && doctor.out.contains("Lamport number"), "{}", doctor.out);
    project.run("answer", &["--item", "2", "--label", "fine"]).done();
    super::project::hardcase(["doctor", name, "--repair", "--accept-losses"]).done();
    super::project::hardcase(["answer", name, "--item", "1", "--label", "fine", "--as", "eve"]).done();
    project.run("merge", &[name]).done();
    project.run("answer", &["--item", "3", "--label", "fine"]).done();
}
