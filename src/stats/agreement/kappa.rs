//! Cohen's kappa: agreement of a model with experts and of experts with each other, beyond chance.
//!
//! Takes answers case by case, as places of labels or as sets of them; the caller decides which answers count, and on which cases.
//! Every interval is the percentile bootstrap over cases, all raters of a case drawn together.
//! Source: J. Cohen, "A coefficient of agreement for nominal scales", *Educational and Psychological
//! Measurement* 20 (1960), 37–46. Of a scale it is the quadratically weighted kappa of Cohen (1968), and where a text may have several labels the
//! mean of the labels' kappas: see `tally`.

use thiserror::Error;

use super::given::{Given, Numbered};
use super::tally::Tally;
use crate::domain::figure::Figure;
use crate::domain::label_set::LabelSet;
use crate::domain::task_kind::TaskKind;
use crate::stats::estimate::bootstrap::{figure, floor_without_failure, replicates, with_low};

/// With fewer answers there is no kappa: one answer more or less could move it anywhere.
pub const LEAST_CASES: usize = 5;

/// Why there is no kappa.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{why}")]
pub struct Undefined {
    /// One clause that says what is missing.
    pub why: String,
}

/// Kappa of two raters over the cases both answered.
///
/// # Errors
/// [`Undefined`] without a case, and where both gave every case the same label, so that agreement by chance is
/// certain.
pub fn cohen<A: Given>(pairs: &[(A, A)], kind: TaskKind) -> Result<f64, Undefined> {
    let all = Comparison::new(each(pairs), kind).tally_all();
    all.kappa().ok_or_else(|| Undefined { why: why_undefined(pairs.len(), kind) })
}

/// [`cohen`] with its interval.
pub fn cohen_figure<A: Given>(pairs: &[(A, A)], kind: TaskKind, seed: u64) -> Figure {
    mean_figure(&[Comparison::new(each(pairs), kind)], seed, "case")
}

/// The mean absolute error of two raters of a scale, in levels, with its interval.
pub fn error_figure<A: Given>(pairs: &[(A, A)], seed: u64) -> Figure {
    mean_error(&[Comparison::new(each(pairs), TaskKind::Scale)], seed, "case")
}

/// The mean absolute error of a model of a scale, in levels: the mean over experts, as [`mean_model_expert`] is.
pub fn model_error<A: Given>(model: &[A], experts: &[Vec<Option<A>>], seed: u64) -> Figure {
    let with = |expert: &Vec<Option<A>>| Comparison::with_model(model, expert, TaskKind::Scale);
    mean_error(&experts.iter().map(with).collect::<Vec<_>>(), seed, "case answered by an expert")
}

/// The mean distance of two experts' levels on the cases both answered, the mean over pairs of experts, as [`ceiling`] is.
pub fn experts_error<A: Given>(experts: &[Vec<Option<A>>], seed: u64) -> Figure {
    mean_error(&pairs_of_experts(experts, TaskKind::Scale), seed, "case answered by two experts")
}

/// Agreement of a model with the experts: the mean over experts of kappa(model, expert).
///
/// `model[case]` is the model's label, `experts[expert][case]` the expert's first blind answer. An expert
/// with fewer than five answers, or for whom kappa is not defined, is left out of the mean. `n` counts the
/// cases that enter it.
pub fn mean_model_expert<A: Given>(
    model: &[A],
    experts: &[Vec<Option<A>>],
    kind: TaskKind,
    seed: u64,
) -> Figure {
    let comparisons: Vec<_> =
        experts.iter().map(|expert| Comparison::with_model(model, expert, kind)).collect();
    mean_figure(&comparisons, seed, "case answered by an expert")
}

/// Agreement of the experts with each other: the mean over pairs of experts of their kappa on the cases both
/// answered. A pair with fewer than five shared cases, or without a kappa, is left out.
pub fn ceiling<A: Given>(experts: &[Vec<Option<A>>], kind: TaskKind, seed: u64) -> Figure {
    mean_figure(&pairs_of_experts(experts, kind), seed, "case answered by two experts")
}

fn pairs_of_experts<A: Given>(experts: &[Vec<Option<A>>], kind: TaskKind) -> Vec<Comparison> {
    let mut comparisons = Vec::new();
    for (i, a) in experts.iter().enumerate() {
        comparisons.extend(experts[i + 1..].iter().map(|b| Comparison::of(a, b, kind)));
    }
    comparisons
}

/// The model's agreement with the experts as a share of theirs with each other, both on the cases that two experts or more have answered and
/// both resampled together. Undefined where they agree no better than by chance; `n` counts the cases.
pub fn share_of_ceiling<A: Given>(
    model: &[A],
    experts: &[Vec<Option<A>>],
    kind: TaskKind,
    seed: u64,
) -> Figure {
    let shared = on_shared_cases(experts);
    let mut people = pairs_of_experts(&shared, kind);
    people.retain(|c| c.whole().is_some());
    let with_model: Vec<_> =
        shared.iter().map(|expert| Comparison::with_model(model, expert, kind)).collect();
    let with_model: Vec<_> = with_model.into_iter().filter(|c| c.whole().is_some()).collect();
    let share = |kappa: &dyn Fn(&Comparison) -> Option<f64>| -> Option<f64> {
        let ceiling = mean(people.iter().filter_map(kappa)).filter(|ceiling| *ceiling > 0.0)?;
        Some(mean(with_model.iter().filter_map(kappa))? / ceiling)
    };
    let n = (0..model.len()).filter(|&case| people.iter().any(|c| c.has(case))).count();
    let Some(value) = share(&Comparison::whole) else {
        return Figure::undefined(match n {
            0 => "no two experts have answered the 5 cases needed".into(),
            n => format!("on {n} cases that two experts have answered, they agree no better than by chance"),
        });
    };
    let drawn = replicates(model.len(), seed, |drawn| share(&|c| c.tally(drawn).kappa()));
    let found = figure(value, drawn, n, &why_fragile(n, kind));
    let tallies: Vec<Tally> = with_model.iter().map(Comparison::tally_all).collect();
    if !tallies.iter().all(Tally::is_perfect) {
        return found;
    }
    // Nothing disagrees, so the bootstrap has no spread: the model may still be as bad as the lowest agreement that is credible.
    let least = floor_without_failure(n as f64);
    with_low(found, mean(tallies.iter().filter_map(|t| t.kappa_at(least))))
}

/// Where a text may have several labels, [`mean_model_expert`] of each of the first `labels` by itself, a yes or no; all from the same resamples.
pub fn by_label_with_experts(
    model: &[LabelSet],
    experts: &[Vec<Option<LabelSet>>],
    labels: usize,
    seed: u64,
) -> Vec<Figure> {
    let with = |expert: &Vec<Option<LabelSet>>| Comparison::with_model(model, expert, TaskKind::Several);
    of_each_label(&experts.iter().map(with).collect::<Vec<_>>(), labels, seed, "case answered by an expert")
}

/// The same of the experts with each other, as [`ceiling`] is.
pub fn by_label_between_experts(experts: &[Vec<Option<LabelSet>>], labels: usize, seed: u64) -> Vec<Figure> {
    let pairs = pairs_of_experts(experts, TaskKind::Several);
    of_each_label(&pairs, labels, seed, "case answered by two experts")
}

/// Self-agreement (intra-rater agreement): the mean over experts of the kappa between their first answers and those to the same cases shown
/// again, `pairs[expert][case]`. An expert with fewer than five pairs, or without a kappa, is left out.
pub fn self_agreement<A: Given>(pairs: &[Vec<Option<(A, A)>>], kind: TaskKind, seed: u64) -> Figure {
    let both = |of: &Vec<Option<(A, A)>>| {
        Comparison::new(of.iter().map(|pair| pair.as_ref().map(|(a, b)| (a, b))), kind)
    };
    let comparisons: Vec<_> = pairs.iter().map(both).collect();
    mean_figure(&comparisons, seed, "repeated case answered")
}

/// The answers to cases that two experts or more have answered; the others are blanked. On these the model's
/// kappa can be compared with the [`ceiling`].
pub fn on_shared_cases<A: Given>(experts: &[Vec<Option<A>>]) -> Vec<Vec<Option<A>>> {
    let answered = |case: usize| experts.iter().filter(|e| e.get(case).is_some_and(Option::is_some)).count();
    let keep = |(case, answer): (usize, &Option<A>)| answer.clone().filter(|_| answered(case) > 1);
    experts.iter().map(|expert| expert.iter().enumerate().map(keep).collect()).collect()
}

/// What the later model gained over the earlier: the difference of their [`mean_model_expert`] over the same
/// experts and cases, resampled in pairs, so that what is hard for both cancels.
pub fn gain<A: Given>(
    earlier: &[A],
    later: &[A],
    experts: &[Vec<Option<A>>],
    kind: TaskKind,
    seed: u64,
) -> Figure {
    let pairs: Vec<_> = experts
        .iter()
        .map(|e| (Comparison::with_model(earlier, e, kind), Comparison::with_model(later, e, kind)))
        .filter(|(a, b)| a.whole().is_some() && b.whole().is_some())
        .collect();
    let cases = earlier.len().min(later.len());
    let n = (0..cases).filter(|&case| pairs.iter().any(|(a, _)| a.has(case))).count();
    let differences = |kappa: &dyn Fn(&Comparison) -> Option<f64>| {
        mean(pairs.iter().filter_map(|(a, b)| Some(kappa(b)? - kappa(a)?)))
    };
    let why = format!("no expert has answered the {LEAST_CASES} cases needed");
    let Some(value) = differences(&Comparison::whole) else {
        return Figure::undefined(why);
    };
    let drawn = replicates(cases, seed, |drawn| differences(&|c| c.tally(drawn).kappa()));
    figure(value, drawn, n, &why_fragile(n, kind))
}

/// [`mean_model_expert`] of several models over the same experts and cases, without intervals.
pub(in crate::stats) struct Resampled {
    /// The models' kappas over all cases.
    pub whole: Vec<f64>,
    /// The same of each resample in which every model has one, all models drawn together.
    pub drawn: Vec<Option<Vec<f64>>>,
    /// Cases that an expert answered.
    pub n: usize,
}

/// `models[model][case]`. `None` if a model has no kappa.
pub(in crate::stats) fn resampled<A: Given>(
    models: &[&[A]],
    experts: &[Vec<Option<A>>],
    kind: TaskKind,
    seed: u64,
) -> Option<Resampled> {
    // An expert counts for all models or for none, so that their means stay comparable.
    let by_expert: Vec<Vec<Comparison>> = experts
        .iter()
        .map(|expert| models.iter().map(|model| Comparison::with_model(model, expert, kind)).collect())
        .filter(|of_models: &Vec<Comparison>| of_models.iter().all(|c| c.whole().is_some()))
        .collect();
    let means = |kappa: &dyn Fn(&Comparison) -> Option<f64>| -> Option<Vec<f64>> {
        (0..models.len()).map(|model| mean(by_expert.iter().filter_map(|of| kappa(&of[model])))).collect()
    };
    let cases = models.iter().map(|model| model.len()).min().unwrap_or(0);
    let n = (0..cases).filter(|&case| by_expert.iter().any(|of| of[0].has(case))).count();
    let whole = means(&Comparison::whole)?;
    let drawn = replicates(cases, seed, |drawn| means(&|c| c.tally(drawn).kappa()));
    Some(Resampled { whole, drawn, n })
}

/// The pairs as [`Comparison::new`] takes them.
fn each<A>(pairs: &[(A, A)]) -> impl Iterator<Item = Option<(&A, &A)>> {
    pairs.iter().map(|(a, b)| Some((a, b)))
}

/// Two raters' answers case by case, by their numbers; `None` if either gave none.
struct Comparison {
    answers: Vec<Option<(usize, usize)>>,
    numbered: Numbered,
}

impl Comparison {
    fn new<'a, A: Given + 'a>(answers: impl Iterator<Item = Option<(&'a A, &'a A)>>, kind: TaskKind) -> Self {
        let mut numbered = Numbered::new(kind);
        let answers = answers
            .map(|pair| pair.and_then(|(a, b)| Some((numbered.number(a)?, numbered.number(b)?))))
            .collect();
        Self { answers, numbered }
    }

    fn of<A: Given>(first: &[Option<A>], second: &[Option<A>], kind: TaskKind) -> Self {
        Self::new(first.iter().zip(second).map(|(a, b)| a.as_ref().zip(b.as_ref())), kind)
    }

    fn with_model<A: Given>(model: &[A], expert: &[Option<A>], kind: TaskKind) -> Self {
        Self::new(model.iter().zip(expert).map(|(m, e)| e.as_ref().map(|e| (m, e))), kind)
    }

    fn has(&self, case: usize) -> bool {
        self.answers.get(case).is_some_and(Option::is_some)
    }

    fn answered(&self) -> usize {
        self.answers.iter().flatten().count()
    }

    fn tally(&self, cases: &[usize]) -> Tally {
        let mut tally = self.numbered.tally();
        for answers in cases.iter().filter_map(|&case| self.answers.get(case)) {
            if let Some(pair) = *answers {
                self.numbered.add(&mut tally, pair, 1.0);
            }
        }
        tally
    }

    fn tally_all(&self) -> Tally {
        self.tally(&(0..self.answers.len()).collect::<Vec<_>>())
    }

    /// Kappa over all its cases, where there are enough of them.
    fn whole(&self) -> Option<f64> {
        if self.answered() < LEAST_CASES { None } else { self.tally_all().kappa() }
    }
}

/// The mean kappa of the comparisons that have one. `unit` names what a case must be to count.
///
/// In a resample the mean goes over those defined in it; it is undefined where none is. Where nothing
/// disagrees the bootstrap has no spread, and the lower end is the kappa of the lowest agreement that is still
/// credible.
fn mean_figure(comparisons: &[Comparison], seed: u64, unit: &str) -> Figure {
    let counted: Vec<&Comparison> = comparisons.iter().filter(|c| c.whole().is_some()).collect();
    let Some(value) = mean(counted.iter().filter_map(|c| c.whole())) else {
        return Figure::undefined(why_none(comparisons, unit));
    };
    let cases = counted.iter().map(|c| c.answers.len()).max().unwrap_or(0);
    let n = (0..cases).filter(|&case| counted.iter().any(|c| c.has(case))).count();
    let drawn = replicates(cases, seed, |drawn| mean(counted.iter().filter_map(|c| c.tally(drawn).kappa())));
    let found = figure(value, drawn, n, &why_fragile(n, counted[0].numbered.kind()));
    let tallies: Vec<Tally> = counted.iter().map(|c| c.tally_all()).collect();
    if !tallies.iter().all(Tally::is_perfect) {
        return found;
    }
    let least = floor_without_failure(n as f64);
    with_low(found, mean(tallies.iter().filter_map(|t| t.kappa_at(least))))
}

/// The mean kappa of each label by itself, of the comparisons with enough cases, each over those in which the label has one.
fn of_each_label(comparisons: &[Comparison], labels: usize, seed: u64, unit: &str) -> Vec<Figure> {
    let counted: Vec<&Comparison> = comparisons.iter().filter(|c| c.answered() >= LEAST_CASES).collect();
    if counted.is_empty() {
        return vec![Figure::undefined(why_none(comparisons, unit)); labels];
    }
    let cases = counted.iter().map(|c| c.answers.len()).max().unwrap_or(0);
    let n = (0..cases).filter(|&case| counted.iter().any(|c| c.has(case))).count();
    let mean_of = |tallies: &[Tally], label| mean(tallies.iter().filter_map(|tally| tally.kappa_of(label)));
    let tallies: Vec<Tally> = counted.iter().map(|c| c.tally_all()).collect();
    let drawn = replicates(cases, seed, |drawn| {
        let tallies: Vec<Tally> = counted.iter().map(|c| c.tally(drawn)).collect();
        (0..labels).map(|label| mean_of(&tallies, label)).collect::<Vec<_>>()
    });
    let of = |label: usize| {
        let Some(value) = mean_of(&tallies, label) else {
            return Figure::undefined(format!("in {n} cases nobody gave it, or everybody in all"));
        };
        let why = format!("too few of the {n} cases have it, so a few answers would decide it");
        let found = figure(value, drawn.iter().map(|all| all[label]), n, &why);
        if !tallies.iter().all(|tally| tally.is_perfect_on(label)) {
            return found;
        }
        let least = floor_without_failure(n as f64);
        with_low(found, mean(tallies.iter().filter_map(|tally| tally.kappa_of_at(label, least))))
    };
    (0..labels).map(of).collect()
}

/// The mean distance in levels of the comparisons with enough cases. Where nothing disagrees, the upper end is the distance at the lowest agreement that is
/// still credible, each of the others one level off.
fn mean_error(comparisons: &[Comparison], seed: u64, unit: &str) -> Figure {
    let counted: Vec<&Comparison> = comparisons.iter().filter(|c| c.answered() >= LEAST_CASES).collect();
    let of =
        |tally: &dyn Fn(&Comparison) -> Tally| mean(counted.iter().filter_map(|c| tally(c).absolute_error()));
    let Some(value) = of(&Comparison::tally_all) else {
        return Figure::undefined(why_none(comparisons, unit));
    };
    let cases = counted.iter().map(|c| c.answers.len()).max().unwrap_or(0);
    let n = (0..cases).filter(|&case| counted.iter().any(|c| c.has(case))).count();
    let drawn = replicates(cases, seed, |drawn| of(&|c| c.tally(drawn)));
    match figure(value, drawn, n, &why_fragile(n, TaskKind::Scale)) {
        Figure::Known { value, lo, n, .. } if value <= 0.0 => {
            Figure::Known { value, lo, hi: 1.0 - floor_without_failure(n as f64), n }
        }
        found => found,
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, n) = values.fold((0.0, 0usize), |(sum, n), v| (sum + v, n + 1));
    if n == 0 { None } else { Some(sum / n as f64) }
}

fn why_undefined(cases: usize, kind: TaskKind) -> String {
    let same = same(kind);
    match cases {
        0 => "no case yet".into(),
        1 => format!("both gave {same} to the only case"),
        n => format!("both gave {same} to all {n} cases, so agreement cannot be told from chance"),
    }
}

fn same(kind: TaskKind) -> &'static str {
    if kind.is_several() { "the same labels" } else { "the same label" }
}

fn why_none(comparisons: &[Comparison], unit: &str) -> String {
    match comparisons.iter().map(Comparison::answered).max().unwrap_or(0) {
        0 => format!("no {unit} yet"),
        most if most < LEAST_CASES => format!("{most} of the {LEAST_CASES} cases needed"),
        most => why_undefined(most, comparisons[0].numbered.kind()),
    }
}

fn why_fragile(n: usize, kind: TaskKind) -> String {
    format!("nearly all of the {n} cases have {}, so a few answers would decide it", same(kind))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    const ONE: TaskKind = TaskKind::One;

    fn cohen(pairs: &[(usize, usize)]) -> Result<f64, Undefined> {
        super::cohen(pairs, ONE)
    }

    fn cohen_figure(pairs: &[(usize, usize)], seed: u64) -> Figure {
        super::cohen_figure(pairs, ONE, seed)
    }

    fn mean_model_expert(model: &[usize], experts: &[Vec<Option<usize>>], seed: u64) -> Figure {
        super::mean_model_expert(model, experts, ONE, seed)
    }

    fn ceiling(experts: &[Vec<Option<usize>>], seed: u64) -> Figure {
        super::ceiling(experts, ONE, seed)
    }

    fn pairs(table: &[&[usize]]) -> Vec<(usize, usize)> {
        let mut out = Vec::new();
        for (a, row) in table.iter().enumerate() {
            for (b, &count) in row.iter().enumerate() {
                out.extend(std::iter::repeat_n((a, b), count));
            }
        }
        out
    }

    fn kappa(table: &[&[usize]]) -> f64 {
        cohen(&pairs(table)).unwrap()
    }

    fn ends(figure: &Figure) -> (f64, f64) {
        match figure {
            Figure::Known { lo, hi, .. } => (*lo, *hi),
            Figure::Undefined { undefined } => panic!("{undefined}"),
        }
    }

    fn why(figure: &Figure) -> &str {
        match figure {
            Figure::Known { .. } => panic!("{figure}"),
            Figure::Undefined { undefined } => undefined,
        }
    }

    /// Answers of a model and of experts who each give the truth with probability `right`, else any other
    /// label.
    fn crowd(right: &[f64], labels: usize, cases: usize, seed: u64) -> Vec<Vec<usize>> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let truth: Vec<usize> = (0..cases).map(|_| rng.gen_range(0..labels)).collect();
        let mut rater = |p: f64| -> Vec<usize> {
            let mut answer = |t: usize| {
                if rng.gen_bool(p) { t } else { (t + rng.gen_range(1..labels)) % labels }
            };
            truth.iter().map(|&t| answer(t)).collect()
        };
        right.iter().map(|&p| rater(p)).collect()
    }

    fn all(answers: &[usize]) -> Vec<Option<usize>> {
        answers.iter().copied().map(Some).collect()
    }

    /// Cohen (1960): 200 cases, 140 agree, 82 expected by chance, kappa .492.
    #[test]
    fn the_share_of_the_ceiling_is_of_the_shared_cases_and_never_certain() {
        let of = |labels: &[usize]| labels.iter().copied().map(Some).collect::<Vec<_>>();
        let truth: Vec<usize> = (0..40).map(|i| i % 2).collect();
        let one_wrong = |at: usize| {
            let mut labels = truth.clone();
            (0..4).for_each(|i| labels[at + i] = 1 - labels[at + i]);
            labels
        };
        let (ann, bob) = (one_wrong(0), one_wrong(8));
        // The experts disagree on 8 of 40 (kappa 0.6), the model with each on 4 (kappa 0.8).
        let share = share_of_ceiling(&truth, &[of(&ann), of(&bob)], ONE, 1);
        let Figure::Known { value, lo, n, .. } = share else { panic!("{share}") };
        assert!((value - 0.8 / 0.6).abs() < 1e-9 && lo < value && n == 40, "{share}");
        let perfect = share_of_ceiling(&truth, &[of(&truth), of(&truth)], ONE, 1);
        assert!(matches!(perfect, Figure::Known { value: 1.0, lo, .. } if lo < 0.9), "{perfect}");
        assert!(matches!(share_of_ceiling(&truth, &[of(&truth)], ONE, 1), Figure::Undefined { .. }));
    }

    #[test]
    fn cohens_own_example() {
        assert!((kappa(&[&[88, 14, 18], &[10, 40, 10], &[2, 6, 12]]) - 58.0 / 118.0).abs() < 1e-12);
    }

    /// Fleiss, Levin and Paik, *Statistical Methods for Rates and Proportions*, 3rd edition (2003), table
    /// 18.1: diagnoses of 100 subjects, kappa .68.
    #[test]
    fn the_diagnoses_of_fleiss_levin_and_paik() {
        assert!((kappa(&[&[75, 1, 4], &[5, 4, 1], &[0, 0, 10]]) - 0.6765).abs() < 5e-5);
    }

    /// The three worked examples of Wikipedia's "Cohen's kappa".
    #[test]
    fn the_examples_of_the_encyclopedia() {
        assert!((kappa(&[&[20, 5], &[10, 15]]) - 0.40).abs() < 1e-12);
        assert!((kappa(&[&[45, 15], &[25, 15]]) - 0.1304).abs() < 5e-5);
        assert!((kappa(&[&[25, 35], &[5, 35]]) - 0.2593).abs() < 5e-5);
    }

    /// Fleiss, Cohen and Everitt, "Large sample standard errors of kappa and weighted kappa", *Psychological
    /// Bulletin* 72 (1969): proportions of 200 cases, kappa .429, standard error .0537, 95 % interval .323 to
    /// .534.
    #[test]
    fn the_bootstrap_comes_near_the_published_analytic_interval() {
        let figure = cohen_figure(&pairs(&[&[106, 10, 4], &[22, 28, 10], &[2, 12, 6]]), 1);
        let (lo, hi) = ends(&figure);
        assert!((figure.value().unwrap() - 0.4286).abs() < 5e-5);
        assert!((lo - 0.323).abs() < 0.015 && (hi - 0.534).abs() < 0.015, "{figure}");
    }

    /// The ratings of anxiety by two raters in the R package irr (Gamer et al.), whose documentation gives kappa .119 and, with squared weights, .297.
    #[test]
    fn the_weighted_kappa_of_the_anxiety_data() {
        let one = [3, 3, 3, 4, 5, 5, 2, 3, 5, 2, 2, 6, 1, 5, 2, 2, 1, 2, 4, 3];
        let other = [3, 6, 4, 6, 2, 4, 2, 4, 3, 3, 2, 3, 3, 3, 2, 2, 1, 3, 3, 4];
        let both: Vec<(usize, usize)> = one.into_iter().zip(other).collect();
        let weighted = super::cohen(&both, TaskKind::Scale).unwrap();
        assert!(
            (cohen(&both).unwrap() - 0.119).abs() < 5e-4 && (weighted - 0.297).abs() < 5e-4,
            "{weighted}"
        );
        let (lo, hi) = ends(&super::cohen_figure(&both, TaskKind::Scale, 1));
        assert!(lo < weighted && weighted < hi);
        // 24 levels apart over 20 cases, counted by hand.
        let error = error_figure(&both, 1);
        assert!((error.value().unwrap() - 24.0 / 20.0).abs() < 1e-12, "{error}");
        let experts = [one, other].map(|of| of.map(Some).to_vec());
        assert_eq!(
            (error.value(), error.value()),
            (experts_error(&experts, 1).value(), model_error(&one, &experts[1..], 1).value())
        );
    }

    #[test]
    fn with_two_levels_the_weighted_kappa_is_the_plain_one_and_nothing_is_certain() {
        let both = pairs(&[&[20, 5], &[10, 15]]);
        assert!((super::cohen(&both, TaskKind::Scale).unwrap() - cohen(&both).unwrap()).abs() < 1e-12);
        assert!(
            super::cohen(&[(2, 2); 7], TaskKind::Scale).is_err()
                && super::cohen::<usize>(&[], TaskKind::Scale).is_err()
        );
        let perfect = pairs(&[&[5, 0], &[0, 5]]);
        let (plain, weighted) =
            (cohen_figure(&perfect, 1), super::cohen_figure(&perfect, TaskKind::Scale, 1));
        assert_eq!(ends(&plain), ends(&weighted));
        let (lo, hi) = ends(&error_figure(&perfect, 1));
        assert!(lo == 0.0 && (hi - 0.3085).abs() < 1e-3, "{hi}");
        assert!(why(&error_figure(&[(0, 1)], 1)).contains("1 of the 5 cases needed"));
    }

    #[test]
    fn no_cases_and_a_single_label_are_undefined_and_say_so() {
        assert!(cohen(&[]).unwrap_err().why.contains("no case"));
        assert!(cohen(&[(1, 1); 7]).unwrap_err().why.contains("same label to all 7 cases"));
        assert_eq!(cohen(&[(0, 1); 7]), Ok(0.0));
        assert!(why(&cohen_figure(&[(0, 0), (1, 1)], 1)).contains("2 of the 5 cases needed"));
        assert!(why(&cohen_figure(&[(1, 1); 7], 1)).contains("same label"));
        assert!(why(&ceiling(&[all(&[0, 1, 0, 1, 1])], 1)).contains("no case answered by two experts"));
    }

    #[test]
    fn two_cases_of_a_second_label_are_too_few_to_resample() {
        let nearly: Vec<_> = (0..40).map(|i| (usize::from(i < 2), usize::from(i < 2))).collect();
        assert!(why(&cohen_figure(&nearly, 1)).contains("nearly all of the 40 cases"));
    }

    #[test]
    fn perfect_agreement_on_few_cases_is_not_shown_as_certain() {
        let (lo, hi) = ends(&cohen_figure(&pairs(&[&[5, 0], &[0, 5]]), 1));
        // Clopper and Pearson's 0.6915 for 10 of 10, half of it by chance.
        assert!((lo - 0.383).abs() < 1e-3 && hi == 1.0, "{lo} {hi}");
    }

    #[test]
    fn the_mean_over_experts_is_the_mean_of_their_kappas() {
        let raters = crowd(&[0.8, 0.9, 0.7], 3, 200, 3);
        let experts = [all(&raters[1]), all(&raters[2])];
        let with = |e: usize| {
            cohen(&raters[0].iter().copied().zip(raters[e].iter().copied()).collect::<Vec<_>>()).unwrap()
        };
        let figure = mean_model_expert(&raters[0], &experts, 1);
        assert!((figure.value().unwrap() - (with(1) + with(2)) / 2.0).abs() < 1e-12);
        let (lo, hi) = ends(&figure);
        assert!(hi - lo > 0.05 && hi - lo < 0.3, "{figure}");
    }

    #[test]
    fn an_expert_with_four_answers_does_not_pull_the_mean() {
        let raters = crowd(&[0.8, 0.9], 2, 100, 4);
        let mut newcomer = vec![None; 100];
        (0..4).for_each(|case| newcomer[case] = Some(1 - raters[0][case]));
        let with = mean_model_expert(&raters[0], &[all(&raters[1]), newcomer], 1);
        assert_eq!(with, mean_model_expert(&raters[0], &[all(&raters[1])], 1));
    }

    #[test]
    fn the_ceiling_looks_at_shared_cases_only() {
        let raters = crowd(&[0.9, 0.9], 2, 60, 5);
        let mut second = all(&raters[1]);
        second[30..].fill(None);
        let shared = ceiling(&[all(&raters[0]), second.clone()], 1);
        let both: Vec<_> = (0..30).map(|case| (raters[0][case], raters[1][case])).collect();
        assert_eq!(shared.value(), cohen(&both).ok());
        assert!(matches!(shared, Figure::Known { n: 30, .. }));
        let blanked = on_shared_cases(&[all(&raters[0]), second.clone()]);
        assert_eq!(blanked[0].iter().flatten().count(), 30);
        assert_eq!(blanked[1], second);
    }

    #[test]
    fn a_gain_is_seen_sooner_in_pairs_than_by_two_intervals() {
        let raters = crowd(&[0.9, 0.9], 2, 300, 6);
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        // The later model errs where the earlier one does, less often.
        let (mut earlier, mut later) = (raters[0].clone(), raters[0].clone());
        for case in 0..300 {
            let (early, late) = (rng.gen_bool(0.2), rng.gen_bool(0.6));
            if early {
                earlier[case] = 1 - earlier[case];
                if late {
                    later[case] = earlier[case];
                }
            }
        }
        let experts = [all(&raters[1])];
        let (low, high) = (mean_model_expert(&earlier, &experts, 1), mean_model_expert(&later, &experts, 1));
        let gained = gain(&earlier, &later, &experts, ONE, 1);
        let difference = high.value().unwrap() - low.value().unwrap();
        assert!((gained.value().unwrap() - difference).abs() < 1e-12 && difference > 0.05);
        assert!(ends(&gained).0 > 0.0 && ends(&low).1 > ends(&high).0, "{low} {high} {gained}");
        let none = gain(&earlier, &earlier, &experts, ONE, 1);
        assert_eq!((none.value(), ends(&none)), (Some(0.0), (0.0, 0.0)));
    }

    /// 95 % intervals over 200 simulated samples; three standard errors below 0.95 is 0.904.
    #[test]
    fn nineteen_intervals_of_twenty_hold_the_true_kappa() {
        // Two raters who are right 85 % of the time on two equal labels: agreement .745, kappa .49.
        let truth = 0.49;
        let held = (0..200)
            .filter(|&seed| {
                let raters = crowd(&[0.85, 0.85], 2, 80, 1_000 + seed);
                let both: Vec<_> = raters[0].iter().copied().zip(raters[1].iter().copied()).collect();
                let (lo, hi) = ends(&cohen_figure(&both, seed));
                (lo..=hi).contains(&truth)
            })
            .count();
        assert!((181..=199).contains(&held), "{held} of 200");
    }

    proptest! {
        #[test]
        fn kappa_is_symmetric_bounded_and_blind_to_the_names_of_labels(
            pairs in prop::collection::vec((0usize..4, 0usize..4), 1..60), shift in 1usize..4
        ) {
            let swapped: Vec<_> = pairs.iter().map(|&(a, b)| (b, a)).collect();
            let renamed: Vec<_> = pairs.iter().map(|&(a, b)| ((a + shift) % 4, (b + shift) % 4)).collect();
            match cohen(&pairs) {
                Ok(k) => {
                    prop_assert!((-1.0..=1.0).contains(&k));
                    prop_assert!((cohen(&swapped).unwrap() - k).abs() < 1e-12);
                    prop_assert!((cohen(&renamed).unwrap() - k).abs() < 1e-12);
                    prop_assert_eq!((k - 1.0).abs() < 1e-12, pairs.iter().all(|(a, b)| a == b));
                }
                Err(_) => {
                    prop_assert!(pairs.iter().all(|p| *p == (pairs[0].0, pairs[0].0)));
                    prop_assert!(cohen(&renamed).is_err());
                }
            }
        }

        #[test]
        fn an_interval_holds_its_own_estimate(
            pairs in prop::collection::vec((0usize..3, 0usize..3), 0..40), seed: u64
        ) {
            if let Figure::Known { value, lo, hi, n } = cohen_figure(&pairs, seed) {
                prop_assert!(-1.0 <= lo && lo <= value && value <= hi && hi <= 1.0);
                prop_assert_eq!(n, pairs.len());
            }
        }
    }
}
