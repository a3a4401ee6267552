//! The dialogue of `new`: which column holds the texts, and what is asked about them. Questions, checks, and the task that the
//! answers make.
//!
//! Knows a [`Person`] to ask, and neither terminal nor file. A wrong answer is explained in one sentence and asked again; it
//! never costs an answer that was given before.

use super::next::text_and_meta;
use crate::domain::fault::Result;
use crate::domain::task::{Label, Task, shares_that_cannot_be};
use crate::job::preview::{Preview, Texts};

/// Whoever answers.
pub(super) trait Person {
    /// Says something, then waits for a line.
    ///
    /// # Errors
    /// The person leaves.
    fn ask(&mut self, prompt: &str) -> Result<String>;

    /// Says something.
    fn say(&mut self, text: &str) -> Result<()>;
}

/// What the dialogue's texts name.
pub(super) struct Names {
    /// The task's name where the person gives none.
    pub task: String,
    /// The project to be made.
    pub project: String,
    /// Where the `TASK.toml` goes.
    pub toml: String,
    /// The data files, in words; none where there are none.
    pub data: Option<String>,
}

/// Takes an optional answer away, and a label from those given before.
const NOTHING: &str = "-";
/// The most columns that are listed.
const COLUMNS: usize = 40;
/// The most characters of a text that is shown whole.
const LONG: usize = 600;
/// The most characters of an earlier answer that a prompt repeats whole.
const REPEATED: usize = 50;
/// Keys in the order in which they are proposed.
const KEYS: &str = "1234567890abcdefghijklmnopqrstuvwxyz";

/// Shows the first texts until the person is content with them. Returns the columns chosen instead of those found, if any.
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
            Err(why) => person.say(&format!("It is not clear which column holds the texts: {why}."))?,
        }
        if now.columns.len() == 1 {
            return Ok(chosen);
        }
        let current = now.texts.as_ref().map_or(String::new(), |t| in_words(&now.columns, &t.columns));
        person.say(&format!(
            "The columns: {}.\nWhich column? Its name or number, or several with commas between.",
            listed(&now.columns)
        ))?;
        let new = until(person, &prompt("the texts are in column", &current, "none yet"), |line| {
            if line.is_empty() && now.texts.is_err() {
                return Err("Name the column with the texts, such as 1.".into());
            }
            if line.is_empty() {
                return Ok(None);
            }
            let new = preview(&columns_of(line, &now.columns)).map_err(|f| sentence(f.why()))?;
            match (&new.texts, new.gold) {
                (Ok(t), Some(gold)) if t.columns.contains(&gold) => {
                    Err("That column holds the known labels, and nobody who labels may see them.".into())
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

/// Says how the data is read, and shows its first texts as experts will see them.
pub(super) fn show_texts(person: &mut impl Person, texts: &Texts) -> Result<()> {
    if texts.rows.is_empty() {
        return person.say(&format!("{}\nIts first rows hold no text.\n", texts.read_as));
    }
    let rows: Vec<String> =
        texts.rows.iter().map(|row| text_and_meta(&shortened(&row.text, LONG), &row.meta)).collect();
    person.say(&format!(
        "{}\nThe first texts, as experts will see them:\n\n{}",
        texts.read_as,
        rows.join("\n")
    ))
}

/// Asks for the task until the person is content with it.
///
/// # Errors
/// The person leaves.
pub(super) fn ask_task(person: &mut impl Person, names: &Names) -> Result<Task> {
    let mut before: Option<Task> = None;
    loop {
        let task = asked_once(person, names, before.as_ref())?;
        person.say(&format!("\n{}", summary(&task, names)))?;
        if yes(person, "all of this is right", "Right")? {
            return Ok(task);
        }
        person.say("\nOnce more, then. Enter keeps what stands in brackets; - takes it away.\n")?;
        before = Some(task);
    }
}

/// Asks a question that Enter answers with yes.
///
/// # Errors
/// The person leaves.
pub(super) fn yes(person: &mut impl Person, yes: &str, question: &str) -> Result<bool> {
    until(person, &format!("{question}? [Y/n] "), |line| match line.to_lowercase().as_str() {
        "" | "y" | "yes" => Ok(true),
        "n" | "no" => Ok(false),
        _ => Err(format!("Answer y if {yes}, n if not.")),
    })
}

fn asked_once(person: &mut impl Person, names: &Names, before: Option<&Task>) -> Result<Task> {
    let name = before.map_or(names.task.as_str(), |t| t.name.as_str());
    let name = until(person, &prompt("name of the task", name, ""), |line| {
        Ok(if line.is_empty() { name.to_owned() } else { line.to_owned() })
    })?;
    if before.is_none() {
        person.say("\nWhat is to be asked about each text, for example: Is this message spam?")?;
    }
    let question = before.map_or("", |t| t.question.as_str());
    let question = until(person, &prompt("question", question, ""), |line| match (line, question) {
        ("", "") => Err("A task needs a question; it is shown with every text.".into()),
        ("", kept) => Ok(kept.to_owned()),
        (line, _) => Ok(line.to_owned()),
    })?;
    if before.is_none() {
        person.say(
            "\nHow to decide, in one line; `hardcase task PROJECT --set TASK.toml` can say it\nat length later.",
        )?;
    }
    let guideline = optional(person, "guideline", before.map_or("", |t| &t.guideline), "none")?;
    let mut labels = ask_labels(person, before.map_or(&[], |t| &t.labels))?;
    loop {
        while let Some(sum) = shares_that_cannot_be(&labels) {
            person.say(&format!("{}; they come once more.", misfit(&labels, sum)))?;
            for i in 0..labels.len() {
                labels[i].share = ask_share(person, &labels[i], &labels[..i])?;
            }
        }
        match Task::new(name.clone(), question.clone(), guideline.clone(), labels.clone()) {
            Ok(task) => return Ok(task),
            // Each answer was checked when it was given, so this is a rule that only the whole can break.
            Err(why) => {
                person.say(&format!("That is no task yet: {why}."))?;
                labels = ask_labels(person, &labels)?;
            }
        }
    }
}

fn ask_labels(person: &mut impl Person, before: &[Label]) -> Result<Vec<Label>> {
    if before.is_empty() {
        person.say(
            "\nThe labels: the answers to choose from, two or more. What a label means and a\ntypical text of it may be left \
             out, but they help the model's first guess; about\nhow many in a hundred texts have it helps most. An empty name \
             ends the list.",
        )?;
    }
    let mut labels: Vec<Label> = Vec::new();
    let mut before = before.iter();
    loop {
        let old = before.next();
        match (ask_label(person, old, &labels)?, old) {
            (Some(label), _) => labels.push(label),
            // It was taken away.
            (None, Some(_)) => {}
            (None, None) if labels.len() >= 2 => return Ok(labels),
            (None, None) => person.say("A task needs two labels at least, such as yes and no.")?,
        }
    }
}

/// One label; none where the person gives no name or takes the earlier one away.
fn ask_label(person: &mut impl Person, old: Option<&Label>, others: &[Label]) -> Result<Option<Label>> {
    let title = format!("\nlabel {}", others.len() + 1);
    let end = if others.len() < 2 { "" } else { "no more" };
    let kept = old.map_or("", |l| l.name.as_str());
    let name = until(person, &prompt(&title, kept, end), |line| {
        let name = if line.is_empty() { kept } else { line };
        match others.iter().find(|l| l.name.to_lowercase() == name.to_lowercase()) {
            Some(twin) => {
                Err(format!("There is a label '{}' already; give this one another name.", twin.name))
            }
            None if name == NOTHING => Ok(String::new()),
            None => Ok(name.to_owned()),
        }
    })?;
    if name.is_empty() {
        return Ok(None);
    }
    let key = ask_key(person, old.map(|l| l.key), others)?;
    let description = optional(
        person,
        "  what it means (helps the first guess)",
        old.map_or("", |l| &l.description),
        "none",
    )?;
    let first = old.and_then(|l| l.examples.first()).map_or("", String::as_str);
    let example = optional(person, "  a typical text", first, "none")?;
    let examples = if example.is_empty() { Vec::new() } else { vec![example] };
    let label =
        Label { id: String::new(), name, key, description, examples, share: old.and_then(|l| l.share) };
    let share = ask_share(person, &label, others)?;
    Ok(Some(Label { share, ..label }))
}

fn ask_key(person: &mut impl Person, old: Option<char>, others: &[Label]) -> Result<char> {
    let owner = |key: char| others.iter().find(|l| l.key == key);
    let proposed =
        old.into_iter().chain(KEYS.chars()).find(|key| Label::may_use(*key) && owner(*key).is_none());
    let shown = proposed.map_or(String::new(), String::from);
    until(person, &prompt("  its key", &shown, ""), |line| {
        let mut signs = line.chars();
        match (signs.next().or(proposed), signs.next()) {
            (Some(key), None) if !Label::may_use(key) => {
                Err(format!("The workstation keeps the key {key} for itself; choose another."))
            }
            (Some(key), None) => match owner(key) {
                Some(owner) => Err(format!("The key {key} gives '{}' already; choose another.", owner.name)),
                None => Ok(key),
            },
            _ => Err("A key is one sign, such as 1 or x.".into()),
        }
    })
}

fn ask_share(person: &mut impl Person, label: &Label, others: &[Label]) -> Result<Option<f64>> {
    let kept = label.share.map_or(String::new(), in_a_hundred);
    let what = format!("  how many in a hundred are '{}', about", label.name);
    until(person, &prompt(&what, &kept, "unknown"), |line| {
        let share = match line {
            NOTHING => None,
            "" => label.share,
            line => Some(share_of(line)?),
        };
        let sum: f64 = others.iter().filter_map(|l| l.share).sum::<f64>() + share.unwrap_or(0.0);
        if share.is_some() && sum > 1.02 {
            let sum = in_a_hundred(sum);
            return Err(format!(
                "With the labels before it that makes {sum} in a hundred; give less, or - for unknown."
            ));
        }
        Ok(share)
    })
}

/// A share from "10", "10 %" or "2,5", in a hundred.
fn share_of(line: &str) -> std::result::Result<f64, String> {
    let number: String = line.trim_end_matches('%').trim().replace(',', ".");
    match number.parse::<f64>() {
        Ok(n) if n > 0.0 && n < 100.0 => Ok(n / 100.0),
        _ => Err("Give a number above 0 and below 100, such as 5 or 0.5; - is unknown.".into()),
    }
}

/// A share as a number in a hundred, with as many decimals as it needs, four at most.
fn in_a_hundred(share: f64) -> String {
    let text = format!("{:.4}", share * 100.0);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn misfit(labels: &[Label], sum: f64) -> String {
    let sum = in_a_hundred(sum);
    match labels.iter().find(|l| l.share.is_none()) {
        Some(open) => format!("The figures make {sum} in a hundred and leave nothing for '{}'", open.name),
        None => format!("The figures of all labels make {sum} in a hundred instead of 100"),
    }
}

/// The whole of the task, in words.
fn summary(task: &Task, names: &Names) -> String {
    let mut out = format!("The task '{}': {}\n", task.name, task.question);
    if !task.guideline.is_empty() {
        out.push_str(&format!("  {}\n", task.guideline));
    }
    for label in &task.labels {
        out.push_str(&format!("  key {}  {}", label.key, label.name));
        if !label.description.is_empty() {
            out.push_str(&format!(": {}", label.description));
        }
        out.push_str(&match label.share {
            Some(share) => format!(" (about {} in a hundred)\n", in_a_hundred(share)),
            None => " (how many is unknown)\n".into(),
        });
        for example in &label.examples {
            out.push_str(&format!("         for example: {}\n", shortened(example, LONG)));
        }
    }
    out.push_str(&format!("It is written to {}; the project is {}", names.toml, names.project));
    if let Some(data) = &names.data {
        out.push_str(&format!(", with the texts of {data}"));
    }
    out + "."
}

/// Asks for one line that may stay empty. Enter keeps what was answered before.
fn optional(person: &mut impl Person, what: &str, before: &str, none: &str) -> Result<String> {
    until(person, &prompt(what, before, none), |line| {
        Ok(match line {
            "" => before.to_owned(),
            NOTHING => String::new(),
            line => line.to_owned(),
        })
    })
}

/// `what [default]: `; in brackets what Enter stands for, nothing where it stands for nothing.
fn prompt(what: &str, default: &str, none: &str) -> String {
    match (default, none) {
        ("", "") => format!("{what}: "),
        ("", none) => format!("{what} [{none}]: "),
        (default, _) => format!("{what} [{}]: ", shortened(default, REPEATED)),
    }
}

/// Asks until an answer passes the check, which returns what it means or the sentence that says why it cannot be.
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

/// A line as it can be an answer. A line of a plain terminal holds the arrow keys, too, and whatever encoding it sends.
fn typed(line: &str) -> std::result::Result<&str, String> {
    if line.contains('\u{fffd}') {
        return Err("That did not arrive as UTF-8; set the terminal to UTF-8, or use plain letters.".into());
    }
    if line.chars().any(char::is_control) {
        return Err("That holds a key that is no letter, such as an arrow; type it once more.".into());
    }
    Ok(line)
}

/// The columns that a line names: one whose name it is, else those between its commas.
fn columns_of(line: &str, columns: &[String]) -> Vec<String> {
    if columns.iter().any(|c| c.to_lowercase() == line.to_lowercase()) {
        return vec![line.to_owned()];
    }
    line.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

fn listed(columns: &[String]) -> String {
    let all: Vec<usize> = (0..columns.len().min(COLUMNS)).collect();
    let more = columns.len().saturating_sub(COLUMNS);
    let words = in_words(columns, &all);
    if more > 0 { format!("{words}, and {more} more") } else { words }
}

/// `2 text, 3`: number and name, the number alone where there is no name.
fn in_words(columns: &[String], which: &[usize]) -> String {
    let word = |i: &usize| match (i + 1).to_string() {
        number if number == columns[*i] => number,
        number => format!("{number} {}", shortened(&columns[*i], REPEATED)),
    };
    which.iter().map(word).collect::<Vec<_>>().join(", ")
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A clause as a sentence.
fn sentence(clause: &str) -> String {
    let mut signs = clause.chars();
    let first = signs.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", signs.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests;
