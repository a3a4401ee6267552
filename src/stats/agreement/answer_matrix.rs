//! Turns stored answers into the matrices that agreement is computed from: a row per expert, a column per case.

use std::collections::BTreeMap;

use crate::domain::answer::BlindAnswer;
use crate::domain::ids::{ExpertId, ItemId};
use crate::domain::prediction::Probabilities;
use crate::domain::task::Task;
use crate::domain::task_kind::TaskKind;

/// Experts' answers to the same cases, as indices of the task's labels. Answers with a label that the task no longer has are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnswerMatrix {
    /// The cases' items, ascending.
    pub items: Vec<ItemId>,
    /// One per row of `experts`, ascending.
    pub expert_ids: Vec<ExpertId>,
    /// `experts[expert][case]`.
    pub experts: Vec<Vec<Option<usize>>>,
}

/// The same answers next to a model's labels, on the cases that the model has predicted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelAndExperts {
    /// The cases' items, ascending.
    pub items: Vec<ItemId>,
    /// `model[case]`.
    pub model: Vec<usize>,
    /// `experts[expert][case]`.
    pub experts: Vec<Vec<Option<usize>>>,
}

impl AnswerMatrix {
    /// Collects answers by case and expert.
    pub fn collect(answers: &[BlindAnswer], task: &Task) -> Self {
        let mut by_item: BTreeMap<ItemId, BTreeMap<ExpertId, usize>> = BTreeMap::new();
        for answer in answers {
            if let Some(label) = answer.answer.single().and_then(|label| task.index_of_id(label)) {
                by_item.entry(answer.item).or_default().insert(answer.expert, label);
            }
        }
        let mut expert_ids: Vec<ExpertId> = by_item.values().flat_map(BTreeMap::keys).copied().collect();
        expert_ids.sort_unstable();
        expert_ids.dedup();
        let experts = expert_ids
            .iter()
            .map(|expert| by_item.values().map(|given| given.get(expert).copied()).collect())
            .collect();
        Self { items: by_item.into_keys().collect(), expert_ids, experts }
    }

    /// The same answers on the cases that a model has predicted. `items` ascending, `probabilities` row after row, `labels[i]` the task's
    /// index of the model's label `i`; a prediction whose label the task no longer has is left out.
    pub fn predicted_by(
        &self,
        items: &[ItemId],
        probabilities: &[f32],
        labels: &[Option<usize>],
        kind: TaskKind,
    ) -> ModelAndExperts {
        let width = labels.len();
        let mut with_model =
            ModelAndExperts { experts: vec![Vec::new(); self.experts.len()], ..ModelAndExperts::default() };
        for (case, item) in self.items.iter().enumerate() {
            let row =
                items.binary_search(item).ok().and_then(|i| probabilities.get(i * width..(i + 1) * width));
            let top = row.and_then(|row| labels[Probabilities(row.to_vec()).top(kind)]);
            if let Some(label) = top {
                with_model.items.push(*item);
                with_model.model.push(label);
                for (out, expert) in with_model.experts.iter_mut().zip(&self.experts) {
                    out.push(expert[case]);
                }
            }
        }
        with_model
    }
}

/// First answers paired with those to the same cases shown again: `pairs[expert][case]`, as indices of the task's labels. `None` unless the
/// expert has given both.
pub fn pairs_of(
    first: &[BlindAnswer],
    again: &[BlindAnswer],
    task: &Task,
) -> Vec<Vec<Option<(usize, usize)>>> {
    let [first, again] = [first, again].map(|answers| AnswerMatrix::collect(answers, task));
    let pairs = |(name, row): (&ExpertId, &Vec<Option<usize>>)| {
        let before = first.expert_ids.binary_search(name).ok().map(|expert| &first.experts[expert]);
        let pair = |(item, again): (&ItemId, &Option<usize>)| {
            let case = first.items.binary_search(item).ok()?;
            before?[case].zip(*again)
        };
        again.items.iter().zip(row).map(pair).collect()
    };
    again.expert_ids.iter().zip(&again.experts).map(pairs).collect()
}

/// The task's index of each of a model's labels, which are stable keys.
pub fn labels_of(task: &Task, stable_keys: &[String]) -> Vec<Option<usize>> {
    stable_keys.iter().map(|key| task.index_of_id(key)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::answer::Answer;
    use crate::domain::split::Split;

    #[test]
    fn answers_become_a_row_for_each_expert_and_unpredicted_cases_fall_out() {
        let task =
            Task::from_toml("question='?'\n[[label]]\nname='a'\nkey='1'\n[[label]]\nname='b'\nkey='2'", "t")
                .unwrap();
        let answer = |item, expert, label: &str| BlindAnswer {
            item: ItemId(item),
            expert: ExpertId(expert),
            answer: Answer::one(label),
            split: Split::Eval,
            round: Some(1),
            inclusion: None,
        };
        let answers = [answer(5, 1, "a"), answer(3, 1, "b"), answer(5, 2, "b"), answer(9, 2, "gone")];
        let matrix = AnswerMatrix::collect(&answers, &task);
        assert_eq!(matrix.items, [ItemId(3), ItemId(5)]);
        assert_eq!(matrix.experts, [vec![Some(1), Some(0)], vec![None, Some(1)]]);
        // The model lists its labels the other way round.
        let labels = labels_of(&task, &["b".into(), "a".into()]);
        let with_model = matrix.predicted_by(&[ItemId(5)], &[0.3, 0.7], &labels, TaskKind::One);
        assert_eq!((with_model.model, with_model.experts), (vec![0], vec![vec![Some(0)], vec![Some(1)]]));
    }

    #[test]
    fn an_answer_again_is_paired_with_the_same_experts_first() {
        let task =
            Task::from_toml("question='?'\n[[label]]\nname='a'\nkey='1'\n[[label]]\nname='b'\nkey='2'", "t")
                .unwrap();
        let answer = |(item, expert, label): (i64, i64, &str)| BlindAnswer {
            item: ItemId(item),
            expert: ExpertId(expert),
            answer: Answer::one(label),
            split: Split::Eval,
            round: Some(1),
            inclusion: None,
        };
        let first = [(1, 1, "a"), (2, 1, "b"), (1, 2, "b"), (3, 2, "gone")].map(answer);
        let again = [(1, 1, "b"), (2, 1, "b"), (2, 2, "a"), (3, 2, "a")].map(answer);
        let pairs = pairs_of(&first, &again, &task);
        assert_eq!(pairs, [vec![Some((0, 1)), Some((1, 1)), None], vec![None, None, None]]);
    }
}
