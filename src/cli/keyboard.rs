//! Asks a person at the terminal line by line: prompts go to standard output, answers come from standard input, with no terminal control.
//!
//! Never reads a line that was not asked for: what is typed ahead stays in the input for the next question.

use std::io::{self, BufRead};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use super::output;
use super::questions::Person;
use super::watch::Watch;
use crate::domain::fault::{Fault, Result};

pub(super) struct Keyboard {
    attempted: String,
    ask: Sender<()>,
    answers: Receiver<Input>,
}

enum Input {
    Line(String),
    /// The end of the input, or Ctrl-C.
    Left,
}

impl Keyboard {
    /// Starts listening for answers and, through `watch`, for Ctrl-C. `attempted` is for the error when the person leaves.
    pub fn prepare(watch: &Watch, attempted: String) -> Self {
        let (ask, questions) = channel::<()>();
        let (sender, answers) = channel();
        let stop = sender.clone();
        watch.on_stop(move || drop(stop.send(Input::Left)));
        // A blocking read of a terminal cannot be cancelled, so it has a thread of its own, which ends with the process at the latest.
        thread::spawn(move || {
            for () in questions {
                if sender.send(read_line()).is_err() {
                    break;
                }
            }
        });
        Self { attempted, ask, answers }
    }
}

fn read_line() -> Input {
    let mut line = Vec::new();
    match io::stdin().lock().read_until(b'\n', &mut line) {
        // A last line without a line feed was not finished by the person.
        Ok(_) if line.ends_with(b"\n") => Input::Line(String::from_utf8_lossy(&line).into_owned()),
        _ => Input::Left,
    }
}

impl Person for Keyboard {
    fn ask(&mut self, prompt: &str) -> Result<String> {
        output::prompt(&output::sanitize(prompt))?;
        // The thread lives until it has answered; without it there is no input either.
        let _ = self.ask.send(());
        match self.answers.recv() {
            Ok(Input::Line(line)) => Ok(line),
            Ok(Input::Left) | Err(_) => {
                output::print("")?;
                Err(Fault::new(&self.attempted, "you left before the last question")
                    .hint("Nothing was made. Run the same command to start over"))
            }
        }
    }

    fn say(&mut self, text: &str) -> Result<()> {
        output::print(&output::sanitize(text))
    }
}
