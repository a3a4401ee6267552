//! Confusion matrices: how often two labels were given to the same case. Knows no coefficient.
//!
//! Where a text may have several labels, two are confused where one rater gave the first and not the second, and the other the second and not the first. A
//! label that only one gave, with nothing in its place, is confused with none.

use crate::domain::label_set::LabelSet;

/// `table[a][b]`, `a <= b`: pairs of experts of whom one gave `a` and the other `b` to the same case, each pair once. `experts[expert][case]`,
/// labels below `labels`.
pub fn between_experts(experts: &[Vec<Option<LabelSet>>], labels: usize) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; labels]; labels];
    for (i, one) in experts.iter().enumerate() {
        for other in &experts[i + 1..] {
            for (one, other) in one.iter().zip(other).filter_map(|(a, b)| a.as_ref().zip(b.as_ref())) {
                met(one, other, |a, b| table[a.min(b)][a.max(b)] += 1);
            }
        }
    }
    table
}

/// `table[a][b]`: experts' answers `b` to cases to which the model gives `a`. `model[case]`, `experts[expert][case]`, labels below `labels`.
pub fn model_by_experts(
    model: &[LabelSet],
    experts: &[Vec<Option<LabelSet>>],
    labels: usize,
) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; labels]; labels];
    for expert in experts {
        for (one, other) in model.iter().zip(expert).filter_map(|(a, b)| Some((a, b.as_ref()?))) {
            met(one, other, |a, b| table[a][b] += 1);
        }
    }
    table
}

/// Each label that both gave, with itself, and each that only the first gave with each that only the second gave.
pub fn met(one: &LabelSet, other: &LabelSet, mut count: impl FnMut(usize, usize)) {
    for a in one.places() {
        if other.has(a) {
            count(a, a);
            continue;
        }
        other.places().filter(|b| !one.has(*b)).for_each(|b| count(a, b));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(rows: &[&[&[usize]]]) -> Vec<Vec<Option<LabelSet>>> {
        let answer = |places: &&[usize]| Some(places.iter().copied().collect());
        rows.iter().map(|row| row.iter().map(answer).collect()).collect()
    }

    #[test]
    fn each_pair_of_answers_is_counted_once_whichever_way_round_it_stands() {
        let one = |label: usize| Some([label].into_iter().collect::<LabelSet>());
        let experts = [
            vec![one(0), one(1), one(0), None],
            vec![one(1), one(0), one(0), one(1)],
            vec![None, one(0), None, one(1)],
        ];
        // Case 1: 0 and 1. Case 2: 1 and 0, 1 and 0, 0 and 0. Case 3: 0 and 0. Case 4: 1 and 1.
        assert_eq!(between_experts(&experts, 2), [[2, 3], [0, 1]]);
        assert_eq!(between_experts(&experts[..1], 2), [[0, 0], [0, 0]]);
        let model: Vec<LabelSet> = [0, 0, 1, 1].map(|label| [label].into_iter().collect()).into();
        assert_eq!(model_by_experts(&model, &experts, 2), [[3, 2], [2, 2]]);
    }

    #[test]
    fn of_sets_a_label_is_confused_only_with_one_given_in_its_place() {
        // {0, 1} and {0, 2}: 0 with itself, 1 with 2. {1} and {0, 1}: 1 with itself; 0 in no label's place. {2} and none: nothing.
        let experts = rows(&[&[&[0, 1], &[1], &[2]], &[&[0, 2], &[0, 1], &[]]]);
        assert_eq!(between_experts(&experts, 3), [[1, 0, 0], [0, 1, 1], [0, 0, 0]]);
        let model: Vec<LabelSet> = experts[1].iter().flatten().cloned().collect();
        assert_eq!(model_by_experts(&model, &experts[..1], 3), [[1, 0, 0], [0, 1, 0], [0, 1, 0]]);
    }
}
