//! Cross-validated LoRA training of the judge. Before and after the training, trainer and llama.cpp must compute the same.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::path::Path;
use std::sync::Arc;

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use super::cross_validation::{Callbacks, CrossValidated, CrossValidation, Fold, Trainer};
use crate::domain::adapter::{AdapterKind, Comparison};
use crate::domain::fault::{Fault, Result};
use crate::domain::task_kind::TaskKind;
use crate::engine::judge::{Judge, PromptEncoder};
use crate::engine::llama::Served;
use crate::engine::lora::{AdapterFile, Lora};
use crate::engine::train::Settings;
use crate::engine::train::language_model::{Fit, fit, probabilities};
use crate::engine::train::{AdapterActs, AdapterForm, Example, Precision, ServeOptions, ServedModel};
use crate::engine::transformer::{KvStore, Weights};
use crate::engine::verify::Verified;
use crate::stats::classifier::head::balanced;
use crate::stats::classifier::stack::{Opinions, Stack};
use crate::work::runner::Work;

/// Texts that llama.cpp and the trainer both read, before the training and after.
const VERIFIED_ON: usize = 32;
const GIB: u64 = 1 << 30;
/// Memory limits: of the frozen weights as F32 (beyond it they stay as the file stores them), of cached texts (beyond it the rest goes to a
/// file), and of a training step.
const WEIGHTS: u64 = 4 * GIB;
const CACHED: u64 = 2 * GIB;
const STEP: u64 = 2 * GIB;
/// Texts computed between two checks whether to stop.
const CHUNK: usize = 16;

/// Which tokens an adapter changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdapterScope {
    /// All of them.
    Lora,
    /// Those of the answer's cue. What comes before it is computed once, by the unchanged model.
    Alora,
}

impl AdapterScope {
    /// The kind of such an adapter, on the command line and in the file.
    pub fn kind(self) -> AdapterKind {
        match self {
            Self::Lora => AdapterKind::Lora,
            Self::Alora => AdapterKind::Alora,
        }
    }

    fn acts(self) -> AdapterActs {
        match self {
            Self::Lora => AdapterActs::Everywhere,
            Self::Alora => AdapterActs::OnAnswers,
        }
    }
}

/// What is trained, and on what.
pub(crate) struct JudgeTraining<'a> {
    /// The model in llama.cpp, without an adapter.
    pub judge: &'a Judge,
    /// Its file.
    pub path: &'a Path,
    /// What the model without the adapter is asked, encoded for the trainer.
    pub instructed: &'a PromptEncoder<'a>,
    /// What it is asked with it: the same where the adapter changes the answer's tokens alone.
    pub prompt: &'a PromptEncoder<'a>,
    /// The labelled texts.
    pub texts: &'a [String],
    /// Their labels.
    pub gold: &'a [usize],
    /// How many labels there are.
    pub labels: usize,
    /// What is asked for.
    pub kind: TaskKind,
    /// How to train.
    pub settings: Settings,
    /// Which tokens change.
    pub scope: AdapterScope,
    /// Threads of llama.cpp.
    pub threads: NonZeroUsize,
}

/// The result of a training.
pub(crate) struct TrainedAdapter {
    /// The adapter's file.
    pub bytes: Vec<u8>,
    /// Its number of epochs: the one after which the folds did best on their held-out texts.
    pub epochs: usize,
    pub comparison: Comparison,
    pub verified: Verified,
    /// Each text's probabilities by the adapter of the fold in which it was held out, texts × labels.
    pub held_out: Array2<f32>,
}

/// A model that is ready for training.
struct Prepared<'a> {
    training: &'a JudgeTraining<'a>,
    weights: Arc<Weights>,
    /// llama.cpp's KV cache of each text, if the adapter changes only the answer's tokens.
    cached: Option<KvStore>,
    /// The unchanged model's log-probabilities for every text, texts × labels.
    base: Array2<f32>,
}

impl JudgeTraining<'_> {
    /// Trains the adapter. `None` if it was stopped.
    ///
    /// # Errors
    /// The model cannot be trained, the training fails, or llama.cpp does not reproduce the adapter's results.
    pub fn run(&self, work: &mut Work<'_>) -> Result<Option<TrainedAdapter>> {
        let weights = Arc::new(Weights::read(self.path, WEIGHTS)?);
        let mut server = self.server(&self.judge.served)?;
        let Some(cached) = self.precompute_kv(work, &mut server, &weights)? else { return Ok(None) };
        let mut prepared = Prepared { training: self, weights, cached, base: Array2::zeros((0, 0)) };
        let Some(base) = prepared.without_adapter(work)? else { return Ok(None) };
        prepared.base = base;
        let sample = self.sample();
        let expected = prepared.base.select(Axis(0), &sample);
        let same = self.compared(&mut server, self.instructed, &sample, AdapterActs::Off, &expected)?;
        same.require(&self.judge.facts().quantisation)
            .map_err(|fault| fault.while_trying("train the judge"))?;
        drop(server);

        let measured = vec![true; self.gold.len()];
        let cross_validation = CrossValidation {
            trainer: &prepared,
            gold: self.gold,
            measured: &measured,
            classes: self.labels,
            kind: self.kind,
            settings: self.settings,
        };
        let Some(trained) = cross_validation.in_turn(work)? else { return Ok(None) };
        let CrossValidated { adapter, epochs, held_out, comparison } = trained;

        work.report("checking that llama.cpp serves it", 0, None, "texts")?;
        let expected = prepared.log_probabilities(self.prompt, Some(&adapter), &sample)?;
        let invocation = match self.scope {
            AdapterScope::Lora => Vec::new(),
            AdapterScope::Alora => self.prompt.cue().to_vec(),
        };
        let file =
            AdapterFile { family: prepared.weights.shape.family, lora: adapter, head: None, invocation };
        let about = [("settings", serde_json::to_string(&self.settings).unwrap_or_default())];
        let bytes = file.encode(&about);
        let bytes = bytes.map_err(|e| Fault::new("write the adapter", e.to_string()).because(e))?;
        // Loaded in the way `judge` will load it.
        let mut judge = Judge::load(self.path, self.judge.options())?;
        judge.served.adapt(&bytes)?;
        let mut server = self.server(&judge.served)?;
        let verified = self.compared(&mut server, self.prompt, &sample, self.scope.acts(), &expected)?;
        verified.require(&self.judge.facts().quantisation)?;
        Ok(Some(TrainedAdapter { bytes, epochs, comparison, verified, held_out }))
    }

    fn server<'s>(&self, served: &'s Served) -> Result<ServedModel<'s>> {
        let longest = self.judge.context();
        ServedModel::new(served, ServeOptions { longest, precision: Precision::Half, threads: self.threads })
    }

    /// The KV cache of every text; `Some(None)` if it is not used, `None` if the work was stopped.
    fn precompute_kv(
        &self,
        work: &mut Work<'_>,
        server: &mut ServedModel<'_>,
        weights: &Weights,
    ) -> Result<Option<Option<KvStore>>> {
        if self.scope == AdapterScope::Lora {
            return Ok(Some(None));
        }
        let examples: Vec<Example> =
            self.texts.iter().map(|text| self.prompt.example(text, 0, 1.0)).collect();
        let examples: Vec<&Example> = examples.iter().collect();
        let total = examples.len() as u64;
        let mut failed = None;
        let cached = server.precompute_kv(&examples, &weights.shape, CACHED, &mut |done| {
            if let Err(fault) = work.report("reading the labelled texts", done as u64, Some(total), "texts") {
                failed.get_or_insert(fault);
            }
        })?;
        match failed {
            Some(fault) => Err(fault),
            None if work.stopped() => Ok(None),
            None => Ok(Some(Some(cached))),
        }
    }

    /// Compares llama.cpp with `expected`, the trainer's log-probabilities for some texts, texts × labels.
    fn compared(
        &self,
        server: &mut ServedModel<'_>,
        prompt: &PromptEncoder<'_>,
        rows: &[usize],
        acts: AdapterActs,
        expected: &Array2<f32>,
    ) -> Result<Verified> {
        let choices = self.probes(prompt, rows).into_iter().map(|probe| server.probabilities(&probe, acts));
        let served = self.by_label(prompt, &choices.collect::<Result<Vec<_>>>()?);
        Ok(Verified::between(served.mapv(f32::exp).view(), expected.mapv(f32::exp).view()))
    }

    /// Texts spread evenly over the training set.
    fn sample(&self) -> Vec<usize> {
        let n = self.texts.len();
        (0..n).step_by((n / VERIFIED_ON).max(1)).take(VERIFIED_ON).collect()
    }

    fn probes(&self, prompt: &PromptEncoder<'_>, rows: &[usize]) -> Vec<Example> {
        rows.iter().flat_map(|&row| prompt.probes(&self.texts[row])).collect()
    }

    /// Each row as many times as it has probes.
    fn repeated(&self, rows: &[usize]) -> Vec<usize> {
        rows.iter().flat_map(|&row| std::iter::repeat_n(row, self.prompt.looks())).collect()
    }

    /// Log-probabilities from the choices of probes, texts × labels.
    fn by_label(&self, prompt: &PromptEncoder<'_>, choices: &[Vec<Vec<f32>>]) -> Array2<f32> {
        let looks = prompt.looks().max(1);
        let mut all = Array2::zeros((choices.len() / looks, self.labels));
        for (mut row, probes) in all.rows_mut().into_iter().zip(choices.chunks_exact(looks)) {
            let choices: Vec<Vec<f32>> = probes.iter().filter_map(|probe| probe.first().cloned()).collect();
            for (to, log) in row.iter_mut().zip(prompt.log_probabilities(&choices)) {
                *to = log;
            }
        }
        all
    }
}

impl Prepared<'_> {
    /// The unchanged model's log-probabilities for every text, texts × labels. `None` if it was stopped.
    fn without_adapter(&self, work: &mut Work<'_>) -> Result<Option<Array2<f32>>> {
        let training = self.training;
        let mut all = Array2::zeros((training.texts.len(), training.labels));
        let rows: Vec<usize> = (0..training.texts.len()).collect();
        for chunk in rows.chunks(CHUNK) {
            work.report("reading without the adapter", chunk[0] as u64, Some(rows.len() as u64), "texts")?;
            if work.stopped() {
                return Ok(None);
            }
            let logs = self.log_probabilities(self.training.instructed, None, chunk)?;
            for (&row, p) in chunk.iter().zip(logs.rows()) {
                all.row_mut(row).assign(&p);
            }
        }
        Ok(Some(all))
    }

    /// The trainer's log-probabilities for some texts, texts × labels.
    fn log_probabilities(
        &self,
        prompt: &PromptEncoder<'_>,
        adapter: Option<&Lora>,
        rows: &[usize],
    ) -> Result<Array2<f32>> {
        let probes = self.training.probes(prompt, rows);
        let cached = self.cached.as_ref().map(|cached| cached.in_order(&self.training.repeated(rows)));
        let choices = probabilities(&self.weights, adapter, &probes, form(cached.as_ref()), STEP)?;
        Ok(self.training.by_label(prompt, &choices))
    }
}

impl Trainer for Prepared<'_> {
    type Adapter = Lora;

    fn train(&self, fold: &Fold, callbacks: &mut dyn Callbacks) -> Result<Option<Lora>> {
        let training = self.training;
        let labels: Vec<usize> = fold.rows.iter().map(|&row| training.gold[row]).collect();
        let weights = balanced(&labels, training.labels);
        let example = |(&row, weight): (&usize, &f64)| {
            training.prompt.example(&training.texts[row], training.gold[row], *weight as f32)
        };
        let examples: Vec<Example> = fold.rows.iter().zip(&weights).map(example).collect();
        let held_out = training.probes(training.prompt, &fold.held_out);
        let order: Vec<usize> = fold.rows.iter().copied().chain(training.repeated(&fold.held_out)).collect();
        let cached = self.cached.as_ref().map(|cached| cached.in_order(&order));
        let on = Fit {
            weights: &self.weights,
            examples: &examples,
            held_out: &held_out,
            form: form(cached.as_ref()),
            memory: STEP,
        };
        let callbacks = RefCell::new(callbacks);
        fit(&on, &training.settings, &mut |_| callbacks.borrow_mut().step(), &mut |epoch| {
            let p = training.by_label(training.prompt, &epoch.held_out).mapv(f32::exp);
            callbacks.borrow_mut().epoch(epoch.number, epoch.loss, p)
        })
    }

    /// The unchanged model, calibrated on the rows of the fold that are trained on.
    fn baseline(&self, fold: &Fold) -> Result<Array2<f32>> {
        let training = self.training;
        let seen = self.base.select(Axis(0), &fold.rows);
        let gold: Vec<usize> = fold.rows.iter().map(|&row| training.gold[row]).collect();
        let opinions = Opinions { logs: &[seen.view()], gold: &gold, importance: &vec![1.0; gold.len()] };
        let stack = Stack::of_one(vec![0.0; training.labels]).fitted(&opinions);
        let unseen = self.base.select(Axis(0), &fold.held_out);
        Ok(stack.probabilities(&[unseen.view()]))
    }
}

fn form(cached: Option<&KvStore>) -> AdapterForm<'_> {
    cached.map_or(AdapterForm::Lora, |cached| AdapterForm::Alora { cached, first: 0 })
}
