//! What a screen is. The bar, the help, the settings file, the keys and the reading of pages follow from the list in `screens/mod.rs`.
//!
//! A screen draws and asks; it reads no file and starts no thread. What it shows of the project and the jobs it borrows from [`Shared`] when it
//! draws; its own is what the desk answered it, and where the person is in that.

use std::time::Instant;

use ratatui::Frame;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::Rect;

use super::effect::Effect;
use super::hits::{Target, WHEEL};
use super::keys::{Action, ActionInfo, Stroke};
use super::message::Message;
use super::shared::Shared;
use super::widgets::frame::{Look, Notice};
use super::widgets::outcome::Written;
use super::widgets::popup::Popup;
use crate::desk::jobs::JobKind;
use crate::domain::answer::SaidLabels;
use crate::domain::ids::{CaseId, ItemId};

/// How a screen stands in the bar, in the help and in the settings file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tab {
    /// In the bar.
    pub title: &'static str,
    /// In the settings file.
    pub name: &'static str,
    /// The keys that open it.
    pub keys: &'static [&'static str],
    /// What it shows, for the help.
    pub help: &'static str,
}

impl Tab {
    /// The action that opens the screen.
    pub const fn action(&self) -> Action {
        Action::Show(self.name)
    }

    pub const fn info(&self) -> ActionInfo {
        ActionInfo { action: self.action(), name: self.name, help: self.help, keys: self.keys }
    }
}

/// What is to be done after a screen has taken something.
#[derive(Debug)]
pub(super) enum Then {
    /// Carry this out.
    Do(Effect),
    /// Tell the person.
    Say(Notice),
    /// Lay this over the screen.
    Open(Popup),
    /// Go back to the first screen.
    Home,
    /// Start these jobs, if nothing speaks against it.
    Start(Vec<JobKind>),
    /// Start what opens the next round; ask first while cases of this one are left.
    GoOn(Vec<JobKind>),
}

impl From<Effect> for Then {
    fn from(effect: Effect) -> Self {
        Self::Do(effect)
    }
}

impl From<Notice> for Then {
    fn from(notice: Notice) -> Self {
        Self::Say(notice)
    }
}

/// What becomes of a message that a screen is offered.
#[derive(Debug)]
pub(super) enum Received {
    /// It was for this screen.
    Taken(Vec<Then>),
    /// It is for another.
    NotMine(Message),
}

/// A key as it was pressed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pressed<'a> {
    pub event: &'a KeyEvent,
    /// None for keys that nothing can be bound to.
    pub stroke: Option<Stroke>,
}

/// Where the person is when a screen is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    FromAnotherScreen,
    /// Its key was pressed while it was in view.
    AlreadyHere,
}

/// What a screen draws with.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    pub shared: &'a Shared,
    pub notice: Option<&'a Notice>,
    pub look: Look<'a>,
}

/// A screen. Only the one in view gets keys, moments and drawings; messages are offered to all.
pub(super) trait Screen: std::fmt::Debug {
    /// Draws it. Only where the person is in what is shown may change.
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>);

    /// Takes an action that means the same nowhere else: what moves, what opens, what is its own.
    fn act(&mut self, action: Action, shared: &Shared) -> Vec<Then>;

    /// The actions that the help lists for this screen and not for those that do not have them.
    fn own_actions(&self) -> &'static [Action] {
        &[]
    }

    /// Other actions that open it, each with something of its own, as `search` does.
    fn also_opened_by(&self) -> &'static [Action] {
        &[]
    }

    /// What the help says before the actions: a key or what can be typed, and what it does.
    fn help(&self, _shared: &Shared) -> Vec<(String, String)> {
        Vec::new()
    }

    /// It comes into view by this action. By default it only asks for what it shows.
    fn enter(&mut self, _by: Action, _arrival: Arrival) -> Vec<Then> {
        self.refresh()
    }

    /// The case that the action `jump` leads to without asking for its number.
    fn case_here(&self) -> Option<CaseId> {
        None
    }

    /// Whether a line is being typed in it.
    fn is_typing(&self) -> bool {
        false
    }

    /// What was done with this text was undone or redone while it is in view.
    fn reverted(&mut self, _item: ItemId) {}

    /// What it shows may have changed, and it is in view.
    fn refresh(&mut self) -> Vec<Then> {
        Vec::new()
    }

    /// Takes a key before it is looked up among the actions; none where it is not for this screen.
    fn key(&mut self, _key: Pressed<'_>, _shared: &Shared, _now: Instant) -> Option<Vec<Then>> {
        None
    }

    /// Takes a click on something that it drew.
    fn click(&mut self, _target: Target, _shared: &Shared, _now: Instant) -> Vec<Then> {
        Vec::new()
    }

    /// The wheel was turned up or down over something; by default it moves as three presses of that key do.
    fn wheel(&mut self, way: Action, _over: Option<Target>, shared: &Shared) -> Vec<Then> {
        (0..WHEEL).flat_map(|_| self.act(way, shared)).collect()
    }

    /// Takes pasted text; none where it has no place for it.
    fn paste(&mut self, _text: &str) -> Option<Vec<Then>> {
        None
    }

    /// Takes what was written in a popup that it opened.
    fn written(&mut self, _written: Written) -> Vec<Then> {
        Vec::new()
    }

    /// Takes the label that was found by its name in a popup that it opened, or all that were chosen there where a text may have several.
    fn labels_found(&mut self, _labels: &SaidLabels, _shared: &Shared, _now: Instant) -> Vec<Then> {
        Vec::new()
    }

    /// These labels are ticked now in the popup that it opened, which stays.
    fn labels_ticked(&mut self, _labels: &SaidLabels, _shared: &Shared, _now: Instant) {}

    /// It is not on the terminal: a frame was drawn without it.
    fn hidden(&mut self) {}

    /// A popup lies over it in the last frame.
    fn covered(&mut self) {}

    /// Takes a message, where it is for this screen.
    fn receive(&mut self, message: Message, _shared: &Shared, _now: Instant) -> Received {
        Received::NotMine(message)
    }

    /// It has been drawn, and nothing lies over it.
    fn drawn(&mut self, _now: Instant) -> Vec<Effect> {
        Vec::new()
    }

    /// When to call [`Screen::tick`], where something waits.
    fn deadline(&self) -> Option<Instant> {
        None
    }

    /// Time has passed.
    fn tick(&mut self, _shared: &Shared, _now: Instant) -> Vec<Effect> {
        Vec::new()
    }

    /// The program ends: what must still reach the desk.
    fn leave(&mut self) -> Vec<Effect> {
        Vec::new()
    }
}
