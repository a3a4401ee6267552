//! A person at the terminal, asked line by line: prompts on standard output, answers from standard input, nothing of any terminal's own.
//!
//! Never reads a line that nobody asked for: what is typed ahead stays for whoever asks next.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::dialogue::Person;
use super::output;
use super::watch::Watch;
use crate::domain::fault::{Fault, Result};

/// The keyboard and the screen that belongs to it.
pub(super) struct Keyboard {
    attempted: String,
    asked: Sender<()>,
    heard: Receiver<Heard>,
}

enum Heard {
    Line(String),
    /// The end of the input, or a wish to stop.
    Left,
}

impl Keyboard {
    /// Listens for answers and, through `watch`, for Ctrl-C. `attempted` is what a person who leaves has left undone.
    pub fn prepare(watch: &Watch, attempted: String) -> Self {
        let (asked, wishes) = channel::<()>();
        let (say, heard) = channel();
        let stop = say.clone();
        watch.on_stop(move || drop(stop.send(Heard::Left)));
        // A read of a terminal cannot be called off, so it has a thread of its own, which ends with the process at the latest.
        thread::spawn(move || {
            for () in wishes {
                if say.send(read_line()).is_err() {
                    break;
                }
            }
        });
        Self { attempted, asked, heard }
    }
}

fn read_line() -> Heard {
    let mut line = Vec::new();
    match io::stdin().lock().read_until(b'\n', &mut line) {
        // A line that the end of the input cuts off was not finished by the person.
        Ok(_) if line.ends_with(b"\n") => Heard::Line(String::from_utf8_lossy(&line).into_owned()),
        _ => Heard::Left,
    }
}

impl Person for Keyboard {
    fn ask(&mut self, prompt: &str) -> Result<String> {
        output::prompt(&output::sanitize(prompt))?;
        // The thread is there until it has answered; where it is not, there is no input either.
        let _ = self.asked.send(());
        match self.heard.recv() {
            Ok(Heard::Line(line)) => Ok(line),
            Ok(Heard::Left) | Err(_) => {
                output::print("")?;
                Err(Fault::new(&self.attempted, "the questions were left before the last one")
                    .hint("Nothing was made; the same command asks again"))
            }
        }
    }

    fn say(&mut self, text: &str) -> Result<()> {
        output::print(&output::sanitize(text))
    }
}
