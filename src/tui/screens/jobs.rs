//! The screen of jobs: what runs and how far it is, what can be started, what ended and how.

use std::time::{Duration, Instant};

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::desk::jobs::{End, JobKind, News};
use crate::desk::shown::Lack;
use crate::domain::progress::{Epoch, Progress};
use crate::tui::effect::Effect;
use crate::tui::keys::Action;
use crate::tui::widgets::frame::{Look, Notice, foot, more_below, scrolled};
use crate::tui::widgets::text_layout::{drawable, lay_out};

/// How often jobs of other processes are looked for while the screen is in view; nobody looks otherwise.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Lines that a page goes on by.
const PAGE: usize = 5;
/// Ended jobs that are remembered.
const REMEMBERED: usize = 20;

#[derive(Debug)]
struct Running {
    kind: JobKind,
    last: Instant,
    progress: Option<Progress>,
}

#[derive(Debug)]
struct Ended {
    kind: JobKind,
    end: End,
    says: String,
}

/// What is known of jobs.
#[derive(Debug, Default)]
pub(in crate::tui) struct JobsScreen {
    running: Vec<Running>,
    ended: Vec<Ended>,
    chosen: usize,
    /// Lines above those in view, where the window is low.
    scroll: usize,
    /// When to look for jobs of other processes again, while the screen is in view.
    look: Option<Instant>,
}

/// How a job ended, for the line at the foot.
pub(in crate::tui) fn ended(kind: JobKind, end: End, says: &str) -> Notice {
    let line = format!("{}: {says}", kind.name());
    match end {
        End::Done => Notice::good(line),
        End::Stopped if says.is_empty() => Notice::quiet(format!("{} was stopped", kind.name())),
        End::Stopped => Notice::quiet(line),
        End::Failed => Notice::bad(line),
    }
}

/// What a person needs who wants to go on.
pub(in crate::tui) fn next(lack: Option<Lack>, has_engine: bool) -> Vec<JobKind> {
    match lack {
        Some(Lack::Prelabels) => vec![JobKind::Scout, JobKind::Mine],
        Some(Lack::Round) => vec![JobKind::Mine],
        Some(Lack::Models | Lack::Texts) => Vec::new(),
        None if has_engine => vec![JobKind::Tune, JobKind::Mine, JobKind::Lora],
        None => vec![JobKind::Tune, JobKind::Mine],
    }
}

impl JobsScreen {
    /// When to call [`Self::tick`].
    pub fn deadline(&self) -> Option<Instant> {
        self.look
    }

    /// The screen has come into view, or is still there.
    pub fn drawn(&mut self, now: Instant) {
        self.look.get_or_insert(now + LOOK_EVERY);
    }

    /// Time has passed: looks for jobs that others began.
    pub fn tick(&mut self, now: Instant) -> Option<Effect> {
        self.look.take_if(|look| *look <= now).map(|_| Effect::Follow)
    }

    /// Whether any job runs.
    pub fn any_running(&self) -> bool {
        !self.running.is_empty()
    }

    /// Whether a job of this kind runs.
    pub fn is_running(&self, kind: JobKind) -> bool {
        self.running.iter().any(|r| r.kind == kind)
    }

    /// Why jobs of these kinds cannot be started now.
    pub fn refusal(&self, kinds: &[JobKind], has_engine: bool) -> Option<Notice> {
        if let Some(busy) = kinds.iter().find(|kind| self.is_running(**kind)) {
            return Some(Notice::quiet(format!("{} is running already", busy.name())));
        }
        let says = "this build has no models: that takes a full build of hardcase";
        (kinds.iter().any(|kind| kind.needs_models()) && !has_engine).then(|| Notice::warning(says.into()))
    }

    /// Whether a judge can be started now.
    pub fn can_judge(&self, has_engine: bool) -> bool {
        self.refusal(&[JobKind::Judge], has_engine).is_none()
    }

    /// Takes what a job says. Returns whether it is a sign of life about once a second.
    pub fn take(&mut self, news: News, now: Instant) -> bool {
        match news {
            News::Started(kind) => {
                self.running.retain(|r| r.kind != kind);
                self.running.push(Running { kind, last: now, progress: None });
            }
            News::Progress(kind, progress) => {
                let Some(running) = self.running.iter_mut().find(|r| r.kind == kind) else { return false };
                running.progress = Some(progress);
                let beat = now.duration_since(running.last).as_millis() >= 1_000;
                if beat {
                    running.last = now;
                }
                return beat;
            }
            News::Note(..) => {}
            News::Ended(kind, end, says) => {
                self.running.retain(|r| r.kind != kind);
                self.ended.insert(0, Ended { kind, end, says });
                self.ended.truncate(REMEMBERED);
            }
        }
        false
    }

    /// The running job in a few words, for the head: what it does now, and how much of that is done. A job has several stages, and how much
    /// of it all a stage is nobody knows beforehand.
    pub fn in_short(&self) -> Option<String> {
        let running = self.running.last()?;
        Some(match &running.progress {
            Some(Progress { stage, done, total: Some(total), .. }) if *total > 0 => {
                let doing = stage.split(' ').next().unwrap_or_default();
                format!("{} {} %", drawable(doing), share_of(*done, *total, 100))
            }
            _ => format!("{} …", running.kind.name()),
        })
    }

    /// Takes an action; returns the job to start.
    pub fn act(&mut self, action: Action) -> Option<JobKind> {
        match action {
            // What is chosen from stands at the top.
            Action::Up => (self.chosen, self.scroll) = (self.chosen.saturating_sub(1), 0),
            Action::Down => (self.chosen, self.scroll) = ((self.chosen + 1).min(JobKind::ALL.len() - 1), 0),
            Action::PageUp => self.scroll = self.scroll.saturating_sub(PAGE),
            Action::PageDown => self.scroll += PAGE,
            Action::Open => return JobKind::ALL.get(self.chosen).copied(),
            _ => {}
        }
        None
    }

    /// What runs, or what can be done next, where there is no case.
    pub fn offer(&self, next: &[JobKind], look: Look<'_>) -> Vec<Line<'static>> {
        if !self.running.is_empty() {
            return self.running.iter().flat_map(|r| lines_of(r, look)).collect();
        }
        if next.is_empty() {
            return Vec::new();
        }
        let verbs: Vec<&str> = next.iter().map(|kind| kind.name()).collect();
        let mut lines = vec![Line::from(vec![
            Span::styled(format!("  {}", look.keys.key_of(Action::Open)), look.theme.key),
            Span::styled(format!("  {}", verbs.join(", then ")), look.theme.text),
        ])];
        for kind in next {
            lines.push(Line::styled(format!("         {}: {}", kind.name(), kind.says()), look.theme.quiet));
        }
        lines
    }

    /// Draws the screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, notice: Option<&Notice>, look: Look<'_>) {
        let mut lines = vec![Line::styled(" Running", look.theme.title)];
        if self.running.is_empty() {
            lines.push(Line::styled("  nothing", look.theme.quiet));
        }
        lines.extend(self.running.iter().flat_map(|r| lines_of(r, look)));
        lines.push(Line::default());
        lines.push(Line::styled(" Start", look.theme.title));
        for (i, kind) in JobKind::ALL.into_iter().enumerate() {
            let style = if i == self.chosen { look.theme.chosen } else { look.theme.text };
            lines.push(Line::from(vec![
                Span::raw("  "),
                Span::styled(format!(" {:<6}", kind.name()), style),
                Span::styled(format!("  {}", kind.says()), look.theme.quiet),
            ]));
        }
        lines.push(Line::default());
        lines.push(Line::styled(" Ended", look.theme.title));
        if self.ended.is_empty() {
            lines.push(Line::styled("  nothing since this screen was opened", look.theme.quiet));
        }
        for ended in &self.ended {
            let (word, style) = match ended.end {
                End::Done => ("done", look.theme.good),
                End::Stopped => ("stopped", look.theme.quiet),
                End::Failed => ("failed", look.theme.bad),
            };
            lines.push(Line::from(vec![
                Span::styled(format!("  {:<6} ", ended.kind.name()), look.theme.text),
                Span::styled(word, style),
            ]));
            let width = area.width.saturating_sub(10);
            for mut line in lay_out(&drawable(&ended.says), &[], width, (look.theme.quiet, look.theme.quiet))
            {
                line.spans.insert(0, Span::raw("         "));
                lines.push(line);
            }
        }
        let place = Rect { height: area.height.saturating_sub(3), ..area };
        let low = lines.len() > usize::from(place.height);
        if scrolled(frame, lines, place, &mut self.scroll) {
            more_below(frame, place.right().saturating_sub(1), place, look);
        }
        let more = low.then_some((Action::PageDown, "more"));
        let always = [
            (Action::Help, "help"),
            (Action::Open, "start"),
            (Action::Stop, "stop"),
            (Action::Back, "back to the case"),
            (Action::NextScreen, "screens"),
            (Action::Quit, "quit"),
        ];
        let hints: Vec<_> =
            always[..2].iter().copied().chain(more).chain(always[2..].iter().copied()).collect();
        let said = notice.map(|notice| (notice.says.as_str(), look.tone(notice.tone)));
        foot(frame, area, said, &hints, look);
    }
}

/// How much of `whole` parts is done. What the file says of another process's job may be anything.
fn share_of(done: u64, total: u64, whole: u64) -> u64 {
    (u128::from(done.min(total)) * u128::from(whole) / u128::from(total.max(1))) as u64
}

fn lines_of(running: &Running, look: Look<'_>) -> Vec<Line<'static>> {
    let verb = running.kind.name();
    let Some(p) = &running.progress else {
        return vec![Line::styled(format!("  {verb}: starting"), look.theme.text)];
    };
    let mut lines = vec![Line::styled(format!("  {verb}: {}", drawable(&p.stage)), look.theme.text)];
    if let Some(total) = p.total.filter(|total| *total > 0) {
        let filled = share_of(p.done, total, 30) as usize;
        let rate = p.rate.map(|r| format!("  {} {}/s", per_second(r), drawable(&p.unit))).unwrap_or_default();
        let tokens = p.tokens_per_second.map(|r| format!("  {r:.0} tokens/s")).unwrap_or_default();
        let left = p.eta_s.map(|s| format!("  {} left", duration(s))).unwrap_or_default();
        lines.push(Line::from(vec![
            Span::styled(format!("  {}", "█".repeat(filled)), look.theme.good),
            Span::styled("░".repeat(30 - filled), look.theme.rule),
            Span::styled(format!("  {} of {total} {}", p.done, drawable(&p.unit)), look.theme.text),
        ]));
        // A line of its own, for beside the bar a narrow terminal has no room.
        let speed = format!("{rate}{tokens}{left}");
        if !speed.is_empty() {
            lines.push(Line::styled(speed, look.theme.text));
        }
    }
    if !p.epochs.is_empty() {
        let head = format!("  {:<22} {:>6} {:>9}   kappa on what was held out", "", "loss", "held out");
        lines.push(Line::styled(head, look.theme.quiet));
        lines.extend(p.epochs.iter().map(|epoch| epoch_line(epoch, look)));
    }
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
    Line::styled(format!("  {on:<22} {:>6.3} {held_out:>9}   {kappa}", epoch.loss), look.theme.text)
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
    use super::*;
    use crate::tui::settings::Settings;
    use crate::tui::theme::Theme;

    #[test]
    fn an_epochs_kappa_has_its_interval_and_n_and_fits_a_narrow_terminal() {
        let settings = Settings::default();
        let look = Look { theme: &Theme::of(settings.theme), keys: &settings.keys };
        let epoch = Epoch {
            on: "fold 1 of 3".into(),
            epoch: 12,
            loss: 0.123_4,
            held_out_loss: Some(10.148),
            held_out_kappa: Some(0.81),
            held_out_kappa_interval: Some((-0.05, 1.0)),
            held_out: 1_032,
        };
        let line = epoch_line(&epoch, look);
        assert!(line.width() <= 80, "{line}");
        assert!(line.to_string().ends_with("0.81 (-0.05 to 1.00, n = 1032)"), "{line}");
        let untested = epoch_line(&Epoch { held_out_loss: None, held_out_kappa: None, ..epoch }, look);
        assert!(untested.to_string().trim_end().ends_with("0.123"), "{untested}");
    }

    #[test]
    fn the_head_says_which_stage_its_share_is_of() {
        let mut jobs = JobsScreen::default();
        let now = Instant::now();
        jobs.take(News::Started(JobKind::Lora), now);
        assert_eq!(jobs.in_short().as_deref(), Some("lora …"));
        let progress = Progress {
            job: "lora".into(),
            stage: "prelabelling what is uncertain".into(),
            done: 47,
            total: Some(100),
            unit: "texts".into(),
            rate: None,
            eta_s: None,
            tokens_per_second: None,
            epochs: Vec::new(),
        };
        jobs.take(News::Progress(JobKind::Lora, progress), now);
        assert_eq!(jobs.in_short().as_deref(), Some("prelabelling 47 %"));
    }

    #[test]
    fn what_is_cut_off_is_marked_and_a_page_on() {
        let settings = Settings::default();
        let look = Look { theme: &Theme::of(settings.theme), keys: &settings.keys };
        let mut jobs = JobsScreen::default();
        let drawn = |jobs: &mut JobsScreen| {
            let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(80, 24)).unwrap();
            terminal.draw(|frame| jobs.draw(frame, frame.area(), None, look)).unwrap();
            terminal.backend().to_string()
        };
        assert!(!drawn(&mut jobs).contains('▼'));
        for texts in 0..10 {
            jobs.take(News::Ended(JobKind::Scout, End::Done, format!("{texts} texts")), Instant::now());
        }
        let first = drawn(&mut jobs);
        assert!(first.contains('▼') && first.contains("more") && !first.contains("0 texts"), "{first}");
        // One too many changes nothing: one back is seen at once.
        for _ in 0..9 {
            jobs.act(Action::PageDown);
            drawn(&mut jobs);
        }
        let last = drawn(&mut jobs);
        assert!(!last.contains('▼') && last.contains("0 texts") && !last.contains("Start"), "{last}");
        jobs.act(Action::PageUp);
        assert!(drawn(&mut jobs).contains('▼'));
        jobs.act(Action::Down);
        assert!(drawn(&mut jobs).contains("Start"));
    }
}
