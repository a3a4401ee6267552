//! Turns stored answers into the matrices that agreement is computed from: a row per expert, a column per case.

use std::collections::BTreeMap;

use crate::domain::answer::BlindAnswer;
use crate::domain::ids::{ExpertId, ItemId};
use crate::domain::label_set::LabelSet;
use crate::domain::predictor::Predictor;
use crate::domain::task::Task;
use crate::domain::task_kind::TaskKind;

/// Experts' answers to the same cases, as the places of their labels in the task. Answers with a label that the task no longer has are left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct AnswerMatrix {
    /// The cases' items, ascending.
    pub items: Vec<ItemId>,
    /// One per row of `experts`, ascending.
    pub expert_ids: Vec<ExpertId>,
    /// `experts[expert][case]`.
    pub experts: Vec<Vec<Option<LabelSet>>>,
}

/// The same answers next to a model's labels, on the cases that the model has predicted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ModelAndExperts {
    /// The cases' items, ascending.
    pub items: Vec<ItemId>,
    /// `model[case]`.
    pub model: Vec<LabelSet>,
    /// `experts[expert][case]`.
    pub experts: Vec<Vec<Option<LabelSet>>>,
}

impl AnswerMatrix {
    /// Collects answers by case and expert.
    pub fn collect(answers: &[BlindAnswer], task: &Task) -> Self {
        let mut by_item: BTreeMap<ItemId, BTreeMap<ExpertId, LabelSet>> = BTreeMap::new();
        for answer in answers {
            if let Some(set) = task.set_of(&answer.answer) {
                by_item.entry(answer.item).or_default().insert(answer.expert, set);
            }
        }
        let mut expert_ids: Vec<ExpertId> = by_item.values().flat_map(BTreeMap::keys).copied().collect();
        expert_ids.sort_unstable();
        expert_ids.dedup();
        let experts = expert_ids
            .iter()
            .map(|expert| by_item.values().map(|given| given.get(expert).cloned()).collect())
            .collect();
        Self { items: by_item.into_keys().collect(), expert_ids, experts }
    }

    /// The same answers on the cases that a model has predicted. `items` ascending, `probabilities` row after row. Of one label each, a prediction whose
    /// label the task no longer has is left out.
    pub fn predicted_by(
        &self,
        items: &[ItemId],
        probabilities: &[f32],
        predictor: &Predictor,
        task: &Task,
    ) -> ModelAndExperts {
        let (width, known) = (predictor.labels.len(), labels_of(task, &predictor.labels));
        let mut with_model =
            ModelAndExperts { experts: vec![Vec::new(); self.experts.len()], ..ModelAndExperts::default() };
        for (case, item) in self.items.iter().enumerate() {
            let row =
                items.binary_search(item).ok().and_then(|i| probabilities.get(i * width..(i + 1) * width));
            if let Some(set) = row.and_then(|row| predicted(predictor, &known, task.kind, row)) {
                with_model.items.push(*item);
                with_model.model.push(set);
                for (out, expert) in with_model.experts.iter_mut().zip(&self.experts) {
                    out.push(expert[case].clone());
                }
            }
        }
        with_model
    }
}

/// What a model says of a text with these probabilities, by the places of its labels in the task; `known` is [`labels_of`] the task. `None` where one label is
/// asked for and the task no longer has it; of several, such a label is left out.
pub fn predicted(
    predictor: &Predictor,
    known: &[Option<usize>],
    kind: TaskKind,
    probabilities: &[f32],
) -> Option<LabelSet> {
    let said = predictor.decide(kind, probabilities);
    let places: LabelSet = said.places().filter_map(|at| known.get(at).copied().flatten()).collect();
    (kind.is_several() || !places.is_empty()).then_some(places)
}

/// The places of single labels; none of an answer that gives none or several.
pub fn single_labels(row: &[Option<LabelSet>]) -> Vec<Option<usize>> {
    row.iter().map(|answer| answer.as_ref()?.single()).collect()
}

/// First answers paired with those to the same cases shown again: `pairs[expert][case]`. `None` unless the
/// expert has given both.
pub fn pairs_of(
    first: &[BlindAnswer],
    again: &[BlindAnswer],
    task: &Task,
) -> Vec<Vec<Option<(LabelSet, LabelSet)>>> {
    let [first, again] = [first, again].map(|answers| AnswerMatrix::collect(answers, task));
    let pairs = |(name, row): (&ExpertId, &Vec<Option<LabelSet>>)| {
        let before = first.expert_ids.binary_search(name).ok().map(|expert| &first.experts[expert]);
        let pair = |(item, again): (&ItemId, &Option<LabelSet>)| {
            let case = first.items.binary_search(item).ok()?;
            before?[case].clone().zip(again.clone())
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
    use crate::domain::ids::{AdapterId, ModelId, PredictorId, RevisionId};
    use crate::domain::predictor::Method;
    use crate::domain::split::Split;

    fn set(places: &[usize]) -> LabelSet {
        places.iter().copied().collect()
    }

    fn predictor(labels: &[&str]) -> Predictor {
        Predictor {
            id: PredictorId(1),
            method: Method::Head(AdapterId(1)),
            model: ModelId(1),
            revision: RevisionId(1),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            created_ms: 0,
        }
    }

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
        let given = |label: usize| Some(set(&[label]));
        assert_eq!(matrix.experts, [vec![given(1), given(0)], vec![None, given(1)]]);
        // The model lists its labels the other way round.
        let with_model = matrix.predicted_by(&[ItemId(5)], &[0.3, 0.7], &predictor(&["b", "a"]), &task);
        assert_eq!(
            (with_model.model, with_model.experts),
            (vec![set(&[0])], vec![vec![given(0)], vec![given(1)]])
        );
        let gone = matrix.predicted_by(&[ItemId(5)], &[0.3, 0.7], &predictor(&["b", "gone"]), &task);
        assert_eq!(gone.model, []);
    }

    #[test]
    fn of_several_labels_none_is_an_answer_and_a_label_that_is_gone_leaves_a_prediction() {
        let task = Task::from_toml(
            "question='?'\nkind='several'\n[[label]]\nname='a'\nkey='1'\n[[label]]\nname='b'\nkey='2'",
            "t",
        )
        .unwrap();
        let answer = |item, labels: &[&str]| BlindAnswer {
            item: ItemId(item),
            expert: ExpertId(1),
            answer: Answer::of(labels.iter().copied()),
            split: Split::Eval,
            round: Some(1),
            inclusion: None,
        };
        let answers = [answer(1, &["a", "b"]), answer(2, &[]), answer(3, &["a", "gone"]), answer(4, &["b"])];
        let matrix = AnswerMatrix::collect(&answers, &task);
        assert_eq!(matrix.experts, [vec![Some(set(&[0, 1])), Some(set(&[])), Some(set(&[1]))]]);
        let said = [0.9, 0.1, 0.6, 0.2, 0.7, 0.3, 0.1, 0.9, 0.1];
        let items = [ItemId(1), ItemId(2), ItemId(4)];
        let with_model = matrix.predicted_by(&items, &said, &predictor(&["b", "gone", "a"]), &task);
        assert_eq!(with_model.model, [set(&[0, 1]), set(&[]), set(&[])]);
        assert_eq!(with_model.items, items);
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
        let both = |one: usize, other: usize| Some((set(&[one]), set(&[other])));
        assert_eq!(pairs, [vec![both(0, 1), both(1, 1), None], vec![None, None, None]]);
    }
}
