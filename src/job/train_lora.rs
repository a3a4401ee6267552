//! `tune --adapter lora`: trains a low-rank adapter on the experts' training labels, compares it with the head on labels that neither has seen,
//! lets llama.cpp prove that it serves it, reads the pool anew with it, and activates it. Whatever fails, the model as it was stays active.

use std::collections::BTreeMap;

use serde::Serialize;

use super::adapters::KIND;
use super::tune::Rescore;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{AdapterId, ItemId, PredictorId};
use crate::domain::prediction::Probabilities;
use crate::engine::lora::EncoderAdapter;
use crate::engine::train::Settings;
use crate::engine::train::encoder::probabilities;
use crate::engine::verify::Verified;
use crate::learn::cascade::combine;
use crate::learn::cross_validation::{CrossValidation, LoraSettings};
use crate::learn::evaluate::{record_agreement, rescore_cases};
use crate::learn::held_out::Comparison;
use crate::learn::lora_prelabels;
use crate::learn::lora_prelabels::{Adapted, Keep};
use crate::learn::model::{Chosen, ScoutModel};
use crate::learn::prelabels::scouting;
use crate::learn::training::Training;
use crate::store::log::tasks::Revision;
use crate::store::pool::adapters::NewAdapter;
use crate::store::pool::predictors::Predictor;
use crate::work::runner::{Ended, JobContext, Work, run};

/// Training labels below which no adapter is trained.
const LEAST: usize = 60;
/// Of each label: one for each fold.
const LEAST_OF_EACH: usize = 3;
/// Training labels from which three epochs are taken. On 368 labels four were no better than two for hate speech and banking intents, and
/// better for TREC's questions (`benches/lora.rs`), and a round must not wait longer than it has to.
const MANY: usize = 500;
/// Texts that llama.cpp and the trainer both read before the adapter is used.
const VERIFIED_ON: usize = 128;
/// Texts nearest the boundary that are read anew first; the adapter is active once they are.
const UNCERTAIN: usize = 2_048;

/// How often it begins anew because newer labels came.
const MOST_STARTS: usize = 3;

/// What to train.
#[derive(Clone, Copy, Debug)]
pub struct AdaptOptions {
    /// How often each label is seen; by the number of labels where nothing is said.
    pub epochs: Option<usize>,
    /// What is prelabelled anew before the verb returns.
    pub rescore: Rescore,
}

/// What a training of an adapter came to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The adapter is active.
    Activated,
    /// It is worse than the head by more than one standard error: the head stays.
    HeadStays,
    /// There are too few training labels.
    TooFew,
    /// There is no new training label since the active adapter.
    NothingNew,
    /// Another process did it.
    Others,
    /// Each time it was trained, the model had been tuned on newer labels meanwhile.
    Superseded,
    /// It was told to stop: the model as it was stays active.
    Stopped,
}

/// What a training of an adapter did, with its numbers.
#[derive(Clone, Debug, Serialize)]
pub struct AdaptReport {
    /// What came of it.
    pub verdict: Verdict,
    /// The adapter, where there is one.
    pub adapter: Option<AdapterId>,
    /// Whose prelabels counted before: `zero-shot`, `head` or `lora`.
    pub before: String,
    /// Training labels.
    pub training: usize,
    /// Of these, by label name.
    pub by_label: BTreeMap<String, usize>,
    /// How many of which label are missing, where there are too few.
    pub missing: Option<String>,
    /// How it was trained.
    pub settings: Option<Settings>,
    /// The adapter against the head.
    pub comparison: Option<Comparison>,
    /// llama.cpp against the trainer.
    pub verified: Option<Verified>,
    /// Texts that were read and prelabelled anew.
    pub rescored: usize,
}

impl std::fmt::Display for AdaptReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let counts: Vec<String> = self.by_label.iter().map(|(name, n)| format!("{n} {name}")).collect();
        let counts = counts.join(", ");
        let against = self.comparison.as_ref().map(|c| {
            format!(
                "log-loss on {} held-out labels {:.3} against a head's {:.3} (less is better; difference {:+.3}, standard error {:.3})",
                c.n, c.lora, c.head, c.difference, c.error
            )
        });
        let against = against.unwrap_or_default();
        match &self.verdict {
            Verdict::Activated => {
                write!(f, "a LoRA trained on {} labels ({counts}) is active; {against}", self.training)?;
                if let Some(verified) = &self.verified {
                    write!(
                        f,
                        "; llama.cpp serves it within {:.4} on {} texts",
                        verified.largest, verified.texts
                    )?;
                }
                write!(f, "; {} texts prelabelled anew", self.rescored)
            }
            Verdict::HeadStays => {
                let stays = self.stays();
                write!(
                    f,
                    "{stays}: the new LoRA is worse than a head by more than one standard error; {against}"
                )
            }
            Verdict::TooFew => {
                write!(
                    f,
                    "{}: {}",
                    self.stays(),
                    self.missing.as_deref().unwrap_or("there are too few training labels")
                )
            }
            Verdict::NothingNew => {
                write!(f, "no new training label since the active LoRA ({counts}): it stays")
            }
            Verdict::Superseded => {
                write!(
                    f,
                    "the head stays: it was tuned on newer labels while the LoRA was trained; run this again"
                )
            }
            Verdict::Others => write!(f, "another process trained the LoRA"),
            Verdict::Stopped if self.adapter.is_some() => {
                write!(
                    f,
                    "stopped; the LoRA is trained, and `hardcase tune --adapter lora` goes on from here"
                )
            }
            Verdict::Stopped => write!(f, "stopped; {}, and the next training begins anew", self.stays()),
        }
    }
}

/// Trains an adapter.
///
/// # Errors
/// Nothing scouted, a model that cannot be trained, a training that fails, or an adapter that llama.cpp does not serve as it was trained.
pub fn adapt(context: &JobContext<'_>, model: &ScoutModel, options: &AdaptOptions) -> Result<AdaptReport> {
    let epochs = options.epochs.map(|n| format!(" --epochs {n}")).unwrap_or_default();
    let rescore = if options.rescore == Rescore::Pool { "" } else { " --no-rescore" };
    let ended = run(context, KIND, &format!("lora{epochs}{rescore}"), |work| {
        for _ in 0..MOST_STARTS {
            if let Some(report) = once(context, work, model, options)? {
                return Ok(report);
            }
            work.epochs.clear();
        }
        Ok(AdaptReport { verdict: Verdict::Superseded, ..AdaptReport::default() })
    })?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => AdaptReport { verdict: Verdict::Others, ..AdaptReport::default() },
    })
}

/// One training from beginning to end; none where another model became active meanwhile, which may know more labels. Where it does not, the next
/// one finds what was trained here.
fn once(
    context: &JobContext<'_>,
    work: &mut Work<'_>,
    model: &ScoutModel,
    options: &AdaptOptions,
) -> Result<Option<AdaptReport>> {
    let current = scouting(work.store, "train an adapter")?;
    let revision = work.store.task()?;
    let training = Training::read(work, &current, &revision)?;
    let mut report = AdaptReport::of(&training, &revision, &current);
    if let Some(missing) = too_few(&training, &revision) {
        (report.verdict, report.missing) = (Verdict::TooFew, Some(missing));
        return Ok(Some(report));
    }
    let chosen = model.choose(work.store)?;
    let seed = context.seed.unwrap_or(work.store.project()?.seed);
    let mut settings = Settings::usual(seed);
    settings.epochs = options.epochs.unwrap_or(if training.items.len() < MANY { 2 } else { 3 });
    let tuning =
        Tuning { training: &training, current: &current, revision: &revision, settings, chosen: &chosen };
    let Some((predictor, kept)) = tuning.find_or_train(work)? else {
        report.verdict = Verdict::Stopped;
        return Ok(Some(report));
    };
    report.adapter = predictor.adapter;
    (report.settings, report.verified) = (Some(kept.settings), Some(kept.verified));
    let worse = kept.comparison.worse;
    report.comparison = Some(kept.comparison);
    if worse {
        report.verdict = Verdict::HeadStays;
        return Ok(Some(report));
    }
    let now = scouting(work.store, "train a LoRA")?;
    if now.id != current.id {
        if Training::read(work, &now, &revision)?.hash != training.hash {
            work.note("the model was tuned on newer labels meanwhile: the LoRA is trained on them, too");
        }
        return Ok(None);
    }
    let was_active = predictor.id == current.id;
    report.rescored = tuning.take_over(work, &predictor, options.rescore)?;
    report.verdict = match (work.stopped(), was_active && report.rescored == 0) {
        (true, _) => Verdict::Stopped,
        (false, true) => Verdict::NothingNew,
        (false, false) => Verdict::Activated,
    };
    if report.verdict == Verdict::Activated && options.rescore == Rescore::Pool {
        combine(work, &predictor, &revision, seed)?;
    }
    record_agreement(work.store, seed)?;
    Ok(Some(report))
}

impl AdaptReport {
    fn of(training: &Training, revision: &Revision, before: &Predictor) -> Self {
        Self {
            training: training.items.len(),
            by_label: training.by_label(revision),
            before: before.kind.clone(),
            ..Self::default()
        }
    }

    fn stays(&self) -> &'static str {
        match self.before.as_str() {
            "head" => "the head stays",
            "lora" => "the LoRA that is active stays",
            _ => "the zero-shot prelabels stay",
        }
    }
}

impl Default for AdaptReport {
    fn default() -> Self {
        Self {
            verdict: Verdict::Activated,
            adapter: None,
            before: String::new(),
            training: 0,
            by_label: BTreeMap::new(),
            missing: None,
            settings: None,
            comparison: None,
            verified: None,
            rescored: 0,
        }
    }
}

/// What is missing before an adapter can be trained.
fn too_few(training: &Training, revision: &Revision) -> Option<String> {
    let n = training.items.len();
    if n < LEAST {
        return Some(format!("a LoRA needs {LEAST} training labels, and there are {n}"));
    }
    let (name, have) = training.by_label(revision).into_iter().min_by_key(|(_, have)| *have)?;
    (have < LEAST_OF_EACH).then(|| {
        format!("a LoRA needs {LEAST_OF_EACH} training labels of each label, and '{name}' has {have}")
    })
}

struct Tuning<'a> {
    training: &'a Training,
    current: &'a Predictor,
    revision: &'a Revision,
    settings: Settings,
    chosen: &'a Chosen,
}

impl Tuning<'_> {
    /// The predictor of an adapter that has learned from just these labels; none where the training was stopped.
    fn find_or_train(&self, work: &mut Work<'_>) -> Result<Option<(Predictor, LoraSettings)>> {
        let labels = self.revision.task.label_ids();
        let mut known = None;
        for a in work.store.adapters()? {
            let same = a.kind == "lora"
                && a.training_hash == self.training.hash
                && a.model == self.current.model
                && a.labels == labels;
            let kept = serde_json::from_str::<LoraSettings>(&a.settings).ok().filter(|_| same);
            // One whose bytes were dropped is trained again.
            if let Some(kept) = kept.filter(|kept| kept.settings == self.settings)
                && work.store.adapter_size(a.id)? > 0
            {
                known = Some((a.id, kept));
            }
        }
        let (adapter, kept) = match known {
            Some(known) => known,
            None => match self.train(work)? {
                Some(trained) => trained,
                None => return Ok(None),
            },
        };
        let known = work
            .store
            .predictors()?
            .into_iter()
            .rev()
            .find(|p| p.kind == "lora" && p.adapter == Some(adapter));
        if let Some(predictor) = known {
            return Ok(Some((predictor, kept)));
        }
        let mut predictor = Predictor {
            id: PredictorId(0),
            kind: "lora".into(),
            model: self.current.model,
            adapter: Some(adapter),
            adapter_kind: None,
            prompt: None,
            revision: self.revision.id,
            labels,
            settings: "{}".into(),
            created_ms: 0,
        };
        predictor.id = work.store.add_predictor(&predictor)?;
        Ok(Some((predictor, kept)))
    }

    fn train(&self, work: &mut Work<'_>) -> Result<Option<(AdapterId, LoraSettings)>> {
        work.report("preparing the model", 0, None, "steps")?;
        let encoder = self.chosen.load()?;
        let weights = encoder.trainable()?;
        let texts = work.store.texts(&self.training.items)?;
        if texts.len() != self.training.items.len() {
            return Err(Fault::new("train an adapter", "a labelled text is not in the file")
                .hint("Run `hardcase doctor FILE`"));
        }
        let tokens: Vec<Vec<usize>> = texts.iter().map(|(_, text)| encoder.tokens(text)).collect();
        let sample = self.sample(work)?;
        let sample: Vec<Vec<usize>> = sample.iter().map(|(_, text)| encoder.tokens(text)).collect();
        drop(encoder);
        let cross_validation = CrossValidation {
            weights: &weights,
            training: self.training,
            tokens: &tokens,
            classes: self.revision.task.labels.len(),
            settings: self.settings,
            threads: self.chosen.threads(),
        };
        let Some(trained) = cross_validation.run(work)? else { return Ok(None) };
        work.report("checking that llama.cpp serves it", 0, None, "texts")?;
        let bytes = self.encode(&trained.adapter, &trained.comparison)?;
        let expected = probabilities(&weights, &trained.adapter, &sample)?;
        let verified =
            Verified::measure(self.chosen.path(), &bytes, &trained.adapter.head, &sample, &expected)?;
        verified.require(&self.chosen.model.quantisation)?;
        if work.stopped() {
            return Ok(None);
        }
        let kept = LoraSettings {
            settings: self.settings,
            comparison: trained.comparison,
            verified,
            epochs_ended: work.epochs.clone(),
            held_out: trained.held_out,
        };
        let id = work.store.add_adapter(&NewAdapter {
            kind: "lora",
            model: self.current.model,
            parent: self.current.adapter,
            round: work.store.rounds()?.last().map(|r| r.id),
            revision: self.revision.id,
            labels: self.revision.task.label_ids(),
            settings: serde_json::to_string(&kept)
                .map_err(|e| Fault::new("keep how the adapter was trained", e.to_string()))?,
            training_hash: self.training.hash,
            training_n: self.training.items.len(),
            bytes,
        })?;
        Ok(Some((id, kept)))
    }

    /// Texts to verify on: half of them labelled, half from all over the pool.
    fn sample(&self, work: &Work<'_>) -> Result<Vec<(ItemId, String)>> {
        let half = VERIFIED_ON / 2;
        let (scored, _) = work.store.predictions(self.current.id)?;
        let spread = |items: &[ItemId], n: usize| -> Vec<ItemId> {
            items.iter().copied().step_by((items.len() / n).max(1)).take(n).collect()
        };
        let mut items = spread(&self.training.items, half);
        items.extend(spread(&scored, VERIFIED_ON - items.len()));
        work.store.texts(&items)
    }

    fn encode(&self, adapter: &EncoderAdapter, comparison: &Comparison) -> Result<Vec<u8>> {
        let hex = |bytes: &[u8]| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        let model = &self.chosen.model;
        let task = &self.revision.task;
        let json = |value: serde_json::Result<String>| value.unwrap_or_default();
        let names: Vec<&str> = task.labels.iter().map(|l| l.name.as_str()).collect();
        let about = [
            ("base.name", model.name.clone()),
            ("base.sha256", hex(&model.sha256)),
            ("task", task.name.clone()),
            ("question", task.question.clone()),
            ("labels", json(serde_json::to_string(&names))),
            ("training.blake3", hex(&self.training.hash)),
            ("training.labels", self.training.items.len().to_string()),
            ("settings", json(serde_json::to_string(&self.settings))),
            ("comparison", json(serde_json::to_string(comparison))),
        ];
        adapter.encode(&about).map_err(|e| Fault::new("write the adapter", e.to_string()).because(e))
    }

    /// Reads the pool anew, what is nearest the boundary first, and activates the adapter as soon as that part is done. Returns how many texts it
    /// read.
    fn take_over(&self, work: &mut Work<'_>, predictor: &Predictor, rescore: Rescore) -> Result<usize> {
        let order = self.nearest_first(work)?;
        let done: std::collections::HashSet<ItemId> =
            work.store.predictions(predictor.id)?.0.into_iter().collect();
        let cases: std::collections::HashSet<ItemId> = work.store.items_of_cases()?.into_iter().collect();
        let missing = |of_cases: bool| {
            let wanted = |i: &ItemId| !done.contains(i) && cases.contains(i) == of_cases;
            order.iter().copied().filter(wanted).collect::<Vec<_>>()
        };
        let (cases, mut uncertain) = (missing(true), missing(false));
        let rest =
            uncertain.split_off(if rescore == Rescore::Pool { UNCERTAIN.min(uncertain.len()) } else { 0 });
        let stage = if rest.is_empty() { "prelabelling the pool" } else { "prelabelling what is uncertain" };
        let adapted = Adapted::load(work, predictor, self.chosen)?;
        let mut read = adapted.score(work, &uncertain, Keep::Vectors, stage)?;
        // The cases last: a figure of some of them only would stand beside those of all for as long as the pool takes.
        read += adapted.score(work, &cases, Keep::Vectors, "prelabelling the cases")?;
        if work.stopped() {
            return Ok(read);
        }
        rescore_cases(work.store)?;
        let ranked = self.nearest_by(work, predictor)?;
        work.store.activate(predictor.id)?;
        work.store.rank_unseen_cases(&ranked)?;
        if rescore == Rescore::Pool {
            read += adapted.score(work, &rest, Keep::Vectors, "prelabelling the rest of the pool")?;
        }
        drop(adapted);
        lora_prelabels::complete_cases(work, self.chosen)?;
        if !work.stopped() {
            work.store.prune_predictions()?;
            work.store.keep_vectors_of(predictor.adapter)?;
        }
        Ok(read)
    }

    fn nearest_first(&self, work: &Work<'_>) -> Result<Vec<ItemId>> {
        let mut order = self.nearest_by(work, self.current)?;
        let known: std::collections::HashSet<ItemId> = order.iter().copied().collect();
        let all = work.store.splits()?;
        order.extend(all.into_iter().map(|(item, _)| item).filter(|item| !known.contains(item)));
        Ok(order)
    }

    /// What a predictor has scored, the smallest margin first.
    fn nearest_by(&self, work: &Work<'_>, predictor: &Predictor) -> Result<Vec<ItemId>> {
        let (items, values) = work.store.predictions(predictor.id)?;
        let labels = predictor.labels.len().max(1);
        let mut margins: Vec<(f32, ItemId)> = values
            .chunks_exact(labels)
            .zip(items)
            .map(|(row, item)| (Probabilities(row.to_vec()).margin(), item))
            .collect();
        margins.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        Ok(margins.into_iter().map(|(_, item)| item).collect())
    }
}
