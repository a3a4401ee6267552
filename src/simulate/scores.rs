//! Scores of predictions on the test set: agreement with the gold labels, beyond chance and raw.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::domain::label_set::LabelSet;
use crate::domain::prediction::Probabilities;
use crate::domain::task_kind::TaskKind;
use crate::stats::agreement::kappa::cohen;
use crate::stats::classifier::scores::{Counts, average_precision};
use crate::stats::classifier::set_scores::SetCounts;

/// Figures on the test set; `None` if undefined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Cohen's kappa; of a scale the weighted one; where a text may have several labels, the mean of the labels' kappas.
    pub kappa: Option<f64>,
    /// Of a scale, the mean distance from the gold level.
    #[serde(default)]
    pub absolute_error: Option<f64>,
    /// Gwet's AC1; none of a scale, nor where a text may have several labels.
    pub ac1: Option<f64>,
    /// Where a text may have several labels, the mean of the labels' F1.
    #[serde(default)]
    pub macro_f1: Option<f64>,
    /// F1 of the rarest label; with three or more labels, the mean over all; where a text may have several, of all labels together (micro).
    pub f1: Option<f64>,
    /// Average precision of the rarest label; with three or more labels, the mean over all.
    pub average_precision: Option<f64>,
}

impl Scores {
    /// Scores `probabilities` (texts × labels) against the texts' gold labels.
    pub fn of(
        probabilities: ArrayView2<'_, f32>,
        gold: &[&LabelSet],
        positive: usize,
        kind: TaskKind,
    ) -> Self {
        if kind.is_several() {
            return Self::of_sets(probabilities, gold);
        }
        let gold: Vec<usize> = gold.iter().filter_map(|set| set.single()).collect();
        let classes = probabilities.ncols();
        let tops = probabilities.rows().into_iter().map(|row| Probabilities(row.to_vec()).top(kind));
        let pairs: Vec<(usize, usize)> = tops.zip(gold.iter().copied()).collect();
        let counts = Counts::over(&pairs, classes);
        let precision = |label: usize| {
            let cases: Vec<(f64, bool)> = probabilities
                .column(label)
                .iter()
                .zip(&gold)
                .map(|(&p, &g)| (f64::from(p), g == label))
                .collect();
            average_precision(&cases)
        };
        let (f1, average_precision) = if classes == 2 {
            (counts.f1(positive), precision(positive))
        } else {
            let of_labels: Vec<f64> = (0..classes).filter_map(precision).collect();
            let mean = of_labels.iter().sum::<f64>() / of_labels.len() as f64;
            (counts.macro_f1(), (!of_labels.is_empty()).then_some(mean))
        };
        let error = || {
            let distances = pairs.iter().map(|(a, b)| a.abs_diff(*b)).sum::<usize>();
            (!pairs.is_empty()).then(|| distances as f64 / pairs.len() as f64)
        };
        let (ac1, absolute_error) = match kind {
            TaskKind::One | TaskKind::Several => (counts.ac1(), None),
            TaskKind::Scale => (None, error()),
        };
        let kappa = cohen(&pairs, kind).ok();
        Self { kappa, absolute_error, ac1, macro_f1: None, f1, average_precision }
    }

    fn of_sets(probabilities: ArrayView2<'_, f32>, gold: &[&LabelSet]) -> Self {
        let labels = probabilities.ncols();
        let said = decided(probabilities);
        let pairs: Vec<(&LabelSet, &LabelSet)> = said.iter().zip(gold.iter().copied()).collect();
        let counts = SetCounts::over(pairs.iter().copied(), labels);
        let precision = |label: usize| {
            let of_label = probabilities.column(label);
            let cases = of_label.iter().zip(gold).map(|(&p, g)| (f64::from(p), g.has(label)));
            average_precision(&cases.collect::<Vec<_>>())
        };
        Self {
            kappa: mean(&(0..labels).filter_map(|label| kappa_of(&pairs, label)).collect::<Vec<_>>()),
            macro_f1: counts.macro_f1(),
            f1: counts.micro_f1(),
            average_precision: mean(&(0..labels).filter_map(precision).collect::<Vec<_>>()),
            ..Self::default()
        }
    }
}

/// Each label's kappa of these probabilities (texts × labels) with the texts' gold labels, where a text may have several.
pub fn label_kappas(probabilities: ArrayView2<'_, f32>, gold: &[&LabelSet]) -> Vec<Option<f64>> {
    let said = decided(probabilities);
    let pairs: Vec<(&LabelSet, &LabelSet)> = said.iter().zip(gold.iter().copied()).collect();
    (0..probabilities.ncols()).map(|label| kappa_of(&pairs, label)).collect()
}

/// Kappa of two answers to each text; where a text may have several labels, the mean of the labels' kappas.
pub fn kappa(pairs: &[(&LabelSet, &LabelSet)], labels: usize, kind: TaskKind) -> Option<f64> {
    if kind.is_several() {
        return mean(&(0..labels).filter_map(|label| kappa_of(pairs, label)).collect::<Vec<_>>());
    }
    let single = |(a, b): &(&LabelSet, &LabelSet)| a.single().zip(b.single());
    cohen(&pairs.iter().filter_map(single).collect::<Vec<_>>(), kind).ok()
}

/// Kappa of whether each of two answers gives the label.
fn kappa_of(pairs: &[(&LabelSet, &LabelSet)], label: usize) -> Option<f64> {
    let has = |(a, b): &(&LabelSet, &LabelSet)| (usize::from(a.has(label)), usize::from(b.has(label)));
    cohen(&pairs.iter().map(has).collect::<Vec<_>>(), TaskKind::One).ok()
}

fn decided(probabilities: ArrayView2<'_, f32>) -> Vec<LabelSet> {
    let rows = probabilities.rows().into_iter();
    rows.map(|row| TaskKind::Several.decide_set(&row.to_vec(), &[])).collect()
}

fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn of_several_labels_kappa_is_the_mean_of_each_by_itself_and_one_that_nothing_has_is_left_out() {
        let set = |places: &[usize]| -> LabelSet { places.iter().copied().collect() };
        let gold = [set(&[0]), set(&[0, 1]), set(&[]), set(&[])];
        let gold: Vec<&LabelSet> = gold.iter().collect();
        let p = array![[0.9f32, 0.2, 0.1], [0.8, 0.3, 0.1], [0.1, 0.1, 0.1], [0.6, 0.1, 0.1]];
        // Label 0: said of the first, second and fourth, given to two: 3 of 4 agree, by chance (3·2 + 1·2)/16. Label 1: never said, given once: kappa 0.
        assert_eq!(label_kappas(p.view(), &gold), [Some(0.5), Some(0.0), None]);
        let scores = Scores::of(p.view(), &gold, 1, TaskKind::Several);
        assert_eq!((scores.kappa, scores.ac1), (Some(0.25), None));
        // Micro: 2 · 2 / (3 + 3); macro: (0.8 + 0) / 2.
        assert!(
            (scores.f1.unwrap() - 4.0 / 6.0).abs() < 1e-12 && (scores.macro_f1.unwrap() - 0.4).abs() < 1e-12
        );
        assert!(scores.average_precision.unwrap() > 0.99, "both labels are ranked right");
    }
}
