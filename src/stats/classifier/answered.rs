//! Trains the head that a kind of task needs on answers: a softmax, an ordinal regression, or each label against the rest.

use ndarray::{Array2, ArrayView2};

use super::head::{Lessons, TooFew};
use super::linear::Linear;
use super::one_vs_rest::{self, OneVsRest, Sets};
use crate::domain::fault::Result;
use crate::domain::label_set::LabelSet;
use crate::domain::task_kind::TaskKind;

/// Examples of a label, and examples without it, that heads for several labels need of at least one label.
const LEAST: usize = 2;

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
