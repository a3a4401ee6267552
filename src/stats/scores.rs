//! How well predictions meet the right labels: AC1, F1 and average precision, as plain numbers without intervals.
//!
//! Beside kappa, because kappa falls towards 0 where nearly all cases carry one label, however often both agree. Which cases and whose
//! answers count is decided by whoever calls.

/// Weighted counts of predictions against right labels. Whole numbers where each case weighs 1.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    labels: Vec<OfLabel>,
    total: f64,
}

/// Sums of weights of one label.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OfLabel {
    /// Over the cases that were predicted to have it.
    pub predicted: f64,
    /// Over the cases that have it.
    pub gold: f64,
    /// Over the cases of both.
    pub both: f64,
}

impl Counts {
    /// No case yet, of a task with so many `labels`.
    pub fn new(labels: usize) -> Self {
        Self { labels: vec![OfLabel::default(); labels], total: 0.0 }
    }

    /// Of pairs (predicted, gold), each weighing 1; labels below `labels`.
    pub fn over(pairs: &[(usize, usize)], labels: usize) -> Self {
        let mut counts = Self::new(labels);
        pairs.iter().for_each(|&(predicted, gold)| counts.add(predicted, gold, 1.0));
        counts
    }

    /// Adds a case.
    pub fn add(&mut self, predicted: usize, gold: usize, weight: f64) {
        self.labels[predicted].predicted += weight;
        self.labels[gold].gold += weight;
        if predicted == gold {
            self.labels[gold].both += weight;
        }
        self.total += weight;
    }

    /// The sums of one label.
    pub fn of(&self, label: usize) -> OfLabel {
        self.labels[label]
    }

    /// Gwet's AC1: (pₐ − pₑ) / (1 − pₑ), with pₑ = Σ πₖ(1 − πₖ) / (K − 1) over all K labels of the task, used or not, where πₖ is the mean
    /// of the two shares of label k. None without a case and with fewer than two labels.
    ///
    /// Source: K. L. Gwet, "Computing inter-rater reliability and its variance in the presence of high agreement", *British Journal of
    /// Mathematical and Statistical Psychology* 61 (2008), 29–48.
    pub fn ac1(&self) -> Option<f64> {
        if self.total <= 0.0 || self.labels.len() < 2 {
            return None;
        }
        let shares = self.labels.iter().map(|l| (l.predicted + l.gold) / (2.0 * self.total));
        let chance = shares.map(|share| share * (1.0 - share)).sum::<f64>() / (self.labels.len() - 1) as f64;
        let agreed = self.labels.iter().map(|l| l.both).sum::<f64>() / self.total;
        // Chance is at most 1/K, so the lower side is never 0.
        Some((agreed - chance) / (1.0 - chance))
    }

    /// The harmonic mean of precision and recall of one label. None where no case has it and none was predicted to.
    pub fn f1(&self, label: usize) -> Option<f64> {
        let OfLabel { predicted, gold, both } = self.labels[label];
        if predicted + gold > 0.0 { Some(2.0 * both / (predicted + gold)) } else { None }
    }

    /// The mean of [`Self::f1`] over the labels that have one, each counted alike. None without a case.
    pub fn macro_f1(&self) -> Option<f64> {
        let (sum, n) = (0..self.labels.len())
            .filter_map(|label| self.f1(label))
            .fold((0.0, 0), |(sum, n), f1| (sum + f1, n + 1));
        if n == 0 { None } else { Some(sum / f64::from(n)) }
    }
}

/// Average precision of one label: the area under its steps of precision over recall, Σ (Rᵢ − Rᵢ₋₁) Pᵢ, with a threshold at each distinct
/// score, so that cases of the same score come in together, whatever their order. `cases` are (score, whether it has the label).
/// None where no case has it.
pub fn average_precision(cases: &[(f64, bool)]) -> Option<f64> {
    let all = cases.iter().filter(|(_, has)| *has).count();
    if all == 0 {
        return None;
    }
    let mut cases = cases.to_vec();
    cases.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut area, mut seen, mut found) = (0.0, 0, 0);
    for tied in cases.chunk_by(|a, b| a.0 == b.0) {
        let new = tied.iter().filter(|(_, has)| *has).count();
        seen += tied.len();
        found += new;
        area += new as f64 / all as f64 * (found as f64 / seen as f64);
    }
    Some(area)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::kappa::cohen;
    use super::*;

    fn pairs(table: &[&[usize]]) -> Vec<(usize, usize)> {
        let rows = table.iter().enumerate();
        rows.flat_map(|(a, row)| {
            row.iter().enumerate().flat_map(move |(b, &n)| std::iter::repeat_n((a, b), n))
        })
        .collect()
    }

    /// Gwet, "Kappa statistic is not satisfactory for assessing the extent of agreement between raters", 2002: 125 subjects, kappa −0.0234,
    /// AC1 0.9408.
    #[test]
    fn ac1_stays_high_where_kappa_collapses_as_in_gwets_example() {
        let skewed = pairs(&[&[118, 5], &[2, 0]]);
        assert!((Counts::over(&skewed, 2).ac1().unwrap() - 0.9408).abs() < 5e-5);
        assert!((cohen(&skewed).unwrap() + 0.0234).abs() < 5e-5);
    }

    /// By hand: 45 of 60 agree; shares 1/3 each, so chance is 3 · (1/3)(2/3) / 2 = 1/3 and AC1 is (3/4 − 1/3) / (2/3) = 5/8.
    #[test]
    fn ac1_of_three_even_labels_is_that_worked_by_hand() {
        let even = pairs(&[&[15, 5, 0], &[0, 15, 5], &[5, 0, 15]]);
        assert!((Counts::over(&even, 3).ac1().unwrap() - 0.625).abs() < 1e-12);
    }

    #[test]
    fn without_a_case_or_a_second_label_there_is_no_figure() {
        assert_eq!(Counts::over(&[], 2).ac1(), None);
        assert_eq!(Counts::over(&[(0, 0)], 1).ac1(), None);
        assert_eq!(Counts::over(&[], 2).macro_f1(), None);
        assert_eq!(Counts::over(&[(0, 0)], 2).f1(1), None);
        assert_eq!(average_precision(&[(0.9, false)]), None);
    }

    /// scikit-learn's example of `f1_score`: 0 1 2 0 1 2 predicted as 0 2 1 0 0 1 has .8, 0 and 0, and 0.27 as their mean.
    #[test]
    fn f1_of_each_label_and_their_mean_are_those_of_the_published_example() {
        let gold = [0, 1, 2, 0, 1, 2];
        let predicted = [0, 2, 1, 0, 0, 1];
        let counts = Counts::over(&predicted.into_iter().zip(gold).collect::<Vec<_>>(), 4);
        assert_eq!([0, 1, 2, 3].map(|l| counts.f1(l)), [Some(0.8), Some(0.0), Some(0.0), None]);
        assert!((counts.macro_f1().unwrap() - 0.8 / 3.0).abs() < 1e-12);
    }

    #[test]
    fn a_case_of_weight_two_counts_as_two_cases() {
        let mut weighted = Counts::new(2);
        weighted.add(1, 1, 2.0);
        weighted.add(1, 0, 1.0);
        assert_eq!(weighted, Counts::over(&[(1, 1), (1, 1), (1, 0)], 2));
        assert_eq!(weighted.of(1), OfLabel { predicted: 3.0, gold: 2.0, both: 2.0 });
    }

    /// scikit-learn's example of `average_precision_score`, 0.83, and by hand: .9 has it; .5 twice, of which one; .1 has it, so
    /// 1/3 · 1 + 1/3 · 2/3 + 1/3 · 3/4 = 29/36.
    #[test]
    fn average_precision_takes_ties_as_one_threshold() {
        let published = [(0.1, false), (0.4, false), (0.35, true), (0.8, true)];
        assert!((average_precision(&published).unwrap() - 5.0 / 6.0).abs() < 1e-12);
        let tied = [(0.5, true), (0.1, true), (0.5, false), (0.9, true)];
        assert!((average_precision(&tied).unwrap() - 29.0 / 36.0).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn scores_lie_in_their_ranges_and_perfect_predictions_reach_one(
            gold in prop::collection::vec(0usize..3, 1..40), predicted in prop::collection::vec(0usize..3, 40),
        ) {
            let both: Vec<_> = predicted.into_iter().zip(gold.iter().copied()).collect();
            let counts = Counts::over(&both, 3);
            prop_assert!((-1.0..=1.0).contains(&counts.ac1().unwrap()));
            prop_assert!((0.0..=1.0).contains(&counts.macro_f1().unwrap()));
            let perfect = Counts::over(&gold.iter().map(|&g| (g, g)).collect::<Vec<_>>(), 3);
            prop_assert!((perfect.ac1().unwrap() - 1.0).abs() < 1e-12 && perfect.macro_f1() == Some(1.0));
        }

        #[test]
        fn average_precision_does_not_depend_on_the_order(
            cases in prop::collection::vec(((0u8..6).prop_map(f64::from), any::<bool>()), 1..30),
        ) {
            let mut turned = cases.clone();
            turned.reverse();
            prop_assert_eq!(average_precision(&cases), average_precision(&turned));
            let equal: Vec<_> = cases.iter().map(|(_, has)| (0.5, *has)).collect();
            let share = cases.iter().filter(|c| c.1).count() as f64 / cases.len() as f64;
            prop_assert!(average_precision(&equal).is_none_or(|ap| (ap - share).abs() < 1e-12));
        }
    }
}
