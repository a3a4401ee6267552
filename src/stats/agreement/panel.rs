//! What a panel of raters agrees on: every coefficient, each label and each confusion, with intervals over one set of resampled cases.
//!
//! Every interval is the percentile bootstrap over cases, all ratings of a case drawn together.

use serde::Serialize;

use super::fleiss::fleiss;
use super::gwet::gwet;
use super::kappa::LEAST_CASES;
use super::krippendorff::{krippendorff, ordinal};
use super::ratings::{Parts, Ratings, Sums};
use super::sets::{Distance, alpha};
use super::specific::specific;
use crate::domain::figure::Figure;
use crate::stats::estimate::bootstrap::{figure, floor_without_failure, replicates, with_low};

/// Number of confusions listed.
const MOST_CONFUSIONS: usize = 12;

/// A panel's agreement.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Panel {
    /// The share of agreeing pairs of raters, the mean over cases; where a text may have several labels, of those who give exactly the same.
    pub raw: Figure,
    /// Fleiss' kappa.
    pub fleiss: Figure,
    /// Krippendorff's alpha; of a scale the ordinal one, of several labels that of sets with MASI distances.
    pub alpha: Figure,
    /// Gwet's AC1.
    pub ac1: Figure,
    /// Of a scale, the mean distance of two raters' levels, the mean over cases.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub absolute_error: Option<Figure>,
}

/// Why a coefficient that counts all differences alike is not given for a scale.
pub const UNORDERED: &str = "it counts all differences alike, and those of levels count by their distance";
/// Why a coefficient of one label for each case is not given where a text may have several.
pub const OF_ONE_LABEL: &str = "it is only for one label a text, and here a text may have several";

/// Two labels that raters confused.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Confusion {
    /// The label that one rater gave.
    pub one: usize,
    /// The label that another gave to the same case.
    pub other: usize,
    /// Cases in which both were given; where a text may have several labels, one in place of the other.
    pub cases: usize,
    /// Among pairs of raters of whom one gave the first label, the share in which the other gave the second.
    pub share: Figure,
}

type Coefficient = fn(&Sums) -> Parts;

fn raw(sums: &Sums) -> Parts {
    Parts { observed: sums.raw(), chance: 0.0 }
}

/// The coefficients over all cases with two ratings or more.
pub fn panel(ratings: &Ratings, seed: u64) -> Panel {
    if ratings.kind().is_several() {
        return of_sets(ratings, seed);
    }
    let is_scale = ratings.kind().is_scale();
    let all: [Coefficient; 4] = [raw, fleiss, if is_scale { ordinal } else { krippendorff }, gwet];
    let n = ratings.shared();
    if n < LEAST_CASES {
        let none = Figure::undefined(too_few(n));
        let absolute_error = is_scale.then(|| none.clone());
        return Panel {
            raw: none.clone(),
            fleiss: none.clone(),
            alpha: none.clone(),
            ac1: none,
            absolute_error,
        };
    }
    let whole = ratings.whole();
    let drawn = replicates(ratings.rated(), seed, |drawn| {
        let sums = ratings.sums(drawn);
        (all.map(|coefficient| coefficient(&sums).coefficient()), sums.distances / sums.shared)
    });
    let of = |i: usize| {
        let parts = all[i](&whole);
        let Some(value) = parts.coefficient() else {
            return Figure::undefined(format!(
                "all answers to the {n} cases are the same label, so agreement cannot be told from chance"
            ));
        };
        let why =
            format!("nearly all of the {n} cases have the same label, so a few answers would decide it");
        let found = figure(value, drawn.iter().map(|(all, _)| all[i]), n, &why);
        if whole.is_perfect() { with_low(found, parts.at(floor_without_failure(n as f64))) } else { found }
    };
    if !is_scale {
        return Panel { raw: of(0), fleiss: of(1), alpha: of(2), ac1: of(3), absolute_error: None };
    }
    let distances = drawn.iter().map(|(_, distance)| Some(*distance).filter(|d| d.is_finite()));
    let absolute_error = match figure(whole.distances / whole.shared, distances, n, &too_few(n)) {
        // Nothing differs: of the cases that still may, each by one level.
        Figure::Known { value, lo, n, .. } if value <= 0.0 => {
            Figure::Known { value, lo, hi: 1.0 - floor_without_failure(n as f64), n }
        }
        found => found,
    };
    let unordered = || Figure::undefined(UNORDERED);
    Panel {
        raw: of(0),
        fleiss: unordered(),
        alpha: of(2),
        ac1: unordered(),
        absolute_error: Some(absolute_error),
    }
}

/// Where a text may have several labels: how often they are exactly the same, and alpha of sets.
fn of_sets(ratings: &Ratings, seed: u64) -> Panel {
    let (n, whole) = (ratings.shared(), ratings.whole());
    let raw = if n < LEAST_CASES {
        Figure::undefined(too_few(n))
    } else {
        let drawn = replicates(ratings.rated(), seed, |drawn| raw(&ratings.sums(drawn)).coefficient());
        let found = figure(whole.raw(), drawn, n, &too_few(n));
        let least = floor_without_failure(n as f64);
        match found {
            Figure::Known { value, lo, n, .. } if value <= 0.0 => {
                Figure::Known { value, lo, hi: 1.0 - least, n }
            }
            found if whole.is_perfect() => with_low(found, Some(least)),
            found => found,
        }
    };
    let of_one = || Figure::undefined(OF_ONE_LABEL);
    Panel {
        raw,
        fleiss: of_one(),
        alpha: alpha(ratings.sets(), Distance::Masi, seed),
        ac1: of_one(),
        absolute_error: None,
    }
}

/// The specific agreement of each label, over the cases with two ratings or more in which anybody gave it.
pub fn by_label(ratings: &Ratings, seed: u64) -> Vec<Figure> {
    let whole = ratings.whole();
    let drawn = replicates(ratings.rated(), seed, |drawn| {
        let sums = ratings.sums(drawn);
        (0..ratings.labels()).map(|label| specific(&sums, label)).collect::<Vec<_>>()
    });
    let of = |label: usize| {
        let n = ratings.shared_with(label);
        let (Some(value), true) = (specific(&whole, label), n >= LEAST_CASES) else {
            return Figure::undefined(match n {
                0 => "no case answered by two experts has it yet".into(),
                n => format!("{n} of the {LEAST_CASES} cases needed"),
            });
        };
        let found = figure(value, drawn.iter().map(|all| all[label]), n, &too_few(n));
        if value >= 1.0 { with_low(found, Some(floor_without_failure(n as f64))) } else { found }
    };
    (0..ratings.labels()).map(of).collect()
}

/// Which labels were confused, the most frequent first, each pair in both directions.
pub fn confusions(ratings: &Ratings, seed: u64) -> Vec<Confusion> {
    let mut pairs: Vec<(usize, usize, usize)> =
        ratings.confused_pairs().into_iter().map(|(a, b)| (ratings.cases_with_both(a, b), a, b)).collect();
    pairs.sort_by_key(|(n, a, b)| (std::cmp::Reverse(*n), *a, *b));
    pairs.truncate(MOST_CONFUSIONS / 2);
    let directed: Vec<(usize, usize, usize)> =
        pairs.into_iter().flat_map(|(n, a, b)| [(n, a, b), (n, b, a)]).collect();
    let shares = |drawn: &[usize]| {
        let pairs = ratings.sums(drawn).pairs;
        let share = |(_, a, b): &(usize, usize, usize)| {
            (pairs[*a] > 0.0).then(|| ratings.rater_pairs(drawn, *a, *b) / pairs[*a])
        };
        directed.iter().map(share).collect::<Vec<_>>()
    };
    let whole = shares(&(0..ratings.rated()).collect::<Vec<_>>());
    let drawn = replicates(ratings.rated(), seed, shares);
    let confusion = |(i, (cases, one, other)): (usize, &(usize, usize, usize))| {
        let n = ratings.shared_with(*one);
        let share = match whole[i] {
            Some(value) if n >= LEAST_CASES => figure(value, drawn.iter().map(|all| all[i]), n, &too_few(n)),
            _ => Figure::undefined(format!("{n} of the {LEAST_CASES} cases needed")),
        };
        Confusion { one: *one, other: *other, cases: *cases, share }
    };
    directed.iter().enumerate().map(confusion).collect()
}

fn too_few(n: usize) -> String {
    match n {
        0 => "no case answered by two experts yet".into(),
        n => format!("two experts have answered {n} of the {LEAST_CASES} cases needed"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::fleiss::{tests::DIAGNOSES, tests::counted};
    use super::super::kappa::cohen;
    use super::*;
    use crate::domain::skip::test_data;
    use crate::domain::task_kind::TaskKind;

    fn ends(figure: &Figure) -> (f64, f64, f64, usize) {
        match figure {
            Figure::Known { value, lo, hi, n } => (*value, *lo, *hi, *n),
            Figure::Undefined { undefined } => panic!("{undefined}"),
        }
    }

    #[test]
    fn a_panel_has_every_coefficient_with_its_interval_and_n() {
        let all = panel(&counted(&DIAGNOSES), 1);
        let (fleiss, lo, hi, n) = ends(&all.fleiss);
        assert!(
            (fleiss - 0.430).abs() < 5e-4 && n == 30 && lo > 0.28 && hi < 0.56 && hi - lo > 0.15,
            "{}",
            all.fleiss
        );
        let (alpha, ..) = ends(&all.alpha);
        // Of n ratings in all, alpha = 1 − (1 − kappa)(n − 1) / n where every case has as many.
        assert!((alpha - (1.0 - (1.0 - fleiss) * 179.0 / 180.0)).abs() < 1e-9);
        assert_eq!(all, panel(&counted(&DIAGNOSES), 1));
        assert_ne!(all, panel(&counted(&DIAGNOSES), 2));
    }

    #[test]
    fn four_cases_and_one_label_are_undefined_and_perfect_agreement_is_not_certain() {
        let few = panel(&counted(&[[2, 0], [0, 2], [1, 1], [2, 0], [1, 0]]), 1);
        assert_eq!(
            few.fleiss.to_string(),
            "not known yet (two experts have answered 4 of the 5 cases needed)"
        );
        let same = panel(&counted(&[[2, 0]; 9]), 1);
        assert!(same.alpha.to_string().contains("cannot be told from chance"), "{}", same.alpha);
        let (ac1, lo, ..) = ends(&same.ac1);
        assert!(ac1 == 1.0 && lo < 0.7, "{}", same.ac1);
        let mut even = vec![[2, 0]; 5];
        even.extend([[0, 2]; 5]);
        let (value, lo, hi, _) = ends(&panel(&counted(&even), 1).fleiss);
        // Clopper and Pearson's 0.6915 for 10 of 10, half of it by chance.
        assert!(value == 1.0 && hi == 1.0 && (lo - 0.383).abs() < 1e-3, "{lo}");
    }

    #[test]
    fn each_label_has_the_cases_in_which_it_was_given() {
        let mut table = vec![[2, 0, 0]; 20];
        table.extend([[1, 1, 0]; 6]);
        table.extend([[0, 2, 0]; 14]);
        table.push([0, 0, 2]);
        let labels = by_label(&counted(&table), 1);
        let (value, lo, hi, n) = ends(&labels[1]);
        assert!((value - 28.0 / 34.0).abs() < 1e-12 && n == 20 && lo < value && value < hi);
        assert!(labels[2].to_string().contains("1 of the 5 cases needed"), "{}", labels[2]);
        let met = confusions(&counted(&table), 1);
        assert_eq!((met.len(), met[0].one, met[0].other, met[0].cases), (2, 0, 1, 6));
        let (share, ..) = ends(&met[0].share);
        // What is not given alike by the other is given otherwise.
        assert!((share - 6.0 / 46.0).abs() < 1e-12 && (1.0 - share - ends(&labels[0]).0).abs() < 1e-12);
    }

    /// 95 % intervals over 150 simulated panels; the true values are worked out by hand. Three standard errors below .95 is .897.
    #[test]
    fn nineteen_intervals_of_twenty_hold_the_true_alpha() {
        // Three raters who are right 85 % of the time on two equal labels: agreement .745, chance .5.
        let held = (0..150)
            .filter(|seed| {
                let mut rng = ChaCha8Rng::seed_from_u64(1_000 + seed);
                let rate =
                    |truth: usize, rng: &mut ChaCha8Rng| if rng.gen_bool(0.85) { truth } else { 1 - truth };
                let table: Vec<[usize; 2]> = (0..80)
                    .map(|_| {
                        let truth = rng.gen_range(0..2);
                        let ones: usize = (0..3).map(|_| rate(truth, &mut rng)).sum();
                        [3 - ones, ones]
                    })
                    .collect();
                let (_, lo, hi, _) = ends(&panel(&counted(&table), *seed).alpha);
                (lo..=hi).contains(&0.49)
            })
            .count();
        assert!((134..=149).contains(&held), "{held} of 150");
    }

    fn ratings(by_case: BTreeMap<String, Vec<usize>>, labels: usize) -> Ratings {
        let raters = by_case.values().map(Vec::len).max().unwrap_or(0);
        let rater = |r: usize| by_case.values().map(|given| given.get(r).copied()).collect();
        Ratings::of(&(0..raters).map(rater).collect::<Vec<_>>(), labels, TaskKind::One)
    }

    /// Snow and others (2008), textual entailment: ten workers on each of 800 pairs of sentences.
    #[test]
    fn the_crowd_of_snow_and_others_has_a_fleiss_kappa_of_0_241() {
        let Some(path) = test_data("data/snow2008_rte/rte.standardized.tsv") else { return };
        let mut reader = csv::ReaderBuilder::new().delimiter(b'\t').from_path(path).unwrap();
        let mut by_case: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for row in reader.records().map(Result::unwrap) {
            by_case.entry(row[2].to_owned()).or_default().push(row[3].parse().unwrap());
        }
        let all = panel(&ratings(by_case, 2), 1);
        let (fleiss, lo, hi, n) = ends(&all.fleiss);
        assert!((fleiss - 0.2414).abs() < 5e-5 && n == 800 && hi - lo < 0.06, "{}", all.fleiss);
        assert!((ends(&all.raw).0 - 0.6287).abs() < 5e-5 && (ends(&all.ac1).0 - 0.2727).abs() < 5e-5);
    }

    /// Cercas Curry and others (2021): two to seven experts on each of 4,185 turns of talk with a machine.
    #[test]
    fn the_experts_of_convabuse_have_a_binary_fleiss_kappa_of_0_648_and_an_alpha_of_0_446_on_five_labels() {
        let Some(path) = test_data("data/convabuse/ConvAbuseEMNLPfull.csv") else { return };
        let mut reader = csv::Reader::from_path(path).unwrap();
        let (mut five, mut two) = (BTreeMap::<_, Vec<_>>::new(), BTreeMap::<_, Vec<_>>::new());
        for row in reader.records().map(Result::unwrap) {
            let Some(label) = (8..13).position(|column| &row[column] == "1") else { continue };
            let case = [&row[2], &row[3], &row[4], &row[5], &row[6]].join("\u{1f}");
            five.entry(case.clone()).or_default().push(label);
            two.entry(case).or_default().push(usize::from(label > 1));
        }
        let (binary, _, _, n) = ends(&panel(&ratings(two, 2), 1).fleiss);
        assert!((binary - 0.648).abs() < 5e-4 && n == 4_185, "{binary}");
        let (alpha, ..) = ends(&panel(&ratings(five, 5), 1).alpha);
        assert!((alpha - 0.446).abs() < 1e-3, "{alpha}");
    }

    proptest! {
        #[test]
        fn coefficients_are_bounded_and_blind_to_the_order_of_raters_and_the_names_of_labels(
            table in prop::collection::vec(prop::collection::vec(prop::option::of(0usize..4), 4), 1..40), shift in 1usize..4
        ) {
            let raters = |turn: usize, shift: usize| -> Ratings {
                let rater = |r: usize| table.iter().map(|row| row[(r + turn) % 4].map(|l| (l + shift) % 4)).collect();
                Ratings::of(&(0..4).map(rater).collect::<Vec<_>>(), 4, TaskKind::One)
            };
            let of = |ratings: &Ratings| [raw, fleiss, krippendorff, gwet].map(|c| c(&ratings.whole()).coefficient());
            let (plain, turned) = (of(&raters(0, 0)), of(&raters(1, shift)));
            for (a, b) in plain.iter().zip(turned) {
                prop_assert_eq!(a.is_some(), b.is_some());
                if let (Some(a), Some(b)) = (a, b) {
                    prop_assert!((a - b).abs() < 1e-9 && *a <= 1.0 + 1e-12);
                }
            }
            if let [Some(raw), Some(fleiss), Some(alpha), Some(ac1)] = plain {
                let perfect = raw > 1.0 - 1e-12;
                prop_assert_eq!([fleiss, alpha, ac1].map(|c| c > 1.0 - 1e-9), [perfect; 3]);
            }
        }

        /// Scott's pi, which Fleiss' kappa is of two raters, is never above Cohen's kappa (1960) on the same table.
        #[test]
        fn of_two_raters_fleiss_kappa_is_at_most_cohens(pairs in prop::collection::vec((0usize..3, 0usize..3), 5..40)) {
            let experts = [pairs.iter().map(|p| Some(p.0)).collect(), pairs.iter().map(|p| Some(p.1)).collect()];
            let fleiss = fleiss(&Ratings::of(&experts, 3, TaskKind::One).whole()).coefficient();
            if let (Some(fleiss), Ok(cohen)) = (fleiss, cohen(&pairs, TaskKind::One)) {
                prop_assert!(fleiss <= cohen + 1e-9, "{fleiss} {cohen}");
            }
        }
    }
}
