//! A page that is read, and the form in which the lead changes the task.

use std::time::Instant;

use ratatui::Frame;
use ratatui::crossterm::event::{MouseButton, MouseEventKind};
use ratatui::layout::Rect;

use super::view::page;
use crate::desk::request::{DisputeOutcome, DisputeRequest, Outcome, Request};
use crate::desk::task_change::{Standing, standing};
use crate::insight::project::{Project, project};
use crate::tui::effect::Effect;
use crate::tui::form::{Form, Turn, draw_below_bar};
use crate::tui::hits::{Target, WHEEL};
use crate::tui::keys::Action;
use crate::tui::message::Message;
use crate::tui::screen::{Pressed, Received, Screen, Then, View};
use crate::tui::shared::Shared;
use crate::tui::widgets::async_page::AsyncPage;
use crate::tui::widgets::frame::{Notice, below, foot};

#[derive(Debug, Default)]
pub(in crate::tui) struct ProjectScreen {
    page: AsyncPage<Project>,
    /// The task as it was when the person wanted to change it.
    standing: AsyncPage<Standing>,
    /// The form, once it was opened; kept when it is left, so that nothing that was typed is lost.
    form: Option<Form>,
    is_open: bool,
}

impl Screen for ProjectScreen {
    fn draw(&mut self, frame: &mut Frame<'_>, area: Rect, view: View<'_>) {
        if let (Some(form), true) = (&mut self.form, self.is_open) {
            return draw_below_bar(frame, area, form, view.look);
        }
        let hints = [
            (Action::Help, "help"),
            (Action::Open, "change the task"),
            (Action::Down, "scroll"),
            (Action::Back, "back to the case"),
            (Action::NextScreen, "screens"),
            (Action::Quit, "quit"),
        ];
        let said = self.page.said(view);
        let [body, foot_area] = below(area, said);
        self.page.draw_body(frame, body, view, |project, size| page(project, size.width, view.look));
        foot(frame, foot_area, said, &hints, view.look);
    }

    fn act(&mut self, action: Action, _: &Shared) -> Vec<Then> {
        if action == Action::Open { self.standing.request(standing) } else { self.page.act(action) }
    }

    fn refresh(&mut self) -> Vec<Then> {
        self.page.request(|file, _| project(file))
    }

    fn key(&mut self, key: Pressed<'_>, _: &Shared, _: Instant) -> Option<Vec<Then>> {
        let form = self.form.as_mut().filter(|_| self.is_open)?;
        let turn = form.key(key.event);
        Some(self.turned(turn))
    }

    fn click(&mut self, target: Target, _: &Shared, _: Instant) -> Vec<Then> {
        let Some(form) = self.form.as_mut().filter(|_| self.is_open) else { return Vec::new() };
        let turn = form.mouse(MouseEventKind::Down(MouseButton::Left), Some(target));
        self.turned(turn)
    }

    fn wheel(&mut self, way: Action, _: Option<Target>, _: &Shared) -> Vec<Then> {
        let Some(form) = self.form.as_mut().filter(|_| self.is_open) else {
            for _ in 0..WHEEL {
                self.page.act(way);
            }
            return Vec::new();
        };
        let kind = if way == Action::Up { MouseEventKind::ScrollUp } else { MouseEventKind::ScrollDown };
        let turn = form.mouse(kind, None);
        self.turned(turn)
    }

    fn paste(&mut self, text: &str) -> Option<Vec<Then>> {
        let turn = self.form.as_mut().filter(|_| self.is_open)?.paste(text);
        Some(self.turned(turn))
    }

    fn receive(&mut self, message: Message, _: &Shared, _: Instant) -> Received {
        match message {
            Message::Session(response) => match response.outcome {
                Ok(Outcome::Dispute(DisputeOutcome::TaskChanged(changed))) => {
                    Received::Taken(self.take_changed(changed))
                }
                _ => Received::NotMine(Message::Session(response)),
            },
            other => match self.standing.receive(other) {
                Received::Taken(_) => Received::Taken(self.open_form()),
                Received::NotMine(other) => self.page.receive(other),
            },
        }
    }
}

impl ProjectScreen {
    /// The task was read: the lead may change it.
    fn open_form(&mut self) -> Vec<Then> {
        let Some(standing) = self.standing.content.take() else {
            return vec![Notice::bad("The task could not be read. Press enter again.".into()).into()];
        };
        if !standing.may_change {
            let says =
                format!("Only {} may change the task, who leads the project.", standing.leads.join(" or "));
            return vec![Notice::warning(says).into()];
        }
        let goes_on = self
            .form
            .as_ref()
            .and_then(|form| form.sheet.standing.as_ref())
            .is_some_and(|before| before.task == standing.task);
        match &mut self.form {
            Some(form) if goes_on => form.sheet.standing = Some(*standing),
            _ => self.form = Some(Form::of_task(*standing)),
        }
        self.is_open = true;
        Vec::new()
    }

    /// What is to be done after the form has taken something.
    fn turned(&mut self, turn: Turn) -> Vec<Then> {
        let Some(form) = &self.form else { return Vec::new() };
        match turn {
            Turn::Stays | Turn::Changed { .. } => Vec::new(),
            Turn::Leaves => {
                self.is_open = false;
                let says = if form.sheet.changes().is_empty() {
                    "The task is as it was.".into()
                } else {
                    "The task is as it was. What you typed is still there: enter goes on with it.".into()
                };
                vec![Notice::quiet(says).into()]
            }
            Turn::Confirms => match (&form.sheet.standing, form.sheet.draft.task.to_task()) {
                (Some(standing), Ok(after)) => {
                    let tasks = Box::new((standing.task.clone(), after));
                    vec![Effect::Session(Request::Dispute(DisputeRequest::ChangeTask(tasks))).into()]
                }
                _ => Vec::new(),
            },
            Turn::Suspends => vec![Effect::Suspend.into()],
            Turn::Redraws => vec![Effect::Redraw.into()],
        }
    }

    fn take_changed(&mut self, changed: Result<i64, String>) -> Vec<Then> {
        match changed {
            Ok(number) => {
                (self.form, self.is_open) = (None, false);
                let mut then = self.refresh();
                then.push(Notice::good(format!("The task is changed: version {number}.")).into());
                then
            }
            Err(why) => {
                if let Some(form) = &mut self.form {
                    form.notice = Some(Notice::bad(why));
                }
                Vec::new()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

    use super::*;
    use crate::desk::pages::Page;
    use crate::desk::request::{ReplyTo, Response};
    use crate::domain::task::Task;
    use crate::tui::about::About;

    fn task() -> Task {
        let toml = "question='Spam?'\n[[label]]\nname='spam'\nkey='1'\n[[label]]\nname='ham'\nkey='2'";
        Task::from_toml(toml, "t").unwrap()
    }

    fn opened(may_change: bool) -> (ProjectScreen, Shared, Vec<Then>) {
        let about = About {
            project: "p".into(),
            file: "/p/x.hardcase".into(),
            expert: "ada".into(),
            task: task(),
            has_engine: false,
            label_uses: Default::default(),
        };
        let (mut screen, shared) = (ProjectScreen::default(), Shared::new(about));
        screen.act(Action::Open, &shared);
        let answers = BTreeMap::from([("spam".to_owned(), 3)]);
        let standing = Standing {
            task: task(),
            answers,
            may_change,
            leads: vec!["Grace".into()],
            columns: vec![("who".into(), true)],
        };
        let Received::Taken(then) =
            screen.receive(Message::Page(Page::new(Ok(standing))), &shared, Instant::now())
        else {
            panic!("it is for this screen")
        };
        (screen, shared, then)
    }

    fn press(screen: &mut ProjectScreen, shared: &Shared, keys: &str) -> Vec<Then> {
        let mut then = Vec::new();
        for c in keys.chars() {
            let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
            let event = KeyEvent::new(code, KeyModifiers::NONE);
            then = screen
                .key(Pressed { event: &event, stroke: None }, shared, Instant::now())
                .unwrap_or_default();
        }
        then
    }

    #[test]
    fn who_does_not_lead_is_told_who_does() {
        let (screen, _, then) = opened(false);
        assert!(matches!(&then[..], [Then::Say(notice)] if notice.says.contains("Only Grace")), "{then:?}");
        assert!(!screen.is_open);
    }

    #[test]
    fn a_label_is_added_and_another_renamed_and_what_was_typed_outlives_leaving() {
        let (mut screen, shared, _) = opened(true);
        assert!(press(&mut screen, &shared, "3\n").is_empty(), "nothing is changed yet");
        press(&mut screen, &shared, "2aodd\n");
        press(&mut screen, &shared, "q");
        assert!(screen.is_open, "no letter leaves at once");
        press(&mut screen, &shared, "y");
        assert!(!screen.is_open);
        screen.act(Action::Open, &shared);
        let standing = Standing {
            task: task(),
            answers: BTreeMap::new(),
            may_change: true,
            leads: Vec::new(),
            columns: Vec::new(),
        };
        screen.receive(Message::Page(Page::new(Ok(standing))), &shared, Instant::now());
        let then = press(&mut screen, &shared, "3\n");
        let [Then::Do(Effect::Session(Request::Dispute(DisputeRequest::ChangeTask(tasks))))] = &then[..]
        else {
            panic!("{then:?}")
        };
        let names: Vec<&str> = tasks.1.labels.iter().map(|label| label.name.as_str()).collect();
        assert_eq!(names, ["spam", "odd", "ham"]);
        let says = |changed| {
            let outcome = Ok(Outcome::Dispute(DisputeOutcome::TaskChanged(changed)));
            Message::Session(Box::new(Response {
                reply_to: ReplyTo::Other,
                outcome,
                window: Ok(None),
                revised: None,
            }))
        };
        screen.receive(says(Err("somebody else".into())), &shared, Instant::now());
        assert!(screen.is_open, "a change that failed stays on the screen");
        screen.receive(says(Ok(2)), &shared, Instant::now());
        assert!(!screen.is_open && screen.form.is_none());
    }
}
