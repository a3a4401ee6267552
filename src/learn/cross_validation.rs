//! Cross-validated training of a low-rank adapter, the encoder's and the judge's alike: on two thirds of the labels three times, to see what it is worth on
//! the rest and after how many epochs, and on all labels for the adapter itself. A fold that no longer gets better stops early; the adapter takes the
//! same steps as the folds, so that what they say after an epoch holds for it.
//!
//! Knows folds, epochs and losses; how one training runs is the trainer's. None sees a label that is not for training.

use std::collections::VecDeque;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};

use ndarray::{Array2, Axis};

use super::held_out::HeldOut;
use crate::domain::adapter::{Comparison, LoraHyperparameters, ServingCheck};
use crate::domain::fault::{Fault, Result};
use crate::domain::progress::Epoch;
use crate::domain::task_kind::TaskKind;
use crate::engine::train::Settings;
use crate::engine::verify::Verified;
use crate::stats::classifier::head::{balanced_by, stratified_folds};
use crate::work::runner::Work;

/// Parts into which the labels are dealt.
pub(crate) const FOLDS: usize = 3;
/// Epochs without a better one on what is held out after which a fold stops.
const PATIENCE: usize = 3;

impl From<Settings> for LoraHyperparameters {
    fn from(settings: Settings) -> Self {
        let Settings { rank, alpha, learning_rate, epochs, batch, weight_decay, seed } = settings;
        Self { rank, alpha, learning_rate, epochs, batch, weight_decay, seed }
    }
}

impl From<Verified> for ServingCheck {
    fn from(verified: Verified) -> Self {
        let Verified { texts, largest, mean, same_label } = verified;
        Self { texts, largest, mean, same_label }
    }
}

/// Texts of one training, by their rows: those that are trained on, and those that are held out.
pub(crate) struct Fold {
    pub name: String,
    pub rows: Vec<usize>,
    pub held_out: Vec<usize>,
}

impl Fold {
    /// The training on all rows.
    fn whole(n: usize) -> Self {
        Self { name: "all labels".into(), rows: (0..n).collect(), held_out: Vec::new() }
    }

    /// One training for each fold that is held out.
    fn each(fold_of: &[usize]) -> Vec<Self> {
        let fold = |fold| {
            let (held_out, rows) = (0..fold_of.len()).partition(|&row| fold_of[row] == fold);
            Self { name: format!("fold {} of {FOLDS}", fold + 1), rows, held_out }
        };
        (0..FOLDS).map(fold).collect()
    }
}

/// Hears from a training.
pub(crate) trait Callbacks {
    /// After each step; breaks to end the training.
    fn step(&mut self) -> ControlFlow<()>;
    /// After each epoch: its number from 1, its loss on what is trained on, and the probabilities of the held-out rows, rows × labels; breaks where it
    /// is to be the last.
    fn epoch(&mut self, number: usize, loss: f64, held_out: Array2<f32>) -> ControlFlow<()>;
}

/// What can be trained on some of the training labels.
pub(crate) trait Trainer {
    type Adapter;

    /// Trains on the rows of a fold; none where it was told to stop.
    ///
    /// # Errors
    /// A training that fails.
    fn train(&self, fold: &Fold, callbacks: &mut dyn Callbacks) -> Result<Option<Self::Adapter>>;

    /// How many texts it learns from on the rows of a fold, each once an epoch.
    fn examples(&self, fold: &Fold) -> usize {
        fold.rows.len()
    }

    /// Probabilities of the held-out rows by what there is without the adapter, fitted on the fold's rows: rows × labels.
    ///
    /// # Errors
    /// A fit that fails.
    fn baseline(&self, fold: &Fold) -> Result<Array2<f32>>;
}

/// A trainer with its labels.
pub(crate) struct CrossValidation<'a, T> {
    pub trainer: &'a T,
    /// The label of each row.
    pub gold: &'a [usize],
    /// Whether each row measures: an expert's label does, and one that was imported does not.
    pub measured: &'a [bool],
    /// Labels of the task.
    pub classes: usize,
    /// What is asked for.
    pub kind: TaskKind,
    pub settings: Settings,
}

/// What came of it.
pub(crate) struct CrossValidated<A> {
    /// Trained on all labels.
    pub adapter: A,
    /// The epochs that it was trained for.
    pub epochs: usize,
    /// Each row's probabilities after so many epochs by the adapter of the fold that held it out, rows × labels.
    pub held_out: Array2<f32>,
    /// The adapter against what there is without it.
    pub comparison: Comparison,
}

/// What the folds said of the rows that they held out, after each epoch.
struct ByEpoch<'a> {
    gold: &'a [usize],
    measured: &'a [bool],
    /// What each row's loss counts, so that all labels count the same together.
    weights: Vec<f64>,
    /// One for each epoch, rows × labels.
    probabilities: Vec<Array2<f32>>,
    kind: TaskKind,
    seed: u64,
}

impl ByEpoch<'_> {
    /// Keeps what a fold said after an epoch, and returns what a person is told of it.
    fn keep(&mut self, fold: &Fold, number: usize, loss: f64, held_out: &Array2<f32>) -> Epoch {
        if let Some(all) = number.checked_sub(1).and_then(|at| self.probabilities.get_mut(at)) {
            for (&row, p) in fold.held_out.iter().zip(held_out.rows()) {
                all.row_mut(row).assign(&p);
            }
        }
        let at: Vec<usize> =
            (0..fold.held_out.len()).filter(|&at| self.measured[fold.held_out[at]]).collect();
        let gold: Vec<usize> = at.iter().map(|&at| self.gold[fold.held_out[at]]).collect();
        let weights: Vec<f64> = at.iter().map(|&at| self.weights[fold.held_out[at]]).collect();
        let held_out = held_out.select(Axis(0), &at);
        let rows = HeldOut { gold: &gold, weights: &weights, kind: self.kind };
        rows.epoch(&fold.name, (number, loss), &held_out, self.seed)
    }

    /// A fold's rows after `ended` epochs, for the epochs that it did not go through: an adapter that no longer gets better is taken to stay as it is.
    fn stays(&mut self, fold: &Fold, ended: usize) {
        let (before, after) = self.probabilities.split_at_mut(ended);
        let Some(last) = before.last() else { return };
        for all in after {
            for &row in &fold.held_out {
                all.row_mut(row).assign(&last.row(row));
            }
        }
    }

    /// The losses of the rows that measure, by probabilities of rows × labels.
    fn losses(&self, probabilities: &Array2<f32>) -> Vec<f64> {
        let all = HeldOut { gold: self.gold, weights: &self.weights, kind: self.kind }.losses(probabilities);
        all.into_iter().zip(self.measured).filter_map(|(loss, measured)| measured.then_some(loss)).collect()
    }

    /// After how many epochs the folds did best on what they had not seen; the fewest of those that are alike.
    fn best(&self) -> usize {
        let loss = |p: &Array2<f32>| {
            let losses = self.losses(p);
            losses.iter().sum::<f64>() / losses.len().max(1) as f64
        };
        let losses = self.probabilities.iter().map(loss).zip(1..);
        losses.min_by(|a, b| a.0.total_cmp(&b.0)).map_or(1, |(_, epochs)| epochs)
    }
}

/// How far all trainings together are, in steps.
struct Steps {
    done: usize,
    of: usize,
}

/// Reports a training that runs on the job's own thread.
struct Reported<'r, 'w, 'g> {
    work: &'r mut Work<'w>,
    fold: &'r Fold,
    kept: &'r mut ByEpoch<'g>,
    steps: &'r mut Steps,
    /// After how many epochs it ends whatever happens.
    most: usize,
    /// The least loss on what is held out, and its epoch.
    best: (f64, usize),
    /// The last epoch.
    ended: usize,
    failed: Option<Fault>,
}

impl Callbacks for Reported<'_, '_, '_> {
    fn step(&mut self) -> ControlFlow<()> {
        self.steps.done += 1;
        let of = Some(self.steps.of as u64);
        if let Err(fault) = self.work.report("training", self.steps.done as u64, of, "steps") {
            self.failed.get_or_insert(fault);
        }
        match self.failed.is_some() || self.work.stopped() {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    }

    fn epoch(&mut self, number: usize, loss: f64, held_out: Array2<f32>) -> ControlFlow<()> {
        let epoch = self.kept.keep(self.fold, number, loss, &held_out);
        let loss = epoch.held_out_loss.unwrap_or(0.0);
        if number == 1 || loss < self.best.0 {
            self.best = (loss, number);
        }
        self.ended = number;
        self.work.epochs.push(epoch);
        let learns = self.fold.held_out.is_empty() || number - self.best.1 < PATIENCE;
        if learns && number < self.most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }
}

/// What a training on a thread of its own says.
enum Said<A> {
    Step,
    Epoch { fold: usize, number: usize, loss: f64, held_out: Array2<f32> },
    Ended(usize, Result<Option<A>>),
}

struct Sending<'s, A> {
    fold: usize,
    say: &'s mpsc::Sender<Said<A>>,
    stopped: &'s AtomicBool,
}

impl<A> Callbacks for Sending<'_, A> {
    fn step(&mut self) -> ControlFlow<()> {
        match self.say.send(Said::Step) {
            Ok(()) if !self.stopped.load(Ordering::Relaxed) => ControlFlow::Continue(()),
            _ => ControlFlow::Break(()),
        }
    }

    fn epoch(&mut self, number: usize, loss: f64, held_out: Array2<f32>) -> ControlFlow<()> {
        let _ = self.say.send(Said::Epoch { fold: self.fold, number, loss, held_out });
        ControlFlow::Continue(())
    }
}

impl<T: Trainer> CrossValidation<'_, T> {
    /// Trains one fold after the other, and then on all labels for as many epochs as served the folds best; none where it was stopped.
    ///
    /// # Errors
    /// A training that fails.
    pub fn in_turn(&self, work: &mut Work<'_>) -> Result<Option<CrossValidated<T::Adapter>>> {
        let folds = self.folds();
        let mut kept = self.by_epoch();
        let whole = Fold::whole(self.gold.len());
        let trainings = folds.iter().chain([&whole]);
        let of = trainings.map(|fold| self.steps(fold, self.settings.epochs)).sum();
        let mut steps = Steps { done: 0, of };
        for fold in &folds {
            let begun = steps.done;
            if self.train(work, fold, self.settings.epochs, &mut kept, &mut steps)?.is_none() {
                return Ok(None);
            }
            // What it saved by stopping early need not be done.
            steps.of -= self.steps(fold, self.settings.epochs) - (steps.done - begun);
        }
        let epochs = kept.best();
        steps.of = steps.done + self.steps(&whole, epochs);
        let Some(adapter) = self.train(work, &whole, epochs, &mut kept, &mut steps)? else { return Ok(None) };
        self.ended(adapter, epochs, kept, &folds).map(Some)
    }

    fn train(
        &self,
        work: &mut Work<'_>,
        fold: &Fold,
        epochs: usize,
        kept: &mut ByEpoch<'_>,
        steps: &mut Steps,
    ) -> Result<Option<T::Adapter>> {
        let mut reported = Reported {
            work,
            fold,
            kept,
            steps,
            most: epochs,
            best: (f64::INFINITY, 0),
            ended: 0,
            failed: None,
        };
        let adapter = self.trainer.train(fold, &mut reported)?;
        let (ended, failed) = (reported.ended, reported.failed);
        kept.stays(fold, ended);
        failed.map_or(Ok(adapter), Err)
    }

    fn ended(
        &self,
        adapter: T::Adapter,
        epochs: usize,
        mut kept: ByEpoch<'_>,
        folds: &[Fold],
    ) -> Result<CrossValidated<T::Adapter>> {
        let held_out = kept.probabilities.swap_remove(epochs - 1);
        let mut without = Array2::zeros(held_out.dim());
        for fold in folds {
            for (&row, p) in fold.held_out.iter().zip(self.trainer.baseline(fold)?.rows()) {
                without.row_mut(row).assign(&p);
            }
        }
        let comparison = Comparison::of(&kept.losses(&held_out), &kept.losses(&without))?;
        Ok(CrossValidated { adapter, epochs, held_out, comparison })
    }

    fn folds(&self) -> Vec<Fold> {
        Fold::each(&stratified_folds(self.gold, self.classes, FOLDS, self.settings.seed))
    }

    fn by_epoch(&self) -> ByEpoch<'_> {
        ByEpoch {
            gold: self.gold,
            measured: self.measured,
            weights: self.weights(),
            probabilities: vec![Array2::zeros((self.gold.len(), self.classes)); self.settings.epochs],
            kind: self.kind,
            seed: self.settings.seed,
        }
    }

    /// What each row's loss counts: those that measure are balanced among themselves.
    fn weights(&self) -> Vec<f64> {
        let measures = |measured: &bool| f64::from(u8::from(*measured));
        balanced_by(self.gold, self.classes, &self.measured.iter().map(measures).collect::<Vec<_>>())
    }

    fn steps(&self, fold: &Fold, epochs: usize) -> usize {
        epochs * self.trainer.examples(fold).div_ceil(self.settings.batch)
    }
}

impl<T: Trainer + Sync> CrossValidation<'_, T>
where
    T::Adapter: Send,
{
    /// Trains on all labels and on the folds at once, one training to a thread, each for all epochs; none where it was stopped. The longest is the first:
    /// the others fill the cores.
    ///
    /// # Errors
    /// A training that fails.
    pub fn in_parallel(
        &self,
        work: &mut Work<'_>,
        threads: usize,
    ) -> Result<Option<CrossValidated<T::Adapter>>> {
        let epochs = self.settings.epochs;
        let mut trainings = vec![Fold::whole(self.gold.len())];
        trainings.extend(self.folds());
        let mut kept = self.by_epoch();
        let of: usize = trainings.iter().map(|fold| self.steps(fold, epochs)).sum();
        let queue: Mutex<VecDeque<usize>> = Mutex::new((0..trainings.len()).collect());
        let stopped = AtomicBool::new(false);
        let mut ended: Vec<Option<T::Adapter>> = trainings.iter().map(|_| None).collect();
        let (say, heard) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..threads.min(trainings.len()) {
                let (say, queue, trainings, stopped) = (say.clone(), &queue, &trainings, &stopped);
                scope.spawn(move || {
                    while let Some(fold) = next(queue) {
                        let mut sending = Sending { fold, say: &say, stopped };
                        let end = self.trainer.train(&trainings[fold], &mut sending);
                        let _ = say.send(Said::Ended(fold, end));
                    }
                });
            }
            drop(say);
            let mut done = 0;
            let mut failed = None;
            for said in heard {
                match said {
                    Said::Step => done += 1,
                    Said::Epoch { fold, number, loss, held_out } => {
                        work.epochs.push(kept.keep(&trainings[fold], number, loss, &held_out));
                    }
                    Said::Ended(fold, Ok(adapter)) => ended[fold] = adapter,
                    Said::Ended(_, Err(fault)) => {
                        failed.get_or_insert(fault);
                    }
                }
                // Whatever goes wrong here, the trainings must not go on for nothing.
                if let Err(fault) = work.report("training", done, Some(of as u64), "steps") {
                    failed.get_or_insert(fault);
                }
                if failed.is_some() || work.stopped() {
                    stopped.store(true, Ordering::Relaxed);
                }
            }
            failed.map_or(Ok(()), Err)
        })?;
        let ended = ended.into_iter().collect::<Option<Vec<T::Adapter>>>();
        match ended.and_then(|ended| ended.into_iter().next()) {
            Some(adapter) => self.ended(adapter, epochs, kept, &trainings[1..]).map(Some),
            None => Ok(None),
        }
    }
}

fn next(queue: &Mutex<VecDeque<usize>>) -> Option<usize> {
    queue.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_held_out_once_and_never_trained_on_by_its_fold() {
        let gold: Vec<usize> = (0..20).map(|row| usize::from(row % 4 == 0)).collect();
        let folds = Fold::each(&stratified_folds(&gold, 2, FOLDS, 7));
        let mut held_out: Vec<usize> = folds.iter().flat_map(|fold| fold.held_out.clone()).collect();
        held_out.sort_unstable();
        assert_eq!(held_out, (0..20).collect::<Vec<_>>());
        for fold in &folds {
            assert_eq!(fold.rows.len() + fold.held_out.len(), 20);
            assert!(fold.rows.iter().all(|row| !fold.held_out.contains(row)));
        }
        assert!(Fold::whole(20).held_out.is_empty());
    }

    #[test]
    fn the_epoch_that_served_what_was_held_out_best_is_chosen_and_the_earlier_of_two_alike() {
        let gold = [0, 1];
        let all = Fold { name: "fold 1 of 3".into(), rows: vec![], held_out: vec![0, 1] };
        let mut kept = ByEpoch {
            gold: &gold,
            measured: &[true; 2],
            weights: vec![1.0; 2],
            probabilities: vec![Array2::zeros((2, 2)); 3],
            kind: TaskKind::One,
            seed: 1,
        };
        for (number, sure) in [(1, 0.6), (2, 0.9), (3, 0.9)] {
            let p = ndarray::array![[sure, 1.0 - sure], [1.0 - sure, sure]];
            let epoch = kept.keep(&all, number, 0.5, &p);
            assert_eq!((epoch.epoch, epoch.held_out), (number, 2));
        }
        assert_eq!(kept.best(), 2);
        kept.stays(&all, 1);
        assert_eq!(kept.probabilities[2], kept.probabilities[0], "a fold that ended after the first epoch");
        assert_eq!(kept.best(), 1);
    }

    #[test]
    fn labels_that_were_imported_are_trained_on_and_measure_nothing() {
        let all = Fold { name: "fold 1 of 3".into(), rows: vec![], held_out: vec![0, 1, 2] };
        let (gold, measured) = ([0, 1, 0], [true, true, false]);
        let told = |imported: f32| {
            let mut kept = ByEpoch {
                gold: &gold,
                measured: &measured,
                weights: vec![1.0; 3],
                probabilities: vec![Array2::zeros((3, 2)); 1],
                kind: TaskKind::One,
                seed: 1,
            };
            let p = ndarray::array![[0.9, 0.1], [0.2, 0.8], [imported, 1.0 - imported]];
            let epoch = kept.keep(&all, 1, 0.5, &p);
            (epoch.held_out, epoch.held_out_loss, kept.losses(&p))
        };
        assert_eq!((told(0.01), told(0.01).0), (told(0.99), 2));
    }
}
