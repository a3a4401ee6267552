//! The trainings of one tuning: on all labels for the adapter, and on two thirds of them three times, to see what it is worth on the rest.
//!
//! All run beside each other, one to a core, and none sees a label that is not for training.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};

use super::held_out::{Comparison, HeldOut};
use super::training::Training;
use crate::domain::fault::{Fault, Result};
use crate::domain::ids::ItemId;
use crate::domain::progress::Epoch;
use crate::engine::lora::{EncoderAdapter, Head};
use crate::engine::train::Settings;
use crate::engine::train::encoder::{Example, Fit, fit};
use crate::engine::transformer::Weights;
use crate::engine::verify::Verified;
use crate::stats::classifier::head::{balanced, fit_head, stratified_folds};
use crate::work::runner::Work;

/// Parts into which the labels are dealt.
pub(crate) const FOLDS: usize = 3;

/// What is trained, and on what.
pub(crate) struct CrossValidation<'a> {
    /// The frozen model.
    pub weights: &'a Arc<Weights>,
    /// Vectors by the model as it is, and labels.
    pub training: &'a Training,
    /// The tokens of each training text.
    pub tokens: &'a [Vec<usize>],
    /// Labels of the task.
    pub classes: usize,
    /// How.
    pub settings: Settings,
    /// Trainings beside each other.
    pub threads: usize,
}

/// What is kept of how an adapter was trained.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LoraSettings {
    /// The hyper-parameters.
    #[serde(flatten)]
    pub settings: Settings,
    /// The adapter against the head.
    pub comparison: Comparison,
    /// llama.cpp against the trainer.
    pub verified: Verified,
    /// Each epoch that ended.
    pub epochs_ended: Vec<Epoch>,
    /// The probabilities of each training label by the fold's adapter that had not seen it.
    #[serde(default)]
    pub held_out: Vec<(ItemId, Vec<f32>)>,
}

/// What came of it.
pub(crate) struct Trained {
    pub adapter: EncoderAdapter,
    pub comparison: Comparison,
    /// The probabilities of each training label by the adapter of the fold that held it out.
    pub held_out: Vec<(ItemId, Vec<f32>)>,
}

/// Texts of one training, by their rows: those that are trained on, and those that are held out.
pub(crate) struct Fold {
    pub name: String,
    pub rows: Vec<usize>,
    pub held_out: Vec<usize>,
}

impl Fold {
    /// A training on all rows, and one for each fold that is held out. The longest is the first: where they run beside each other, the others
    /// fill the cores.
    pub fn all(fold_of: &[usize]) -> Vec<Self> {
        let all =
            Self { name: "all labels".into(), rows: (0..fold_of.len()).collect(), held_out: Vec::new() };
        let folds = (0..FOLDS).map(|fold| {
            let (held_out, rows) = (0..fold_of.len()).partition(|&row| fold_of[row] == fold);
            Self { name: format!("fold {} of {FOLDS}", fold + 1), rows, held_out }
        });
        std::iter::once(all).chain(folds).collect()
    }
}

/// What a training says.
enum Said {
    Step,
    Epoch(Epoch),
    /// The adapter, and what the last epoch's and the head's probabilities of the held-out texts are.
    Ended(usize, Result<Option<Box<Ended>>>),
}

struct Ended {
    adapter: EncoderAdapter,
    lora: Array2<f32>,
    head: Array2<f32>,
}

impl CrossValidation<'_> {
    /// Trains; none where it was stopped.
    ///
    /// # Errors
    /// A training that fails.
    pub fn run(&self, work: &mut Work<'_>) -> Result<Option<Trained>> {
        let parts = self.parts();
        let steps: usize = parts.iter().map(|part| self.steps(part)).sum();
        let queue: Mutex<VecDeque<usize>> = Mutex::new((0..parts.len()).collect());
        let stopped = AtomicBool::new(false);
        let mut ended: Vec<Option<Ended>> = parts.iter().map(|_| None).collect();
        let (say, heard) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..self.threads.min(parts.len()) {
                let (say, queue, parts, stopped) = (say.clone(), &queue, &parts, &stopped);
                scope.spawn(move || {
                    while let Some(part) = next(queue) {
                        let end = self.train(&parts[part], stopped, &say);
                        let _ = say.send(Said::Ended(part, end));
                    }
                });
            }
            drop(say);
            let mut done = 0;
            let mut failed = None;
            for said in heard {
                match said {
                    Said::Step => done += 1,
                    Said::Epoch(epoch) => work.epochs.push(epoch),
                    Said::Ended(part, Ok(end)) => ended[part] = end.map(|end| *end),
                    Said::Ended(_, Err(fault)) => {
                        failed.get_or_insert(fault);
                    }
                }
                // Whatever goes wrong here, the trainings must not go on for nothing.
                if let Err(fault) = work.report("training", done, Some(steps as u64), "steps") {
                    failed.get_or_insert(fault);
                }
                if failed.is_some() || work.stopped() {
                    stopped.store(true, Ordering::Relaxed);
                }
            }
            failed.map_or(Ok(()), Err)
        })?;
        let Some(ended) = ended.into_iter().collect::<Option<Vec<Ended>>>() else { return Ok(None) };
        let comparison = self.compare(&parts, &ended)?;
        let of = |(part, ended): (&Fold, &Ended)| {
            let items: Vec<ItemId> = part.held_out.iter().map(|&row| self.training.items[row]).collect();
            items.into_iter().zip(ended.lora.rows().into_iter().map(|row| row.to_vec()).collect::<Vec<_>>())
        };
        let held_out = parts.iter().zip(&ended).flat_map(of).collect();
        let adapter = ended.into_iter().next().map(|all| all.adapter);
        Ok(adapter.map(|adapter| Trained { adapter, comparison, held_out }))
    }

    fn parts(&self) -> Vec<Fold> {
        Fold::all(&stratified_folds(&self.training.labels, self.classes, FOLDS, self.settings.seed))
    }

    fn steps(&self, part: &Fold) -> usize {
        self.settings.epochs * part.rows.len().div_ceil(self.settings.batch)
    }

    fn train(
        &self,
        part: &Fold,
        stopped: &AtomicBool,
        say: &mpsc::Sender<Said>,
    ) -> Result<Option<Box<Ended>>> {
        let labels_of =
            |rows: &[usize]| -> Vec<usize> { rows.iter().map(|&row| self.training.labels[row]).collect() };
        let labels = labels_of(&part.rows);
        let vectors = self.training.vectors.select(Axis(0), &part.rows);
        let head = fit_head(vectors.view(), &labels, self.classes, self.settings.seed)
            .map_err(|few| Fault::new("train the adapter", few.to_string()))?
            .model;
        let weights = balanced(&labels, self.classes);
        let examples: Vec<Example<'_>> = (part.rows.iter().zip(&labels).zip(&weights))
            .map(|((&row, &label), &weight)| Example {
                tokens: &self.tokens[row],
                label,
                weight: weight as f32,
            })
            .collect();
        let held_out: Vec<&[usize]> = part.held_out.iter().map(|&row| &self.tokens[row][..]).collect();
        let gold = labels_of(&part.held_out);
        let of_each = self.weight_of_each();
        let weights_of_held_out: Vec<f64> = part.held_out.iter().map(|&row| of_each[row]).collect();
        let held_out_labels = HeldOut { gold: &gold, weights: &weights_of_held_out };
        let start = Head { weight: head.weights.clone(), bias: head.bias.clone() };
        let mut last = Array2::zeros((0, self.classes));
        let adapter = fit(
            &Fit { weights: self.weights, examples: &examples, held_out: &held_out, head: &start },
            &self.settings,
            &mut |_| match say.send(Said::Step) {
                Ok(()) if !stopped.load(Ordering::Relaxed) => ControlFlow::Continue(()),
                _ => ControlFlow::Break(()),
            },
            &mut |epoch| {
                let told = held_out_labels.epoch(
                    &part.name,
                    (epoch.number, epoch.loss),
                    &epoch.held_out,
                    self.settings.seed,
                );
                let _ = say.send(Said::Epoch(told));
                last = epoch.held_out;
            },
        )?;
        let unseen = self.training.vectors.select(Axis(0), &part.held_out);
        Ok(adapter
            .map(|adapter| Box::new(Ended { adapter, lora: last, head: head.probabilities(unseen.view()) })))
    }

    /// The weight of each training label that makes all labels count the same together.
    fn weight_of_each(&self) -> Vec<f64> {
        balanced(&self.training.labels, self.classes)
    }

    fn compare(&self, parts: &[Fold], ended: &[Ended]) -> Result<Comparison> {
        let weights = self.weight_of_each();
        let (mut head, mut lora) = (Vec::new(), Vec::new());
        for (part, ended) in parts.iter().zip(ended) {
            let gold: Vec<usize> = part.held_out.iter().map(|&row| self.training.labels[row]).collect();
            let weights: Vec<f64> = part.held_out.iter().map(|&row| weights[row]).collect();
            let held_out = HeldOut { gold: &gold, weights: &weights };
            head.extend(held_out.losses(&ended.head));
            lora.extend(held_out.losses(&ended.lora));
        }
        Comparison::of(&lora, &head)
    }
}

fn next(queue: &Mutex<VecDeque<usize>>) -> Option<usize> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}
