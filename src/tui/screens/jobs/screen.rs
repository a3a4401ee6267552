//! What can be started, and which of it is chosen. Looks for jobs of other processes while it is in view.

use std::time::{Duration, Instant};

use ratatui::Frame;
use ratatui::layout::Rect;

use crate::desk::jobs::JobKind;
use crate::tui::effect::Effect;
use crate::tui::hits::{Target, WHEEL};
use crate::tui::keys::Action;
use crate::tui::screen::{Arrival, Screen, Then, View};
use crate::tui::shared::Shared;
use crate::tui::widgets::outcome::Written;
use crate::tui::widgets::popup::Popup;

/// How often jobs of other processes are looked for while the screen is in view; nobody looks otherwise.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Lines that a page's key scrolls.
const PAGE: usize = 5;

#[derive(Debug, Default)]
pub(in crate::tui) struct JobsScreen {
    pub(super) chosen: usize,
    /// Lines above those in view, where the window is low.
    pub(super) scroll: usize,
    /// When to look for jobs of other processes again, while the screen is in view.
    look_at: Option<Instant>,
}

impl Screen for JobsScreen {
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        self.render(frame, area, view);
    }

    fn act(&mut self, action: Action, shared: &Shared) -> Vec<Then> {
        match action {
            // What can be chosen stands at the top.
            Action::Up => (self.chosen, self.scroll) = (self.chosen.saturating_sub(1), 0),
            Action::Down => (self.chosen, self.scroll) = ((self.chosen + 1).min(JobKind::ALL.len() - 1), 0),
            Action::PageUp => self.scroll = self.scroll.saturating_sub(PAGE),
            Action::PageDown => self.scroll = self.scroll.saturating_add(PAGE),
            Action::Top => (self.chosen, self.scroll) = (0, 0),
            Action::Bottom => (self.chosen, self.scroll) = (JobKind::ALL.len() - 1, usize::MAX),
            Action::Back => return vec![Then::Home],
            Action::Open => {
                return JobKind::ALL.get(self.chosen).map_or(Vec::new(), |kind| start(*kind, shared));
            }
            _ => {}
        }
        Vec::new()
    }

    fn click(&mut self, target: Target, _: &Shared, _: Instant) -> Vec<Then> {
        if let Target::Row(row) = target {
            self.chosen = row.min(JobKind::ALL.len() - 1);
        }
        Vec::new()
    }

    fn wheel(&mut self, way: Action, _: Option<Target>, _: &Shared) -> Vec<Then> {
        self.scroll = match way {
            Action::Up => self.scroll.saturating_sub(WHEEL),
            _ => self.scroll.saturating_add(WHEEL),
        };
        Vec::new()
    }

    fn enter(&mut self, _: Action, _: Arrival) -> Vec<Then> {
        vec![Effect::Follow.into()]
    }

    fn written(&mut self, written: Written) -> Vec<Then> {
        match written {
            Written::Model(path) => vec![Effect::Judge(path).into()],
            _ => Vec::new(),
        }
    }

    fn drawn(&mut self, now: Instant) -> Vec<Effect> {
        self.look_at.get_or_insert(now + LOOK_EVERY);
        Vec::new()
    }

    fn deadline(&self) -> Option<Instant> {
        self.look_at
    }

    fn tick(&mut self, _: &Shared, now: Instant) -> Vec<Effect> {
        self.look_at.take_if(|at| *at <= now).map(|_| Effect::Follow).into_iter().collect()
    }
}

/// A new round asks first while cases of this one are left, and a judge needs to know which model.
fn start(kind: JobKind, shared: &Shared) -> Vec<Then> {
    let can_judge = || shared.jobs.refusal(&[JobKind::Judge], shared.about.has_engine).is_none();
    vec![match kind {
        JobKind::Mine => Then::GoOn(vec![kind]),
        JobKind::Judge if can_judge() => {
            let judges = shared.jobs.judges.clone();
            // Models come and go while a session is open, so the list is made again; until then the last one is shown.
            return vec![Then::Open(Popup::model(judges.unwrap_or_default())), Effect::ListJudges.into()];
        }
        kind => Then::Start(vec![kind]),
    }]
}
