//! The lines that say what was done last, and where the person is.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::screen::{Answered, CaseScreen, Showing, with_key};
use crate::desk::shown::{Reveal, RoundProgress};
use crate::domain::task::Assist;
use crate::tui::keys::Action;
use crate::tui::widgets::frame::{Look, Notice, hanging};
use crate::tui::widgets::text_layout::{cut, drawable};

/// What was done last takes this many lines at most, however narrow the window.
pub(super) const MAX_SAID: u16 = 4;

/// No id of a file takes more columns.
const MAX_ID: usize = 24;

impl CaseScreen {
    /// `M-0051 · case 4, you said spam · round 2: 12 of 60 by you, 30 by anybody`; of that, as much as there is room for.
    pub(super) fn whereabouts(&self, progress: Option<RoundProgress>, width: u16) -> String {
        let by_you = |p: RoundProgress| match p.round {
            0 => format!("test cases before round 1: {} of {} by you", p.mine, p.cases),
            round => format!("round {round}: {} of {} by you", p.mine, p.cases),
        };
        let by_all = progress.map(|p| match p.answered == p.mine {
            true => by_you(p),
            false => format!("{}, {} by anybody", by_you(p), p.answered),
        });
        let by_you = progress.map(by_you);
        let case = self.shown().map(|s| {
            let state = match (&self.showing, &s.card.label, s.card.skipped) {
                (Showing::Asked(_), Some(label), _) => {
                    format!(", you said {}", drawable(label).replace('\n', " "))
                }
                (Showing::Asked(_), None, true) => ", you skipped it".into(),
                _ => String::new(),
            };
            let flag = if s.card.flagged { ", flagged" } else { "" };
            format!("case {}{state}{flag}", s.card.shown.case)
        });
        let id = self.shown().and_then(|s| s.card.shown.id.as_deref());
        let id = id.map(|id| cut(&drawable(id).replace('\n', " "), MAX_ID));
        let all = |id: &Option<String>, round: &Option<String>| {
            let parts: Vec<&str> = [id, &case, round].into_iter().flatten().map(String::as_str).collect();
            parts.join(" · ")
        };
        let room = usize::from(width).saturating_sub(1);
        let forms = [all(&id, &by_all), all(&id, &by_you), all(&id, &None), all(&None, &None)];
        let fits = forms.iter().find(|form| form.width() <= room);
        fits.cloned().unwrap_or_else(|| cut(&all(&None, &None), room))
    }

    /// What is being saved, what went wrong, or what was answered last with what was hidden until then. Above it what the model
    /// thinks of the case in view, where the task shows that before the answer: nothing that is said takes its place.
    pub(super) fn said(
        &self,
        notice: Option<&Notice>,
        assist: Assist,
        width: u16,
        look: Look<'_>,
    ) -> Vec<Line<'static>> {
        let line = |says: &str, style| hanging(vec![Span::raw(" ")], says, width, style);
        let mut lines = match self.seen_before().filter(|_| assist == Assist::Before) {
            Some(reveal) => line(&thought("thinks", reveal), look.theme.text),
            None => Vec::new(),
        };
        let (says, style) = match (self.saving(), notice, &self.last) {
            (_, Some(notice), _) => (notice.says.clone(), look.tone(notice.tone)),
            (Some(saving), None, _) => (saving, look.tone(self.tone())),
            (None, None, Some(last)) if !matches!(self.showing, Showing::Asked(_)) => {
                let undo = look.keys.key_of(Action::Undo);
                // What stood in a line of its own before the answer is not told again.
                let says = match last.told && assist == Assist::Before {
                    true => saved(last, &undo),
                    false => answered_within(last, &undo, width),
                };
                (says, look.tone(self.tone()))
            }
            (None, None, _) if lines.is_empty() => {
                let revealed = self.shown().and_then(|s| s.card.shown.revealed.as_ref());
                (revealed.map(|reveal| thought("thought", reveal)).unwrap_or_default(), look.theme.quiet)
            }
            (None, None, _) => return lines,
        };
        // What was done last is never pushed out of the window.
        let own = line(&says, style);
        lines.truncate(usize::from(MAX_SAID).saturating_sub(own.len()).max(1));
        lines.extend(own);
        lines
    }

    /// What is shown of the model although the case in view has no answer yet.
    fn seen_before(&self) -> Option<&Reveal> {
        let card = &self.shown()?.card;
        card.shown.revealed.as_ref().filter(|_| card.label.is_none())
    }
}

/// `saved: spam (1), case 41, u undoes`
fn saved(last: &Answered, undo: &str) -> String {
    let verb = if last.changed { "changed" } else { "saved" };
    format!("{verb}: {}, case {}, {undo} undoes", with_key(&last.label, last.key), last.case)
}

/// `saved: spam (1), case 41, u undoes · the model thought ham (61 %); …`
fn answered(last: &Answered, undo: &str) -> String {
    let revealed = last.reveal.as_ref().map(|r| format!(" · {}", thought("thought", r))).unwrap_or_default();
    saved(last, undo) + &revealed
}

/// The same, and on which side the similar text was, where two lines have room for that: the text above keeps its place.
fn answered_within(last: &Answered, undo: &str, width: u16) -> String {
    let brief = answered(last, undo);
    let Some(label) = last.reveal.as_ref().and_then(|reveal| reveal.partner) else { return brief };
    let full = format!("{brief}; the model gave the similar text {label}");
    let plain = ratatui::style::Style::default();
    if hanging(vec![Span::raw(" ")], &full, width, plain).len() > 2 { brief } else { full }
}

/// What the model thought, or thinks, and why the case was chosen, in plain words.
fn thought(verb: &str, reveal: &Reveal) -> String {
    match reveal.said() {
        Some(said) => {
            let judge = reveal.judge_said().map(|said| format!(", the language model {said}"));
            let judge = judge.unwrap_or_default();
            format!("the model {verb} {said}{judge}; chosen because {}", reveal.in_words)
        }
        None => format!("chosen because {}", reveal.in_words),
    }
}

#[cfg(test)]
mod tests {
    use ratatui::style::Style;

    use super::*;
    use crate::desk::shown::{Card, ShownCase};
    use crate::domain::case::Reason;
    use crate::domain::ids::{CaseId, ItemId};
    use crate::tui::keys::Keymap;
    use crate::tui::screens::case::shown::Shown;
    use crate::tui::theme::{Theme, ThemeName};
    use crate::tui::widgets::text_layout::lay_out;

    fn thinks(label: &str) -> Reveal {
        Reveal {
            split: "train",
            reason: Reason::Margin.as_str(),
            in_words: Reason::Margin.in_words(),
            partner: None,
            prelabel: Some(label.to_owned()),
            prelabels: None,
            probabilities: [(label.to_owned(), 0.58.into())].into_iter().collect(),
            judge: None,
            judge_label: None,
        }
    }

    #[test]
    fn a_guess_that_is_shown_before_the_answer_stays_whatever_else_is_said() {
        let shown = ShownCase {
            case: CaseId(8),
            item: ItemId(8),
            id: None,
            text: "The fee is due in March.".into(),
            turns: Vec::new(),
            asked: None,
            read_up_to: None,
            meta: serde_json::Value::Null,
            partner: None,
            labels: Vec::new(),
            revealed: Some(thinks("payment")),
        };
        let card = Card {
            shown,
            label: None,
            labels: Vec::new(),
            skipped: false,
            flagged: false,
            note: None,
            draft: None,
        };
        let last = Answered {
            label: "ends".into(),
            key: None,
            case: CaseId(7),
            changed: false,
            reveal: Some(thinks("ends")),
            told: true,
        };
        let mut screen = CaseScreen::default();
        screen.showing = Showing::Next(Shown::new(card));
        screen.last = Some(last);
        let (theme, keys) = (Theme::of(ThemeName::None), Keymap::with([]));
        let look = Look { theme: &theme, keys: &keys, hits: None };
        let long = Notice::warning("One word after the other. ".repeat(12));
        for notice in [None, Some(&Notice::quiet("Flagged for a second look.".into())), Some(&long)] {
            for width in [60, 100, 160] {
                let said: Vec<String> =
                    screen.said(notice, Assist::Before, width, look).iter().map(Line::to_string).collect();
                assert!(said[0].starts_with(" the model thinks payment (58 %)"), "{said:?}");
                let own = notice.map_or("saved: ends, case 7, u undoes", |notice| notice.says.as_str());
                assert!(said.iter().any(|line| own.starts_with(line.trim())), "{said:?}");
            }
        }
    }

    #[test]
    fn the_reveal_is_shown_in_full_in_a_small_window() {
        let reveal = |reason: Reason, label: &str| Reveal {
            split: "eval",
            reason: reason.as_str(),
            in_words: reason.in_words(),
            partner: Some("another label"),
            prelabel: Some(label.to_owned()),
            prelabels: None,
            probabilities: [(label.to_owned(), 0.6.into())].into_iter().collect(),
            judge: None,
            judge_label: None,
        };
        let lines = |reason, label: &str, width: u16| {
            let last = Answered {
                label: label.to_owned(),
                key: Some('1'),
                case: CaseId(141),
                changed: false,
                reveal: Some(reveal(reason, label)),
                told: false,
            };
            let within = answered_within(&last, "u", width);
            assert!(within.starts_with(&answered(&last, "u")), "{within}");
            lay_out(&within, &[], width - 2, (Style::default(), Style::default())).len()
        };
        for reason in [Reason::Repeat, Reason::Overlap, Reason::Contrast] {
            assert!(lines(reason, "clickbait", 80) <= 2, "{reason:?}: the text keeps its place");
            assert!(lines(reason, "offensive language", 60) <= usize::from(MAX_SAID), "{reason:?}");
        }
    }
}
