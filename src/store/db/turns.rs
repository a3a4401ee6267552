//! When a long write that is cut into slices lets others have their turn.

use std::time::{Duration, Instant};

/// What lies between two slices for others to begin: longer than a waiting writer's longest step, so that it gets its turn.
const BREATH: Duration = Duration::from_millis(6);
/// So many slices follow each other without it while nobody labels. Who begins to waits for these.
const SLICES_ALONE: u32 = 4;

/// The slices that a store has written one after the other.
#[derive(Default)]
pub(in crate::store) struct Turns {
    /// When the last of them was committed.
    ended: Option<Instant>,
    /// How many, since others had their turn.
    since_breath: u32,
}

impl Turns {
    /// How long to wait before the next slice; none where it may begin at once.
    pub fn pause(&mut self, now: Instant, is_labelled_now: impl FnOnce() -> bool) -> Option<Duration> {
        let rest = self.ended.and_then(|at| BREATH.checked_sub(now.duration_since(at)));
        if rest.is_some() && self.since_breath < SLICES_ALONE && !is_labelled_now() {
            return None;
        }
        self.since_breath = 0;
        rest
    }

    /// A slice was committed.
    pub fn wrote(&mut self, now: Instant) {
        self.ended = Some(now);
        self.since_breath += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn others_have_their_turn_after_each_slice_while_somebody_labels_and_else_after_a_few() {
        let pauses = |is_labelled: bool| {
            let (mut turns, now) = (Turns::default(), Instant::now());
            let mut pauses = Vec::new();
            for _ in 0..10 {
                pauses.push(turns.pause(now, || is_labelled).is_some());
                turns.wrote(now);
            }
            pauses
        };
        let alone = [false, false, false, false, true, false, false, false, true, false];
        assert_eq!(pauses(false), alone);
        assert_eq!(pauses(true), [&[false][..], &[true; 9]].concat());
    }
}
