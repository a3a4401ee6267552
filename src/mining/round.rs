//! Plans a round: the audit share drawn at random, the rest as a strategy ranks it, each case with its partner, in an
//! order that gives nothing away.
//!
//! Guarantees for every strategy: no closed item, no audit item by choice, nothing twice, and a full budget if there are
//! enough items.

use rand::seq::SliceRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::geometry::neighbours::{self, Sides};
use super::pool::Pool;
use super::strategies::diverse_margin;
use super::strategies::strategy::{Pick, Ranking, Strategy};
use super::{audit, opening};
use crate::domain::case::{Partner, Proposal, Reason, Side};
use crate::domain::split::Split;

/// The audit share is one in this many cases.
const AUDIT_ONE_IN: usize = 10;
/// The least audit share, though never more than half the budget.
const AUDIT_AT_LEAST: usize = 6;

/// How far a project is when a round is mined.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Stage<'a> {
    /// Nobody has labelled: the decision boundary is a zero-shot guess.
    Opening {
        /// The expected share of each label, if given.
        shares: &'a [Option<f64>],
    },
    /// Nobody has labelled and nothing is guessed: every text has the same probabilities.
    NoGuess,
    /// There are labels, and a head trained on them.
    Later,
}

/// What to mine.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    pub strategy: &'a dyn Strategy,
    /// Cases of all three splits together.
    pub budget: usize,
    pub stage: Stage<'a>,
    /// The source of all randomness. The audit draw depends on it and on the pool, not on the strategy.
    pub seed: u64,
}

/// Number of cases by split.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SplitCounts {
    pub train: usize,
    pub eval: usize,
    pub audit: usize,
}

/// The cases of a round, in the order in which experts see them.
#[derive(Clone, Debug, PartialEq)]
pub struct RoundPlan {
    /// Shuffled.
    pub proposals: Vec<Proposal>,
    pub counts: SplitCounts,
    /// What a person should know about how they were chosen, such as a fallback.
    pub note: Option<String>,
}

pub fn propose(pool: &Pool, order: &Order) -> RoundPlan {
    let [mut choosing, mut auditing, mut shuffling, mut tossing] = [0, 1, 2, 3].map(|stream| {
        let mut rng = ChaCha8Rng::seed_from_u64(order.seed);
        rng.set_stream(stream);
        rng
    });
    // If there are too few candidates, the audit gets the rest of the budget.
    let share = audit_share(order.budget).max(order.budget.saturating_sub(pool.candidates().len()));
    let drawn = audit::draw(pool, share, &mut auditing);
    let budget = order.budget - drawn.len();
    let Ranking { chosen, note } = match order.stage {
        Stage::Opening { shares } if !order.strategy.opens(pool.labels(), budget) => {
            opening::rank(pool, budget, shares, &mut choosing)
        }
        Stage::NoGuess if !order.strategy.opens(pool.labels(), budget) => {
            opening::cover(pool, budget, &mut choosing)
        }
        _ => order.strategy.rank(pool, budget, &mut choosing),
    };
    let mut cases: Vec<(Pick, Option<f64>)> =
        fill(pool, chosen, budget, &mut choosing).into_iter().map(|pick| (pick, None)).collect();
    cases.extend(drawn.iter().map(|d| (Pick::alone(d.index, Reason::Audit), Some(d.inclusion))));
    let mut proposals = with_partners(pool, &cases, &mut tossing);
    proposals.shuffle(&mut shuffling);
    separate_partners(&mut proposals);
    let count = |split| proposals.iter().filter(|p| p.split == split).count();
    let counts =
        SplitCounts { train: count(Split::Train), eval: count(Split::Eval), audit: count(Split::Audit) };
    RoundPlan { proposals, counts, note }
}

/// A tenth of the budget, at least 6, at most half.
fn audit_share(budget: usize) -> usize {
    budget.div_ceil(AUDIT_ONE_IN).max(AUDIT_AT_LEAST).min(budget / 2)
}

/// The strategy's choice without forbidden items, filled up to `budget` by diverse margin.
fn fill(pool: &Pool, chosen: Vec<Pick>, budget: usize, rng: &mut ChaCha8Rng) -> Vec<Pick> {
    let mut in_it = vec![false; pool.len()];
    let mut first =
        |pick: &Pick| pool.is_candidate(pick.index) && !std::mem::replace(&mut in_it[pick.index], true);
    let mut picks: Vec<Pick> = chosen.into_iter().filter(|p| first(p)).take(budget).collect();
    if picks.len() < budget {
        // Asks for more than is missing, because all of the items chosen already may be among them.
        let rest = diverse_margin::diverse(pool, budget + picks.len(), rng);
        let missing = budget - picks.len();
        let rest = rest.into_iter().map(|i| Pick::alone(i, Reason::Margin));
        picks.extend(rest.filter(|p| first(p)).take(missing));
    }
    picks
}

/// Moves a case that comes directly before or after its own partner: an expert who has just labelled the one is not blind to
/// the other. Leaves it if no other place is free of this.
fn separate_partners(cases: &mut [Proposal]) {
    let shows = |a: &Proposal, b: &Proposal| a.partner.is_some_and(|p| p.item == b.item);
    let meets = |cases: &[Proposal], at: usize| {
        let around = &cases[at.saturating_sub(1)..cases.len().min(at + 2)];
        around.windows(2).any(|two| shows(&two[0], &two[1]) || shows(&two[1], &two[0]))
    };
    for at in 1..cases.len() {
        if !meets(cases, at) {
            continue;
        }
        for other in 0..cases.len() {
            cases.swap(at, other);
            if !meets(cases, at) && !meets(cases, other) {
                break;
            }
            cases.swap(at, other);
        }
    }
}

/// Gives every case a partner, however it was chosen, so that having one gives nothing away. A coin says on which side of the decision boundary,
/// so that the partner says nothing about the case's prediction; where one side is empty, it is the other.
fn with_partners(pool: &Pool, cases: &[(Pick, Option<f64>)], coin: &mut ChaCha8Rng) -> Vec<Proposal> {
    let queries: Vec<usize> = cases.iter().map(|(pick, _)| pick.index).collect();
    let found = neighbours::both_sides(pool, &queries);
    let propose = |((pick, inclusion), sides): (&(Pick, Option<f64>), Sides)| {
        // A strategy's is across the boundary of two groups; where a text may have several labels, that need not be the one of the label in doubt.
        let chosen = pick.partner.filter(|&partner| pool.is_across(pick.index, partner));
        let chosen = chosen.map(|partner| (partner, pool.similarity(pick.index, partner)));
        let across = chosen.or(sides.across.map(|n| (n.index, n.similarity))).map(|p| (p, Side::Across));
        let same = sides.same.map(|n| ((n.index, n.similarity), Side::Same));
        // Tossed for every case: what one finds does not change the next one's side.
        let partner = if coin.gen_bool(0.5) { across.or(same) } else { same.or(across) };
        Proposal {
            item: pool.item(pick.index),
            split: pool.split(pick.index),
            reason: pick.reason,
            partner: partner.map(|((index, similarity), side)| Partner {
                item: pool.item(index),
                similarity: similarity.clamp(-1.0, 1.0),
                side,
            }),
            margin: pool.margin(pick.index),
            inclusion: *inclusion,
        }
    };
    cases.iter().zip(found).map(propose).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::{HashMap, HashSet};

    use proptest::prelude::*;

    use super::super::strategies::{names, strategy_by_name};
    use super::super::synthetic::Synthetic;
    use super::*;
    use crate::domain::task_kind::TaskKind;

    fn order(name: &str, budget: usize, seed: u64) -> Order<'static> {
        Order { strategy: strategy_by_name(name).unwrap(), budget, stage: Stage::Later, seed }
    }

    fn check(made: &Synthetic, order: &Order) -> Result<RoundPlan, TestCaseError> {
        let pool = made.pool();
        let plan = propose(&pool, order);
        let row: HashMap<_, _> = made.items.iter().zip(0..).collect();
        let seen: HashSet<_> = plan.proposals.iter().map(|p| p.item).collect();
        prop_assert_eq!(seen.len(), plan.proposals.len(), "an item came twice");
        for p in &plan.proposals {
            let i = row[&p.item];
            prop_assert!(made.open[i], "a closed item");
            prop_assert_eq!(p.split, made.splits[i]);
            prop_assert_eq!(p.split == Split::Audit, p.reason == Reason::Audit);
            prop_assert_eq!(p.reason == Reason::Audit, p.inclusion.is_some());
            prop_assert!(p.inclusion.is_none_or(|pi| pi > 0.0 && pi <= 1.0));
            prop_assert!((0.0..=1.0).contains(&p.margin));
            prop_assert_eq!(p.partner.is_some(), pool.len() > 1);
            if let Some(partner) = p.partner {
                let same = pool.is_same(i, row[&partner.item]);
                prop_assert_eq!(partner.side, if same { Side::Same } else { Side::Across });
                prop_assert_ne!(row[&partner.item], i);
                prop_assert!((pool.similarity(i, row[&partner.item]) - partner.similarity).abs() < 1e-4);
            }
        }
        let open = made.open.iter().filter(|o| **o).count();
        prop_assert_eq!(
            plan.proposals.len(),
            order.budget.min(open).min(pool.candidates().len() + pool.open_audit().len()),
            "the budget is not filled"
        );
        let counts = plan.counts;
        prop_assert_eq!(counts.train + counts.eval + counts.audit, plan.proposals.len());
        if pool.open_audit().len() >= audit_share(order.budget) {
            prop_assert!(counts.audit >= audit_share(order.budget));
        }
        Ok(plan)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(60))]
        #[test]
        fn every_strategy_keeps_the_rules_of_a_round_and_repeats_itself(
            n in 0usize..400, labels in 1usize..6, budget in 0usize..90, seed: u64, opening: bool,
        ) {
            let made = Synthetic::overlapping(n, 7, labels, seed).with_splits(seed).with_closed(seed ^ 1);
            for name in names() {
                let shares = vec![None; labels];
                let mut order = order(name, budget, seed);
                if opening {
                    order.stage = Stage::Opening { shares: &shares };
                }
                let plan = check(&made, &order)?;
                prop_assert_eq!(plan, propose(&made.pool(), &order));
                check(&made, &Order { stage: Stage::NoGuess, ..order })?;
            }
        }

        #[test]
        fn identical_texts_and_equal_scores_are_survived(n in 0usize..120, budget in 0usize..40, seed: u64) {
            let made = Synthetic::identical(n, 5).with_splits(seed);
            let mixed = made.clone().with_margins(|_| 0.5);
            for name in names() {
                check(&made, &order(name, budget, seed))?;
                check(&mixed, &order(name, budget, seed))?;
                let opening = Order { stage: Stage::Opening { shares: &[] }, ..order(name, budget, seed) };
                check(&mixed, &opening)?;
            }
        }
    }

    #[test]
    fn seventy_seven_labels_are_mined_and_the_plan_does_not_depend_on_threads() {
        let made = Synthetic::overlapping(3000, 24, 77, 3).with_splits(3);
        for name in names() {
            let order = order(name, 120, 5);
            let plan = check(&made, &order).unwrap();
            let single = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
            assert_eq!(plan, single.install(|| propose(&made.pool(), &order)), "{name}");
        }
    }

    #[test]
    fn where_a_text_may_have_several_labels_the_nearest_threshold_decides_and_the_rules_hold() {
        let mut made = Synthetic::overlapping(400, 7, 4, 3).with_splits(3);
        made.kind = TaskKind::Several;
        // Far from a tie of two labels, near the threshold of one.
        made.probabilities.row_mut(0).assign(&ndarray::array![0.99, 0.45, 0.01, 0.01]);
        made.probabilities.row_mut(1).assign(&ndarray::array![0.2, 0.55, 0.01, 0.01]);
        made.probabilities.row_mut(2).fill(0.1);
        let pool = made.pool();
        assert!((pool.margin(0) - 0.1).abs() < 1e-6 && (pool.confidence(0) - 0.55).abs() < 1e-6);
        assert!(pool.is_across(0, 1) && pool.is_same(0, 2), "in the second label");
        assert_eq!((pool.predicted(0), pool.predicted(1), pool.predicted(2)), (0, 1, 4));
        assert_eq!(pool.distribution(2).iter().sum::<f32>(), 4.0);
        for name in names() {
            check(&made, &order(name, 60, 5)).unwrap();
        }
    }

    #[test]
    fn the_audit_draw_is_the_same_whatever_the_strategy() {
        let made = Synthetic::overlapping(600, 8, 2, 3).with_splits(3);
        let audit = |name| {
            let plan = propose(&made.pool(), &order(name, 60, 9));
            let drawn = plan.proposals.into_iter().filter(|p| p.reason == Reason::Audit);
            let mut drawn: Vec<_> = drawn.map(|p| p.item).collect();
            drawn.sort();
            drawn
        };
        assert_eq!(audit("boundary").len(), 6);
        assert_eq!(audit("boundary"), audit("random"));
    }

    #[test]
    fn the_audit_share_is_a_tenth_at_least_six_and_at_most_half() {
        let shares = [(0, 0), (1, 0), (2, 1), (11, 5), (12, 6), (60, 6), (61, 7), (200, 20)];
        for (budget, share) in shares {
            assert_eq!(audit_share(budget), share, "of {budget}");
        }
    }

    #[test]
    fn a_pair_is_not_shown_one_right_after_the_other_and_splits_are_mixed() {
        let made = Synthetic::overlapping(2000, 12, 2, 4).with_splits(4);
        let mut changes = 0;
        for seed in 0..20 {
            let plan = propose(&made.pool(), &order("boundary", 60, seed));
            for two in plan.proposals.windows(2) {
                assert!(two[0].partner.is_none_or(|p| p.item != two[1].item), "seed {seed}");
                changes += usize::from(two[0].split != two[1].split);
            }
        }
        assert!(changes > 20 * 15, "{changes}");
    }

    #[test]
    fn the_similar_text_lies_on_a_side_that_a_coin_chose_whatever_the_strategy_and_the_split() {
        let made = Synthetic::overlapping(800, 12, 2, 4).with_splits(4);
        for name in names() {
            let plans: Vec<_> = (0..8).map(|seed| propose(&made.pool(), &order(name, 60, seed))).collect();
            for audit in [false, true] {
                let cases = || plans.iter().flat_map(|plan| &plan.proposals);
                let sides: Vec<Side> = cases()
                    .filter(|case| (case.split == Split::Audit) == audit)
                    .map(|case| case.partner.unwrap().side)
                    .collect();
                let across = sides.iter().filter(|side| **side == Side::Across).count() as f64;
                let share = across / sides.len() as f64;
                // Six standard errors of a fair coin.
                let most = 6.0 * 0.5 / (sides.len() as f64).sqrt();
                assert!(
                    (share - 0.5).abs() < most.min(0.3),
                    "{name}, audit {audit}: {across} of {}",
                    sides.len()
                );
            }
        }
    }

    #[test]
    fn without_a_guess_the_cases_cover_the_pool_and_the_note_says_so() {
        let made = Synthetic::overlapping(300, 8, 2, 4).with_margins(|_| 0.0);
        let plan = propose(&made.pool(), &Order { stage: Stage::NoGuess, ..order("hybrid", 20, 1) });
        assert!(plan.proposals.iter().all(|p| p.reason == Reason::Medoid), "{plan:?}");
        assert!(plan.note.unwrap().contains("cover the pool"));
    }

    #[test]
    fn a_baseline_that_ignores_the_model_opens_by_itself() {
        let made = Synthetic::overlapping(300, 8, 2, 4);
        let own = [("random", Reason::Random), ("k-center", Reason::Farthest), ("typiclust", Reason::Medoid)];
        for (name, reason) in own {
            let opening = Order { stage: Stage::Opening { shares: &[] }, ..order(name, 20, 1) };
            let plan = propose(&made.pool(), &opening);
            assert!(plan.proposals.iter().all(|p| p.reason == reason), "{name}");
        }
    }
}
