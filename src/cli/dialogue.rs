//! The dialogue of `new`: asks which column holds the texts and what the task is, checks each answer, and builds the task.
//!
//! Knows a [`Person`] to ask, but no terminal and no file. A wrong answer is explained in one sentence and asked again; it never
//! costs an earlier answer.

use super::next::text_and_meta;
use crate::domain::fault::Result;
use crate::domain::task::{Label, Task, shares_that_cannot_be};
use crate::job::preview::{Preview, Texts};

/// The person who answers.
pub(super) trait Person {
    /// Prints a prompt and waits for a line.
    ///
    /// # Errors
    /// The person leaves.
    fn ask(&mut self, prompt: &str) -> Result<String>;

    fn say(&mut self, text: &str) -> Result<()>;
}

/// Names that the dialogue mentions.
pub(super) struct Names {
    /// The default name of the task.
    pub task: String,
    /// The project to be created.
    pub project: String,
    /// Where the `TASK.toml` will be written.
    pub toml: String,
    /// The data files, separated by commas, if any.
    pub data: Option<String>,
}

/// Typed to clear an optional answer, or to remove a label from an earlier run of the questions.
const CLEAR: &str = "-";
/// Number of columns that are listed.
const MAX_COLUMNS: usize = 40;
/// Texts are shown up to this many characters.
const MAX_TEXT: usize = 600;
/// Prompts repeat an earlier answer up to this many characters.
const MAX_DEFAULT: usize = 50;
/// Keys in the order in which they are proposed.
const KEYS: &str = "1234567890abcdefghijklmnopqrstuvwxyz";

/// Shows the first texts until the person accepts them. Returns the columns chosen instead of the detected ones, if any.
/// `preview` reads the beginning of the data with other text columns.
///
/// # Errors
/// The person leaves.
pub(super) fn choose_text(
    person: &mut impl Person,
    mut now: Preview,
    preview: impl Fn(&[String]) -> Result<Preview>,
) -> Result<Vec<String>> {
    let mut chosen = Vec::new();
    loop {
        match &now.texts {
            Ok(texts) => show_texts(person, texts)?,
            Err(why) => person.say(&format!("Cannot tell which column holds the texts: {why}."))?,
        }
        if now.columns.len() == 1 {
            return Ok(chosen);
        }
        let current = now.texts.as_ref().map_or(String::new(), |t| in_words(&now.columns, &t.columns));
        person.say(&format!(
            "Columns: {}.\nWhich column holds the texts? Give its name or number, or several separated by commas.",
            listed(&now.columns)
        ))?;
        let new = until(person, &prompt("Text column", &current, "none yet"), |line| {
            if line.is_empty() && now.texts.is_err() {
                return Err("Give the name or number of the column that holds the texts, such as 1.".into());
            }
            if line.is_empty() {
                return Ok(None);
            }
            let new = preview(&columns_of(line, &now.columns)).map_err(|f| sentence(f.why()))?;
            match (&new.texts, new.gold) {
                (Ok(t), Some(gold)) if t.columns.contains(&gold) => {
                    Err("That column holds the known labels, which people who label must not see.".into())
                }
                _ => Ok(Some(new)),
            }
        })?;
        let Some(new) = new else { return Ok(chosen) };
        if let Ok(texts) = &new.texts {
            chosen = texts.columns.iter().map(|i| new.columns[*i].clone()).collect();
        }
        now = new;
    }
}

/// Prints how the data is read, and its first texts as experts will see them.
pub(super) fn show_texts(person: &mut impl Person, texts: &Texts) -> Result<()> {
    if texts.rows.is_empty() {
        return person.say(&format!("{}\nIts first rows contain no text.\n", texts.read_as));
    }
    let rows: Vec<String> =
        texts.rows.iter().map(|row| text_and_meta(&shortened(&row.text, MAX_TEXT), &row.meta)).collect();
    person.say(&format!(
        "{}\nThe first texts, as experts will see them:\n\n{}",
        texts.read_as,
        rows.join("\n")
    ))
}

/// Asks for the task until the person accepts the summary.
///
/// # Errors
/// The person leaves.
pub(super) fn ask_task(person: &mut impl Person, names: &Names) -> Result<Task> {
    let mut before: Option<Task> = None;
    loop {
        let task = asked_once(person, names, before.as_ref())?;
        person.say(&format!("\n{}", summary(&task, names)))?;
        if yes(person, "all of this is correct", "Is this correct")? {
            return Ok(task);
        }
        person.say(
            "\nPlease answer again. Press Enter to keep the value in brackets, or type - to clear it.\n",
        )?;
        before = Some(task);
    }
}

/// Asks a question for which Enter means yes.
///
/// # Errors
/// The person leaves.
pub(super) fn yes(person: &mut impl Person, yes: &str, question: &str) -> Result<bool> {
    until(person, &format!("{question}? [Y/n] "), |line| match line.to_lowercase().as_str() {
        "" | "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err(format!("Answer y if {yes}, or n if not.")),
    })
}

fn asked_once(person: &mut impl Person, names: &Names, before: Option<&Task>) -> Result<Task> {
    let name = before.map_or(names.task.as_str(), |t| t.name.as_str());
    let name = until(person, &prompt("Name of the task", name, ""), |line| {
        Ok(if line.is_empty() { name.to_owned() } else { line.to_owned() })
    })?;
    if before.is_none() {
        person.say("\nThe question to answer about each text, for example: Is this message spam?")?;
    }
    let question = before.map_or("", |t| t.question.as_str());
    let question = until(person, &prompt("Question", question, ""), |line| match (line, question) {
        ("", "") => Err("A task needs a question. It is shown with every text.".into()),
        ("", kept) => Ok(kept.to_owned()),
        (line, _) => Ok(line.to_owned()),
    })?;
    if before.is_none() {
        person.say(
            "\nHow to decide, in one line. You can write a longer guideline later with\n`hardcase task PROJECT --set TASK.toml`.",
        )?;
    }
    let guideline = optional(person, "Guideline", before.map_or("", |t| &t.guideline), "none")?;
    let mut labels = ask_labels(person, before.map_or(&[], |t| &t.labels))?;
    loop {
        while let Some(sum) = shares_that_cannot_be(&labels) {
            person.say(&format!("{} Please enter them again.", misfit(&labels, sum)))?;
            for i in 0..labels.len() {
                labels[i].share = ask_share(person, &labels[i], &labels[..i])?;
            }
        }
        match Task::new(name.clone(), question.clone(), guideline.clone(), labels.clone()) {
            Ok(task) => return Ok(task),
            // Each answer was checked on its own, so only a rule about the whole task can fail here.
            Err(why) => {
                person.say(&format!("The task is not complete yet: {why}."))?;
                labels = ask_labels(person, &labels)?;
            }
        }
    }
}

fn ask_labels(person: &mut impl Person, before: &[Label]) -> Result<Vec<Label>> {
    if before.is_empty() {
        person.say(
            "\nThe labels: two or more answers to choose from. You can skip the meaning, the example\nand the share of a label, but \
             they improve the model's first guess, and the share\nimproves it most. An empty name ends the list.",
        )?;
    }
    let mut labels: Vec<Label> = Vec::new();
    let mut before = before.iter();
    loop {
        let old = before.next();
        match (ask_label(person, old, &labels)?, old) {
            (Some(label), _) => labels.push(label),
            // An earlier label was removed.
            (None, Some(_)) => {}
            (None, None) if labels.len() >= 2 => return Ok(labels),
            (None, None) => person.say("A task needs at least two labels, such as yes and no.")?,
        }
    }
}

/// Asks for one label. `None` if the person gives no name or removes the earlier label.
fn ask_label(person: &mut impl Person, old: Option<&Label>, others: &[Label]) -> Result<Option<Label>> {
    let title = format!("\nLabel {}", others.len() + 1);
    let end = if others.len() < 2 { "" } else { "no more" };
    let kept = old.map_or("", |l| l.name.as_str());
    let name = until(person, &prompt(&title, kept, end), |line| {
        let name = if line.is_empty() { kept } else { line };
        match others.iter().find(|l| l.name.to_lowercase() == name.to_lowercase()) {
            Some(twin) => {
                Err(format!("There is already a label '{}'. Give this one another name.", twin.name))
            }
            None if name == CLEAR => Ok(String::new()),
            None => Ok(name.to_owned()),
        }
    })?;
    if name.is_empty() {
        return Ok(None);
    }
    let key = ask_key(person, old.and_then(|l| l.key), others)?;
    let description =
        optional(person, "  Meaning, in one sentence", old.map_or("", |l| &l.description), "none")?;
    let first = old.and_then(|l| l.examples.first()).map_or("", String::as_str);
    let example = optional(person, "  A typical text", first, "none")?;
    let examples = if example.is_empty() { Vec::new() } else { vec![example] };
    let label = Label {
        id: String::new(),
        name,
        key: Some(key),
        description,
        examples,
        share: old.and_then(|l| l.share),
    };
    let share = ask_share(person, &label, others)?;
    Ok(Some(Label { share, ..label }))
}

fn ask_key(person: &mut impl Person, old: Option<char>, others: &[Label]) -> Result<char> {
    let owner = |key: char| others.iter().find(|l| l.key == Some(key));
    let proposed =
        old.into_iter().chain(KEYS.chars()).find(|key| Label::may_use(*key) && owner(*key).is_none());
    let shown = proposed.map_or(String::new(), String::from);
    until(person, &prompt("  Key to press", &shown, ""), |line| {
        let mut characters = line.chars();
        match (characters.next().or(proposed), characters.next()) {
            (Some(key), None) if !Label::may_use(key) => {
                Err(format!("The workstation uses the key {key} itself. Choose another."))
            }
            (Some(key), None) => match owner(key) {
                Some(owner) => {
                    Err(format!("The key {key} already stands for '{}'. Choose another.", owner.name))
                }
                None => Ok(key),
            },
            _ => Err("A key is one character, such as 1 or x.".into()),
        }
    })
}

fn ask_share(person: &mut impl Person, label: &Label, others: &[Label]) -> Result<Option<f64>> {
    let kept = label.share.map_or(String::new(), in_a_hundred);
    let what = format!("  About how many texts in a hundred are '{}'", label.name);
    until(person, &prompt(&what, &kept, "unknown"), |line| {
        let share = match line {
            CLEAR => None,
            "" => label.share,
            line => Some(share_of(line)?),
        };
        let sum: f64 = others.iter().filter_map(|l| l.share).sum::<f64>() + share.unwrap_or(0.0);
        if share.is_some() && sum > 1.02 {
            let sum = in_a_hundred(sum);
            return Err(format!(
                "With the earlier labels this adds up to {sum} of 100. Enter a smaller number, or - for unknown."
            ));
        }
        Ok(share)
    })
}

/// Parses a percentage such as "10", "10 %" or "2,5" into a share.
fn share_of(line: &str) -> std::result::Result<f64, String> {
    let number: String = line.trim_end_matches('%').trim().replace(',', ".");
    match number.parse::<f64>() {
        Ok(n) if n > 0.0 && n < 100.0 => Ok(n / 100.0),
        _ => Err("Enter a number above 0 and below 100, such as 5 or 0.5, or - for unknown.".into()),
    }
}

/// A share as a percentage with as many decimals as needed, at most four.
fn in_a_hundred(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn misfit(labels: &[Label], sum: f64) -> String {
    let sum = in_a_hundred(sum);
    match labels.iter().find(|l| l.share.is_none()) {
        Some(open) => format!("These add up to {sum} of 100 and leave nothing for '{}'.", open.name),
        None => format!("These add up to {sum} of 100."),
    }
}

fn summary(task: &Task, names: &Names) -> String {
    let mut out = format!("The task '{}': {}\n", task.name, task.question);
    if !task.guideline.is_empty() {
        out.push_str(&format!("  {}\n", task.guideline));
    }
    for label in &task.labels {
        out.push_str(&match label.key {
            Some(key) => format!("  key {key}  {}", label.name),
            None => format!("  {}", label.name),
        });
        if !label.description.is_empty() {
            out.push_str(&format!(": {}", label.description));
        }
        out.push_str(&match label.share {
            Some(share) => format!(" (about {} in a hundred)\n", in_a_hundred(share)),
            None => " (share unknown)\n".into(),
        });
        for example in &label.examples {
            out.push_str(&format!("         for example: {}\n", shortened(example, MAX_TEXT)));
        }
    }
    out.push_str(&format!("It will be saved as {}, for the project {}", names.toml, names.project));
    if let Some(data) = &names.data {
        out.push_str(&format!(" with the texts in {data}"));
    }
    out + "."
}

/// Asks for one line that may stay empty. Enter keeps the earlier answer.
fn optional(person: &mut impl Person, what: &str, before: &str, none: &str) -> Result<String> {
    until(person, &prompt(what, before, none), |line| {
        Ok(match line {
            "" => before.to_owned(),
            CLEAR => String::new(),
            line => line.to_owned(),
        })
    })
}

/// `what [default]: `, with what Enter stands for in brackets, if anything.
fn prompt(what: &str, default: &str, none: &str) -> String {
    match (default, none) {
        ("", "") => format!("{what}: "),
        ("", none) => format!("{what} [{none}]: "),
        (default, _) => format!("{what} [{}]: ", shortened(default, MAX_DEFAULT)),
    }
}

/// Asks until an answer passes the check, which returns its meaning or the sentence to show instead.
fn until<T>(
    person: &mut impl Person,
    prompt: &str,
    mut check: impl FnMut(&str) -> std::result::Result<T, String>,
) -> Result<T> {
    loop {
        let line = person.ask(prompt)?.replace('\t', " ");
        let answer = typed(line.trim()).and_then(&mut check);
        match answer {
            Ok(answer) => return Ok(answer),
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

/// The columns that a line names: the whole line if it is a column's name, else its parts between commas.
fn columns_of(line: &str, columns: &[String]) -> Vec<String> {
    if columns.iter().any(|c| c.to_lowercase() == line.to_lowercase()) {
        return vec![line.to_owned()];
    }
    line.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn listed(columns: &[String]) -> String {
    let all: Vec<usize> = (0..columns.len().min(MAX_COLUMNS)).collect();
    let more = columns.len().saturating_sub(MAX_COLUMNS);
    let words = in_words(columns, &all);
    if more > 0 { format!("{words}, and {more} more") } else { words }
}

/// `2 text, 3`: number and name, or the number alone for a column without a name.
fn in_words(columns: &[String], which: &[usize]) -> String {
    let word = |i: &usize| match (i + 1).to_string() {
        number if number == columns[*i] => number,
        number => format!("{number} {}", shortened(&columns[*i], MAX_DEFAULT)),
    };
    which.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Turns a clause into a sentence.
fn sentence(clause: &str) -> String {
    let mut characters = clause.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests;
