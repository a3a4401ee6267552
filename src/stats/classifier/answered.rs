//! Trains the head that a kind of task needs on answers: a softmax, an ordinal regression, or each label against the rest.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::head::{FIXED_C, Lessons, TooFew, stratified_folds};
use super::linear::Linear;
use super::one_vs_rest::{self, OneVsRest, Sets};
use crate::domain::fault::Result;
use crate::domain::label_set::LabelSet;
use crate::domain::task_kind::TaskKind;

/// Examples of a label, and examples without it, that heads for several labels need of at least one label.
const LEAST: usize = 2;

/// What labels that no expert gave may count, as a factor of what they are said to count; the last leaves them out.
const FACTORS: [f64; 5] = [1.0, 0.3, 0.1, 0.03, 0.0];
const FOLDS: usize = 5;
/// Experts' answers of a label, on either side where a text may have several, below which they cannot say what others' labels are worth.
const ENOUGH_OF_EACH: usize = 5;
/// A probability below this counts as this: one text alone must not decide.
const LEAST_PROBABILITY: f64 = 1e-3;

/// A trained head of any kind of task.
#[derive(Clone, Debug, PartialEq)]
pub enum HeadModel {
    /// It says one label of each text.
    One(Linear),
    /// It says of each label whether a text has it.
    Several(OneVsRest),
}

impl HeadModel {
    /// Probabilities of `x` (items × dimensions), items × labels: each row sums to one, or each number is by itself. Uses every core.
    pub fn probabilities(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        match self {
            Self::One(model) => model.probabilities(x),
            Self::Several(model) => model.probabilities(x),
        }
    }

    /// The model as bytes, which begin with what it is.
    pub fn to_bytes(&self) -> Vec<u8> {
        match self {
            Self::One(model) => model.to_bytes(),
            Self::Several(model) => model.to_bytes(),
        }
    }

    /// The model that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// The bytes are not a head, of a later version, or damaged.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        match bytes.starts_with(one_vs_rest::MAGIC) {
            true => OneVsRest::from_bytes(bytes).map(Self::Several),
            false => Linear::from_bytes(bytes).map(Self::One),
        }
    }
}

/// Vectors with the answers to each.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// Texts × dimensions, unit vectors.
    pub x: ArrayView2<'a, f32>,
    /// The answer to each text: of a task that asks for one label, exactly one.
    pub answers: &'a [LabelSet],
    /// What each counts, above 0, where an expert's answer counts 1.
    pub importance: &'a [f64],
    /// What is asked for.
    pub kind: TaskKind,
}

/// A head and how its penalty was chosen.
#[derive(Clone, Debug)]
pub struct AnsweredFit {
    /// Fitted on all answers.
    pub model: HeadModel,
    /// Inverse strength of the penalty.
    pub c: f64,
    /// The log-loss in nats on held-out folds at that `c`, all labels counting the same. `None` if `c` was fixed.
    pub cv_log_loss: Option<f64>,
    /// Number of folds; 0 if `c` was fixed.
    pub folds: usize,
}

impl Answered<'_> {
    /// Trains the head. A label with too few examples is filled up by its row of `stand_ins` (labels × dimensions).
    ///
    /// # Errors
    /// Too few examples: of two labels, or where a text may have several, of one.
    pub fn fit(&self, stand_ins: ArrayView2<'_, f32>, seed: u64) -> Result<AnsweredFit, TooFew> {
        if !self.kind.is_several() {
            let labels = self.single();
            let fit = self.lessons(&labels).fit_anchored_head(stand_ins, self.kind, seed)?;
            let model = HeadModel::One(fit.model);
            return Ok(AnsweredFit { model, c: fit.c, cv_log_loss: fit.cv_log_loss, folds: fit.folds });
        }
        if let Some(few) = self.lacking(stand_ins.nrows()) {
            return Err(few);
        }
        let fit = self.sets().fit(stand_ins, seed);
        let model = HeadModel::Several(fit.model);
        Ok(AnsweredFit { model, c: fit.c, cv_log_loss: fit.cv_log_loss, folds: fit.folds })
    }

    /// Those at `rows`.
    fn some(&self, rows: &[usize]) -> SomeAnswers {
        SomeAnswers {
            x: self.x.select(Axis(0), rows),
            answers: rows.iter().map(|&row| self.answers[row].clone()).collect(),
            importance: rows.iter().map(|&row| self.importance[row]).collect(),
            kind: self.kind,
        }
    }

    /// The answers, of which those that no expert gave count less by this factor; at 0 they are left out. With each, its row here.
    pub fn with_others_at(&self, by_experts: &[bool], factor: f64) -> (Vec<usize>, SomeAnswers) {
        let rows: Vec<usize> =
            (0..self.answers.len()).filter(|&row| by_experts[row] || factor > 0.0).collect();
        let some = self.some(&rows).weighed(by_experts, &rows, factor);
        (rows, some)
    }

    /// Each text's probabilities by heads like `model`, with the same penalty, that have not seen it: texts × labels. `None` for too few examples.
    pub fn out_of_fold(
        &self,
        stand_ins: ArrayView2<'_, f32>,
        (model, c): (&HeadModel, f64),
        seed: u64,
    ) -> Option<Array2<f32>> {
        match model {
            HeadModel::One(model) => {
                let labels = self.single();
                self.lessons(&labels).out_of_fold_with(stand_ins, (model.form(), c), seed)
            }
            HeadModel::Several(_) => self.sets().out_of_fold(stand_ins, c, seed),
        }
    }

    /// By what factor the labels that no expert gave should count less than they are said to, 0 to leave them out: the one at which heads on them and on most
    /// of the experts' answers say the rest of those best, by the log-loss over five folds in which all labels count the same. 1 while the experts' answers
    /// are too few to say, and where nobody else gave labels.
    ///
    /// Labels from before help until there are answers, and hurt from then on if some of them are wrong: they say so much of easy texts that answers to hard
    /// ones no longer count.
    pub fn factor_of_others(&self, by_experts: &[bool], stand_ins: ArrayView2<'_, f32>, seed: u64) -> f64 {
        let (experts, others): (Vec<usize>, Vec<usize>) =
            (0..self.answers.len()).partition(|&row| by_experts[row]);
        let labels = stand_ins.nrows();
        let known = self.known_by(&experts, labels);
        if others.is_empty() || known.is_empty() {
            return 1.0;
        }
        let strata: Vec<usize> =
            experts.iter().map(|&row| self.answers[row].places().next().unwrap_or(labels)).collect();
        let fold_of = stratified_folds(&strata, labels + 1, FOLDS, seed);
        let loss = |factor: f64| -> f64 {
            let said = (0..FOLDS).into_par_iter().map(|fold| {
                let held_out: Vec<usize> = rows_of(&experts, &fold_of, |of| of == fold);
                let mut rows = rows_of(&experts, &fold_of, |of| of != fold);
                if factor > 0.0 {
                    rows.extend(&others);
                }
                let p = self
                    .some(&rows)
                    .weighed(by_experts, &rows, factor)
                    .said_of(self.x.select(Axis(0), &held_out).view(), stand_ins);
                (held_out, p)
            });
            self.balanced_loss(&said.collect::<Vec<_>>(), &known)
        };
        let losses = FACTORS.map(loss);
        let best = (0..FACTORS.len()).min_by(|&a, &b| losses[a].total_cmp(&losses[b])).unwrap_or(0);
        FACTORS[best]
    }

    /// The labels that enough of these rows have, and where a text may have several that enough of them have not; none where that is one label of two or more.
    fn known_by(&self, rows: &[usize], labels: usize) -> Vec<usize> {
        let with = |label: usize| rows.iter().filter(|&&row| self.answers[row].has(label)).count();
        let enough = |label: &usize| {
            let have = with(*label);
            have >= ENOUGH_OF_EACH && (!self.kind.is_several() || rows.len() - have >= ENOUGH_OF_EACH)
        };
        let known: Vec<usize> = (0..labels).filter(enough).collect();
        if known.len() < 2 && !self.kind.is_several() { Vec::new() } else { known }
    }

    /// The mean over the `known` labels of the log-loss of the rows that have it, and where a text may have several of those that have not, both the same.
    fn balanced_loss(&self, said: &[(Vec<usize>, Array2<f32>)], known: &[usize]) -> f64 {
        let mut sums = vec![[(0.0, 0.0); 2]; known.len()];
        for (rows, p) in said {
            for (&row, p) in rows.iter().zip(p.rows()) {
                for (sum, &label) in sums.iter_mut().zip(known) {
                    let has = self.answers[row].has(label);
                    if !has && !self.kind.is_several() {
                        continue;
                    }
                    let right = f64::from(if has { p[label] } else { 1.0 - p[label] });
                    let side = &mut sum[usize::from(has)];
                    side.0 -= right.max(LEAST_PROBABILITY).ln();
                    side.1 += 1.0;
                }
            }
        }
        let sides = sums.iter().flatten().filter(|side| side.1 > 0.0);
        let losses: Vec<f64> = sides.map(|(loss, n)| loss / n).collect();
        losses.iter().sum::<f64>() / losses.len().max(1) as f64
    }

    /// The one label of each answer.
    fn single(&self) -> Vec<usize> {
        self.answers.iter().filter_map(LabelSet::single).collect()
    }

    fn lessons<'l>(&'l self, labels: &'l [usize]) -> Lessons<'l> {
        Lessons { x: self.x.reborrow(), y: labels, importance: self.importance }
    }

    fn sets(&self) -> Sets<'_> {
        Sets { x: self.x.reborrow(), y: self.answers, importance: self.importance }
    }

    /// The label that comes nearest to having enough examples, if none has them.
    fn lacking(&self, labels: usize) -> Option<TooFew> {
        let mut counts = vec![0usize; labels];
        self.answers.iter().flat_map(LabelSet::places).for_each(|label| counts[label] += 1);
        let both = |have: usize| have.min(self.answers.len() - have);
        let (label, have) = counts
            .into_iter()
            .enumerate()
            .max_by_key(|(label, have)| (both(*have), std::cmp::Reverse(*label)))?;
        (both(have) < LEAST).then(|| TooFew { label, have: both(have) })
    }
}

/// Some of the answers, copied so that matrix products use contiguous rows.
#[derive(Clone, Debug)]
pub struct SomeAnswers {
    x: Array2<f32>,
    answers: Vec<LabelSet>,
    importance: Vec<f64>,
    kind: TaskKind,
}

impl SomeAnswers {
    /// Borrows them.
    pub fn answered(&self) -> Answered<'_> {
        Answered { x: self.x.view(), answers: &self.answers, importance: &self.importance, kind: self.kind }
    }

    /// Vectors, answers and what each counts.
    pub fn into_parts(self) -> (Array2<f32>, Vec<LabelSet>, Vec<f64>) {
        (self.x, self.answers, self.importance)
    }

    /// The same, of which those at `rows` that no expert gave count less by this factor.
    fn weighed(mut self, by_experts: &[bool], rows: &[usize], factor: f64) -> Self {
        for (one, &row) in self.importance.iter_mut().zip(rows) {
            *one *= if by_experts[row] { 1.0 } else { factor };
        }
        self
    }

    /// What a head with a fixed penalty on these says of other vectors (n × dimensions), n × labels. Even odds where there are too few for one.
    fn said_of(&self, x: ArrayView2<'_, f32>, stand_ins: ArrayView2<'_, f32>) -> Array2<f32> {
        let answered = self.answered();
        let model = match self.kind.is_several() {
            true => Some(HeadModel::Several(answered.sets().fit_fixed(stand_ins))),
            false => {
                let labels = answered.single();
                let head = answered.lessons(&labels).fit_fixed_head(stand_ins, self.kind, FIXED_C);
                head.ok().map(HeadModel::One)
            }
        };
        let even = || Array2::from_elem((x.nrows(), stand_ins.nrows()), 0.5);
        model.map_or_else(even, |model| model.probabilities(x))
    }
}

fn rows_of(rows: &[usize], fold_of: &[usize], wanted: impl Fn(usize) -> bool) -> Vec<usize> {
    rows.iter().zip(fold_of).filter(|(_, fold)| wanted(**fold)).map(|(row, _)| *row).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;
    use crate::stats::classifier::head::fit_anchored_head;

    fn set(places: &[usize]) -> LabelSet {
        places.iter().copied().collect()
    }

    #[test]
    fn each_kind_gets_its_head_and_it_survives_being_written() {
        let x = Array2::from_shape_fn((40, 2), |(i, axis)| {
            let turn = (i % 4) as f32 * 0.5 + (i % 3) as f32 * 0.05;
            if axis == 0 { turn.cos() } else { turn.sin() }
        });
        let ones = vec![1.0; 40];
        let labels: Vec<usize> = (0..40).map(|i| (i % 4) / 2).collect();
        let one: Vec<LabelSet> = labels.iter().map(|label| set(&[*label])).collect();
        let stand_ins = Array2::zeros((2, 2));
        let answered = |answers, kind| Answered { x: x.view(), answers, importance: &ones, kind };
        let fit = answered(&one, TaskKind::One).fit(stand_ins.view(), 1).unwrap();
        let plain = fit_anchored_head(x.view(), &labels, stand_ins.view(), TaskKind::One, 1).unwrap();
        assert_eq!((fit.model.clone(), fit.c), (HeadModel::One(plain.model), plain.c));
        let sets: Vec<LabelSet> = (0..40).map(|i| set([&[][..], &[0], &[0, 1], &[1]][i % 4])).collect();
        let several = answered(&sets, TaskKind::Several).fit(stand_ins.view(), 1).unwrap();
        let p = several.model.probabilities(array![[1.0f32, 0.0], [0.54, 0.84], [0.07, 0.997]].view());
        let decided: Vec<LabelSet> =
            p.rows().into_iter().map(|row| TaskKind::Several.decide_set(&row.to_vec(), &[])).collect();
        assert_eq!(decided, [set(&[]), set(&[0, 1]), set(&[1])]);
        for model in [fit.model, several.model] {
            assert_eq!(HeadModel::from_bytes(&model.to_bytes()).unwrap(), model);
        }
    }

    #[test]
    fn labels_that_no_expert_gave_count_as_far_as_the_experts_answers_bear_them_out() {
        // 60 answers of an expert, and 200 labels from before, of which some are wrong.
        let label = |i: usize| usize::from(i % 4 >= 2);
        let x = Array2::from_shape_fn((260, 2), |(i, axis)| {
            let turn = (i % 4) as f32 * 0.5 + (i * 37 % 100) as f32 * 0.004;
            if axis == 0 { turn.cos() } else { turn.sin() }
        });
        let by_experts: Vec<bool> = (0..260).map(|i| i < 60).collect();
        let ones = vec![1.0; 260];
        let factor = |wrong_in: usize, experts: usize, kind: TaskKind| {
            let said = |i: usize| {
                let wrong = i >= 60 && wrong_in > 0 && i.is_multiple_of(wrong_in);
                let said = label(i) ^ usize::from(wrong);
                if kind.is_several() && said == 0 { set(&[]) } else { set(&[said]) }
            };
            let answers: Vec<LabelSet> = (0..260).map(said).collect();
            let rows: Vec<usize> = (0..260).filter(|&i| i < experts || i >= 60).collect();
            let all = Answered { x: x.view(), answers: &answers, importance: &ones, kind };
            let mine: Vec<bool> = rows.iter().map(|&row| by_experts[row]).collect();
            all.some(&rows).answered().factor_of_others(&mine, Array2::zeros((2, 2)).view(), 1)
        };
        for kind in [TaskKind::One, TaskKind::Several] {
            let right = factor(0, 60, kind);
            assert!(right >= 0.3, "{kind}: {right}");
            for wrong_in in [2, 1] {
                let wrong = factor(wrong_in, 60, kind);
                assert!(wrong < 0.1, "{kind}, one in {wrong_in} wrong: {wrong}");
            }
            assert_eq!(factor(2, 8, kind), 1.0, "{kind}: too few answers to say");
        }
        let answers: Vec<LabelSet> = (0..260).map(|i| set(&[label(i)])).collect();
        let all = Answered { x: x.view(), answers: &answers, importance: &ones, kind: TaskKind::One };
        assert_eq!(all.factor_of_others(&[true; 260], Array2::zeros((2, 2)).view(), 1), 1.0);
        let (rows, some) = all.with_others_at(&by_experts, 0.0);
        assert_eq!((rows.len(), some.answered().answers.len()), (60, 60));
    }

    #[test]
    fn several_labels_can_be_learned_once_one_of_them_is_known_on_both_sides() {
        let x = Array2::from_elem((5, 1), 1.0);
        let lacks = |sets: [&[usize]; 5]| {
            let answers: Vec<LabelSet> = sets.iter().map(|places| set(places)).collect();
            let answered =
                Answered { x: x.view(), answers: &answers, importance: &[1.0; 5], kind: TaskKind::Several };
            answered.fit(Array2::zeros((2, 1)).view(), 1).err().map(|few| (few.label, few.have))
        };
        assert_eq!(lacks([&[], &[], &[], &[], &[]]), Some((0, 0)));
        assert_eq!(lacks([&[0], &[0], &[0], &[0, 1], &[0]]), Some((1, 1)));
        assert_eq!(lacks([&[0], &[0], &[], &[], &[0]]), None);
    }
}
