//! Estimates for the whole pool from the audit sample, each case weighted by the inverse of its inclusion probability.
//!
//! The sample is random but not even: it is stratified by predicted probability. A case that was drawn with probability
//! `p` stands for `1/p` items of the pool. Never pass mined cases: they represent only themselves.
//! Source: J. Hájek's ratio form of the Horvitz–Thompson estimator (1971); the interval resamples cases with
//! their weights.
//!
//! A case is a text, however many experts have answered it: texts were drawn at random, not answers. The answers share the weight of the text,
//! and the bootstrap draws them together, so a second answer to the same text does not by itself narrow an interval.

use serde::Serialize;

use super::bootstrap::{figure, floor_without_failure, replicates};
use crate::domain::figure::Figure;
use crate::domain::label_set::LabelSet;
use crate::domain::task_kind::TaskKind;
use crate::stats::agreement::given::Numbered;
use crate::stats::agreement::panel::{OF_ONE_LABEL, UNORDERED};
use crate::stats::agreement::tally::Tally;
use crate::stats::classifier::scores::{Counts, OfLabel, ac1_figure, f1_never_certain};

/// With fewer cases of a label, its figures are undefined.
pub const LEAST_CASES: usize = 5;

/// One answered audit case: a text with the answers of all experts.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditCase {
    /// The probability with which it was drawn, above 0 and at most 1.
    pub inclusion: f64,
    /// What the model says. If the audit sample also set the label shares, the caller cross-fits it.
    pub predicted: LabelSet,
    /// What each expert gave; a case without any answer is left out.
    pub answered: Vec<LabelSet>,
}

impl AuditCase {
    /// Of single labels.
    pub fn of_labels(inclusion: f64, predicted: usize, answered: impl IntoIterator<Item = usize>) -> Self {
        let one = |label: usize| [label].into_iter().collect::<LabelSet>();
        Self { inclusion, predicted: one(predicted), answered: answered.into_iter().map(one).collect() }
    }

    /// Whether any expert gave the label.
    fn has(&self, label: usize) -> bool {
        self.answered.iter().any(|answer| answer.has(label))
    }
}

/// Estimates for one label.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LabelAudit {
    /// Of the items that the model gives this label, the share that has it. `n` counts audit cases with this prediction.
    pub precision: Figure,
    /// Of the items that have this label, the share that the model finds. `n` counts audit cases to which an expert gave it.
    pub recall: Figure,
    /// The harmonic mean of precision and recall. `n` counts audit cases that count for either.
    pub f1: Figure,
    /// The share of the pool that has this label. `n` counts all audit cases.
    pub prevalence: Figure,
}

/// Estimates for the pool.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Audit {
    /// Answered audit cases: texts, not answers.
    pub n: usize,
    /// Share of the pool on which model and expert agree: where a text may have several labels, give exactly the same.
    pub accuracy: Figure,
    /// Cohen's kappa of model and expert on the pool; of a scale the weighted one, of several labels the mean of the labels' kappas.
    pub kappa: Figure,
    /// Of a scale, the mean distance between the model's level and an expert's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute_error: Option<Figure>,
    /// Gwet's AC1 of the same, which stays where it is when nearly all the pool carries one label.
    pub ac1: Figure,
    /// One entry per label, in the order of the task.
    pub labels: Vec<LabelAudit>,
}

/// Estimates the pool's figures from audit cases over `labels` labels of a task of this kind. A case whose inclusion probability is
/// not above 0 and at most 1 cannot have been drawn and is left out.
pub fn audit(cases: &[AuditCase], labels: usize, kind: TaskKind, seed: u64) -> Audit {
    let counts = |c: &&AuditCase| c.inclusion > 0.0 && c.inclusion <= 1.0 && !c.answered.is_empty();
    let cases: Vec<&AuditCase> = cases.iter().filter(counts).collect();
    let counted = Counted::of(&cases, kind);
    let sample = Sample {
        whole: counted.sums(0..cases.len(), labels),
        drawn: replicates(cases.len(), seed, |drawn| counted.sums(drawn.iter().copied(), labels)),
        cases: &cases,
        kind,
    };
    let few_in_all = |have: usize| match have {
        0 => "no audit case is answered yet".to_owned(),
        have => needed(have),
    };
    let label = |label: usize| LabelAudit {
        precision: sample.share(
            |sums| (sums.of(label).both, sums.of(label).predicted),
            |case| case.predicted.has(label),
            needed,
        ),
        recall: sample.share(
            |sums| (sums.of(label).both, sums.of(label).gold),
            |case| case.has(label),
            needed,
        ),
        f1: sample.f1(label),
        prevalence: sample.share(|sums| (sums.of(label).gold, sums.tally.total), |_| true, few_in_all),
    };
    Audit {
        n: cases.len(),
        accuracy: sample.share(|sums| (sums.tally.agreed, sums.tally.total), |_| true, few_in_all),
        kappa: sample.kappa(few_in_all),
        absolute_error: kind.is_scale().then(|| sample.absolute_error(few_in_all)),
        ac1: match kind {
            TaskKind::One => sample.ac1(few_in_all),
            TaskKind::Several => Figure::undefined(OF_ONE_LABEL),
            TaskKind::Scale => Figure::undefined(UNORDERED),
        },
        labels: (0..labels).map(label).collect(),
    }
}

fn needed(have: usize) -> String {
    format!("{have} of the {LEAST_CASES} cases needed")
}

/// The cases with their sums over all of them and over every resample.
struct Sample<'a> {
    cases: &'a [&'a AuditCase],
    whole: Sums,
    drawn: Vec<Sums>,
    kind: TaskKind,
}

impl Sample<'_> {
    /// The ratio of two sums. `among` selects the cases of the denominator, `few` gives the reason if they are too few.
    fn share(
        &self,
        sums: impl Fn(&Sums) -> (f64, f64),
        among: impl Fn(&AuditCase) -> bool,
        few: impl Fn(usize) -> String,
    ) -> Figure {
        let (have, effective) = sizes(self.cases.iter().copied().filter(|case| among(case)));
        let ratio = |s: &Sums| {
            let (part, all) = sums(s);
            if all > 0.0 { Some(part / all) } else { None }
        };
        let Some(value) = ratio(&self.whole).filter(|_| have >= LEAST_CASES) else {
            return Figure::undefined(few(have));
        };
        never_certain(figure(value, self.drawn.iter().map(ratio), have, &few(have)), effective)
    }

    fn f1(&self, label: usize) -> Figure {
        let either = |case: &&AuditCase| case.predicted.has(label) || case.has(label);
        let (have, effective) = sizes(self.cases.iter().copied().filter(either));
        let few = needed(have);
        match self.whole.counts.f1(label).filter(|_| have >= LEAST_CASES) {
            Some(value) => {
                let drawn = self.drawn.iter().map(|sums| sums.counts.f1(label));
                f1_never_certain(figure(value, drawn, have, &few), effective)
            }
            None => Figure::undefined(few),
        }
    }

    fn ac1(&self, few: impl Fn(usize) -> String) -> Figure {
        let (have, effective) = sizes(self.cases.iter().copied());
        if have < LEAST_CASES {
            return Figure::undefined(few(have));
        }
        ac1_figure(&self.whole.counts, self.drawn.iter().map(|sums| &sums.counts), (have, effective))
    }

    /// The mean distance in levels. Where the model is never wrong, those that still may be are taken to be one level off.
    fn absolute_error(&self, few: impl Fn(usize) -> String) -> Figure {
        let (have, effective) = sizes(self.cases.iter().copied());
        let Some(value) = self.whole.tally.absolute_error().filter(|_| have >= LEAST_CASES) else {
            return Figure::undefined(few(have));
        };
        match figure(value, self.drawn.iter().map(|sums| sums.tally.absolute_error()), have, &few(have)) {
            Figure::Known { value, lo, n, .. } if value <= 0.0 => {
                Figure::Known { value, lo, hi: 1.0 - floor_without_failure(effective), n }
            }
            found => found,
        }
    }

    fn kappa(&self, few: impl Fn(usize) -> String) -> Figure {
        let (have, effective) = sizes(self.cases.iter().copied());
        if have < LEAST_CASES {
            return Figure::undefined(few(have));
        }
        let same = if self.kind.is_several() { "the same labels" } else { "the same label" };
        let Some(value) = self.whole.tally.kappa() else {
            return Figure::undefined(format!("all audit cases got {same} from model and experts"));
        };
        let fragile = format!("nearly all audit cases have {same}, so a few answers would decide it");
        match figure(value, self.drawn.iter().map(|sums| sums.tally.kappa()), have, &fragile) {
            Figure::Known { value, hi, n, .. } if self.whole.tally.is_perfect() => {
                let least = self.whole.tally.kappa_at(floor_without_failure(effective));
                Figure::Known { value, lo: least.unwrap_or(value), hi, n }
            }
            other => other,
        }
    }
}

/// Sums of weights over one draw of the cases.
struct Sums {
    counts: Counts,
    tally: Tally,
}

/// The cases with their answers by number, which makes a resample cheap.
struct Counted<'a> {
    cases: &'a [&'a AuditCase],
    numbered: Numbered,
    /// Of each case, the number of the model's answer and those of the experts'.
    answers: Vec<(usize, Vec<usize>)>,
}

impl<'a> Counted<'a> {
    fn of(cases: &'a [&'a AuditCase], kind: TaskKind) -> Self {
        let mut numbered = Numbered::new(kind);
        let mut of_case = |case: &&AuditCase| {
            let predicted = numbered.number(&case.predicted)?;
            Some((predicted, case.answered.iter().map(|a| numbered.number(a)).collect::<Option<_>>()?))
        };
        // What is no answer of such a task adds nothing.
        let answers = cases.iter().map(|case| of_case(case).unwrap_or_default()).collect();
        Self { cases, numbered, answers }
    }

    fn sums(&self, drawn: impl Iterator<Item = usize>, labels: usize) -> Sums {
        let mut sums = Sums { counts: Counts::new(labels), tally: self.numbered.tally() };
        for at in drawn {
            let (case, (predicted, answered)) = (self.cases[at], &self.answers[at]);
            let weight = 1.0 / (case.inclusion * case.answered.len() as f64);
            for (number, set) in answered.iter().zip(&case.answered) {
                self.numbered.add(&mut sums.tally, (*predicted, *number), weight);
                sums.counts.add_sets(&case.predicted, set, weight);
            }
        }
        sums
    }
}

impl Sums {
    fn of(&self, label: usize) -> OfLabel {
        self.counts.of(label)
    }
}

/// The number of cases, and the effective sample size (Kish, 1965).
fn sizes<'a>(cases: impl Iterator<Item = &'a AuditCase>) -> (usize, f64) {
    let (mut n, mut sum, mut squares) = (0, 0.0, 0.0);
    for case in cases {
        let weight = 1.0 / case.inclusion;
        n += 1;
        sum += weight;
        squares += weight * weight;
    }
    (n, sum * sum / squares)
}

/// A share of exactly 0 or 1 has no spread in the bootstrap; its interval gets the exact one-sided bound.
fn never_certain(found: Figure, effective: f64) -> Figure {
    match found {
        Figure::Known { value, hi, n, .. } if value >= 1.0 => {
            Figure::Known { value, lo: floor_without_failure(effective), hi, n }
        }
        Figure::Known { value, lo, n, .. } if value <= 0.0 => {
            Figure::Known { value, lo, hi: 1.0 - floor_without_failure(effective), n }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn known(figure: &Figure) -> (f64, f64, f64, usize) {
        match figure {
            Figure::Known { value, lo, hi, n } => (*value, *lo, *hi, *n),
            Figure::Undefined { undefined } => panic!("{undefined}"),
        }
    }

    fn one(inclusion: f64, predicted: usize, answered: usize) -> AuditCase {
        AuditCase::of_labels(inclusion, predicted, [answered])
    }

    fn even(predicted: usize, answered: usize, times: usize) -> Vec<AuditCase> {
        vec![one(0.5, predicted, answered); times]
    }

    /// A pool of a rare label 1 and a model that flags some of it: (predicted, true label) of each item.
    fn pool() -> Vec<(usize, usize)> {
        [((1, 1), 600), ((1, 0), 150), ((0, 1), 400), ((0, 0), 8_850)]
            .into_iter()
            .flat_map(|(item, times)| std::iter::repeat_n(item, times))
            .collect()
    }

    /// Draws each flagged item with probability .12 and each other one with .02: about 90 and 185 cases.
    fn stratified(seed: u64) -> Vec<AuditCase> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        pool()
            .into_iter()
            .filter_map(|(predicted, answered)| {
                let inclusion = if predicted == 1 { 0.12 } else { 0.02 };
                rng.gen_bool(inclusion).then_some(one(inclusion, predicted, answered))
            })
            .collect()
    }

    #[test]
    fn an_even_sample_gives_the_plain_shares() {
        let cases = [even(1, 1, 12), even(1, 0, 3), even(0, 1, 8), even(0, 0, 22)].concat();
        let found = audit(&cases, 2, TaskKind::One, 1);
        let spam = &found.labels[1];
        assert_eq!((known(&spam.precision).0, known(&spam.precision).3), (0.8, 15));
        assert_eq!((known(&spam.recall).0, known(&spam.recall).3), (0.6, 20));
        assert!((known(&spam.prevalence).0 - 20.0 / 45.0).abs() < 1e-12);
        assert!((known(&found.accuracy).0 - 34.0 / 45.0).abs() < 1e-12);

        assert!((known(&spam.f1).0 - 24.0 / 35.0).abs() < 1e-12 && known(&spam.f1).3 == 23);
        // Agreement 34/45, labels 35/90 and 55/90.
        let chance = 2.0 * (35.0 / 90.0) * (55.0 / 90.0);
        assert!((known(&found.ac1).0 - (34.0 / 45.0 - chance) / (1.0 - chance)).abs() < 1e-12);
    }

    #[test]
    fn a_case_drawn_half_as_likely_counts_twice() {
        let mut cases = [even(1, 1, 4), even(0, 0, 4)].concat();
        cases.push(one(0.25, 1, 0));
        let found = audit(&cases, 2, TaskKind::One, 1);
        assert!((known(&found.labels[1].precision).0 - 4.0 / 6.0).abs() < 1e-12);
        assert!((known(&found.labels[0].prevalence).0 - 6.0 / 10.0).abs() < 1e-12);
    }

    #[test]
    fn fewer_than_five_of_a_label_are_undefined_with_the_count() {
        let found = audit(&[even(1, 1, 4), even(0, 0, 30), even(0, 1, 1)].concat(), 2, TaskKind::One, 1);
        let spam = &found.labels[1];
        assert!(
            matches!(&spam.precision, Figure::Undefined { undefined } if undefined == "4 of the 5 cases needed")
        );
        assert_eq!(known(&spam.recall).3, 5);
        assert!(matches!(&spam.f1, Figure::Known { n: 5, .. }));
        let none = audit(&[], 2, TaskKind::One, 1);
        assert!(
            matches!(&none.kappa, Figure::Undefined { undefined } if undefined.contains("no audit case"))
        );
    }

    #[test]
    fn a_share_of_one_or_nothing_is_not_shown_as_certain() {
        let found = audit(&[even(1, 1, 10), even(0, 0, 30)].concat(), 3, TaskKind::One, 1);
        let (value, lo, hi, _) = known(&found.labels[1].precision);
        assert!(value == 1.0 && hi == 1.0 && (lo - 0.6915).abs() < 1e-4, "{lo}");
        let (value, lo, hi, n) = known(&found.labels[2].prevalence);
        // 0 of 40, Clopper and Pearson: 0 to 0.0881.
        assert!(value == 0.0 && lo == 0.0 && (hi - 0.0881).abs() < 1e-4 && n == 40, "{hi}");
        assert!(
            known(&found.kappa).1 < 0.9 && known(&found.ac1).1 < 0.95 && known(&found.labels[1].f1).1 < 0.9
        );
    }

    /// Every figure as (value, lower end, upper end, n), to the precision at which sums in another order are the same.
    fn all(audit: &Audit) -> Vec<(f64, f64, f64, usize)> {
        let of_label = |l: &LabelAudit| [&l.precision, &l.recall, &l.f1, &l.prevalence].map(known);
        let round = |x: f64| (x * 1e9).round() / 1e9;
        [&audit.accuracy, &audit.kappa, &audit.ac1]
            .map(known)
            .into_iter()
            .chain(audit.labels.iter().flat_map(of_label))
            .map(|(value, lo, hi, n)| (round(value), round(lo), round(hi), n))
            .collect()
    }

    #[test]
    fn a_second_expert_who_says_the_same_of_the_same_texts_changes_no_figure() {
        let once = [even(1, 1, 12), even(1, 0, 6), even(0, 1, 8), even(0, 0, 22)].concat();
        let mut twice = once.clone();
        twice.iter_mut().for_each(|case| case.answered.push(case.answered[0].clone()));
        let (once, twice) = (audit(&once, 2, TaskKind::One, 1), audit(&twice, 2, TaskKind::One, 1));
        assert_eq!((once.n, twice.n), (48, 48));
        assert_eq!(all(&once), all(&twice));
    }

    #[test]
    fn the_answers_to_a_text_share_its_weight() {
        // Ten texts flagged, on four of which one of two experts disagrees: 8 of 10 are right; the other ten have one answer each.
        let halves = AuditCase::of_labels(0.5, 1, [0, 1]);
        let found = audit(&[vec![halves; 4], even(1, 1, 6), even(0, 0, 10)].concat(), 2, TaskKind::One, 1);
        assert_eq!((known(&found.labels[1].precision).0, known(&found.labels[1].precision).3), (0.8, 10));
        assert_eq!((known(&found.labels[1].prevalence).0, found.n), (0.4, 20));
        assert_eq!(known(&found.labels[0].recall).3, 14, "texts that an expert says are ham");
        let nobody = AuditCase::of_labels(0.5, 1, []);
        assert_eq!(audit(&[vec![nobody; 9], even(1, 1, 6)].concat(), 2, TaskKind::One, 1).n, 6);
    }

    #[test]
    fn a_case_that_cannot_have_been_drawn_is_left_out() {
        let mut cases = [even(1, 1, 5), even(0, 0, 5)].concat();
        for inclusion in [0.0, -1.0, 1.5, f64::NAN] {
            cases.push(one(inclusion, 1, 0));
        }
        assert_eq!(audit(&cases, 2, TaskKind::One, 1).n, 10);
    }

    /// Three standard errors of 100 Bernoulli trials below .95 is .885; more than 99 would mean intervals too
    /// wide.
    #[test]
    fn a_stratified_sample_recovers_the_pool_in_nineteen_seeds_of_twenty() {
        let pool = pool();
        let whole: Vec<_> = pool.iter().map(|&(p, a)| one(1.0, p, a)).collect();
        let whole: Vec<&AuditCase> = whole.iter().collect();
        let sums = Counted::of(&whole, TaskKind::One).sums(0..whole.len(), 2);
        let (kappa, ac1) = (sums.tally.kappa().unwrap(), sums.counts.ac1().unwrap());
        let f1 = 1_200.0 / 1_750.0;
        let truths = [600.0 / 750.0, 600.0 / 1_000.0, 0.1, 9_450.0 / 10_000.0, kappa, ac1, f1];
        let mut held = [0; 7];
        let mut sums = [0.0; 7];
        for seed in 0..100 {
            let found = audit(&stratified(seed), 2, TaskKind::One, seed);
            let spam = &found.labels[1];
            let shares = [&spam.precision, &spam.recall, &spam.prevalence, &found.accuracy];
            let figures = shares.into_iter().chain([&found.kappa, &found.ac1, &spam.f1]);
            for (i, figure) in figures.enumerate() {
                let (value, lo, hi, _) = known(figure);
                sums[i] += value / 100.0;
                held[i] += usize::from((lo..=hi).contains(&truths[i]));
            }
        }
        assert!(held.iter().all(|h| (88..=100).contains(h)), "{held:?}");
        for (mean, truth) in sums.iter().zip(truths) {
            assert!((mean - truth).abs() < 0.03, "{sums:?} {truths:?}");
        }
    }

    proptest! {
        #[test]
        fn every_share_lies_in_its_interval_between_nothing_and_one(
            cases in prop::collection::vec((0.01f64..=1.0, 0usize..3, 0usize..3), 0..40), seed: u64
        ) {
            let cases: Vec<_> = cases
                .into_iter()
                .map(|(inclusion, predicted, answered)| one(inclusion, predicted, answered))
                .collect();
            let found = audit(&cases, 3, TaskKind::One, seed);
            let shares = found.labels.iter().flat_map(|l| [&l.precision, &l.recall, &l.prevalence]);
            for figure in shares.chain([&found.accuracy]) {
                if let Figure::Known { value, lo, hi, .. } = figure {
                    prop_assert!(-1e-12 <= *lo && lo <= value && value <= hi && *hi <= 1.0 + 1e-12, "{}", figure);
                }
            }
        }
    }
}
