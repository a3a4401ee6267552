//! The thread that reads the terminal. It sleeps until something is typed, or until it is to ask the terminal a question.

use std::io::{self, Read, Write};
use std::sync::mpsc::{self, Sender};
use std::time::Duration;

use ratatui::crossterm::cursor;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::crossterm::terminal;
use rustix::event::{PollFd, PollFlags, poll};

use super::message::Message;
use super::screens::case::attention::Nonce;
use super::terminal::place_of;

/// How long to look for more of what has been typed. With no time at all crossterm's level-triggered reader does not look.
const LOOK: Duration = Duration::from_millis(1);

/// How often an answer to an earlier question is read before this one counts as unanswered.
const STALE_ANSWERS: usize = 3;

/// The way to the reading thread.
pub(super) struct Input {
    questions: Sender<Nonce>,
    bell: io::PipeWriter,
}

impl Input {
    /// Starts reading; what is read goes to `to`.
    pub fn start(to: Sender<Message>) -> io::Result<Self> {
        let (heard, bell) = io::pipe()?;
        let (questions, asked) = mpsc::channel();
        std::thread::Builder::new().name("input".into()).spawn(move || {
            // Any failure to read, such as a lost connection or a closed terminal, ends the session.
            if read(heard, &asked, &to).is_err() {
                let _ = to.send(Message::HungUp);
            }
        })?;
        Ok(Self { questions, bell })
    }

    /// Asks the terminal where its cursor is. The answer comes as a message, after all that was typed before it.
    pub fn ask(&self, nonce: Nonce) -> io::Result<()> {
        if self.questions.send(nonce).is_ok() {
            (&self.bell).write_all(&[0])?;
        }
        Ok(())
    }
}

fn read(mut heard: io::PipeReader, asked: &mpsc::Receiver<Nonce>, to: &Sender<Message>) -> io::Result<()> {
    loop {
        pass_on(to)?;
        let rang = {
            let stdin = io::stdin();
            let mut fds = [PollFd::new(&stdin, PollFlags::IN), PollFd::new(&heard, PollFlags::IN)];
            match poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(e) => return Err(e.into()),
            }
            let typed = fds[0].revents();
            if typed.intersects(PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL) {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            !fds[1].revents().is_empty()
        };
        if rang {
            if heard.read(&mut [0; 64])? == 0 {
                return Ok(());
            }
            // Only the newest question is still of interest.
            if let Some(nonce) = asked.try_iter().last() {
                let seen = answered(nonce);
                // What arrived together with the answer was typed before the answer could have an effect.
                pass_on(to)?;
                let answer = if seen { Message::CursorReported(nonce) } else { Message::CursorUnknown };
                if to.send(answer).is_err() {
                    return Ok(());
                }
            }
        }
    }
}

/// Asks, and waits for the answer. What is typed meanwhile is kept in order.
fn answered(nonce: Nonce) -> bool {
    for _ in 0..STALE_ANSWERS {
        let Ok(size) = terminal::size() else { return false };
        match cursor::position() {
            Ok(at) if at == place_of(nonce, size) => return true,
            Ok(_) => {}
            Err(_) => return false,
        }
    }
    // Something else moved the cursor, but the answer did arrive.
    true
}

/// Passes on what has been typed.
fn pass_on(to: &Sender<Message>) -> io::Result<()> {
    while event::poll(LOOK)? {
        let message = match event::read()? {
            Event::Key(key) if key.kind != KeyEventKind::Release => Message::Key(key),
            // A terminal pastes the ends of lines as it sends the key enter.
            Event::Paste(text) => Message::Paste(text.replace("\r\n", "\n").replace('\r', "\n")),
            Event::Mouse(mouse) => Message::Mouse(mouse),
            Event::Resize(..) => Message::Resized,
            _ => continue,
        };
        if to.send(message).is_err() {
            break;
        }
    }
    Ok(())
}
