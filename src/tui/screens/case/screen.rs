//! The case in view: which one, whether a label key counts for it, and what was done last.

use std::time::Instant;

use ratatui::Frame;
use ratatui::crossterm::event::KeyEventKind;
use ratatui::layout::Rect;

use super::attention::{Attention, Verdict};
use super::drafts::Drafts;
use crate::desk::request::{Outcome, Request, Response, Window};
use crate::desk::session::Remarks;
use crate::desk::shown::{Card, NoCase, Reveal};
use crate::domain::fault::Result;
use crate::domain::ids::CaseId;
use crate::domain::task::Task;
use crate::tui::effect::Effect;
use crate::tui::keys::Action;
use crate::tui::message::Message;
use crate::tui::screen::{Arrival, Pressed, Received, Screen, Then, View};
use crate::tui::shared::Shared;
use crate::tui::widgets::frame::{Notice, Tone};
use crate::tui::widgets::popup::{Popup, Subject, Written};
use crate::tui::widgets::scroll::moved;
use crate::tui::widgets::text_layout::{differences, drawable};

/// How sure an expert can be, from 1.
pub(super) const CONFIDENCES: [&str; 3] = ["unsure", "fairly sure", "sure"];
/// Lines that a page's key scrolls.
const PAGE: usize = 10;

/// What is shown in the place of the case.
#[derive(Debug, Default)]
pub(super) enum Showing {
    /// The desk has not said yet.
    #[default]
    Waiting,
    /// The next case.
    Next(Box<Shown>),
    /// A case that was requested, usually one answered before.
    Asked(Box<Shown>),
    None(NoCase),
}

/// A case, ready to be drawn.
#[derive(Debug)]
pub(super) struct Shown {
    pub card: Card,
    /// Its text and that of its partner, sanitized.
    pub text: String,
    pub partner: Option<String>,
    /// The ranges in which each differs from the other.
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
pub(super) struct Answered {
    pub label: String,
    pub key: char,
    pub case: CaseId,
    pub changed: bool,
    pub reveal: Option<Reveal>,
}

/// What is being saved.
#[derive(Debug)]
enum Pending {
    Answer { shown: Box<Shown>, label: String, key: char },
    Other,
}

/// What the person sees once a response is taken.
enum Turn {
    Stays,
    To(Box<Card>),
    ToNext,
}

#[derive(Debug, Default)]
pub(in crate::tui) struct CaseScreen {
    pub(super) showing: Showing,
    pub(super) last: Option<Answered>,
    pub(super) confidence: Option<u8>,
    /// Whether the guideline is shown.
    pub(super) guideline: bool,
    pub(super) scroll: usize,
    attention: Attention,
    ahead: Vec<Card>,
    pending: Option<Pending>,
    /// Since when the case is in view.
    since: Option<Instant>,
    drafts: Drafts,
}

impl Screen for CaseScreen {
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        self.render(frame, area, view);
    }

    fn own_actions(&self) -> &'static [Action] {
        use Action::{Confidence, Earlier, Flag, Guideline, Jump, Later, Note, Redo, Skip, Undo};
        &[Undo, Redo, Skip, Flag, Note, Confidence, Guideline, Earlier, Later, Jump]
    }

    fn help(&self, shared: &Shared) -> Vec<(String, String)> {
        shared.about.task.labels.iter().map(|l| (l.key.to_string(), format!("label: {}", l.name))).collect()
    }

    fn enter(&mut self, _: Action, arrival: Arrival) -> Vec<Then> {
        match arrival {
            Arrival::FromAnotherScreen => {
                self.attention.another_case();
                Vec::new()
            }
            Arrival::AlreadyHere => self.do_to_case(Action::Back),
        }
    }

    fn key(&mut self, key: Pressed<'_>, shared: &Shared, now: Instant) -> Option<Vec<Then>> {
        let c = key.stroke?.character()?;
        let task = &shared.about.task;
        task.labels.iter().find(|label| label.key == c)?;
        Some(self.label_key(c, key.event.kind == KeyEventKind::Repeat, task, now))
    }

    fn act(&mut self, action: Action, shared: &Shared) -> Vec<Then> {
        if let Some(to) = moved(self.scroll, action, PAGE) {
            self.scroll = to;
            return Vec::new();
        }
        match (action, self.shown()) {
            (Action::Note, Some(shown)) => {
                let card = &shown.card;
                let before = card.draft.as_ref().or(card.note.as_ref()).map_or("", String::as_str);
                vec![Then::Open(Popup::editor(Subject::Note(card.shown.case), before))]
            }
            (Action::Open, None) => vec![Then::Start(shared.next_jobs())],
            _ => self.do_to_case(action),
        }
    }

    fn written(&mut self, written: Written) -> Vec<Then> {
        match written {
            Written::Draft(case, text) => {
                self.note_changed(Some(text.clone()).filter(|t| !t.is_empty()), None);
                self.drafts.waiting = Some(Request::Draft(case, text));
                self.drafts.send_next().into_iter().map(Then::Do).collect()
            }
            Written::Text(Subject::Note(case), text) if !text.trim().is_empty() => {
                self.drafts.waiting = None;
                self.note_changed(None, Some(text.clone()));
                asks(Request::Note(case, text))
            }
            _ => Vec::new(),
        }
    }

    fn receive(&mut self, message: Message, _: &Shared, now: Instant) -> Received {
        match message {
            Message::CursorReported(nonce) => self.attention.answered(nonce, now),
            Message::CursorUnknown => self.attention.unanswered(now),
            Message::Session(response) if !matches!(response.outcome, Ok(Outcome::Dispute(_))) => {
                return Received::Taken(self.take_response(*response));
            }
            other => return Received::NotMine(other),
        }
        Received::Taken(Vec::new())
    }

    fn drawn(&mut self, now: Instant) -> Vec<Effect> {
        if self.shown().is_none() {
            return Vec::new();
        }
        self.since.get_or_insert(now);
        self.attention.drawn(now).map(Effect::AskCursor).into_iter().collect()
    }

    fn deadline(&self) -> Option<Instant> {
        self.attention.deadline()
    }

    fn tick(&mut self, shared: &Shared, now: Instant) -> Vec<Effect> {
        let Some(key) = self.attention.waited(now) else { return Vec::new() };
        if self.pending.is_some() {
            return Vec::new();
        }
        self.label(key, &shared.about.task, now).into_iter().collect()
    }

    /// A draft that still waits is sent to the desk first.
    fn leave(&mut self) -> Vec<Effect> {
        self.drafts.waiting.take().map(Effect::Session).into_iter().collect()
    }
}

fn asks(request: Request) -> Vec<Then> {
    vec![Effect::Session(request).into()]
}

fn warns(says: &str) -> Vec<Then> {
    vec![Notice::warning(says.into()).into()]
}

impl CaseScreen {
    /// The case that can be seen.
    pub(super) fn shown(&self) -> Option<&Shown> {
        match &self.showing {
            Showing::Next(shown) | Showing::Asked(shown) => Some(shown),
            Showing::Waiting | Showing::None(_) => None,
        }
    }

    /// What is being saved, in words; none when all is on disk.
    pub(super) fn saving(&self) -> Option<String> {
        match &self.pending {
            Some(Pending::Answer { label, key, shown }) => {
                Some(format!("saving: {label} ({key}), case {}", shown.card.shown.case))
            }
            Some(Pending::Other) => Some("saving".into()),
            None => None,
        }
    }

    /// The tone of the line on what was done last.
    pub(super) fn tone(&self) -> Tone {
        if self.pending.is_some() { Tone::Warning } else { Tone::Good }
    }

    fn show(&mut self, showing: Showing) {
        self.showing = showing;
        self.scroll = 0;
        self.since = None;
        self.attention.another_case();
    }

    /// Shows the first of the cases at hand; waits where there is none.
    fn show_next(&mut self) {
        let next =
            self.ahead.first().cloned().map_or(Showing::Waiting, |card| Showing::Next(Shown::new(card)));
        self.show(next);
    }

    fn label_key(&mut self, key: char, repeat: bool, task: &Task, now: Instant) -> Vec<Then> {
        if self.shown().is_none() {
            // If the last window could not be read, as on a full disk, this requests it again.
            let waits = matches!(self.showing, Showing::Waiting) && self.pending.is_none();
            let notice = Notice::quiet(format!("'{key}' is a label's key, and there is no case here"));
            let mut then = if waits { asks(Request::Window) } else { Vec::new() };
            then.push(notice.into());
            return then;
        }
        let verdict = self.attention.label_key(key, repeat, now);
        if self.pending.is_some() && verdict != Verdict::Held {
            return warns(&format!("'{key}' was dropped: the last answer is still being saved"));
        }
        match verdict {
            Verdict::Counts => self.label(key, task, now).into_iter().map(Then::Do).collect(),
            Verdict::Wait(_) => Vec::new(),
            Verdict::Held => warns(&format!("'{key}' is held down: it counted once")),
            Verdict::TooEarly => warns(&format!("'{key}' was dropped: this case was not on your screen yet")),
        }
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
        Some(Effect::Session(Request::Answer { case, label, remarks }))
    }

    /// Anything but a label that a person does with a case.
    fn do_to_case(&mut self, action: Action) -> Vec<Then> {
        let shown = self.shown().map(|s| s.card.shown.case);
        let asked = matches!(self.showing, Showing::Asked(_));
        let request = match (action, shown) {
            (Action::Guideline, _) => {
                self.guideline = !self.guideline;
                return Vec::new();
            }
            (Action::Confidence, _) => {
                self.confidence = match self.confidence {
                    None => Some(1),
                    Some(3) => None,
                    Some(n) => Some(n + 1),
                };
                return Vec::new();
            }
            (Action::Back, _) if asked => {
                self.show_next();
                return asks(Request::Window);
            }
            // Looking at cases changes nothing, so it need not wait.
            (Action::Earlier, _) => return asks(Request::Earlier(shown.filter(|_| asked))),
            (Action::Later, Some(case)) if asked => return asks(Request::Later(case)),
            (Action::Later, _) => return vec![Notice::quiet("This is the newest case.".into()).into()],
            (Action::Undo, _) => Request::Undo,
            (Action::Redo, _) => Request::Redo,
            (Action::Skip, Some(_)) if self.shown().is_some_and(|s| s.card.label.is_some()) => {
                return warns("You have answered this case. Give it another label, or undo the answer.");
            }
            (Action::Skip, Some(case)) => Request::Skip(case),
            (Action::Flag, Some(case)) => Request::Flag(case),
            _ => return Vec::new(),
        };
        if self.pending.is_some() {
            return warns("Not yet: the last answer is still being saved.");
        }
        self.pending = Some(Pending::Other);
        asks(request)
    }

    fn take_response(&mut self, response: Response) -> Vec<Then> {
        let drafted = matches!(response.outcome, Ok(Outcome::Drafted));
        let (notice, turn) = self.take_outcome(response.outcome);
        let mut failed = None;
        match response.window {
            Ok(Some(window)) => self.look_ahead(window),
            Ok(None) => {}
            Err(fault) => failed = Some(Notice::bad(fault.to_string())),
        }
        match turn {
            Turn::Stays => {}
            Turn::To(card) => {
                let is_next = self.ahead.first().is_some_and(|next| next.shown.case == card.shown.case);
                let shown = Shown::new(*card);
                self.show(if is_next { Showing::Next(shown) } else { Showing::Asked(shown) });
            }
            Turn::ToNext => self.show_next(),
        }
        let mut then: Vec<Then> = notice.or(failed).map(Then::Say).into_iter().collect();
        if drafted {
            self.drafts.under_way = false;
            then.extend(self.drafts.send_next().into_iter().map(Then::Do));
        }
        then
    }

    fn take_outcome(&mut self, outcome: Result<Outcome>) -> (Option<Notice>, Turn) {
        let changes_nothing = matches!(outcome, Ok(Outcome::Drafted | Outcome::Looked));
        let pending = if changes_nothing { None } else { self.pending.take() };
        let outcome = match (outcome, pending) {
            (Ok(Outcome::Answered { saved, reveal }), Some(Pending::Answer { shown, label, key })) => {
                let case = shown.card.shown.case;
                self.last = Some(Answered { label, key, case, changed: saved.changed, reveal });
                return (None, Turn::Stays);
            }
            // Nothing was saved: the case is there again.
            (Err(fault), Some(Pending::Answer { shown, .. })) => {
                return (Some(Notice::bad(fault.to_string())), Turn::To(Box::new(shown.card)));
            }
            (Err(fault), _) => return (Some(Notice::bad(fault.to_string())), Turn::Stays),
            (Ok(outcome), _) => outcome,
        };
        let good = |says: &str| (Some(Notice::good(says.into())), Turn::Stays);
        let quiet = |says: &str| (Some(Notice::quiet(says.into())), Turn::Stays);
        match outcome {
            // The Agree screen takes what is said of disagreements.
            Outcome::Looked | Outcome::Drafted | Outcome::Answered { .. } | Outcome::Dispute(_) => {
                (None, Turn::Stays)
            }
            Outcome::Skipped => {
                self.last = None;
                good("Skipped: this case comes back once, at the end of the round.")
            }
            Outcome::Flagged(flagged) => {
                if let Showing::Next(shown) | Showing::Asked(shown) = &mut self.showing {
                    shown.card.flagged = flagged;
                }
                good(if flagged { "Flagged for a second look." } else { "The flag is removed." })
            }
            Outcome::Noted => good("The note is saved."),
            Outcome::Reverted { what, card } => {
                self.last = None;
                let case = what.case.map(|case| format!(" on case {case}")).unwrap_or_default();
                let says = if what.back { "undone" } else { "redone" };
                let notice = Notice::good(format!("{says}: {}{case}", what.what));
                (Some(notice), card.map_or(Turn::Stays, Turn::To))
            }
            Outcome::NothingToUndo => quiet("Nothing to undo."),
            Outcome::NothingToRedo => quiet("Nothing to redo."),
            Outcome::Found(card) => (None, Turn::To(card)),
            Outcome::NoSuchCase(case) if case.0 == i64::MAX => quiet("You have no case of that number."),
            Outcome::NoSuchCase(case) => quiet(&format!("You have no case {case}.")),
            Outcome::AtTheStart => quiet("There is no earlier case of yours."),
            Outcome::AtTheEnd => (None, Turn::ToNext),
        }
    }

    /// Takes the next cases. The case being read stays, unless it is no longer this person's.
    fn look_ahead(&mut self, window: Window) {
        let Window { cards, why, .. } = window;
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

    /// The note of the case in view was changed in the editor.
    fn note_changed(&mut self, draft: Option<String>, note: Option<String>) {
        if let Showing::Next(shown) | Showing::Asked(shown) = &mut self.showing {
            shown.card.draft = draft;
            if note.is_some() {
                shown.card.note = note;
            }
        }
    }
}
