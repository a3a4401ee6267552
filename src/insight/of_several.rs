//! What is measured on the evaluation cases where a text may have several labels, beyond what every kind of task has: each label by itself, and F1 of sets.

use serde::Serialize;

use crate::domain::figure::Figure;
use crate::domain::task::Task;
use crate::stats::agreement::answer_matrix::{AnswerMatrix, ModelAndExperts};
use crate::stats::agreement::kappa::{by_label_between_experts, by_label_with_experts};
use crate::stats::classifier::set_scores::mean_f1_of_sets;

/// Lists have an entry per label, in the order of the task.
#[derive(Clone, Debug, Serialize)]
pub struct OfSeveral {
    /// Cohen's kappa of the active model with the experts on each label, a yes or no, the mean over experts.
    pub model_expert: Vec<Figure>,
    /// The same of the experts with each other, the mean over pairs of experts.
    pub expert_expert: Vec<Figure>,
    /// F1 of the active model against the experts, the mean over them: each label of each text counts once.
    pub micro_f1: Figure,
    /// The mean of the labels' F1.
    pub macro_f1: Figure,
}

impl OfSeveral {
    /// Of answers, and of the same next to a model's where there is one.
    pub(crate) fn of(
        answers: &AnswerMatrix,
        model: Option<&ModelAndExperts>,
        task: &Task,
        seed: u64,
    ) -> Self {
        let labels = task.labels.len();
        let none = || Figure::undefined("no text has a prelabel");
        let (model_expert, [micro_f1, macro_f1]) = match model {
            None => (vec![none(); labels], [none(), none()]),
            Some(both) => (
                by_label_with_experts(&both.model, &both.experts, labels, seed),
                mean_f1_of_sets(&both.model, &both.experts, labels, seed),
            ),
        };
        let expert_expert = by_label_between_experts(&answers.experts, labels, seed);
        Self { model_expert, expert_expert, micro_f1, macro_f1 }
    }
}
