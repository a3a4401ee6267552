//! A text of several parts: the turns of a conversation, or several columns of a table. The pool has them as one text, in which each part
//! follows the name of who speaks or of its column.

use std::ops::Range;

/// One part of a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who speaks, or the column's name.
    pub speaker: Option<String>,
    pub text: String,
}

impl Turn {
    /// What stands before its text.
    pub fn heading(&self) -> String {
        self.speaker.as_ref().map(|speaker| format!("{speaker}: ")).unwrap_or_default()
    }
}

/// What stands between two parts.
pub const BETWEEN: &str = "\n\n";

/// The parts as one text; those without a text are left out.
pub fn joined(turns: &[Turn]) -> String {
    let mut out = String::new();
    for turn in turns.iter().filter(|turn| !turn.text.trim().is_empty()) {
        if !out.is_empty() {
            out.push_str(BETWEEN);
        }
        out.push_str(&turn.heading());
        out.push_str(&turn.text);
    }
    out
}

/// The part that a task asks about: the last one of this name, or simply the last where the name is `last` and nobody is called so.
pub fn asked_about(turns: &[Turn], name: &str) -> Option<usize> {
    let is_named =
        |turn: &Turn| turn.speaker.as_ref().is_some_and(|said| said.to_lowercase() == name.to_lowercase());
    let last = || turns.len().checked_sub(1).filter(|_| name.eq_ignore_ascii_case("last"));
    turns.iter().rposition(is_named).or_else(last)
}

/// Parts of a text with the place of each heading in it, `draw` applied to all of it.
pub fn with_headings(turns: &[Turn], draw: impl Fn(&str) -> String) -> (String, Vec<Range<usize>>) {
    let (mut out, mut headings) = (String::new(), Vec::new());
    for turn in turns.iter().filter(|turn| !turn.text.trim().is_empty()) {
        if !out.is_empty() {
            out.push_str(BETWEEN);
        }
        let from = out.len();
        out.push_str(&draw(&turn.heading()));
        if out.len() > from {
            headings.push(from..out.len());
        }
        out.push_str(&draw(&turn.text));
    }
    (out, headings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turn(speaker: &str, text: &str) -> Turn {
        Turn { speaker: Some(speaker.into()).filter(|s: &String| !s.is_empty()), text: text.into() }
    }

    #[test]
    fn parts_are_joined_with_who_speaks_and_the_part_that_is_asked_about_is_found() {
        let turns = [turn("user", "Hi."), turn("assistant", " "), turn("", "So?"), turn("User", "Bye.")];
        assert_eq!(joined(&turns), "user: Hi.\n\nSo?\n\nUser: Bye.");
        assert_eq!(asked_about(&turns, "user"), Some(3));
        assert_eq!(asked_about(&turns, "assistant"), Some(1));
        assert_eq!(asked_about(&turns, "last"), Some(3));
        assert_eq!(asked_about(&turns, "judge"), None);
        let (text, headings) = with_headings(&turns, str::to_uppercase);
        assert_eq!(text, "USER: HI.\n\nSO?\n\nUSER: BYE.");
        assert_eq!(headings.iter().map(|h| &text[h.clone()]).collect::<Vec<_>>(), ["USER: ", "USER: "]);
    }
}
