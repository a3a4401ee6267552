//! Heads for texts that may have several labels: each label against the rest, all on one set of vectors, by one search and with the same folds.
//!
//! Every label has a sigmoid of its own. A label's threshold is chosen on out-of-fold probabilities and then moved into its bias, so that 0.5 is the
//! threshold of every label everywhere: whoever holds the probabilities needs nothing else to decide.
//! The caller must pass only training examples, never evaluation or audit labels.

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, concatenate, s};

use super::head::stratified_folds;
use super::lbfgs::minimise;
use super::logistic::{CHUNK, Examples, Logistic, Problem, TOLERANCE};
use super::thresholds::{Thresholds, logit};
use crate::domain::fault::{Fault, Result};
use crate::domain::label_set::LabelSet;

/// What the bytes begin with.
pub(super) const MAGIC: &[u8; 4] = b"HCOV";

/// The inverse penalty while there are too few examples for folds.
const FIXED_C: f64 = 10.0;
const FOLDS: usize = 5;
/// From strong to weak penalties; a fold's fit starts from the one before.
const GRID: [f64; 7] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0];
const FOLD_TOLERANCE: f64 = 1e-3;
/// After this many increases in a row of the held-out loss, weaker penalties are not tried.
const RISES: usize = 2;
/// Examples of a label below which its stand-in counts as one more.
const LEAST: usize = 2;
/// The bias of a label of which nothing is known, or of one that every text has, with the other sign.
const CERTAIN: f32 = 6.0;

/// Vectors with the labels of each.
#[derive(Clone, Copy, Debug)]
pub struct Sets<'a> {
    /// Examples × dimensions, unit vectors.
    pub x: ArrayView2<'a, f32>,
    /// The labels of each example.
    pub y: &'a [LabelSet],
    /// What each example counts, above 0, where an expert's counts 1.
    pub importance: &'a [f64],
}

/// Linear heads, one for each label: the probability of a label is σ(`weights` · x + `bias`).
#[derive(Clone, Debug, PartialEq)]
pub struct OneVsRest {
    /// Labels × dimensions.
    pub weights: Array2<f32>,
    /// One per label, its threshold included.
    pub bias: Array1<f32>,
}

impl OneVsRest {
    /// Probabilities of `x` (items × dimensions), items × labels, each its own. Uses every core.
    pub fn probabilities(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut out = Array2::zeros((x.nrows(), self.bias.len()));
        out.axis_chunks_iter_mut(Axis(0), CHUNK)
            .into_par_iter()
            .zip(x.axis_chunks_iter(Axis(0), CHUNK))
            .for_each(|(mut rows, x)| {
                general_mat_mul(1.0, &x, &self.weights.t(), 0.0, &mut rows);
                for mut row in rows.rows_mut() {
                    row += &self.bias;
                    row.mapv_inplace(|logit| 1.0 / (1.0 + (-logit).exp()));
                }
            });
        out
    }

    /// The heads as bytes: `HCOV`, then the weights and biases as a softmax's are written.
    pub fn to_bytes(&self) -> Vec<u8> {
        let within = Logistic { weights: self.weights.clone(), bias: self.bias.clone() }.to_bytes();
        [&MAGIC[..], &within].concat()
    }

    /// The heads that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// The bytes are not such heads, of a later version, truncated, too long, or contain a number that is not finite.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let within = bytes.strip_prefix(MAGIC).ok_or_else(|| {
            Fault::new("read a trained head", "its bytes are something else")
                .hint("Train a new one: `hardcase tune FILE`")
        })?;
        let Logistic { weights, bias } = Logistic::from_bytes(within)?;
        Ok(Self { weights, bias })
    }
}

/// Trained heads with what the folds said of them.
#[derive(Clone, Debug)]
pub struct SeveralFit {
    /// Fitted on all examples, the thresholds in the biases.
    pub model: OneVsRest,
    /// Inverse strength of the penalty, the same for all labels.
    pub c: f64,
    /// The mean over labels of the log-loss in nats on held-out folds, both sides of a label counting the same. `None` if `c` was fixed.
    pub cv_log_loss: Option<f64>,
    /// Number of folds; 0 if `c` was fixed.
    pub folds: usize,
    /// The threshold of each label, as a probability before it was moved into the bias.
    pub thresholds: Vec<f32>,
    /// Each example's probabilities by heads that have not seen it, examples × labels, thresholds moved as in the model. `None` without folds.
    pub held_out: Option<Array2<f32>>,
}

impl Sets<'_> {
    /// Trains the heads. A label with fewer than two examples has its row of `stand_ins` (labels × dimensions) as another, which says nothing of the other
    /// labels; one that has neither is given to no text until somebody gives it.
    ///
    /// Both sides of a label have the same total weight. The penalty is one for all labels, by the mean held-out loss: with few examples of most labels, a
    /// penalty for each would follow chance.
    pub fn fit(&self, stand_ins: ArrayView2<'_, f32>, seed: u64) -> SeveralFit {
        let labels = stand_ins.nrows();
        let all: Vec<usize> = (0..self.y.len()).collect();
        if self.y.len() < 2 * FOLDS {
            let model = Fold::of(self, &all, stand_ins).fit(FIXED_C, None, TOLERANCE);
            let thresholds = vec![0.5; labels];
            return SeveralFit { model, c: FIXED_C, cv_log_loss: None, folds: 0, thresholds, held_out: None };
        }
        let fold_of = folds(self.y, labels, seed);
        let rows = |fold: usize, held_out: bool| -> Vec<usize> {
            all.iter().copied().filter(|&e| (fold_of[e] == fold) == held_out).collect()
        };
        let mut folds: Vec<(Fold, Vec<usize>, Option<OneVsRest>)> = (0..FOLDS)
            .map(|fold| (Fold::of(self, &rows(fold, false), stand_ins), rows(fold, true), None))
            .collect();
        let mut best: Option<(f64, f64, Array2<f32>)> = None;
        let (mut before, mut rises) = (f64::INFINITY, 0);
        for c in GRID {
            let said: Vec<Array2<f32>> = folds
                .par_iter_mut()
                .map(|(fold, held_out, model)| {
                    let fitted = fold.fit(c, model.as_ref(), FOLD_TOLERANCE);
                    let p = fitted.probabilities(self.x.select(Axis(0), held_out).view());
                    *model = Some(fitted);
                    p
                })
                .collect();
            let mut held_out = Array2::zeros((self.y.len(), labels));
            for ((_, rows, _), p) in folds.iter().zip(&said) {
                for (&row, p) in rows.iter().zip(p.rows()) {
                    held_out.row_mut(row).assign(&p);
                }
            }
            let loss = self.balanced_loss(&held_out);
            if best.as_ref().is_none_or(|(_, least, _)| loss < *least) {
                best = Some((c, loss, held_out));
            }
            rises = if loss > before { rises + 1 } else { 0 };
            before = loss;
            if rises == RISES {
                break;
            }
        }
        let (c, loss, mut held_out) =
            best.unwrap_or_else(|| (FIXED_C, f64::INFINITY, Array2::from_elem((self.y.len(), labels), 0.5)));
        let thresholds = Thresholds::chosen(held_out.view(), self.y).0;
        let mut model = Fold::of(self, &all, stand_ins).fit(c, None, TOLERANCE);
        for (label, threshold) in thresholds.iter().enumerate() {
            let by = logit(*threshold);
            model.bias[label] -= by;
            shift(held_out.column_mut(label), by);
        }
        SeveralFit { model, c, cv_log_loss: Some(loss), folds: FOLDS, thresholds, held_out: Some(held_out) }
    }

    /// Heads with a fixed penalty, without thresholds of their own.
    pub fn fit_fixed(&self, stand_ins: ArrayView2<'_, f32>) -> OneVsRest {
        Fold::of(self, &(0..self.y.len()).collect::<Vec<_>>(), stand_ins).fit(FIXED_C, None, FOLD_TOLERANCE)
    }

    /// Each example's probabilities by heads with this penalty that have not seen it, examples × labels, each label's threshold moved to one half; none for
    /// fewer than two examples a fold.
    pub fn out_of_fold(&self, stand_ins: ArrayView2<'_, f32>, c: f64, seed: u64) -> Option<Array2<f32>> {
        if self.y.len() < 2 * FOLDS {
            return None;
        }
        let fold_of = folds(self.y, stand_ins.nrows(), seed);
        let mut held_out = Array2::zeros((self.y.len(), stand_ins.nrows()));
        let said: Vec<(Vec<usize>, Array2<f32>)> = (0..FOLDS)
            .into_par_iter()
            .map(|fold| {
                let (rows, rest): (Vec<usize>, Vec<usize>) =
                    (0..self.y.len()).partition(|&row| fold_of[row] == fold);
                let heads = Fold::of(self, &rest, stand_ins).fit(c, None, FOLD_TOLERANCE);
                let p = heads.probabilities(self.x.select(Axis(0), &rows).view());
                (rows, p)
            })
            .collect();
        for (rows, p) in &said {
            rows.iter().zip(p.rows()).for_each(|(&row, p)| held_out.row_mut(row).assign(&p));
        }
        let thresholds = Thresholds::chosen(held_out.view(), self.y).0;
        for (label, threshold) in thresholds.iter().enumerate() {
            shift(held_out.column_mut(label), logit(*threshold));
        }
        Some(held_out)
    }

    /// The mean over the labels that some examples have and others do not of the log-loss, both sides counting the same.
    fn balanced_loss(&self, p: &Array2<f32>) -> f64 {
        let of = |label: usize| -> Option<f64> {
            let mut sides = [(0.0, 0.0); 2];
            for ((row, set), weight) in p.rows().into_iter().zip(self.y).zip(self.importance) {
                let has = set.has(label);
                let right = f64::from(if has { row[label] } else { 1.0 - row[label] });
                let side = &mut sides[usize::from(has)];
                side.0 -= weight * right.max(1e-6).ln();
                side.1 += weight;
            }
            sides
                .iter()
                .all(|side| side.1 > 0.0)
                .then(|| sides.iter().map(|(loss, weight)| loss / weight).sum::<f64>() / 2.0)
        };
        let losses: Vec<f64> = (0..p.ncols()).filter_map(of).collect();
        losses.iter().sum::<f64>() / losses.len().max(1) as f64
    }
}

/// Moves a label's probabilities down by these log-odds.
fn shift(mut column: ArrayViewMut1<'_, f32>, by: f32) {
    column.mapv_inplace(|p| 1.0 / (1.0 + (by - logit(p)).exp()));
}

/// A fold for each example. Its rarest label decides where it goes, so that every label is spread as evenly as can be; those without a label are spread too.
fn folds(y: &[LabelSet], labels: usize, seed: u64) -> Vec<usize> {
    let mut counts = vec![0usize; labels + 1];
    y.iter().flat_map(LabelSet::places).for_each(|label| counts[label] += 1);
    let rarest = |set: &LabelSet| set.places().min_by_key(|&label| (counts[label], label)).unwrap_or(labels);
    stratified_folds(&y.iter().map(rarest).collect::<Vec<_>>(), labels + 1, FOLDS, seed)
}

/// The examples of one fit.
struct Fold {
    problem: Problem,
    /// Labels × examples: 1 where the example has the label.
    has: Array2<f64>,
    /// Labels × examples: each example's share of the weight of the label; 0 where it says nothing of it.
    shares: Array2<f64>,
    /// What is said without a fit of a label that no example has, or that every one has.
    certain: Vec<Option<f32>>,
}

impl Fold {
    fn of(all: &Sets<'_>, rows: &[usize], stand_ins: ArrayView2<'_, f32>) -> Self {
        let labels = stand_ins.nrows();
        let mut counts = vec![0usize; labels];
        rows.iter().flat_map(|&row| all.y[row].places()).for_each(|label| counts[label] += 1);
        // A stand-in of no length stands for nothing.
        let is_some = |label: &usize| stand_ins.row(*label).iter().any(|x| *x != 0.0);
        let lacks: Vec<usize> =
            (0..labels).filter(|label| counts[*label] < LEAST && is_some(label)).collect();
        let x = concatenate![Axis(0), all.x.select(Axis(0), rows), stand_ins.select(Axis(0), &lacks)];
        let n = x.nrows();
        let mut importance: Vec<f64> = rows.iter().map(|&row| all.importance[row]).collect();
        importance.extend(lacks.iter().map(|_| 1.0));
        let (mut has, mut shares) = (Array2::zeros((labels, n)), Array2::zeros((labels, n)));
        for (example, &row) in rows.iter().enumerate() {
            all.y[row].places().for_each(|label| has[[label, example]] = 1.0);
            shares.column_mut(example).fill(importance[example]);
        }
        for (&label, example) in lacks.iter().zip(rows.len()..) {
            has[[label, example]] = 1.0;
            shares[[label, example]] = 1.0;
        }
        let mut certain = vec![None; labels];
        for (label, mut shares) in shares.rows_mut().into_iter().enumerate() {
            let side = |wanted: f64| -> f64 {
                shares
                    .iter()
                    .zip(has.row(label))
                    .filter(|(_, has)| **has == wanted)
                    .map(|(share, _)| share)
                    .sum()
            };
            let (without, with) = (side(0.0), side(1.0));
            if without <= 0.0 || with <= 0.0 {
                certain[label] = Some(if with > 0.0 { CERTAIN } else { -CERTAIN });
                shares.fill(0.0);
                continue;
            }
            for (share, has) in shares.iter_mut().zip(has.row(label)) {
                *share /= 2.0 * if *has > 0.0 { with } else { without };
            }
        }
        let y = vec![0; n];
        let problem = Problem::new(&Examples { x: x.view(), y: &y, classes: labels, weights: &importance });
        Self { problem, has, shares, certain }
    }

    /// For each label, minimises ¼‖w‖² + c · Σᵢ wᵢ · log-loss, the bias unpenalised: what a softmax of the two sides minimises. All labels in one search, so
    /// that each step is the same two matrix products as a softmax over as many labels takes.
    fn fit(&self, c: f64, start: Option<&OneVsRest>, tolerance: f64) -> OneVsRest {
        let problem = &self.problem;
        let (labels, columns) = (self.has.nrows(), problem.x.ncols());
        let c = c / problem.spread().max(f64::MIN_POSITIVE);
        let penalty = 0.5 / (c * problem.total * problem.scale * problem.scale);
        let start = start.map_or_else(
            || vec![0.0; labels * columns],
            |model| problem.inward(&Logistic { weights: model.weights.clone(), bias: model.bias.clone() }),
        );
        let mut logits = Array2::<f64>::zeros(self.has.dim());
        let found = minimise(start, tolerance, |point, gradient| {
            let (Ok(w), Ok(mut g)) = (
                ArrayView2::from_shape((labels, columns), point),
                ArrayViewMut2::from_shape((labels, columns), gradient),
            ) else {
                return f64::NAN;
            };
            general_mat_mul(1.0, &w, &problem.transposed, 0.0, &mut logits);
            let mut loss = 0.0;
            ndarray::Zip::from(&mut logits).and(&self.has).and(&self.shares).for_each(|z, has, share| {
                let small = (-z.abs()).exp();
                loss += share * (z.max(0.0) - *z * has + small.ln_1p());
                let p = if *z >= 0.0 { 1.0 / (1.0 + small) } else { small / (1.0 + small) };
                *z = share * (p - has);
            });
            general_mat_mul(1.0, &logits, &problem.x, 0.0, &mut g);
            let free = s![.., ..columns - 1];
            g.slice_mut(free).scaled_add(penalty, &w.slice(free));
            loss + 0.5 * penalty * w.slice(free).iter().map(|v| v * v).sum::<f64>()
        });
        let Logistic { mut weights, mut bias } = problem.outward(&found.point);
        for (label, certain) in self.certain.iter().enumerate() {
            if let Some(certain) = certain {
                weights.row_mut(label).fill(0.0);
                bias[label] = *certain;
            }
        }
        OneVsRest { weights, bias }
    }
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Each label lifts its own axis; texts have each with this probability.
    fn made(n: usize, shares: &[f64], noise: f32, seed: u64) -> (Array2<f32>, Vec<LabelSet>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let y: Vec<LabelSet> = (0..n)
            .map(|_| shares.iter().enumerate().filter(|(_, p)| rng.gen_bool(**p)).map(|(l, _)| l).collect())
            .collect();
        let mut x = Array2::from_shape_fn((n, shares.len() + 3), |(i, axis)| {
            f32::from(u8::from(y[i].has(axis))) + rng.gen_range(-noise..noise)
        });
        for mut row in x.rows_mut() {
            let length = row.dot(&row).sqrt();
            row /= length;
        }
        (x, y)
    }

    fn fit(x: &Array2<f32>, y: &[LabelSet], labels: usize) -> SeveralFit {
        let importance = vec![1.0; y.len()];
        Sets { x: x.view(), y, importance: &importance }.fit(Array2::zeros((labels, x.ncols())).view(), 1)
    }

    fn decided(p: &Array2<f32>) -> Vec<LabelSet> {
        p.rows()
            .into_iter()
            .map(|row| row.iter().enumerate().filter(|(_, p)| **p >= 0.5).map(|(l, _)| l).collect())
            .collect()
    }

    #[test]
    fn a_label_against_the_rest_is_the_softmax_of_its_two_sides() {
        let (x, y) = made(60, &[0.4, 0.2], 0.8, 1);
        let ones = vec![1.0; 60];
        let sets = Sets { x: x.view(), y: &y, importance: &ones };
        let all: Vec<usize> = (0..60).collect();
        let both =
            Fold::of(&sets, &all, Array2::zeros((2, 5)).view()).fit(3.0, None, 1e-9).probabilities(x.view());
        for label in 0..2 {
            let sides: Vec<usize> = y.iter().map(|set| usize::from(set.has(label))).collect();
            let weights = super::super::head::balanced(&sides, 2);
            let examples = Examples { x: x.view(), y: &sides, classes: 2, weights: &weights };
            // The spread that the penalty follows is that of the unweighted vectors here.
            let spread = Problem::new(&Examples { weights: &ones, ..examples }).spread();
            let softmax = Problem::new(&examples).fit(3.0 / spread, None, 1e-9).probabilities(x.view());
            let apart = &softmax.column(1) - &both.column(label);
            assert!(apart.iter().all(|d| d.abs() < 1e-4), "label {label}: {apart}");
        }
    }

    #[test]
    fn texts_get_each_of_their_labels_and_those_without_get_none() {
        let (x, y) = made(300, &[0.5, 0.3, 0.1], 0.3, 2);
        let fit = fit(&x, &y, 3);
        let (new, gold) = made(300, &[0.5, 0.3, 0.1], 0.3, 3);
        let same =
            decided(&fit.model.probabilities(new.view())).iter().zip(&gold).filter(|(a, b)| a == b).count();
        assert!(same > 270, "{same}");
        assert!(gold.iter().any(LabelSet::is_empty) && gold.iter().any(|set| set.len() > 1));
        let held_out = decided(&fit.held_out.unwrap()).iter().zip(&y).filter(|(a, b)| a == b).count();
        assert!(held_out > 270 && fit.folds == 5 && fit.cv_log_loss.is_some(), "{held_out}");
    }

    #[test]
    fn thresholds_are_in_the_biases_and_few_examples_keep_one_half() {
        let (x, y) = made(300, &[0.4, 0.01], 1.0, 5);
        let fit = fit(&x, &y, 2);
        let all: Vec<usize> = (0..300).collect();
        let ones = vec![1.0; 300];
        let sets = Sets { x: x.view(), y: &y, importance: &ones };
        let plain = Fold::of(&sets, &all, Array2::zeros((2, 5)).view()).fit(fit.c, None, TOLERANCE);
        let before = plain.probabilities(x.view());
        let after = fit.model.probabilities(x.view());
        for (before, after) in before.rows().into_iter().zip(after.rows()) {
            for label in 0..2 {
                let clear = (before[label] - fit.thresholds[label]).abs() > 1e-4;
                assert!(!clear || (before[label] >= fit.thresholds[label]) == (after[label] >= 0.5));
            }
        }
    }

    #[test]
    fn a_label_without_an_example_is_given_to_no_text_and_a_stand_in_is_enough_to_find_it() {
        let (x, y) = made(40, &[0.5, 0.0], 0.2, 4);
        let nobody = fit(&x, &y, 2);
        assert!(nobody.model.probabilities(x.view()).column(1).iter().all(|p| *p < 0.01));
        let mut stand_ins = Array2::zeros((2, 5));
        stand_ins[[1, 1]] = 1.0;
        let ones = vec![1.0; 40];
        let fit = Sets { x: x.view(), y: &y, importance: &ones }.fit(stand_ins.view(), 1);
        let p = fit.model.probabilities(stand_ins.view());
        assert!(p[[1, 1]] > 0.9, "{p}");
        assert!(fit.model.probabilities(x.view()).column(1).iter().all(|p| *p < 0.5));
    }

    #[test]
    fn heads_survive_being_written_and_read_and_damaged_ones_are_refused() {
        let (x, y) = made(60, &[0.4, 0.2], 0.8, 1);
        let heads = fit(&x, &y, 2).model;
        let bytes = heads.to_bytes();
        assert_eq!(OneVsRest::from_bytes(&bytes).unwrap(), heads);
        for damaged in [&bytes[4..], &bytes[..bytes.len() - 1], b"HCOV", b""] {
            assert!(OneVsRest::from_bytes(damaged).is_err());
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_heads_and_too_few_examples_make_no_folds() {
        let (x, y) = made(80, &[0.4, 0.3], 0.5, 6);
        assert_eq!(fit(&x, &y, 2).model, fit(&x, &y, 2).model);
        let few = fit(&x.slice(s![..9, ..]).to_owned(), &y[..9], 2);
        assert!(few.folds == 0 && few.held_out.is_none() && few.thresholds == [0.5, 0.5]);
    }
}
