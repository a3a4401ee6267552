//! What a person can do, and the keys for it. No default needs Alt, a function key or the mouse.
//!
//! It names no screen: each brings the action that opens it.

use std::collections::BTreeMap;
use std::fmt;

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::theme::ThemeName;

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
    Find,
    OtherText,
    Search,
    /// Open the screen of this name.
    Show(&'static str),
    NextScreen,
    GoOn,
    AddTexts,
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
    LabelAgain,
    Results,
    /// Use the colours of this theme from now on.
    Theme(ThemeName),
    Palette,
    Help,
    Redraw,
    Suspend,
    Quit,
}

/// What there is to say about an action: its name in the settings file, one line for the help, its default keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ActionInfo {
    pub action: Action,
    pub name: &'static str,
    pub help: &'static str,
    pub keys: &'static [&'static str],
}

const fn info(
    action: Action,
    name: &'static str,
    keys: &'static [&'static str],
    help: &'static str,
) -> ActionInfo {
    ActionInfo { action, name, help, keys }
}

/// Every action but those that open a screen, in the order of the help. On the case screen a label's key takes precedence.
const ACTIONS: &[ActionInfo] = &[
    info(Action::Undo, "undo", &["u", "backspace"], "undo what you did last, across rounds and restarts too"),
    info(Action::Redo, "redo", &["U", "ctrl-r"], "redo what you undid"),
    info(Action::Skip, "skip", &["s"], "skip this case; it comes back once, after all others"),
    info(Action::Flag, "flag", &["f"], "flag this case for a second look, or remove the flag"),
    info(Action::Note, "note", &["n"], "write a note on this case"),
    info(
        Action::Confidence,
        "confidence",
        &["ctrl-y"],
        "say how sure you are of the next answer: unsure, fairly sure, sure",
    ),
    info(Action::Guideline, "guideline", &["g"], "show or hide the guideline"),
    info(
        Action::Earlier,
        "earlier",
        &["left"],
        "the case you answered before this one; in a list, the one above",
    ),
    info(Action::Later, "later", &["right"], "forward again; in a list, the one below"),
    info(Action::Jump, "jump", &["ctrl-g"], "go to a case by its number"),
    info(Action::Find, "find", &["ctrl-v"], "find a word in this text, and the next place where it is"),
    info(
        Action::OtherText,
        "other-text",
        &["shift-tab"],
        "scroll the similar text or the guideline instead of the text, and back",
    ),
    info(Action::Search, "search", &["/"], "search the texts"),
    info(Action::NextScreen, "next-screen", &["tab"], "the next screen"),
    info(
        Action::GoOn,
        "go-on",
        &["ctrl-n"],
        "let the model learn from your answers, and start the next round",
    ),
    info(
        Action::AddTexts,
        "add-texts",
        &[],
        "add the rows that a file of texts has got since it was imported",
    ),
    info(Action::Stop, "stop", &["ctrl-x"], "stop what is running"),
    info(Action::Up, "up", &["up"], "one line up"),
    info(Action::Down, "down", &["down"], "one line down"),
    info(Action::PageUp, "page-up", &["pageup", "ctrl-b"], "one page up"),
    info(Action::PageDown, "page-down", &["pagedown", "ctrl-f", "space"], "one page down"),
    info(Action::Top, "top", &["home"], "to the top"),
    info(Action::Bottom, "bottom", &["end"], "to the end"),
    info(Action::Open, "open", &["enter"], "open, or do what is offered"),
    info(Action::Back, "back", &["esc"], "close, or go back to the case"),
    info(
        Action::Revise,
        "revise",
        &["ctrl-u"],
        "change the guideline, as the one who decides between experts",
    ),
    info(
        Action::LabelAgain,
        "label-again",
        &["ctrl-a"],
        "have cases labelled again that were labelled under an older guideline",
    ),
    info(
        Action::Results,
        "results",
        &[],
        "export the results to a file: final labels, answers, predictions, the report; or back up",
    ),
    info(Action::Theme(ThemeName::Dark), "theme-dark", &[], "Theme: dark"),
    info(Action::Theme(ThemeName::Light), "theme-light", &[], "Theme: light"),
    info(Action::Theme(ThemeName::HighContrast), "theme-high-contrast", &[], "Theme: high-contrast"),
    info(Action::Theme(ThemeName::None), "theme-none", &[], "Theme: none"),
    info(Action::Palette, "palette", &[":", "ctrl-p"], "find an action by its name"),
    info(Action::Help, "help", &["?"], "every key of this screen"),
    info(Action::Redraw, "redraw", &["ctrl-w"], "redraw the screen"),
    info(Action::Suspend, "suspend", &["ctrl-z"], "go to the shell; `fg` comes back"),
    info(Action::Quit, "quit", &["q", "ctrl-c"], "quit; everything is saved"),
];

/// Other words by which people look for an action.
pub(super) fn also_called(action: Action) -> &'static [&'static str] {
    match action {
        Action::Quit => &["exit", "leave", "close", "logout", "bye"],
        Action::AddTexts => &["import", "new", "rows", "file"],
        Action::GoOn => &["train", "learn", "tune", "mine", "continue"],
        Action::Search => &["filter", "find", "grep", "look"],
        Action::Revise => &["edit", "rules"],
        Action::Note => &["edit", "comment", "remark"],
        Action::Undo => &["revert", "back"],
        Action::Help => &["keys", "manual", "?"],
        Action::Theme(_) => &["colours", "colors", "settings"],
        Action::Guideline => &["instructions", "rules"],
        Action::Results => {
            &["export", "excel", "csv", "spreadsheet", "table", "save", "download", "report", "backup"]
        }
        Action::Show("progress") => &["figures", "status", "statistics", "quality"],
        Action::Show("project") => {
            &["settings", "task", "label", "labels", "rename", "edit", "question", "columns", "people"]
        }
        _ => &[],
    }
}

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

/// Keys that are no character, by the name that the settings file gives them. The first name of a key is what it is called.
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
    ("shift-tab", KeyCode::BackTab),
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
            _ => {
                let (_, meant) = NAMED.iter().find(|(known, _)| *known == rest)?;
                Code::Named(NAMED.iter().find(|(_, code)| code == meant)?.0)
            }
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

/// Every action there is, and which key does what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Keymap {
    actions: Vec<ActionInfo>,
    bound: BTreeMap<Stroke, Action>,
}

impl Keymap {
    /// The default keys, with the actions that open screens.
    pub fn with(screens: impl IntoIterator<Item = ActionInfo>) -> Self {
        let at = ACTIONS.iter().position(|info| info.action == Action::NextScreen).unwrap_or(0);
        let mut actions = ACTIONS.to_vec();
        actions.splice(at..at, screens);
        let mut map = Self { actions: actions.clone(), bound: BTreeMap::new() };
        for info in actions {
            let strokes = info.keys.iter().filter_map(|name| Stroke::from_name(name)).collect();
            map.bind(info.action, strokes);
        }
        map
    }

    /// Every action, in the order of the help.
    pub fn actions(&self) -> &[ActionInfo] {
        &self.actions
    }

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

    /// How a person does an action, to begin a sentence about it: `Press x` or, where it has no key, `Type : add-texts and enter`.
    pub fn how_to(&self, action: Action) -> String {
        let key = self.key_of(action);
        if key.is_empty() {
            format!("Type {} and enter", self.key_or_name(action))
        } else {
            format!("Press {key}")
        }
    }

    /// The first key of an action, or how to find it by its name where it has none.
    pub fn key_or_name(&self, action: Action) -> String {
        let key = self.key_of(action);
        if !key.is_empty() {
            return key;
        }
        let name = self.actions.iter().find(|info| info.action == action).map_or("", |info| info.name);
        format!("{} {name}", self.key_of(Action::Palette))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_find_an_action_by_the_word_they_know() {
        let map = Keymap::with([ActionInfo {
            action: Action::Show("progress"),
            name: "progress",
            help: "figures",
            keys: &[],
        }]);
        for word in ["exit", "train", "learn", "export", "edit", "filter"] {
            assert!(map.actions().iter().any(|info| also_called(info.action).contains(&word)), "{word}");
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
