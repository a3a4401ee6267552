//! One session of a judge: what it reads, in which order, and how what it says of a few texts at a time gets into the file.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use super::nearest::Nearest;
use super::prelabels::active;
use super::prompt_text::prompt_of;
use crate::domain::answer::decided;
use crate::domain::fault::Result;
use crate::domain::ids::{ItemId, PredictorId};
use crate::domain::prediction::Probabilities;
use crate::domain::predictor::{JudgeSettings, Predictor};
use crate::domain::split::Split;
use crate::engine::judge::{JudgeBackend, Question, Verdict};
use crate::store::Store;
use crate::work::runner::Work;

/// Texts handed to the judge at a time; what it has scored of them is kept more often.
const CHUNK: usize = 1_024;

/// How many texts are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Budget {
    /// So many.
    Texts(usize),
    /// As many as that time allows.
    Time(Duration),
    All,
}

/// What a session came to.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct JudgeRun {
    /// Texts read.
    pub judged: usize,
    /// Texts that it was to read and that are left, because it was stopped or its time was up.
    pub left: usize,
    /// Of those read, texts whose middle was left out.
    pub cut: usize,
    /// Of these, texts where nothing that was to be seen of the answer led to a label.
    pub unlisted: usize,
    /// How many of the likeliest tokens were to be seen; none where all were.
    pub seen: Option<usize>,
    /// Tokens of the prompt, where that is known.
    pub instruction_tokens: Option<usize>,
    /// Texts read per second, without the time that the prompt took.
    pub texts_per_second: Option<f64>,
    /// Tokens of texts read per second, where they were counted.
    pub tokens_per_second: Option<f64>,
}

/// Reads what is to be read and is not yet, and keeps it.
pub(crate) fn read(
    work: &mut Work<'_>,
    judge: &dyn JudgeBackend,
    predictor: &Predictor,
    settings: &JudgeSettings,
    variants: &[Predictor],
    budget: Budget,
) -> Result<JudgeRun> {
    let prompt = prompt_of(&settings.prompt);
    let labelled = labelled(work.store)?;
    let mut wanted = worth_reading(work.store, predictor.id, &labelled)?;
    if let Budget::Texts(most) = budget {
        wanted.truncate(most);
    }
    let total = wanted.len() as u64;
    let labelled: HashSet<ItemId> = labelled.into_iter().collect();
    let nearest = match prompt.nearest {
        0 => None,
        most => Some(Nearest::read(work, &work.store.task()?, most)?),
    };
    work.report("reading the prompt", 0, Some(total), "texts")?;
    let seen =
        predictor.method.prompt().map(|prompt| work.store.items_with_hidden_states(predictor.model, prompt));
    let mut seen: HashSet<ItemId> = seen.transpose()?.unwrap_or_default().into_iter().collect();
    let mut reading = judge.prepare(&prompt)?;
    let mut session = JudgeRun { instruction_tokens: reading.instruction_tokens(), ..JudgeRun::default() };
    let begun = Instant::now();
    let in_time = |begun: Instant| !matches!(budget, Budget::Time(limit) if begun.elapsed() >= limit);
    let per_second = |n: usize| n as f64 / begun.elapsed().as_secs_f64().max(1e-3);
    let (mut tokens, mut failed) = (0, None);
    work.report("judging", 0, Some(total), "texts")?;
    for chunk in wanted.chunks(CHUNK) {
        if work.stopped() || !in_time(begun) {
            break;
        }
        let texts = work.store.texts(chunk)?;
        let items: Vec<ItemId> = texts.iter().map(|(item, _)| *item).collect();
        let questions: Vec<Question<'_>> = match &nearest {
            Some(nearest) => nearest.questions(work.store, &texts)?,
            None => texts.iter().map(|(_, text)| text.as_str().into()).collect(),
        };
        let scored = reading.score(&questions, &mut |some| {
            let of: Vec<ItemId> = some.iter().map(|(at, _)| items[*at]).collect();
            let verdicts = || some.iter().map(|(_, verdict)| verdict);
            let values: Vec<f32> =
                verdicts().flat_map(|v| v.log_probabilities.iter().map(|log| log.exp())).collect();
            tokens += verdicts().map(|v| v.tokens).sum::<usize>();
            session.cut += verdicts().filter(|v| v.cut).count();
            session.unlisted += verdicts().filter(|v| v.unlisted).count();
            session.judged += some.len();
            work.tokens_per_second = (tokens > 0).then(|| per_second(tokens));
            let kept = work
                .store
                .put_predictions(predictor.id, &of, &values, predictor.labels.len())
                .and_then(|()| keep_states(work.store, predictor, &mut seen, &of, some))
                .and_then(|()| keep_variants(work.store, variants, &labelled, &of, some))
                .and_then(|()| {
                    let stage = judge.trouble().map(|why| format!("judging: {why} and is asked again"));
                    let stage = stage.as_deref().unwrap_or("judging");
                    work.report(stage, session.judged as u64, Some(total), "texts")
                });
            if let Err(fault) = kept {
                failed.get_or_insert(fault);
            }
            match failed.is_some() || work.stopped() || !in_time(begun) {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            }
        });
        if let Some(fault) = failed.take() {
            return Err(fault);
        }
        scored?;
    }
    session.left = wanted.len().saturating_sub(session.judged);
    session.seen = reading.seen();
    session.texts_per_second = (session.judged > 0).then(|| per_second(session.judged));
    session.tokens_per_second = (tokens > 0).then(|| per_second(tokens));
    work.tokens_per_second = None;
    Ok(session)
}

/// Keeps what the model itself makes of texts inside, where that can be seen and is not in the file yet.
fn keep_states(
    store: &mut Store,
    judge: &Predictor,
    kept: &mut HashSet<ItemId>,
    items: &[ItemId],
    some: &[(usize, Verdict)],
) -> Result<()> {
    let seen =
        items.iter().zip(some).filter_map(|(item, (_, verdict))| Some((*item, verdict.states.as_ref()?)));
    let (items, states): (Vec<ItemId>, Vec<_>) = seen.filter(|(item, _)| kept.insert(*item)).unzip();
    let Some(width) = states.first().map(|states| states.len()) else { return Ok(()) };
    let values: Vec<f32> = states.into_iter().flatten().copied().collect();
    store.put_hidden_states(judge.id, &items, &values, width)
}

/// Keeps what the variants of the judge said of labelled texts, for the comparison.
fn keep_variants(
    store: &mut Store,
    variants: &[Predictor],
    labelled: &HashSet<ItemId>,
    items: &[ItemId],
    some: &[(usize, Verdict)],
) -> Result<()> {
    for (number, judge) in variants.iter().enumerate() {
        let said = items.iter().zip(some).filter(|(item, _)| labelled.contains(item));
        let said = said.filter_map(|(item, (_, verdict))| Some((*item, verdict.variants.get(number)?)));
        let (items, logs): (Vec<ItemId>, Vec<&Vec<f32>>) = said.unzip();
        let Some(labels) = logs.first().map(|logs| logs.len()) else { continue };
        let values: Vec<f32> = logs.into_iter().flatten().map(|log| log.exp()).collect();
        store.put_predictions(judge.id, &items, &values, labels)?;
    }
    Ok(())
}

/// The items that have a training label, then those that have an evaluation one.
fn labelled(store: &Store) -> Result<Vec<ItemId>> {
    let (mut labelled, kind) = (Vec::new(), store.task()?.task.kind);
    for split in [Split::Train, Split::Eval] {
        labelled.extend(decided(&store.votes(split)?, kind).into_keys());
    }
    Ok(labelled)
}

/// What a judge has not read yet, the most useful first: labelled texts for training, which show what it is worth; evaluation cases with an
/// answer, so that its part in kappa is on all of them; then what the scout is least sure of. An audit text has its turn by that alone, as every
/// text of the pool that it stands for.
fn worth_reading(store: &Store, judge: PredictorId, labelled: &[ItemId]) -> Result<Vec<ItemId>> {
    let active = active(store, "judge texts")?;
    let (read, _) = store.predictions(judge)?;
    let mut wanted = labelled.to_vec();
    let (items, values) = store.predictions(active.id)?;
    let kind = store.task()?.task.kind;
    let margins =
        values.chunks_exact(active.labels.len().max(1)).map(|p| Probabilities(p.to_vec()).margin(kind));
    let mut by_margin: Vec<(f32, ItemId)> = margins.zip(items).collect();
    by_margin.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    wanted.extend(by_margin.into_iter().map(|(_, item)| item));
    if active.guesses_nothing() {
        wanted.extend(store.splits()?.into_iter().map(|(item, _)| item));
    }
    let mut seen: HashSet<ItemId> = read.into_iter().collect();
    wanted.retain(|item| seen.insert(*item));
    Ok(wanted)
}
