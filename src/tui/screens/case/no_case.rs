//! Why there is no case, and what is running or can be done next.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use crate::desk::jobs::JobKind;
use crate::desk::shown::{Lack, NoCase};
use crate::tui::keys::Action;
use crate::tui::screen::View;
use crate::tui::screens::jobs::view::{duration, progress_bar};
use crate::tui::shared::{Shared, says_of_change};
use crate::tui::widgets::frame::{Look, hanging};

/// Why there is no case, and what is running or can be done next.
pub(super) fn draw(frame: &mut Frame<'_>, area: Rect, why: &NoCase, view: View<'_>) {
    let (look, theme) = (view.look, view.look.theme);
    let title = match why {
        NoCase::NoTexts => "This project has no texts yet.".to_owned(),
        NoCase::NotScouted => "The model has not read the texts yet.".to_owned(),
        NoCase::NoRound => "No cases have been chosen yet.".to_owned(),
        NoCase::RoundDone(round) => format!("Round {round} is done: every case is answered."),
        NoCase::WithOthers(outstanding) => format!("Your part of round {} is done.", outstanding.round),
        NoCase::PartDone => "All cases assigned to you are done.".to_owned(),
    };
    let more = match why {
        NoCase::NoTexts => vec!["Quit, and add some: hardcase import FILE DATA".to_owned()],
        NoCase::WithOthers(outstanding) => {
            let open = "It stays open while the next round goes on, and their answers still count in it.";
            vec![format!("{outstanding}."), open.to_owned()]
        }
        NoCase::PartDone => vec!["Quit, and give this copy back: hardcase merge PROJECT COPY".to_owned()],
        NoCase::NotScouted | NoCase::NoRound | NoCase::RoundDone(_) => Vec::new(),
    };
    let indented = |says: &str, style| hanging(vec![Span::raw("  ")], says, area.width, style);
    let mut lines = indented(&title, theme.title);
    lines.extend(more.iter().flat_map(|says| indented(says, theme.text)));
    lines.extend(
        view.shared.supply.agreed.iter().flat_map(|agreed| indented(&agreed.to_string(), theme.text)),
    );
    let how = look.keys.how_to(Action::AddTexts);
    let changed = view.shared.changed_files.iter().map(|file| says_of_change(file, &how));
    lines.extend(changed.flat_map(|says| indented(&says, theme.text)));
    lines.push(Line::default());
    lines.extend(meanwhile(view.shared, area.width, look));
    frame.render_widget(Paragraph::new(lines), area);
}

/// What is running, or the key that goes on and what it does.
fn meanwhile(shared: &Shared, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    let theme = look.theme;
    let mut lines = Vec::new();
    for running in &shared.jobs.running {
        lines.extend(hanging(vec![Span::raw("  ")], running.kind.in_words(), width, theme.text));
        let progress = running.progress.as_ref();
        lines.extend(progress.and_then(|progress| progress_bar(progress, look)));
        let left = progress.and_then(|progress| progress.eta_s);
        lines.extend(left.map(|s| Line::styled(format!("  {} left", duration(s)), theme.text)));
    }
    let next = shared.next_jobs();
    // Another job does not hold the next round up, and then enter says so too.
    let others: Vec<JobKind> = next.iter().copied().filter(|kind| *kind != JobKind::Lora).collect();
    if !others.is_empty() && shared.jobs.refusal(&others, shared.about.has_engine).is_none() {
        if !lines.is_empty() {
            lines.push(Line::default());
        }
        let before = lines.len();
        let key = Span::styled(format!("  {}  ", look.keys.key_or_name(Action::Open)), theme.key);
        lines.extend(hanging(vec![key], offer(shared.supply.lack), width, theme.text));
        if next.contains(&JobKind::Lora) {
            let says = "With enough answers, a stronger model is trained while you go on.";
            let indent = lines.get(before).and_then(|line| line.spans.first()).map_or(2, Span::width);
            lines.extend(hanging(vec![Span::raw(" ".repeat(indent))], says, width, theme.quiet));
        }
    }
    lines
}

/// What the jobs do that are needed to continue.
fn offer(lack: Option<Lack>) -> &'static str {
    match lack {
        Some(Lack::Prelabels) => "The model reads all texts, and the first cases are chosen.",
        Some(_) => "The first cases are chosen (a few seconds).",
        None => "The model learns from your answers, and the next cases are chosen (a few seconds).",
    }
}
