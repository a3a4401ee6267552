//! What is in a judge's prompt: question, guideline, labels and some of the experts' labels, as much as the model has room for.

use std::collections::HashMap;

use crate::domain::answer::{Answer, decided};
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::domain::predictor::{PromptLabelSettings, PromptLayout, PromptSettings};
use crate::domain::split::Split;
use crate::domain::task::{Label, Task};
use crate::engine::judge::{JudgeBackend, JudgePrompt, PromptLabel};
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::work::runner::Work;

/// Labelled examples before every text, of the prompt that has some unless asked otherwise.
pub(super) const EXAMPLES: usize = 8;
/// Labelled examples that a text has for itself, where that is asked for: each costs its tokens for every text.
pub(super) const NEAREST: usize = 4;
/// Where the parts of the prompt stand, where the model can have them there (`docs/decisions/engine.md`).
pub(super) const LAYOUT: PromptLayout = PromptLayout::SystemTurn;

/// A prompt that may become a judge's.
#[derive(Clone)]
pub(crate) struct Candidate {
    pub prompt: JudgePrompt,
    /// The items that it gives as examples.
    pub examples: Vec<ItemId>,
    /// What it goes without, because the model's context has no room for it.
    pub left_out: Vec<&'static str>,
}

/// The task's prompt without labelled examples, as much of it as there is room for.
pub(crate) fn without_examples(
    judge: &dyn JudgeBackend,
    revision: &Revision,
    layout: PromptLayout,
) -> Candidate {
    let mut prompt = JudgePrompt { layout: judge.layout(layout), ..of_task(&revision.task) };
    let left_out = make_room(judge, &mut prompt);
    Candidate { prompt, examples: Vec::new(), left_out }
}

/// The same with labelled examples before every text.
pub(crate) fn with_shared(
    work: &Work<'_>,
    judge: &dyn JudgeBackend,
    plain: Candidate,
    shown: &[(ItemId, usize)],
) -> Result<Candidate> {
    let items: Vec<ItemId> = shown.iter().map(|(item, _)| *item).collect();
    let texts: HashMap<ItemId, String> = work.store.texts(&items)?.into_iter().collect();
    let example = |(item, label): &(ItemId, usize)| Some((texts.get(item)?.clone(), *label));
    let mut prompt = JudgePrompt { examples: shown.iter().filter_map(example).collect(), ..plain.prompt };
    let mut left_out = plain.left_out;
    left_out.extend(make_room(judge, &mut prompt));
    left_out.dedup();
    let examples = items.into_iter().take(prompt.examples.len()).collect();
    Ok(Candidate { prompt, examples, left_out })
}

/// The prompt as the engine takes it.
pub(crate) fn prompt_of(settings: &PromptSettings) -> JudgePrompt {
    let label = |l: &PromptLabelSettings| PromptLabel {
        name: l.name.clone(),
        description: l.description.clone(),
        examples: l.examples.clone(),
    };
    JudgePrompt {
        layout: settings.layout,
        question: settings.question.clone(),
        guideline: settings.guideline.clone(),
        labels: settings.labels.iter().map(label).collect(),
        examples: settings.examples.clone(),
        nearest: settings.nearest,
    }
}

/// The prompt as the project keeps it.
pub(super) fn settings_of(prompt: &JudgePrompt) -> PromptSettings {
    let label = |l: &PromptLabel| PromptLabelSettings {
        name: l.name.clone(),
        description: l.description.clone(),
        examples: l.examples.clone(),
    };
    PromptSettings {
        layout: prompt.layout,
        question: prompt.question.clone(),
        guideline: prompt.guideline.clone(),
        labels: prompt.labels.iter().map(label).collect(),
        examples: prompt.examples.clone(),
        nearest: prompt.nearest,
    }
}

/// What the prompt of a judge with a short context goes without.
#[derive(Clone, Copy)]
enum LeftOut {
    Examples,
    Guideline,
    Meanings,
}

impl LeftOut {
    /// Leaves it out, and says what it is.
    fn from(self, prompt: &mut JudgePrompt) -> &'static str {
        match self {
            Self::Examples => {
                prompt.labels.iter_mut().for_each(|label| label.examples.clear());
                "the labels' own examples"
            }
            Self::Guideline => {
                prompt.guideline.clear();
                "the guideline"
            }
            Self::Meanings => {
                prompt.labels.iter_mut().for_each(|label| label.description.clear());
                "what the labels mean"
            }
        }
    }
}

/// Shortens the prompt until a text has at least as much room, the least useful first. Returns what was left out.
fn make_room(judge: &dyn JudgeBackend, prompt: &mut JudgePrompt) -> Vec<&'static str> {
    let mut left_out = Vec::new();
    let is_tight =
        |prompt: &JudgePrompt| judge.text_room(prompt).ok().is_none_or(|room| 2 * room < judge.context());
    while is_tight(prompt) && prompt.examples.pop().is_some() {
        left_out = vec!["some of the labelled examples"];
    }
    for step in [LeftOut::Examples, LeftOut::Guideline, LeftOut::Meanings] {
        if is_tight(prompt) {
            left_out.push(step.from(prompt));
        }
    }
    left_out
}

/// The training labels, each as its place in the task.
pub(crate) fn given(store: &Store, revision: &Revision) -> Result<Vec<(ItemId, usize)>> {
    let given = decided(&store.votes(Split::Train)?, revision.task.kind);
    let place = |answer: &Answer| answer.single().and_then(|label| revision.task.index_of_id(label));
    Ok(given.iter().filter_map(|(item, answer)| Some((*item, place(answer)?))).collect())
}

/// The prompt of a task, without labelled examples.
fn of_task(task: &Task) -> JudgePrompt {
    let label = |l: &Label| PromptLabel {
        name: l.name.clone(),
        description: l.description.clone(),
        examples: l.examples.clone(),
    };
    JudgePrompt {
        layout: LAYOUT,
        question: task.question.clone(),
        guideline: task.guideline.clone(),
        labels: task.labels.iter().map(label).collect(),
        examples: Vec::new(),
        nearest: 0,
    }
}

/// Up to `most` labelled items, as many of each label as can be, drawn by the seed.
pub(super) fn balanced_examples(
    given: &[(ItemId, usize)],
    labels: usize,
    most: usize,
    seed: u64,
) -> Vec<(ItemId, usize)> {
    let lot = |item: &ItemId| {
        let mut hash = blake3::Hasher::new();
        hash.update(b"example of a judge").update(&seed.to_le_bytes()).update(&item.0.to_le_bytes());
        *hash.finalize().as_bytes()
    };
    let mut by_label: Vec<Vec<(ItemId, usize)>> = vec![Vec::new(); labels];
    for &(item, label) in given {
        by_label[label].push((item, label));
    }
    by_label.iter_mut().for_each(|of| of.sort_unstable_by_key(|(item, _)| lot(item)));
    let deepest = by_label.iter().map(Vec::len).max().unwrap_or(0);
    let dealt = (0..deepest).flat_map(|at| by_label.iter().filter_map(move |of| of.get(at).copied()));
    dealt.take(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn examples_are_balanced_and_drawn_by_the_seed() {
        let given: Vec<(ItemId, usize)> = (0..40).map(|i| (ItemId(i), usize::from(i % 10 == 0))).collect();
        let examples = balanced_examples(&given, 2, 8, 1);
        assert_eq!(examples.iter().filter(|(_, label)| *label == 1).count(), 4);
        assert_eq!(examples.len(), 8);
        assert_eq!(balanced_examples(&given, 2, 8, 1), examples);
        assert_ne!(balanced_examples(&given, 2, 8, 2), examples);
        assert_eq!(balanced_examples(&given[..1], 2, 8, 1).len(), 1);
        assert_eq!(balanced_examples(&given, 2, 0, 1), []);
    }
}
