//! The state of the workstation, and how each message changes it. It knows no terminal, file, thread or clock.

use std::time::Instant;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyEvent, KeyEventKind};
use ratatui::layout::Rect;

use super::about::{About, Began};
use super::drafts::Drafts;
use super::effect::Effect;
use super::keys::{Action, Stroke};
use super::message::Message;
use super::screen::Screen;
use super::screens::agree::screen;
use super::screens::case::attention::{Attention, Deeds, Terminal};
use super::screens::case::screen::{CaseScreen, Showing};
use super::screens::case::view::Around;
use super::screens::items::screen::{ItemsScreen, Step};
use super::screens::jobs;
use super::screens::jobs::JobsScreen;
use super::screens::pages::Pages;
use super::screens::progress::Beside;
use super::settings::Settings;
use super::theme::Theme;
use super::widgets::frame::{Head, LEAST, Look, Notice, rule, too_small};
use super::widgets::help::help;
use super::widgets::popup::{Outcome, Popup};
use crate::desk::jobs::{JobKind, News};
use crate::desk::request::{AskDispute, Request};
use crate::desk::shown::Lack;
use crate::domain::ids::CaseId;

/// The whole state.
pub(super) struct App {
    about: About,
    settings: Settings,
    theme: Theme,
    screen: Screen,
    case: CaseScreen,
    jobs: JobsScreen,
    items: ItemsScreen,
    pages: Pages,
    popup: Option<Popup>,
    notice: Option<Notice>,
    /// Whether what a new project lacks has been started once.
    began: Began,
    /// A draft that waits for the one under way.
    drafts: Drafts,
    deeds: Deeds,
    leaving: bool,
}

impl App {
    pub fn new(about: About, settings: Settings) -> Self {
        let theme = Theme::of(settings.theme);
        let case = CaseScreen::new(Attention::new(Terminal::Answers));
        Self {
            about,
            settings,
            theme,
            screen: Screen::Case,
            case,
            jobs: JobsScreen::default(),
            items: ItemsScreen::default(),
            pages: Pages::default(),
            popup: None,
            notice: None,
            began: Began::default(),
            drafts: Drafts::default(),
            deeds: Deeds::default(),
            leaving: false,
        }
    }

    /// What is asked for before anything has happened.
    pub fn opening(&self) -> Vec<Effect> {
        vec![Effect::Desk(Request::Window)]
    }

    /// Whether it is over.
    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// When to call [`Self::tick`], where something waits.
    pub fn deadline(&self) -> Option<Instant> {
        match self.screen {
            Screen::Jobs => self.jobs.deadline(),
            Screen::Case if self.popup.is_none() => self.case.attention.deadline(),
            _ => None,
        }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) -> Vec<Effect> {
        if self.screen == Screen::Jobs {
            return self.jobs.tick(now).into_iter().collect();
        }
        if self.screen != Screen::Case || self.popup.is_some() {
            return Vec::new();
        }
        self.case.tick(&self.about.task, now).into_iter().collect()
    }

    /// The screen has been drawn.
    pub fn drawn(&mut self, now: Instant) -> Vec<Effect> {
        match self.screen {
            Screen::Items => return self.items.lacks().into_iter().collect(),
            Screen::Jobs => self.jobs.drawn(now),
            _ => {}
        }
        if self.screen != Screen::Case || self.popup.is_some() {
            return Vec::new();
        }
        self.case.drawn(now).into_iter().collect()
    }

    /// Something happened.
    pub fn update(&mut self, message: Message, now: Instant) -> Vec<Effect> {
        match message {
            Message::Key(key) => self.key(&key, now),
            Message::Paste(text) => self.paste(&text),
            Message::Resized => Vec::new(),
            Message::Sight(nonce) => {
                self.case.attention.answered(nonce, now);
                Vec::new()
            }
            Message::NoSight => {
                self.case.attention.unanswered(now);
                Vec::new()
            }
            Message::Response(told) => self.told(*told),
            Message::Browsed(told) => {
                self.notice = self.items.told(told).or(self.notice.take());
                Vec::new()
            }
            Message::Job(news) => self.job(news, now),
            Message::Read(read) => self.pages.take(read),
            Message::Continued => vec![Effect::Retake],
            Message::HungUp => self.leave(),
        }
    }

    fn key(&mut self, key: &KeyEvent, now: Instant) -> Vec<Effect> {
        self.notice = None;
        let stroke = Stroke::of(key);
        let look = Look { theme: &self.theme, keys: &self.settings.keys };
        if let Some(popup) = &mut self.popup {
            let outcome = popup.key(key, stroke, look);
            return self.popped(outcome);
        }
        if self.screen == Screen::Items
            && let Some(effects) = self.items.key(key)
        {
            return effects;
        }
        let Some(stroke) = stroke else { return Vec::new() };
        if self.screen == Screen::Case
            && let Some(c) = stroke.character()
            && self.about.task.labels.iter().any(|l| l.key == c)
        {
            let repeat = key.kind == KeyEventKind::Repeat;
            let (effect, notice) = self.case.label_key(c, repeat, &self.about.task, now);
            self.notice = notice;
            return effect.into_iter().collect();
        }
        if self.screen == Screen::Agreement
            && let Some(popup) = self.pages.agreement.label_key(stroke, &self.about.task)
        {
            self.popup = Some(popup);
            return Vec::new();
        }
        match self.settings.keys.action(stroke) {
            Some(action) if self.deeds.is_repeated(action, key.kind, now) => {
                self.notice = Some(Notice::warning(format!("{stroke} is held down: let it go first")));
                Vec::new()
            }
            Some(action) => self.act(action),
            None => {
                let help = self.settings.keys.key_of(Action::Help);
                self.notice = Some(Notice::quiet(format!(
                    "the key {stroke} does nothing here; {help} lists those that do"
                )));
                Vec::new()
            }
        }
    }

    fn paste(&mut self, text: &str) -> Vec<Effect> {
        if self.screen == Screen::Items
            && self.popup.is_none()
            && let Some(effects) = self.items.paste(text)
        {
            return effects;
        }
        match &mut self.popup {
            Some(popup) => {
                let outcome = popup.paste(text);
                self.popped(outcome)
            }
            None => {
                self.notice = Some(Notice::warning("what was pasted was dropped: it is no answer".into()));
                Vec::new()
            }
        }
    }

    fn act(&mut self, action: Action) -> Vec<Effect> {
        if action == Action::Case && self.screen == Screen::Case {
            return self.act_on_case(Action::Back);
        }
        if let Some((screen, ..)) = Screen::ALL.iter().find(|(_, _, a)| *a == action) {
            return self.go(*screen);
        }
        match action {
            Action::NextScreen => {
                let at = Screen::ALL.iter().position(|(s, ..)| *s == self.screen).unwrap_or(0);
                return self.go(Screen::ALL[(at + 1) % Screen::ALL.len()].0);
            }
            Action::Search => {
                let effects = self.go(Screen::Items);
                self.items.type_in();
                return effects;
            }
            Action::Help => {
                let lines = help(self.screen, &self.about.task, &self.settings.keys);
                self.popup = Some(Popup::Help { lines, scroll: 0 });
            }
            Action::Palette => self.popup = Some(Popup::Palette { input: Default::default(), chosen: 0 }),
            Action::Jump => self.popup = Some(Popup::Jump { input: Default::default() }),
            Action::Redraw => return vec![Effect::Redraw],
            Action::Suspend => return vec![Effect::Suspend],
            Action::Quit if self.jobs.any_running() => self.popup = Some(Popup::Leave),
            Action::Quit => return self.leave(),
            Action::GoOn => return self.go_on(self.next_jobs()),
            Action::Stop if self.jobs.any_running() => return vec![Effect::Stop],
            Action::Stop => self.notice = Some(Notice::quiet("no job is running".into())),
            _ => return self.act_here(action),
        }
        Vec::new()
    }

    fn act_here(&mut self, action: Action) -> Vec<Effect> {
        match self.screen {
            Screen::Case => self.act_on_case(action),
            Screen::Jobs => match self.jobs.act(action) {
                Some(JobKind::Mine) => self.go_on(vec![JobKind::Mine]),
                Some(JobKind::Judge) if self.jobs.can_judge(self.about.has_engine) => {
                    self.over(Popup::Model { input: Default::default() })
                }
                Some(kind) => self.start(vec![kind]),
                None if action == Action::Back => self.go(Screen::Case),
                None => Vec::new(),
            },
            Screen::Items => match self.items.act(action) {
                Step::Stays(notice) => {
                    self.notice = notice;
                    Vec::new()
                }
                Step::Back => self.go(Screen::Case),
                Step::Jump(case) => {
                    let mut effects = self.go(Screen::Case);
                    effects.push(Effect::Desk(Request::Jump(case)));
                    effects
                }
            },
            Screen::Agreement => match self.pages.agreement.act(action, &self.about.task) {
                screen::Step::Asks(effect) => effect.into_iter().collect(),
                screen::Step::Says(notice) => {
                    self.notice = Some(notice);
                    Vec::new()
                }
                screen::Step::Opens(popup) => self.over(popup),
                screen::Step::Back => self.go(Screen::Case),
            },
            _ if action == Action::Back => self.go(Screen::Case),
            screen => screen.page().map_or(Vec::new(), |page| self.pages.act(page, action)),
        }
    }

    fn act_on_case(&mut self, action: Action) -> Vec<Effect> {
        let page = 10;
        match action {
            Action::Up => self.case.scroll_by(-1),
            Action::Down => self.case.scroll_by(1),
            Action::PageUp => self.case.scroll_by(-page),
            Action::PageDown => self.case.scroll_by(page),
            Action::Top => self.case.scroll_by(i32::MIN),
            Action::Bottom => self.case.scroll_by(i32::MAX),
            Action::Note => {
                if let Some(shown) = self.case.shown() {
                    let card = &shown.card;
                    let before = card.draft.as_ref().or(card.note.as_ref()).map_or("", String::as_str);
                    self.popup = Some(Popup::note(card.shown.case, before));
                }
            }
            Action::Open if self.case.shown().is_none() => return self.start(self.next_jobs()),
            _ => {
                let (effect, notice) = self.case.act(action);
                self.notice = notice;
                return effect.into_iter().collect();
            }
        }
        Vec::new()
    }

    fn popped(&mut self, outcome: Outcome) -> Vec<Effect> {
        match outcome {
            Outcome::Stays => Vec::new(),
            Outcome::Drafted(case, text) => {
                self.case.note_changed(Some(text.clone()).filter(|t| !t.is_empty()), None);
                self.drafts.waiting = Some(Request::Draft(case, text));
                self.drafts.next()
            }
            other => {
                self.popup = None;
                match other {
                    Outcome::Does(action) => self.act(action),
                    Outcome::Noted(case, text) if !text.trim().is_empty() => {
                        self.drafts.waiting = None;
                        self.case.note_changed(None, Some(text.clone()));
                        vec![Effect::Desk(Request::Note(case, text))]
                    }
                    Outcome::Wrote(what, text) => vec![screen::written(what, text)],
                    Outcome::Sends(which) => vec![Effect::Desk(Request::Dispute(AskDispute::Send(which)))],
                    Outcome::Jumps(case) => vec![Effect::Desk(Request::Jump(CaseId(case)))],
                    Outcome::GoesOn(kinds) => self.start(kinds),
                    Outcome::Judges(model) => vec![Effect::Judge(model)],
                    Outcome::Leaves => self.leave(),
                    Outcome::LeavesAndStops => {
                        let mut effects = self.leave();
                        effects.push(Effect::Stop);
                        effects
                    }
                    _ => Vec::new(),
                }
            }
        }
    }

    /// The end; a draft that still waits goes to the desk first.
    fn leave(&mut self) -> Vec<Effect> {
        self.leaving = true;
        self.drafts.waiting.take().map(Effect::Desk).into_iter().collect()
    }

    fn told(&mut self, told: crate::desk::request::Response) -> Vec<Effect> {
        if let Some(task) = &told.revised {
            self.about.task.clone_from(task);
            self.notice = Some(Notice::warning("how to decide was changed; the guideline shows it".into()));
        }
        if let Some((effect, notice)) = self.pages.agreement.told(&told.done) {
            let changed = if notice.is_some() { self.read_shown() } else { Vec::new() };
            self.notice = notice.or(self.notice.take());
            return effect.into_iter().chain(changed).collect();
        }
        let answered = matches!(told.done, Ok(crate::desk::request::Outcome::Answered { .. }));
        let drafted = matches!(told.done, Ok(crate::desk::request::Outcome::Drafted));
        if let Some(notice) = self.case.told(told) {
            self.notice = Some(notice);
        }
        if drafted {
            self.drafts.under_way = false;
            return self.drafts.next();
        }
        let mut effects = if answered { self.read_shown() } else { Vec::new() };
        effects.extend(self.begin_what_is_missing());
        effects
    }

    /// A project that lacks its first prelabels or its first round gets them without being asked.
    fn begin_what_is_missing(&mut self) -> Vec<Effect> {
        match self.case.lack {
            Some(Lack::Prelabels) if self.about.has_engine && !self.began.scout => {
                self.began.scout = true;
                self.start(vec![JobKind::Scout])
            }
            Some(Lack::Round) if !self.began.mine => {
                self.began.mine = true;
                self.start(vec![JobKind::Mine])
            }
            _ => Vec::new(),
        }
    }

    /// Starts what opens the next round; asks first while cases of this one are left.
    fn go_on(&mut self, kinds: Vec<JobKind>) -> Vec<Effect> {
        match self.case.left() {
            0 => self.start(kinds),
            left => self.over(Popup::GoOn { left, kinds }),
        }
    }

    fn over(&mut self, popup: Popup) -> Vec<Effect> {
        self.popup = Some(popup);
        Vec::new()
    }

    /// What a person who wants to go on needs.
    fn next_jobs(&self) -> Vec<JobKind> {
        jobs::next(self.case.lack, self.about.has_engine)
    }

    fn start(&mut self, mut kinds: Vec<JobKind>) -> Vec<Effect> {
        // A training that runs notices newer labels itself.
        if kinds.len() > 1 {
            kinds.retain(|kind| *kind != JobKind::Lora || !self.jobs.is_running(*kind));
        }
        if let Some(notice) = self.jobs.refusal(&kinds, self.about.has_engine) {
            self.notice = Some(notice);
            return Vec::new();
        }
        if kinds.is_empty() { Vec::new() } else { vec![Effect::Start(kinds)] }
    }

    fn job(&mut self, news: News, now: Instant) -> Vec<Effect> {
        let waits =
            self.case.lack.is_some() || matches!(self.case.showing, Showing::None(_) | Showing::Waiting);
        let ended = matches!(news, News::Ended(..));
        if let News::Ended(kind, end, says) = &news {
            self.notice = Some(jobs::ended(*kind, *end, says));
        }
        let beat = self.jobs.take(news, now);
        if !self.jobs.any_running() && matches!(self.popup, Some(Popup::Leave)) {
            self.popup = None;
        }
        // While a person waits for a case, each sign of life of a job is a reason to look for one.
        let mut effects = if ended { self.read_shown() } else { Vec::new() };
        if ended || waits && beat {
            effects.push(Effect::Desk(Request::Window));
        }
        effects
    }

    fn go(&mut self, screen: Screen) -> Vec<Effect> {
        if screen == Screen::Case && self.screen != Screen::Case {
            self.case.attention.another_case();
        }
        let enters = self.screen != screen;
        self.screen = screen;
        let mut effects = self.read_shown();
        match screen {
            Screen::Items if enters => effects.extend(self.items.enter()),
            Screen::Jobs => effects.push(Effect::Follow),
            _ => {}
        }
        effects
    }

    /// What a page shows has changed, or it has just been opened.
    fn read_shown(&mut self) -> Vec<Effect> {
        self.screen.page().map_or(Vec::new(), |page| self.pages.ask(page))
    }

    /// Draws the whole screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        if area.width < LEAST.0 || area.height < LEAST.1 {
            return too_small(frame);
        }
        let look = Look { theme: &self.theme, keys: &self.settings.keys };
        let screens: Vec<(&str, bool)> =
            Screen::ALL.iter().map(|(s, name, _)| (*name, *s == self.screen)).collect();
        let right = match self.jobs.in_short() {
            Some(job) => format!("{job} · {}", self.about.expert),
            None => self.about.expert.clone(),
        };
        let head = Head { project: &self.about.project, screens: &screens, right };
        head.draw(frame, Rect { height: 1, ..area }, look);
        rule(frame, Rect { y: 1, height: 1, ..area }, look);
        let body = Rect { y: 2, height: area.height - 2, ..area };
        match self.screen {
            Screen::Case => {
                let meanwhile = self.jobs.offer(&self.next_jobs(), look);
                let around =
                    Around { task: &self.about.task, notice: self.notice.as_ref(), meanwhile: &meanwhile };
                self.case.draw(frame, body, &around, look);
            }
            Screen::Jobs => self.jobs.draw(frame, body, self.notice.as_ref(), look),
            Screen::Items => {
                self.items.draw(frame, body, (&self.about.task, self.notice.as_ref()), look);
            }
            Screen::Agreement => {
                self.pages.agreement.draw(frame, body, (&self.about.task, self.notice.as_ref()), look);
            }
            Screen::Progress | Screen::Project => {
                let beside = Beside { running: self.jobs.in_short() };
                if let Some(page) = self.screen.page() {
                    self.pages.draw(page, (frame, body), (self.notice.as_ref(), &beside), look);
                }
            }
        }
        if let Some(popup) = &self.popup {
            popup.draw(frame, body, look);
        }
    }
}
