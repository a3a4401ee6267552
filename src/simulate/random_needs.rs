//! How many random labels are needed to reach a strategy's kappa.
//!
//! Heads trained on random samples of growing size are scored on each seed's test set, like the strategy. Between two sizes, kappa is interpolated
//! linearly over the logarithm of the number of labels. The interval contains every size at which the two do not differ significantly: Student's t
//! on the paired differences of kappa, inverted. So it contains the estimate, and shows if even the whole pool may not be enough.

use serde::Serialize;

use super::play::Point;
use super::reference::Reference;
use crate::stats::estimate::seeds::Spread;

/// With fewer seeds, a t interval is too wide to be useful.
const LEAST_SEEDS: usize = 3;
/// Steps between two sizes at which the seeds are compared.
const STEPS: usize = 64;
/// Bisections within the step where the curves meet.
const HALVINGS: usize = 40;

/// The number of random labels needed, or why it is not known.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum RandomNeeds {
    Known {
        /// Where the mean kappas over the seeds meet. `None` if the whole pool is not enough.
        labels: Option<f64>,
        /// Lower end of the 95 % interval. `None` if even the whole pool is significantly worse.
        lo: Option<f64>,
        /// Upper end. `None` if the whole pool may not be enough.
        hi: Option<f64>,
        /// `labels` divided by `own`.
        ratio: Option<f64>,
        /// The strategy's number of labels.
        own: usize,
        /// The largest sample.
        tried: usize,
        /// Number of seeds.
        n: usize,
    },
    Undefined {
        /// One clause that says why.
        undefined: String,
    },
}

impl RandomNeeds {
    /// From a strategy's last points and the random samples of the same seeds. `mixed_labels`: part of the strategy's labels is not trained on.
    pub fn of(last: &[Point], random: &[Vec<Point>], mixed_labels: bool) -> Self {
        let undefined = |why: &str| Self::Undefined { undefined: why.to_owned() };
        if mixed_labels {
            return undefined(
                "not known, because only the random samples are trained on with all their labels",
            );
        }
        let n = last.len();
        if n < LEAST_SEEDS {
            return undefined(&format!("not known yet ({n} of the {LEAST_SEEDS} seeds needed)"));
        }
        let samples = samples(random);
        let kappas: Option<Vec<f64>> = last.iter().map(|point| point.scores.kappa).collect();
        let (Some(kappas), Some(tried)) = (kappas, samples.last().map(|s| s.0)) else {
            return undefined("not known, because some seed has no kappa");
        };
        let own = last.first().map_or(0, |point| point.labels);
        let labels = first(&samples, &kappas, |less| less.mean <= 0.0);
        Self::Known {
            labels,
            lo: first(&samples, &kappas, |less| less.lo <= 0.0),
            hi: first(&samples, &kappas, |less| less.hi <= 0.0),
            ratio: labels.map(|labels| labels / own.max(1) as f64),
            own,
            tried: tried.round() as usize,
            n,
        }
    }
}

/// The sizes of random samples at which every seed has a kappa, ascending, with these kappas.
fn samples(random: &[Vec<Point>]) -> Vec<(f64, Vec<f64>)> {
    let sizes = random.first().into_iter().flatten().map(|point| point.labels);
    let at = |size: usize| -> Option<Vec<f64>> {
        random.iter().map(|seed| seed.iter().find(|point| point.labels == size)?.scores.kappa).collect()
    };
    sizes.filter_map(|size| Some((size as f64, at(size)?))).collect()
}

/// The fewest labels at which the paired difference, the strategy's kappa minus the random sample's, meets a condition.
fn first(samples: &[(f64, Vec<f64>)], own: &[f64], meets: impl Fn(Spread) -> bool) -> Option<f64> {
    let holds = |kappas: &[f64]| {
        let less: Vec<f64> = own.iter().zip(kappas).map(|(own, kappa)| own - kappa).collect();
        Spread::of(&less).is_some_and(&meets)
    };
    let (size, kappas) = samples.first()?;
    if holds(kappas) {
        return Some(*size);
    }
    samples.windows(2).find_map(|two| {
        let [(from, before), (to, after)] = two else { return None };
        let at = |part: f64| -> Vec<f64> {
            before.iter().zip(after).map(|(before, after)| before + part * (after - before)).collect()
        };
        let step = (1..=STEPS).find(|step| holds(&at(*step as f64 / STEPS as f64)))?;
        // Bisect between the last step where it does not hold and this one.
        let (mut low, mut high) = ((step - 1) as f64 / STEPS as f64, step as f64 / STEPS as f64);
        for _ in 0..HALVINGS {
            let middle = f64::midpoint(low, high);
            if holds(&at(middle)) { high = middle } else { low = middle }
        }
        Some(from * (to / from).powf(high))
    })
}

/// The samples of every seed at the sizes that all of them have: with a rare label, a small sample may be too small for a head.
pub fn random_samples(references: &[&Reference]) -> Vec<Vec<Point>> {
    let has = |reference: &Reference, labels: usize| reference.random.iter().any(|p| p.labels == labels);
    let everywhere = |point: &&Point| references.iter().all(|reference| has(reference, point.labels));
    references.iter().map(|reference| reference.random.iter().filter(everywhere).copied().collect()).collect()
}

#[cfg(test)]
mod tests {
    use super::super::scores::Scores;
    use super::*;

    fn point(labels: usize, kappa: f64) -> Point {
        let scores = Scores { kappa: Some(kappa), ..Scores::default() };
        Point { labels, training: labels, positives: 0, scores }
    }

    /// Samples of 8, 68 and 128 labels.
    fn points(kappas: &[f64]) -> Vec<Point> {
        kappas.iter().enumerate().map(|(i, kappa)| point(8 + 60 * i, *kappa)).collect()
    }

    fn known(needs: &RandomNeeds) -> [Option<f64>; 3] {
        match needs {
            RandomNeeds::Known { labels, lo, hi, .. } => [*labels, *lo, *hi],
            RandomNeeds::Undefined { undefined } => panic!("{undefined}"),
        }
    }

    #[test]
    fn labels_are_found_between_two_sizes_and_the_interval_holds_them() {
        let random: Vec<Vec<Point>> = [-0.02, 0.0, 0.02].map(|d| points(&[0.2 + d, 0.4 + d, 0.5 + d])).into();
        let runs = |luck: f64| [0.3 + luck, 0.3, 0.3 - luck].map(|kappa| point(68, kappa));
        let needs = RandomNeeds::of(&runs(0.0), &random, false);
        let [labels, lo, hi] = known(&needs).map(Option::unwrap);
        assert!((labels - (8.0f64 * 68.0).sqrt()).abs() < 1e-9, "{labels}");
        assert!(8.0 < lo && lo < labels && labels < hi && hi < 68.0, "{lo} {labels} {hi}");
        assert!(matches!(needs, RandomNeeds::Known { n: 3, own: 68, tried: 128, ratio: Some(_), .. }));
        let [_, wider_lo, wider_hi] =
            known(&RandomNeeds::of(&runs(0.03), &random, false)).map(Option::unwrap);
        assert!(wider_lo < lo && wider_hi > hi, "{wider_lo} {wider_hi}");
        // What is the luck of a seed for both cancels.
        let paired = [0.28, 0.3, 0.32].map(|kappa| point(68, kappa));
        let [labels, lo, hi] = known(&RandomNeeds::of(&paired, &random, false)).map(Option::unwrap);
        assert!((hi - lo).abs() < 1e-6 && (labels - lo).abs() < 1e-6, "{lo} {labels} {hi}");
    }

    #[test]
    fn where_the_whole_pool_is_not_enough_the_ends_are_open() {
        let random: Vec<Vec<Point>> = [0.0, 0.01, 0.02].map(|d| points(&[0.2 + d, 0.4 + d])).into();
        let clearly = [0.8, 0.81, 0.83].map(|kappa| point(68, kappa));
        assert_eq!(known(&RandomNeeds::of(&clearly, &random, false)), [None; 3]);
        let hardly = [0.3, 0.5, 0.6].map(|kappa| point(68, kappa));
        let [labels, lo, hi] = known(&RandomNeeds::of(&hardly, &random, false));
        assert!(labels.is_none() && lo.is_some() && hi.is_none(), "{lo:?}");
    }

    #[test]
    fn two_seeds_other_labels_and_no_samples_do_not_tell() {
        let runs = [0.3; 3].map(|kappa| point(68, kappa));
        let random = vec![points(&[0.2, 0.4]); 3];
        let why = |needs| match needs {
            RandomNeeds::Undefined { undefined } => undefined,
            known => panic!("{known:?}"),
        };
        let two = why(RandomNeeds::of(&runs[..2], &random[..2], false));
        assert!(two.starts_with("not known yet (2 of the 3 seeds needed)"), "{two}");
        assert!(why(RandomNeeds::of(&runs, &random, true)).contains("only the random samples"));
        let none = vec![Vec::new(); 3];
        assert!(why(RandomNeeds::of(&runs, &none, false)).contains("some seed has no kappa"));
    }

    #[test]
    fn a_size_that_trained_no_head_on_some_seed_shifts_no_other() {
        let whole = points(&[0.1, 0.2, 0.3]);
        let reference = |random: &[Point]| Reference {
            random: random.to_vec(),
            full_pool: None,
            crowd: None,
            expert_expert: None,
        };
        let (a, b) = (reference(&whole), reference(&whole[1..]));
        let found = random_samples(&[&a, &b]);
        let seen = |seed: &[Point]| seed.iter().map(|p| (p.labels, p.scores.kappa)).collect::<Vec<_>>();
        assert_eq!(seen(&found[0]), [(68, Some(0.2)), (128, Some(0.3))]);
        assert_eq!(seen(&found[0]), seen(&found[1]));
        let mut unknown = found.clone();
        unknown[1][0].scores = Scores::default();
        assert_eq!(samples(&unknown).len(), 1);
    }
}
