//! Draws the case: question, text, a similar text, the guideline, labels, and what was done last. Every case looks alike.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph};
use unicode_width::UnicodeWidthStr;

use super::choosing::{in_words, needs_list};
use super::no_case;
use super::panes::Texts;
use super::question::Question;
use super::said::MAX_SAID;
use super::screen::{CONFIDENCES, CaseScreen, Showing};
use crate::domain::task::{Assist, Task};
use crate::tui::hits::Target;
use crate::tui::keys::Action;
use crate::tui::screen::View;
use crate::tui::shared::Shared;
use crate::tui::widgets::frame::Look;
use crate::tui::widgets::label_list::{Groups, LabelNames, Listed, Mark};
use crate::tui::widgets::text_layout::cut;

impl CaseScreen {
    pub(super) fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        let (task, look) = (&view.shared.about.task, view.look);
        let said = self.said(view.notice, task.assist, area.width, look);
        // As many lines in every case, so that nothing moves from one to the next, but for what would be cut off.
        let least = if task.assist == Assist::Before { 3 } else { 2 };
        let said_height = (said.len() as u16).clamp(least, MAX_SAID);
        let whereabouts = self.whereabouts(view.shared.supply.progress, area.width);
        let question = Question::new(task, &whereabouts, area.width, look);
        // Around the text and the labels: a blank row, a rule, and the keys.
        let around = question.height() + 1 + 1 + said_height + 1;
        let Labels { listed, says } =
            self.labels(view.shared, (area.width, area.height.saturating_sub(around)), look);
        let [asked, _, text, rule, label_area, said_area, keys] = Layout::vertical([
            Constraint::Length(question.height()),
            Constraint::Length(1),
            Constraint::Fill(1),
            Constraint::Length(1),
            Constraint::Length(listed.lines.len() as u16),
            Constraint::Length(said_height),
            Constraint::Length(1),
        ])
        .areas(area);
        question.draw(frame, asked, whereabouts, look);
        self.in_view.nothing();
        match &self.showing {
            Showing::Next(_) | Showing::Asked(_) => self.draw_texts(frame, text, task, look),
            Showing::Waiting => {}
            Showing::None(why) => no_case::draw(frame, text, why, view),
        }
        draw_rule(frame, rule, ((self.position(), says), task.kind.is_several()), look);
        listed.may_click(label_area, look);
        frame.render_widget(Paragraph::new(listed.lines), label_area);
        frame.render_widget(Paragraph::new(said), said_area);
        frame.render_widget(Paragraph::new(look.hints(&self.hints(), area.width)), keys);
    }

    fn draw_texts(&mut self, frame: &mut Frame<'_>, area: Rect, task: &Task, look: Look<'_>) {
        let Self { showing, panes, in_view, found, guideline, .. } = self;
        let (Showing::Next(shown) | Showing::Asked(shown)) = showing else { return };
        let texts = Texts { shown, task, has_guideline: *guideline, found: found.as_ref() };
        let rows = panes.draw(frame, area, texts, look);
        in_view.drawn(shown.card.shown.case, rows);
    }

    /// Where the person is in the text, where not all of it is in view, and among the places of a word.
    fn position(&self) -> Option<String> {
        self.shown()?;
        let found =
            self.found.as_ref().map(|found| format!("place {} of {}", found.at + 1, found.places.len()));
        let both: Vec<String> = self.panes.position().into_iter().chain(found).collect();
        (!both.is_empty()).then(|| both.join(" · "))
    }

    /// Keys with what they do; those that scroll come early while there is more to see.
    fn hints(&self) -> Vec<(Action, &'static str)> {
        let has_case = self.shown().is_some();
        let mut hints = vec![(Action::Help, "help")];
        let has_more = has_case && self.panes.has_more();
        if has_more {
            hints.push((Action::PageDown, "scroll"));
        }
        if has_case {
            hints.push((Action::Skip, "skip"));
        }
        // How to get about comes before what is needed less often.
        hints.extend([
            (Action::Undo, "undo"),
            (Action::NextScreen, "screens"),
            (Action::Palette, "commands"),
        ]);
        if has_more {
            hints.push((Action::Find, "find"));
        }
        if has_case && self.panes.has_other() {
            hints.push((Action::OtherText, "other text"));
        }
        if has_case {
            hints.extend([(Action::Note, "note"), (Action::Flag, "flag"), (Action::Guideline, "guideline")]);
        }
        hints.push((Action::Quit, "quit"));
        hints
    }

    /// What enter does where a text may have several labels; none without a case.
    fn says_of_enter(&self, task: &Task, width: u16, look: Look<'_>) -> Option<String> {
        self.shown()?;
        let enter = match needs_list(task) {
            true => format!("{}: find labels, twice: save ", look.keys.key_or_name(Action::Open)),
            false => "enter: save ".to_owned(),
        };
        let room = (usize::from(width) * 2 / 3).saturating_sub(enter.len());
        Some(enter + &cut(&in_words(&self.chosen, task), room))
    }

    /// The labels: in a bar where they are few, else in columns over at most half of the rows that they share with the text.
    fn labels(&self, shared: &Shared, (width, rows): (u16, u16), look: Look<'_>) -> Labels {
        let task = &shared.about.task;
        let names = LabelNames::of(&task.labels);
        let is_several = task.kind.is_several();
        let given = self.shown().and_then(|s| s.card.label.as_deref());
        let mark = |at: usize| {
            let name = &task.labels[at].name;
            match is_several {
                true => Mark::of(self.chosen.contains(name), false),
                false => Mark::of(false, given == Some(name.as_str())),
            }
        };
        let sure = self.confidence.map(|sure| CONFIDENCES[usize::from(sure) - 1]);
        let sure = sure.map(|sure| Span::styled(format!(" {sure}"), look.theme.warning));
        let most = (rows / 2).max(1);
        if let Some(mut listed) = names.bar((width, usize::from(most.min((rows / 3).max(1)))), mark, look) {
            if let Some(line) = listed.lines.last_mut() {
                line.spans.extend(sure);
            }
            let says = is_several.then(|| self.says_of_enter(task, width, look));
            return Labels { listed, says: says.flatten() };
        }
        let in_order: Vec<usize> = (0..names.len()).collect();
        let mut listed = names.list(&in_order, (width, most), (Groups::Shown, mark), look);
        if listed.shown.len() < names.len() {
            // Those that the person gives most often, as it was when the program was opened: nothing moves from case to case.
            let uses = |at: &usize| shared.about.label_uses.get(&task.labels[*at].name).copied().unwrap_or(0);
            let mut order = in_order;
            order.sort_by_key(|at| std::cmp::Reverse(uses(at)));
            listed = names.list(&order, (width, most), (Groups::Shown, mark), look);
        }
        let key = look.keys.key_or_name(Action::Open);
        let says = match names.len() - listed.shown.len() {
            0 => format!("{key}: find a label"),
            _ => format!("{} of {} labels · {key}: find any", listed.shown.len(), names.len()),
        };
        if let Some(sure) = sure {
            listed.begin_with(sure);
        }
        let says = match is_several {
            true => self.says_of_enter(task, width, look),
            false => Some(says),
        };
        Labels { listed, says }
    }
}

struct Labels {
    listed: Listed,
    /// What there is to know where not all of them are seen or have a key.
    says: Option<String>,
}

/// The rule between the text and the labels, with what there is to say of both.
fn draw_rule(
    frame: &mut Frame<'_>,
    area: Rect,
    (says, saved_by_click): ((Option<String>, Option<String>), bool),
    look: Look<'_>,
) {
    let line = |says: String, style: Style| Line::styled(format!(" {says} "), style);
    let mut block = Block::new().borders(Borders::TOP).border_style(look.theme.rule);
    if let Some(text) = says.0 {
        block = block.title_top(line(text, look.theme.text).left_aligned());
    }
    if let Some(labels) = says.1 {
        let wide = (labels.width() as u16).saturating_add(2).min(area.width);
        let saves = Rect::new(area.right() - wide, area.y, wide, 1);
        if saved_by_click {
            look.may_click(saves, Target::Save);
        }
        block = block.title_top(line(labels, look.theme.quiet).right_aligned());
    }
    frame.render_widget(block, area);
}
