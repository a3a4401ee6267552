//! Undo and redo read from the log: each is an event of its own, so both work across cases, rounds and restarts.

use uuid::Uuid;

use super::event::{Action, LabelEvent};

/// What one expert could take back, and put back, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    done: Vec<Uuid>,
    undone: Vec<Uuid>,
}

impl History {
    /// Replays one expert's events, which must be in the log's order.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a LabelEvent>) -> Self {
        let mut history = Self::default();
        for event in events {
            match (event.event.action, event.event.target) {
                (Action::Retract, Some(target)) => {
                    history.done.retain(|e| *e != target);
                    history.undone.retain(|e| *e != target);
                    history.undone.push(target);
                }
                (Action::Restore, Some(target)) => {
                    history.undone.retain(|e| *e != target);
                    history.done.retain(|e| *e != target);
                    history.done.push(target);
                }
                (Action::Retract | Action::Restore, None) => {}
                _ => {
                    history.done.push(event.uuid);
                    history.undone.clear();
                }
            }
        }
        history
    }

    /// The event that an undo takes back.
    pub fn to_undo(&self) -> Option<Uuid> {
        self.done.last().copied()
    }

    /// The event that a redo puts back.
    pub fn to_redo(&self) -> Option<Uuid> {
        self.undone.last().copied()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::answer::Answer;
    use crate::domain::event::NewEvent;
    use crate::domain::ids::{ExpertId, ItemId, RevisionId, SessionId};

    fn event(lamport: i64, action: Action, target: Option<Uuid>) -> LabelEvent {
        LabelEvent {
            uuid: Uuid::from_u128(lamport.unsigned_abs().into()),
            lamport,
            session: SessionId(1),
            seq: lamport,
            at_ms: 0,
            event: NewEvent {
                expert: ExpertId(1),
                item: ItemId(lamport),
                case: None,
                action,
                target,
                answer: (action == Action::Set).then(|| Answer::one("a")),
                confidence: None,
                note: None,
                revision: RevisionId(1),
                duration_ms: None,
            },
            revealed: false,
            seen_prelabel: None,
        }
    }

    #[derive(Clone, Copy, Debug)]
    enum Key {
        Label,
        Undo,
        Redo,
    }

    proptest! {
        /// Against the textbook model: two stacks, a new action clears the redo stack.
        #[test]
        fn undo_and_redo_behave_like_two_stacks(
            keys in prop::collection::vec(prop_oneof![Just(Key::Label), Just(Key::Undo), Just(Key::Redo)], 0..40)
        ) {
            let (mut done, mut undone): (Vec<Uuid>, Vec<Uuid>) = Default::default();
            let mut log: Vec<LabelEvent> = Vec::new();
            for key in keys {
                let next = log.len() as i64 + 1;
                let history = History::replay(&log);
                prop_assert_eq!(history.to_undo(), done.last().copied());
                prop_assert_eq!(history.to_redo(), undone.last().copied());
                match key {
                    Key::Label => {
                        let set = event(next, Action::Set, None);
                        done.push(set.uuid);
                        undone.clear();
                        log.push(set);
                    }
                    Key::Undo => if let Some(target) = history.to_undo() {
                        log.push(event(next, Action::Retract, Some(target)));
                        undone.extend(done.pop());
                    },
                    Key::Redo => if let Some(target) = history.to_redo() {
                        log.push(event(next, Action::Restore, Some(target)));
                        done.extend(undone.pop());
                    },
                }
            }
        }
    }
}
