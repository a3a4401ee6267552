//! How good labels and predictions are, in one line each: for a person who is about to hand them on.

use super::status::Status;
use crate::domain::figure::Figure;
use crate::domain::grouped::counted;
use crate::domain::task_kind::TaskKind;

/// A line on what people gave, and one on what the model says. Each names its n and interval, or that nothing is known yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quality {
    pub labels: String,
    pub predictions: String,
}

impl Quality {
    pub fn of(status: &Status) -> Self {
        let people = (status.labels, status.experts);
        let (experts, own) = (&status.kappa.expert_expert, &status.kappa.self_agreement);
        let (audit, on_evaluation) = (&status.audit.kappa, &status.kappa.model_expert);
        let kind = status.kappa.kind;
        Self {
            labels: labels(people, experts, own, kind),
            predictions: predictions(audit, on_evaluation, kind),
        }
    }
}

fn labels((answers, people): (usize, usize), experts: &Figure, own: &Figure, kind: TaskKind) -> String {
    let kappa = kind.kappa();
    if answers == 0 {
        return "Nothing is labelled yet.".into();
    }
    let by = format!("{} by {}", counted(answers, "answer", "answers"), counted(people, "person", "people"));
    match (experts, own) {
        (Figure::Known { .. }, _) => format!("{by}; they agree with each other, {kappa} {experts}."),
        (_, Figure::Known { .. }) => {
            format!("{by}; people agree with their own earlier answers, {kappa} {own}.")
        }
        _ => format!("{by}; how far people agree is not known yet: too few cases were answered twice."),
    }
}

fn predictions(audit: &Figure, on_evaluation: &Figure, kind: TaskKind) -> String {
    let kappa = kind.kappa();
    match (audit, on_evaluation) {
        (Figure::Known { .. }, _) => {
            format!("The model agrees with people on texts drawn at random, {kappa} {audit}.")
        }
        (_, Figure::Known { .. }) => {
            format!(
                "The model agrees with people on hard cases, {kappa} {on_evaluation}; on texts drawn at random it is not \
                 known yet."
            )
        }
        _ => "How good the model is, is not known yet: too few test cases are answered.".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_figure_that_exists_is_named_with_its_n_and_else_that_there_is_none() {
        let known = Figure::Known { value: 0.81, lo: 0.7, hi: 0.9, n: 40 };
        let none = Figure::undefined("no");
        assert_eq!(labels((0, 0), &none, &none, TaskKind::One), "Nothing is labelled yet.");
        assert_eq!(
            labels((60, 2), &known, &none, TaskKind::One),
            "60 answers by 2 people; they agree with each other, kappa 0.81 (0.70 to 0.90, n = 40)."
        );
        assert!(
            labels((60, 1), &none, &known, TaskKind::One)
                .contains("by 1 person; people agree with their own earlier")
        );
        assert!(
            labels((1, 1), &none, &none, TaskKind::One)
                .starts_with("1 answer by 1 person; how far people agree is not")
        );
        assert!(
            predictions(&known, &none, TaskKind::One)
                .contains("at random, kappa 0.81 (0.70 to 0.90, n = 40)")
        );
        assert!(predictions(&none, &known, TaskKind::One).contains("on hard cases, kappa 0.81"));
        assert!(predictions(&none, &none, TaskKind::One).contains("not known yet"));
    }
}
