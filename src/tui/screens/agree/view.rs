//! Draws the agreement: the matrix of experts with the model as its last row, figures of all together, each label and round, signs, and the list
//! of cases on which experts differ.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;
use unicode_width::UnicodeWidthStr;

use super::disagreement_detail;
use super::screen::{AgreementScreen, Focus};
use crate::domain::figure::Figure;
use crate::domain::task::Task;
use crate::insight::agreement::{AgreementReport, OnUse};
use crate::insight::disputes::Dispute;
use crate::tui::keys::Action;
use crate::tui::widgets::frame::{Look, Notice, foot, more_below, scrolled};
use crate::tui::widgets::text_layout::{cut, drawable, lay_out};

/// Columns of one cell of the matrix.
const CELL: usize = 16;
/// Longest name of an expert or a label.
const NAME: usize = 16;

impl AgreementScreen {
    /// Draws the screen.
    pub fn draw(
        &mut self,
        frame: &mut Frame<'_>,
        area: Rect,
        (task, notice): (&Task, Option<&Notice>),
        look: Look<'_>,
    ) {
        let body = Rect { height: area.height.saturating_sub(2), ..area };
        match self.focus {
            Focus::List => self.draw_list(frame, body, look),
            Focus::Figures | Focus::Case => {
                let lines = self.page(body.width, task, look);
                if scrolled(frame, lines, body, &mut self.scroll) {
                    more_below(frame, body.right() - 1, body, look);
                }
            }
        }
        let said = match notice {
            Some(notice) => Some((notice.says.as_str(), look.tone(notice.tone))),
            None if self.waits && self.report.is_some() => Some(("computing anew…", look.theme.quiet)),
            None => None,
        };
        foot(frame, area, said, self.hints(), look);
    }

    fn page(&self, width: u16, task: &Task, look: Look<'_>) -> Vec<Line<'static>> {
        let mut shown = Vec::new();
        if let Some(fault) = &self.failed {
            let style = look.theme.bad;
            shown.extend(lay_out(&drawable(&fault.to_string()), &[], width - 2, (style, style)));
        }
        match (&self.report, &self.disagreement_detail) {
            (Some(report), Some(disagreement_detail)) if self.focus == Focus::Case => {
                shown.extend(disagreement_detail::page(
                    disagreement_detail,
                    (task, report.lead),
                    width,
                    look,
                ));
            }
            (Some(report), _) => {
                let mut page = Page { lines: Vec::new(), width: usize::from(width), look };
                page.report(report);
                shown.extend(page.lines);
            }
            (None, _) if self.waits => shown.push(Line::styled(" computing…", look.theme.quiet)),
            _ => {}
        }
        shown
    }

    fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let Some(report) = &self.report else { return };
        let height = usize::from(area.height).saturating_sub(2).max(1);
        self.top = self.top.clamp((self.selected + 1).saturating_sub(height), self.selected);
        let n = report.disputes.len();
        let head = format!(
            " {} on which experts differ, {} without a decision",
            if n == 1 { "1 case".into() } else { format!("{n} cases") },
            report.undecided()
        );
        let columns =
            format!(" {:>6}  {:<5} {:<5}  {}", "item", "round", "use", "what each says, and the text");
        let mut lines = vec![Line::styled(head, look.theme.title), Line::styled(columns, look.theme.quiet)];
        for (i, dispute) in report.disputes.iter().enumerate().skip(self.top).take(height) {
            let line = row(dispute, usize::from(area.width), look);
            lines.push(if i == self.selected { line.patch_style(look.theme.chosen) } else { line });
        }
        frame.render_widget(Paragraph::new(lines), area);
    }

    fn hints(&self) -> &'static [(Action, &'static str)] {
        match (self.focus, self.report.as_ref().is_some_and(|report| report.lead)) {
            (Focus::Figures, _) => &[
                (Action::Help, "help"),
                (Action::Open, "where they differ"),
                (Action::Down, "scroll"),
                (Action::Back, "back to the case"),
                (Action::NextScreen, "screens"),
                (Action::Quit, "quit"),
            ],
            (Focus::List, _) => &[
                (Action::Help, "help"),
                (Action::Open, "open"),
                (Action::Back, "to the figures"),
                (Action::Quit, "quit"),
            ],
            (Focus::Case, true) => &[
                (Action::Help, "help"),
                (Action::Back, "list"),
                (Action::Undo, "take back"),
                (Action::Revise, "guideline"),
                (Action::SendRound, "send round"),
                (Action::Later, "next"),
            ],
            (Focus::Case, false) => &[
                (Action::Help, "help"),
                (Action::Down, "scroll"),
                (Action::Earlier, "before"),
                (Action::Later, "next"),
                (Action::Back, "to the list"),
            ],
        }
    }
}

/// A case in the list.
fn row(dispute: &Dispute, width: usize, look: Look<'_>) -> Line<'static> {
    let round = dispute.round.map(|round| round.to_string()).unwrap_or_default();
    let used = match dispute.split {
        "eval" => "hard",
        other => other,
    };
    let (says, style) = match &dispute.decided {
        Some(label) => (format!("decided: {}", drawable(label)), look.theme.good),
        None if dispute.yours_to_answer => {
            ("you have not answered it: opening it ends that".to_owned(), look.theme.warning)
        }
        None => {
            let one = |said: &crate::insight::disputes::Said| {
                format!("{} {}", drawable(&said.expert), drawable(said.label.as_deref().unwrap_or("-")))
            };
            (dispute.answers.iter().map(one).collect::<Vec<_>>().join(" · "), look.theme.text)
        }
    };
    let head = format!(" {:>6}  {:<5} {:<5}  ", dispute.item.0, cut(&round, 5), used);
    let room = width.saturating_sub(head.width() + 1);
    let says = cut(&says, room.min(48));
    let text = drawable(&dispute.beginning).replace('\n', " ");
    let rest = room.saturating_sub(says.width() + 3);
    let mut spans = vec![Span::styled(head, look.theme.quiet), Span::styled(says, style)];
    if rest > 8 {
        spans.push(Span::styled(format!(" │ {}", cut(&text, rest)), look.theme.quiet));
    }
    Line::from(spans)
}

struct Page<'a> {
    lines: Vec<Line<'static>>,
    width: usize,
    look: Look<'a>,
}

impl Page<'_> {
    fn report(&mut self, report: &AgreementReport) {
        let theme = self.look.theme;
        let open = self.look.keys.key_of(Action::Open);
        let (says, style) = match (report.disputes.len(), report.undecided()) {
            (0, _) => ("Experts differ on no case that you may see.".to_owned(), theme.quiet),
            (_, 0) => (format!("Every disagreement is decided; {open} lists them."), theme.good),
            (_, 1) => (format!("1 disagreement waits for a decision; {open} lists it."), theme.warning),
            (_, n) => (format!("{n} disagreements wait for a decision; {open} lists them."), theme.warning),
        };
        self.sentence(" ", &says, style);
        for sign in &report.warnings {
            self.sentence(" ! ", &drawable(sign), theme.warning);
        }
        for on in &report.uses {
            if on.shared > 0 || on.cases_of == "hard" {
                self.lines.push(Line::default());
                self.on(on, &report.labels);
            }
        }
    }

    fn on(&mut self, on: &OnUse, labels: &[String]) {
        let theme = self.look.theme;
        let n = if on.shared == 1 { "1 case".to_owned() } else { format!("{} cases", on.shared) };
        let title = format!(" {}: {n} with two answers or more", on.in_words());
        self.lines.push(Line::styled(cut(&title, self.width - 1), theme.title));
        if on.shared == 0 {
            self.sentence("   ", &format!("agreement is {}", on.ceiling), theme.quiet);
            return;
        }
        self.matrix(on);
        self.sub("all together");
        let (alpha, fleiss) =
            (("Krippendorff's alpha", &on.overall.alpha), ("Fleiss' kappa", &on.overall.fleiss));
        let (ac1, raw) = (("Gwet's AC1", &on.overall.ac1), ("raw agreement", &on.overall.raw));
        let mut rows = vec![("mean kappa of pairs", &on.ceiling)];
        rows.extend(on.model.as_ref().map(|model| ("the model, same cases", model)));
        rows.extend([alpha, fleiss, ac1, raw]);
        let wide = rows.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
        for (name, figure) in rows {
            self.figure(name, wide, figure);
        }
        self.sub("where one gives a label, another gives it, too");
        let names: Vec<String> = labels.iter().map(|l| cut(&drawable(l).replace('\n', " "), NAME)).collect();
        let wide = names.iter().map(|n| n.width()).max().unwrap_or(0);
        for (name, figure) in names.iter().zip(&on.by_label) {
            self.figure(name, wide, figure);
        }
        if labels.len() > 2 && !on.confusions.is_empty() {
            self.sub("where one gives a label, another gives a different one");
            for met in &on.confusions {
                let name =
                    format!("{} → {}", cut(&drawable(&met.one), NAME), cut(&drawable(&met.other), NAME));
                self.figure(&name, 2 * NAME + 3, &met.share);
            }
        }
        if on.rounds.len() > 1 {
            self.sub("by round, Krippendorff's alpha");
            for round in &on.rounds {
                self.figure(&format!("round {}", round.round), 8, &round.alpha);
            }
        }
    }

    /// Cohen's kappa of each two: two lines a row, the value with its n over its interval.
    fn matrix(&mut self, on: &OnUse) {
        let theme = self.look.theme;
        let name = |name: &str| cut(&drawable(name).replace('\n', " "), NAME.min(CELL - 2));
        let wide = on.experts.iter().map(|e| name(e).width()).max().unwrap_or(0).max("Cohen's kappa".len());
        let fits = (self.width.saturating_sub(wide + 6) / CELL).max(1);
        let columns: Vec<&String> = on.experts.iter().collect();
        for columns in columns.chunks(fits) {
            let heads: String = columns.iter().map(|c| padded(&name(c), CELL)).collect();
            self.lines.push(Line::styled(format!("   {:<wide$}  {heads}", "Cohen's kappa"), theme.quiet));
            for row in &on.experts {
                let cells = columns.iter().map(|c| if *c == row { None } else { on.kappa(row, c) });
                self.cells((&name(row), wide), cells.collect(), theme.text);
            }
            if !on.model_with.is_empty() {
                let with = |c: &&String| {
                    on.model_with.iter().find(|(expert, _)| expert == *c).map(|(_, kappa)| kappa)
                };
                self.cells(("the model", wide), columns.iter().map(with).collect(), theme.good);
            }
        }
        let told: Vec<&str> = on
            .pairs
            .iter()
            .map(|p| &p.kappa)
            .chain(on.model_with.iter().map(|(_, kappa)| kappa))
            .filter_map(|kappa| match kappa {
                Figure::Undefined { undefined } => Some(undefined.as_str()),
                Figure::Known { .. } => None,
            })
            .collect();
        if let Some(why) = told.first() {
            self.sentence("   ", &format!("not known where: {why}"), theme.quiet);
        }
    }

    fn cells(&mut self, (name, wide): (&str, usize), cells: Vec<Option<&Figure>>, style: Style) {
        let quiet = self.look.theme.quiet;
        let (mut values, mut intervals) = (String::new(), String::new());
        for cell in cells {
            let (value, interval) = match cell {
                None => ("·".to_owned(), String::new()),
                Some(Figure::Known { value, lo, hi, n }) => {
                    (format!("{value:.2} n={n}"), format!("{lo:.2} to {hi:.2}"))
                }
                Some(Figure::Undefined { .. }) => ("not known".to_owned(), String::new()),
            };
            values.push_str(&padded(&value, CELL));
            intervals.push_str(&padded(&interval, CELL));
        }
        self.lines.push(Line::from(vec![
            Span::styled(format!("   {}  ", padded(name, wide)), quiet),
            Span::styled(values, style),
        ]));
        if !intervals.trim().is_empty() {
            self.lines.push(Line::styled(format!("   {}  {intervals}", " ".repeat(wide)), quiet));
        }
    }

    fn sub(&mut self, says: &str) {
        self.lines.push(Line::styled(cut(&format!("   {says}"), self.width - 1), self.look.theme.quiet));
    }

    fn figure(&mut self, name: &str, wide: usize, figure: &Figure) {
        let style = match figure {
            Figure::Known { .. } => self.look.theme.text,
            Figure::Undefined { .. } => self.look.theme.quiet,
        };
        self.sentence(&format!("     {}  ", padded(name, wide)), &figure.to_string(), style);
    }

    /// A sentence that may need several lines; those after the first stand under its own beginning.
    fn sentence(&mut self, head: &str, says: &str, style: Style) {
        let indent = head.width();
        let room = (self.width as u16).saturating_sub(indent as u16 + 1).max(10);
        for (i, mut line) in lay_out(says, &[], room, (style, style)).into_iter().enumerate() {
            let before = if i == 0 { head.to_owned() } else { " ".repeat(indent) };
            line.spans.insert(0, Span::styled(before, style));
            self.lines.push(line);
        }
    }
}

fn padded(says: &str, width: usize) -> String {
    format!("{says}{}", " ".repeat(width.saturating_sub(says.width())))
}
