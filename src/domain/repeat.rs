//! Repeats: cases shown again blind to measure consistency. Which places of a round are kept for them, and which of an expert's answers is
//! repeated.
//!
//! Both are drawn by a hash of stored seeds, so that they are the same on every machine. The answer to a repeat is only ever compared with the
//! first answer.

use uuid::Uuid;

use super::case::{Proposal, Reason};
use super::ids::ItemId;
use super::item::ItemKey;
use super::split::Split;

/// One case in this many is repeated.
pub const ONE_IN: usize = 15;
/// Least number of the expert's answers between an answer and its repeat.
pub const APART: usize = 30;

/// How many places for repeats a round of `budget` cases has, if no expert has given more than `answered` answers before.
pub fn places_of(budget: usize, answered: usize, seed: u64) -> usize {
    places(budget, answered, seed).count()
}

/// The cases of a round with places for repeats among them; the item of a place is a placeholder. If there are fewer cases than the budget, there
/// are fewer places too.
pub fn with_places(cases: Vec<Proposal>, budget: usize, answered: usize, seed: u64) -> Vec<Proposal> {
    let Some(any) = cases.first().map(|case| case.item) else { return cases };
    let kept = Proposal {
        item: any,
        split: Split::Eval,
        reason: Reason::Repeat,
        partner: None,
        margin: 0.0,
        inclusion: None,
    };
    let mut round = cases;
    for place in places(budget, answered, seed) {
        if place > round.len() {
            break;
        }
        round.insert(place, kept.clone());
    }
    round
}

/// One place in each whole block of [`ONE_IN`], ascending: anywhere in the block, so that nobody can predict the next one. No place where even
/// the fastest expert has no answer far enough back.
fn places(budget: usize, answered: usize, seed: u64) -> impl Iterator<Item = usize> {
    (0..budget / ONE_IN)
        .map(move |block| {
            let mut hash = blake3::Hasher::new();
            hash.update(b"place of a repeat")
                .update(&seed.to_le_bytes())
                .update(&(block as u64).to_le_bytes());
            block * ONE_IN + (head(&hash) % ONE_IN as u64) as usize
        })
        .filter(move |place| answered + place > APART)
}

/// Draws which of an expert's `open` answers is repeated.
pub fn draw(open: &[(ItemId, ItemKey)], seed: u64, expert: Uuid) -> Option<ItemId> {
    let lot = |key: &ItemKey| {
        let mut hash = blake3::Hasher::new();
        hash.update(b"repeat").update(&seed.to_le_bytes()).update(expert.as_bytes()).update(&key.0);
        head(&hash)
    };
    open.iter().min_by_key(|(_, key)| (lot(key), key.0)).map(|(item, _)| *item)
}

fn head(hash: &blake3::Hasher) -> u64 {
    let mut head = [0u8; 8];
    head.copy_from_slice(&hash.finalize().as_bytes()[..8]);
    u64::from_le_bytes(head)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn round(cases: usize) -> Vec<Proposal> {
        let case = |i| Proposal {
            item: ItemId(i),
            split: Split::Train,
            reason: Reason::Margin,
            partner: None,
            margin: 0.1,
            inclusion: None,
        };
        (1..=cases as i64).map(case).collect()
    }

    fn kept(round: &[Proposal]) -> Vec<usize> {
        (0..round.len()).filter(|&i| round[i].reason == Reason::Repeat).collect()
    }

    #[test]
    fn a_round_of_60_keeps_4_places_and_the_first_one_only_where_30_answers_can_lie_before() {
        let later = with_places(round(56), 60, 60, 7);
        assert_eq!((later.len(), kept(&later).len(), places_of(60, 60, 7)), (60, 4, 4));
        for seed in 0..50 {
            assert!(places_of(60, 0, seed) <= 2);
            assert!(places(60, 0, seed).all(|place| place > 30));
            assert_eq!(places_of(30, 0, seed), 0, "nobody can have 30 answers by then");
            assert_eq!(places_of(14, 500, seed), 0, "a small share of few cases is none");
        }
        assert_eq!(with_places(Vec::new(), 60, 60, 7), Vec::new());
    }

    #[test]
    fn where_the_pool_has_few_cases_the_places_follow_them_and_not_the_budget() {
        for (cases, budget) in [(587, 3_000), (20, 60), (1, 900)] {
            let round = with_places(round(cases), budget, 500, 7);
            let again = kept(&round);
            let most = round.len().div_ceil(ONE_IN);
            assert!((most.saturating_sub(1)..=most).contains(&again.len()), "{cases}: {}", again.len());
            assert_eq!(round.len() - again.len(), cases);
            assert!(again.iter().all(|place| *place <= cases + again.len()), "{again:?}");
        }
    }

    #[test]
    fn places_lie_anywhere_in_their_block_and_another_seed_draws_others() {
        let first: std::collections::BTreeSet<usize> =
            (0..400).filter_map(|seed| places(15, 99, seed).next()).collect();
        assert_eq!(first.len(), ONE_IN, "{first:?}");
    }

    #[test]
    fn each_expert_has_a_draw_of_their_own_and_every_answer_is_drawn_of_some() {
        let open: Vec<_> = (0..6).map(|i| (ItemId(i), ItemKey::of(&format!("text {i}")))).collect();
        let drawn: std::collections::BTreeSet<_> =
            (0..200).filter_map(|expert| draw(&open, 1, Uuid::from_u128(expert))).collect();
        assert_eq!(drawn.len(), open.len());
        assert_eq!(draw(&[], 1, Uuid::nil()), None);
    }

    proptest! {
        #[test]
        fn the_cases_keep_their_order_and_the_draw_is_the_seeds(
            cases in 1usize..130, answered in 0usize..80, seed: u64, expert: u128,
        ) {
            let n = places_of(cases, answered, seed);
            let before = round(cases - n);
            let after = with_places(before.clone(), cases, answered, seed);
            prop_assert_eq!(kept(&after), places(cases, answered, seed).collect::<Vec<_>>());
            let asked: Vec<_> = after.into_iter().filter(|case| case.reason != Reason::Repeat).collect();
            prop_assert_eq!(asked, before);
            let mut open: Vec<_> = (0..9).map(|i| (ItemId(i), ItemKey::of(&format!("text {i}")))).collect();
            let drawn = draw(&open, seed, Uuid::from_u128(expert));
            open.reverse();
            prop_assert_eq!(draw(&open, seed, Uuid::from_u128(expert)), drawn);
        }
    }
}
