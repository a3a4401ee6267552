//! `sft`, `dpo` and `kto`: what experts decided, as TRL trains language models on it. Each line has the messages that the judge is asked with; only texts whose labels
//! teach are there, so that evaluation and audit stay what no model has seen.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::{ExportKind, ExportOption, Exported, Request, Writes};
use super::predicted::Predicted;
use super::rows_out::RowsOut;
use super::visible::{Shows, all_decided};
use crate::domain::answer::Answer;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::judge_chat::{Message, Speaker};
use crate::domain::label_set::NONE;
use crate::domain::predictor::{PromptLabelSettings, PromptLayout, PromptSettings};
use crate::domain::split::Split;
use crate::domain::task::Task;
use crate::formats::{Cell, ColumnType};
use crate::learn::judge::settings;
use crate::store::Store;

pub(super) static SFT: ExportKind = ExportKind {
    name: "sft",
    help: "For TRL's supervised training: one chat per text that teaches, with the judge's prompt and the experts' label",
    takes: &[ExportOption::Format],
    shows: Shows::ModelAndAnswers,
    writes: Writes::Rows(sft),
};

pub(super) static DPO: ExportKind = ExportKind {
    name: "dpo",
    help: "For TRL's preference training: where a model gave another label than the experts, theirs against the model's",
    takes: &[ExportOption::By, ExportOption::Format],
    shows: Shows::ModelAndAnswers,
    writes: Writes::Rows(dpo),
};

pub(super) static KTO: ExportKind = ExportKind {
    name: "kto",
    help: "For TRL's training on thumbs up or down: a line for each label that experts upheld or overruled",
    takes: &[ExportOption::By, ExportOption::Format],
    shows: Shows::ModelAndAnswers,
    writes: Writes::Rows(kto),
};

/// A text that teaches, and what is known of it.
struct Lesson {
    messages: Vec<Message>,
    /// The experts' label, by its name.
    label: String,
    /// The model's, where it has read the text.
    said: Option<String>,
}

/// Every text that teaches and that the reader may see as such.
fn lessons(
    request: &Request<'_>,
    predicted: Option<&Predicted>,
    mut take: impl FnMut(Lesson) -> Result<()>,
) -> Result<()> {
    let &Request { store, task, visible, .. } = request;
    let (prompt, examples) = prompt(store, task)?;
    let decided: BTreeMap<ItemId, Answer> = all_decided(store, visible)?;
    store.for_each_item(|item, text, _, _| {
        let Some(answer) = decided.get(&item) else { return Ok(()) };
        // That a text teaches is told only of one that the reader is not asked about any more, and an example would give its own label away.
        if !visible.shows_view_of(item)
            || examples.contains(&item)
            || store.split_of(item)? != Some(Split::Train)
        {
            return Ok(());
        }
        let said = predicted.and_then(|all| Some(all.decided(&all.of(item)?)));
        let in_words = |names: Vec<String>| if names.is_empty() { NONE.to_owned() } else { names.join(", ") };
        take(Lesson { messages: prompt.chat(text), label: task.in_words(answer), said: said.map(in_words) })
    })
}

/// The prompt of the judge that was used last, and the texts that it has as examples; else that of the task alone.
fn prompt(store: &Store, task: &Task) -> Result<(PromptSettings, BTreeSet<ItemId>)> {
    if let Some(judge) = store.judges()?.into_iter().find(|judge| !judge.is_imported()) {
        let known = settings(&judge)?;
        let examples = if known.prompt.nearest == 0 {
            known.examples.iter().copied().collect()
        } else {
            BTreeSet::new()
        };
        return Ok((known.prompt.clone(), examples));
    }
    let labels = task
        .labels
        .iter()
        .map(|label| PromptLabelSettings {
            name: label.name.clone(),
            description: label.description.clone(),
            examples: label.examples.clone(),
        })
        .collect();
    let prompt = PromptSettings {
        layout: PromptLayout::SystemTurn,
        question: task.question.clone(),
        guideline: task.guideline.clone(),
        labels,
        examples: Vec::new(),
        nearest: 0,
    };
    Ok((prompt, BTreeSet::new()))
}

fn messages(of: &[Message]) -> Result<Cell> {
    let json = serde_json::to_string(of).map_err(|e| Fault::new("write a chat", e.to_string()))?;
    Ok(Cell::Json(json))
}

fn answer(label: &str) -> Result<Cell> {
    messages(&[Message::of(Speaker::Assistant, label)])
}

fn exported(request: &Request<'_>, lines: usize) -> Exported {
    Exported { lines, left_out: request.visible.left_out(Shows::ModelAndAnswers), ..Exported::default() }
}

fn sft(request: &Request<'_>, out: RowsOut<'_>) -> Result<Exported> {
    let mut rows = out.with_columns(&[("messages", ColumnType::Json)])?;
    lessons(request, None, |mut lesson| {
        lesson.messages.push(Message::of(Speaker::Assistant, lesson.label));
        rows.write(&[messages(&lesson.messages)?])
    })?;
    Ok(exported(request, rows.finish()?))
}

fn dpo(request: &Request<'_>, out: RowsOut<'_>) -> Result<Exported> {
    let predicted = Predicted::read(request.store, request.task, &request.options.by)?;
    let columns = ["prompt", "chosen", "rejected"].map(|name| (name, ColumnType::Json));
    let mut rows = out.with_columns(&columns)?;
    lessons(request, Some(&predicted), |lesson| match &lesson.said {
        Some(said) if *said != lesson.label => {
            rows.write(&[messages(&lesson.messages)?, answer(&lesson.label)?, answer(said)?])
        }
        _ => Ok(()),
    })?;
    Ok(exported(request, rows.finish()?))
}

fn kto(request: &Request<'_>, out: RowsOut<'_>) -> Result<Exported> {
    let predicted = Predicted::if_any(request.store, request.task, &request.options.by)?;
    let columns =
        [("prompt", ColumnType::Json), ("completion", ColumnType::Json), ("label", ColumnType::Boolean)];
    let mut rows = out.with_columns(&columns)?;
    lessons(request, predicted.as_ref(), |lesson| {
        let prompt = messages(&lesson.messages)?;
        if let Some(overruled) = lesson.said.filter(|said| *said != lesson.label) {
            rows.write(&[prompt.clone(), answer(&overruled)?, false.into()])?;
        }
        rows.write(&[prompt, answer(&lesson.label)?, true.into()])
    })?;
    Ok(exported(request, rows.finish()?))
}
