//! What another round would probably add: a learning curve through the models so far, all evaluated on the same cases.
//!
//! Kappa is taken to rise as a − b·n⁻ᶜ with the training labels n, b not below 0: an inverse power law, as learning curves of many
//! classifiers are (R. L. Figueroa et al., "Predicting sample size required for classification performance", *BMC Medical Informatics and
//! Decision Making* 12:8, 2012). Three to ten points do not tell the exponent, so half of the resamples take c = 1/2, the rate where labels
//! are noisy, and half c = 1, where they are not. Each resample draws the evaluation cases, for all models together, and the distances of
//! the models from the curve, which are the luck of what each was trained on.
//!
//! Limits: it cannot foresee a jump, such as a label that appears for the first time, or another kind of model. Evaluation cases were mined where
//! earlier models were unsure, so those models look worse on them than they are and the curve is too steep: it errs towards another round. It
//! looks one round ahead only.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::bootstrap::figure;
use crate::domain::figure::Figure;
use crate::domain::task_kind::TaskKind;
use crate::stats::agreement::given::Given;
use crate::stats::agreement::kappa::resampled;

/// Models needed for a curve, each with a different number of training labels: two parameters, and one point to see how far off they are.
pub const LEAST_MODELS: usize = 3;
const EXPONENTS: [f64; 2] = [0.5, 1.0];

/// A model on the evaluation cases.
#[derive(Clone, Debug, PartialEq)]
pub struct Learned<A> {
    /// Training labels it has seen.
    pub training: usize,
    /// What it says of each case.
    pub labels: Vec<A>,
}

/// By how much the mean kappa with the experts would rise if `more` training labels followed those of the largest of the models, with a
/// 95 % interval that is nowhere below 0. `experts[expert][case]` are the first blind answers.
pub fn next_gain<A: Given>(
    models: &[Learned<A>],
    experts: &[Vec<Option<A>>],
    kind: TaskKind,
    more: usize,
    seed: u64,
) -> Figure {
    // Of models of equally many labels the last one counts.
    let mut models: Vec<&Learned<A>> = models.iter().filter(|model| model.training > 0).collect();
    models.reverse();
    models.sort_by_key(|model| model.training);
    models.dedup_by_key(|model| model.training);
    let have = models.len();
    if have < LEAST_MODELS {
        return Figure::undefined(format!(
            "{have} of the {LEAST_MODELS} models needed, each trained on a different number of labels"
        ));
    }
    let labels: Vec<&[A]> = models.iter().map(|model| model.labels.as_slice()).collect();
    let Some(found) = resampled(&labels, experts, kind, seed) else {
        return Figure::undefined("not every model has a kappa on the evaluation cases");
    };
    let at: Vec<f64> = models.iter().map(|model| model.training as f64).collect();
    let curves = EXPONENTS.map(|exponent| Curve::new(&at, exponent, more as f64));
    let value = curves.iter().map(|curve| curve.gain(&found.whole)).sum::<f64>() / curves.len() as f64;
    let mut luck = ChaCha8Rng::seed_from_u64(seed);
    luck.set_stream(1);
    let drawn: Vec<Option<f64>> = found
        .drawn
        .iter()
        .zip(curves.iter().cycle())
        .map(|(kappas, curve)| kappas.as_ref().map(|kappas| curve.gain(&curve.redrawn(kappas, &mut luck))))
        .collect();
    let why =
        format!("nearly all of the {} cases have the same label, so a few answers would decide it", found.n);
    figure(value, drawn, found.n, &why)
}

/// The curve of one exponent, a straight line over x = n⁻ᶜ.
struct Curve {
    x: Vec<f64>,
    mean: f64,
    /// Σ (x − mean)².
    squares: f64,
    /// By how much x falls with the labels to come.
    step: f64,
}

impl Curve {
    fn new(labels: &[f64], exponent: f64, more: f64) -> Self {
        let x_of = |n: f64| n.powf(-exponent);
        let x: Vec<f64> = labels.iter().map(|n| x_of(*n)).collect();
        let mean = x.iter().sum::<f64>() / x.len() as f64;
        let squares = x.iter().map(|x| (x - mean).powi(2)).sum();
        let last = labels.iter().copied().fold(0.0, f64::max);
        Self { x, mean, squares, step: x_of(last) - x_of(last + more) }
    }

    /// The least-squares b, not below 0.
    fn slope(&self, kappas: &[f64]) -> f64 {
        let products: f64 = self.x.iter().zip(kappas).map(|(x, kappa)| (x - self.mean) * kappa).sum();
        (-products / self.squares).max(0.0)
    }

    fn gain(&self, kappas: &[f64]) -> f64 {
        self.slope(kappas) * self.step
    }

    /// The points of the curve, each at the distance of one drawn at random; two of their degrees of freedom went into the fit.
    fn redrawn(&self, kappas: &[f64], luck: &mut ChaCha8Rng) -> Vec<f64> {
        let n = kappas.len();
        let slope = self.slope(kappas);
        let level = kappas.iter().sum::<f64>() / n as f64;
        let fitted: Vec<f64> = self.x.iter().map(|x| level - slope * (x - self.mean)).collect();
        let inflated = (n as f64 / (n - 2) as f64).sqrt();
        let draw = |fit: &f64| {
            let from = luck.gen_range(0..n);
            fit + inflated * (kappas[from] - fitted[from])
        };
        fitted.iter().map(draw).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Models on `cases` even cases of two labels. A model of accuracy p is right where a case's own difficulty is below p, three times in
    /// four, so that what is hard for one is mostly hard for the next.
    fn models(
        kappa: impl Fn(f64) -> f64,
        labels: &[usize],
        (cases, luck): (usize, f64),
        seed: u64,
    ) -> (Vec<Learned<usize>>, Vec<usize>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let gold: Vec<usize> = (0..cases).map(|i| i % 2).collect();
        let hard: Vec<f64> = gold.iter().map(|_| rng.r#gen()).collect();
        let models = labels.iter().map(|&training| {
            // The sum of twelve even draws less six is close to a normal draw.
            let normal = (0..12).map(|_| rng.r#gen::<f64>()).sum::<f64>() - 6.0;
            let accuracy = f64::midpoint(1.0, kappa(training as f64) + luck * normal);
            let label = |(&gold, &hard): (&usize, &f64)| {
                let difficulty = if rng.gen_bool(0.75) { hard } else { rng.r#gen() };
                if difficulty < accuracy { gold } else { 1 - gold }
            };
            Learned { training, labels: gold.iter().zip(&hard).map(label).collect() }
        });
        (models.collect(), gold)
    }

    fn expert(gold: &[usize]) -> Vec<Vec<Option<usize>>> {
        vec![gold.iter().copied().map(Some).collect()]
    }

    fn known(figure: &Figure) -> (f64, f64, f64) {
        match figure {
            Figure::Known { value, lo, hi, .. } => (*value, *lo, *hi),
            Figure::Undefined { undefined } => panic!("{undefined}"),
        }
    }

    #[test]
    fn points_on_a_curve_give_that_curve() {
        for (exponent, b) in [(0.5, 2.0), (1.0, 9.0)] {
            let labels = [40.0, 80.0, 120.0, 160.0f64];
            let kappas = labels.map(|n| 0.8 - b * n.powf(-exponent));
            let curve = Curve::new(&labels, exponent, 40.0);
            let truth = b * (160f64.powf(-exponent) - 200f64.powf(-exponent));
            assert!((curve.gain(&kappas) - truth).abs() < 1e-12);
            let again = curve.redrawn(&kappas, &mut ChaCha8Rng::seed_from_u64(1));
            assert!(again.iter().zip(kappas).all(|(a, k)| (a - k).abs() < 1e-12), "there is no luck to draw");
            let falling: Vec<f64> = kappas.iter().rev().copied().collect();
            assert_eq!(curve.gain(&falling), 0.0);
        }
    }

    #[test]
    fn two_models_make_no_curve_and_one_that_was_trained_again_counts_once() {
        let (mut found, gold) = models(|_| 0.6, &[40, 80], (60, 0.0), 1);
        let why = |models: &[Learned<usize>]| match next_gain(models, &expert(&gold), TaskKind::One, 40, 1) {
            Figure::Undefined { undefined } => undefined,
            known => known.to_string(),
        };
        assert!(why(&found).starts_with("2 of the 3 models needed"), "{}", why(&found));
        found.push(found[1].clone());
        found.push(Learned { training: 0, ..found[0].clone() });
        assert!(why(&found).starts_with("2 of the 3 models needed"), "{}", why(&found));
    }

    #[test]
    fn a_curve_that_still_climbs_promises_more_than_one_that_is_flat() {
        let labels = [40, 80, 120, 160];
        let gain = |kappa: fn(f64) -> f64| {
            let (models, gold) = models(kappa, &labels, (400, 0.0), 3);
            known(&next_gain(&models, &expert(&gold), TaskKind::One, 40, 3))
        };
        let (climbing, flat) = (gain(|n| 0.9 - 4.0 * n.powf(-0.5)), gain(|_| 0.7));
        assert!(climbing.1 > 0.01, "{climbing:?}");
        assert!(flat.1 == 0.0 && flat.2 < 0.03, "{flat:?}");
    }

    /// Curves of exponents between the two and beyond, with the luck of a training at .02 and 100 cases: the interval of 95 % holds the
    /// true gain in at least nine of ten.
    #[test]
    fn the_interval_holds_the_true_gain_of_the_next_round() {
        let curves: [(f64, f64); 4] = [(1.5, 0.5), (3.0, 0.7), (10.0, 1.0), (0.8, 0.3)];
        for (labels, more) in [(&[40, 80, 120][..], 40), (&[40, 80, 120, 160, 200, 240][..], 40)] {
            let mut held = 0;
            for (b, exponent) in curves {
                let kappa = |n: f64| 0.85 - b * n.powf(-exponent);
                let last = labels[labels.len() - 1] as f64;
                let truth = kappa(last + more as f64) - kappa(last);
                for seed in 0..15 {
                    let (models, gold) = models(kappa, labels, (100, 0.02), seed);
                    let (_, lo, hi) = known(&next_gain(&models, &expert(&gold), TaskKind::One, more, seed));
                    held += usize::from((lo..=hi).contains(&truth));
                }
            }
            assert!(held >= 54, "{held} of 60 after {} models", labels.len());
        }
    }
}
