//! What a person can do, and the keys for it. No default needs Alt, a function key or the mouse.

use std::collections::BTreeMap;
use std::fmt;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// Something a person can do with one key or from the palette.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Action {
    Undo,
    Redo,
    Skip,
    Flag,
    Note,
    Confidence,
    Guideline,
    Earlier,
    Later,
    Jump,
    Search,
    Case,
    Progress,
    Jobs,
    Items,
    Project,
    Agreement,
    NextScreen,
    GoOn,
    Stop,
    Up,
    Down,
    PageUp,
    PageDown,
    Top,
    Bottom,
    Open,
    Back,
    Revise,
    SendRound,
    Palette,
    Help,
    Redraw,
    Suspend,
    Quit,
}

impl Action {
    /// Whether it is done to a disagreement, and so on that screen only.
    pub fn is_on_disputes(self) -> bool {
        matches!(self, Self::Revise | Self::SendRound)
    }

    /// Whether it is done to a case, and so on the screen of cases only.
    pub fn is_on_cases(self) -> bool {
        use Action::{Confidence, Earlier, Flag, Guideline, Jump, Later, Note, Redo, Skip, Undo};
        matches!(self, Undo | Redo | Skip | Flag | Note | Confidence | Guideline | Earlier | Later | Jump)
    }
}

/// What there is to say about an action: the name in the settings file, one line for the help, the default keys.
pub(super) struct About {
    pub action: Action,
    pub name: &'static str,
    pub says: &'static str,
    pub keys: &'static [&'static str],
}

const fn about(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    says: &'static str,
) -> About {
    About { action, name, says, keys }
}

/// Every action, in the order of the help. A label's key goes before these on the case screen.
pub(super) const ACTIONS: &[About] = &[
    about(
        Action::Undo,
        "undo",
        &["u", "backspace"],
        "take back what you did last, also across rounds and restarts",
    ),
    about(Action::Redo, "redo", &["U", "ctrl-r"], "put back what you took back"),
    about(Action::Skip, "skip", &["s"], "leave this case; it comes back once, at the end of the round"),
    about(Action::Flag, "flag", &["f"], "mark this case for a second look, or take the mark off"),
    about(Action::Note, "note", &["n"], "write a note on this case"),
    about(
        Action::Confidence,
        "confidence",
        &["ctrl-y"],
        "say how sure the next answer is: unsure, fairly sure, sure",
    ),
    about(Action::Guideline, "guideline", &["g"], "show or hide how to decide"),
    about(Action::Earlier, "earlier", &["left"], "back to the case you answered before"),
    about(Action::Later, "later", &["right"], "forward again"),
    about(Action::Jump, "jump", &["ctrl-g"], "go to a case by its number"),
    about(Action::Search, "search", &["/"], "search the texts"),
    about(Action::Case, "case", &["ctrl-l"], "the case to label"),
    about(Action::Progress, "progress", &["ctrl-o"], "how well the model does"),
    about(Action::Jobs, "jobs", &["ctrl-k"], "what runs, and what can be started"),
    about(Action::Items, "items", &["ctrl-t"], "the texts"),
    about(Action::Project, "project", &["ctrl-e"], "the task, the models, the files"),
    about(Action::Agreement, "agreement", &["ctrl-d"], "whether the experts agree, and where they differ"),
    about(Action::NextScreen, "next-screen", &["tab"], "the next screen"),
    about(Action::GoOn, "go-on", &["ctrl-n"], "tune on the new labels, then mine the next round"),
    about(Action::Stop, "stop", &["ctrl-x"], "stop the running job"),
    about(Action::Up, "up", &["up"], "one line up"),
    about(Action::Down, "down", &["down"], "one line down"),
    about(Action::PageUp, "page-up", &["pageup", "ctrl-b"], "one page up"),
    about(Action::PageDown, "page-down", &["pagedown", "ctrl-f", "space"], "one page down"),
    about(Action::Top, "top", &["home"], "to the top"),
    about(Action::Bottom, "bottom", &["end"], "to the end"),
    about(Action::Open, "open", &["enter"], "open, or do what is offered"),
    about(Action::Back, "back", &["esc"], "close, or back to the case"),
    about(Action::Revise, "revise", &["ctrl-u"], "change how to decide, while deciding between experts"),
    about(
        Action::SendRound,
        "send-round",
        &["ctrl-a"],
        "send cases round again that were labelled before how to decide was changed",
    ),
    about(Action::Palette, "palette", &[":", "ctrl-p"], "find an action by its name"),
    about(Action::Help, "help", &["?"], "every key of this screen"),
    about(Action::Redraw, "redraw", &["ctrl-w"], "draw the screen anew"),
    about(Action::Suspend, "suspend", &["ctrl-z"], "to the shell; `fg` comes back"),
    about(Action::Quit, "quit", &["q", "ctrl-c"], "leave; everything is saved"),
];

/// One press of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stroke {
    code: Code,
    ctrl: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Code {
    Char(char),
    Named(&'static str),
}

/// Keys that are no character, by the name that the settings file gives them.
const NAMED: &[(&str, KeyCode)] = &[
    ("backspace", KeyCode::Backspace),
    ("enter", KeyCode::Enter),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("esc", KeyCode::Esc),
];

impl Stroke {
    /// What was pressed; none for keys that nothing here is bound to.
    pub fn of(event: &KeyEvent) -> Option<Self> {
        if event.modifiers.intersects(KeyModifiers::ALT | KeyModifiers::SUPER | KeyModifiers::META) {
            return None;
        }
        let ctrl = event.modifiers.contains(KeyModifiers::CONTROL);
        let code = match event.code {
            KeyCode::Char(c) => Code::Char(if ctrl { c.to_ascii_lowercase() } else { c }),
            other => Code::Named(NAMED.iter().find(|(_, code)| *code == other)?.0),
        };
        Some(Self { code, ctrl })
    }

    /// The character alone, where it is one.
    pub fn character(self) -> Option<char> {
        match self {
            Self { code: Code::Char(c), ctrl: false } => Some(c),
            _ => None,
        }
    }

    /// Reads the name that a settings file uses.
    pub fn from_name(name: &str) -> Option<Self> {
        let (ctrl, rest) = match name.strip_prefix("ctrl-") {
            Some(rest) => (true, rest),
            None => (false, name),
        };
        let mut chars = rest.chars();
        let code = match (chars.next(), chars.next()) {
            (Some(c), None) => Code::Char(c),
            _ if rest == "space" => Code::Char(' '),
            _ => Code::Named(NAMED.iter().find(|(known, _)| *known == rest)?.0),
        };
        Some(Self { code, ctrl })
    }
}

impl fmt::Display for Stroke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ctrl = if self.ctrl { "ctrl-" } else { "" };
        match self.code {
            Code::Char(' ') => write!(f, "{ctrl}space"),
            Code::Char(c) => write!(f, "{ctrl}{c}"),
            Code::Named(name) => write!(f, "{ctrl}{name}"),
        }
    }
}

/// Which key does what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keymap {
    bound: BTreeMap<Stroke, Action>,
}

impl Default for Keymap {
    fn default() -> Self {
        let mut map = Self { bound: BTreeMap::new() };
        for about in ACTIONS {
            let strokes = about.keys.iter().filter_map(|name| Stroke::from_name(name)).collect();
            map.bind(about.action, strokes);
        }
        map
    }
}

impl Keymap {
    /// Gives an action these keys instead of those it had. A key that did something else now does this.
    pub fn bind(&mut self, action: Action, strokes: Vec<Stroke>) {
        self.bound.retain(|_, bound| *bound != action);
        self.bound.extend(strokes.into_iter().map(|stroke| (stroke, action)));
    }

    /// What a key does.
    pub fn action(&self, stroke: Stroke) -> Option<Action> {
        self.bound.get(&stroke).copied()
    }

    /// The keys of an action, those that are one character first.
    pub fn keys_of(&self, action: Action) -> Vec<Stroke> {
        let mut keys: Vec<Stroke> =
            self.bound.iter().filter(|(_, bound)| **bound == action).map(|(stroke, _)| *stroke).collect();
        keys.sort_by_key(|stroke| (stroke.ctrl, matches!(stroke.code, Code::Named(_))));
        keys
    }

    /// The first key of an action, for a footer; empty where it has none.
    pub fn key_of(&self, action: Action) -> String {
        self.keys_of(action).first().map(Stroke::to_string).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::task::Label;

    #[test]
    fn every_default_key_has_a_name_and_one_meaning() {
        let mut seen = BTreeMap::new();
        for about in ACTIONS {
            for key in about.keys {
                let stroke = Stroke::from_name(key).unwrap_or_else(|| panic!("{key} is no key"));
                assert_eq!(stroke.to_string(), *key);
                let before = seen.insert(stroke, about.name);
                assert_eq!(before, None, "{key} is bound twice");
            }
        }
    }

    #[test]
    fn no_label_can_take_a_key_away() {
        for about in ACTIONS {
            for key in about.keys.iter().filter_map(|name| Stroke::from_name(name)) {
                if let Some(c) = key.character() {
                    assert!(!Label::may_use(c), "{c} belongs to {} and may be a label's key", about.name);
                }
            }
        }
    }

    #[test]
    fn pressed_keys_are_found_whatever_the_terminal_says_of_shift() {
        let press = |code, modifiers| Stroke::of(&KeyEvent::new(code, modifiers));
        assert_eq!(press(KeyCode::Char('U'), KeyModifiers::SHIFT), Stroke::from_name("U"));
        assert_eq!(press(KeyCode::Char('U'), KeyModifiers::NONE), Stroke::from_name("U"));
        assert_eq!(press(KeyCode::Char('R'), KeyModifiers::CONTROL), Stroke::from_name("ctrl-r"));
        assert_eq!(press(KeyCode::Char('x'), KeyModifiers::ALT), None);
    }
}
