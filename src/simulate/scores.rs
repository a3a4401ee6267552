//! Scores of predictions on the test set: agreement with the gold labels, beyond chance and raw.

use ndarray::ArrayView2;
use serde::{Deserialize, Serialize};

use crate::domain::prediction::Probabilities;
use crate::domain::task_kind::TaskKind;
use crate::stats::agreement::kappa::cohen;
use crate::stats::classifier::scores::{Counts, average_precision};

/// Figures on the test set; `None` if undefined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Scores {
    /// Cohen's kappa; of a scale the weighted one.
    pub kappa: Option<f64>,
    /// Of a scale, the mean distance from the gold level.
    #[serde(default)]
    pub absolute_error: Option<f64>,
    /// Gwet's AC1; none of a scale.
    pub ac1: Option<f64>,
    /// F1 of the rarest label; with three or more labels, the mean over all.
    pub f1: Option<f64>,
    /// Average precision of the rarest label; with three or more labels, the mean over all.
    pub average_precision: Option<f64>,
}

impl Scores {
    /// Scores `probabilities` (texts × labels) against the texts' gold labels.
    pub fn of(probabilities: ArrayView2<'_, f32>, gold: &[usize], positive: usize, kind: TaskKind) -> Self {
        let classes = probabilities.ncols();
        let tops = probabilities.rows().into_iter().map(|row| Probabilities(row.to_vec()).top(kind));
        let pairs: Vec<(usize, usize)> = tops.zip(gold.iter().copied()).collect();
        let counts = Counts::over(&pairs, classes);
        let precision = |label: usize| {
            let cases: Vec<(f64, bool)> = probabilities
                .column(label)
                .iter()
                .zip(gold)
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
        Self { kappa: cohen(&pairs, kind).ok(), absolute_error, ac1, f1, average_precision }
    }
}
