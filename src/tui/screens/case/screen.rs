//! The case in view: which one, whether a label key counts for it, and what was done last.

use std::collections::HashMap;
use std::time::Instant;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEventKind};
use ratatui::layout::Rect;

use super::attention::{Attention, Press, Verdict};
use super::drafts::Drafts;
use super::found::Found;
use super::in_view::{InView, Seen};
use super::panes::Panes;
use super::shown::Shown;
use crate::desk::request::{Outcome, Request};
use crate::desk::session::Remarks;
use crate::desk::shown::{Card, NoCase, Reveal};
use crate::domain::answer::SaidLabels;
use crate::domain::ids::CaseId;
use crate::domain::label_set::NONE;
use crate::domain::task::key_beside;
use crate::tui::effect::Effect;
use crate::tui::hits::Target;
use crate::tui::keys::Action;
use crate::tui::message::Message;
use crate::tui::screen::{Arrival, Pressed, Received, Screen, Then, View};
use crate::tui::shared::Shared;
use crate::tui::widgets::frame::{Notice, Tone};
use crate::tui::widgets::outcome::{Subject, Written};
use crate::tui::widgets::popup::{Field, Popup};

/// How sure an expert can be, from 1.
pub(super) const CONFIDENCES: [&str; 3] = ["unsure", "fairly sure", "sure"];

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

/// The answer given last.
#[derive(Debug)]
pub(super) struct Answered {
    pub label: String,
    pub key: Option<char>,
    pub case: CaseId,
    pub changed: bool,
    pub reveal: Option<Reveal>,
    /// Whether that was known of the case before the answer.
    pub told: bool,
}

/// What is being saved.
#[derive(Debug)]
pub(super) enum Pending {
    Answer { shown: Box<Shown>, labels: SaidLabels, key: Option<char> },
    Other,
}

#[derive(Debug, Default)]
pub(in crate::tui) struct CaseScreen {
    pub(super) showing: Showing,
    pub(super) last: Option<Answered>,
    pub(super) confidence: Option<u8>,
    /// Whether the guideline is shown.
    pub(super) guideline: bool,
    pub(super) panes: Panes,
    /// What the last frame lets the person answer.
    pub(super) in_view: InView,
    /// What was looked for in the text.
    pub(super) found: Option<Found>,
    /// The case for which a label is being looked for, and the one that a note is written on.
    pub(super) finding: Option<Seen>,
    noting: Option<Seen>,
    /// Where a text may have several labels: those that are chosen for the case in view, and whether enter was pressed in the list to give them.
    pub(super) chosen: Vec<String>,
    pub(super) gives: bool,
    /// What could not be saved of this case.
    pub(super) unsaved: Option<(CaseId, SaidLabels)>,
    /// How often each label was given here, by name.
    pub(super) uses: HashMap<String, usize>,
    pub(super) attention: Attention,
    pub(super) ahead: Vec<Card>,
    pub(super) pending: Option<Pending>,
    /// Since when the case is in view.
    pub(super) since: Option<Instant>,
    pub(super) drafts: Drafts,
}

impl Screen for CaseScreen {
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        self.render(frame, area, view);
    }

    fn own_actions(&self) -> &'static [Action] {
        use Action::{
            Confidence, Earlier, Find, Flag, Guideline, Jump, Later, Note, OtherText, Redo, Skip, Undo,
        };
        &[Undo, Redo, Skip, Flag, Note, Confidence, Guideline, Earlier, Later, Jump, Find, OtherText]
    }

    fn help(&self, shared: &Shared) -> Vec<(String, String)> {
        let with_keys = shared.about.task.labels.iter().filter_map(|label| Some((label.key?, &label.name)));
        let is_several = shared.about.task.kind.is_several();
        let does = if is_several { "put in or take out" } else { "label" };
        let mut lines: Vec<(String, String)> =
            with_keys.map(|(key, name)| (key.to_string(), format!("{does}: {name}"))).collect();
        if is_several {
            lines.extend(super::choosing::help(&shared.about.task));
        } else {
            lines.push(("enter".into(), "label: find one by a part of its name".into()));
        }
        lines
    }

    fn enter(&mut self, _: Action, arrival: Arrival) -> Vec<Then> {
        match arrival {
            Arrival::FromAnotherScreen => {
                self.hidden();
                Vec::new()
            }
            Arrival::AlreadyHere => self.do_to_case(Action::Back),
        }
    }

    fn key(&mut self, key: Pressed<'_>, shared: &Shared, now: Instant) -> Option<Vec<Then>> {
        let task = &shared.about.task;
        if task.kind.is_several() && key.event.code == KeyCode::Enter && self.shown().is_some() {
            return Some(self.label_key(Press::Enter, key.event.kind == KeyEventKind::Repeat, shared, now));
        }
        let c = key.stroke?.character()?;
        task.labels.iter().find(|label| label.key == Some(c))?;
        Some(self.label_key(Press::Key(c), key.event.kind == KeyEventKind::Repeat, shared, now))
    }

    fn click(&mut self, target: Target, shared: &Shared, now: Instant) -> Vec<Then> {
        let task = &shared.about.task;
        match target {
            Target::Label(at) => {
                Press::click(at, task).map_or(Vec::new(), |press| self.label_key(press, false, shared, now))
            }
            Target::Save => self.label_key(Press::Save, false, shared, now),
            _ => Vec::new(),
        }
    }

    fn wheel(&mut self, way: Action, over: Option<Target>, _: &Shared) -> Vec<Then> {
        self.panes.turn(way, over);
        Vec::new()
    }

    fn act(&mut self, action: Action, shared: &Shared) -> Vec<Then> {
        if self.panes.scroll(action) {
            return Vec::new();
        }
        let needs_case = matches!(
            action,
            Action::Skip
                | Action::Flag
                | Action::Note
                | Action::Find
                | Action::Guideline
                | Action::OtherText
                | Action::Confidence
        );
        if needs_case && matches!(self.showing, Showing::None(_)) {
            return vec![Notice::quiet("There is no case to do this with now.".into()).into()];
        }
        match (action, self.shown()) {
            (Action::Note, Some(shown)) => {
                let card = &shown.card;
                let Some(seen) = self.in_view.seen(card.shown.case) else { return not_in_view() };
                let before = card.draft.as_ref().or(card.note.as_ref()).map_or("", String::as_str);
                let popup = Popup::editor(Subject::Note(seen.case()), before);
                self.noting = Some(seen);
                vec![Then::Open(popup)]
            }
            (Action::Open, Some(_)) => self.open_list(shared),
            (Action::Find, Some(_)) => vec![Then::Open(Popup::field(Field::Word))],
            (Action::OtherText, _) => {
                self.panes.choose_other();
                Vec::new()
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
                let Some(seen) = self.noting.take().filter(|seen| seen.case() == case) else {
                    return not_in_view();
                };
                self.drafts.waiting = None;
                self.note_changed(None, Some(text.clone()));
                asks(seen.note(text))
            }
            Written::Word(word) => self.find(&word),
            _ => Vec::new(),
        }
    }

    fn receive(&mut self, message: Message, _: &Shared, now: Instant) -> Received {
        match message {
            Message::CursorReported(nonce) => self.attention.answered(nonce, now),
            Message::CursorUnknown => self.attention.unanswered(now),
            Message::Session(response)
                if !matches!(response.outcome, Ok(Outcome::Dispute(_) | Outcome::LabelledFound(_))) =>
            {
                return Received::Taken(self.take_response(*response));
            }
            other => return Received::NotMine(other),
        }
        Received::Taken(Vec::new())
    }

    fn drawn(&mut self, now: Instant) -> Vec<Effect> {
        if !self.in_view.any() {
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
        let effect = |then| match then {
            Then::Do(effect) => Some(effect),
            _ => None,
        };
        self.pressed(key, shared, now).into_iter().filter_map(effect).collect()
    }

    fn labels_ticked(&mut self, labels: &SaidLabels, _: &Shared, now: Instant) {
        self.ticked(labels, now);
    }

    fn labels_found(&mut self, labels: &SaidLabels, shared: &Shared, now: Instant) -> Vec<Then> {
        let for_case = self.finding.take().map(Seen::case);
        if for_case.is_none() || for_case != self.shown().map(|shown| shown.card.shown.case) {
            return warns("Nothing was labelled: another case is on the screen now.");
        }
        if self.pending.is_some() {
            return warns("Not yet: the last answer is still being saved.");
        }
        if !self.attention.seen(now) {
            return warns("Nothing was labelled: this case was not on your screen yet.");
        }
        let task = &shared.about.task;
        if task.places_of(&labels.0).len() != labels.0.len() {
            return warns("Nothing was labelled: the labels of the task were changed.");
        }
        if task.kind.is_several() {
            return self.give_ticked(labels, shared, now);
        }
        let key = labels.0.first().and_then(|name| task.labels.iter().find(|label| label.name == *name)?.key);
        self.give(labels.clone(), key, now).map_or_else(not_in_view, |effect| vec![effect.into()])
    }

    fn hidden(&mut self) {
        self.in_view.nothing();
        self.attention.another_case();
    }

    fn covered(&mut self) {
        self.in_view.covered();
    }

    /// A draft that still waits is sent to the desk first.
    fn leave(&mut self) -> Vec<Effect> {
        self.drafts.waiting.take().map(Effect::Session).into_iter().collect()
    }
}

/// A label's name, with its key where it has one that is not its name.
pub(super) fn with_key(label: &str, key: Option<char>) -> String {
    key_beside(label, key).map_or_else(|| label.to_owned(), |key| format!("{label} ({key})"))
}

/// Labels that are given, as a person reads them.
fn in_words(labels: &SaidLabels) -> String {
    if labels.0.is_empty() { NONE.to_owned() } else { labels.in_words() }
}

pub(super) fn asks(request: Request) -> Vec<Then> {
    vec![Effect::Session(request).into()]
}

/// Why a key does nothing.
pub(super) fn not_in_view() -> Vec<Then> {
    warns("Nothing was done: this case is not on your screen.")
}

pub(super) fn warns(says: &str) -> Vec<Then> {
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
            Some(Pending::Answer { labels, key, shown }) => {
                Some(format!("saving: {}, case {}", with_key(&in_words(labels), *key), shown.card.shown.case))
            }
            Some(Pending::Other) => Some("saving".into()),
            None => None,
        }
    }

    /// The tone of the line on what was done last.
    pub(super) fn tone(&self) -> Tone {
        if self.pending.is_some() { Tone::Warning } else { Tone::Good }
    }

    pub(super) fn show(&mut self, showing: Showing) {
        self.showing = showing;
        self.choose_anew();
        self.panes = Panes::default();
        self.found = None;
        self.in_view.another_case();
        self.since = None;
        self.attention.another_case();
    }

    /// Shows the first of the cases at hand; waits where there is none.
    pub(super) fn show_next(&mut self) {
        let next =
            self.ahead.first().cloned().map_or(Showing::Waiting, |card| Showing::Next(Shown::new(card)));
        self.show(next);
    }

    fn label_key(&mut self, key: Press, repeat: bool, shared: &Shared, now: Instant) -> Vec<Then> {
        if self.shown().is_none() {
            // If the last window could not be read, as on a full disk, this requests it again.
            let waits = matches!(self.showing, Showing::Waiting) && self.pending.is_none();
            let notice = Notice::quiet(match key {
                Press::Key(key) => format!("'{key}' is a label's key, and there is no case here"),
                Press::Click(_) | Press::Enter | Press::Save => "There is no case here.".to_owned(),
            });
            let mut then = if waits { asks(Request::Window) } else { Vec::new() };
            then.push(notice.into());
            return then;
        }
        let verdict = self.attention.label_key(key, repeat, now);
        if self.pending.is_some() && verdict != Verdict::Held {
            return warns(&format!("{key} was dropped: the last answer is still being saved"));
        }
        match verdict {
            Verdict::Counts => self.pressed(key, shared, now),
            // To open the list puts nothing on record: it need not be told from a key that is held down.
            Verdict::Wait(_) if key == Press::Enter && super::choosing::needs_list(&shared.about.task) => {
                self.open_list(shared)
            }
            Verdict::Wait(_) => Vec::new(),
            Verdict::Held => warns(&format!("{key} is held down: it counted once")),
            Verdict::TooEarly => warns(&format!("{key} was dropped: this case was not on your screen yet")),
        }
    }

    /// A key or a click that counts: it gives its label; of several it puts it in or takes it out.
    fn pressed(&mut self, press: Press, shared: &Shared, now: Instant) -> Vec<Then> {
        let task = &shared.about.task;
        if task.kind.is_several() {
            return self.press_of_several(press, shared, now);
        }
        let label = press.label(task).map(|label| (SaidLabels::from(&label.name), label.key));
        let effect = label.and_then(|(label, key)| self.give(label, key, now));
        effect.map_or_else(not_in_view, |effect| vec![effect.into()])
    }

    /// Looks for a label by its name.
    pub(super) fn open_list(&mut self, shared: &Shared) -> Vec<Then> {
        let seen = self.shown().and_then(|shown| self.in_view.seen(shown.card.shown.case));
        let Some(seen) = seen else { return not_in_view() };
        self.finding = Some(seen);
        let (task, uses) = (&shared.about.task, self.all_uses(shared));
        vec![Then::Open(match task.kind.is_several() {
            true => Popup::several(&task.labels, &uses, task.places_of(&self.chosen)),
            false => Popup::labels(&task.labels, &uses),
        })]
    }

    /// Answers the case in view.
    pub(super) fn give(&mut self, labels: SaidLabels, key: Option<char>, now: Instant) -> Option<Effect> {
        let seen = self.in_view.seen(self.shown()?.card.shown.case)?;
        let duration_ms = self.since.map(|since| now.duration_since(since).as_millis() as i64);
        let (shown, was_next) = match std::mem::replace(&mut self.showing, Showing::Waiting) {
            Showing::Next(shown) => (shown, true),
            Showing::Asked(shown) => (shown, false),
            other => {
                self.showing = other;
                return None;
            }
        };
        let remarks = Remarks { note: None, confidence: self.confidence.take(), duration_ms };
        self.pending = Some(Pending::Answer { shown, labels: labels.clone(), key });
        if was_next && !self.ahead.is_empty() {
            self.ahead.remove(0);
        }
        self.show_next();
        Some(Effect::Session(seen.answer(labels, remarks)))
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
            (Action::Back, _) if self.found.take().is_some() => return Vec::new(),
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
            (Action::Skip | Action::Flag, Some(case)) => match (self.in_view.seen(case), action) {
                (Some(seen), Action::Skip) => seen.skip(),
                (Some(seen), _) => seen.flag(),
                (None, _) => return not_in_view(),
            },
            _ => return Vec::new(),
        };
        if self.pending.is_some() {
            return warns("Not yet: the last answer is still being saved.");
        }
        self.pending = Some(Pending::Other);
        asks(request)
    }

    /// How often the person has given each label, before and since the program was opened.
    fn all_uses(&self, shared: &Shared) -> HashMap<String, usize> {
        let mut uses = shared.about.label_uses.clone();
        for (label, times) in &self.uses {
            *uses.entry(label.clone()).or_default() += times;
        }
        uses
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
