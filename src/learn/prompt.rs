//! The judge's prompt: question, guideline, labels and some of the experts' labels, stored so that it holds from round to round.

use super::judge;
use crate::domain::answer::decided;
use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, PredictorId};
use crate::domain::predictor::{
    JudgeMethod, JudgeSettings, Method, Predictor, PromptLabelSettings, PromptLayout, PromptSettings,
};
use crate::domain::settings::{Stored, write};
use crate::domain::split::Split;
use crate::domain::task::{Label, Task};
use crate::engine::judge::{JudgeBackend, JudgePrompt, PromptLabel};
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::store::pool::predictors::Model;
use crate::work::runner::Work;

/// Labelled examples in the prompt, unless asked otherwise.
pub const EXAMPLES: usize = 8;
/// Those that a text has for itself, where that is asked for: each costs its tokens for every text.
const NEAREST: usize = 4;
/// Where the parts of the prompt stand, where the model can have them there (`docs/decisions/engine.md`).
const LAYOUT: PromptLayout = PromptLayout::SystemTurn;
/// What is kept of how long texts are cut.
const CUT: &str = "the first two thirds of the room from its beginning, the rest from its end";

/// Which of the experts' training labels a judge is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Examples {
    /// The same before every text, so many at most and of each label as many as of the others.
    Shared(usize),
    /// Before each text those nearest to it.
    Nearest,
}

/// The judge as the project knows it: with the prompt that it had where that still holds, else with a new one.
pub(crate) fn predictor(
    work: &mut Work<'_>,
    judge: &dyn JudgeBackend,
    model: &Model,
    revision: &Revision,
    shown: Examples,
    seed: u64,
) -> Result<Predictor> {
    let (most, nearest) = match shown {
        Examples::Shared(most) => (most, 0),
        Examples::Nearest => (0, NEAREST),
    };
    let id = work.store.enter_model(model)?;
    let labels = revision.task.label_ids();
    let given = given(work.store, revision)?;
    let mut examples = balanced_examples(&given, labels.len(), most, seed);
    let texts = work.store.texts(&examples.iter().map(|(item, _)| *item).collect::<Vec<_>>())?;
    let layout = judge.layout(LAYOUT);
    if let Some(why) = judge.caveat() {
        work.note_once(&why);
    }
    let mut prompt = JudgePrompt { layout, nearest, ..of_task(&revision.task) };
    prompt.examples =
        texts.into_iter().zip(&examples).map(|((_, text), (_, label))| (text, *label)).collect();
    let left_out = make_room(judge, &mut prompt);
    examples.truncate(prompt.examples.len());
    for known in work.store.judges()? {
        if known.model != id || known.labels != labels || known.revision != revision.id {
            continue;
        }
        let settings = match judge::settings(&known) {
            Ok(settings) => settings,
            Err(fault) => {
                work.note_once(&format!(
                    "the judge begins with a new prompt: of the earlier one {}",
                    fault.why()
                ));
                break;
            }
        };
        if settings.prompt.nearest != nearest || settings.prompt.layout != layout {
            continue;
        }
        let still = |(item, (_, label)): (&ItemId, &(String, usize))| given.contains(&(*item, *label));
        let holds = settings.examples.iter().zip(&settings.prompt.examples).all(still);
        // What an adapter was trained upon stays.
        let wanted = settings.examples.len() >= examples.len() && settings.examples.len() <= most;
        if holds && (wanted || known.adapter().is_some()) {
            work.store.activate_judge(known.id)?;
            return Ok(known);
        }
        break;
    }
    let room = judge.text_room(&prompt)?;
    if !left_out.is_empty() {
        work.note(&format!(
            "the model reads {} tokens at a time: to leave room for texts the prompt goes without {}; a larger --context, or a model with a longer one, has room for all",
            judge.context(),
            left_out.join(", ")
        ));
    }
    let settings = JudgeSettings {
        prompt: settings_of(&prompt),
        examples: examples.iter().map(|(item, _)| *item).collect(),
        cut: format!("a text of more than {}: {CUT}", judge.longest(room)),
        calibration: None,
        worth: None,
    };
    let hash = blake3::hash(write(&settings).as_bytes()).as_bytes().to_vec();
    let mut predictor = Predictor {
        id: PredictorId(0),
        method: Method::Judge(JudgeMethod { adapter: None, prompt: hash, settings: Stored::Known(settings) }),
        model: id,
        revision: revision.id,
        labels,
        created_ms: 0,
    };
    predictor.id = work.store.add_predictor(&predictor)?;
    Ok(predictor)
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
fn settings_of(prompt: &JudgePrompt) -> PromptSettings {
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
    let given = decided(&store.votes(Split::Train)?);
    Ok(given.iter().filter_map(|(item, label)| Some((*item, revision.task.index_of_id(label)?))).collect())
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
fn balanced_examples(
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
