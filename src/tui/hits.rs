//! What a click can reach, as the last frame has it.

use std::cell::RefCell;
use std::time::{Duration, Instant};

use ratatui::layout::{Position, Rect};

/// Nobody points at what has just moved: a click sooner than this after labels changed their places was meant for what stood there before.
const GLANCE: Duration = Duration::from_millis(250);

/// Lines that a turn of the wheel moves.
pub(super) const WHEEL: usize = 3;

/// Something that can be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    /// A screen or a page by its place in the bar.
    Tab(usize),
    /// A page of a form that has no bar of its own.
    Page(usize),
    /// A label by its place in the task.
    Label(usize),
    /// What gives the labels that are chosen.
    Save,
    /// A row of a list, counted from its beginning.
    Row(usize),
    /// A cell of a table: its row and its column.
    Cell(usize, usize),
    /// A text that scrolls by itself.
    Text(usize),
}

/// The places of one frame, the topmost last.
#[derive(Debug, Default)]
pub(super) struct Hits {
    places: RefCell<Vec<(Rect, Target)>>,
    /// Where labels stood in the frame before, and since when they stand where they do.
    labels: Vec<(Rect, Target)>,
    settled: Option<Instant>,
}

impl Hits {
    pub fn add(&self, place: Rect, target: Target) {
        if !place.is_empty() {
            self.places.borrow_mut().push((place, target));
        }
    }

    /// Another frame begins, or something covers what was drawn so far.
    pub fn clear(&self) {
        self.places.borrow_mut().clear();
    }

    /// What stands at a place.
    pub fn at(&self, column: u16, row: u16) -> Option<Target> {
        let here = Position { x: column, y: row };
        self.places.borrow().iter().rev().find(|(place, _)| place.contains(here)).map(|(_, target)| *target)
    }

    /// The frame is on the screen.
    pub fn drawn(&mut self, now: Instant) {
        let is_label = |(_, target): &&(Rect, Target)| matches!(target, Target::Label(_));
        let labels: Vec<_> = self.places.borrow().iter().filter(is_label).copied().collect();
        if labels != self.labels || self.settled.is_none() {
            (self.labels, self.settled) = (labels, Some(now));
        }
    }

    /// Whether labels stand where a person can have seen them.
    pub fn are_settled(&self, now: Instant) -> bool {
        self.settled.is_some_and(|since| now >= since + GLANCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_topmost_is_hit_and_labels_that_moved_wait_a_moment() {
        let mut hits = Hits::default();
        let now = Instant::now();
        hits.add(Rect::new(0, 0, 10, 2), Target::Text(0));
        hits.add(Rect::new(2, 1, 3, 1), Target::Label(4));
        hits.add(Rect::new(0, 0, 0, 1), Target::Tab(0));
        assert_eq!(hits.at(2, 1), Some(Target::Label(4)));
        assert_eq!(hits.at(5, 1), Some(Target::Text(0)));
        assert_eq!(hits.at(0, 2), None);
        assert!(!hits.are_settled(now));
        hits.drawn(now);
        hits.drawn(now + GLANCE);
        assert!(hits.are_settled(now + GLANCE), "the same labels stay settled");
        hits.clear();
        hits.add(Rect::new(3, 1, 3, 1), Target::Label(4));
        hits.drawn(now + GLANCE);
        assert!(!hits.are_settled(now + GLANCE));
    }
}
