//! Combines models: a stacked logistic regression with a weight for each model and a bias for each label.
//!
//! The log-odds of a label are the weighted sum of the models' log-probabilities, plus a bias. There are few parameters because there are few labels
//! to fit them on, and they are regularized towards the first model alone, the scout: without evidence nothing changes. Stacking: Wolpert (1992),
//! *Stacked generalization*, Neural Networks 5. Of one model it is temperature scaling with a bias (Guo et al. 2017, arXiv 1706.04599).
//!
//! The others are readers: each has seen some of the texts. They join one by one, each time the one that helps most on labels that no fit has
//! seen, until none helps.

use ndarray::{Array2, ArrayView1, ArrayView2, Axis};

use super::head::stratified_folds;
use super::lbfgs::minimise;
pub use crate::domain::predictor::{Stack, Worth};
use crate::stats::estimate::paired::Paired;

/// Strength of the regularization: a departure of 1 from the start weighs as much as this many labels.
const PRIOR: f64 = 2.0;
const FOLDS: usize = 5;
/// Examples below which nothing can be said of a reader.
const LEAST_EXAMPLES: usize = 4 * FOLDS;
/// A reader joins where it lowers the held-out loss by more than so many standard errors of the difference: at a half, one that guesses joined.
const ERRORS: f64 = 1.0;
/// No example counts more than so many times what it would if all counted the same: a label's only example must not decide.
const MOST_WEIGHT: f64 = 5.0;
const TOLERANCE: f64 = 1e-6;
/// Log-probabilities are clipped here, so that one confident mistake cannot decide a fit.
const LEAST: f32 = -12.0;

/// Greatest number of EM steps for the shares of labels, and the change below which they have converged.
const MOST_STEPS: usize = 500;
const STEADY: f64 = 1e-6;
/// Least share of a label.
const LEAST_SHARE: f64 = 1e-4;

/// Labelled examples as some models see them.
#[derive(Clone, Copy)]
pub struct Opinions<'a> {
    /// Each model's log-probabilities in nats, by a fit that has not seen the label: examples × labels. The scout's are the first.
    pub logs: &'a [ArrayView2<'a, f32>],
    /// The experts' labels.
    pub gold: &'a [usize],
    /// How much each example counts before labels are made equal.
    pub importance: &'a [f64],
}

impl Opinions<'_> {
    /// The weight of each of some rows: all labels count the same together.
    fn weights(&self, rows: &[usize], labels: usize) -> Vec<f64> {
        let mut of_label = vec![0.0; labels];
        for &row in rows {
            of_label[self.gold[row]] += self.importance[row];
        }
        let present = of_label.iter().filter(|sum| **sum > 0.0).count().max(1);
        let share = rows.len() as f64 / present as f64;
        let weight = |&row: &usize| self.importance[row] * share / of_label[self.gold[row]];
        rows.iter().map(|row| weight(row).min(MOST_WEIGHT)).collect()
    }
}

impl Stack {
    /// The first of so many models decides alone.
    pub fn first_alone(models: usize, labels: usize) -> Self {
        let weights = (0..models).map(|model| if model == 0 { 1.0 } else { 0.0 });
        Self { weights: weights.collect(), bias: vec![0.0; labels] }
    }

    /// One model, with `bias` added to its log-probabilities.
    pub fn of_one(bias: Vec<f64>) -> Self {
        Self { weights: vec![1.0], bias }
    }

    /// Fits weights and biases, regularized towards `self`. `opinions` are of as many models as it has weights.
    pub fn fitted(&self, opinions: &Opinions<'_>) -> Self {
        let rows: Vec<usize> = (0..opinions.gold.len()).collect();
        self.fitted_on(opinions, &rows)
    }

    fn fitted_on(&self, opinions: &Opinions<'_>, rows: &[usize]) -> Self {
        let mut silent = vec![false; self.weights.len()];
        loop {
            let fitted = self.fitted_without(opinions, rows, &silent);
            // No model gets a negative weight: one that contradicts the labels is ignored.
            let worst = (0..silent.len()).min_by(|&a, &b| fitted.weights[a].total_cmp(&fitted.weights[b]));
            match worst.filter(|&model| fitted.weights[model] < 0.0) {
                Some(model) => silent[model] = true,
                None => return fitted,
            }
        }
    }

    /// The fit in which some models' weights are 0.
    fn fitted_without(&self, opinions: &Opinions<'_>, rows: &[usize], silent: &[bool]) -> Self {
        let (labels, models) = (self.bias.len(), self.weights.len());
        let weights = opinions.weights(rows, labels);
        let audible =
            self.weights.iter().zip(silent).map(|(weight, silent)| if *silent { 0.0 } else { *weight });
        let start: Vec<f64> = audible.chain(self.bias.iter().copied()).collect();
        let minimum = minimise(start.clone(), TOLERANCE, |point, gradient| {
            gradient.fill(0.0);
            let mut value = 0.0;
            let mut scores = vec![0.0; labels];
            for (&row, &weight) in rows.iter().zip(&weights) {
                let gold = opinions.gold[row];
                scores.copy_from_slice(&point[models..]);
                for (logs, by) in opinions.logs.iter().zip(point) {
                    for (score, log) in scores.iter_mut().zip(logs.row(row)) {
                        *score += by * f64::from(log.max(LEAST));
                    }
                }
                let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let whole = scores.iter().map(|s| (s - top).exp()).sum::<f64>();
                value += weight * (top + whole.ln() - scores[gold]);
                for (l, score) in scores.iter_mut().enumerate() {
                    *score = weight * ((*score - top).exp() / whole - f64::from(u8::from(l == gold)));
                    gradient[models + l] += *score;
                }
                for (logs, by) in opinions.logs.iter().zip(gradient.iter_mut()) {
                    *by += scores
                        .iter()
                        .zip(logs.row(row))
                        .map(|(s, log)| s * f64::from(log.max(LEAST)))
                        .sum::<f64>();
                }
            }
            for ((by, at), start) in gradient.iter_mut().zip(point).zip(&start) {
                value += 0.5 * PRIOR * (at - start).powi(2);
                *by += PRIOR * (at - start);
            }
            for (by, _) in gradient.iter_mut().zip(silent).filter(|(_, silent)| **silent) {
                *by = 0.0;
            }
            value
        });
        Self { weights: minimum.point[..models].to_vec(), bias: minimum.point[models..].to_vec() }
    }

    /// The probabilities of texts from as many models' log-probabilities as it has weights, each texts × labels.
    pub fn probabilities(&self, logs: &[ArrayView2<'_, f32>]) -> Array2<f32> {
        let texts = logs.first().map_or(0, ArrayView2::nrows);
        let mut all = Array2::zeros((texts, self.bias.len()));
        for (at, mut row) in all.rows_mut().into_iter().enumerate() {
            for (l, to) in row.iter_mut().enumerate() {
                let said =
                    self.weights.iter().zip(logs).map(|(by, logs)| by * f64::from(logs[(at, l)].max(LEAST)));
                *to = (said.sum::<f64>() + self.bias[l]) as f32;
            }
            let top = row.fold(f32::NEG_INFINITY, |top, x| top.max(*x));
            row.mapv_inplace(|x| (x - top).exp());
            let whole = row.sum();
            row.mapv_inplace(|x| x / whole);
        }
        all
    }
}

impl Stack {
    /// Corrects for the label shares of these texts, because a fit assumes equal shares. The shares are estimated by expectation maximisation from
    /// the probabilities of the texts (Saerens, Latinne and Decaestecker 2002, *Adjusting the outputs of a classifier to new a priori
    /// probabilities*, Neural Computation 14). The matrices are texts × labels, log-probabilities in nats.
    ///
    /// It assumes that texts of a label look alike to the model here and where it was fitted. So use it only for a model that had no part in
    /// choosing what it was fitted on.
    pub fn at_shares_of(&self, logs: &[ArrayView2<'_, f32>]) -> Self {
        let p = self.probabilities(logs).mapv(f64::from);
        let labels = self.bias.len();
        let equal = 1.0 / labels as f64;
        let mut shares = vec![equal; labels];
        for _ in 0..MOST_STEPS {
            let mut counts = vec![0.0; labels];
            for row in p.rows() {
                let joint = || row.iter().zip(&shares).map(|(p, share)| p * share);
                let whole = joint().sum::<f64>().max(f64::MIN_POSITIVE);
                counts.iter_mut().zip(joint()).for_each(|(count, joint)| *count += joint / whole);
            }
            let of = |count: &f64| (count / p.nrows().max(1) as f64).max(LEAST_SHARE);
            let next: Vec<f64> = counts.iter().map(of).collect();
            let moved = next.iter().zip(&shares).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            shares = next;
            if moved < STEADY {
                break;
            }
        }
        if p.nrows() == 0 {
            return self.clone();
        }
        let bias = self.bias.iter().zip(&shares).map(|(bias, share)| bias + (share / equal).ln());
        Self { bias: bias.collect(), ..self.clone() }
    }
}

/// Whether each label has as many examples as there are folds: fewer do not tell how a label's texts look to a model.
pub fn is_enough(gold: &[usize], labels: usize) -> bool {
    (0..labels).all(|label| gold.iter().filter(|&&l| l == label).count() >= FOLDS)
}

/// Labelled examples of which readers have seen some.
pub struct Evidence<'a> {
    /// The scout's log-probabilities by a fit that has not seen the label, examples × labels.
    pub scout: ArrayView2<'a, f32>,
    /// The same of each reader; none of an example that it has not read, or has learned from.
    pub readers: &'a [Vec<Option<ArrayView1<'a, f32>>>],
    pub gold: &'a [usize],
    /// How much each example counts.
    pub importance: &'a [f64],
}

/// Which readers join the scout.
#[derive(Clone, Debug, PartialEq)]
pub struct Joined {
    /// The readers, in the order in which they join.
    pub order: Vec<usize>,
    /// Of the scout alone, and with each reader that joins: one more than readers.
    pub stacks: Vec<Stack>,
    /// What each reader is worth next to the scout; none of one that has read too few examples.
    pub worth: Vec<Option<Worth>>,
}

impl Evidence<'_> {
    /// Lets the readers join one by one, each time the one that helps most, until none helps.
    pub fn join(&self, labels: usize, seed: u64) -> Joined {
        let mut worth: Vec<Option<Worth>> =
            (0..self.readers.len()).map(|reader| self.worth(&[], reader, labels, seed)).collect();
        let mut order: Vec<usize> = Vec::new();
        loop {
            let left = (0..self.readers.len()).filter(|reader| !order.contains(reader));
            let of = |reader: usize| match order.is_empty() {
                true => worth[reader],
                false => self.worth(&order, reader, labels, seed),
            };
            let helping = left.filter_map(|reader| Some((reader, of(reader).filter(|worth| worth.helps)?)));
            match helping.min_by(|(_, a), (_, b)| a.difference.total_cmp(&b.difference)) {
                Some((reader, _)) => order.push(reader),
                None => break,
            }
        }
        for (reader, worth) in worth.iter_mut().enumerate() {
            if let Some(worth) = worth {
                worth.helps = order.contains(&reader);
            }
        }
        let stack = |n: usize| {
            let start = Stack::first_alone(n + 1, labels);
            // What no reader has read stays as the scout has it.
            if n == 0 {
                return start;
            }
            let seen = self.seen_by(&order[..n]);
            start.fitted(&seen.opinions(&seen.views()))
        };
        let stacks = (0..=order.len()).map(stack).collect();
        Joined { order, stacks, worth }
    }

    /// What `reader` is worth next to the scout with those that have joined before.
    fn worth(&self, joined: &[usize], reader: usize, labels: usize, seed: u64) -> Option<Worth> {
        let all: Vec<usize> = joined.iter().copied().chain([reader]).collect();
        let seen = self.seen_by(&all);
        if seen.gold.len() < LEAST_EXAMPLES {
            return None;
        }
        let views = seen.views();
        let with = seen.opinions(&views);
        let without = seen.opinions(&views[..all.len()]);
        let rows: Vec<usize> = (0..seen.gold.len()).collect();
        let weights = with.weights(&rows, labels);
        let losses = |opinions: &Opinions<'_>| held_out_losses(opinions, &weights, labels, seed);
        let (both, mut alone) = (losses(&with), losses(&without));
        let mean = |losses: &[f64]| losses.iter().sum::<f64>() / losses.len() as f64;
        if joined.is_empty() {
            // The reader must beat the scout as it decides now, too, and not only one whose weight and biases were fitted anew.
            let untouched = losses_by(&Stack::first_alone(1, labels), &without, &rows, &weights);
            if mean(&untouched) < mean(&alone) {
                alone = untouched;
            }
        }
        let differences: Vec<f64> = both.iter().zip(&alone).map(|(both, alone)| both - alone).collect();
        let paired = Paired::of(&differences)?;
        Some(Worth {
            scout: mean(&alone),
            both: mean(&both),
            difference: paired.mean,
            error: paired.error,
            n: seen.gold.len(),
            helps: paired.mean < -ERRORS * paired.error,
        })
    }

    /// The examples that all of these readers have read.
    fn seen_by(&self, readers: &[usize]) -> Seen {
        let (labels, n) = (self.scout.ncols(), self.gold.len());
        let is_seen = |row: &usize| readers.iter().all(|&reader| self.readers[reader][*row].is_some());
        let rows: Vec<usize> = (0..n).filter(is_seen).collect();
        let of_reader = |&reader: &usize| {
            let mut logs = Array2::zeros((rows.len(), labels));
            for (mut to, &row) in logs.rows_mut().into_iter().zip(&rows) {
                if let Some(said) = self.readers[reader][row] {
                    to.assign(&said);
                }
            }
            logs
        };
        Seen {
            logs: std::iter::once(self.scout.select(Axis(0), &rows))
                .chain(readers.iter().map(of_reader))
                .collect(),
            gold: rows.iter().map(|&row| self.gold[row]).collect(),
            importance: rows.iter().map(|&row| self.importance[row]).collect(),
        }
    }
}

/// Examples that some readers have all seen.
struct Seen {
    logs: Vec<Array2<f32>>,
    gold: Vec<usize>,
    importance: Vec<f64>,
}

impl Seen {
    fn views(&self) -> Vec<ArrayView2<'_, f32>> {
        self.logs.iter().map(Array2::view).collect()
    }

    fn opinions<'a>(&'a self, logs: &'a [ArrayView2<'a, f32>]) -> Opinions<'a> {
        Opinions { logs, gold: &self.gold, importance: &self.importance }
    }
}

/// Each example's class-weighted log-loss in nats by one model's log-probabilities (examples × labels), calibrated on the other folds.
pub fn losses_of_one(logs: ArrayView2<'_, f32>, gold: &[usize], labels: usize, seed: u64) -> Vec<f64> {
    let (logs, importance) = ([logs.reborrow()], vec![1.0; gold.len()]);
    let opinions = Opinions { logs: &logs, gold, importance: &importance };
    let weights = opinions.weights(&(0..gold.len()).collect::<Vec<_>>(), labels);
    held_out_losses(&opinions, &weights, labels, seed)
}

/// Each example's weighted log-loss in nats, by a stack fitted on the other folds.
fn held_out_losses(opinions: &Opinions<'_>, weights: &[f64], labels: usize, seed: u64) -> Vec<f64> {
    let n = opinions.gold.len();
    let fold_of = stratified_folds(opinions.gold, labels, FOLDS, seed);
    let start = Stack::first_alone(opinions.logs.len(), labels);
    let mut losses = vec![0.0; n];
    for fold in 0..FOLDS {
        let (held_out, rest): (Vec<usize>, Vec<usize>) = (0..n).partition(|&row| fold_of[row] == fold);
        let stack = start.fitted_on(opinions, &rest);
        for (loss, &row) in losses_by(&stack, opinions, &held_out, weights).into_iter().zip(&held_out) {
            losses[row] = loss;
        }
    }
    losses
}

/// The weighted log-loss in nats of these rows by a stack.
fn losses_by(stack: &Stack, opinions: &Opinions<'_>, rows: &[usize], weights: &[f64]) -> Vec<f64> {
    let logs: Vec<Array2<f32>> = opinions.logs.iter().map(|logs| logs.select(Axis(0), rows)).collect();
    let views: Vec<ArrayView2<'_, f32>> = logs.iter().map(Array2::view).collect();
    let p = stack.probabilities(&views);
    let loss = |(p, &row): (ArrayView1<'_, f32>, &usize)| {
        -f64::from(p[opinions.gold[row]].max(1e-9)).ln() * weights[row]
    };
    p.rows().into_iter().zip(rows).map(loss).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Log-probabilities of two labels of texts whose log-odds are known up to noise.
    fn opinions(n: usize, noise: f32, rng: &mut ChaCha8Rng, gold: &[usize]) -> Array2<f32> {
        let mut all = Array2::zeros((n, 2));
        for (mut row, &gold) in all.rows_mut().into_iter().zip(gold) {
            let odds = if gold == 1 { 1.0 } else { -1.0 } + noise * rng.gen_range(-1.0f32..1.0);
            row[1] = -(1.0 + (-odds).exp()).ln();
            row[0] = -(1.0 + odds.exp()).ln();
        }
        all
    }

    fn gold(n: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
        (0..n).map(|_| usize::from(rng.gen_bool(0.3))).collect()
    }

    /// What one reader is worth that has read all examples.
    fn of_one(scout: &Array2<f32>, reader: &Array2<f32>, gold: &[usize]) -> Joined {
        let readers = [reader.rows().into_iter().map(Some).collect()];
        Evidence { scout: scout.view(), readers: &readers, gold, importance: &vec![1.0; gold.len()] }
            .join(2, 1)
    }

    #[test]
    fn a_reader_that_knows_is_listened_to_and_one_that_guesses_is_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let gold = gold(200, &mut rng);
        let scout = opinions(200, 3.0, &mut rng, &gold);
        let knows = opinions(200, 2.0, &mut rng, &gold);
        let guesses = opinions(200, 3.0, &mut rng, &(0..200).map(|i| i % 2).collect::<Vec<_>>());
        let known = of_one(&scout, &knows, &gold);
        assert_eq!((&known.order[..], known.stacks.len()), (&[0][..], 2));
        assert!(known.worth[0].is_some_and(|worth| worth.helps && worth.both < worth.scout), "{known:?}");
        let guessed = of_one(&scout, &guesses, &gold);
        assert!(
            guessed.order.is_empty() && guessed.worth[0].is_some_and(|worth| !worth.helps),
            "{guessed:?}"
        );
    }

    #[test]
    fn readers_join_in_the_order_of_what_they_add() {
        let mut rng = ChaCha8Rng::seed_from_u64(11);
        let gold = gold(300, &mut rng);
        let scout = opinions(300, 3.0, &mut rng, &gold);
        let good = opinions(300, 1.6, &mut rng, &gold);
        let fair = opinions(300, 2.4, &mut rng, &gold);
        let all =
            |logs: &Array2<f32>| logs.rows().into_iter().map(|row| Some(row.to_owned())).collect::<Vec<_>>();
        let owned = [all(&fair), all(&good)];
        let readers: Vec<Vec<Option<ArrayView1<'_, f32>>>> = owned
            .iter()
            .map(|rows| rows.iter().map(|row| row.as_ref().map(Array1::view)).collect())
            .collect();
        let evidence =
            Evidence { scout: scout.view(), readers: &readers, gold: &gold, importance: &[1.0; 300] };
        let joined = evidence.join(2, 1);
        assert_eq!(joined.order, [1, 0], "{joined:?}");
        assert_eq!(joined.stacks.iter().map(|stack| stack.weights.len()).collect::<Vec<_>>(), [1, 2, 3]);
    }

    #[test]
    fn a_reader_of_too_few_examples_says_nothing_and_one_of_a_few_labels_something() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let gold: Vec<usize> = (0..60).map(|i| usize::from(i < 3)).collect();
        let scout = opinions(60, 3.0, &mut rng, &gold);
        let knows = opinions(60, 0.5, &mut rng, &gold);
        assert!(of_one(&scout, &knows, &gold).worth[0].is_some(), "three examples of a label are something");
        let readers =
            [knows.rows().into_iter().enumerate().map(|(i, row)| (i < 19).then_some(row)).collect()];
        let few = Evidence { scout: scout.view(), readers: &readers, gold: &gold, importance: &[1.0; 60] };
        assert_eq!(few.join(2, 1).worth, [None]);
    }

    #[test]
    fn an_example_counts_as_much_as_it_is_said_to() {
        let gold = [0, 0, 1, 1];
        let logs = Array2::zeros((4, 2));
        let opinions = Opinions { logs: &[logs.view()], gold: &gold, importance: &[3.0, 1.0, 1.0, 1.0] };
        assert_eq!(opinions.weights(&[0, 1, 2, 3], 2), [1.5, 0.5, 1.0, 1.0]);
        assert_eq!(opinions.weights(&[0, 1], 2), [1.5, 0.5], "a label that is absent takes no part");
    }

    #[test]
    fn shares_are_found_where_the_fit_took_them_for_equal() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        // Texts of label 1 lie around 1, the others around -1, with a variance of 1: log-odds of 2x at equal shares.
        let mut normal = || (0..12).map(|_| rng.gen_range(0.0..1.0)).sum::<f32>() - 6.0;
        let gold: Vec<usize> = (0..6_000).map(|i| usize::from(i % 10 == 0)).collect();
        let mut says = Array2::zeros((6_000, 2));
        for (mut row, &gold) in says.rows_mut().into_iter().zip(&gold) {
            let odds = 2.0 * (normal() + if gold == 1 { 1.0 } else { -1.0 });
            row[1] = -(1.0 + (-odds).exp()).ln();
            row[0] = -(1.0 + odds.exp()).ln();
        }
        let equal = Stack::of_one(vec![0.0; 2]);
        let shifted = equal.at_shares_of(&[says.view()]);
        let moved = (shifted.bias[1] - shifted.bias[0]).exp();
        assert!((moved - 0.1 / 0.9).abs() < 0.02, "{shifted:?}");
        let right = |stack: &Stack| {
            let p = stack.probabilities(&[says.view()]);
            p.rows()
                .into_iter()
                .zip(&gold)
                .filter(|(row, gold)| usize::from(row[1] > row[0]) == **gold)
                .count()
        };
        assert!(right(&shifted) > right(&equal) + 200, "{} {}", right(&shifted), right(&equal));
        let none = Array2::zeros((0, 2));
        assert_eq!(equal.at_shares_of(&[none.view()]), equal);
    }

    #[test]
    fn without_labels_nothing_changes() {
        let none = Array2::zeros((0, 2));
        let start = Stack::of_one(vec![0.3, -0.1]);
        let opinions = Opinions { logs: &[none.view()], gold: &[], importance: &[] };
        assert_eq!(start.fitted(&opinions), start);
        let p = Array2::from_shape_vec((1, 2), vec![0.8f32.ln(), 0.2f32.ln()]).unwrap();
        let same = Stack::first_alone(1, 2).probabilities(&[p.view()]);
        assert!((same[(0, 0)] - 0.8).abs() < 1e-6);
    }

    #[test]
    fn an_overconfident_scout_is_cooled_and_a_reversed_one_is_silenced() {
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let gold = gold(300, &mut rng);
        let mut scout = opinions(300, 3.0, &mut rng, &gold);
        scout.mapv_inplace(|x| 8.0 * x);
        for mut row in scout.rows_mut() {
            let whole = row.iter().map(|x| x.exp()).sum::<f32>().ln();
            row.mapv_inplace(|x| x - whole);
        }
        let reversed: Vec<usize> = gold.iter().map(|g| 1 - g).collect();
        let judge = opinions(300, 2.0, &mut rng, &reversed);
        let logs = [scout.view(), judge.view()];
        let opinions = Opinions { logs: &logs, gold: &gold, importance: &[1.0; 300] };
        let fitted = Stack::first_alone(2, 2).fitted(&opinions);
        assert!(fitted.weights[0] < 0.7 && fitted.weights[1] == 0.0, "{fitted:?}");
    }
}
