//! Audit draws of several rounds as one sample.
//!
//! Each round draws from the audit items that no earlier round has drawn, so its inclusion probabilities are conditional. Source: Des Raj,
//! "Some estimators in sampling with varying probabilities without replacement", JASA 1956: after round r, the items drawn before it as
//! they are plus those of r weighted by 1/π estimate a total without bias; the rounds' estimates are averaged by their share of the draws.

use std::collections::BTreeMap;

use crate::domain::answer::BlindAnswer;
use crate::domain::ids::ItemId;
use crate::domain::label_set::LabelSet;
use crate::domain::split::Split;
use crate::domain::task::Task;

/// One answered audit case, which is a text, as it was drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RoundDraw {
    pub round: i64,
    /// The probability with which that round drew it, above 0 and at most 1.
    pub inclusion: f64,
}

/// An answer that counts for the audit.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditAnswer {
    pub item: ItemId,
    pub draw: RoundDraw,
    /// The places of its labels in the task.
    pub answer: LabelSet,
}

/// An audit text with all answers that count. It was drawn once, however many experts answered, so it counts and is weighted as one case.
#[derive(Clone, Debug, PartialEq)]
pub struct AuditText {
    pub item: ItemId,
    pub draw: RoundDraw,
    /// What each expert gave, at least one.
    pub answers: Vec<LabelSet>,
}

/// The answers by text, in the order of the items.
pub fn by_text(answers: &[AuditAnswer]) -> Vec<AuditText> {
    let mut texts: BTreeMap<ItemId, AuditText> = BTreeMap::new();
    for AuditAnswer { item, draw, answer } in answers {
        let (item, draw) = (*item, *draw);
        let text = texts.entry(item).or_insert_with(|| AuditText { item, draw, answers: Vec::new() });
        text.answers.push(answer.clone());
    }
    texts.into_values().collect()
}

/// Of `answers` those to audit cases that a round drew, with labels that the task still has.
pub fn audit_answers(answers: &[BlindAnswer], task: &Task) -> Vec<AuditAnswer> {
    answers
        .iter()
        .filter(|a| a.split == Split::Audit)
        .filter_map(|a| {
            let draw = RoundDraw { round: a.round?, inclusion: a.inclusion? };
            Some(AuditAnswer { item: a.item, draw, answer: task.set_of(&a.answer)? })
        })
        .collect()
}

/// The inclusion probability of each case in the combined sample, above 0 and at most 1, up to a common factor that cancels in ratios. `draws`
/// has each answered text once. `drawn` is the number of all audit cases of each round, including unanswered ones, of which the answered ones
/// are a random part.
pub fn combined_inclusion(draws: &[RoundDraw], drawn: &BTreeMap<i64, usize>) -> Vec<f64> {
    let mut answered: BTreeMap<i64, usize> = BTreeMap::new();
    for draw in draws {
        *answered.entry(draw.round).or_default() += 1;
    }
    let n = draws.len() as f64;
    let share = |round: i64| answered.get(&round).map_or(0.0, |a| *a as f64 / n);
    let later = |round: i64| -> f64 { answered.range(round + 1..).map(|(_, a)| *a as f64 / n).sum() };
    let weights: Vec<f64> = draws
        .iter()
        .map(|d| {
            let of_round = answered.get(&d.round).copied().unwrap_or(1);
            let grown = drawn.get(&d.round).map_or(1.0, |all| *all as f64 / of_round as f64).max(1.0);
            share(d.round) * grown / d.inclusion + later(d.round)
        })
        .collect();
    let least = weights.iter().copied().fold(f64::INFINITY, f64::min);
    weights.into_iter().map(|w| least / w).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(round: i64, inclusion: f64) -> RoundDraw {
        RoundDraw { round, inclusion }
    }

    #[test]
    fn two_answers_to_a_text_are_one_draw() {
        let one = |label: usize| -> LabelSet { [label].into_iter().collect() };
        let answer = |item, label| AuditAnswer { item: ItemId(item), draw: draw(1, 0.5), answer: one(label) };
        let texts = by_text(&[answer(7, 1), answer(3, 0), answer(7, 0)]);
        let [three, seven] = texts.as_slice() else { panic!("{texts:?}") };
        assert_eq!((three.item, three.answers.as_slice()), (ItemId(3), [one(0)].as_slice()));
        assert_eq!((seven.item, seven.answers.as_slice()), (ItemId(7), [one(1), one(0)].as_slice()));
    }

    #[test]
    fn one_round_keeps_the_ratios_of_its_probabilities() {
        let p = combined_inclusion(&[draw(1, 0.5), draw(1, 0.1)], &BTreeMap::from([(1, 2)]));
        assert!((p[0] / p[1] - 5.0).abs() < 1e-12);
        assert!(p.iter().all(|p| *p > 0.0 && *p <= 1.0));
    }

    /// Six items, two drawn in each of three rounds: over all outcomes the weighted total is the true one.
    #[test]
    fn the_total_over_three_rounds_is_unbiased() {
        let values = [1.0, 5.0, 2.0, 7.0, 0.0, 3.0];
        let (mut mean, mut outcomes) = (0.0, 0);
        let pairs = |open: &[usize]| -> Vec<[usize; 2]> {
            (0..open.len())
                .flat_map(|i| (i + 1..open.len()).map(move |j| (i, j)))
                .map(|(i, j)| [open[i], open[j]])
                .collect()
        };
        let all: Vec<usize> = (0..6).collect();
        for first in pairs(&all) {
            let open: Vec<usize> = all.iter().copied().filter(|i| !first.contains(i)).collect();
            for second in pairs(&open) {
                // Two rounds: c = 1/2 each; round 1 draws with 2/6, round 2 with 2/4.
                let total: f64 = first.iter().map(|i| values[*i] * (0.5 * 3.0 + 0.5)).sum::<f64>()
                    + second.iter().map(|i| values[*i] * (0.5 * 2.0)).sum::<f64>();
                let draws: Vec<RoundDraw> = first
                    .iter()
                    .map(|_| draw(1, 2.0 / 6.0))
                    .chain(second.iter().map(|_| draw(2, 0.5)))
                    .collect();
                let p = combined_inclusion(&draws, &BTreeMap::from([(1, 2), (2, 2)]));
                assert!((p[2] / p[0] - 2.0).abs() < 1e-9, "weights 2 and 1");
                mean += total;
                outcomes += 1;
            }
        }
        assert!((mean / f64::from(outcomes) - 18.0).abs() < 1e-9);
    }
}
