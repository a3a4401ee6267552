//! Prompts compete: with the instruction in one place or another, with examples or without, each on the same few texts. Which is best differs from model
//! to model, and the difference is often larger than that between two models.
//! Examples that each text has for itself do not compete: they cost their tokens for every text, and what the model makes of a text behind them is not
//! comparable with what it makes of others, so that no head could learn from it.
//!
//! The texts are training labels. Before there are enough of them, they are texts of the pool of which the scout is sure, and its label is taken for
//! right: that tells a prompt that says the same of every text from one that reads.

use std::collections::HashMap;
use std::ops::ControlFlow;

use ndarray::Array2;

use super::nearest::Nearest;
use super::prelabels::active;
use super::prompt_text::{Candidate, EXAMPLES, balanced_examples, with_shared, without_examples};
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::prediction::Probabilities;
use crate::domain::predictor::{PromptLayout, PromptTrial};
use crate::domain::task_kind::TaskKind;
use crate::engine::judge::{JudgeBackend, Question};
use crate::stats::classifier::stack::losses_of_one;
use crate::stats::estimate::paired::Paired;
use crate::store::log::tasks::Revision;
use crate::work::runner::Work;

/// Texts that each prompt is tried on.
const TEXTS: usize = 32;
/// Training labels from which they are what prompts are tried on.
const ENOUGH: usize = 20;
/// Prompts are tried again once there are so many times the training labels.
const AGAIN: usize = 2;

/// Texts with the label that each should get.
struct Probe {
    texts: Vec<(ItemId, String)>,
    gold: Vec<usize>,
    is_labelled: bool,
}

/// Whether a prompt that was chosen by these trials is worth trying again with so many training labels.
pub(crate) fn is_outdated(tried: &[PromptTrial], given: usize) -> bool {
    let labelled = tried.iter().filter(|trial| trial.labelled).map(|trial| trial.of).max().unwrap_or(0);
    !tried.is_empty() && given >= ENOUGH && given >= AGAIN * labelled
}

/// Tries prompts, and returns the best with what each was worth. One that is already in use stays unless another is better by more than one standard
/// error. None where there is nothing to try them on, or the job was stopped.
pub(crate) fn best(
    work: &mut Work<'_>,
    judge: &dyn JudgeBackend,
    revision: &Revision,
    given: &[(ItemId, usize)],
    in_use: Option<Candidate>,
    seed: u64,
) -> Result<Option<(Candidate, Vec<PromptTrial>)>> {
    let labels = revision.task.labels.len();
    let shown = balanced_examples(given, labels, EXAMPLES, seed);
    let probe = probe(work, revision, given, &shown, seed)?;
    if probe.gold.len() < ENOUGH {
        return Ok(None);
    }
    let mut tried: Vec<PromptTrial> = Vec::new();
    let mut leader: Option<(Candidate, Vec<f64>)> = None;
    let mut layouts: Vec<PromptLayout> = Vec::new();
    for layout in [PromptLayout::SystemTurn, PromptLayout::UserTurn, PromptLayout::Plain] {
        let had = judge.layout(layout);
        if !layouts.contains(&had) {
            layouts.push(had);
        }
    }
    let mut waiting: Vec<Candidate> = Vec::new();
    for layout in layouts {
        waiting.push(without_examples(judge, revision, layout));
    }
    let is_other = |c: &Candidate| in_use.as_ref().is_none_or(|used| used.prompt != c.prompt);
    waiting.retain(is_other);
    waiting.splice(0..0, in_use);
    let mut with_examples = false;
    let mut at = 0;
    while at < waiting.len() {
        let candidate = waiting[at].clone();
        if let Some(losses) = losses(work, judge, &candidate, &probe, (labels, seed), (at, waiting.len()))? {
            let mean = losses.iter().sum::<f64>() / losses.len().max(1) as f64;
            tried.push(PromptTrial {
                layout: candidate.prompt.layout,
                examples: candidate.examples.len(),
                nearest: candidate.prompt.nearest,
                loss: mean,
                n: probe.gold.len(),
                labelled: probe.is_labelled,
                of: given.len(),
            });
            let better = leader.as_ref().is_none_or(|(_, best)| {
                let differences: Vec<f64> = losses.iter().zip(best).map(|(new, best)| new - best).collect();
                Paired::of(&differences).is_some_and(|paired| paired.mean < -paired.error)
            });
            if better {
                leader = Some((candidate, losses));
            }
        }
        if work.stopped() {
            return Ok(None);
        }
        at += 1;
        // Examples cost tokens for every text, so they are tried where the best place for the instruction is known.
        if at == waiting.len() && !with_examples && probe.is_labelled {
            with_examples = true;
            if let Some((best, _)) = leader.as_ref().filter(|(best, _)| best.prompt.nearest == 0) {
                let plain = without_examples(judge, revision, best.prompt.layout);
                let some = with_shared(work, judge, plain, &shown)?;
                waiting.extend([some].into_iter().filter(|c| c.prompt != best.prompt));
            }
        }
    }
    Ok(leader.map(|(candidate, _)| (candidate, tried)))
}

/// The texts that prompts are tried on.
fn probe(
    work: &Work<'_>,
    revision: &Revision,
    given: &[(ItemId, usize)],
    shown: &[(ItemId, usize)],
    seed: u64,
) -> Result<Probe> {
    let labels = revision.task.labels.len();
    let free: Vec<(ItemId, usize)> = given.iter().filter(|label| !shown.contains(label)).copied().collect();
    let is_labelled = free.len() >= ENOUGH;
    let chosen = if is_labelled { free } else { surest(work, labels, revision.task.kind)? };
    let mut chosen = balanced_examples(&chosen, labels, TEXTS, seed ^ 1);
    chosen.sort_unstable();
    let items: Vec<ItemId> = chosen.iter().map(|(item, _)| *item).collect();
    let label_of: HashMap<ItemId, usize> = chosen.into_iter().collect();
    let texts = work.store.texts(&items)?;
    let gold = texts.iter().filter_map(|(item, _)| label_of.get(item).copied()).collect();
    Ok(Probe { texts, gold, is_labelled })
}

/// Of each label the texts of which the scout is surest, each with that label.
fn surest(work: &Work<'_>, labels: usize, kind: TaskKind) -> Result<Vec<(ItemId, usize)>> {
    let active = active(work.store, "try prompts")?;
    if active.labels.len() != labels {
        return Ok(Vec::new());
    }
    let (items, values) = work.store.predictions(active.id)?;
    let rows = values.chunks_exact(labels.max(1)).map(|p| Probabilities(p.to_vec()));
    let mut sure: Vec<(f32, ItemId, usize)> =
        rows.zip(items).map(|(p, item)| (p.margin(kind), item, p.top(kind))).collect();
    sure.sort_unstable_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut taken = vec![0; labels];
    let each = TEXTS.div_ceil(labels.max(1)).max(2);
    let mut chosen = Vec::new();
    for (_, item, label) in sure {
        if taken[label] < each {
            taken[label] += 1;
            chosen.push((item, label));
        }
    }
    Ok(chosen)
}

/// Each text's loss by a prompt, calibrated on the other folds; none where the prompt leaves no room for a text or the job was stopped.
fn losses(
    work: &mut Work<'_>,
    judge: &dyn JudgeBackend,
    candidate: &Candidate,
    probe: &Probe,
    (labels, seed): (usize, u64),
    (done, of): (usize, usize),
) -> Result<Option<Vec<f64>>> {
    let Ok(mut reading) = judge.prepare(&candidate.prompt) else { return Ok(None) };
    let questions: Vec<Question<'_>> = match candidate.prompt.nearest {
        0 => probe.texts.iter().map(|(_, text)| text.as_str().into()).collect(),
        most => Nearest::read(work, &work.store.task()?, most)?.questions(work.store, &probe.texts)?,
    };
    let mut logs = Array2::zeros((questions.len(), labels));
    let (mut read, mut failed): (usize, Option<Fault>) = (0, None);
    reading.score(&questions, &mut |some| {
        for (at, verdict) in some {
            logs.row_mut(*at).iter_mut().zip(&verdict.log_probabilities).for_each(|(to, log)| *to = *log);
            read += 1;
        }
        if let Err(fault) = work.report("trying prompts", done as u64, Some(of as u64), "prompts") {
            failed.get_or_insert(fault);
        }
        if work.stopped() || failed.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if let Some(fault) = failed {
        return Err(fault);
    }
    Ok((read == questions.len()).then(|| losses_of_one(logs.view(), &probe.gold, labels, seed)))
}
