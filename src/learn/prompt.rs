//! Which prompt a judge has, stored so that it holds from round to round.

use super::judge;
use super::prompt_text::{
    Candidate, EXAMPLES, LAYOUT, NEAREST, balanced_examples, given, prompt_of, settings_of, with_shared,
    without_examples,
};
use super::prompt_trial::{best, is_outdated};
use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, ModelId, PredictorId};
use crate::domain::predictor::{JudgeMethod, JudgeSettings, Method, Predictor, PromptLayout};
use crate::domain::settings::Stored;
use crate::engine::judge::{JudgeBackend, JudgePrompt};
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::store::pool::predictors::Model;
use crate::work::runner::Work;

/// What is kept of how long texts are cut.
const CUT: &str = "the first two thirds of the room from its beginning, the rest from its end";

/// Which of the experts' training labels a judge is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Examples {
    /// Those of the prompt that does best on a few texts: none, or some before every text.
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
    let shown = match shown {
        // Each request to a server has a price: nothing is asked of it but what is wanted.
        Examples::Best if !judge.may_be_tried() => Examples::Shared(EXAMPLES),
        shown => shown,
    };
    let (chosen, tried) = match shown {
        Examples::Best => {
            // One that was asked for does not take the place of one that has won.
            let has_won = |judge: &&Predictor| {
                judge.adapter().is_some() || judge::settings(judge).is_ok_and(|s| !s.tried.is_empty())
            };
            let standing = known.iter().find(has_won);
            if let Some(known) = standing
                && (known.adapter().is_some() || !is_outdated(&judge::settings(known)?.tried, given.len()))
            {
                work.store.activate_judge(known.id)?;
                return Ok(known.clone());
            }
            let in_use = standing.or(known.first()).map(|known| judge::settings(known).map(candidate_of));
            let in_use = in_use.transpose()?;
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
            if !tried.is_empty() {
                settings.tried = tried;
            }
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
    let hash = prompt.hash();
    let settings =
        JudgeSettings { prompt, examples, cut: cut_at(judge, room), tried, calibration: None, worth: None };
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

/// How texts are cut that are longer than the room.
fn cut_at(judge: &dyn JudgeBackend, room: usize) -> String {
    format!("a text of more than {}: {CUT}", judge.longest(room))
}

/// What a judge reads whose adapter changes every token: the text alone, because its labels have taught it what the instruction says, and every token
/// of an instruction would be read anew for each text.
///
/// # Errors
/// Labels that the model writes alike.
pub(crate) fn text_alone(judge: &dyn JudgeBackend, instructed: &JudgeSettings) -> Result<JudgeSettings> {
    let prompt = instructed.prompt.text_alone();
    let room = judge.text_room(&prompt_of(&prompt))?;
    Ok(JudgeSettings {
        prompt,
        examples: Vec::new(),
        cut: cut_at(judge, room),
        tried: Vec::new(),
        calibration: None,
        worth: None,
    })
}

/// What the model is asked without an adapter: as `judge` is, or, where that reads texts alone, as the last one was that did not.
pub(crate) fn instructed(store: &Store, judge: &Predictor) -> Result<JudgeSettings> {
    let settings = judge::settings(judge)?;
    if settings.prompt.layout != PromptLayout::TextAlone {
        return Ok(settings.clone());
    }
    let of_task =
        |p: &Predictor| p.model == judge.model && p.labels == judge.labels && p.revision == judge.revision;
    let earlier = store.judges()?.into_iter().filter(of_task);
    let mut earlier = earlier.filter_map(|p| judge::settings(&p).ok().cloned());
    let with_words = earlier.find(|settings| settings.prompt.layout != PromptLayout::TextAlone);
    Ok(with_words.unwrap_or_else(|| settings.clone()))
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
