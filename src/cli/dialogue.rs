//! The dialogue of `new`: asks which column holds the texts and what the task is, checks each answer, and builds the task.
//!
//! Knows a [`Person`] to ask, but no terminal and no file. A wrong answer is explained in one sentence and asked again; it never
//! costs an earlier answer, and `<` goes back to the question before.

use super::next::text_and_meta;
use super::questions::{CLEAR, MAX_DEFAULT, Person, Reply, optional, prompt, shortened, until, yes};
use crate::domain::fault::Result;
use crate::domain::imported_label::checked_source_name;
use crate::domain::task::{Label, Task, shares_that_cannot_be};
use crate::domain::task_draft::{LabelDraft, TaskDraft, in_a_hundred, share_of};
use crate::domain::task_kind::TaskKind;
use crate::job::preview::{Preview, Texts};

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

/// Number of columns that are listed.
const MAX_COLUMNS: usize = 40;
/// Texts are shown up to this many characters.
const MAX_TEXT: usize = 600;

/// Shows the first texts until the person accepts them. Returns the columns chosen instead of the detected ones, if any.
/// `preview` reads the beginning of the data with other text columns.
///
/// # Errors
/// The person leaves.
pub(super) fn choose_text(
    person: &mut impl Person,
    mut now: Preview,
    preview: impl Fn(&[String]) -> Result<Preview>,
) -> Result<Reply<Vec<String>>> {
    let mut chosen = Vec::new();
    loop {
        match &now.texts {
            Ok(texts) => show_texts(person, texts)?,
            Err(why) => person.say(&format!("Cannot tell which column holds the texts: {why}."))?,
        }
        if now.columns.len() == 1 {
            return Ok(Reply::Said(chosen));
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
        let new = match new {
            Reply::Said(Some(new)) => new,
            Reply::Said(None) => return Ok(Reply::Said(chosen)),
            Reply::Back => return Ok(Reply::Back),
        };
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

/// A question about the task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Name,
    Question,
    Guideline,
    Kind,
    Label(usize),
    Key(usize),
    Meaning(usize),
    Example(usize),
    Share(usize),
    /// The share once more, because they do not add up.
    ShareAgain(usize),
    Correct,
}

/// Asks for the task until the person accepts the summary, or wants the question before the first. `draft` is what is known already.
///
/// # Errors
/// The person leaves.
pub(super) fn ask_task(
    person: &mut impl Person,
    names: &Names,
    draft: &mut TaskDraft,
) -> Result<Reply<Task>> {
    if draft.name.is_empty() {
        draft.name.clone_from(&names.task);
    }
    let mut before: Vec<Step> = Vec::new();
    let mut step = Step::Name;
    loop {
        if step == Step::Correct {
            let task = match complete(draft) {
                Ok(task) => task,
                Err((why, again)) => {
                    person.say(&why)?;
                    step = again;
                    continue;
                }
            };
            person.say(&format!("\n{}", summary(&task, names)))?;
            match yes(person, "all of this is correct", "Is this correct")? {
                Reply::Said(true) => return Ok(Reply::Said(task)),
                Reply::Said(false) => {
                    person.say(
                        "\nPlease answer again. Press Enter to keep the value in brackets, or type - to clear it.\n",
                    )?;
                    (before, step) = (Vec::new(), Step::Name);
                }
                Reply::Back => step = before.pop().unwrap_or(Step::Name),
            }
            continue;
        }
        match ask_step(person, step, draft)? {
            Reply::Said(next) => {
                before.push(step);
                step = next;
            }
            Reply::Back => match before.pop() {
                Some(earlier) => step = earlier,
                None => return Ok(Reply::Back),
            },
        }
        // A label that was taken back leaves the questions about it.
        if let Step::Key(at) | Step::Meaning(at) | Step::Example(at) | Step::Share(at) = step
            && at >= draft.labels.len()
        {
            step = Step::Label(draft.labels.len());
        }
    }
}

/// The task, or what to say and which question to go on with.
fn complete(draft: &TaskDraft) -> std::result::Result<Task, (String, Step)> {
    if draft.labels.len() < 2 {
        let why = "A task needs at least two labels, such as yes and no.";
        return Err((why.into(), Step::Label(draft.labels.len())));
    }
    let task = draft.to_task();
    if let Some((_, why)) = draft.lacks().into_iter().next() {
        let labels: Vec<Label> = draft.labels.iter().map(LabelDraft::to_label).collect();
        return Err(match shares_that_cannot_be(draft.kind, &labels) {
            Some(sum) => (format!("{} Please enter them again.", misfit(&labels, sum)), Step::ShareAgain(0)),
            None => (why, Step::Label(0)),
        });
    }
    task.map_err(|why| (format!("The task is not complete yet: {why}."), Step::Label(0)))
}

/// Asks which columns are shown beside the text. None if the person wants the question before it again.
///
/// # Errors
/// The person leaves.
pub(super) fn ask_columns(
    person: &mut impl Person,
    what: &str,
    columns: &[String],
) -> Result<Reply<Vec<String>>> {
    until(person, &prompt(what, "", "none"), |line| {
        let named = columns_of(line, columns);
        let find = |said: &String| {
            let number = said.parse::<usize>().ok().and_then(|n| columns.get(n.checked_sub(1)?));
            let name = columns.iter().find(|column| column.to_lowercase() == said.to_lowercase()).or(number);
            name.cloned().ok_or_else(|| format!("There is no column '{said}'."))
        };
        named.iter().filter(|said| *said != CLEAR).map(find).collect()
    })
}

/// Asks who gave the labels of a column.
pub(super) fn ask_source(person: &mut impl Person) -> Result<Reply<String>> {
    until(person, &prompt("Whose labels they are: a person, a team, a crowd", "", ""), |line| {
        checked_source_name(line)
            .map(str::to_owned)
            .map_err(|_| "Type a name of up to 100 characters, such as crowd.".to_owned())
    })
}

/// Asks one question and keeps the answer. Returns the question that follows.
fn ask_step(person: &mut impl Person, step: Step, draft: &mut TaskDraft) -> Result<Reply<Step>> {
    Ok(match step {
        Step::Name => {
            let name = draft.name.clone();
            let said = until(person, &prompt("Name of the task", &name, ""), |line| {
                Ok(if line.is_empty() { name.clone() } else { line.to_owned() })
            })?;
            said.keep(&mut draft.name, Step::Question)
        }
        Step::Question => {
            let kept = draft.question.clone();
            if kept.is_empty() {
                person.say("\nThe question to answer about each text, for example: Is this message spam?")?;
            }
            let said = until(person, &prompt("Question", &kept, ""), |line| match (line, kept.as_str()) {
                ("", "") => Err("A task needs a question. It is shown with every text.".into()),
                ("", kept) => Ok(kept.to_owned()),
                (line, _) => Ok(line.to_owned()),
            })?;
            said.keep(&mut draft.question, Step::Guideline)
        }
        Step::Guideline => {
            if draft.guideline.is_empty() {
                person.say(
                    "\nHow to decide, in one line. You can write a longer guideline later with\n`hardcase task PROJECT --set TASK.toml`.",
                )?;
            }
            let kept = draft.guideline.clone();
            optional(person, "Guideline", &kept, "none")?.keep(&mut draft.guideline, Step::Kind)
        }
        Step::Kind => {
            let said = ask_kind(person, draft)?;
            if draft.labels.is_empty() && said != Reply::Back {
                person.say(
                    "\nThe labels: two or more answers to choose from. You can skip the meaning, the example\nand the share of a label, but \
                     they improve the model's first guess, and the share\nimproves it most. An empty name ends the list.",
                )?;
            }
            said
        }
        Step::Label(at) => ask_label(person, at, draft)?,
        Step::Key(at) if draft.kind.is_scale() => return ask_step(person, Step::Meaning(at), draft),
        Step::Key(at) => ask_key(person, at, draft)?,
        Step::Meaning(at) => {
            let kept = draft.labels[at].meaning.clone();
            optional(person, "  Meaning, in one sentence", &kept, "none")?
                .keep(&mut draft.labels[at].meaning, Step::Example(at))
        }
        Step::Example(at) => {
            let first = draft.labels[at].examples.first().cloned().unwrap_or_default();
            match optional(person, "  A typical text", &first, "none")? {
                Reply::Said(example) if example.is_empty() => draft.labels[at].examples.clear(),
                Reply::Said(example) if example != first => draft.labels[at].examples = vec![example],
                Reply::Said(_) => {}
                Reply::Back => return Ok(Reply::Back),
            }
            Reply::Said(Step::Share(at))
        }
        Step::Share(at) => {
            ask_share(person, at, draft)?.keep(&mut draft.labels[at].share, Step::Label(at + 1))
        }
        Step::ShareAgain(at) => {
            let next = if at + 1 < draft.labels.len() { Step::ShareAgain(at + 1) } else { Step::Correct };
            ask_share(person, at, draft)?.keep(&mut draft.labels[at].share, next)
        }
        Step::Correct => Reply::Said(Step::Correct),
    })
}

/// Asks for the name of a label: a new one, or one from an earlier run of the questions.
fn ask_label(person: &mut impl Person, at: usize, draft: &mut TaskDraft) -> Result<Reply<Step>> {
    let is_new = at >= draft.labels.len();
    let kept = if is_new { String::new() } else { draft.labels[at].name.clone() };
    let end = if at < 2 { "" } else { "no more" };
    let name = until(person, &prompt(&format!("\nLabel {}", at + 1), &kept, end), |line| match line {
        CLEAR => Ok(String::new()),
        "" if kept.is_empty() && at < 2 => {
            Err("A task needs at least two labels, such as yes and no.".into())
        }
        "" => Ok(kept.clone()),
        line => draft.check_name(at, line).map(|()| line.to_owned()),
    })?;
    let Reply::Said(name) = name else { return Ok(Reply::Back) };
    if name.is_empty() && is_new {
        return Ok(Reply::Said(Step::Correct));
    }
    if name.is_empty() {
        draft.labels.remove(at);
        return Ok(Reply::Said(Step::Label(at)));
    }
    if is_new {
        draft.insert_label(at, &name);
    } else {
        draft.labels[at].name = name;
    }
    Ok(Reply::Said(Step::Key(at)))
}

/// Asks whether one label, several or a level of a scale are wanted. What a column of known labels suggests stands in brackets.
fn ask_kind(person: &mut impl Person, draft: &mut TaskDraft) -> Result<Reply<Step>> {
    let asked = prompt(
        "One label for each text (one), any number of them (several), or a level of a scale such as 1 to 5 (scale)",
        draft.kind.as_str(),
        "",
    );
    let said = until(person, &asked, |line| match line {
        "" => Ok(draft.kind),
        "one" | "1" => Ok(TaskKind::One),
        "several" => Ok(TaskKind::Several),
        "scale" => Ok(TaskKind::Scale),
        _ => Err("Answer one, several or scale.".into()),
    })?;
    let Reply::Said(kind) = said else { return Ok(Reply::Back) };
    draft.set_kind(kind);
    Ok(Reply::Said(Step::Label(0)))
}

/// Asks for the key of a label, which needs none: it can be given by its name.
fn ask_key(person: &mut impl Person, at: usize, draft: &mut TaskDraft) -> Result<Reply<Step>> {
    let kept = draft.labels[at].key;
    let asked = prompt("  Key to press", &kept.map_or(String::new(), String::from), "none");
    let key = until(person, &asked, |line| match line {
        "" => Ok(kept),
        CLEAR => Ok(None),
        line => draft.check_key(at, line).map(Some),
    })?;
    Ok(key.keep(&mut draft.labels[at].key, Step::Meaning(at)))
}

fn ask_share(person: &mut impl Person, at: usize, draft: &TaskDraft) -> Result<Reply<Option<f64>>> {
    let (label, others) = (&draft.labels[at], &draft.labels[..at]);
    let kept = label.share.map_or(String::new(), in_a_hundred);
    let what = format!("  About how many texts in a hundred are '{}'", label.name);
    until(person, &prompt(&what, &kept, "unknown"), |line| {
        let share = match line {
            CLEAR => None,
            "" => label.share,
            line => Some(share_of(line)?),
        };
        let sum: f64 = others.iter().filter_map(|l| l.share).sum::<f64>() + share.unwrap_or(0.0);
        if share.is_some() && sum > 1.02 && draft.kind.gives_one() {
            let sum = in_a_hundred(sum);
            return Err(format!(
                "With the earlier labels this adds up to {sum} of 100. Enter a smaller number, or - for unknown."
            ));
        }
        Ok(share)
    })
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
    if task.kind.is_scale() {
        out.push_str("  a scale, the lowest level first:\n");
    }
    if task.kind.is_several() {
        out.push_str("  any number of these labels, or none of them:\n");
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

/// Turns a clause into a sentence.
fn sentence(clause: &str) -> String {
    let mut characters = clause.chars();
    let first = characters.next().map(|c| c.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", characters.as_str().trim_end_matches('.'))
}

#[cfg(test)]
mod tests;
