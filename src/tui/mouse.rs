//! What a click and the wheel do. A click on a label answers as its key would, and only where the key would be taken: what is below a popup, not
//! drawn, or has only just moved there is not answered.

use std::time::Instant;

use ratatui::crossterm::event::{MouseButton, MouseEvent, MouseEventKind};

use super::app::App;
use super::effect::Effect;
use super::hits::Target;
use super::keys::Action;
use super::terminal::Mouse;
use super::widgets::frame::Notice;

impl App {
    pub(super) fn mouse(&mut self, mouse: MouseEvent, now: Instant) -> Vec<Effect> {
        if self.is_too_small || self.settings.mouse == Mouse::Left {
            return Vec::new();
        }
        let target = self.hits.at(mouse.column, mouse.row);
        match (mouse.kind, target) {
            (MouseEventKind::ScrollUp, target) => self.wheel(Action::Up, target, now),
            (MouseEventKind::ScrollDown, target) => self.wheel(Action::Down, target, now),
            (MouseEventKind::Down(MouseButton::Left), Some(target)) => self.click(target, now),
            _ => Vec::new(),
        }
    }

    fn wheel(&mut self, way: Action, target: Option<Target>, now: Instant) -> Vec<Effect> {
        if let Some(popup) = self.popups.top() {
            let outcome = popup.wheel(way, &self.settings.keys);
            return self.take_outcome(outcome, now);
        }
        let then = self.screens[self.at].1.wheel(way, target, &self.shared);
        self.follow(then)
    }

    fn click(&mut self, target: Target, now: Instant) -> Vec<Effect> {
        self.notice = None;
        if matches!(target, Target::Label(_) | Target::Save) && !self.hits.are_settled(now) {
            let says = "The click was dropped: what stands there was drawn only just now.";
            return self.say(Notice::warning(says.into()));
        }
        if let Some(popup) = self.popups.top() {
            let outcome = popup.click(target);
            return self.take_outcome(outcome, now);
        }
        if let Target::Tab(at) = target {
            let Some((tab, _)) = self.screens.get(at) else { return Vec::new() };
            let action = tab.action();
            return self.go(at, action);
        }
        let then = self.screens[self.at].1.click(target, &self.shared, now);
        self.follow(then)
    }
}
