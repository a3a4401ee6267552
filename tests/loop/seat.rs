//! A person at the workstation: the binary at a pseudo-terminal that draws, answers questions, and may lie behind a slow line.
//!
//! Nothing here waits for time to pass, but for something to stand on the screen; only the slow line itself takes its time.

use std::io::{Read, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

use rustix::process::{Pid, Signal, kill_process};

use super::project::{Project, program};

/// Only so that a program that hangs fails its test rather than the whole run.
const PATIENCE: Duration = Duration::from_secs(180);
/// How long a person looks at a case at least.
const GLANCE: Duration = Duration::from_millis(270);
/// How long a person takes to press a key again.
const AGAIN: Duration = Duration::from_millis(350);
/// What a program sends to learn where the cursor is.
const WHERE: &[u8] = b"\x1b[6n";

/// What stands around a frame.
const FRAME_BEGINS: &[u8] = b"\x1b[?2026h";
const FRAME_ENDS: &[u8] = b"\x1b[?2026l";

/// What a seat is like.
#[derive(Clone, Copy, Debug)]
pub struct Setup {
    /// Columns and rows.
    pub size: (u16, u16),
    /// How long everything takes from one end of the line to the other.
    pub delay: Duration,
    /// Whether the terminal says where its cursor is.
    pub answers: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self { size: (80, 24), delay: Duration::ZERO, answers: true }
    }
}

/// The screen as the person sees it.
struct View {
    parser: vt100::Parser,
    /// What came over the line.
    heard: Vec<u8>,
    closed: bool,
}

/// A person, a terminal and the program.
pub struct Seat {
    view: Arc<(Mutex<View>, Condvar)>,
    typed: Sender<(Instant, Vec<u8>)>,
    delay: Duration,
    child: Box<dyn Child + Send + Sync>,
    /// The terminal lasts as long as the seat.
    master: Mutex<Box<dyn MasterPty + Send>>,
}

impl Seat {
    /// Sits down at `hardcase FILE ARGUMENTS` with 80×24.
    pub fn open(project: &Project, arguments: &[&str]) -> Self {
        Self::open_as(project, arguments, Setup::default(), &[])
    }

    /// Sits down at a seat of a certain kind, with more in the environment.
    pub fn open_as(project: &Project, arguments: &[&str], setup: Setup, variables: &[(&str, &str)]) -> Self {
        let file = project.file();
        let all: Vec<&str> = file.to_str().into_iter().chain(arguments.iter().copied()).collect();
        Self::run(project, &all, setup, variables)
    }

    /// Types `hardcase ARGUMENTS` in the project's folder.
    pub fn run(project: &Project, arguments: &[&str], setup: Setup, variables: &[(&str, &str)]) -> Self {
        let (cols, rows) = setup.size;
        let pair = native_pty_system().openpty(PtySize { rows, cols, ..PtySize::default() }).unwrap();
        let program = program();
        let mut command = CommandBuilder::new(program.get_program());
        command.args(arguments);
        command.cwd(project.path(""));
        for (name, value) in program.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            }
        }
        for name in ["TMUX", "STY", "NO_COLOR"] {
            command.env_remove(name);
        }
        command.env("XDG_CONFIG_HOME", project.path("config"));
        command.env("TERM", "xterm-256color");
        for (name, value) in variables {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new(rows.try_into().unwrap(), cols.try_into().unwrap(), 0);
        let view = Arc::new((Mutex::new(View { parser, heard: Vec::new(), closed: false }), Condvar::new()));
        let typed = line_to(pair.master.take_writer().unwrap());
        let sent = line_from(pair.master.try_clone_reader().unwrap(), setup.delay);
        let (seen, answer) = (Arc::clone(&view), typed.clone());
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for (due, bytes) in sent {
                wait_until(due);
                held.extend(bytes);
                let rest = held.split_off(whole_frames(&held));
                show(&seen, &held, |at| {
                    if setup.answers {
                        let _ = answer.send((Instant::now() + setup.delay, at));
                    }
                });
                held = rest;
            }
            seen.0.lock().unwrap().closed = true;
            seen.1.notify_all();
        });
        Self { view, typed, delay: setup.delay, child, master: Mutex::new(pair.master) }
    }

    /// Waits until the program has taken the terminal's other screen, or has given it back.
    #[cfg(target_os = "linux")]
    pub fn see_other_screen(&self, taken: bool) {
        let mut view = self.view.0.lock().unwrap();
        while view.parser.screen().alternate_screen() != taken {
            assert!(!view.closed, "the program ended");
            view = self.view.1.wait_timeout(view, PATIENCE).unwrap().0;
        }
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        self.view.0.lock().unwrap().parser.screen().contents()
    }

    /// The screen itself.
    pub fn drawn(&self) -> vt100::Screen {
        self.view.0.lock().unwrap().parser.screen().clone()
    }

    /// Each line's colours and weights, as runs; lines of plain text have none.
    pub fn styles(&self) -> String {
        let view = self.view.0.lock().unwrap();
        let screen = view.parser.screen();
        let (rows, cols) = screen.size();
        let mut out = String::new();
        for row in 0..rows.get() {
            let style = |col| screen.cell(row, col).map(style_of).unwrap_or_default();
            let mut runs = Vec::new();
            let mut from = 0;
            for col in 1..=cols.get() {
                if col == cols.get() || style(col) != style(from) {
                    let this = style(from);
                    if !this.is_empty() {
                        runs.push(format!("{from}-{} {this}", col - 1));
                    }
                    from = col;
                }
            }
            if !runs.is_empty() {
                out.push_str(&format!("{row:>2}: {}\n", runs.join(", ")));
            }
        }
        out
    }

    /// Bytes that came over the line so far.
    pub fn bytes(&self) -> usize {
        self.view.0.lock().unwrap().heard.len()
    }

    /// What came over the line so far, byte for byte.
    pub fn heard(&self) -> Vec<u8> {
        self.view.0.lock().unwrap().heard.clone()
    }

    /// Types.
    pub fn press(&self, keys: &str) {
        let _ = self.typed.send((Instant::now() + self.delay, keys.as_bytes().to_vec()));
    }

    /// Gives the terminal another size.
    pub fn resize(&self, cols: u16, rows: u16) {
        self.view
            .0
            .lock()
            .unwrap()
            .parser
            .screen_mut()
            .set_size(rows.try_into().unwrap(), cols.try_into().unwrap());
        self.master.lock().unwrap().resize(PtySize { rows, cols, ..PtySize::default() }).unwrap();
    }

    /// Types what was typed before, as fast as a person does.
    pub fn press_again(&self, keys: &str) {
        wait_until(Instant::now() + AGAIN);
        self.press(keys);
    }

    /// Waits until `text` stands on the screen.
    #[track_caller]
    pub fn see(&self, text: &str) -> String {
        self.see_that(text, |screen| screen.contains(text))
    }

    /// Waits until the screen is as wanted.
    #[track_caller]
    pub fn see_that(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        self.see_before_end(what, wanted)
            .unwrap_or_else(|| panic!("never seen: {what}, but:\n{}", self.screen()))
    }

    /// Waits until the screen is as wanted; none where the program ends first.
    #[track_caller]
    pub fn see_before_end(&self, what: &str, wanted: impl Fn(&str) -> bool) -> Option<String> {
        let until = Instant::now() + PATIENCE;
        let mut view = self.view.0.lock().unwrap();
        loop {
            let screen = view.parser.screen().contents();
            if wanted(&screen) {
                return Some(screen);
            }
            if view.closed {
                return None;
            }
            let left = until.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "never seen: {what}, but:\n{screen}");
            view = self.view.1.wait_timeout(view, left).unwrap().0;
        }
    }

    /// The number of the case on the screen.
    pub fn case(&self) -> Option<i64> {
        case_on(&self.screen())
    }

    /// Presses a key until it counts, and returns the screen that says so: one for a case that was not drawn yet is dropped.
    #[track_caller]
    pub fn press_until(&self, keys: &str, wanted: &str) -> String {
        loop {
            wait_until(Instant::now() + GLANCE);
            self.press(keys);
            wait_until(Instant::now() + AGAIN);
            let screen = one_line(&self.screen());
            if screen.contains(wanted) || !screen.contains("was dropped") {
                return self.see_that(wanted, |s| one_line(s).contains(wanted));
            }
        }
    }

    /// Looks at the case, then presses a label's key until the screen says that the answer is saved. Returns the case.
    #[track_caller]
    pub fn answer(&self, key: char) -> i64 {
        self.answer_before_end(key).unwrap_or_else(|| panic!("the program ended:\n{}", self.screen()))
    }

    /// The same; none where the program ends first.
    #[track_caller]
    pub fn answer_before_end(&self, key: char) -> Option<i64> {
        let screen = self.see_before_end("a case", |s| case_on(s).is_some() && !is_saving(s))?;
        let case = case_on(&screen)?;
        // A level of a scale is called by its key.
        let saved = [format!("({key}), case {case},"), format!(": {key}, case {case},")];
        let says_so = |line: &str| saved.iter().any(|saved| line.contains(saved));
        wait_until(Instant::now() + GLANCE);
        loop {
            self.press(&key.to_string());
            let said = |s: &str| {
                let line = one_line(s);
                let dropped = line.contains("was dropped") || line.contains("held down");
                !is_saving(s) && (says_so(&line) || dropped)
            };
            let screen = self.see_before_end("an answer", said)?;
            if says_so(&one_line(&screen)) {
                return Some(case);
            }
            // A person who is told that a key was dropped needs a moment to press it again; another key takes the notice away.
            wait_until(Instant::now() + AGAIN);
            self.press("\x1b[A");
            let gone = |s: &str| !s.contains("was dropped") && !s.contains("held down");
            self.see_before_end("the notice gone", gone)?;
        }
    }

    /// Sends a signal: the line breaks with `HUP`, the program ends at once with `KILL`.
    pub fn signal(&self, signal: Signal) {
        // A program that has ended already needs none.
        let _ = kill_process(Pid::from_raw(self.process().try_into().unwrap()).unwrap(), signal);
    }

    /// The program's process.
    pub fn process(&self) -> u32 {
        self.child.process_id().unwrap()
    }

    /// Waits for the end, however it comes.
    pub fn gone(&mut self) {
        self.child.wait().unwrap();
    }

    /// Waits for the end; the exit code, and what is left on the screen.
    #[track_caller]
    pub fn end(mut self) -> (u32, String) {
        let code = self.child.wait().unwrap().exit_code();
        let mut view = self.view.0.lock().unwrap();
        while !view.closed {
            view = self.view.1.wait_timeout(view, PATIENCE).unwrap().0;
        }
        assert!(!view.parser.screen().alternate_screen(), "the terminal is left on the other screen");
        assert!(!view.parser.screen().bracketed_paste(), "the terminal is left with marked pastes");
        assert!(!view.parser.screen().hide_cursor(), "the terminal is left without a cursor");
        (code, view.parser.screen().contents())
    }
}

/// The screen as one line, for sentences that wrap.
pub fn one_line(screen: &str) -> String {
    screen.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a screen says that an answer is being saved. A text may speak of savings, too.
pub fn is_saving(screen: &str) -> bool {
    screen.lines().map(str::trim).any(|line| line == "saving" || line.starts_with("saving: "))
}

/// The number of the case that a screen shows in its head.
pub fn case_on(screen: &str) -> Option<i64> {
    let line = screen.lines().nth(2)?;
    let at = line.rfind("case ")? + "case ".len();
    line[at..].chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

fn style_of(cell: &vt100::Cell) -> String {
    let mut parts = Vec::new();
    match cell.fgcolor() {
        vt100::Color::Default => {}
        vt100::Color::Idx(n) => parts.push(format!("c{n}")),
        vt100::Color::Rgb(..) => parts.push("rgb".into()),
    }
    for (on, name) in [
        (cell.dim(), "dim"),
        (cell.bold(), "bold"),
        (cell.underline(), "underline"),
        (cell.inverse(), "inverse"),
    ] {
        if on {
            parts.push(name.into());
        }
    }
    parts.join("+")
}

/// What of the bytes can be drawn now: all, or all before a frame that has not come whole.
fn whole_frames(bytes: &[u8]) -> usize {
    let last = |mark: &[u8]| bytes.windows(mark.len()).rposition(|w| w == mark);
    match (last(FRAME_BEGINS), last(FRAME_ENDS)) {
        (Some(begin), end) if end.is_none_or(|end| end < begin) => begin,
        _ => bytes.len(),
    }
}

/// Draws what came, and answers each question for the cursor where it stands.
fn show(view: &(Mutex<View>, Condvar), bytes: &[u8], mut answer: impl FnMut(Vec<u8>)) {
    let mut state: MutexGuard<'_, View> = view.0.lock().unwrap();
    state.heard.extend_from_slice(bytes);
    let mut rest = bytes;
    // The question is short and written at once: it does not come in two pieces.
    while let Some(at) = rest.windows(WHERE.len()).position(|w| w == WHERE) {
        state.parser.process(&rest[..at]);
        let (row, col) = state.parser.screen().cursor_position();
        answer(format!("\x1b[{};{}R", row + 1, col + 1).into_bytes());
        rest = &rest[at + WHERE.len()..];
    }
    state.parser.process(rest);
    view.1.notify_all();
}

/// What the program sends, each piece with the moment at which it arrives.
fn line_from(mut from: Box<dyn Read + Send>, delay: Duration) -> Receiver<(Instant, Vec<u8>)> {
    let (send, sent) = channel();
    std::thread::spawn(move || {
        let mut piece = [0; 65_536];
        // At the end Linux reports an error where other systems report nothing.
        while let Ok(n @ 1..) = from.read(&mut piece) {
            if send.send((Instant::now() + delay, piece[..n].to_vec())).is_err() {
                break;
            }
        }
    });
    sent
}

/// What is typed, each piece with the moment at which it arrives.
fn line_to(mut to: Box<dyn Write + Send>) -> Sender<(Instant, Vec<u8>)> {
    let (send, typed) = channel::<(Instant, Vec<u8>)>();
    std::thread::spawn(move || {
        for (due, bytes) in typed {
            wait_until(due);
            if to.write_all(&bytes).and_then(|()| to.flush()).is_err() {
                break;
            }
        }
    });
    send
}

#[expect(clippy::disallowed_methods, reason = "this is the slow line itself")]
fn wait_until(due: Instant) {
    let left = due.saturating_duration_since(Instant::now());
    if !left.is_zero() {
        std::thread::sleep(left);
    }
}
