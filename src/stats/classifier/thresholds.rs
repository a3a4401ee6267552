//! From which probability on a label is given, where a text may have several.

use ndarray::ArrayView2;

use crate::domain::label_set::LabelSet;

/// A label's threshold counts in full with many more examples than this, and half with as many.
const SHRINKAGE: f64 = 10.0;
/// With fewer examples on the smaller side, a threshold would follow one or two texts.
const LEAST: usize = 5;

/// The threshold of each label, a probability.
#[derive(Clone, Debug, PartialEq)]
pub struct Thresholds(pub Vec<f32>);

impl Thresholds {
    /// Those at which the F1 of each label is greatest on `held_out` (examples × labels, by models that had not seen the example), shrunk towards one half:
    /// of n examples on the smaller side, the log-odds count n / (n + 10). Of equal ones that nearest to one half.
    ///
    /// Source: the scut of Y. Yang, "A study of thresholding strategies for text categorization", SIGIR 2001.
    pub fn chosen(held_out: ArrayView2<'_, f32>, gold: &[LabelSet]) -> Self {
        let of = |label: usize| -> f32 {
            let mut cases: Vec<(f32, bool)> =
                held_out.column(label).iter().zip(gold).map(|(p, set)| (*p, set.has(label))).collect();
            let with = cases.iter().filter(|(_, has)| *has).count();
            let smaller = with.min(cases.len() - with);
            if smaller < LEAST {
                return 0.5;
            }
            cases.sort_by(|a, b| b.0.total_cmp(&a.0));
            let mut best = (0.0f64, 0.0f32);
            let mut found = 0usize;
            for (given, two) in cases.windows(2).enumerate() {
                found += usize::from(two[0].1);
                if two[0].0 <= two[1].0 {
                    continue;
                }
                let f1 = 2.0 * found as f64 / (given + 1 + with) as f64;
                let between = f32::midpoint(logit(two[0].0), logit(two[1].0));
                if f1 > best.0 + 1e-12 || (f1 > best.0 - 1e-12 && between.abs() < best.1.abs()) {
                    best = (f1, between);
                }
            }
            let share = smaller as f64 / (smaller as f64 + SHRINKAGE);
            1.0 / (1.0 + (-best.1 * share as f32).exp())
        };
        Self((0..held_out.ncols()).map(of).collect())
    }
}

/// The log-odds of a probability, finite also at 0 and 1.
pub(super) fn logit(p: f32) -> f32 {
    let p = p.clamp(1e-6, 1.0 - 1e-6);
    (p / (1.0 - p)).ln()
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;

    use super::*;

    /// The last `n` of a hundred texts have the label, and their probabilities are above this, those of the others below.
    fn separated(n: usize, at: f32) -> (Array2<f32>, Vec<LabelSet>) {
        let has = |i: usize| i >= 100 - n;
        let p = Array2::from_shape_fn((100, 1), |(i, _)| {
            at + if has(i) { 0.01 } else { -0.01 } * (1 + i % 3) as f32
        });
        (p, (0..100).map(|i| (0..usize::from(has(i))).collect()).collect())
    }

    #[test]
    fn a_threshold_lies_where_the_sides_part_and_is_shrunk_where_examples_are_few() {
        let of = |n| {
            let (p, gold) = separated(n, 0.8);
            Thresholds::chosen(p.view(), &gold).0[0]
        };
        assert_eq!(of(4), 0.5, "too few");
        let expected = |share: f32| 1.0 / (1.0 + (-share * (0.8f32 / 0.2).ln()).exp());
        assert!((of(10) - expected(0.5)).abs() < 0.003, "{}", of(10));
        assert!((of(50) - expected(50.0 / 60.0)).abs() < 0.003, "{}", of(50));
    }

    #[test]
    fn a_threshold_of_one_half_stays_where_nothing_is_better() {
        let (p, gold) = separated(50, 0.5);
        assert!((Thresholds::chosen(p.view(), &gold).0[0] - 0.5).abs() < 1e-3);
        // All the same probability: nothing tells the sides apart.
        assert_eq!(Thresholds::chosen(Array2::from_elem((100, 1), 0.7).view(), &gold).0, [0.5]);
    }
}
