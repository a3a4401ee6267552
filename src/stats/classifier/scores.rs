//! Scores of predictions besides kappa: AC1, F1 and average precision as plain numbers, and AC1 and F1 as figures.
//!
//! Kappa falls towards 0 if nearly all cases have the same label, however often both agree; these do not. The caller decides which cases and whose
//! answers count.

use crate::domain::figure::Figure;
use crate::domain::label_set::LabelSet;
use crate::stats::agreement::kappa::LEAST_CASES;
use crate::stats::estimate::bootstrap::{figure, floor_without_failure, replicates, with_low};

/// Weighted counts of predictions against gold labels.
#[derive(Clone, Debug, PartialEq)]
pub struct Counts {
    labels: Vec<OfLabel>,
    total: f64,
}

/// Total weight of the cases of one label.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct OfLabel {
    /// Cases that were predicted to have it.
    pub predicted: f64,
    /// Cases that have it.
    pub gold: f64,
    /// Cases that count for both.
    pub both: f64,
}

impl Counts {
    /// No case yet.
    pub fn new(labels: usize) -> Self {
        Self { labels: vec![OfLabel::default(); labels], total: 0.0 }
    }

    /// From pairs (predicted, gold), each with weight 1; labels below `labels`.
    pub fn over(pairs: &[(usize, usize)], labels: usize) -> Self {
        let mut counts = Self::new(labels);
        pairs.iter().for_each(|&(predicted, gold)| counts.add(predicted, gold, 1.0));
        counts
    }

    pub fn add(&mut self, predicted: usize, gold: usize, weight: f64) {
        self.labels[predicted].predicted += weight;
        self.labels[gold].gold += weight;
        if predicted == gold {
            self.labels[gold].both += weight;
        }
        self.total += weight;
    }

    /// The same where a text may have any number of labels.
    pub fn add_sets(&mut self, predicted: &LabelSet, gold: &LabelSet, weight: f64) {
        for label in predicted.places() {
            self.labels[label].predicted += weight;
            if gold.has(label) {
                self.labels[label].both += weight;
            }
        }
        gold.places().for_each(|label| self.labels[label].gold += weight);
        self.total += weight;
    }

    pub fn of(&self, label: usize) -> OfLabel {
        self.labels[label]
    }

    /// Gwet's AC1: (pₐ − pₑ) / (1 − pₑ), with pₑ = Σ πₖ(1 − πₖ) / (K − 1) over all K labels of the task, used or not, where πₖ is the mean
    /// of the two shares of label k. `None` without a case and with fewer than two labels.
    ///
    /// Source: K. L. Gwet, "Computing inter-rater reliability and its variance in the presence of high agreement", *British Journal of
    /// Mathematical and Statistical Psychology* 61 (2008), 29–48.
    pub fn ac1(&self) -> Option<f64> {
        self.ac1_at(self.labels.iter().map(|l| l.both).sum::<f64>() / self.total)
    }

    /// AC1 if the share `agreement` of the cases agreed, with the labels used as often as they were.
    fn ac1_at(&self, agreement: f64) -> Option<f64> {
        if self.total <= 0.0 || self.labels.len() < 2 {
            return None;
        }
        let shares = self.labels.iter().map(|l| (l.predicted + l.gold) / (2.0 * self.total));
        let chance = shares.map(|share| share * (1.0 - share)).sum::<f64>() / (self.labels.len() - 1) as f64;
        // Chance is at most 1/K, so the lower side is never 0.
        Some((agreement - chance) / (1.0 - chance))
    }

    /// Whether no case disagrees.
    fn is_perfect(&self) -> bool {
        self.labels.iter().all(|l| l.both >= l.predicted.max(l.gold) * (1.0 - 1e-12))
    }

    /// The harmonic mean of precision and recall of one label. `None` if no case has it and none was predicted to.
    pub fn f1(&self, label: usize) -> Option<f64> {
        let OfLabel { predicted, gold, both } = self.labels[label];
        if predicted + gold > 0.0 { Some(2.0 * both / (predicted + gold)) } else { None }
    }

    /// The unweighted mean of [`Self::f1`] over the labels that have one. `None` without a case.
    pub fn macro_f1(&self) -> Option<f64> {
        let (sum, n) = (0..self.labels.len())
            .filter_map(|label| self.f1(label))
            .fold((0.0, 0), |(sum, n), f1| (sum + f1, n + 1));
        if n == 0 { None } else { Some(sum / f64::from(n)) }
    }
}

/// Average precision of one label: the area under its steps of precision over recall, Σ (Rᵢ − Rᵢ₋₁) Pᵢ, with a threshold at each distinct
/// score, so that the order of tied cases does not matter. `cases` are (score, whether it has the label). `None` if no case has it.
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

/// AC1 of a model with the experts: the mean over experts, as [`crate::stats::agreement::kappa::mean_model_expert`] is.
pub fn mean_ac1(model: &[usize], experts: &[Vec<Option<usize>>], labels: usize, seed: u64) -> Figure {
    let answers = Answers::of(model, experts, labels, |_, _| true);
    let found = answers.figure(Counts::ac1, seed, "case answered by an expert");
    if !answers.experts.iter().all(|counts| answers.whole(counts).is_perfect()) {
        return found;
    }
    let least = floor_without_failure(answers.cases() as f64);
    with_low(found, answers.mean(|counts| answers.whole(counts).ac1_at(least)))
}

/// F1 of one label of a model against the experts: the mean over experts. `n` counts the cases that have the label by the model or by an
/// expert.
pub fn mean_f1(
    model: &[usize],
    experts: &[Vec<Option<usize>>],
    (label, labels): (usize, usize),
    seed: u64,
) -> Figure {
    let answers = Answers::of(model, experts, labels, |model, expert| model == label || expert == label);
    let found = answers.figure(|counts| counts.f1(label), seed, "case of this label");
    f1_never_certain(found, answers.cases() as f64)
}

/// An F1 of exactly 0 or 1 has no spread in the bootstrap. F1 is 2J / (1 + J) of the share J of correct cases among those to which either side
/// gives the label, so the exact bound of that share, with `effective` cases, is used instead.
pub(in crate::stats) fn f1_never_certain(found: Figure, effective: f64) -> Figure {
    let of_share = |share: f64| 2.0 * share / (1.0 + share);
    match found {
        Figure::Known { value, .. } if value >= 1.0 => {
            with_low(found, Some(of_share(floor_without_failure(effective))))
        }
        Figure::Known { value, lo, n, .. } if value <= 0.0 => {
            Figure::Known { value, lo, hi: of_share(1.0 - floor_without_failure(effective)), n }
        }
        other => other,
    }
}

/// AC1 of weighted counts with their resamples `drawn`, over `n` cases with an effective sample size of `effective`.
pub(in crate::stats) fn ac1_figure<'a>(
    counts: &Counts,
    drawn: impl Iterator<Item = &'a Counts>,
    (n, effective): (usize, f64),
) -> Figure {
    let why = "the task has only one label";
    let Some(value) = counts.ac1() else { return Figure::undefined(why) };
    let found = figure(value, drawn.map(Counts::ac1), n, why);
    if counts.is_perfect() { with_low(found, counts.ac1_at(floor_without_failure(effective))) } else { found }
}

/// Pairs (model, expert) of the cases that count, by expert; experts with fewer than five are left out.
struct Answers {
    experts: Vec<Vec<Option<(usize, usize)>>>,
    /// The greatest number that an expert has, for the message if it is too few.
    most: usize,
    labels: usize,
}

impl Answers {
    fn of(
        model: &[usize],
        experts: &[Vec<Option<usize>>],
        labels: usize,
        counts: impl Fn(usize, usize) -> bool,
    ) -> Self {
        let pairs = |expert: &Vec<Option<usize>>| -> Vec<Option<(usize, usize)>> {
            let both = model.iter().zip(expert);
            both.map(|(m, e)| e.map(|e| (*m, e)).filter(|(m, e)| counts(*m, *e))).collect()
        };
        let all: Vec<_> = experts.iter().map(pairs).collect();
        let have = |of: &Vec<Option<(usize, usize)>>| of.iter().flatten().count();
        let most = all.iter().map(have).max().unwrap_or(0);
        Self { experts: all.into_iter().filter(|of| have(of) >= LEAST_CASES).collect(), most, labels }
    }

    fn whole(&self, expert: &[Option<(usize, usize)>]) -> Counts {
        Counts::over(&expert.iter().flatten().copied().collect::<Vec<_>>(), self.labels)
    }

    /// Cases that at least one expert has.
    fn cases(&self) -> usize {
        let all = self.experts.iter().map(Vec::len).max().unwrap_or(0);
        (0..all).filter(|&case| self.experts.iter().any(|of| of[case].is_some())).count()
    }

    fn mean(&self, score: impl Fn(&[Option<(usize, usize)>]) -> Option<f64>) -> Option<f64> {
        let (sum, n) = self
            .experts
            .iter()
            .filter_map(|expert| score(expert))
            .fold((0.0, 0), |(sum, n), score| (sum + score, n + 1));
        if n == 0 { None } else { Some(sum / f64::from(n)) }
    }

    fn figure(&self, score: impl Fn(&Counts) -> Option<f64> + Sync, seed: u64, unit: &str) -> Figure {
        let Some(value) = self.mean(|expert| score(&self.whole(expert))) else {
            return Figure::undefined(match self.most {
                0 => format!("no {unit} yet"),
                most => format!("{most} of the {LEAST_CASES} cases needed"),
            });
        };
        let all = self.experts.iter().map(Vec::len).max().unwrap_or(0);
        let drawn = replicates(all, seed, |drawn| {
            self.mean(|expert| {
                let mut counts = Counts::new(self.labels);
                for &(model, expert) in drawn.iter().filter_map(|&case| expert[case].as_ref()) {
                    counts.add(model, expert, 1.0);
                }
                score(&counts)
            })
        });
        figure(value, drawn, self.cases(), "too few cases")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stats::agreement::kappa::cohen;

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
        assert!((cohen(&skewed, crate::domain::task_kind::TaskKind::One).unwrap() + 0.0234).abs() < 5e-5);
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

    fn ends(figure: &Figure) -> (f64, f64, f64, usize) {
        match figure {
            Figure::Known { value, lo, hi, n } => (*value, *lo, *hi, *n),
            Figure::Undefined { undefined } => panic!("{undefined}"),
        }
    }

    #[test]
    fn figures_are_means_over_the_experts_with_enough_cases() {
        let model = [0, 0, 0, 0, 1, 1, 1, 1, 0, 1];
        let same: Vec<_> = model.iter().copied().map(Some).collect();
        let mut half = same.clone();
        half[..5].fill(Some(1));
        let mut four = vec![None; 10];
        four[..4].copy_from_slice(&same[..4]);
        let experts = [same.clone(), half, four];
        // The second: 6 of 10 agree, shares .3 and .7, chance .42.
        let (value, lo, hi, n) = ends(&mean_ac1(&model, &experts, 2, 1));
        assert!((value - f64::midpoint(1.0, (0.6 - 0.42) / 0.58)).abs() < 1e-12 && n == 10, "{value}");
        assert!(lo < value && value < hi);
        // Its label 1: 5 of the model's 5, of 9.
        let (value, _, _, n) = ends(&mean_f1(&model, &experts, (1, 2), 1));
        assert!((value - f64::midpoint(1.0, 10.0 / 14.0)).abs() < 1e-12 && n == 9, "{value} {n}");
        // Ten of ten: agreement may be .6915, of even labels, so AC1 .383; F1 of the five, J = .4782.
        let (value, lo, hi, _) = ends(&mean_ac1(&model, std::slice::from_ref(&same), 2, 1));
        assert!(value == 1.0 && hi == 1.0 && (lo - 0.383).abs() < 1e-3, "{lo}");
        let (value, lo, ..) = ends(&mean_f1(&model, std::slice::from_ref(&same), (1, 2), 1));
        assert!(value == 1.0 && (lo - 2.0 * 0.4782 / 1.4782).abs() < 1e-3, "{lo}");
        let none: Vec<_> = model.iter().map(|m| Some(1 - m)).collect();
        let (value, _, hi, _) = ends(&mean_f1(&model, &[none], (1, 2), 1));
        assert!(value == 0.0 && hi > 0.3, "{hi}");
    }

    #[test]
    fn too_few_cases_of_a_label_make_no_figure_and_it_says_how_many() {
        let says = |figure: Figure| match figure {
            Figure::Undefined { undefined } => undefined,
            known => known.to_string(),
        };
        let answers = vec![Some(0); 9];
        assert_eq!(says(mean_f1(&[0; 9], &[answers], (1, 2), 1)), "no case of this label yet");
        let four = vec![Some(0); 4];
        assert_eq!(says(mean_ac1(&[0; 4], &[four], 2, 1)), "4 of the 5 cases needed");
        assert_eq!(says(mean_ac1(&[], &[], 2, 1)), "no case answered by an expert yet");
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
