//! Combines scout and judge: a stacked logistic regression with a weight for each model and a bias for each label.
//!
//! The log-odds of a label are `scout · log p_scout + judge · log p_judge + bias`. There are few parameters because there are few labels to fit
//! them on, and they are regularized towards the scout alone: without evidence nothing changes. Stacking: Wolpert (1992), *Stacked
//! generalization*, Neural Networks 5. Without a judge it is temperature scaling with a bias (Guo et al. 2017, arXiv 1706.04599).

use ndarray::{Array2, ArrayView2, Axis};

use super::head::{balanced, stratified_folds};
use super::lbfgs::minimise;
pub use crate::domain::predictor::{Stack, Worth};
use crate::stats::estimate::paired::Paired;

/// Strength of the regularization: a departure of 1 from the start weighs as much as this many labels.
const PRIOR: f64 = 2.0;
const FOLDS: usize = 5;
const TOLERANCE: f64 = 1e-6;
/// Log-probabilities are clipped here, so that one confident mistake cannot decide a fit.
const LEAST: f32 = -12.0;

/// Greatest number of EM steps for the shares of labels, and the change below which they have converged.
const MOST_STEPS: usize = 500;
const STEADY: f64 = 1e-6;
/// Least share of a label.
const LEAST_SHARE: f64 = 1e-4;

/// Labelled examples as two models see them; each matrix is examples × labels, log-probabilities in nats.
#[derive(Clone, Copy)]
pub struct Opinions<'a> {
    /// The scout's, by a model that has not seen the label.
    pub scout: ArrayView2<'a, f32>,
    /// The judge's.
    pub judge: ArrayView2<'a, f32>,
    /// The experts' labels.
    pub gold: &'a [usize],
}

/// Which weights are fitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fitted {
    /// The scout's alone.
    Scout,
    /// The judge's alone.
    Judge,
    Both,
}

impl Stack {
    pub fn scout_alone(labels: usize) -> Self {
        Self { scout: 1.0, judge: 0.0, bias: vec![0.0; labels] }
    }

    /// The judge alone, with `bias` added to its log-probabilities.
    pub fn judge_alone(bias: Vec<f64>) -> Self {
        Self { scout: 0.0, judge: 1.0, bias }
    }

    /// Fits weights and biases on examples weighted to equal shares of the labels, regularized towards `self`.
    pub fn fitted(&self, opinions: &Opinions<'_>, which: Fitted) -> Self {
        let rows: Vec<usize> = (0..opinions.gold.len()).collect();
        self.fitted_on(opinions, which, &rows)
    }

    fn fitted_on(&self, opinions: &Opinions<'_>, which: Fitted, rows: &[usize]) -> Self {
        let labels = self.bias.len();
        let gold: Vec<usize> = rows.iter().map(|&row| opinions.gold[row]).collect();
        let weights = balanced(&gold, labels);
        let (of_scout, of_judge) = (which != Fitted::Judge, which != Fitted::Scout);
        let start: Vec<f64> = [self.scout, self.judge].into_iter().chain(self.bias.iter().copied()).collect();
        let minimum = minimise(start.clone(), TOLERANCE, |point, gradient| {
            gradient.fill(0.0);
            let mut value = 0.0;
            for ((&row, &gold), &weight) in rows.iter().zip(&gold).zip(&weights) {
                let (scout, judge) = (opinions.scout.row(row), opinions.judge.row(row));
                let score = |l: usize| {
                    point[0] * f64::from(scout[l].max(LEAST))
                        + point[1] * f64::from(judge[l].max(LEAST))
                        + point[2 + l]
                };
                let scores: Vec<f64> = (0..labels).map(score).collect();
                let top = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let whole = scores.iter().map(|s| (s - top).exp()).sum::<f64>();
                value += weight * (top + whole.ln() - scores[gold]);
                for (l, score) in scores.iter().enumerate() {
                    let by_score = weight * ((score - top).exp() / whole - f64::from(u8::from(l == gold)));
                    gradient[0] += by_score * f64::from(scout[l].max(LEAST));
                    gradient[1] += by_score * f64::from(judge[l].max(LEAST));
                    gradient[2 + l] += by_score;
                }
            }
            for ((by, at), start) in gradient.iter_mut().zip(point).zip(&start) {
                value += 0.5 * PRIOR * (at - start).powi(2);
                *by += PRIOR * (at - start);
            }
            if !of_scout {
                gradient[0] = 0.0;
            }
            if !of_judge {
                gradient[1] = 0.0;
            }
            value
        });
        let point = minimum.point;
        // A judge never gets a negative weight: one that contradicts the labels is ignored.
        if which == Fitted::Both && point[1] < 0.0 {
            return self.fitted_on(opinions, Fitted::Scout, rows);
        }
        Self { scout: point[0], judge: point[1].max(0.0), bias: point[2..].to_vec() }
    }

    /// The probabilities of texts from both models' log-probabilities, each texts × labels.
    pub fn probabilities(&self, scout: ArrayView2<'_, f32>, judge: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut all = Array2::zeros(scout.dim());
        for ((mut row, scout), judge) in
            all.rows_mut().into_iter().zip(scout.axis_iter(Axis(0))).zip(judge.axis_iter(Axis(0)))
        {
            for (l, to) in row.iter_mut().enumerate() {
                let score = self.scout * f64::from(scout[l].max(LEAST))
                    + self.judge * f64::from(judge[l].max(LEAST))
                    + self.bias[l];
                *to = score as f32;
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
    /// probabilities*, Neural Computation 14). Both matrices are texts × labels, log-probabilities in nats.
    ///
    /// It assumes that texts of a label look alike to the model here and where it was fitted. So use it only for a model that had no part in
    /// choosing what it was fitted on.
    pub fn at_shares_of(&self, scout: ArrayView2<'_, f32>, judge: ArrayView2<'_, f32>) -> Self {
        let p = self.probabilities(scout, judge).mapv(f64::from);
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

/// Whether each label has as many examples as there are folds: fewer say nothing.
pub fn is_enough(gold: &[usize], labels: usize) -> bool {
    (0..labels).all(|label| gold.iter().filter(|&&l| l == label).count() >= FOLDS)
}

/// Compares both with the scout alone, each fitted on the other folds. `None` if a label has fewer examples than there are folds.
pub fn worth(opinions: &Opinions<'_>, labels: usize, seed: u64) -> Option<Worth> {
    if !is_enough(opinions.gold, labels) {
        return None;
    }
    let n = opinions.gold.len();
    let weights = balanced(opinions.gold, labels);
    let fold_of = stratified_folds(opinions.gold, labels, FOLDS, seed);
    let (mut alone, mut both) = (vec![0.0; n], vec![0.0; n]);
    for fold in 0..FOLDS {
        let (held_out, rest): (Vec<usize>, Vec<usize>) = (0..n).partition(|&row| fold_of[row] == fold);
        let start = Stack::scout_alone(labels);
        for (which, losses) in [(Fitted::Scout, &mut alone), (Fitted::Both, &mut both)] {
            let stack = start.fitted_on(opinions, which, &rest);
            let (scout, judge) =
                (opinions.scout.select(Axis(0), &held_out), opinions.judge.select(Axis(0), &held_out));
            let p = stack.probabilities(scout.view(), judge.view());
            for (p, &row) in p.rows().into_iter().zip(&held_out) {
                losses[row] = -f64::from(p[opinions.gold[row]].max(1e-9)).ln() * weights[row];
            }
        }
    }
    let differences: Vec<f64> = both.iter().zip(&alone).map(|(both, alone)| both - alone).collect();
    let paired = Paired::of(&differences)?;
    let mean = |losses: &[f64]| losses.iter().sum::<f64>() / n as f64;
    Some(Worth {
        scout: mean(&alone),
        both: mean(&both),
        difference: paired.mean,
        error: paired.error,
        n,
        helps: paired.mean < -paired.error,
    })
}

#[cfg(test)]
mod tests {
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

    #[test]
    fn a_judge_that_knows_is_listened_to_and_one_that_guesses_is_not() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let gold = gold(200, &mut rng);
        let scout = opinions(200, 3.0, &mut rng, &gold);
        let knows = opinions(200, 2.0, &mut rng, &gold);
        let guesses = opinions(200, 3.0, &mut rng, &(0..200).map(|i| i % 2).collect::<Vec<_>>());
        let of = |judge: &Array2<f32>| {
            worth(&Opinions { scout: scout.view(), judge: judge.view(), gold: &gold }, 2, 1).unwrap()
        };
        let (known, guessed) = (of(&knows), of(&guesses));
        assert!(known.helps && known.both < known.scout, "{known:?}");
        assert!(!guessed.helps, "{guessed:?}");
        let fitted = Stack::scout_alone(2)
            .fitted(&Opinions { scout: scout.view(), judge: guesses.view(), gold: &gold }, Fitted::Both);
        assert!(fitted.judge < 0.35 * fitted.scout, "{fitted:?}");
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
        let equal = Stack::judge_alone(vec![0.0; 2]);
        let shifted = equal.at_shares_of(says.view(), says.view());
        let moved = (shifted.bias[1] - shifted.bias[0]).exp();
        assert!((moved - 0.1 / 0.9).abs() < 0.02, "{shifted:?}");
        let right = |stack: &Stack| {
            let p = stack.probabilities(says.view(), says.view());
            p.rows()
                .into_iter()
                .zip(&gold)
                .filter(|(row, gold)| usize::from(row[1] > row[0]) == **gold)
                .count()
        };
        assert!(right(&shifted) > right(&equal) + 200, "{} {}", right(&shifted), right(&equal));
        let none = Array2::zeros((0, 2));
        assert_eq!(equal.at_shares_of(none.view(), none.view()), equal);
    }

    #[test]
    fn without_labels_nothing_changes() {
        let none = Array2::zeros((0, 2));
        let start = Stack::judge_alone(vec![0.3, -0.1]);
        let opinions = Opinions { scout: none.view(), judge: none.view(), gold: &[] };
        assert_eq!(start.fitted(&opinions, Fitted::Judge), start);
        assert_eq!(worth(&opinions, 2, 1), None);
        let p = Array2::from_shape_vec((1, 2), vec![0.8f32.ln(), 0.2f32.ln()]).unwrap();
        let same = Stack::scout_alone(2).probabilities(p.view(), p.view());
        assert!((same[(0, 0)] - 0.8).abs() < 1e-6);
    }

    #[test]
    fn an_overconfident_scout_is_cooled_and_a_reversed_judge_is_silenced() {
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
        let opinions = Opinions { scout: scout.view(), judge: judge.view(), gold: &gold };
        let fitted = Stack::scout_alone(2).fitted(&opinions, Fitted::Both);
        assert!(fitted.scout < 0.7 && fitted.judge == 0.0, "{fitted:?}");
    }
}
