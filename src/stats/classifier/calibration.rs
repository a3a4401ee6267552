//! Zero-shot prelabels: calibrates the similarity of a text to each label into probabilities.
//!
//! Similarities rank texts well but place the decision boundary badly, so it is placed by the labels' shares:
//! those of the task, those found by the audit, or else a guess that never gives a label up. Sees no answer.

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};

use super::logistic::softmax_f32;
pub use crate::domain::predictor::ZeroShot;

/// Least expected share of a label, so that none is ever out of reach.
const LEAST_SHARE: f64 = 0.001;
/// A guessed share is at least this fraction of an even one.
const LEAST_GUESS: f64 = 0.2;
/// Relative difference between mean probabilities and shares from which on a lower temperature is tried.
const TOLERATED: f64 = 0.10;
/// Median logit between the two best labels, at the highest temperature.
const LEAST_LOGIT: f64 = 2.0;
/// The same at the lowest temperature: 99 %. Nobody has answered yet, so what the model has read is weak evidence, however far apart the scores lie.
const MOST_LOGIT: f64 = 4.6;
const SWEEPS: usize = 30;
/// Number of scores in a sweep over three or more labels: 13,000 items of 77 labels, 333,000 of three.
const ENOUGH_FOR_A_SWEEP: usize = 1_000_000;
/// Items for a mean probability: its sampling error is far below the tolerance.
const ENOUGH_FOR_A_MEAN: usize = 50_000;

impl ZeroShot {
    /// Fits on `scores` (items × labels, mean cosine to the label's description and examples) and the
    /// `shares` that are known, one entry per label.
    ///
    /// The bias makes each label the most probable one for its share of the items: exactly for two labels, up
    /// to ties in the scores, and to a fraction of a percent for more. Labels of unknown share divide the rest
    /// in proportion to the guess. The temperature is the highest at which the mean probability of every label
    /// is within a tenth of its share, limited so that a typical text is neither a toss-up nor certain: its score may multiply the odds of the
    /// two most frequent labels by e², and no more. If all items have the same scores, every item gets the shares as its probabilities.
    pub fn fit(scores: ArrayView2<'_, f32>, shares: &[Option<f64>]) -> Self {
        let scores = sample(scores);
        let shares = expected_shares(shares, &guessed_shares(scores.view()));
        let (bias, temperature) = if varies(scores.view()) {
            let bias = bias_for(scores.view(), &shares);
            let temperature = temperature_for(&every(&scores, ENOUGH_FOR_A_MEAN), &bias, &shares);
            (bias, temperature)
        } else {
            let level = scores.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(shares.len()));
            (shares.iter().zip(&level).map(|(share, s)| share.ln() - s).collect(), 1.0)
        };
        let bias = bias.into_iter().map(|b| b as f32).collect();
        Self { temperature: temperature as f32, bias, shares, each: Vec::new() }
    }

    /// [`fit`](Self::fit) where a text may have several labels: each is calibrated by itself, as one of two labels whose other has the score 0. Labels of
    /// unknown share get the guess for one label a text: scores do not tell how many a text has.
    pub fn fit_each(scores: ArrayView2<'_, f32>, shares: &[Option<f64>]) -> Self {
        let scores = sample(scores);
        let guess = guessed_shares(scores.view());
        let known = |label: usize| shares.get(label).copied().flatten().filter(|share| share.is_finite());
        let share = |label: usize| known(label).unwrap_or(guess[label]).clamp(LEAST_SHARE, 1.0 - LEAST_SHARE);
        let shares: Vec<f64> = (0..guess.len()).map(share).collect();
        let of = |(label, &share): (usize, &f64)| {
            let both = Array2::from_shape_fn((scores.nrows(), 2), |(item, side)| match side {
                0 => 0.0,
                _ => scores[[item, label]] as f32,
            });
            let fit = Self::fit(both.view(), &[Some(1.0 - share), Some(share)]);
            (fit.bias[1] - fit.bias[0], fit.temperature)
        };
        let (bias, each) = shares.iter().enumerate().map(of).unzip();
        Self { temperature: 1.0, bias, shares, each }
    }

    /// Probabilities for `scores` (items × labels), items × labels, each row summing to one, or each label by itself. An item with a
    /// score that is not finite gets the shares.
    pub fn probabilities(&self, scores: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut out = scores.to_owned();
        out.axis_iter_mut(Axis(0)).into_par_iter().for_each(|mut row| {
            if row.iter().all(|s| s.is_finite()) && !self.each.is_empty() {
                for ((s, bias), temperature) in row.iter_mut().zip(&self.bias).zip(&self.each) {
                    *s = 1.0 / (1.0 + (-(*s + bias) / temperature).exp());
                }
            } else if row.iter().all(|s| s.is_finite()) {
                row.iter_mut().zip(&self.bias).for_each(|(s, bias)| *s = (*s + bias) / self.temperature);
                softmax_f32(row);
            } else {
                row.iter_mut().zip(&self.shares).for_each(|(p, share)| *p = *share as f32);
            }
        });
        out
    }
}

/// A guess of the shares if nobody has given them, meant to be safe rather than sharp.
///
/// Scores alone do not identify the shares: maximum-likelihood mixtures of two normals gave 1 to 5 % for
/// labels of 6 to 14 %, and 54 to 61 % for one of 8 %. So the guess is half the log-odds of the plain argmax,
/// which shrinks towards even shares, minus the skewness of the label's contrast to the others (a rare label is
/// a long tail on its side) divided by the number of labels. On SMS spam, clickbait (balanced, and at 8 %), Davidson hate, ConvAbuse
/// this gave kappas of .49, .46, .13, .11, .18, against .35, .46, .16, .11, .08 for the plain argmax and .21,
/// .44, .12, .06, .22 for even shares.
fn guessed_shares(scores: ArrayView2<'_, f64>) -> Vec<f64> {
    let (items, labels) = scores.dim();
    let mut won = vec![1.0; labels];
    for row in scores.rows() {
        won[top(row)] += 1.0;
    }
    let total = (items + labels) as f64;
    let logits: Vec<f64> = won
        .iter()
        .enumerate()
        .map(|(label, won)| 0.5 * (won / total).ln() - skewness_of_contrast(scores, label) / labels as f64)
        .collect();
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|l| (l - most).exp()).sum();
    let least = LEAST_GUESS / labels as f64;
    normalised(logits.iter().map(|l| ((l - most).exp() / sum).max(least)).collect())
}

/// Skewness of a label's score minus the mean of the others', within ±2; 0 if it does not vary.
fn skewness_of_contrast(scores: ArrayView2<'_, f64>, label: usize) -> f64 {
    let others = scores.ncols().saturating_sub(1).max(1) as f64;
    let contrast = |row: ArrayView1<'_, f64>| row[label] - (row.sum() - row[label]) / others;
    let n = scores.nrows().max(1) as f64;
    let mean = scores.rows().into_iter().map(contrast).sum::<f64>() / n;
    let (mut second, mut third) = (0.0, 0.0);
    for row in scores.rows() {
        let d = contrast(row) - mean;
        second += d * d / n;
        third += d * d * d / n;
    }
    if second > 1e-12 { (third / second.powf(1.5)).clamp(-2.0, 2.0) } else { 0.0 }
}

/// The known shares, and what they leave divided among the others in proportion to the guess.
fn expected_shares(known: &[Option<f64>], guess: &[f64]) -> Vec<f64> {
    let known = |label: usize| known.get(label).copied().flatten().filter(|s| s.is_finite());
    let taken: f64 = (0..guess.len()).filter_map(known).sum();
    let open: f64 = (0..guess.len()).filter(|&l| known(l).is_none()).map(|l| guess[l]).sum();
    let rest = (1.0 - taken).max(0.0);
    let share = |label: usize| known(label).unwrap_or_else(|| rest * guess[label] / open);
    normalised((0..guess.len()).map(|label| share(label).max(LEAST_SHARE)).collect())
}

fn normalised(mut shares: Vec<f64>) -> Vec<f64> {
    let sum: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|s| *s /= sum);
    shares
}

/// Whether some label's contrast differs between items.
fn varies(scores: ArrayView2<'_, f64>) -> bool {
    let Some(first) = scores.rows().into_iter().next() else {
        return false;
    };
    let contrast = |row: ArrayView1<'_, f64>, label: usize| row[label] - row[0];
    scores
        .rows()
        .into_iter()
        .any(|row| (1..row.len()).any(|label| (contrast(row, label) - contrast(first, label)).abs() > 1e-6))
}

/// The items whose scores are all finite, in double precision: all of them for two labels, evenly thinned for
/// more.
fn sample(scores: ArrayView2<'_, f32>) -> Array2<f64> {
    let labels = scores.ncols();
    let finite: Vec<usize> = scores
        .rows()
        .into_iter()
        .enumerate()
        .filter_map(|(item, row)| row.iter().all(|s| s.is_finite()).then_some(item))
        .collect();
    let most = if labels > 2 { ENOUGH_FOR_A_SWEEP / labels } else { usize::MAX };
    let step = finite.len().div_ceil(most).max(1);
    let kept: Vec<usize> = finite.into_iter().step_by(step).collect();
    scores.select(Axis(0), &kept).mapv(f64::from)
}

/// At most `most` items, evenly spread.
fn every(scores: &Array2<f64>, most: usize) -> Array2<f64> {
    let step = scores.nrows().div_ceil(most).max(1);
    let kept: Vec<usize> = (0..scores.nrows()).step_by(step).collect();
    scores.select(Axis(0), &kept)
}

/// The bias with which the argmax gives each label to its share of the items.
///
/// Sets one label at a time to the bias at which it wins its share of the items: coordinate ascent on the dual
/// of the optimal transport of items to labels. For two labels the first step is the quantile cut. Needs at
/// least one item.
fn bias_for(scores: ArrayView2<'_, f64>, shares: &[f64]) -> Vec<f64> {
    let items = scores.nrows();
    let fewest = items.min(1);
    let wanted: Vec<usize> = shares
        .iter()
        .map(|share| {
            ((share * items as f64).round() as usize).clamp(fewest, items.saturating_sub(1).max(fewest))
        })
        .collect();
    let mut bias = vec![0.0; shares.len()];
    let mut best: Vec<TwoBest> = scores.rows().into_iter().map(|row| TwoBest::of(row, &bias)).collect();
    for _ in 0..SWEEPS {
        for label in 1..shares.len() {
            let mut needed: Vec<f64> =
                best.iter().zip(scores.column(label)).map(|(two, s)| two.rival_of(label) - s).collect();
            let cut = wanted[label].min(items - 1);
            let (won, first_lost, _) = needed.select_nth_unstable_by(cut, f64::total_cmp);
            let last_won = won.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            // Half way between the last item that should get this label and the first that should not.
            bias[label] = if won.is_empty() { *first_lost } else { (last_won + *first_lost) / 2.0 };
            best.par_iter_mut().enumerate().for_each(|(item, two)| {
                if two.touched_by(label, scores[[item, label]] + bias[label]) {
                    *two = TwoBest::of(scores.row(item), &bias);
                }
            });
        }
        let mut won = vec![0usize; shares.len()];
        best.iter().for_each(|two| won[two.first.0] += 1);
        if won.iter().zip(&wanted).all(|(won, wanted)| won.abs_diff(*wanted) <= (wanted / 200).max(1)) {
            break;
        }
    }
    bias
}

/// The two best labels of an item and their biased scores, cached so that a step for one label reads no other
/// column.
struct TwoBest {
    first: (usize, f64),
    second: (usize, f64),
}

impl TwoBest {
    fn of(row: ArrayView1<'_, f64>, bias: &[f64]) -> Self {
        let nothing = (usize::MAX, f64::NEG_INFINITY);
        let mut two = Self { first: nothing, second: nothing };
        for (label, (s, bias)) in row.iter().zip(bias).enumerate() {
            let here = (label, s + bias);
            if here.1 > two.first.1 {
                two.second = two.first;
                two.first = here;
            } else if here.1 > two.second.1 {
                two.second = here;
            }
        }
        two
    }

    /// The best score among the other labels.
    fn rival_of(&self, label: usize) -> f64 {
        if self.first.0 == label { self.second.1 } else { self.first.1 }
    }

    /// Whether a new score of `label` may change the two.
    fn touched_by(&self, label: usize, score: f64) -> bool {
        self.first.0 == label || self.second.0 == label || score > self.second.1
    }

    fn gap(&self) -> f64 {
        self.first.1 - self.second.1
    }
}

/// The highest temperature that keeps the mean probabilities near the shares, found by bisection.
fn temperature_for(scores: &Array2<f64>, bias: &[f64], shares: &[f64]) -> f64 {
    let mut biased = scores.clone();
    biased.rows_mut().into_iter().for_each(|mut row| row.iter_mut().zip(bias).for_each(|(s, b)| *s += b));
    let unbiased = vec![0.0; bias.len()];
    let mut gaps: Vec<f64> = biased.rows().into_iter().map(|row| TwoBest::of(row, &unbiased).gap()).collect();
    let middle = gaps.len() / 2;
    let (_, typical, _) = gaps.select_nth_unstable_by(middle, f64::total_cmp);
    let typical = typical.max(1e-6);
    let (mut cold, mut hot) = (typical / most_logit(shares), typical / LEAST_LOGIT);
    let near = |temperature: f64| {
        let mean = mean_probabilities(&biased, temperature);
        mean.iter().zip(shares).all(|(p, share)| (p - share).abs() <= TOLERATED * share)
    };
    if near(hot) {
        return hot;
    }
    for _ in 0..12 {
        let between = (cold * hot).sqrt();
        if near(between) { cold = between } else { hot = between }
    }
    cold
}

/// The median logit that is allowed, for shares that sum to one: what the two greatest shares say without a text, and what a text may add.
fn most_logit(shares: &[f64]) -> f64 {
    let (first, second) = shares.iter().fold((0.0f64, 0.0f64), |(first, second), &share| {
        if share > first { (share, first) } else { (first, second.max(share)) }
    });
    ((first / second.max(LEAST_SHARE)).ln() + LEAST_LOGIT).min(MOST_LOGIT)
}

fn mean_probabilities(scores: &Array2<f64>, temperature: f64) -> Vec<f64> {
    let labels = scores.ncols();
    let sums = scores
        .axis_chunks_iter(Axis(0), 4_096)
        .into_par_iter()
        .map(|chunk| {
            let mut sums = vec![0.0; labels];
            let mut p = vec![0.0; labels];
            for row in chunk.rows() {
                let most = row.fold(f64::NEG_INFINITY, |m, &s| m.max(s));
                p.iter_mut().zip(row).for_each(|(p, s)| *p = ((s - most) / temperature).exp());
                let total: f64 = p.iter().sum();
                sums.iter_mut().zip(&p).for_each(|(sum, p)| *sum += p / total);
            }
            sums
        })
        .collect::<Vec<_>>();
    // Added in order, so that the result does not depend on the number of cores.
    (0..labels).map(|l| sums.iter().map(|s| s[l]).sum::<f64>() / scores.nrows() as f64).collect()
}

fn top(row: ArrayView1<'_, f64>) -> usize {
    row.iter().enumerate().fold(0, |best, (label, s)| if *s > row[best] { label } else { best })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Similarities around .2 with a lift of `lift` on the true label: (scores, true labels).
    fn similarities(counts: &[usize], lift: f32, seed: u64) -> (Array2<f32>, Vec<usize>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let y: Vec<usize> = counts.iter().enumerate().flat_map(|(l, &n)| std::iter::repeat_n(l, n)).collect();
        // The mean of three uniform numbers is near enough to a bell.
        let mut noise = || (0..3).map(|_| rng.gen_range(-0.1f32..0.1)).sum::<f32>();
        let scores = Array2::from_shape_fn((y.len(), counts.len()), |(i, l)| {
            0.2 + noise() + if y[i] == l { lift } else { 0.0 } - 0.05 * l as f32
        });
        (scores, y)
    }

    fn predicted(p: &Array2<f32>) -> Vec<usize> {
        p.rows().into_iter().map(|row| top(row.mapv(f64::from).view())).collect()
    }

    fn count(labels: &[usize], label: usize) -> usize {
        labels.iter().filter(|&&l| l == label).count()
    }

    #[test]
    fn labels_by_themselves_are_given_to_their_share_of_the_texts_whatever_the_others_are_given_to() {
        let scores = Array2::from_shape_fn((1_000, 3), |(item, label)| {
            ((item * (7 + 4 * label) + 31 * label) % 1_000) as f32 / 1_000.0 - 0.5
        });
        let fit = ZeroShot::fit_each(scores.view(), &[Some(0.8), Some(0.6), Some(0.02)]);
        let p = fit.probabilities(scores.view());
        let given = |label: usize| p.column(label).iter().filter(|p| **p >= 0.5).count();
        assert_eq!([given(0), given(1), given(2)], [800, 600, 20]);
        assert!(p.iter().all(|p| (0.0..=1.0).contains(p)) && p.rows().into_iter().any(|row| row.sum() > 1.5));
        let mut broken = scores.clone();
        broken[[0, 1]] = f32::NAN;
        assert_eq!(fit.probabilities(broken.view()).row(0).to_vec(), [0.8f32, 0.6, 0.02]);
        let guessed = ZeroShot::fit_each(scores.view(), &[None; 3]);
        assert!((guessed.shares.iter().sum::<f64>() - 1.0).abs() < 0.01, "{:?}", guessed.shares);
    }

    #[test]
    fn two_labels_are_cut_exactly_at_the_given_share() {
        let (scores, _) = similarities(&[900, 100], 0.1, 1);
        for wanted in [0.01, 0.1, 0.25, 0.5, 0.9] {
            let fit = ZeroShot::fit(scores.view(), &[None, Some(wanted)]);
            assert!((fit.shares[0] - (1.0 - wanted)).abs() < 1e-12);
            let found = count(&predicted(&fit.probabilities(scores.view())), 1);
            assert_eq!(found, (wanted * 1000.0).round() as usize, "{fit:?}");
        }
    }

    #[test]
    fn five_labels_are_cut_at_their_shares() {
        let (scores, _) = similarities(&[800, 600, 400, 200, 100], 0.1, 2);
        let shares = [0.4, 0.3, 0.15, 0.1, 0.05];
        let fit = ZeroShot::fit(scores.view(), &shares.map(Some));
        let labels = predicted(&fit.probabilities(scores.view()));
        for (label, share) in shares.iter().enumerate() {
            let found = count(&labels, label) as f64 / 2_100.0;
            assert!((found - share).abs() < 0.005, "label {label}: {found} instead of {share}");
        }
    }

    #[test]
    fn mean_probabilities_are_near_the_shares_and_the_boundary_is_a_toss_up() {
        let (scores, _) = similarities(&[1_800, 200], 0.12, 3);
        let fit = ZeroShot::fit(scores.view(), &[None, Some(0.1)]);
        let p = fit.probabilities(scores.view());
        let mean = p.column(1).mean().unwrap();
        // Nearer only at temperatures at which most texts would be certain.
        assert!((mean - 0.1).abs() <= 0.04, "{mean}");
        let nearest = p.column(1).iter().fold(1.0f32, |m, p| m.min((2.0 * p - 1.0).abs()));
        assert!(nearest < 0.05, "{nearest}");
        let sure = p.column(1).iter().filter(|p| !(0.001..=0.999).contains(*p)).count();
        assert!(sure < 1_500, "{sure} of 2000 are certain");
    }

    #[test]
    fn no_share_makes_the_first_guesses_certain() {
        let (scores, _) = similarities(&[950, 50], 0.12, 8);
        for share in [0.5, 0.9, 0.95, 0.97, 0.99] {
            let p = ZeroShot::fit(scores.view(), &[Some(share), None]).probabilities(scores.view());
            let mut sure: Vec<f32> = p.rows().into_iter().map(|row| row[0].max(row[1])).collect();
            sure.sort_by(f32::total_cmp);
            assert!(
                sure[sure.len() / 2] < 0.991,
                "share {share}: half of the texts above {}",
                sure[sure.len() / 2]
            );
            assert!(
                sure[0] < 0.6,
                "share {share}: nothing is a toss-up, not even the nearest at {}",
                sure[0]
            );
        }
    }

    #[test]
    fn unknown_shares_divide_the_rest_and_none_is_given_up() {
        let (scores, _) = similarities(&[300, 300, 300], 0.1, 4);
        let fit = ZeroShot::fit(scores.view(), &[Some(0.7), None, None]);
        assert!((fit.shares[0] - 0.7).abs() < 1e-9 && (fit.shares.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(fit.shares[1] > 0.05 && fit.shares[2] > 0.05, "{fit:?}");
        let fit = ZeroShot::fit(scores.view(), &[Some(1.0), Some(0.0), None]);
        assert!(fit.shares.iter().all(|s| *s > 0.0009), "{fit:?}");
    }

    #[test]
    fn a_guess_lies_between_the_plain_argmax_and_even_shares_where_a_label_always_wins() {
        // Label 1 never wins: its description is farther from everything.
        let (mut scores, _) = similarities(&[900, 100], 0.1, 5);
        scores.column_mut(1).mapv_inplace(|s| s - 1.0);
        let fit = ZeroShot::fit(scores.view(), &[None, None]);
        assert!(fit.shares[1] >= 0.09 && fit.shares[1] < 0.5, "{fit:?}");
    }

    #[test]
    fn what_the_scores_do_not_tell_apart_gets_the_shares() {
        for items in [1, 7] {
            let scores = Array2::from_shape_fn((items, 2), |(_, l)| 0.3 + 0.4 * l as f32);
            let p = ZeroShot::fit(scores.view(), &[Some(0.8), None]).probabilities(scores.view());
            assert!(p.column(0).iter().all(|p| (p - 0.8).abs() < 1e-5), "{p}");
        }
        let none = ZeroShot::fit(Array2::zeros((0, 2)).view(), &[Some(0.8), None]);
        assert!((none.probabilities(Array2::zeros((1, 2)).view())[[0, 0]] - 0.8).abs() < 1e-5);
    }

    #[test]
    fn a_score_that_is_no_number_spoils_its_own_item_at_most() {
        let (mut scores, _) = similarities(&[90, 10], 0.1, 6);
        let clean = ZeroShot::fit(scores.slice(ndarray::s![1.., ..]), &[None, Some(0.1)]);
        scores[[0, 1]] = f32::NAN;
        let fit = ZeroShot::fit(scores.view(), &[None, Some(0.1)]);
        assert_eq!(fit, clean);
        assert!((fit.probabilities(scores.view())[[0, 1]] - 0.1).abs() < 1e-6);
    }

    #[test]
    fn a_calibration_survives_being_written_and_read() {
        let (scores, _) = similarities(&[50, 50, 9], 0.1, 7);
        let fit = ZeroShot::fit(scores.view(), &[None; 3]);
        let text = serde_json::to_string(&fit).unwrap();
        let read: ZeroShot = serde_json::from_str(&text).unwrap();
        assert_eq!(read.probabilities(scores.view()), fit.probabilities(scores.view()));
    }

    proptest! {
        #[test]
        fn any_scores_yield_distributions(
            labels in 2usize..6, items in 0usize..30, coarse in 1u32..20,
            shares in prop::collection::vec(prop::option::of(0.0f64..=1.0), 6), seed: u64
        ) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            // Few distinct values, so that ties are common.
            let draw = || rng.gen_range(0..=coarse) as f32 / coarse as f32;
            let scores = Array2::from_shape_simple_fn((items, labels), draw);
            let fit = ZeroShot::fit(scores.view(), &shares[..labels]);
            prop_assert!(fit.temperature > 0.0 && (fit.shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            for row in fit.probabilities(scores.view()).rows() {
                prop_assert!((row.sum() - 1.0).abs() < 1e-4 && row.iter().all(|p| (0.0..=1.0).contains(p)));
            }
        }
    }
}
