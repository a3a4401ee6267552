//! The state of the workstation, and how each message changes it. It knows no terminal, file, thread or clock, and no single screen: those it
//! has from the list.

use std::path::Path;
use std::time::Instant;

use ratatui::Frame;
use ratatui::crossterm::event::KeyEvent;
use ratatui::layout::{Constraint, Layout};

use super::about::{About, Began};
use super::effect::Effect;
use super::hits::Hits;
use super::keys::{Action, Stroke};
use super::message::Message;
use super::popups::Popups;
use super::questions::{go_on_with_cases_left, job_notice, leave_now, leave_while_a_job_runs};
use super::results::{results, take_written};
use super::screen::{Arrival, Pressed, Received, Screen, Tab, Then, View};
use super::screens::LIST;
use super::screens::case::attention::RepeatGuard;
use super::settings::Settings;
use super::shared::{Shared, first_round_begins, shrunk};
use super::terminal::Mouse;
use super::theme::Theme;
use super::widgets::changes::Changes;
use super::widgets::frame::{Bar, Look, MIN_SIZE, Notice, horizontal_rule, too_small};
use super::widgets::help::{KeysHelp, Under, help};
use super::widgets::popup::{Field, Popup};
use crate::desk::jobs::{JobKind, News};
use crate::desk::request;
use crate::desk::request::{DisputeOutcome, Request, Response};
use crate::desk::shown::Lack;
use crate::domain::fault::Fault;
use crate::domain::task::Task;
use crate::domain::task_change::changes;

/// The whole state.
pub(super) struct App {
    pub(super) settings: Settings,
    theme: Theme,
    pub(super) shared: Shared,
    pub(super) screens: Vec<(Tab, Box<dyn Screen>)>,
    /// Which of them is in view.
    pub(super) at: usize,
    pub(super) popups: Popups,
    /// What the last frame lets a person click.
    pub(super) hits: Hits,
    pub(super) notice: Option<Notice>,
    pub(super) began: Began,
    repeats: RepeatGuard,
    leaving: bool,
    /// The last frame had no room for anything but the message that says so.
    pub(super) is_too_small: bool,
    /// Why nobody can go on.
    parting: Option<Fault>,
    /// The task as the person knows it.
    pub(super) known: Task,
    /// Answers that were saved since the program was opened, without changes of them and less those that were undone.
    answered: i64,
}

impl App {
    pub fn new(about: About, settings: Settings) -> Self {
        Self {
            theme: Theme::of(settings.theme),
            settings,
            known: about.task.clone(),
            shared: Shared::new(about),
            screens: LIST.iter().map(|(tab, open)| (*tab, open())).collect(),
            at: 0,
            popups: Popups::default(),
            hits: Hits::default(),
            notice: None,
            began: Began::default(),
            repeats: RepeatGuard::default(),
            leaving: false,
            is_too_small: false,
            parting: None,
            answered: 0,
        }
    }

    /// What is asked for before anything has happened.
    pub fn opening(&self) -> Vec<Effect> {
        vec![Effect::Session(Request::Window), Effect::LookForNew]
    }

    /// Whether it is over.
    pub fn is_leaving(&self) -> bool {
        self.leaving
    }

    /// How many cases were answered and not undone again.
    pub fn answered(&self) -> usize {
        usize::try_from(self.answered).unwrap_or(0)
    }

    /// Where the person's settings are.
    pub fn settings_file(&self) -> Option<&Path> {
        self.settings.file.as_deref()
    }

    /// Tells the person something that came of an effect.
    pub fn tell(&mut self, notice: Notice) {
        self.notice = Some(notice);
    }

    /// Why it had to end, where it had to.
    pub fn parting(&mut self) -> Option<Fault> {
        self.parting.take()
    }

    /// When to call [`Self::tick`], where something waits.
    pub fn deadline(&self) -> Option<Instant> {
        let (_, screen) = self.screens.get(self.at)?;
        if self.popups.is_empty() { screen.deadline() } else { None }
    }

    /// Time has passed.
    pub fn tick(&mut self, now: Instant) -> Vec<Effect> {
        if !self.popups.is_empty() {
            return Vec::new();
        }
        self.screens[self.at].1.tick(&self.shared, now)
    }

    /// The screen has been drawn.
    pub fn drawn(&mut self, now: Instant) -> Vec<Effect> {
        self.hits.drawn(now);
        if self.popups.is_empty() { self.in_view().drawn(now) } else { Vec::new() }
    }

    fn hide(&mut self) {
        self.screens.iter_mut().for_each(|(_, screen)| screen.hidden());
    }

    pub(super) fn in_view(&mut self) -> &mut dyn Screen {
        &mut *self.screens[self.at].1
    }

    /// Something happened.
    pub fn update(&mut self, message: Message, now: Instant) -> Vec<Effect> {
        let effects = self.take(message, now);
        self.tell_changes();
        effects
    }

    /// Lays over everything what has changed in the task since the person last knew it. A note that is being written is finished first.
    fn tell_changes(&mut self) {
        if self.shared.about.task == self.known || !self.popups.is_empty() {
            return;
        }
        match changes(&self.known, &self.shared.about.task) {
            // Nothing that a person who labels can see.
            says if says.is_empty() => self.known.clone_from(&self.shared.about.task),
            says => self.popups.open(Popup::Changes(Changes::new(says, self.shared.about.task.clone()))),
        }
    }

    fn take(&mut self, message: Message, now: Instant) -> Vec<Effect> {
        match message {
            Message::Key(key) => self.key(&key, now),
            Message::Mouse(mouse) => self.mouse(mouse, now),
            Message::Paste(text) => self.paste(&text, now),
            // The loop draws at once.
            Message::Resized => Vec::new(),
            Message::Continued => vec![Effect::Retake],
            Message::Stopped => vec![Effect::Suspend],
            Message::HungUp => self.leave(),
            Message::Job(news) => self.hear_job(news, now),
            Message::Session(response) => self.hear_session(response, now),
            // Only the screen in view can have asked, or the answer is too late.
            Message::CursorReported(_) | Message::CursorUnknown => {
                match self.screens[self.at].1.receive(message, &self.shared, now) {
                    Received::Taken(then) => self.follow(then),
                    Received::NotMine(_) => Vec::new(),
                }
            }
            other => self.offer(other, now),
        }
    }

    /// Offers a message to the screens until one takes it.
    fn offer(&mut self, mut message: Message, now: Instant) -> Vec<Effect> {
        for (_, screen) in &mut self.screens {
            match screen.receive(message, &self.shared, now) {
                Received::Taken(then) => return self.follow(then),
                Received::NotMine(back) => message = back,
            }
        }
        Vec::new()
    }

    fn hear_session(&mut self, response: Box<Response>, now: Instant) -> Vec<Effect> {
        let response = match *response {
            // The project was taken away: whatever is on the screen, nothing can be saved any more.
            Response { outcome: Err(fault), .. } if fault.is_displaced() => {
                self.parting.get_or_insert(fault);
                return self.leave();
            }
            other => Box::new(other),
        };
        let before = self.shared.supply.progress;
        self.shared.hear_session(&response);
        let came = self.shared.supply.progress.zip(before).map(|(now, before)| (before, now));
        let told =
            came.and_then(|(before, now)| shrunk(before, now).or_else(|| first_round_begins(before, now)));
        self.notice = told.or(self.notice.take());
        // Who changed the guideline or the task here knows what changed.
        if response.revised.is_some()
            && let Ok(request::Outcome::Dispute(
                DisputeOutcome::Revised(_) | DisputeOutcome::TaskChanged(Ok(_)),
            )) = response.outcome
        {
            self.known.clone_from(&self.shared.about.task);
        }
        self.answered += response.outcome.as_ref().map_or(0, request::Outcome::labelled);
        let answered = matches!(
            response.outcome,
            Ok(request::Outcome::Answered { .. } | request::Outcome::Reverted { .. })
        );
        if let Ok(request::Outcome::Reverted { what, .. }) = &response.outcome {
            self.in_view().reverted(what.item);
        }
        let mut effects = self.offer(Message::Session(response), now);
        if answered {
            effects.extend(self.refresh());
        }
        effects.extend(self.begin_what_is_missing());
        effects
    }

    fn hear_job(&mut self, news: News, now: Instant) -> Vec<Effect> {
        let waits = self.shared.supply.waits();
        let ended = matches!(news, News::Ended(..));
        if let News::Ended(kind, end, message) = &news {
            self.notice = Some(job_notice(*kind, *end, message));
        }
        match &news {
            News::Judges(models) => self.popups.offer(models),
            News::Counted(results, says) => {
                self.popups.results().into_iter().for_each(|form| form.take_count(*results, says.clone()));
            }
            News::Quality(quality) => {
                self.popups.results().into_iter().for_each(|form| form.take_quality(quality.clone()));
            }
            News::Grown(grown) => return self.hear_of_new(grown.clone()),
            News::Results(written) => {
                self.notice = take_written(&mut self.popups, written.clone()).or(self.notice.take());
            }
            _ => {}
        }
        let beat = self.shared.hear_job(news, now);
        if !self.shared.jobs.any_running() {
            self.popups.ask_otherwise_whether_to_leave(leave_now);
        }
        // While there is no case, look for one whenever a job reports progress.
        let mut effects = if ended { self.refresh() } else { Vec::new() };
        if ended || waits && beat {
            effects.push(Effect::Session(Request::Window));
        }
        effects
    }

    /// What the screen in view shows may have changed.
    fn refresh(&mut self) -> Vec<Effect> {
        let then = self.in_view().refresh();
        self.follow(then)
    }

    /// Starts the jobs for a project that has no prelabels or no round yet.
    fn begin_what_is_missing(&mut self) -> Vec<Effect> {
        match self.shared.supply.lack {
            Some(Lack::Prelabels) if self.shared.about.has_engine && !self.began.scout => {
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

    fn key(&mut self, key: &KeyEvent, now: Instant) -> Vec<Effect> {
        self.notice = None;
        let stroke = Stroke::of(key);
        if self.is_too_small {
            return self.key_unseen(stroke);
        }
        if let Some(popup) = self.popups.top() {
            let outcome = popup.key(key, stroke, &self.settings.keys);
            return self.take_outcome(outcome, now);
        }
        let pressed = Pressed { event: key, stroke };
        if let Some(then) = self.screens[self.at].1.key(pressed, &self.shared, now) {
            return self.follow(then);
        }
        let Some(stroke) = stroke else { return self.says_dead(key) };
        match self.settings.keys.action(stroke) {
            Some(action) if self.repeats.is_repeated(action, key.kind, now) => {
                self.say(Notice::warning(format!("{stroke} is held down: release it first")))
            }
            Some(action) => self.act(action),
            None => self.does_nothing(&stroke.to_string()),
        }
    }

    /// A key where nothing can be seen: it can only lead out.
    fn key_unseen(&mut self, stroke: Option<Stroke>) -> Vec<Effect> {
        // A letter may be meant for a text that is being written.
        let stroke = stroke.filter(|stroke| self.popups.is_empty() || stroke.character().is_none());
        match stroke.and_then(|stroke| self.settings.keys.action(stroke)) {
            Some(Action::Quit) => self.leave(),
            Some(action @ (Action::Redraw | Action::Suspend)) => self.act(action),
            _ => Vec::new(),
        }
    }

    fn paste(&mut self, text: &str, now: Instant) -> Vec<Effect> {
        if self.is_too_small {
            return Vec::new();
        }
        if let Some(popup) = self.popups.top() {
            let outcome = popup.paste(text);
            return self.take_outcome(outcome, now);
        }
        match self.in_view().paste(text) {
            Some(then) => self.follow(then),
            None => self
                .say(Notice::warning("What you pasted was dropped: only keys you press are answers.".into())),
        }
    }

    pub(super) fn act(&mut self, action: Action) -> Vec<Effect> {
        let opened = self
            .screens
            .iter()
            .position(|(tab, screen)| tab.action() == action || screen.also_opened_by().contains(&action));
        if let Some(at) = opened {
            return self.go(at, action);
        }
        match action {
            Action::NextScreen => {
                let next = (self.at + 1) % self.screens.len();
                self.go(next, action)
            }
            Action::Help => {
                let under = if self.in_view().is_typing() { Under::Line } else { Under::Keys };
                let popup = Popup::Help(KeysHelp::new(self.help(), under));
                self.over(popup)
            }
            Action::Palette => self.over(Popup::palette()),
            Action::Jump => match self.in_view().case_here() {
                Some(case) => self.go_to_case(case),
                None => self.over(Popup::field(Field::CaseNumber)),
            },
            Action::Redraw => vec![Effect::Redraw],
            Action::Suspend => vec![Effect::Suspend],
            Action::Quit if self.shared.jobs.any_running() => self.over(leave_while_a_job_runs()),
            Action::Quit => self.leave(),
            Action::Results => {
                let then = results(&self.shared.about);
                self.follow(then)
            }
            Action::Theme(name) => {
                self.theme = Theme::of(name);
                vec![Effect::KeepTheme(name)]
            }
            Action::AddTexts => self.add_texts(),
            Action::GoOn => self.go_on(self.shared.next_jobs()),
            Action::Stop if self.shared.jobs.any_running() => vec![Effect::Stop],
            Action::Stop => self.say(Notice::quiet("Nothing is running.".into())),
            _ if self.is_elsewhere(action) => {
                let key = self.settings.keys.key_or_name(action);
                self.does_nothing(&key)
            }
            _ => {
                let then = self.screens[self.at].1.act(action, &self.shared);
                self.follow(then)
            }
        }
    }

    /// The help of the screen in view, without the actions that only other screens have.
    fn help(&self) -> Vec<(String, String)> {
        let (_, here) = &self.screens[self.at];
        help(here.help(&self.shared), &self.settings.keys, |action| self.is_elsewhere(action))
    }

    /// Carries out what a screen requested.
    pub(super) fn follow(&mut self, then: Vec<Then>) -> Vec<Effect> {
        let mut effects = Vec::new();
        for then in then {
            match then {
                Then::Do(effect) => effects.push(effect),
                Then::Say(notice) => effects.extend(self.say(notice)),
                Then::Open(popup) => effects.extend(self.over(popup)),
                Then::Home => effects.extend(self.go_home()),
                Then::Start(kinds) => effects.extend(self.start(kinds)),
                Then::GoOn(kinds) => effects.extend(self.go_on(kinds)),
            }
        }
        effects
    }

    pub(super) fn leave(&mut self) -> Vec<Effect> {
        self.leaving = true;
        self.screens.iter_mut().flat_map(|(_, screen)| screen.leave()).collect()
    }

    pub(super) fn say(&mut self, notice: Notice) -> Vec<Effect> {
        self.notice = Some(notice);
        Vec::new()
    }

    fn over(&mut self, popup: Popup) -> Vec<Effect> {
        self.popups.open(popup);
        Vec::new()
    }

    pub(super) fn go(&mut self, at: usize, by: Action) -> Vec<Effect> {
        let arrival = if at == self.at { Arrival::AlreadyHere } else { Arrival::FromAnotherScreen };
        self.at = at;
        let then = self.in_view().enter(by, arrival);
        self.follow(then)
    }

    pub(super) fn go_home(&mut self) -> Vec<Effect> {
        match self.screens.first() {
            Some((tab, _)) if self.at != 0 => self.go(0, tab.action()),
            _ => Vec::new(),
        }
    }

    /// Starts what opens the next round; asks first while cases of this one are left.
    fn go_on(&mut self, kinds: Vec<JobKind>) -> Vec<Effect> {
        match self.shared.supply.left() {
            0 => self.start(kinds),
            left => self.over(go_on_with_cases_left(left, kinds)),
        }
    }

    pub(super) fn start(&mut self, mut kinds: Vec<JobKind>) -> Vec<Effect> {
        // A running training notices newer labels itself.
        if kinds.len() > 1 {
            kinds.retain(|kind| *kind != JobKind::Lora || !self.shared.jobs.is_running(*kind));
        }
        if let Some(notice) = self.shared.jobs.refusal(&kinds, self.shared.about.has_engine) {
            return self.say(notice);
        }
        if kinds.is_empty() { Vec::new() } else { vec![Effect::Start(kinds)] }
    }

    /// Draws the whole screen.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        let area = frame.area();
        self.is_too_small = area.width < MIN_SIZE.0 || area.height < MIN_SIZE.1;
        if self.is_too_small {
            self.hide();
            return too_small(frame);
        }
        let hits = (self.settings.mouse == Mouse::Used).then_some(&self.hits);
        self.hits.clear();
        let look = Look { theme: &self.theme, keys: &self.settings.keys, hits };
        let about = &self.shared.about;
        let right = match self.shared.jobs.in_short() {
            Some(job) => format!("{job} · {}", about.expert),
            None => about.expert.clone(),
        };
        let screens: Vec<(&str, bool)> =
            self.screens.iter().enumerate().map(|(i, (tab, _))| (tab.title, i == self.at)).collect();
        let [bar, rule, body] =
            Layout::vertical([Constraint::Length(1), Constraint::Length(1), Constraint::Fill(1)]).areas(area);
        Bar { project: &about.project, screens: &screens, right }.draw(frame, bar, look);
        horizontal_rule(frame, rule, look);
        let view = View { shared: &self.shared, notice: self.notice.as_ref(), look };
        self.screens[self.at].1.draw(frame, body, view);
        if !self.popups.draw(frame, body, look) {
            self.screens[self.at].1.covered();
        }
    }
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use ratatui::crossterm::event::{KeyCode, KeyModifiers};

    use super::*;
    use crate::desk::grown::{ChangedFile, Grown};
    use crate::desk::jobs::End;
    use crate::desk::shown::{Reverted, RoundProgress, Saved};
    use crate::domain::ids::ItemId;
    use crate::domain::rows_to_come::RowsToCome;

    fn app() -> App {
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
        App::new(about, Settings::default())
    }

    fn drawn(app: &mut App, (width, height): (u16, u16)) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| app.draw(frame)).unwrap();
        terminal.backend().to_string()
    }

    #[test]
    fn every_screen_of_the_list_stands_in_the_bar_opens_by_its_action_and_leads_back_home() {
        for (at, (tab, _)) in LIST.iter().enumerate() {
            for size in [MIN_SIZE, (80, 24), (160, 50)] {
                let mut app = app();
                app.act(tab.action());
                assert_eq!(app.at, at);
                let screen = drawn(&mut app, size);
                assert!(LIST.iter().all(|(tab, _)| screen.contains(tab.title)), "{screen}");
                app.act(Action::Back);
                assert_eq!(app.at, 0, "{} has no way back", tab.title);
            }
        }
    }

    #[test]
    fn the_help_of_a_screen_names_every_screen_and_no_action_that_only_others_have() {
        for (tab, screen) in LIST {
            let mut app = app();
            app.act(tab.action());
            let help = app.help();
            let has = |says: &str| help.iter().any(|(_, line)| line == says);
            assert!(LIST.iter().all(|(tab, _)| has(tab.help)), "{help:?}");
            for info in app.settings.keys.actions() {
                let own = |screen: &dyn Screen| screen.own_actions().contains(&info.action);
                let elsewhere = LIST.iter().any(|(_, open)| own(&*open()));
                // Of themes the palette tells.
                if matches!(info.action, Action::Theme(_)) {
                    assert!(!has(info.help));
                    continue;
                }
                assert_eq!(has(info.help), own(&*screen()) || !elsewhere, "{} on {}", info.name, tab.title);
            }
        }
    }

    #[test]
    fn a_job_that_is_done_is_told_in_one_sentence() {
        let said = |message: &str| job_notice(JobKind::Tune, End::Done, message).says;
        assert_eq!(
            said("the model has learned from 45 answers. A head is active; log-loss on held-out folds 0.5"),
            "The model has learned from 45 answers (details on Jobs)."
        );
        assert_eq!(said("the model stays"), "The model stays.");
    }

    fn response(outcome: request::Outcome) -> Response {
        Response::of(outcome)
    }

    fn press(app: &mut App, code: KeyCode) -> Vec<Effect> {
        app.update(Message::Key(KeyEvent::new(code, KeyModifiers::NONE)), Instant::now())
    }

    #[test]
    fn a_changed_task_is_told_label_by_label_and_no_key_labels_before_enter() {
        let mut app = app();
        let swapped = "question='?'\n[[label]]\nname='spam'\nkey='2'\n[[label]]\nname='ham'\nkey='1'";
        let revised = Some(Box::new(Task::from_toml(swapped, "t").unwrap()));
        let told = Response { revised, ..response(request::Outcome::Looked) };
        app.update(Message::Session(Box::new(told)), Instant::now());
        press(&mut app, KeyCode::Enter);
        assert!(!app.popups.is_empty(), "it was not on the screen yet");
        let screen = drawn(&mut app, (80, 24));
        assert!(screen.contains("\"spam\" now has the key 2; it had the key 1."), "{screen}");
        assert!(screen.contains("\"ham\" now has the key 1; it had the key 2."), "{screen}");
        for code in
            [KeyCode::Char('1'), KeyCode::Char('2'), KeyCode::Esc, KeyCode::Char('u'), KeyCode::Char('q')]
        {
            assert!(press(&mut app, code).is_empty(), "{code:?}");
            assert!(!app.popups.is_empty() && app.notice.is_none(), "{code:?}");
        }
        press(&mut app, KeyCode::Enter);
        assert!(app.popups.is_empty());
        app.update(Message::Session(Box::new(response(request::Outcome::Looked))), Instant::now());
        assert!(app.popups.is_empty(), "it is told once");
    }

    #[test]
    fn a_note_that_is_being_written_is_finished_before_a_change_is_told() {
        let mut app = app();
        app.over(Popup::field(Field::CaseNumber));
        let renamed =
            "question='?'\n[[label]]\nid='spam'\nname='junk'\nkey='1'\n[[label]]\nname='ham'\nkey='2'";
        let revised = Some(Box::new(Task::from_toml(renamed, "t").unwrap()));
        app.update(
            Message::Session(Box::new(Response { revised, ..response(request::Outcome::Looked) })),
            Instant::now(),
        );
        assert!(matches!(app.popups.top(), Some(Popup::Field { .. })));
        press(&mut app, KeyCode::Esc);
        assert!(matches!(app.popups.top(), Some(Popup::Changes(..))));
    }

    #[test]
    fn a_round_that_becomes_smaller_says_so() {
        let round = |number, cases| RoundProgress { round: number, cases, answered: 0, mine: 0, left: cases };
        let says = |before, now| shrunk(before, now).map(|notice| notice.says);
        assert_eq!(
            says(round(2, 60), round(2, 59)).unwrap(),
            "Round 2 now has 59 cases: 1 case is not needed any more."
        );
        assert_eq!(says(round(2, 60), round(2, 60)), None);
        assert_eq!(says(round(2, 60), round(3, 40)), None);
    }

    #[test]
    fn what_the_answers_before_the_first_round_are_for_is_said_when_it_begins() {
        let at = |round, mine| RoundProgress { round, cases: 6, answered: mine, mine, left: 6 - mine };
        let says = |before, now| first_round_begins(before, now).map(|notice| notice.says);
        let said = says(at(0, 4), at(1, 0)).unwrap();
        assert_eq!(said, "Round 1 begins. Your 4 answers before it are kept: they test the model.");
        assert!(says(at(0, 1), at(1, 0)).unwrap().contains("Your first answer is kept: it tests the model."));
        assert_eq!(says(at(0, 0), at(1, 0)), None);
        assert_eq!(says(at(1, 4), at(2, 0)), None);
    }

    #[test]
    fn an_answer_that_was_undone_is_not_counted_at_the_end() {
        let mut app = app();
        let mut hear = |outcome| {
            app.update(Message::Session(Box::new(response(outcome))), Instant::now());
            app.answered()
        };
        let saved = |changed| request::Outcome::Answered {
            saved: Saved { item: ItemId(1), label: "spam".into(), labels: None, changed, found: false },
            reveal: None,
        };
        let reverted = |labelled| request::Outcome::Reverted {
            what: Reverted {
                item: ItemId(1),
                id: None,
                case: None,
                what: "label spam".into(),
                back: labelled < 0,
                labelled,
            },
            card: None,
        };
        assert_eq!([saved(false), saved(true)].map(&mut hear), [1, 1]);
        assert_eq!([reverted(-1), reverted(-1), reverted(1), reverted(1)].map(&mut hear), [0, 0, 0, 1]);
    }

    #[test]
    fn a_file_that_has_grown_is_told_and_its_new_rows_are_added_by_a_key() {
        let mut app = app();
        let file = |name: &str, new, changed| ChangedFile {
            name: name.into(),
            from: "/p".into(),
            rows: Some(RowsToCome { new, changed }),
        };
        let files = vec![file("messages.csv", 2, 0), file("other.csv", 0, 3)];
        app.update(Message::Job(News::Grown(Grown { files: files.clone(), unread: true })), Instant::now());
        let says = app.notice.as_ref().map(|notice| notice.says.clone());
        let told = "messages.csv has 2 rows more than when it was imported. Type : add-texts and enter to add what is new.";
        assert_eq!(says.as_deref(), Some(told), "this build reads nothing by itself");
        app.shared.about.has_engine = true;
        let unread = || Message::Job(News::Grown(Grown { files: Vec::new(), unread: true }));
        let read = app.update(unread(), Instant::now());
        assert!(matches!(&read[..], [Effect::Start(kinds)] if kinds[..] == [JobKind::Scout]), "{read:?}");
        assert!(app.update(unread(), Instant::now()).is_empty(), "they are being read");
        app.update(Message::Job(News::Grown(Grown { files, unread: false })), Instant::now());
        let effects = app.act(Action::AddTexts);
        assert!(
            matches!(&effects[..], [Effect::AddNew(files)] if files.len() == 1 && files[0].name == "messages.csv")
        );
        assert!(app.act(Action::AddTexts).is_empty(), "they are on their way");
        let says = crate::tui::shared::says_of_change(&file("other.csv", 0, 3), "Press x");
        assert!(
            says.ends_with("3 rows have another text under the same id. To take the other texts: hardcase import --update"),
            "{says}"
        );
    }

    #[test]
    fn a_key_that_does_nothing_on_a_screen_says_so() {
        let mut app = app();
        app.act(Action::Show("progress"));
        for key in ["s", "f", "n", "u", "g", "left", "right"] {
            let action = app.settings.keys.action(Stroke::from_name(key).unwrap()).unwrap();
            app.notice = None;
            assert!(app.act(action).is_empty());
            let says = app.notice.take().map(|notice| notice.says).unwrap_or_default();
            assert!(says.ends_with("does nothing here; ? lists the keys"), "{key}: {says}");
        }
        press(&mut app, KeyCode::F(1));
        assert!(app.notice.as_ref().is_some_and(|notice| notice.says.starts_with("F1 does nothing here")));
        app.go_home();
        app.update(Message::Session(Box::new(no_case())), Instant::now());
        for action in [Action::Skip, Action::Flag, Action::Note, Action::Guideline, Action::Find] {
            app.notice = None;
            app.act(action);
            assert!(app.notice.as_ref().is_some_and(|notice| notice.says.contains("no case")), "{action:?}");
        }
    }

    fn no_case() -> Response {
        let window = request::Window {
            cards: Vec::new(),
            why: Some(crate::desk::shown::NoCase::RoundDone(1)),
            progress: None,
            lack: None,
            agreed: None,
        };
        Response { window: Ok(Some(window)), ..response(request::Outcome::Looked) }
    }

    #[test]
    fn the_next_screen_goes_around_the_list() {
        let mut app = app();
        let around: Vec<usize> = LIST
            .iter()
            .map(|_| {
                app.act(Action::NextScreen);
                app.at
            })
            .collect();
        assert_eq!(around, (1..LIST.len()).chain([0]).collect::<Vec<_>>());
    }
}
