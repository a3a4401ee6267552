//! The case on the screen: which one, whether a label key counts for it, and what was done last.

use std::time::Instant;

use super::attention::{Attention, Verdict};
use crate::desk::request::{Outcome, Request, Response, Window};
use crate::desk::session::Remarks;
use crate::desk::shown::{Card, Lack, NoCase, Place, Reveal};
use crate::domain::ids::CaseId;
use crate::domain::task::Task;
use crate::tui::effect::Effect;
use crate::tui::keys::Action;
use crate::tui::widgets::frame::{Notice, Tone};
use crate::tui::widgets::text_layout::{differences, drawable};

/// How sure an expert can be, from 1.
pub(in crate::tui) const CONFIDENCES: [&str; 3] = ["unsure", "fairly sure", "sure"];

/// What is where the case would be.
#[derive(Debug)]
pub(in crate::tui) enum Showing {
    /// The desk has not said yet.
    Waiting,
    /// The next case.
    Next(Box<Shown>),
    /// A case that was asked for, mostly one answered before.
    Asked(Box<Shown>),
    /// There is none.
    None(NoCase),
}

/// A case, ready to be drawn.
#[derive(Debug)]
pub(in crate::tui) struct Shown {
    pub card: Card,
    /// Its text and its neighbour's, harmless.
    pub text: String,
    pub partner: Option<String>,
    /// Where each differs from the other.
    pub differs: (Vec<std::ops::Range<usize>>, Vec<std::ops::Range<usize>>),
}

impl Shown {
    fn new(card: Card) -> Box<Self> {
        let text = drawable(&card.shown.text);
        let partner = card.shown.partner.as_ref().map(|p| drawable(&p.text));
        let differs = partner.as_deref().map(|p| differences(&text, p)).unwrap_or_default();
        Box::new(Self { card, text, partner, differs })
    }
}

/// The answer given last.
#[derive(Debug)]
pub(in crate::tui) struct Answered {
    pub label: String,
    pub key: char,
    pub case: CaseId,
    pub changed: bool,
    pub reveal: Option<Reveal>,
}

/// What is on its way to the disk.
#[derive(Debug)]
enum Pending {
    Answer { shown: Box<Shown>, label: String, key: char },
    Other,
}

/// The screen of cases.
#[derive(Debug)]
pub(in crate::tui) struct CaseScreen {
    pub showing: Showing,
    pub place: Option<Place>,
    /// What the project lacks before cases can be mined.
    pub lack: Option<Lack>,
    pub last: Option<Answered>,
    pub confidence: Option<u8>,
    pub guideline: bool,
    /// Lines scrolled down.
    pub scroll: usize,
    pub attention: Attention,
    ahead: Vec<Card>,
    pending: Option<Pending>,
    since: Option<Instant>,
}

impl CaseScreen {
    pub fn new(attention: Attention) -> Self {
        Self {
            showing: Showing::Waiting,
            place: None,
            lack: None,
            last: None,
            confidence: None,
            guideline: false,
            scroll: 0,
            attention,
            ahead: Vec::new(),
            pending: None,
            since: None,
        }
    }

    /// The case that can be seen.
    pub fn shown(&self) -> Option<&Shown> {
        match &self.showing {
            Showing::Next(shown) | Showing::Asked(shown) => Some(shown),
            Showing::Waiting | Showing::None(_) => None,
        }
    }

    /// Cases of the open round that nobody has answered, where there is a case to answer at all.
    pub fn left(&self) -> usize {
        match (&self.showing, self.place) {
            (Showing::None(_), _) | (_, None) => 0,
            _ if self.lack.is_some() => 0,
            (_, Some(place)) => place.left,
        }
    }

    /// What is being saved, in words; none when all is on disk.
    pub fn saving(&self) -> Option<String> {
        match &self.pending {
            Some(Pending::Answer { label, key, shown }) => {
                Some(format!("saving: {label} ({key}), case {}", shown.card.shown.case))
            }
            Some(Pending::Other) => Some("saving".into()),
            None => None,
        }
    }

    fn show(&mut self, showing: Showing) {
        self.showing = showing;
        self.scroll = 0;
        self.since = None;
        self.attention.another_case();
    }

    /// The screen has been drawn.
    pub fn drawn(&mut self, now: Instant) -> Option<Effect> {
        self.shown()?;
        self.since.get_or_insert(now);
        self.attention.drawn(now).map(Effect::Sight)
    }

    /// A key that the task gives to a label.
    pub fn label_key(
        &mut self,
        key: char,
        repeat: bool,
        task: &Task,
        now: Instant,
    ) -> (Option<Effect>, Option<Notice>) {
        if self.shown().is_none() {
            // Where the look ahead has failed, as on a full disk, this looks again.
            let waits = matches!(self.showing, Showing::Waiting) && self.pending.is_none();
            return (
                waits.then_some(Effect::Desk(Request::Window)),
                Some(Notice::quiet(format!("'{key}' is a label's key, and there is no case here"))),
            );
        }
        let verdict = self.attention.label_key(key, repeat, now);
        if self.pending.is_some() && verdict != Verdict::Held {
            return (
                None,
                Some(Notice::warning(format!("'{key}' was dropped: the last answer is still being saved"))),
            );
        }
        match verdict {
            Verdict::Counts => (self.label(key, task, now), None),
            Verdict::Wait(_) => (None, None),
            Verdict::Held => (None, Some(Notice::warning(format!("'{key}' is held down: it counted once")))),
            Verdict::TooEarly => {
                let why = format!("'{key}' was dropped: it came before this case was on your screen");
                (None, Some(Notice::warning(why)))
            }
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, task: &Task, now: Instant) -> Option<Effect> {
        let key = self.attention.waited(now)?;
        if self.pending.is_some() { None } else { self.label(key, task, now) }
    }

    fn label(&mut self, key: char, task: &Task, now: Instant) -> Option<Effect> {
        let label = task.labels.iter().find(|l| l.key == key)?.name.clone();
        let duration_ms = self.since.map(|since| now.duration_since(since).as_millis() as i64);
        let (shown, was_next) = match std::mem::replace(&mut self.showing, Showing::Waiting) {
            Showing::Next(shown) => (shown, true),
            Showing::Asked(shown) => (shown, false),
            other => {
                self.showing = other;
                return None;
            }
        };
        let case = shown.card.shown.case;
        let remarks = Remarks { note: None, confidence: self.confidence.take(), duration_ms };
        self.pending = Some(Pending::Answer { shown, label: label.clone(), key });
        if was_next && !self.ahead.is_empty() {
            self.ahead.remove(0);
        }
        self.show_next();
        Some(Effect::Desk(Request::Answer { case, label, remarks }))
    }

    /// Shows the first of the cases at hand; waits where there is none.
    fn show_next(&mut self) {
        let next =
            self.ahead.first().cloned().map_or(Showing::Waiting, |card| Showing::Next(Shown::new(card)));
        self.show(next);
    }

    /// Any other thing that a person does with a case.
    pub fn act(&mut self, action: Action) -> (Option<Effect>, Option<Notice>) {
        let shown = self.shown().map(|s| s.card.shown.case);
        let asked = matches!(self.showing, Showing::Asked(_));
        let ask = match (action, shown) {
            (Action::Guideline, _) => {
                self.guideline = !self.guideline;
                return (None, None);
            }
            (Action::Confidence, _) => {
                self.confidence = match self.confidence {
                    None => Some(1),
                    Some(3) => None,
                    Some(n) => Some(n + 1),
                };
                return (None, None);
            }
            (Action::Back, _) if asked => {
                self.show_next();
                return (Some(Effect::Desk(Request::Window)), None);
            }
            // What looks at cases waits for nothing and changes nothing.
            (Action::Earlier, _) => {
                return (Some(Effect::Desk(Request::Earlier(shown.filter(|_| asked)))), None);
            }
            (Action::Later, Some(case)) if asked => {
                return (Some(Effect::Desk(Request::Later(case))), None);
            }
            (Action::Later, _) => {
                return (None, Some(Notice::quiet("this is the newest case".into())));
            }
            (Action::Undo, _) => Request::Undo,
            (Action::Redo, _) => Request::Redo,
            (Action::Skip, Some(_)) if self.shown().is_some_and(|s| s.card.label.is_some()) => {
                let says = "this case is answered: give it another label, or take the answer back with undo";
                return (None, Some(Notice::warning(says.into())));
            }
            (Action::Skip, Some(case)) => Request::Skip(case),
            (Action::Flag, Some(case)) => Request::Flag(case),
            _ => return (None, None),
        };
        if self.pending.is_some() {
            return (None, Some(Notice::warning("not yet: the last answer is still being saved".into())));
        }
        self.pending = Some(Pending::Other);
        (Some(Effect::Desk(ask)), None)
    }

    /// The desk has answered.
    pub fn told(&mut self, told: Response) -> Option<Notice> {
        let (notice, found) = self.done(told.done);
        let mut failed = None;
        match told.window {
            Ok(Some(window)) => self.look_ahead(window),
            Ok(None) => {}
            Err(fault) => failed = Some(Notice::bad(fault.to_string())),
        }
        match found {
            Found::Nothing => {}
            Found::Card(card) => {
                let is_next = self.ahead.first().is_some_and(|next| next.shown.case == card.shown.case);
                let shown = Shown::new(*card);
                self.show(if is_next { Showing::Next(shown) } else { Showing::Asked(shown) });
            }
            Found::End => self.show_next(),
        }
        notice.or(failed)
    }

    fn done(&mut self, done: crate::domain::fault::Result<Outcome>) -> (Option<Notice>, Found) {
        let drafted = matches!(done, Ok(Outcome::Drafted | Outcome::Looked));
        let pending = if drafted { None } else { self.pending.take() };
        let done = match (done, pending) {
            (Ok(Outcome::Answered { saved, reveal }), Some(Pending::Answer { shown, label, key })) => {
                let case = shown.card.shown.case;
                self.last = Some(Answered { label, key, case, changed: saved.changed, reveal });
                return (None, Found::Nothing);
            }
            // Nothing was saved: the case is there again.
            (Err(fault), Some(Pending::Answer { shown, .. })) => {
                return (Some(Notice::bad(fault.to_string())), Found::Card(Box::new(shown.card)));
            }
            (Err(fault), _) => return (Some(Notice::bad(fault.to_string())), Found::Nothing),
            (Ok(done), _) => done,
        };
        match done {
            Outcome::Looked | Outcome::Drafted | Outcome::Answered { .. } => (None, Found::Nothing),
            Outcome::Skipped => {
                self.last = None;
                (
                    Some(Notice::good("skipped: it comes back once, at the end of the round".into())),
                    Found::Nothing,
                )
            }
            Outcome::Flagged(flagged) => {
                if let Showing::Next(shown) | Showing::Asked(shown) = &mut self.showing {
                    shown.card.flagged = flagged;
                }
                let says = if flagged { "flagged for a second look" } else { "the flag is off" };
                (Some(Notice::good(says.into())), Found::Nothing)
            }
            Outcome::Noted => (Some(Notice::good("the note is saved".into())), Found::Nothing),
            Outcome::Turned { what, card } => {
                self.last = None;
                let case = what.case.map(|case| format!(" on case {case}")).unwrap_or_default();
                let says = if what.back { "took back" } else { "put back" };
                let notice = Notice::good(format!("{says}: {}{case}", what.what));
                (Some(notice), card.map_or(Found::Nothing, Found::Card))
            }
            Outcome::NothingToTurn => {
                (Some(Notice::quiet("there is nothing to take back or put back".into())), Found::Nothing)
            }
            Outcome::Found(card) => (None, Found::Card(card)),
            Outcome::NotFound => (
                Some(Notice::quiet("no such case waits for you, and you have answered none".into())),
                Found::Nothing,
            ),
            Outcome::AtTheEnd => (None, Found::End),
            // The screen of agreement takes it before it comes here.
            Outcome::Disputed(_) => (None, Found::Nothing),
        }
    }

    /// Takes what comes next. The case that is being read stays, unless it is not this person's any more.
    fn look_ahead(&mut self, window: Window) {
        let Window { cards, why, place, lack } = window;
        self.place = place;
        self.lack = lack;
        self.ahead = cards;
        let first = self.ahead.first().map(|card| card.shown.case);
        match (&mut self.showing, why) {
            (Showing::Asked(shown), _) if first != Some(shown.card.shown.case) => {}
            (Showing::Next(shown), _) if first == Some(shown.card.shown.case) => {
                if let Some(card) = self.ahead.first() {
                    shown.card = card.clone();
                }
            }
            (_, Some(why)) => self.show(Showing::None(why)),
            (_, None) => self.show_next(),
        }
    }

    /// The note of the case on the screen was changed by the editor.
    pub fn note_changed(&mut self, draft: Option<String>, note: Option<String>) {
        if let Showing::Next(shown) | Showing::Asked(shown) = &mut self.showing {
            shown.card.draft = draft;
            if note.is_some() {
                shown.card.note = note;
            }
        }
    }

    /// Scrolls by lines; the view keeps it within the text.
    pub fn scroll_by(&mut self, lines: i32) {
        self.scroll = self.scroll.saturating_add_signed(lines as isize);
    }

    /// The tone of the line on what was done last.
    pub fn tone(&self) -> Tone {
        if self.pending.is_some() { Tone::Warning } else { Tone::Good }
    }
}

enum Found {
    Nothing,
    Card(Box<Card>),
    End,
}
