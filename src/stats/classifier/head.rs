//! Trains the linear head: class weights, the choice of the penalty, and what to do with too few labels.
//!
//! The caller must pass only training examples, never evaluation or audit labels.

use ndarray::{Array2, ArrayView2, Axis, concatenate};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use thiserror::Error;

use super::linear::{Form, Linear};
use super::logistic::{Examples, Problem, TOLERANCE};
use crate::domain::task_kind::TaskKind;

/// The inverse penalty while the rarest label has fewer than [`ENOUGH_TO_CROSS_VALIDATE`] examples. It and the grid are for vectors whose mean
/// square distance from their mean is 1, and follow the spread of others ([`Problem::fit_scaled`]).
pub const FIXED_C: f64 = 10.0;
/// Examples of the rarest label from which the penalty is chosen by cross-validation: two in each fold.
pub const ENOUGH_TO_CROSS_VALIDATE: usize = 10;
const FOLDS: usize = 5;
/// From strong to weak penalties, half a decade apart, so that each fit can start from the previous one.
const GRID: [f64; 7] = [0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0];
/// Cross-validation only ranks penalties, so it does not need the last digits of a fit.
const FOLD_TOLERANCE: f64 = 1e-3;
/// The loss over the grid has a single minimum, so after this many increases in a row weaker penalties are not tried.
const RISES: usize = 2;

/// Least examples of a label.
const LEAST: usize = 2;

/// Why no head can be trained yet.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("label {label} has {have} of the 2 training examples needed")]
pub struct TooFew {
    /// The label with the fewest training examples.
    pub label: usize,
    pub have: usize,
}

/// A trained head and how its penalty was chosen.
#[derive(Clone, Debug)]
pub struct HeadFit {
    /// The head, fitted on all examples.
    pub model: Linear,
    /// Inverse strength of the penalty, for vectors of mean square distance 1 from their mean.
    pub c: f64,
    /// Class-weighted log-loss in nats on held-out folds at that `c`. `None` if `c` was fixed.
    pub cv_log_loss: Option<f64>,
    /// Number of folds; 0 if `c` was fixed.
    pub folds: usize,
}

/// Labelled vectors of which some count less than others: labels that are not an expert's own.
#[derive(Clone, Copy, Debug)]
pub struct Lessons<'a> {
    /// Examples × dimensions, unit vectors.
    pub x: ArrayView2<'a, f32>,
    /// The label of each example.
    pub y: &'a [usize],
    /// What each example counts, above 0, where an expert's label counts 1.
    pub importance: &'a [f64],
}

impl Lessons<'_> {
    /// [`fit_head`], where an example counts within its label by its importance; all labels together count the same all the same.
    ///
    /// # Errors
    /// Those of [`fit_head`].
    pub fn fit_head(&self, classes: usize, kind: TaskKind, seed: u64) -> Result<HeadFit, TooFew> {
        let counts = counts(self.y, classes);
        let (label, have) =
            counts.iter().copied().enumerate().min_by_key(|&(_, have)| have).unwrap_or((0, 0));
        if have < LEAST {
            return Err(TooFew { label, have });
        }
        let weights = balanced_by(self.y, classes, self.importance);
        let examples = Examples { x: self.x.reborrow(), y: self.y, classes, weights: &weights };
        if have < ENOUGH_TO_CROSS_VALIDATE {
            // Without folds nothing tells which form is better: the one that has the least to learn.
            let model = fitted(&examples, Form::of(kind)[0], FIXED_C);
            return Ok(HeadFit { model, c: FIXED_C, cv_log_loss: None, folds: 0 });
        }
        let fold_of = stratified_folds(self.y, classes, FOLDS, seed);
        let mut best: Option<(Form, f64, f64)> = None;
        for &form in Form::of(kind) {
            let (c, loss) = cross_validate(&examples, form, &fold_of);
            if best.is_none_or(|(_, _, least)| loss < least) {
                best = Some((form, c, loss));
            }
        }
        let (form, c, loss) = best.unwrap_or((Form::Softmax, FIXED_C, f64::INFINITY));
        Ok(HeadFit { model: fitted(&examples, form, c), c, cv_log_loss: Some(loss), folds: FOLDS })
    }

    /// [`fit_anchored_head`] with importances; an anchor counts 1.
    ///
    /// # Errors
    /// Those of [`fit_anchored_head`].
    pub fn fit_anchored_head(
        &self,
        anchors: ArrayView2<'_, f32>,
        kind: TaskKind,
        seed: u64,
    ) -> Result<HeadFit, TooFew> {
        let classes = anchors.nrows();
        if let Some(few) = lacking(&counts(self.y, classes)) {
            return Err(few);
        }
        let lacks = lacks(self.y, classes);
        let mut added = anchors.select(Axis(0), &lacks);
        for mut anchor in added.rows_mut() {
            let length = anchor.dot(&anchor).sqrt();
            if length > 0.0 {
                anchor /= length;
            }
        }
        let x = ndarray::concatenate![Axis(0), self.x, added];
        let y = [self.y, &lacks].concat();
        let importance = [self.importance, &vec![1.0; lacks.len()]].concat();
        Lessons { x: x.view(), y: &y, importance: &importance }.fit_head(classes, kind, seed)
    }

    /// [`fit_anchored_head`] with this penalty, in the form that has the least to learn, to a tolerance that is enough to compare such heads.
    ///
    /// # Errors
    /// Those of [`fit_anchored_head`].
    pub fn fit_fixed_head(
        &self,
        anchors: ArrayView2<'_, f32>,
        kind: TaskKind,
        c: f64,
    ) -> Result<Linear, TooFew> {
        if let Some(few) = lacking(&counts(self.y, anchors.nrows())) {
            return Err(few);
        }
        let all = Subset::filled(self, &(0..self.y.len()).collect::<Vec<_>>(), anchors);
        Ok(Problem::new(&all.examples()).fit_form(Form::of(kind)[0], c, None, FOLD_TOLERANCE))
    }

    /// [`out_of_fold`] with importances.
    pub fn out_of_fold(&self, classes: usize, (form, c): (Form, f64), seed: u64) -> Option<Array2<f32>> {
        let (x, y) = (self.x, self.y);
        if (0..classes).any(|label| y.iter().filter(|&&l| l == label).count() < FOLDS) {
            return None;
        }
        let weights = balanced_by(y, classes, self.importance);
        let examples = Examples { x: x.reborrow(), y, classes, weights: &weights };
        let fold_of = stratified_folds(y, classes, FOLDS, seed);
        let rows = |fold: usize, held_out: bool| -> Vec<usize> {
            (0..y.len()).filter(|&e| (fold_of[e] == fold) == held_out).collect()
        };
        let predicted: Vec<Array2<f32>> = (0..FOLDS)
            .into_par_iter()
            .map(|fold| {
                let train = Subset::of(&examples, &rows(fold, false));
                let model = Problem::new(&train.examples()).fit_form(form, c, None, FOLD_TOLERANCE);
                model.probabilities(x.select(Axis(0), &rows(fold, true)).view())
            })
            .collect();
        let mut all = Array2::zeros((y.len(), classes));
        for (fold, predicted) in predicted.iter().enumerate() {
            for (row, p) in rows(fold, true).into_iter().zip(predicted.rows()) {
                all.row_mut(row).assign(&p);
            }
        }
        Some(all)
    }

    /// [`out_of_fold_with`] with importances; a stand-in counts 1.
    pub fn out_of_fold_with(
        &self,
        stand_ins: ArrayView2<'_, f32>,
        (form, c): (Form, f64),
        seed: u64,
    ) -> Option<Array2<f32>> {
        let folds = folds_with(self, stand_ins, seed)?;
        let fitted = folds.par_iter().map(|fold| {
            let model = fold.train.fit_form(form, c, None, FOLD_TOLERANCE);
            (&fold.rows, model.probabilities(fold.held_out.x.view()))
        });
        Some(in_order(&fitted.collect::<Vec<_>>(), self.y.len(), stand_ins.nrows()))
    }
}

/// Trains a head on `x` (examples × dimensions, unit vectors) and their labels `y` (below `classes`).
///
/// Each label has the same total weight (`n / (classes · n_label)`). Cross-validation scores folds with the
/// same weights: the head then estimates the probabilities of a world in which labels are equally common, and
/// only in that world is the log-loss a proper score for it. Without weights, the score would depend on the
/// shares of the training set, which are an accident of mining.
///
/// The probabilities are not corrected for the shares of the pool, though some labels are rarer there: mined
/// examples are near the boundary and are not a sample of either label. After six rounds of 60 by margin (mean of
/// four seeds) the argmax of the balanced head had kappa .94 on SMS spam, .83 on clickbait at 8 %, .35 on
/// Davidson hate, .73 on ConvAbuse; without weights .93, .80, .18, .72; moved by the log-odds of the true
/// share .74, .50, .03, .47.
///
/// Of a scale, an ordinal regression and a softmax are cross-validated on the same folds, and the one with the lower held-out log-loss is fitted: levels
/// that do not lie on one line in the vectors are told apart better by the softmax.
///
/// # Errors
/// [`TooFew`] if a label has fewer than two examples.
pub fn fit_head(
    x: ArrayView2<'_, f32>,
    y: &[usize],
    classes: usize,
    kind: TaskKind,
    seed: u64,
) -> Result<HeadFit, TooFew> {
    Lessons { x: x.reborrow(), y, importance: &vec![1.0; y.len()] }.fit_head(classes, kind, seed)
}

fn fitted(examples: &Examples<'_>, form: Form, c: f64) -> Linear {
    Problem::new(examples).fit_form(form, c, None, TOLERANCE)
}

/// The label with too few examples to train a head, if any, given the number of examples of each label. With two labels, both need two examples;
/// with three or more, two labels need them, because anchors can replace the others.
pub fn lacking(counts: &[usize]) -> Option<TooFew> {
    let fewest = counts.iter().copied().enumerate().min_by_key(|&(_, have)| have);
    let (label, have) = fewest.unwrap_or((0, 0));
    let enough = counts.iter().filter(|&&have| have >= LEAST).count();
    // Written as `if counts.len() > 2 { 2 } else { counts.len().max(1) }`, rustc 1.95 compiles it wrongly from opt-level 1 on.
    let wanted = counts.len().clamp(1, 2);
    (enough < wanted).then_some(TooFew { label, have })
}

/// Trains a head like [`fit_head`], but with three or more labels, those with fewer than two examples are filled up to two by their anchor,
/// a row of `anchors` (labels × dimensions): the mean vector of their description and examples, which zero-shot prelabels use too.
///
/// With many labels, some do not occur in the first few hundred answers, and without anchors no head could be trained until all do. On banking77
/// (77 labels, 368 answers, mean of 3 seeds) kappa went from .63 to .82 by `hybrid` and to .74 at random; without anchors, it stays at .63.
///
/// # Errors
/// [`TooFew`] by [`lacking`].
pub fn fit_anchored_head(
    x: ArrayView2<'_, f32>,
    y: &[usize],
    anchors: ArrayView2<'_, f32>,
    kind: TaskKind,
    seed: u64,
) -> Result<HeadFit, TooFew> {
    Lessons { x: x.reborrow(), y, importance: &vec![1.0; y.len()] }.fit_anchored_head(anchors, kind, seed)
}

/// How many examples each label has.
fn counts(y: &[usize], classes: usize) -> Vec<usize> {
    let mut counts = vec![0; classes];
    y.iter().for_each(|&label| counts[label] += 1);
    counts
}

/// Each label as many times as it has fewer than two examples.
fn lacks(y: &[usize], classes: usize) -> Vec<usize> {
    let counts = counts(y, classes);
    let of = |(label, &have): (usize, &usize)| std::iter::repeat_n(label, LEAST.saturating_sub(have));
    counts.iter().enumerate().flat_map(of).collect()
}

/// Class weights: the weight of each example that gives every label the same total.
pub fn balanced(y: &[usize], classes: usize) -> Vec<f64> {
    let counts = counts(y, classes);
    let share = y.len() as f64 / classes as f64;
    y.iter().map(|&label| share / counts[label] as f64).collect()
}

/// The same where examples count within their label what `importance` says. One that counts nothing weighs nothing, whatever the others of its label do.
pub fn balanced_by(y: &[usize], classes: usize, importance: &[f64]) -> Vec<f64> {
    let mut sums = vec![0.0; classes];
    y.iter().zip(importance).for_each(|(&label, one)| sums[label] += one);
    let share = importance.iter().sum::<f64>() / classes as f64;
    let weight = |(&label, one): (&usize, &f64)| if *one > 0.0 { one * share / sums[label] } else { 0.0 };
    y.iter().zip(importance).map(weight).collect()
}

/// A fold for each example: every label is distributed evenly, and the sizes of folds differ by at most one example.
pub fn stratified_folds(y: &[usize], classes: usize, folds: usize, seed: u64) -> Vec<usize> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut members = vec![Vec::new(); classes];
    for (example, &label) in y.iter().enumerate() {
        members[label].push(example);
    }
    let mut fold_of = vec![0; y.len()];
    let mut next = 0;
    for mut label in members {
        label.shuffle(&mut rng);
        for example in label {
            fold_of[example] = next % folds;
            next += 1;
        }
    }
    fold_of
}

/// Out-of-sample probabilities of each example, by a softmax with this `c` fitted on the other folds: examples × labels, rows in the order of
/// `x`. `None` if a label has fewer examples than there are folds.
pub fn out_of_fold(
    x: ArrayView2<'_, f32>,
    y: &[usize],
    classes: usize,
    c: f64,
    seed: u64,
) -> Option<Array2<f32>> {
    let lessons = Lessons { x: x.reborrow(), y, importance: &vec![1.0; y.len()] };
    lessons.out_of_fold(classes, (Form::Softmax, c), seed)
}

/// Out-of-sample probabilities like [`out_of_fold`] where some labels have few examples, or none: on each side of a fold, a label with fewer than
/// two is filled up by its row of `stand_ins` (labels × dimensions). `None` for fewer than two examples a fold, or by [`lacking`].
pub fn out_of_fold_with(
    x: ArrayView2<'_, f32>,
    y: &[usize],
    stand_ins: ArrayView2<'_, f32>,
    c: f64,
    seed: u64,
) -> Option<Array2<f32>> {
    let lessons = Lessons { x: x.reborrow(), y, importance: &vec![1.0; y.len()] };
    lessons.out_of_fold_with(stand_ins, (Form::Softmax, c), seed)
}

/// A head whose penalty was chosen on held-out folds, with what the folds said.
#[derive(Clone, Debug)]
pub struct CrossFitted {
    /// Fitted on all examples.
    pub model: Linear,
    /// Inverse strength of the penalty.
    pub c: f64,
    /// Class-weighted log-loss in nats on held-out folds at that `c`.
    pub loss: f64,
    /// Each example's probabilities by a head that has not seen it, examples × labels.
    pub held_out: Array2<f32>,
}

/// Chooses the penalty, and of a scale the form, by cross-validation however few examples a label has; those that lack are filled up as by [`out_of_fold_with`], and `None` for as
/// few examples as there.
pub fn cross_fitted(
    x: ArrayView2<'_, f32>,
    y: &[usize],
    stand_ins: ArrayView2<'_, f32>,
    kind: TaskKind,
    seed: u64,
) -> Option<CrossFitted> {
    let lessons = Lessons { x: x.reborrow(), y, importance: &vec![1.0; y.len()] };
    let of = |form: &Form| cross_fitted_form(&lessons, stand_ins, *form, seed);
    Form::of(kind)
        .iter()
        .filter_map(of)
        .reduce(|best, other| if other.loss < best.loss { other } else { best })
}

fn cross_fitted_form(
    lessons: &Lessons<'_>,
    stand_ins: ArrayView2<'_, f32>,
    form: Form,
    seed: u64,
) -> Option<CrossFitted> {
    let (classes, y) = (stand_ins.nrows(), lessons.y);
    let mut folds = folds_with(lessons, stand_ins, seed)?;
    let mut best: Option<(f64, f64, Array2<f32>)> = None;
    let (mut before, mut rises) = (f64::INFINITY, 0);
    for c in GRID {
        let said: Vec<(f64, Array2<f32>)> = folds
            .par_iter_mut()
            .map(|fold| {
                let model = fold.train.fit_form(form, c, fold.model.as_ref(), FOLD_TOLERANCE);
                let loss = model.log_loss(&fold.held_out.examples());
                let p = model.probabilities(fold.held_out.x.view());
                fold.model = Some(model);
                (loss, p)
            })
            .collect();
        let loss = said.iter().map(|(loss, _)| loss).sum::<f64>() / FOLDS as f64;
        if best.as_ref().is_none_or(|(_, least, _)| loss < *least) {
            let by_fold: Vec<_> = folds.iter().zip(said).map(|(fold, (_, p))| (&fold.rows, p)).collect();
            best = Some((c, loss, in_order(&by_fold, y.len(), classes)));
        }
        rises = if loss > before { rises + 1 } else { 0 };
        before = loss;
        if rises == RISES {
            break;
        }
    }
    let (c, loss, held_out) = best?;
    let whole = Subset::filled(lessons, &(0..y.len()).collect::<Vec<_>>(), stand_ins);
    Some(CrossFitted { model: fitted(&whole.examples(), form, c), c, loss, held_out })
}

/// The folds of examples, labels that lack some filled up on each side that is trained on.
fn folds_with(lessons: &Lessons<'_>, stand_ins: ArrayView2<'_, f32>, seed: u64) -> Option<Vec<Fold>> {
    let (x, y) = (lessons.x, lessons.y);
    let classes = stand_ins.nrows();
    let counts = counts(y, classes);
    if y.len() < 2 * FOLDS || lacking(&counts).is_some() {
        return None;
    }
    let weights = balanced_by(y, classes, lessons.importance);
    let all = Examples { x: x.reborrow(), y, classes, weights: &weights };
    let fold_of = stratified_folds(y, classes, FOLDS, seed);
    let fold = |fold: usize| {
        let (rows, rest): (Vec<usize>, Vec<usize>) = (0..y.len()).partition(|&e| fold_of[e] == fold);
        let train = Problem::new(&Subset::filled(lessons, &rest, stand_ins).examples());
        Fold { train, held_out: Subset::of(&all, &rows), rows, model: None }
    };
    Some((0..FOLDS).map(fold).collect())
}

/// What folds said of their rows, in the order of the examples.
fn in_order(folds: &[(&Vec<usize>, Array2<f32>)], n: usize, classes: usize) -> Array2<f32> {
    let mut all = Array2::zeros((n, classes));
    for (rows, p) in folds {
        for (&row, p) in rows.iter().zip(p.rows()) {
            all.row_mut(row).assign(&p);
        }
    }
    all
}

/// One side of a fold, copied so that matrix products use contiguous rows.
struct Subset {
    x: Array2<f32>,
    y: Vec<usize>,
    weights: Vec<f64>,
    classes: usize,
}

impl Subset {
    fn of(all: &Examples<'_>, rows: &[usize]) -> Self {
        Self {
            x: all.x.select(Axis(0), rows),
            y: rows.iter().map(|&r| all.y[r]).collect(),
            weights: rows.iter().map(|&r| all.weights[r]).collect(),
            classes: all.classes,
        }
    }

    /// Some examples, with a label's stand-in for each that it has fewer than two of; all labels count the same.
    fn filled(lessons: &Lessons<'_>, rows: &[usize], stand_ins: ArrayView2<'_, f32>) -> Self {
        let classes = stand_ins.nrows();
        let mut labels: Vec<usize> = rows.iter().map(|&row| lessons.y[row]).collect();
        let mut importance: Vec<f64> = rows.iter().map(|&row| lessons.importance[row]).collect();
        let lacks = lacks(&labels, classes);
        let x = concatenate![Axis(0), lessons.x.select(Axis(0), rows), stand_ins.select(Axis(0), &lacks)];
        importance.extend(lacks.iter().map(|_| 1.0));
        labels.extend(lacks);
        Self { weights: balanced_by(&labels, classes, &importance), x, y: labels, classes }
    }

    fn examples(&self) -> Examples<'_> {
        Examples { x: self.x.view(), y: &self.y, classes: self.classes, weights: &self.weights }
    }
}

struct Fold {
    train: Problem,
    held_out: Subset,
    /// The examples that are held out.
    rows: Vec<usize>,
    model: Option<Linear>,
}

/// The penalty with the lowest held-out loss of a form, and that loss.
fn cross_validate(examples: &Examples<'_>, form: Form, fold_of: &[usize]) -> (f64, f64) {
    let mut folds: Vec<Fold> = (0..FOLDS)
        .map(|fold| {
            let (held_out, train): (Vec<usize>, Vec<usize>) =
                (0..fold_of.len()).partition(|&e| fold_of[e] == fold);
            Fold {
                train: Problem::new(&Subset::of(examples, &train).examples()),
                held_out: Subset::of(examples, &held_out),
                rows: held_out,
                model: None,
            }
        })
        .collect();
    let mut best = (FIXED_C, f64::INFINITY);
    let (mut before, mut rises) = (f64::INFINITY, 0);
    for c in GRID {
        let losses: Vec<f64> = folds
            .par_iter_mut()
            .map(|fold| {
                let model = fold.train.fit_form(form, c, fold.model.as_ref(), FOLD_TOLERANCE);
                let loss = model.log_loss(&fold.held_out.examples());
                fold.model = Some(model);
                loss
            })
            .collect();
        let loss = losses.iter().sum::<f64>() / FOLDS as f64;
        if loss < best.1 {
            best = (c, loss);
        }
        rises = if loss > before { rises + 1 } else { 0 };
        before = loss;
        if rises == RISES {
            break;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;
    use proptest::prelude::*;
    use rand::Rng;

    use super::*;

    /// Unit vectors around one random direction for each label; `noise` is the spread against the directions.
    fn cloud(counts: &[usize], dims: usize, noise: f32, seed: u64) -> (Array2<f32>, Vec<usize>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draw =
            |scale: f32| Array1::from_shape_simple_fn(dims, || scale * rng.gen_range(-1.0f32..1.0));
        let centres: Vec<_> = counts.iter().map(|_| draw(1.0)).collect();
        let mut rows = Vec::new();
        let mut y = Vec::new();
        for (label, &count) in counts.iter().enumerate() {
            for _ in 0..count {
                let v = &centres[label] + &draw(noise);
                let norm = v.dot(&v).sqrt();
                rows.extend(v.iter().map(|x| x / norm));
                y.push(label);
            }
        }
        (Array2::from_shape_vec((y.len(), dims), rows).unwrap(), y)
    }

    fn right(fit: &HeadFit, x: &Array2<f32>, y: &[usize]) -> f64 {
        let p = fit.model.probabilities(x.view());
        let top = |row: ndarray::ArrayView1<'_, f32>| {
            (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0)
        };
        p.rows().into_iter().zip(y).filter(|(row, label)| top(*row) == **label).count() as f64
            / y.len() as f64
    }

    #[test]
    fn examples_count_by_their_importance_and_alike_ones_as_before() {
        let (x, y) = cloud(&[30, 12], 8, 0.9, 3);
        let fit = |importance: &[f64]| {
            Lessons { x: x.view(), y: &y, importance }.fit_head(2, TaskKind::One, 1).unwrap()
        };
        let plain = fit_head(x.view(), &y, 2, TaskKind::One, 1).unwrap();
        assert_eq!(fit(&[1.0; 42]).model, plain.model, "to the bit");
        // Labels that are wrong pull less where they count less.
        let mut wrong = y.clone();
        (0..10).for_each(|i| wrong[i] = 1);
        let by = |weight: f64| {
            let importance: Vec<f64> = (0..42).map(|i| if i < 10 { weight } else { 1.0 }).collect();
            let fit = Lessons { x: x.view(), y: &wrong, importance: &importance }
                .fit_head(2, TaskKind::One, 1)
                .unwrap();
            let p = fit.model.probabilities(x.view());
            (0..10).map(|i| f64::from(p[[i, 0]])).sum::<f64>()
        };
        assert!(by(0.01) > by(0.3) && by(0.3) > by(1.0), "{} {} {}", by(0.01), by(0.3), by(1.0));
        assert_eq!(balanced_by(&[0, 0, 1], 2, &[0.5, 1.0, 0.5]), [0.5 / 1.5, 1.0 / 1.5, 1.0]);
        assert_eq!(balanced_by(&[0, 1], 2, &[1.0, 0.0]), [0.5, 0.0]);
    }

    #[test]
    fn a_label_with_one_example_is_named_instead_of_tuned_on() {
        let (x, y) = cloud(&[4, 1, 3], 8, 1.0, 1);
        assert_eq!(fit_head(x.view(), &y, 3, TaskKind::One, 0).unwrap_err(), TooFew { label: 1, have: 1 });
        assert_eq!(fit_head(x.view(), &y, 4, TaskKind::One, 0).unwrap_err(), TooFew { label: 3, have: 0 });
    }

    #[test]
    fn a_penalty_is_chosen_and_held_out_rows_are_scored_though_a_label_has_one_example() {
        let (x, y) = cloud(&[30, 30, 30], 16, 0.8, 8);
        let few: Vec<usize> = (0..61).collect();
        let stand_ins = x.select(Axis(0), &[1, 31, 62]);
        let (few_x, few_y) = (x.select(Axis(0), &few), &y[..61]);
        assert!(out_of_fold(few_x.view(), few_y, 3, 10.0, 1).is_none());
        let fitted = cross_fitted(few_x.view(), few_y, stand_ins.view(), TaskKind::One, 1).unwrap();
        assert!(GRID.contains(&fitted.c) && fitted.loss < 1.0, "{fitted:?}");
        let again = out_of_fold_with(few_x.view(), few_y, stand_ins.view(), fitted.c, 1).unwrap();
        let apart = (&again - &fitted.held_out).mapv(f32::abs);
        assert!(apart.iter().all(|d| *d < 0.05), "the same folds, fitted along a path or at once");
        let p = fitted.model.probabilities(x.view());
        let third = p.rows().into_iter().skip(61).filter(|row| row[2] > row[0] && row[2] > row[1]).count();
        assert!(third > 20, "{third} of 29 that were not seen");
        assert!(
            cross_fitted(few_x.view(), &[0; 61], stand_ins.view(), TaskKind::One, 1).is_none(),
            "one label alone"
        );
    }

    #[test]
    fn anchors_stand_in_for_labels_without_examples_but_not_for_one_of_two() {
        let (x, y) = cloud(&[30, 30, 30], 16, 0.8, 8);
        let rows: Vec<usize> = (0..60).collect();
        // The third label has no example; its anchor is the first vector of its cloud.
        let anchors = x.select(Axis(0), &[0, 30, 60]);
        let fit =
            fit_anchored_head(x.select(Axis(0), &rows).view(), &y[..60], anchors.view(), TaskKind::One, 0)
                .unwrap();
        assert!(right(&fit, &x, &y) > 0.9, "{}", right(&fit, &x, &y));
        let two = fit_anchored_head(
            x.select(Axis(0), &rows[..31]).view(),
            &y[..31],
            anchors.slice(ndarray::s![..2, ..]),
            TaskKind::One,
            0,
        );
        assert_eq!(two.unwrap_err(), TooFew { label: 1, have: 1 });
        let one = fit_anchored_head(
            x.select(Axis(0), &rows[..31]).view(),
            &y[..31],
            anchors.view(),
            TaskKind::One,
            0,
        );
        assert_eq!(one.unwrap_err(), TooFew { label: 2, have: 0 });
        let all = fit_anchored_head(x.view(), &y, anchors.view(), TaskKind::One, 0).unwrap();
        assert_eq!(
            all.model,
            fit_head(x.view(), &y, 3, TaskKind::One, 0).unwrap().model,
            "nothing is added where nothing lacks"
        );
        assert_eq!((lacking(&[2, 2]), lacking(&[2, 2, 0])), (None, None));
        assert_eq!(lacking(&[5, 1, 0]), Some(TooFew { label: 2, have: 0 }));
    }

    #[test]
    fn nine_examples_of_a_label_take_the_fixed_penalty_and_ten_are_cross_validated() {
        let (x, y) = cloud(&[30, 9], 16, 1.0, 2);
        let nine = fit_head(x.view(), &y, 2, TaskKind::One, 0).unwrap();
        assert_eq!((nine.c, nine.cv_log_loss, nine.folds), (10.0, None, 0));
        let (x, y) = cloud(&[30, 10], 16, 1.0, 2);
        let ten = fit_head(x.view(), &y, 2, TaskKind::One, 0).unwrap();
        assert_eq!(ten.folds, 5);
        assert!(ten.cv_log_loss.is_some_and(|l| l > 0.0 && l < 2f64.ln()), "{ten:?}");
    }

    #[test]
    fn noise_without_a_signal_takes_the_heaviest_penalty_and_separable_labels_a_light_one() {
        let (x, _) = cloud(&[200], 32, 30.0, 3);
        let coin: Vec<usize> = (0..200).map(|i| (i * 7919 % 13) % 2).collect();
        assert_eq!(fit_head(x.view(), &coin, 2, TaskKind::One, 0).unwrap().c, 0.1);
        let (x, y) = cloud(&[100, 100], 32, 0.6, 4);
        assert!(fit_head(x.view(), &y, 2, TaskKind::One, 0).unwrap().c >= 30.0);
    }

    #[test]
    fn a_rare_label_is_found_as_well_as_a_common_one() {
        let (x, y) = cloud(&[400, 20], 24, 1.6, 5);
        let fit = fit_head(x.view(), &y, 2, TaskKind::One, 0).unwrap();
        let found = |label: usize| {
            let rows: Vec<usize> = (0..y.len()).filter(|&i| y[i] == label).collect();
            right(&fit, &x.select(Axis(0), &rows), &vec![label; rows.len()])
        };
        assert!(found(1) > 0.9 && found(0) > 0.9, "{} {}", found(0), found(1));
    }

    #[test]
    fn seventy_seven_labels_are_told_apart() {
        let (x, y) = cloud(&[13; 77], 64, 1.0, 6);
        let fit = fit_head(x.view(), &y, 77, TaskKind::One, 0).unwrap();
        assert!(right(&fit, &x, &y) > 0.99);
    }

    /// Levels along one direction, and in `bent` with the ends of the scale side by side.
    fn levels(bent: bool, seed: u64) -> (Array2<f32>, Vec<usize>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let (mut rows, mut y) = (Vec::new(), Vec::new());
        for n in 0..160 {
            let level = n % 4;
            let turn = if bent { level as f32 * 1.6 } else { level as f32 * 0.45 };
            let mut v: Vec<f32> = (0..12).map(|_| rng.gen_range(-0.25f32..0.25)).collect();
            v[0] += turn.cos();
            v[1] += turn.sin();
            let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
            rows.extend(v.iter().map(|x| x / length));
            y.push(level);
        }
        (Array2::from_shape_vec((y.len(), 12), rows).unwrap(), y)
    }

    #[test]
    fn of_a_scale_the_form_that_does_better_on_held_out_folds_is_kept() {
        for (bent, form) in [(false, Form::Ordinal), (true, Form::Softmax)] {
            let (x, y) = levels(bent, 3);
            let scale = fit_head(x.view(), &y, 4, TaskKind::Scale, 1).unwrap();
            assert_eq!(scale.model.form(), form, "bent: {bent}");
            let one = fit_head(x.view(), &y, 4, TaskKind::One, 1).unwrap();
            assert_eq!(one.model.form(), Form::Softmax, "labels without an order have but one form");
            assert!(scale.cv_log_loss.unwrap() <= one.cv_log_loss.unwrap());
            let read = Linear::from_bytes(&scale.model.to_bytes()).unwrap();
            assert_eq!(read, scale.model);
        }
        let (x, y) = levels(false, 4);
        let few = fit_head(x.slice(ndarray::s![..20, ..]), &y[..20], 4, TaskKind::Scale, 1).unwrap();
        assert_eq!((few.model.form(), few.folds), (Form::Ordinal, 0));
        let anchors = x.select(Axis(0), &[0, 1, 2, 3]);
        let crossed = cross_fitted(x.view(), &y, anchors.view(), TaskKind::Scale, 1).unwrap();
        let lessons = Lessons { x: x.view(), y: &y, importance: &[1.0; 160] };
        let again = lessons.out_of_fold_with(anchors.view(), (crossed.model.form(), crossed.c), 1).unwrap();
        // The same folds, fitted along a path or at once.
        let apart = (&again - &crossed.held_out).mapv(f32::abs).mean().unwrap();
        assert!(apart < 0.02, "{apart}");
    }

    #[test]
    fn the_same_seed_yields_the_same_head() {
        let (x, y) = cloud(&[60, 40], 16, 2.0, 7);
        let (a, b) = (
            fit_head(x.view(), &y, 2, TaskKind::One, 9).unwrap(),
            fit_head(x.view(), &y, 2, TaskKind::One, 9).unwrap(),
        );
        assert_eq!((a.model, a.c, a.cv_log_loss), (b.model, b.c, b.cv_log_loss));
    }

    proptest! {
        #[test]
        fn folds_share_out_every_label_evenly(y in prop::collection::vec(0usize..4, 0..120), seed: u64) {
            let fold_of = stratified_folds(&y, 4, 5, seed);
            let spread = |label: Option<usize>| {
                let mut sizes = [0usize; 5];
                for (&fold, &l) in fold_of.iter().zip(&y) {
                    sizes[fold] += usize::from(label.is_none_or(|wanted| wanted == l));
                }
                sizes.iter().max().unwrap() - sizes.iter().min().unwrap()
            };
            prop_assert!(spread(None) <= 1);
            prop_assert!((0..4).all(|label| spread(Some(label)) <= 1));
        }
    }
}
