//! Keys that do nothing where they are pressed: it is said, so that nobody waits for what they do.

use ratatui::crossterm::event::{KeyCode, KeyEvent};

use super::app::App;
use super::effect::Effect;
use super::keys::Action;
use super::widgets::frame::Notice;

impl App {
    /// A key to which nothing can be bound. Of those that come with others, as shift does, nothing is said.
    pub(super) fn says_dead(&mut self, key: &KeyEvent) -> Vec<Effect> {
        match key.code {
            KeyCode::F(_) | KeyCode::Char(_) => self.does_nothing(&key.code.to_string()),
            _ => Vec::new(),
        }
    }

    pub(super) fn does_nothing(&mut self, key: &str) -> Vec<Effect> {
        let help = self.settings.keys.key_or_name(Action::Help);
        self.say(Notice::quiet(format!("{key} does nothing here; {help} lists the keys")))
    }

    /// Whether other screens have this action, and the one in view does not.
    pub(super) fn is_elsewhere(&self, action: Action) -> bool {
        let (_, here) = &self.screens[self.at];
        !here.own_actions().contains(&action)
            && self.screens.iter().any(|(_, screen)| screen.own_actions().contains(&action))
    }
}
