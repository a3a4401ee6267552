//! Confusion matrices: how often two labels were given to the same case. Knows no coefficient.

/// `table[a][b]`, `a <= b`: pairs of experts of whom one gave `a` and the other `b` to the same case, each pair once. `experts[expert][case]`,
/// labels below `labels`.
pub fn between_experts(experts: &[Vec<Option<usize>>], labels: usize) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; labels]; labels];
    for (i, one) in experts.iter().enumerate() {
        for other in &experts[i + 1..] {
            for (a, b) in one.iter().zip(other).filter_map(|(a, b)| a.zip(*b)) {
                table[a.min(b)][a.max(b)] += 1;
            }
        }
    }
    table
}

/// `table[a][b]`: experts' answers `b` to cases to which the model gives `a`. `model[case]`, `experts[expert][case]`, labels below `labels`.
pub fn model_by_experts(model: &[usize], experts: &[Vec<Option<usize>>], labels: usize) -> Vec<Vec<usize>> {
    let mut table = vec![vec![0; labels]; labels];
    for expert in experts {
        for (a, b) in model.iter().zip(expert).filter_map(|(a, b)| Some((*a, (*b)?))) {
            table[a][b] += 1;
        }
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pair_of_answers_is_counted_once_whichever_way_round_it_stands() {
        let experts = [
            vec![Some(0), Some(1), Some(0), None],
            vec![Some(1), Some(0), Some(0), Some(1)],
            vec![None, Some(0), None, Some(1)],
        ];
        // Case 1: 0 and 1. Case 2: 1 and 0, 1 and 0, 0 and 0. Case 3: 0 and 0. Case 4: 1 and 1.
        assert_eq!(between_experts(&experts, 2), [[2, 3], [0, 1]]);
        assert_eq!(between_experts(&experts[..1], 2), [[0, 0], [0, 0]]);
        assert_eq!(model_by_experts(&[0, 0, 1, 1], &experts, 2), [[3, 2], [2, 2]]);
    }
}
