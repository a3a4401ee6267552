//! Draws the agreement: the matrix of experts with the model as its last row, the figures of all together, of each label and round, warnings,
//! and the list of cases on which experts differ.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::Style;
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Paragraph, Row, Table, TableState};
use unicode_width::UnicodeWidthStr;

use super::disagreement_detail;
use super::screen::{AgreementScreen, Focus};
use crate::domain::figure::Figure;
use crate::domain::grouped::counted;
use crate::domain::task_kind::TaskKind;
use crate::insight::agreement::{AgreementReport, OnUse};
use crate::insight::disputes::{Dispute, Said};
use crate::tui::keys::Action;
use crate::tui::screen::View;
use crate::tui::widgets::frame::{Look, below, foot, hanging};
use crate::tui::widgets::inline::inline;
use crate::tui::widgets::scroll::bar;
use crate::tui::widgets::text_layout::{cut, drawable};

/// Columns of one cell of the matrix, with the gap before the next.
const CELL: usize = 16;
const GAP: usize = 2;
/// Longest name of an expert or a label.
const NAME: usize = 16;
/// Columns of what each expert says, in the list.
const SAID: usize = 48;

impl AgreementScreen {
    pub(super) fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        let said = self.page.said(view);
        let [body, foot_area] = below(area, said);
        let (task, look) = (&view.shared.about.task, view.look);
        let chosen = self.chosen.as_slice();
        match (self.focus, &self.detail) {
            (Focus::List, _) => self.draw_list(frame, body, look),
            (Focus::Detail, Some(detail)) => self.page.draw_body(frame, body, view, |report, size| {
                disagreement_detail::page(detail, (task, report.lead, chosen), size.width, look)
            }),
            _ => self.page.draw_body(frame, body, view, |report, size| {
                let mut page = Page { lines: Vec::new(), width: usize::from(size.width), look };
                page.report(report);
                page.lines
            }),
        }
        foot(frame, foot_area, said, self.hints(), look);
    }

    fn draw_list(&mut self, frame: &mut Frame<'_>, area: Rect, look: Look<'_>) {
        let Some(report) = &self.page.content else { return };
        let [title, list] = Layout::vertical([Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        let n = report.disputes.len();
        let says = format!(
            " {} on which experts differ, {} without a decision",
            counted(n, "case", "cases"),
            report.undecided()
        );
        frame.render_widget(Paragraph::new(Line::styled(says, look.theme.title)), title);
        let table_area = Rect { width: list.width.saturating_sub(1), ..list };
        let rest = usize::from(table_area.width).saturating_sub(24);
        // What each says may take two thirds where the window is narrow.
        let said = SAID.min(rest * 2 / 3);
        let rows =
            report.disputes.iter().map(|dispute| row(dispute, (said, rest.saturating_sub(said + 2)), look));
        let header = ["   item", "round", "use", "what each says", "text"];
        let table = Table::new(
            rows,
            [
                Constraint::Length(7),
                Constraint::Length(5),
                Constraint::Length(5),
                Constraint::Length(said as u16),
                Constraint::Fill(1),
            ],
        )
        .column_spacing(2)
        .header(Row::new(header).style(look.theme.quiet))
        .row_highlight_style(look.theme.chosen);
        let mut state = TableState::default().with_offset(self.top).with_selected(Some(self.selected));
        frame.render_stateful_widget(table, table_area, &mut state);
        self.top = state.offset();
        let rows = Rect { y: table_area.y + 1, height: table_area.height.saturating_sub(1), ..table_area };
        bar(frame, rows, (self.top, n), look);
        look.may_click_rows(rows, (self.top, n));
    }

    fn hints(&self) -> &'static [(Action, &'static str)] {
        match (self.focus, self.leads()) {
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
            (Focus::Detail, true) => &[
                (Action::Help, "help"),
                (Action::Back, "list"),
                (Action::Undo, "take back"),
                (Action::Revise, "guideline"),
                (Action::LabelAgain, "label again"),
                (Action::Later, "next"),
            ],
            (Focus::Detail, false) => &[
                (Action::Help, "help"),
                (Action::Down, "scroll"),
                (Action::Earlier, "previous"),
                (Action::Later, "next"),
                (Action::Back, "to the list"),
            ],
        }
    }
}

/// A case in the list; what is said takes so many columns, and the text so many.
fn row(dispute: &Dispute, (said, text): (usize, usize), look: Look<'_>) -> Row<'static> {
    let theme = look.theme;
    let round = dispute.round.map(|round| round.to_string()).unwrap_or_default();
    let used = match dispute.split {
        "eval" => "hard",
        other => other,
    };
    let (says, style) = match &dispute.decided {
        Some(label) => (format!("decided: {}", drawable(label)), theme.good),
        None if dispute.yours_to_answer => {
            ("You have not answered it. Opening it shows you the answers.".to_owned(), theme.warning)
        }
        None => {
            let one = |said: &Said| {
                format!("{} {}", drawable(&said.expert), drawable(said.label.as_deref().unwrap_or("-")))
            };
            (dispute.answers.iter().map(one).collect::<Vec<_>>().join(" · "), theme.text)
        }
    };
    let beginning = drawable(&dispute.beginning).replace('\n', " ");
    Row::new([
        Span::styled(format!(" {:>6}", dispute.item.0), theme.quiet),
        Span::styled(cut(&round, 5), theme.quiet),
        Span::styled(used, theme.quiet),
        Span::styled(cut(&says.replace('\n', " "), said), style),
        Span::styled(cut(&beginning, text), theme.quiet),
    ])
}

/// The figures in lines.
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
            (0, _) => ("You all agree so far, or only one of you has answered.".to_owned(), theme.quiet),
            (_, 0) => (format!("Every disagreement is decided; {open} lists them."), theme.good),
            (_, 1) => (format!("1 disagreement needs a decision; {open} lists it."), theme.warning),
            (_, n) => (format!("{n} disagreements need a decision; {open} lists them."), theme.warning),
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
        let n = counted(on.shared, "case", "cases");
        let title = format!(" {}: {n} with two or more answers", on.in_words());
        self.lines.push(Line::styled(cut(&title, self.width - 1), theme.title));
        if on.shared == 0 {
            self.sentence("   ", &format!("agreement is {}", on.ceiling), theme.quiet);
            return;
        }
        self.matrix(on);
        self.sub("all together");
        let raw = ("raw agreement", &on.overall.raw);
        let mut rows = match on.kind {
            TaskKind::One | TaskKind::Several => vec![("mean kappa of pairs", &on.ceiling)],
            TaskKind::Scale => vec![("mean weighted kappa of pairs", &on.ceiling)],
        };
        rows.extend(on.model.as_ref().map(|model| ("the model, same cases", model)));
        rows.push((on.kind.krippendorffs_alpha(), &on.overall.alpha));
        match &on.overall.absolute_error {
            None => {
                rows.extend([("Fleiss' kappa", &on.overall.fleiss), ("Gwet's AC1", &on.overall.ac1), raw]);
            }
            Some(error) => {
                rows.push(("mean error, in levels", error));
                rows.extend(on.model_error.as_ref().map(|error| ("the model's error there", error)));
                rows.push(raw);
            }
        }
        let wide = rows.iter().map(|(name, _)| name.width()).max().unwrap_or(0);
        for (name, figure) in rows {
            self.figure(name, wide, figure);
        }
        self.sub("where one expert gives a label, how often another gives it too");
        let names: Vec<String> = labels.iter().map(|l| cut(&drawable(l).replace('\n', " "), NAME)).collect();
        let wide = names.iter().map(|n| n.width()).max().unwrap_or(0);
        for (name, figure) in names.iter().zip(&on.by_label) {
            self.figure(name, wide, figure);
        }
        if labels.len() > 2 && !on.confusions.is_empty() {
            self.sub("where one expert gives a label, how often another gives a different one");
            for met in &on.confusions {
                let name =
                    format!("{} → {}", cut(&drawable(&met.one), NAME), cut(&drawable(&met.other), NAME));
                self.figure(&name, 2 * NAME + 3, &met.share);
            }
        }
        if on.rounds.len() > 1 {
            self.sub(match on.kind {
                TaskKind::One | TaskKind::Several => "Krippendorff's alpha by round",
                TaskKind::Scale => "ordinal alpha by round",
            });
            for round in &on.rounds {
                self.figure(&format!("round {}", round.round), 8, &round.alpha);
            }
        }
    }

    /// Cohen's kappa of each two experts: two lines a row, the value with its n above its interval.
    fn matrix(&mut self, on: &OnUse) {
        let theme = self.look.theme;
        let name = |name: &str| cut(&drawable(name).replace('\n', " "), NAME.min(CELL - GAP));
        let wide =
            on.experts.iter().map(|e| name(e).width()).max().unwrap_or(0).max(on.kind.cohens_kappa().len());
        let fits = (self.width.saturating_sub(wide + 6) / CELL).max(1);
        for columns in on.experts.chunks(fits) {
            let heads =
                std::iter::once(on.kind.cohens_kappa().to_owned()).chain(columns.iter().map(|c| name(c)));
            let mut rows: Vec<Vec<Text<'static>>> =
                vec![heads.map(|head| Text::styled(head, theme.quiet)).collect()];
            for row in &on.experts {
                let cells =
                    columns.iter().map(|column| if column == row { None } else { on.kappa(row, column) });
                rows.push(self.matrix_row(name(row), cells, theme.text));
            }
            if !on.model_with.is_empty() {
                let with = |column: &String| on.model_with.iter().find(|(expert, _)| expert == column);
                let cells = columns.iter().map(|column| with(column).map(|(_, kappa)| kappa));
                rows.push(self.matrix_row("the model".into(), cells, theme.good));
            }
            let height = |row: &Vec<Text<'_>>| row.iter().map(Text::height).max().unwrap_or(1) as u16;
            let all: u16 = rows.iter().map(height).sum();
            let widths = std::iter::once(wide).chain(columns.iter().map(|_| CELL - GAP));
            let table = Table::new(
                rows.into_iter().map(|row| Row::new(row.clone()).height(height(&row))),
                widths.map(|width| Constraint::Length(width as u16)),
            );
            let width = wide + columns.len() * CELL;
            let table = table.column_spacing(GAP as u16);
            self.lines.extend(inline(table, (width as u16, all), 3));
        }
        let kappas = on.pairs.iter().map(|p| &p.kappa).chain(on.model_with.iter().map(|(_, kappa)| kappa));
        let reason = kappas.filter_map(|kappa| match kappa {
            Figure::Undefined { undefined } => Some(undefined.as_str()),
            Figure::Known { .. } => None,
        });
        if let Some(why) = reason.into_iter().next() {
            self.sentence("   ", &format!("not known: {why}"), theme.quiet);
        }
    }

    fn matrix_row<'f>(
        &self,
        name: String,
        cells: impl Iterator<Item = Option<&'f Figure>>,
        style: Style,
    ) -> Vec<Text<'static>> {
        let quiet = self.look.theme.quiet;
        let cell = |figure: Option<&Figure>| match figure {
            None => Text::from(Line::styled("·", style)),
            Some(Figure::Known { value, lo, hi, n }) => Text::from(vec![
                Line::styled(format!("{value:.2} n={n}"), style),
                Line::styled(format!("{lo:.2} to {hi:.2}"), quiet),
            ]),
            Some(Figure::Undefined { .. }) => Text::from(Line::styled("not known", style)),
        };
        std::iter::once(Text::from(Line::styled(name, quiet))).chain(cells.map(cell)).collect()
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

    fn sentence(&mut self, head: &str, says: &str, style: Style) {
        let head = vec![Span::styled(head.to_owned(), style)];
        self.lines.extend(hanging(head, says, self.width as u16, style));
    }
}

fn padded(says: &str, width: usize) -> String {
    format!("{says}{}", " ".repeat(width.saturating_sub(says.width())))
}
