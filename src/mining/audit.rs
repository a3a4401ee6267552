//! The audit share of a round: a stratified random sample of the open audit items, each with the exact probability
//! of its draw.
//!
//! Strata are the predicted labels (the smallest joined while there are more labels than draws), each cut into bins
//! of equal size by the probability of the prelabel. Draws go to labels by the root of their size (power allocation,
//! Bankier, The American Statistician 1988), so that a rare label is oversampled, and evenly to the bins of a label.
//! Every stratum gets a draw, so no open audit item has probability 0. Inside a stratum of N_h items, n_h are drawn
//! evenly without replacement: the inclusion probability of each is n_h / N_h.
//!
//! **Over rounds.** A round draws only from audit items not drawn before, and its strata follow the model of that
//! round, so the stored probability π is conditional on the rounds before it. That is all an unbiased figure needs
//! (Des Raj, JASA 1956): after round r, the items drawn before r as they are, plus those of r weighted by 1/π,
//! estimate the total over the whole audit range without bias, whatever led to the strata. Averaging these
//! estimates with fixed shares c_1 + … + c_R = 1 (such as the rounds' shares of all draws) keeps that, and gives one
//! weight per item drawn in round r: `c_r / π + c_{r+1} + … + c_R`. Neither earlier probabilities nor those of items
//! never drawn are needed. Drawn cases that were withdrawn unanswered go back to the open ones; as cases are shown
//! in random order, the answered ones are a random part, and 1/π grows by drawn / answered in that round.

use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;

use super::pool::Pool;

/// Greatest number of bins for one predicted label.
const BINS: usize = 4;

/// An audit item that was drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Drawn {
    /// Row in the pool.
    pub index: usize,
    /// Probability that it was drawn, given which audit items were open.
    pub inclusion: f64,
}

/// Draws `count` of the open audit items, or all if there are fewer.
pub fn draw(pool: &Pool, count: usize, rng: &mut ChaCha8Rng) -> Vec<Drawn> {
    let groups = by_label(pool, count);
    let draws = allocate(&groups.iter().map(Vec::len).collect::<Vec<_>>(), count);
    let mut drawn = Vec::with_capacity(count);
    for (mut group, draws) in groups.into_iter().zip(draws) {
        group.sort_by(|a, b| confidence(pool, *a).total_cmp(&confidence(pool, *b)).then(a.cmp(b)));
        let bins = draws.min(BINS);
        let mut rest = group.as_slice();
        for bin in 0..bins {
            // Items and draws are divided by the same rule, so a bin never has fewer items than draws.
            let (stratum, after) = rest.split_at(part(group.len(), bins, bin));
            rest = after;
            let draws = part(draws, bins, bin);
            let inclusion = draws as f64 / stratum.len() as f64;
            let rows = sample(rng, stratum.len(), draws).into_iter();
            drawn.extend(rows.map(|at| Drawn { index: stratum[at], inclusion }));
        }
    }
    drawn
}

/// Open audit items by predicted label, at most `count` groups, none empty.
fn by_label(pool: &Pool, count: usize) -> Vec<Vec<usize>> {
    let mut groups = vec![Vec::new(); pool.groups()];
    for i in pool.open_audit() {
        groups[pool.predicted(i)].push(i);
    }
    groups.retain(|g| !g.is_empty());
    while groups.len() > count.max(1) {
        groups.sort_by_key(|g| std::cmp::Reverse(g.len()));
        if let (Some(smallest), Some(next)) = (groups.pop(), groups.last_mut()) {
            next.extend(smallest);
        }
    }
    groups
}

/// `count` draws over groups of these sizes: one each, then one at a time to the largest √size ÷ (draws + ½).
fn allocate(sizes: &[usize], count: usize) -> Vec<usize> {
    let mut draws = vec![0usize; sizes.len()];
    for _ in 0..count.min(sizes.iter().sum()) {
        // A group without a draw comes before all others.
        let claim = |&g: &usize| match draws[g] {
            0 => f64::INFINITY,
            n => (sizes[g] as f64).sqrt() / (n as f64 + 0.5),
        };
        let open = (0..sizes.len()).filter(|&g| draws[g] < sizes[g]);
        if let Some(next) = open.max_by(|a, b| claim(a).total_cmp(&claim(b))) {
            draws[next] += 1;
        }
    }
    draws
}

/// The size of part `at` when `whole` is divided into `parts` as evenly as possible.
fn part(whole: usize, parts: usize, at: usize) -> usize {
    whole / parts + usize::from(at < whole % parts)
}

fn confidence(pool: &Pool, index: usize) -> f32 {
    pool.confidence(index)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand::SeedableRng;

    use super::super::synthetic::Synthetic;
    use super::*;
    use crate::domain::split::Split;

    fn all_audit(n: usize, labels: usize, seed: u64) -> Synthetic {
        let mut made = Synthetic::overlapping(n, 6, labels, seed);
        made.splits.fill(Split::Audit);
        made
    }

    #[test]
    fn items_are_drawn_as_often_as_their_stored_probability_says() {
        let made = all_audit(90, 3, 2);
        let pool = made.pool();
        let trials = 20_000;
        let mut times = vec![0u32; 90];
        let mut stored = vec![None; 90];
        for seed in 0..trials {
            for Drawn { index, inclusion } in draw(&pool, 14, &mut ChaCha8Rng::seed_from_u64(seed)) {
                times[index] += 1;
                assert_eq!(*stored[index].get_or_insert(inclusion), inclusion);
            }
        }
        let mut sum = 0.0;
        for (times, stored) in times.into_iter().zip(stored) {
            let stored = stored.expect("every item is drawn some time");
            let error = (stored * (1.0 - stored) / trials as f64).sqrt();
            assert!((f64::from(times) / trials as f64 - stored).abs() < 4.5 * error);
            sum += stored;
        }
        assert!((sum - 14.0).abs() < 1e-9);
    }

    #[test]
    fn the_weights_over_rounds_estimate_a_total_without_bias() {
        // A quantity that follows the strata, drawn over three rounds whose strata change with the round.
        let base = all_audit(60, 2, 5);
        let value = |i: usize| if i.is_multiple_of(7) { 5.0 } else { i as f64 / 60.0 };
        let total: f64 = (0..60).map(value).sum();
        let (trials, shares) = (8_000, [0.5, 0.25, 0.25]);
        let (mut mean, mut square) = (0.0, 0.0);
        for seed in 0..trials {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let mut estimate = 0.0;
            let mut made = base.clone();
            for round in 0..3 {
                let later: f64 = shares[round + 1..].iter().sum();
                for Drawn { index, inclusion } in draw(&made.pool(), [8, 4, 4][round], &mut rng) {
                    estimate += value(index) * (shares[round] / inclusion + later);
                    made.open[index] = false;
                    // The next model depends on what was drawn: the probabilities stay exact all the same.
                    made.probabilities.row_mut((index * 13 + 1) % 60).swap(0, 1);
                }
            }
            mean += estimate / trials as f64;
            square += estimate * estimate / trials as f64;
        }
        let error = ((square - mean * mean) / trials as f64).sqrt();
        assert!((mean - total).abs() < 4.0 * error, "{mean} for {total} with error {error}");
    }

    #[test]
    fn a_rare_label_is_oversampled() {
        let mut made = all_audit(500, 2, 1);
        for (i, mut row) in made.probabilities.outer_iter_mut().enumerate() {
            row[0] = if i < 5 { 0.1 } else { 0.9 };
            row[1] = 1.0 - row[0];
        }
        let drawn = draw(&made.pool(), 20, &mut ChaCha8Rng::seed_from_u64(3));
        assert!(drawn.iter().filter(|d| d.index < 5).count() >= 2);
        assert_eq!(drawn.len(), 20);
    }

    proptest! {
        #[test]
        fn the_draws_add_up_are_different_and_estimate_the_number_of_items(
            n in 0usize..200, labels in 1usize..80, count in 0usize..60, seed: u64,
        ) {
            let made = all_audit(n, labels, seed % 50).with_closed(seed);
            let pool = made.pool();
            let drawn = draw(&pool, count, &mut ChaCha8Rng::seed_from_u64(seed));
            let open = pool.open_audit();
            prop_assert_eq!(drawn.len(), count.min(open.len()));
            let mut rows: Vec<usize> = drawn.iter().map(|d| d.index).collect();
            rows.sort_unstable();
            rows.dedup();
            prop_assert_eq!(rows.len(), drawn.len());
            prop_assert!(rows.iter().all(|i| open.contains(i)));
            if count > 0 {
                let items: f64 = drawn.iter().map(|d| 1.0 / d.inclusion).sum();
                prop_assert!((items - open.len() as f64).abs() < 1e-6, "{items}");
            }
        }
    }
}
