//! How a person at a plain terminal is asked one thing: a prompt, a line, and either its meaning or one sentence that says what to type instead.

use crate::domain::fault::Result;

/// Typed to clear an optional answer, or to remove a label from an earlier run of the questions.
pub(super) const CLEAR: &str = "-";
/// Typed for the question before.
pub(super) const BACK: &str = "<";
/// Prompts repeat an earlier answer up to this many characters.
pub(super) const MAX_DEFAULT: usize = 50;

/// The person who answers.
pub(super) trait Person {
    /// Prints a prompt and waits for a line.
    ///
    /// # Errors
    /// The person leaves.
    fn ask(&mut self, prompt: &str) -> Result<String>;

    fn say(&mut self, text: &str) -> Result<()>;
}

/// What came of a question.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply<T> {
    Said(T),
    /// The person wants the question before it again.
    Back,
}

impl<T> Reply<T> {
    /// Keeps what was said, and goes on to the next question.
    pub fn keep<N>(self, place: &mut T, next: N) -> Reply<N> {
        match self {
            Self::Said(said) => {
                *place = said;
                Reply::Said(next)
            }
            Self::Back => Reply::Back,
        }
    }
}

/// Asks a question for which Enter means yes.
///
/// # Errors
/// The person leaves.
pub(super) fn yes(person: &mut impl Person, yes: &str, question: &str) -> Result<Reply<bool>> {
    until(person, &format!("{question}? [Y/n] "), |line| match line.to_lowercase().as_str() {
        "" | "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err(format!("Answer y if {yes}, or n if not.")),
    })
}

/// Asks for the name of the person who makes the project.
///
/// # Errors
/// The person leaves.
pub(super) fn ask_name(person: &mut impl Person, usual: &str) -> Result<String> {
    loop {
        let asked = prompt("Your name, recorded with your labels", usual, "");
        match until(person, &asked, |line| {
            match line.to_lowercase().as_str() {
                "" => Ok(usual.to_owned()),
                // Nobody is called so: a person who types it wants something else.
                "q" | "quit" | "exit" | "?" | "help" => {
                    Err("Type your name, or press Ctrl-C to leave.".into())
                }
                _ => Ok(line.to_owned()),
            }
        })? {
            Reply::Said(name) => return Ok(name),
            Reply::Back => person.say("This is the first question.")?,
        }
    }
}

/// Asks for one line that may stay empty. Enter keeps the earlier answer.
pub(super) fn optional(
    person: &mut impl Person,
    what: &str,
    before: &str,
    none: &str,
) -> Result<Reply<String>> {
    until(person, &prompt(what, before, none), |line| {
        Ok(match line {
            "" => before.to_owned(),
            CLEAR => String::new(),
            line => line.to_owned(),
        })
    })
}

/// `what [default]: `, with what Enter stands for in brackets, if anything.
pub(super) fn prompt(what: &str, default: &str, none: &str) -> String {
    match (default, none) {
        ("", "") => format!("{what}: "),
        ("", none) => format!("{what} [{none}]: "),
        (default, _) => format!("{what} [{}]: ", shortened(default, MAX_DEFAULT)),
    }
}

/// Asks until an answer passes the check, which returns its meaning or the sentence to show instead, or the person goes back.
pub(super) fn until<T>(
    person: &mut impl Person,
    prompt: &str,
    mut check: impl FnMut(&str) -> std::result::Result<T, String>,
) -> Result<Reply<T>> {
    loop {
        let line = person.ask(prompt)?.replace('\t', " ");
        if line.trim() == BACK {
            return Ok(Reply::Back);
        }
        let answer = typed(line.trim()).and_then(&mut check);
        match answer {
            Ok(answer) => return Ok(Reply::Said(answer)),
            Err(why) => person.say(&why)?,
        }
    }
}

/// Rejects what a plain terminal can put into a line: arrow keys, and text in another encoding.
fn typed(line: &str) -> std::result::Result<&str, String> {
    if line.contains('\u{fffd}') {
        return Err("That is not valid UTF-8. Set the terminal to UTF-8, or use plain letters.".into());
    }
    if line.chars().any(char::is_control) {
        return Err("That contains a special key, such as an arrow key. Please type it again.".into());
    }
    Ok(line)
}

pub(super) fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
