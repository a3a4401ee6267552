//! Draws the jobs: what is running and how far, what can be started, what ended and how.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::LineGauge;

use super::screen::JobsScreen;
use crate::desk::jobs::{End, JobKind};
use crate::domain::progress::{Epoch, Progress};
use crate::tui::hits::Target;
use crate::tui::job_board::{Ended, JobBoard, Running, share_of};
use crate::tui::keys::Action;
use crate::tui::screen::View;
use crate::tui::widgets::frame::{Look, below, foot, hanging};
use crate::tui::widgets::inline::inline;
use crate::tui::widgets::scroll::scrolled;
use crate::tui::widgets::text_layout::drawable;

/// Columns of a progress bar.
const BAR: u16 = 31;
/// No line of text is longer.
const MEASURE: u16 = 110;

impl JobsScreen {
    pub(super) fn render(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        let said = view.notice.map(|notice| (notice.says.as_str(), view.look.tone(notice.tone)));
        let [body, foot_area] = below(area, said);
        let text = Rect { width: body.width.saturating_sub(1), ..body };
        let (lines, kinds) = self.lines(&view.shared.jobs, text.width, view.look);
        let more = (lines.len() > usize::from(text.height)).then_some((Action::PageDown, "more"));
        scrolled(frame, lines, text, &mut self.scroll, view.look);
        for (kind, line) in kinds {
            let y = line.checked_sub(self.scroll).map(|row| text.y.saturating_add(row as u16));
            if let Some(y) = y.filter(|y| *y < text.bottom()) {
                view.look.may_click(Rect { y, height: 1, ..text }, Target::Row(kind));
            }
        }
        let hints: Vec<_> = [(Action::Help, "help"), (Action::Open, "start")]
            .into_iter()
            .chain(more)
            .chain([
                (Action::Stop, "stop"),
                (Action::Back, "back to the case"),
                (Action::NextScreen, "screens"),
                (Action::Quit, "quit"),
            ])
            .collect();
        foot(frame, foot_area, said, &hints, view.look);
    }

    /// The lines, and on which of them each kind that can be started stands.
    fn lines(
        &self,
        jobs: &JobBoard,
        width: u16,
        look: Look<'_>,
    ) -> (Vec<Line<'static>>, Vec<(usize, usize)>) {
        let theme = look.theme;
        let width = width.min(MEASURE);
        let mut lines = vec![Line::styled(" Running", theme.title)];
        if jobs.running.is_empty() {
            lines.push(Line::styled("  nothing", theme.quiet));
        }
        lines.extend(jobs.running.iter().flat_map(|running| running_lines(running, look)));
        lines.push(Line::default());
        lines.push(Line::styled(" Start", theme.title));
        let mut kinds = Vec::new();
        for (i, kind) in JobKind::ALL.into_iter().enumerate() {
            let style = if i == self.chosen { theme.chosen } else { theme.text };
            let name =
                vec![Span::raw("  "), Span::styled(format!(" {:<6}", kind.name()), style), Span::raw("  ")];
            let from = lines.len();
            lines.extend(hanging(name, kind.says(), width, theme.quiet));
            kinds.extend((from..lines.len()).map(|line| (i, line)));
        }
        lines.push(Line::default());
        lines.push(Line::styled(" Ended", theme.title));
        if jobs.ended.is_empty() {
            lines.push(Line::styled("  Nothing has run since you opened the program.", theme.quiet));
        }
        lines.extend(jobs.ended.iter().flat_map(|ended| ended_lines(ended, width, look)));
        (lines, kinds)
    }
}

fn running_lines(running: &Running, look: Look<'_>) -> Vec<Line<'static>> {
    let name = running.kind.name();
    let Some(progress) = &running.progress else {
        return vec![Line::styled(format!("  {name}: starting"), look.theme.text)];
    };
    let mut lines = vec![Line::styled(format!("  {name}: {}", drawable(&progress.stage)), look.theme.text)];
    lines.extend(progress_bar(progress, look));
    // A line of its own, because a narrow terminal has no room next to the bar.
    let rate = progress
        .rate
        .map(|r| format!("  {} {}/s", per_second(r), drawable(&progress.unit)))
        .unwrap_or_default();
    let tokens = progress.tokens_per_second.map(|r| format!("  {r:.0} tokens/s")).unwrap_or_default();
    let left = progress.eta_s.map(|s| format!("  {} left", duration(s))).unwrap_or_default();
    let speed = format!("{rate}{tokens}{left}");
    if !speed.is_empty() && progress.total.is_some_and(|total| total > 0) {
        lines.push(Line::styled(speed, look.theme.text));
    }
    if !progress.epochs.is_empty() {
        let kappa = progress.epochs[0].kind.kappa();
        let head = format!("  {:<21} {:>6} {:>9}   agreement ({kappa}) there", "", "loss", "held out");
        lines.push(Line::styled(head, look.theme.quiet));
        lines.extend(progress.epochs.iter().map(|epoch| epoch_line(epoch, look)));
    }
    lines
}

/// How much of a stage is done, where its length is known.
pub(in crate::tui) fn progress_bar(progress: &Progress, look: Look<'_>) -> Option<Line<'static>> {
    let total = progress.total.filter(|total| *total > 0)?;
    let gauge = LineGauge::default()
        .ratio(share_of(progress.done, total, 1_000) as f64 / 1_000.0)
        .label("")
        .filled_symbol("█")
        .unfilled_symbol("░")
        .filled_style(look.theme.good)
        .unfilled_style(look.theme.rule);
    let mut line = inline(gauge, (BAR, 1), 1).pop()?;
    let says = format!("  {} of {total} {}", progress.done, drawable(&progress.unit));
    line.push_span(Span::styled(says, look.theme.text));
    Some(line)
}

fn ended_lines(ended: &Ended, width: u16, look: Look<'_>) -> Vec<Line<'static>> {
    let (word, style) = match ended.end {
        End::Done => ("done", look.theme.good),
        End::Stopped => ("stopped", look.theme.quiet),
        End::Failed => ("failed", look.theme.bad),
    };
    let mut lines = vec![Line::from(vec![
        Span::styled(format!("  {:<6} ", ended.kind.name()), look.theme.text),
        Span::styled(word, style),
    ])];
    lines.extend(hanging(vec![Span::raw(" ".repeat(9))], &ended.message, width, look.theme.quiet));
    lines
}

/// An epoch with its losses, and kappa with its interval and n.
fn epoch_line(epoch: &Epoch, look: Look<'_>) -> Line<'static> {
    let on = format!("{}, epoch {}", drawable(&epoch.on), epoch.epoch);
    let held_out = epoch.held_out_loss.map(|loss| format!("{loss:.3}")).unwrap_or_default();
    let kappa = match (epoch.held_out_kappa, epoch.held_out_kappa_interval) {
        (Some(kappa), Some((lo, hi))) => format!("{kappa:.2} ({lo:.2} to {hi:.2}, n = {})", epoch.held_out),
        _ => String::new(),
    };
    Line::styled(format!("  {on:<21} {:>6.3} {held_out:>9}   {kappa}", epoch.loss), look.theme.text)
}

/// A rate as a person reads it: of slow ones the first decimal counts.
fn per_second(rate: f64) -> String {
    if rate < 10.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}

/// Seconds as a person says them.
pub(in crate::tui) fn duration(seconds: f64) -> String {
    match seconds.max(0.0).round() as u64 {
        s if s < 60 => format!("{s} s"),
        s if s < 3_600 => format!("{} min {} s", s / 60, s % 60),
        s => format!("{} h {} min", s / 3_600, s / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;
    use crate::desk::jobs::News;
    use crate::domain::task::Task;
    use crate::tui::about::About;
    use crate::tui::keys::Keymap;
    use crate::tui::screen::Screen;
    use crate::tui::shared::Shared;
    use crate::tui::theme::{Theme, ThemeName};

    #[test]
    fn an_epochs_kappa_has_its_interval_and_n_and_leaves_room_for_the_scrollbar_at_80_columns() {
        let (theme, keys) = (Theme::of(ThemeName::Dark), Keymap::with([]));
        let look = Look { theme: &theme, keys: &keys, hits: None };
        let epoch = Epoch {
            on: "fold 1 of 3".into(),
            epoch: 12,
            loss: 0.123_4,
            held_out_loss: Some(10.148),
            held_out_kappa: Some(0.81),
            held_out_kappa_interval: Some((-0.05, 1.0)),
            held_out: 1_032,
            kind: crate::domain::task_kind::TaskKind::One,
        };
        let line = epoch_line(&epoch, look);
        assert!(line.width() < 80, "{line}");
        assert!(line.to_string().ends_with("0.81 (-0.05 to 1.00, n = 1032)"), "{line}");
        let untested = epoch_line(&Epoch { held_out_loss: None, held_out_kappa: None, ..epoch }, look);
        assert!(untested.to_string().trim_end().ends_with("0.123"), "{untested}");
    }

    #[test]
    fn what_is_cut_off_is_marked_by_a_scrollbar_and_a_page_on() {
        let (theme, keys) = (Theme::of(ThemeName::Dark), Keymap::with([]));
        let look = Look { theme: &theme, keys: &keys, hits: None };
        let toml = "question='?'\n[[label]]\nname='spam'\nkey='1'\n[[label]]\nname='ham'\nkey='2'";
        let task = Task::from_toml(toml, "t").unwrap();
        let about = About {
            project: "x".into(),
            file: "/p/x.hardcase".into(),
            expert: "ada".into(),
            task,
            label_uses: Default::default(),
            has_engine: false,
        };
        let mut shared = Shared::new(about);
        let mut screen = JobsScreen::default();
        let drawn = |screen: &mut JobsScreen, shared: &Shared| {
            let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(80, 24)).unwrap();
            let view = View { shared, notice: None, look };
            terminal.draw(|frame| screen.draw(frame, frame.area(), view)).unwrap();
            terminal.backend().to_string()
        };
        assert!(!drawn(&mut screen, &shared).contains('┊'));
        let what_it_does = |kind: JobKind| drawn(&mut JobsScreen::default(), &shared).contains(kind.says());
        assert!(
            JobKind::ALL.into_iter().all(what_it_does),
            "each in one line, so that what ended stays in view"
        );
        for texts in 0..10 {
            let news = News::Ended(JobKind::Scout, End::Done, format!("{texts} texts"));
            shared.hear_job(news, Instant::now());
        }
        let first = drawn(&mut screen, &shared);
        assert!(first.contains('┊') && first.contains("more") && !first.contains("0 texts"), "{first}");
        // One too many changes nothing: one back is seen at once.
        for _ in 0..9 {
            screen.act(Action::PageDown, &shared);
            drawn(&mut screen, &shared);
        }
        let last = drawn(&mut screen, &shared);
        assert!(last.contains("0 texts") && !last.contains("Start"), "{last}");
        screen.act(Action::PageUp, &shared);
        assert_ne!(drawn(&mut screen, &shared), last);
        screen.act(Action::Down, &shared);
        assert!(drawn(&mut screen, &shared).contains("Start"));
    }
}
