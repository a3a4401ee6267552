//! The judge's prompt: question, guideline, labels and some of the experts' labels, stored so that it holds from round to round.

use super::judge;
use super::prompt_trial::{Candidate, best, is_outdated, with_shared, without_examples};
use crate::domain::answer::decided;
use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, ModelId, PredictorId};
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

/// Those that a text has for itself, where that is asked for: each costs its tokens for every text.
pub(super) const NEAREST: usize = 4;
/// Where the parts of the prompt stand, where the model can have them there (`docs/decisions/engine.md`).
const LAYOUT: PromptLayout = PromptLayout::SystemTurn;
/// What is kept of how long texts are cut.
const CUT: &str = "the first two thirds of the room from its beginning, the rest from its end";

/// Which of the experts' training labels a judge is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Examples {
    /// Those of the prompt that does best on a few texts: none, some before every text, or those nearest to each.
    Best,
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
    let id = work.store.enter_model(model)?;
    let labels = revision.task.label_ids();
    let given = given(work.store, revision)?;
    if let Some(why) = judge.caveat() {
        work.note_once(&why);
    }
    let known = known(work, id, &labels, revision)?;
    let (chosen, tried) = match shown {
        Examples::Best => {
            if let Some(known) = known.first()
                && (known.adapter().is_some() || !is_outdated(&judge::settings(known)?.tried, given.len()))
            {
                work.store.activate_judge(known.id)?;
                return Ok(known.clone());
            }
            let in_use = known.first().map(|known| judge::settings(known).map(candidate_of)).transpose()?;
            match best(work, judge, revision, &given, in_use, seed)? {
                Some(best) => best,
                None => (without_examples(judge, revision, LAYOUT), Vec::new()),
            }
        }
        Examples::Shared(most) => {
            let examples = balanced_examples(&given, labels.len(), most, seed);
            let plain = without_examples(judge, revision, LAYOUT);
            (with_shared(work, judge, plain, &examples)?, Vec::new())
        }
        Examples::Nearest => {
            let plain = without_examples(judge, revision, LAYOUT);
            (Candidate { prompt: JudgePrompt { nearest: NEAREST, ..plain.prompt }, ..plain }, Vec::new())
        }
    };
    for known in known {
        let mut settings = judge::settings(&known)?.clone();
        if holds(&settings, &chosen, shown, &given, known.adapter().is_some()) {
            settings.tried = tried;
            let known = judge::with_settings(&known, settings);
            work.store.set_settings(&known)?;
            work.store.activate_judge(known.id)?;
            return Ok(known);
        }
    }
    let Candidate { prompt, examples, left_out } = chosen;
    let room = judge.text_room(&prompt)?;
    if !left_out.is_empty() {
        work.note(&format!(
            "the model reads {} tokens at a time: to leave room for texts the prompt goes without {}; a larger --context, or a model with a longer one, has room for all",
            judge.context(),
            left_out.join(", ")
        ));
    }
    let prompt = settings_of(&prompt);
    let hash = blake3::hash(write(&prompt).as_bytes()).as_bytes().to_vec();
    let settings = JudgeSettings {
        prompt,
        examples,
        cut: format!("a text of more than {}: {CUT}", judge.longest(room)),
        tried,
        calibration: None,
        worth: None,
    };
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

/// The judges of that model and task, the one that was active last first; without those whose settings cannot be read.
fn known(
    work: &mut Work<'_>,
    model: ModelId,
    labels: &[String],
    revision: &Revision,
) -> Result<Vec<Predictor>> {
    let same = |p: &Predictor| p.model == model && p.labels == labels && p.revision == revision.id;
    let mut known: Vec<Predictor> = work.store.judges()?.into_iter().filter(same).collect();
    if let Some(Err(fault)) = known.first().map(judge::settings) {
        work.note_once(&format!("the judge begins with a new prompt: of the earlier one {}", fault.why()));
    }
    known.retain(|judge| judge::settings(judge).is_ok());
    Ok(known)
}

/// Whether a judge's prompt is what was chosen, or has as many examples as were asked for and they still have the labels that it shows.
fn holds(
    settings: &JudgeSettings,
    chosen: &Candidate,
    shown: Examples,
    given: &[(ItemId, usize)],
    is_adapted: bool,
) -> bool {
    let prompt = prompt_of(&settings.prompt);
    if prompt == chosen.prompt {
        return true;
    }
    let Examples::Shared(most) = shown else { return false };
    if prompt.nearest != 0 || prompt.layout != chosen.prompt.layout {
        return false;
    }
    let still = |(item, (_, label)): (&ItemId, &(String, usize))| given.contains(&(*item, *label));
    let have = settings.examples.len();
    // What an adapter was trained upon stays.
    let wanted = is_adapted || (have >= chosen.examples.len() && have <= most);
    wanted && settings.examples.iter().zip(&settings.prompt.examples).all(still)
}

/// The prompt of a stored judge, to compete with others.
fn candidate_of(settings: &JudgeSettings) -> Candidate {
    let (prompt, examples) = (prompt_of(&settings.prompt), settings.examples.clone());
    Candidate { prompt, examples, left_out: Vec::new() }
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
pub(super) fn make_room(judge: &dyn JudgeBackend, prompt: &mut JudgePrompt) -> Vec<&'static str> {
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
pub(super) fn of_task(task: &Task) -> JudgePrompt {
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
