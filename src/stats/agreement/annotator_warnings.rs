//! Warnings about an annotator's answers: agreement that falls, answers too fast to have been read, long runs of one label.
//!
//! Numbers only; the caller says in words what they may mean. All experts are checked for all warnings at once, so each interval has three
//! standard errors (99.7 %) on either side rather than two: twenty checks of blameless answers raise a false alarm in fewer than one of fifteen
//! projects.

/// Standard errors on either side of an estimate.
const Z: f64 = 3.0;
/// Least cases before and after a change.
const LEAST_HALF: usize = 20;
/// Least timed answers of the expert, and of the others.
const LEAST_TIMED: usize = 30;
/// Least fast answers for a warning.
const LEAST_FAST: usize = 5;
/// An answer is fast if it took less than this share of the time that its text takes at the median pace.
const FAST: f64 = 0.25;
/// Looking at a case and pressing a key take as long as reading this many characters.
const HANDLING: f64 = 50.0;
/// Shorter runs raise no warning, however rare the label.
const LEAST_RUN: usize = 8;
/// A run is improbable below this probability.
const RARE: f64 = 0.001;

/// A share with what it rests on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share {
    /// 0 to 1.
    pub value: f64,
    /// How many cases or answers.
    pub n: usize,
}

/// A difference of shares with its 99.7 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Difference {
    /// The difference.
    pub value: f64,
    /// Lower end.
    pub lo: f64,
    /// Upper end.
    pub hi: f64,
}

impl Share {
    fn of(values: &[f64]) -> Self {
        Self { value: values.iter().sum::<f64>() / values.len().max(1) as f64, n: values.len() }
    }

    /// Wilson's interval: E. B. Wilson, *Journal of the American Statistical Association* 22 (1927), 209–212. Of a mean of values between 0
    /// and 1, which spread less than ones and zeros do, it is too wide rather than too narrow.
    fn wilson(self, z: f64) -> (f64, f64) {
        let n = self.n as f64;
        let middle = self.value + z * z / (2.0 * n);
        let half = z * (self.value * (1.0 - self.value) / n + z * z / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z * z / n;
        (((middle - half) / scale).max(0.0), ((middle + half) / scale).min(1.0))
    }
}

/// `after` − `before` of two independent samples: R. G. Newcombe, "Interval estimation for the difference between independent proportions",
/// *Statistics in Medicine* 17 (1998), 873–890, method 10.
fn difference(before: Share, after: Share, z: f64) -> Difference {
    let (b, a) = (before.wilson(z), after.wilson(z));
    let value = after.value - before.value;
    let lo = value - ((after.value - a.0).powi(2) + (b.1 - before.value).powi(2)).sqrt();
    let hi = value + ((a.1 - after.value).powi(2) + (before.value - b.0).powi(2)).sqrt();
    Difference { value, lo, hi }
}

/// `a` − `b` of two independent differences, by the variances that the ends of their intervals imply: G. Y. Zou and A. Donner,
/// "Construction of confidence limits about effect measures", *Statistics in Medicine* 27 (2008), 1693–1702.
fn difference_of_differences(a: Difference, b: Difference) -> Difference {
    let value = a.value - b.value;
    Difference {
        value,
        lo: value - ((a.value - a.lo).powi(2) + (b.hi - b.value).powi(2)).sqrt(),
        hi: value + ((a.hi - a.value).powi(2) + (b.value - b.lo).powi(2)).sqrt(),
    }
}

/// Agreement that fell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drift {
    /// In the first half of the cases.
    pub before: Share,
    /// In the second.
    pub after: Share,
    /// The change; where the others' is known, beyond theirs.
    pub change: Difference,
    /// The others' change over the same time, where enough is known of it.
    pub others: Option<f64>,
}

/// Whether agreement fell from the first half of `own` to the second; values are per case in order of time, each 0 to 1. Cases become harder or
/// easier over the rounds, so the change among the `others`, before and after the same moment, is subtracted if there is enough of it.
/// `None` if too little is known, or if the fall is not significant.
pub fn drift(own: &[f64], others: (&[f64], &[f64])) -> Option<Drift> {
    let (first, second) = own.split_at(own.len() / 2);
    if first.len() < LEAST_HALF {
        return None;
    }
    let (before, after) = (Share::of(first), Share::of(second));
    let mut change = difference(before, after, Z);
    let mut of_others = None;
    if others.0.len() >= LEAST_HALF && others.1.len() >= LEAST_HALF {
        let theirs = difference(Share::of(others.0), Share::of(others.1), Z);
        change = difference_of_differences(change, theirs);
        of_others = Some(theirs.value);
    }
    (change.hi < 0.0).then_some(Drift { before, after, change, others: of_others })
}

/// An answer and the time it took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Timed {
    /// Milliseconds from the case on the screen to the answer.
    pub ms: f64,
    /// Characters of its text.
    pub characters: f64,
}

impl Timed {
    fn load(&self) -> f64 {
        self.characters + HANDLING
    }
}

/// Answers that came too fast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Haste {
    /// How many.
    pub fast: usize,
    /// Of this expert's timed answers.
    pub own: Share,
    /// Of the others', by the same measure.
    pub others: Share,
    /// By how much the first share is above the second.
    pub excess: Difference,
}

/// Answers that took less than a quarter of the time their texts take at both the expert's own and the others' median pace, if their share is
/// larger than among the others. `None` if too little is known.
pub fn haste(own: &[Timed], others: &[Timed]) -> Option<Haste> {
    if own.len() < LEAST_TIMED || others.len() < LEAST_TIMED {
        return None;
    }
    let pace = |answers: &[Timed]| {
        let mut paces: Vec<f64> = answers.iter().map(|a| a.ms / a.load()).collect();
        paces.sort_unstable_by(f64::total_cmp);
        paces[paces.len() / 2]
    };
    let theirs = pace(others);
    let share = |answers: &[Timed], pace: f64| {
        let fast: Vec<f64> =
            answers.iter().map(|a| f64::from(u8::from(a.ms < FAST * pace * a.load()))).collect();
        (fast.iter().sum::<f64>() as usize, Share::of(&fast))
    };
    let (fast, own) = share(own, pace(own).min(theirs));
    let (_, others) = share(others, theirs);
    let excess = difference(others, own, Z);
    (fast >= LEAST_FAST && excess.lo > 0.0).then_some(Haste { fast, own, others, excess })
}

/// A run of one label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Run {
    pub label: usize,
    /// Answers in a row.
    pub length: usize,
    /// Number of answers examined.
    pub n: usize,
    /// The share of the label that was assumed.
    pub share: f64,
    /// The probability of a run so long or longer by chance.
    pub probability: f64,
}

/// The longest run of one label among `answers`, in order of time, if it is improbable: below 1 in 1,000 even at the upper bound of the share
/// that the label has among `others`.
pub fn straight_line(answers: &[usize], others: &[usize]) -> Option<Run> {
    if others.len() < LEAST_TIMED {
        return None;
    }
    let mut longest = (0, 0);
    let mut at = 0;
    for run in answers.chunk_by(|a, b| a == b) {
        if run.len() > longest.1 {
            longest = (run[0], run.len());
        }
        at += run.len();
    }
    let (label, length) = longest;
    let given = others.iter().filter(|l| **l == label).count();
    let share = Share { value: given as f64 / others.len() as f64, n: others.len() }.wilson(2.0).1;
    let probability = 1.0 - no_run(at, length, share);
    (length >= LEAST_RUN && probability < RARE).then_some(Run { label, length, n: at, share, probability })
}

/// The probability that `n` trials, each a success with probability `p`, have no run of `length` successes: W. Feller, *An Introduction to
/// Probability Theory and Its Applications* I (1968), XIII.7, as a recursion over the number of trials.
fn no_run(n: usize, length: usize, p: f64) -> f64 {
    if length == 0 {
        return 0.0;
    }
    let all = p.powi(i32::try_from(length).unwrap_or(i32::MAX));
    let mut none = vec![1.0; n + 1];
    for trials in length..=n {
        none[trials] = match trials - length {
            0 => 1.0 - all,
            before => none[trials - 1] - (1.0 - p) * all * none[before - 1],
        };
    }
    // Rounding may leave slightly less than zero.
    none[n].clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Newcombe (1998), table II, example (a): 56 of 70 against 48 of 80, method 10: .0524 to .3339.
    #[test]
    fn the_difference_is_that_of_newcombes_example() {
        let found = difference(Share { value: 0.6, n: 80 }, Share { value: 0.8, n: 70 }, 1.959_964);
        assert!((found.lo - 0.0524).abs() < 5e-5 && (found.hi - 0.3339).abs() < 5e-5, "{found:?}");
    }

    /// Of ten tosses of a coin, 520 of 1,024 sequences have three heads or more in a row.
    #[test]
    fn runs_are_as_probable_as_counting_says() {
        assert!((1.0 - no_run(10, 3, 0.5) - 520.0 / 1_024.0).abs() < 1e-12);
        assert!((no_run(4, 4, 0.9) - (1.0 - 0.6561)).abs() < 1e-12);
        assert_eq!(no_run(3, 4, 0.9), 1.0);
    }

    fn coin(rng: &mut ChaCha8Rng, n: usize, p: f64) -> Vec<f64> {
        (0..n).map(|_| f64::from(u8::from(rng.gen_bool(p)))).collect()
    }

    #[test]
    fn agreement_that_falls_by_a_third_is_seen_and_cases_that_become_harder_are_not_blamed_on_anybody() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let own: Vec<f64> = [coin(&mut rng, 60, 0.9), coin(&mut rng, 60, 0.5)].concat();
        let seen = drift(&own, (&[], &[])).unwrap();
        assert!(seen.change.hi < 0.0 && seen.others.is_none() && seen.before.n == 60, "{seen:?}");
        let others = (coin(&mut rng, 60, 0.9), coin(&mut rng, 60, 0.5));
        assert_eq!(drift(&own, (&others.0, &others.1)), None, "it fell among the others, too");
        assert_eq!(drift(&own[..38], (&[], &[])), None, "nineteen on a side are too few");
        let steady = (coin(&mut rng, 200, 0.9), coin(&mut rng, 200, 0.9));
        assert!(drift(&own, (&steady.0, &steady.1)).is_some_and(|seen| seen.others.is_some()));
    }

    #[test]
    fn of_a_thousand_steady_experts_none_but_a_few_seem_to_drift() {
        let mut rng = ChaCha8Rng::seed_from_u64(2);
        let seen = (0..1_000).filter(|_| drift(&coin(&mut rng, 80, 0.8), (&[], &[])).is_some()).count();
        // One-sided, at three standard errors: 1.35 in a thousand.
        assert!(seen <= 6, "{seen}");
    }

    fn timed(n: usize, seconds: f64) -> Vec<Timed> {
        (0..n)
            .map(|i| Timed { ms: 1_000.0 * seconds * (1.0 + (i % 7) as f64 / 10.0), characters: 150.0 })
            .collect()
    }

    #[test]
    fn answers_in_a_tenth_of_the_time_are_seen_and_a_fast_reader_is_not() {
        let mut own = timed(60, 5.0);
        own.extend(timed(12, 0.5));
        let seen = haste(&own, &timed(100, 5.0)).unwrap();
        assert!(
            seen.fast == 12 && seen.own.n == 72 && seen.others.value == 0.0 && seen.excess.lo > 0.0,
            "{seen:?}"
        );
        assert_eq!(
            haste(&timed(72, 0.9), &timed(100, 5.0)),
            None,
            "always so fast, and never faster than usual"
        );
        assert_eq!(haste(&own, &own), None, "the others do so, too");
        assert_eq!(haste(&own[40..], &timed(20, 5.0)), None, "too few of the others' are timed");
    }

    #[test]
    fn forty_of_one_label_in_a_row_are_improbable_only_where_others_do_not_give_it_so_often() {
        let line: Vec<usize> = std::iter::repeat_n(1, 40).chain([0, 1, 0]).collect();
        let even: Vec<usize> = (0..100).map(|i| i % 2).collect();
        let seen = straight_line(&line, &even).unwrap();
        assert_eq!((seen.label, seen.length, seen.n), (1, 40, 43));
        assert!(seen.share > 0.5 && seen.probability < 1e-6);
        let mostly: Vec<usize> = (0..100).map(|i| usize::from(i % 20 != 0)).collect();
        assert_eq!(straight_line(&line, &mostly), None);
        assert_eq!(straight_line(&line, &even[..20]), None, "nothing is known of the shares");
        assert_eq!(straight_line(&[1; 7], &vec![0; 100]), None, "seven are no line");
    }

    proptest! {
        #[test]
        fn longer_runs_are_less_probable(n in 1usize..60, length in 1usize..20, p in 0.01f64..0.99) {
            let (shorter, longer) = (no_run(n, length, p), no_run(n, length + 1, p));
            prop_assert!((0.0..=1.0).contains(&shorter) && shorter <= longer + 1e-12);
        }

        #[test]
        fn a_difference_lies_in_its_interval(a in 0.0f64..=1.0, b in 0.0f64..=1.0, n in 1usize..200, m in 1usize..200) {
            let found = difference(Share { value: a, n }, Share { value: b, n: m }, Z);
            prop_assert!(found.lo <= found.value + 1e-12 && found.value <= found.hi + 1e-12);
        }
    }
}
