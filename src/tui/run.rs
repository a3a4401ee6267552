//! The loop: sleep until a message comes, let the state take all that wait, draw once, carry out what it asks for.

use std::collections::VecDeque;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGCONT, SIGHUP, SIGINT, SIGTERM, SIGTSTP, SIGWINCH};
use signal_hook::iterator::Signals;

use super::about::About;
use super::app::App;
use super::effect::Effect;
use super::input::Input;
use super::message::Message;
use super::settings::{Settings, keep_theme};
use super::terminal::{Display, give_back};
use super::widgets::frame::Notice;
use super::widgets::text_layout::drawable;
use crate::desk::browse::Browser;
use crate::desk::jobs::Jobs;
use crate::desk::pages;
use crate::desk::pages::PageRequest;
use crate::desk::request;
use crate::desk::request::Request;
use crate::desk::session::{OnClose, Session};
use crate::desk::worker::Worker;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::sanitize::sanitize;

/// What the workstation is opened on.
pub struct Opening<'a> {
    pub project: &'a Path,
    /// The expert's name.
    pub expert: &'a str,
    pub settings: Settings,
}

/// How long what was asked for may take to be saved once the person leaves. With what a system needs to end a process, that is below two seconds.
const GRACE: Duration = Duration::from_millis(1_200);

/// Opens the workstation and returns when the person leaves it, with the signal that asked it to end, if one did (a line that is gone counts as a
/// hang-up), and with how many cases were answered.
///
/// # Errors
/// No terminal, no project that can be opened, a terminal that fails, or something that could not be saved before it had to end.
pub fn run(opening: Opening<'_>) -> (Option<i32>, Result<usize>) {
    let signal = Arc::new(AtomicI32::new(0));
    let left = run_until(opening, &signal);
    // A part that failed ends the session by a signal of its own.
    let by = Some(signal.load(Ordering::Relaxed)).filter(|signal| *signal != 0 && !Display::is_broken());
    (by, left)
}

fn run_until(opening: Opening<'_>, signal: &Arc<AtomicI32>) -> Result<usize> {
    let attempted = "open the workstation";
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Err(Fault::usage(attempted, "standard input and output are not a terminal")
            .hint("Run it in a terminal, or use `hardcase next` and `hardcase answer` in scripts"));
    }
    let failed = |e: io::Error| Fault::new(attempted, io_reason(&e)).because(e);
    let session = Session::open(opening.project, opening.expert, OnClose::ReleaseCases)?;
    let welcome = session.welcome(opening.expert);
    let name = opening.project.file_name().unwrap_or_default().to_string_lossy();
    let about = About {
        project: sanitize(&name),
        file: std::path::absolute(opening.project).unwrap_or_else(|_| opening.project.to_owned()),
        expert: sanitize(opening.expert),
        task: session.task().clone(),
        label_uses: session.label_uses()?,
        has_engine: cfg!(feature = "engine"),
    };
    let (to, messages) = mpsc::channel();
    let jobs = {
        let to = to.clone();
        Jobs::new(opening.project, opening.expert, move |news| drop(to.send(Message::Job(news))))?
    };
    let desk = {
        let to = to.clone();
        request::start(session, move |response| drop(to.send(Message::Session(Box::new(response)))))?
    };
    let browser = {
        let to = to.clone();
        Browser::start(opening.project, opening.expert, move |found| drop(to.send(Message::Browse(found))))?
    };
    let pages = {
        let to = to.clone();
        pages::start(opening.project, opening.expert, move |page| drop(to.send(Message::Page(page))))?
    };
    jobs.follow()?;
    watch_signals(to.clone(), Arc::clone(signal)).map_err(failed)?;
    let display = Display::take(opening.settings.mouse).map_err(failed)?;
    let input = Input::start(to).map_err(failed)?;
    let mut app = App::new(about, opening.settings);
    if let Some(says) = welcome {
        app.tell(Notice::warning(drawable(&says)));
    }
    let mut station = Station {
        app,
        display,
        input,
        desk,
        browser,
        jobs,
        pages,
        signal: Arc::clone(signal),
        to_save: VecDeque::new(),
    };
    let turned = station.turn(&messages);
    // A terminal that is gone is noticed at the first write to it: the session ends as at a hang-up.
    if turned.as_ref().is_err_and(is_gone) {
        let _ = signal.compare_exchange(0, SIGHUP, Ordering::Relaxed, Ordering::Relaxed);
    }
    let turned = if signal.load(Ordering::Relaxed) == 0 { turned.map_err(failed) } else { Ok(()) };
    let (parting, answered) = (station.app.parting(), station.app.answered());
    let Station { display, input, desk, mut to_save, .. } = station;
    drop((display, input));
    // Ends the session, which may find that its project was taken away, or that another process holds the file.
    let ended = desk.end_within(GRACE);
    let mut last = None;
    for message in messages.try_iter() {
        if let Message::Session(response) = message {
            to_save.pop_front();
            last = last.or(response.outcome.err().filter(Fault::is_displaced));
        }
    }
    let unsaved: Vec<String> = to_save.into_iter().flatten().collect();
    if !ended && !unsaved.is_empty() {
        return Err(Fault::new(
            format!("save {}", unsaved.join(", ")),
            "another process holds the project, and the workstation had to end",
        )
        .hint("Everything else that was reported as saved is saved. Do this again"));
    }
    if let Some(fault) = parting.or(last) {
        return Err(fault.while_trying(format!("go on with {}", opening.project.display())));
    }
    turned?;
    if Display::is_broken() {
        return Err(Fault::new("go on", "a part of the program failed unexpectedly (see above)").hint(
            "Everything reported as saved is saved. Open the project again, and report the message above",
        ));
    }
    Ok(answered)
}

/// Whether there is no terminal any more.
fn is_gone(e: &io::Error) -> bool {
    e.kind() == io::ErrorKind::BrokenPipe || e.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error())
}

/// Why the screen ends where no job can be started.
fn no_threads(fault: Fault) -> io::Error {
    io::Error::other(fault.to_string())
}

/// Passes on the signals that a screen has to know of, and keeps the first that asks to end.
pub(super) fn watch_signals(to: Sender<Message>, ended_by: Arc<AtomicI32>) -> io::Result<()> {
    let mut signals = Signals::new([SIGHUP, SIGTERM, SIGINT, SIGCONT, SIGTSTP, SIGWINCH])?;
    std::thread::Builder::new().name("signals".into()).spawn(move || {
        for signal in signals.forever() {
            let message = match signal {
                SIGCONT => Message::Continued,
                SIGTSTP => Message::Stopped,
                SIGWINCH => Message::Resized,
                end => {
                    // The first one counts.
                    let _ = ended_by.compare_exchange(0, end, Ordering::Relaxed, Ordering::Relaxed);
                    Message::HungUp
                }
            };
            if to.send(message).is_err() {
                break;
            }
        }
    })?;
    Ok(())
}

struct Station {
    app: App,
    display: Display,
    input: Input,
    desk: Worker<Request>,
    browser: Browser,
    jobs: Jobs,
    pages: Worker<PageRequest>,
    /// What asked the program to end; 0 while nothing has.
    signal: Arc<AtomicI32>,
    /// What the session was asked and has not answered yet, in order: in words, where there is something to save.
    to_save: VecDeque<Option<String>>,
}

impl Station {
    fn turn(&mut self, messages: &Receiver<Message>) -> io::Result<()> {
        for effect in self.app.opening() {
            self.carry_out(effect)?;
        }
        loop {
            if Display::is_broken() {
                return Ok(());
            }
            self.draw()?;
            if self.app.is_leaving() {
                return Ok(());
            }
            if !self.wait(messages)? {
                return Ok(());
            }
        }
    }

    fn draw(&mut self) -> io::Result<()> {
        self.display.draw(|frame| self.app.draw(frame))?;
        let effects = self.app.drawn(Instant::now());
        self.carry_out_all(effects)
    }

    /// Sleeps until something happens, and takes all that has. False once nothing can happen any more.
    fn wait(&mut self, messages: &Receiver<Message>) -> io::Result<bool> {
        let first = match self.app.deadline() {
            None => messages.recv().map_err(|_| RecvTimeoutError::Disconnected),
            Some(until) => messages.recv_timeout(until.saturating_duration_since(Instant::now())),
        };
        match first {
            Ok(message) => self.take(message)?,
            Err(RecvTimeoutError::Disconnected) => return Ok(false),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let effects = self.app.tick(Instant::now());
        self.carry_out_all(effects)?;
        // What else waits changes the state before the next drawing. Keys for a case that has just changed do not count until it
        // is drawn.
        while let Ok(message) = messages.try_recv() {
            self.take(message)?;
        }
        Ok(true)
    }

    fn take(&mut self, message: Message) -> io::Result<()> {
        let is_another_size = matches!(message, Message::Resized);
        match &message {
            Message::Session(_) => drop(self.to_save.pop_front()),
            Message::HungUp => {
                let _ = self.signal.compare_exchange(0, SIGHUP, Ordering::Relaxed, Ordering::Relaxed);
            }
            _ => {}
        }
        let effects = self.app.update(message, Instant::now());
        self.carry_out_all(effects)?;
        // A frame of the old size tells nothing of what is on the screen: what is typed next is for the new one.
        if is_another_size { self.draw() } else { Ok(()) }
    }

    fn carry_out_all(&mut self, effects: Vec<Effect>) -> io::Result<()> {
        effects.into_iter().try_for_each(|effect| self.carry_out(effect))
    }

    fn carry_out(&mut self, effect: Effect) -> io::Result<()> {
        match effect {
            Effect::Session(request) => {
                self.to_save.push_back(request.to_save());
                self.desk.send(request);
            }
            Effect::Browse(request) => self.browser.send(request),
            Effect::Read(page) => self.pages.send(page),
            Effect::AskCursor(nonce) => {
                self.display.mark(nonce)?;
                self.input.ask(nonce)?;
            }
            Effect::LookForNew => self.jobs.look_for_new().map_err(no_threads)?,
            Effect::AddNew(files) => self.jobs.add_new(&files).map_err(no_threads)?,
            Effect::Start(kinds) => self.jobs.start(kinds).map_err(no_threads)?,
            Effect::ListJudges => self.jobs.list_judges().map_err(no_threads)?,
            Effect::Judge(model) => self.jobs.judge(&model).map_err(no_threads)?,
            Effect::CountResults(results) => self.jobs.count_results(results).map_err(no_threads)?,
            Effect::AssessResults => self.jobs.assess().map_err(no_threads)?,
            Effect::WriteResults(wanted) => self.jobs.write_results(*wanted).map_err(no_threads)?,
            Effect::KeepTheme(name) => {
                let kept = keep_theme(self.app.settings_file(), name);
                self.app.tell(match kept {
                    Ok(says) if std::env::var_os("NO_COLOR").is_some_and(|set| !set.is_empty()) => {
                        Notice::warning(format!("{says} NO_COLOR is set: the next start has no colours."))
                    }
                    Ok(says) => Notice::good(says),
                    Err(fault) => Notice::bad(fault.to_string()),
                });
            }
            Effect::Follow => {
                // If no thread can be started, the next check tries again.
                let _ = self.jobs.follow();
            }
            Effect::Stop => self.jobs.stop(),
            Effect::Redraw => self.display.forget()?,
            Effect::Retake => self.display.retake()?,
            Effect::Suspend => self.suspend()?,
        }
        Ok(())
    }

    /// Gives the terminal back and stops; goes on where it was once the shell says so.
    fn suspend(&mut self) -> io::Result<()> {
        give_back();
        // The signal that cannot be handled: the terminal is given back already.
        let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::STOP);
        self.display.retake()
    }
}
