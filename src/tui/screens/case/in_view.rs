//! What a person may answer, as the last frame tells it. Requests that put something on record for a case are made here and nowhere else,
//! and only for a case whose text has been drawn from its first row on and of which a part is on the screen.

use std::ops::Range;

use crate::desk::request::Request;
use crate::desk::session::Remarks;
use crate::domain::answer::SaidLabels;
use crate::domain::ids::CaseId;

/// A case that was on the screen when this was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen(CaseId);

impl Seen {
    pub fn case(self) -> CaseId {
        self.0
    }

    pub fn answer(self, labels: SaidLabels, remarks: Remarks) -> Request {
        Request::Answer { case: self.0, labels, remarks }
    }

    pub fn skip(self) -> Request {
        Request::Skip(self.0)
    }

    pub fn flag(self) -> Request {
        Request::Flag(self.0)
    }

    pub fn note(self, text: String) -> Request {
        Request::Note(self.0, text)
    }
}

/// Which case's text is on the screen.
#[derive(Debug, Default)]
pub(super) struct InView {
    /// The first row of this one has been drawn since it came.
    begun: Option<CaseId>,
    /// The same before the last frame.
    begun_before: Option<CaseId>,
    /// The last frame shows a part of this one, which has begun.
    now: Option<CaseId>,
}

impl InView {
    /// Another case comes, or none.
    pub fn another_case(&mut self) {
        *self = Self::default();
    }

    /// A frame is about to be drawn, or was drawn without a case.
    pub fn nothing(&mut self) {
        self.begun_before = self.begun;
        self.now = None;
    }

    /// Something lay over what the last frame drew of it: none of it could be seen.
    pub fn covered(&mut self) {
        self.begun = self.begun_before;
        self.now = None;
    }

    /// These rows of a case's text were drawn.
    pub fn drawn(&mut self, case: CaseId, rows: Range<usize>) {
        if rows.is_empty() {
            return;
        }
        if rows.start == 0 {
            self.begun = Some(case);
        }
        self.now = self.begun.filter(|begun| *begun == case);
    }

    /// Whether any case is.
    pub fn any(&self) -> bool {
        self.now.is_some()
    }

    /// The case, where it is this one.
    pub fn seen(&self, case: CaseId) -> Option<Seen> {
        self.now.filter(|now| *now == case).map(Seen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_seen_from_its_first_row_on_and_only_while_a_part_of_it_is_drawn() {
        let (one, two) = (CaseId(1), CaseId(2));
        let mut in_view = InView::default();
        in_view.drawn(one, 3..9);
        assert_eq!(in_view.seen(one), None, "its first row was never drawn");
        in_view.drawn(one, 0..0);
        assert_eq!(in_view.seen(one), None, "no row was drawn");
        in_view.drawn(one, 0..1);
        in_view.drawn(one, 3..9);
        assert_eq!(in_view.seen(one), Some(Seen(one)), "it was scrolled");
        assert_eq!(in_view.seen(two), None);
        in_view.nothing();
        assert_eq!(in_view.seen(one), None);
        in_view.drawn(one, 3..9);
        assert_eq!(in_view.seen(one), Some(Seen(one)));
        in_view.another_case();
        in_view.drawn(one, 3..9);
        assert_eq!(in_view.seen(one), None);
        in_view.nothing();
        in_view.drawn(one, 0..3);
        in_view.covered();
        in_view.nothing();
        in_view.drawn(one, 3..9);
        assert_eq!(in_view.seen(one), None, "its first row was below the help");
        in_view.nothing();
        in_view.drawn(one, 0..3);
        in_view.nothing();
        in_view.drawn(one, 0..3);
        in_view.covered();
        in_view.nothing();
        in_view.drawn(one, 3..9);
        assert_eq!(in_view.seen(one), Some(Seen(one)), "it was seen before the help");
    }
}
