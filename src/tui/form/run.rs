//! A form that has the terminal to itself: the loop that sleeps until something comes, changes the form, and draws it.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver};

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::cells::Page;
use super::state::{Form, Turn};
use super::view::{draw, fits};
use crate::desk::draft_file;
use crate::desk::survey;
use crate::desk::survey::Data;
use crate::desk::worker::Worker;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::project_draft::ProjectDraft;
use crate::domain::read_options::{Opener, ReadOptions};
use crate::domain::sanitize::sanitize;
use crate::tui::hits::Hits;
use crate::tui::input::Input;
use crate::tui::message::Message;
use crate::tui::run::watch_signals;
use crate::tui::settings::Settings;
use crate::tui::terminal::{Display, Mouse, give_back};
use crate::tui::theme::Theme;
use crate::tui::widgets::frame::{Look, Notice};

/// A project to be described.
pub struct NewProject<'a> {
    /// The file with its texts, or the folder.
    pub data: &'a Path,
    /// Opens the texts of a folder.
    pub folder: Option<Opener>,
    /// How the file is to be read, as far as that was said.
    pub given: ReadOptions,
    /// What is known already.
    pub draft: ProjectDraft,
    /// Where the draft is kept until the project is made.
    pub kept_in: Option<PathBuf>,
    /// What to say first: that a draft was found, or why the project could not be made.
    pub says: Option<Says>,
    pub settings: Settings,
}

/// A form that was filled in and confirmed.
pub struct Filled {
    pub draft: ProjectDraft,
    /// How the file is to be read.
    pub read: ReadOptions,
    /// What values of the columns with labels stand for, as `import --map` takes it.
    pub map: Vec<String>,
}

/// What a form opens with.
pub enum Says {
    GoesOn,
    Failed(String),
}

/// Asks for everything a project needs. Returns that, and how the file is to be read; none if the person leaves. What was typed is kept.
///
/// # Errors
/// A terminal that fails.
pub fn fill(new: NewProject<'_>) -> Result<Option<Filled>> {
    let attempted = format!("make the project {}", new.draft.project);
    let failed = |e: io::Error| Fault::new(&attempted, io_reason(&e)).because(e);
    let (to, messages) = mpsc::channel();
    let survey = {
        let to = to.clone();
        survey::start(Data { path: new.data.to_owned(), folder: new.folder }, move |answer| {
            drop(to.send(Message::Survey(answer)))
        })?
    };
    // A form has nothing to save but its draft, which is kept on every way out.
    watch_signals(to.clone(), Arc::default()).map_err(failed)?;
    let display = Display::take(new.settings.mouse).map_err(failed)?;
    let _input = Input::start(to).map_err(failed)?;
    let mut form = Form::new(new.draft, &Page::ALL);
    form.notice = new.says.map(|says| match says {
        Says::GoesOn => Notice::good("You began this before: it goes on where you left it.".into()),
        Says::Failed(why) => Notice::bad(why),
    });
    form.sheet.place = draft_file::place_fault(Path::new(&form.sheet.draft.project));
    if form.notice.is_none() {
        form.notice = form.sheet.place.clone().map(Notice::warning);
    }
    let title = sanitize(&new.data.file_name().unwrap_or_default().to_string_lossy());
    let theme = Theme::of(new.settings.theme);
    let mut desk = Desk {
        form,
        display,
        survey,
        given: new.given,
        kept_in: new.kept_in,
        title,
        theme,
        settings: new.settings,
        hits: Hits::default(),
        fits: true,
    };
    let confirmed = desk.turn(&messages).map_err(failed)?;
    desk.keep();
    let read = desk.form.sheet.options(&desk.given);
    let map = desk.form.sheet.map();
    Ok(confirmed.then_some(Filled { draft: desk.form.sheet.draft, read, map }))
}

struct Desk {
    form: Form,
    display: Display,
    survey: Worker<survey::Question>,
    given: ReadOptions,
    kept_in: Option<PathBuf>,
    title: String,
    theme: Theme,
    settings: Settings,
    hits: Hits,
    /// Whether the window has room for the form: what is not shown cannot be filled in.
    fits: bool,
}

impl Desk {
    /// Whether the form was confirmed.
    fn turn(&mut self, messages: &Receiver<Message>) -> io::Result<bool> {
        self.ask();
        loop {
            if Display::is_broken() {
                return Ok(false);
            }
            let hits = (self.settings.mouse == Mouse::Used).then_some(&self.hits);
            self.hits.clear();
            let look = Look { theme: &self.theme, keys: &self.settings.keys, hits };
            self.display.draw(|frame| {
                self.fits = fits(frame.area());
                draw(frame, &mut self.form, &self.title, look);
            })?;
            let Ok(first) = messages.recv() else { return Ok(false) };
            // What else waits changes the form before the next drawing.
            let mut next = Some(first);
            while let Some(message) = next {
                if let Some(confirmed) = self.take(message)? {
                    return Ok(confirmed);
                }
                next = messages.try_recv().ok();
            }
        }
    }

    /// Takes a message. Once the form is finished, whether it was confirmed.
    fn take(&mut self, message: Message) -> io::Result<Option<bool>> {
        let turn = match message {
            Message::Key(key) if !self.fits => leaves(&key),
            Message::Key(key) => self.form.key(&key),
            Message::Mouse(mouse) if self.fits => {
                self.form.mouse(mouse.kind, self.hits.at(mouse.column, mouse.row))
            }
            Message::Paste(_) if !self.fits => Turn::Stays,
            Message::Paste(text) => self.form.paste(&text),
            Message::Survey(answer) => {
                if self.form.hear(answer) {
                    Turn::Changed { rereads: true }
                } else {
                    Turn::Stays
                }
            }
            Message::HungUp => {
                self.form.finish_typing();
                Turn::Leaves
            }
            Message::Continued => {
                self.display.retake()?;
                Turn::Stays
            }
            Message::Stopped => Turn::Suspends,
            _ => Turn::Stays,
        };
        match turn {
            Turn::Stays => {}
            Turn::Changed { rereads } => {
                self.keep();
                self.form.sheet.place = draft_file::place_fault(Path::new(&self.form.sheet.draft.project));
                if rereads {
                    self.ask();
                }
            }
            Turn::Leaves => return Ok(Some(false)),
            Turn::Confirms => return Ok(Some(true)),
            Turn::Redraws => self.display.forget()?,
            Turn::Suspends => {
                give_back();
                // The signal that cannot be handled: the terminal is given back already.
                let _ =
                    rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
                self.display.retake()?;
            }
        }
        Ok(None)
    }

    fn ask(&mut self) {
        self.survey.send(self.form.question(&self.given));
    }

    /// Keeps the draft. Where that fails, the form goes on without, and says so.
    fn keep(&mut self) {
        if let Some(place) = &self.kept_in
            && let Err(fault) = draft_file::keep(place, &self.form.sheet.draft)
        {
            self.form.notice = Some(Notice::warning(fault.to_string()));
        }
    }
}

/// In a window that is too small, one can only leave or stop.
fn leaves(key: &KeyEvent) -> Turn {
    match (key.code, key.modifiers) {
        (KeyCode::Char('q'), _) | (KeyCode::Char('c'), KeyModifiers::CONTROL) => Turn::Leaves,
        (KeyCode::Char('z'), KeyModifiers::CONTROL) => Turn::Suspends,
        _ => Turn::Stays,
    }
}
