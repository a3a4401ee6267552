//! The trainings of one teaching of a judge: on two thirds of the labels three times, to see what it is worth on the rest and after how many
//! epochs, then on all labels for the adapter. Before them the trainer, and after them llama.cpp, has to prove that both compute the same.

use std::cell::RefCell;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use super::cross_validation::{FOLDS, Fold};
use super::held_out::{Comparison, HeldOut, loss};
use crate::domain::fault::{Fault, Result};
use crate::domain::progress::Epoch;
use crate::engine::judge::{Judge, PromptEncoder};
use crate::engine::llama::Served;
use crate::engine::lora::{AdapterFile, Lora};
use crate::engine::train::language_model::{Fit, fit, probabilities};
use crate::engine::train::{
    AdapterActs, AdapterForm, Example, Precision, ServeOptions, ServedModel, Settings,
};
use crate::engine::transformer::{KvStore, Weights};
use crate::engine::verify::Verified;
use crate::stats::classifier::head::{balanced, stratified_folds};
use crate::stats::classifier::stack::{Fitted, Opinions, Stack};
use crate::work::runner::Work;

/// Texts that llama.cpp and the trainer both read, before the training and after.
const VERIFIED_ON: usize = 32;
const GIB: u64 = 1 << 30;
/// What the frozen weights may take as F32, before they stay as the file stores them; what remembered texts may, before the rest goes to a
/// file; and what a step may.
const WEIGHTS: u64 = 4 * GIB;
const REMEMBERED: u64 = 2 * GIB;
const STEP: u64 = 2 * GIB;
/// Texts computed between two looks at whether to stop.
const CHUNK: usize = 16;

/// Which tokens an adapter changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdapterScope {
    /// All of them.
    Lora,
    /// Those of the answer's cue: what stands before is computed once, by the model as it is.
    Alora,
}

impl AdapterScope {
    /// Its name on the command line and in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Lora => "lora",
            Self::Alora => "alora",
        }
    }

    fn acting(self) -> AdapterActs {
        match self {
            Self::Lora => AdapterActs::Everywhere,
            Self::Alora => AdapterActs::OnAnswers,
        }
    }
}

/// What is trained, and on what.
pub(crate) struct JudgeTraining<'a> {
    /// The model as llama.cpp holds it, without an adapter.
    pub judge: &'a Judge,
    /// Its file.
    pub path: &'a Path,
    /// What it is told.
    pub lesson: &'a PromptEncoder<'a>,
    /// The labelled texts.
    pub texts: &'a [String],
    /// Their labels.
    pub gold: &'a [usize],
    /// How many labels there are.
    pub labels: usize,
    /// How to train.
    pub settings: Settings,
    /// Which tokens change.
    pub reach: AdapterScope,
    /// Threads of llama.cpp.
    pub threads: NonZeroUsize,
}

/// What came of it.
pub(crate) struct CrossValidated {
    /// The adapter's file.
    pub bytes: Vec<u8>,
    /// The epochs that it was trained for: those after which the folds did best on what they had not seen.
    pub epochs: usize,
    pub comparison: Comparison,
    pub verified: Verified,
    /// Each text's probabilities by the adapter of the fold that held it out, texts × labels.
    pub held_out: Array2<f32>,
}

/// How far all trainings together are, in steps.
#[derive(Clone, Copy)]
struct Way {
    done: usize,
    of: usize,
}

/// A model that is ready to be trained.
struct Trainer {
    weights: Arc<Weights>,
    /// What llama.cpp remembers of each text, where only answers change.
    cached: Option<KvStore>,
}

impl JudgeTraining<'_> {
    /// Trains; none where it was stopped.
    ///
    /// # Errors
    /// A model that cannot be trained, a training that fails, an adapter that llama.cpp does not serve as it was trained.
    pub fn run(&self, work: &mut Work<'_>) -> Result<Option<CrossValidated>> {
        let weights = Arc::new(Weights::read(self.path, WEIGHTS)?);
        let mut server = self.server(&self.judge.served)?;
        let Some(cached) = self.remember(work, &mut server, &weights)? else { return Ok(None) };
        let trainer = Trainer { weights, cached };
        let Some(base) = self.untaught(work, &trainer)? else { return Ok(None) };
        let sample = self.sample();
        let expected = base.select(Axis(0), &sample);
        let same = self.compared(&mut server, &sample, AdapterActs::Off, &expected)?;
        same.require(&self.judge.facts().quantisation)
            .map_err(|fault| fault.while_trying("teach the judge"))?;
        drop(server);

        let fold_of = stratified_folds(self.gold, self.labels, FOLDS, self.settings.seed);
        let mut parts = Fold::all(&fold_of);
        // The one on all labels comes last: how long it trains is what the folds say.
        parts.rotate_left(1);
        let mut way = Way { done: 0, of: parts.iter().map(|part| self.steps(part)).sum() };
        let mut unseen = vec![Array2::zeros((self.texts.len(), self.labels)); self.settings.epochs];
        for part in &parts[..FOLDS] {
            let Some((_, by_epoch)) = self.train(work, &trainer, part, way)? else { return Ok(None) };
            way.done += self.steps(part);
            for (unseen, of_part) in unseen.iter_mut().zip(by_epoch) {
                for (&row, p) in part.held_out.iter().zip(of_part.rows()) {
                    unseen.row_mut(row).assign(&p);
                }
            }
        }
        let (epochs, held_out) = self.best(unseen);
        let whole = JudgeTraining { settings: Settings { epochs, ..self.settings }, ..*self };
        way.of = way.done + whole.steps(&parts[FOLDS]);
        let Some((adapter, _)) = whole.train(work, &trainer, &parts[FOLDS], way)? else { return Ok(None) };
        let comparison = self.compare(&base, &held_out, &fold_of)?;

        work.report("checking that llama.cpp serves it", 0, None, "texts")?;
        let expected = self.said(&trainer, Some(&adapter), &sample)?;
        let invocation = match self.reach {
            AdapterScope::Lora => Vec::new(),
            AdapterScope::Alora => self.lesson.cue().to_vec(),
        };
        let file =
            AdapterFile { family: trainer.weights.shape.family, lora: adapter, head: None, invocation };
        let about = [("settings", serde_json::to_string(&self.settings).unwrap_or_default())];
        let bytes = file.encode(&about);
        let bytes = bytes.map_err(|e| Fault::new("write the adapter", e.to_string()).because(e))?;
        // As whoever judges with it will load it.
        let mut judge = Judge::load(self.path, self.judge.options())?;
        judge.served.adapt(&bytes)?;
        let mut server = self.server(&judge.served)?;
        let verified = self.compared(&mut server, &sample, self.reach.acting(), &expected)?;
        verified.require(&self.judge.facts().quantisation)?;
        Ok(Some(CrossValidated { bytes, epochs, comparison, verified, held_out }))
    }

    fn server<'s>(&self, served: &'s Served) -> Result<ServedModel<'s>> {
        let longest = self.judge.context();
        ServedModel::new(served, ServeOptions { longest, precision: Precision::Half, threads: self.threads })
    }

    /// What llama.cpp remembers of every text, where that is used: none within where it is not, none at all where it was stopped.
    fn remember(
        &self,
        work: &mut Work<'_>,
        server: &mut ServedModel<'_>,
        weights: &Weights,
    ) -> Result<Option<Option<KvStore>>> {
        if self.reach == AdapterScope::Lora {
            return Ok(Some(None));
        }
        let examples: Vec<Example> =
            self.texts.iter().map(|text| self.lesson.example(text, 0, 1.0)).collect();
        let examples: Vec<&Example> = examples.iter().collect();
        let total = examples.len() as u64;
        let mut failed = None;
        let cached = server.precompute_kv(&examples, &weights.shape, REMEMBERED, &mut |done| {
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

    /// What the model as it is says of every text: log-probabilities, texts × labels.
    fn untaught(&self, work: &mut Work<'_>, trainer: &Trainer) -> Result<Option<Array2<f32>>> {
        let mut all = Array2::zeros((self.texts.len(), self.labels));
        let rows: Vec<usize> = (0..self.texts.len()).collect();
        for chunk in rows.chunks(CHUNK) {
            work.report("reading without the adapter", chunk[0] as u64, Some(rows.len() as u64), "texts")?;
            if work.stopped() {
                return Ok(None);
            }
            let said = self.said(trainer, None, chunk)?;
            for (&row, p) in chunk.iter().zip(said.rows()) {
                all.row_mut(row).assign(&p);
            }
        }
        Ok(Some(all))
    }

    /// What the trainer says of some texts: log-probabilities, texts × labels.
    fn said(&self, trainer: &Trainer, adapter: Option<&Lora>, rows: &[usize]) -> Result<Array2<f32>> {
        let probes = self.probes(rows);
        let cached = trainer.cached.as_ref().map(|cached| cached.in_order(&self.repeated(rows)));
        let choices = probabilities(&trainer.weights, adapter, &probes, form(cached.as_ref()), STEP)?;
        Ok(self.by_label(&choices))
    }

    /// Trains on one part; with what it says after each epoch of the texts that are held out, as probabilities. None where it was stopped.
    fn train(
        &self,
        work: &mut Work<'_>,
        trainer: &Trainer,
        part: &Fold,
        way: Way,
    ) -> Result<Option<(Lora, Vec<Array2<f32>>)>> {
        let labels: Vec<usize> = part.rows.iter().map(|&row| self.gold[row]).collect();
        let weights = balanced(&labels, self.labels);
        let example = |(&row, weight): (&usize, &f64)| {
            self.lesson.example(&self.texts[row], self.gold[row], *weight as f32)
        };
        let examples: Vec<Example> = part.rows.iter().zip(&weights).map(example).collect();
        let held_out = self.probes(&part.held_out);
        let order: Vec<usize> = part.rows.iter().copied().chain(self.repeated(&part.held_out)).collect();
        let cached = trainer.cached.as_ref().map(|cached| cached.in_order(&order));
        let lesson = Fit {
            weights: &trainer.weights,
            examples: &examples,
            held_out: &held_out,
            form: form(cached.as_ref()),
            memory: STEP,
        };
        let (work, mut by_epoch) = (RefCell::new(work), Vec::new());
        let mut failed = None;
        let adapter = fit(
            &lesson,
            &self.settings,
            &mut |step| {
                let mut work = work.borrow_mut();
                let told =
                    work.report("training", (way.done + step.done) as u64, Some(way.of as u64), "steps");
                if let Err(fault) = told {
                    failed.get_or_insert(fault);
                }
                match failed.is_some() || work.stopped() {
                    true => ControlFlow::Break(()),
                    false => ControlFlow::Continue(()),
                }
            },
            &mut |epoch| {
                let p = self.by_label(&epoch.held_out).mapv(f32::exp);
                work.borrow_mut().epochs.push(self.epoch(part, epoch.number, epoch.loss, &p));
                by_epoch.push(p);
            },
        )?;
        match failed {
            Some(fault) => Err(fault),
            None => Ok(adapter.map(|adapter| (adapter, by_epoch))),
        }
    }

    /// After how many epochs the folds did best on what they had not seen, and what they said of it then; the fewest of those that are alike.
    fn best(&self, unseen: Vec<Array2<f32>>) -> (usize, Array2<f32>) {
        let weights = balanced(self.gold, self.labels);
        let held_out = HeldOut { gold: self.gold, weights: &weights };
        let of = |p: &Array2<f32>| held_out.loss(p).unwrap_or(f64::INFINITY);
        let all = unseen.into_iter().map(|p| (of(&p), p)).zip(1..);
        let best = all.min_by(|((a, _), _), ((b, _), _)| a.total_cmp(b));
        best.map_or((1, Array2::zeros((0, self.labels))), |((_, p), epochs)| (epochs, p))
    }

    fn epoch(&self, part: &Fold, number: usize, loss: f64, held_out: &Array2<f32>) -> Epoch {
        let gold: Vec<usize> = part.held_out.iter().map(|&row| self.gold[row]).collect();
        let weights = balanced(&gold, self.labels);
        let labels = HeldOut { gold: &gold, weights: &weights };
        labels.epoch(&part.name, (number, loss), held_out, self.settings.seed)
    }

    /// The adapter against the model as it is, calibrated on the labels of the other folds: on labels that neither has seen.
    fn compare(&self, base: &Array2<f32>, held_out: &Array2<f32>, fold_of: &[usize]) -> Result<Comparison> {
        let weights = balanced(self.gold, self.labels);
        let adapted = HeldOut { gold: self.gold, weights: &weights }.losses(held_out);
        let mut plain = vec![0.0; self.texts.len()];
        for fold in 0..FOLDS {
            let (out, rest): (Vec<usize>, Vec<usize>) =
                (0..plain.len()).partition(|&row| fold_of[row] == fold);
            let seen = base.select(Axis(0), &rest);
            let gold: Vec<usize> = rest.iter().map(|&row| self.gold[row]).collect();
            let opinions = Opinions { scout: seen.view(), judge: seen.view(), gold: &gold };
            let stack = Stack::judge_alone(vec![0.0; self.labels]).fitted(&opinions, Fitted::Judge);
            let unseen = base.select(Axis(0), &out);
            let p = stack.probabilities(unseen.view(), unseen.view());
            for (&row, p) in out.iter().zip(p.rows()) {
                plain[row] = loss(p[self.gold[row]], weights[row]);
            }
        }
        Comparison::of(&adapted, &plain)
    }

    /// llama.cpp against what the trainer says of some texts, log-probabilities, texts × labels.
    fn compared(
        &self,
        server: &mut ServedModel<'_>,
        rows: &[usize],
        acting: AdapterActs,
        expected: &Array2<f32>,
    ) -> Result<Verified> {
        let choices = self.probes(rows).into_iter().map(|probe| server.probabilities(&probe, acting));
        let served = self.by_label(&choices.collect::<Result<Vec<_>>>()?);
        Ok(Verified::between(served.mapv(f32::exp).view(), expected.mapv(f32::exp).view()))
    }

    /// Texts from all over the training set.
    fn sample(&self) -> Vec<usize> {
        let n = self.texts.len();
        (0..n).step_by((n / VERIFIED_ON).max(1)).take(VERIFIED_ON).collect()
    }

    fn probes(&self, rows: &[usize]) -> Vec<Example> {
        rows.iter().flat_map(|&row| self.lesson.probes(&self.texts[row])).collect()
    }

    /// Each row once for each of its probes.
    fn repeated(&self, rows: &[usize]) -> Vec<usize> {
        rows.iter().flat_map(|&row| std::iter::repeat_n(row, self.lesson.looks())).collect()
    }

    /// From the choices of probes to log-probabilities, texts × labels.
    fn by_label(&self, choices: &[Vec<Vec<f32>>]) -> Array2<f32> {
        let looks = self.lesson.looks().max(1);
        let mut all = Array2::zeros((choices.len() / looks, self.labels));
        for (mut row, probes) in all.rows_mut().into_iter().zip(choices.chunks_exact(looks)) {
            let choices: Vec<Vec<f32>> = probes.iter().filter_map(|probe| probe.first().cloned()).collect();
            for (to, log) in row.iter_mut().zip(self.lesson.log_probabilities(&choices)) {
                *to = log;
            }
        }
        all
    }

    fn steps(&self, part: &Fold) -> usize {
        self.settings.epochs * part.rows.len().div_ceil(self.settings.batch)
    }
}

fn form(cached: Option<&KvStore>) -> AdapterForm<'_> {
    cached.map_or(AdapterForm::Lora, |cached| AdapterForm::Alora { cached, first: 0 })
}
