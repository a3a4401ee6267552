//! The pace of an expert, through the public store: only labels, only the same person's, only the last ones.

use hardcase::domain::answer::Answer;
use hardcase::domain::event::{Action, NewEvent};
use hardcase::domain::ids::{ExpertId, ItemId, SessionId};
use hardcase::store::log::events::Reveals;
use hardcase::store::{Access, Store};

use super::project::Project;

fn append(store: &mut Store, (expert, session): (ExpertId, SessionId), action: Action, ms: Option<i64>) {
    let event = NewEvent {
        expert,
        item: ItemId(1),
        case: None,
        action,
        target: None,
        answer: (action == Action::Set).then(|| Answer::one("fine")),
        confidence: None,
        note: None,
        revision: store.task().unwrap().id,
        duration_ms: ms,
    };
    store.append(session, event, Reveals::No).unwrap();
}

#[test]
fn the_pace_is_that_of_the_experts_own_last_timed_labels() {
    let project = Project::with_ads(2);
    let mut store = Store::open(&project.file(), Access::Session).unwrap();
    let ada = store.begin_session("ada").unwrap();
    let grace = store.begin_session("grace").unwrap();
    for ms in 1..=5 {
        append(&mut store, ada, Action::Set, Some(ms));
        append(&mut store, ada, Action::Skip, Some(1_000));
        append(&mut store, grace, Action::Set, Some(2_000));
        append(&mut store, ada, Action::Set, None);
    }
    assert_eq!(store.answer_durations(ada.0, 3).unwrap(), [5, 4, 3]);
    assert_eq!(store.answer_durations(grace.0, 50).unwrap(), [2_000; 5]);
}
