//! The finish line: each target of the task with its figure, whether it is met, and what is missing.

use serde::Serialize;

use super::figures::Agreement;
use crate::domain::figure::Figure;
use crate::domain::grouped::counted;
use crate::domain::rule::Rule;
use crate::domain::task::Task;
use crate::stats::estimate::audit::Audit;

/// More answers than this are no plan.
const MOST: f64 = 100_000.0;

/// A target with what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TargetStatus {
    #[serde(flatten)]
    pub rule: Rule,
    /// What would probably show that it is met. `None` if it is met, or if answers alone would not show it.
    pub missing: Option<Missing>,
}

/// Answers that would narrow an interval until its lower end reaches the target, if the value stays where it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Missing {
    /// Answers in all, with as many test cases among them as so far.
    pub answers: usize,
    /// How long they take at the viewer's own pace, where that is known.
    pub minutes: Option<f64>,
}

/// The answers that may be spent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Budget {
    /// Answers given so far.
    pub spent: usize,
    /// The most that may be given.
    pub of: usize,
}

/// What targets are held against.
pub(crate) struct Measured<'a> {
    pub agreement: &'a Agreement,
    /// The model's agreement as a share of the experts' own.
    pub of_ceiling: &'a Figure,
    pub audit: &'a Audit,
    /// Answers so far.
    pub labels: usize,
    /// Seconds per case of the viewer.
    pub seconds: Option<f64>,
}

/// The rules that the task's targets make, without the budget.
pub(crate) fn rules(task: &Task, measured: &Measured<'_>) -> Vec<Rule> {
    let (target, kappa) = (&task.target, measured.agreement);
    let mut rules = Vec::new();
    if let Some(limit) = target.experts_kappa {
        let name = format!("{} of the experts with each other", task.kind.kappa());
        rules.push(Rule::at_least(name, limit, kappa.expert_expert.clone()));
    }
    if let Some(limit) = target.kappa {
        let name = format!("{} on the hard cases", task.kind.kappa());
        rules.push(Rule::at_least(name, limit, kappa.model_expert.clone()));
    }
    if let Some(limit) = target.of_ceiling {
        let name = "share of the experts' own agreement";
        rules.push(Rule::at_least(name, limit, measured.of_ceiling.clone()));
    }
    for (name, of) in [("recall", &target.recall), ("precision", &target.precision)] {
        for (key, limit) in of {
            let at = task.index_of_id(key);
            let figure = at.and_then(|at| measured.audit.labels.get(at)).map_or_else(
                || Figure::undefined("the task has no such label"),
                |label| if name == "recall" { label.recall.clone() } else { label.precision.clone() },
            );
            let label = at.map_or(key, |at| &task.labels[at].name);
            rules.push(Rule::at_least(format!("{name} of '{label}' in the whole pool"), *limit, figure));
        }
    }
    rules
}

/// Every target, in the order of the task's table.
pub(crate) fn targets(task: &Task, measured: &Measured<'_>) -> Vec<TargetStatus> {
    let with_missing = |rule: Rule| TargetStatus {
        missing: missing(&rule.measured, rule.limit, measured.labels, measured.seconds),
        rule,
    };
    rules(task, measured).into_iter().map(with_missing).collect()
}

impl Budget {
    pub(crate) fn of(task: &Task, spent: usize) -> Option<Self> {
        task.target.answers.map(|of| Self { spent, of })
    }

    pub fn is_spent(self) -> bool {
        self.spent >= self.of
    }
}

impl std::fmt::Display for Budget {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of at most {} given", counted(self.spent, "answer", "answers"), self.of)
    }
}

/// An interval narrows with the square root of its cases, and cases come with answers in the same ratio as so far.
fn missing(figure: &Figure, limit: f64, labels: usize, seconds: Option<f64>) -> Option<Missing> {
    let Figure::Known { value, lo, .. } = figure else { return None };
    if *lo >= limit || *value <= limit || labels == 0 {
        return None;
    }
    let times = ((value - lo) / (value - limit)).powi(2);
    let answers = (labels as f64 * (times - 1.0) - 1e-6).ceil().max(1.0);
    if answers > MOST {
        return None;
    }
    Some(Missing { answers: answers as usize, minutes: seconds.map(|s| answers * s / 60.0) })
}

impl TargetStatus {
    /// What is missing, as a sentence without its full stop; nothing where the target is met or has no figure yet.
    pub fn what_is_missing(&self) -> Option<String> {
        let Figure::Known { value, .. } = self.rule.measured else { return None };
        if self.rule.is_met() {
            return None;
        }
        Some(match self.missing {
            Some(Missing { answers, minutes }) => {
                let time = minutes.map(|m| format!(", {} at your pace", about(60.0 * m))).unwrap_or_default();
                format!(
                    "about {} more would show it if the value stays as it is{time}",
                    counted(answers, "answer", "answers")
                )
            }
            None if value <= self.rule.limit => {
                "counting more cases would not be enough: the value itself must rise".into()
            }
            None => "so close to its target that no number of answers can be named".into(),
        })
    }
}

/// Seconds, as roughly as they are known.
pub fn about(seconds: f64) -> String {
    let minutes = (seconds.max(0.0) / 60.0).round() as u64;
    match minutes {
        0 => "under a minute".into(),
        m if m < 60 => format!("about {m} min"),
        m => {
            let tens = (m + 5) / 10;
            match tens % 6 {
                0 => format!("about {} h", tens / 6),
                rest => format!("about {} h {rest}0 min", tens / 6),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rule::Verdict;
    use crate::domain::task_kind::TaskKind;
    use crate::stats::estimate::audit::LabelAudit;

    fn figure(value: f64, lo: f64, n: usize) -> Figure {
        Figure::Known { value, lo, hi: 1.0, n }
    }

    #[test]
    fn what_is_missing_is_reckoned_from_the_interval() {
        // Half of the width is needed, so four times the answers.
        let missing_of = |figure: &Figure| missing(figure, 0.8, 100, Some(6.0));
        assert_eq!(missing_of(&figure(0.9, 0.7, 30)), Some(Missing { answers: 300, minutes: Some(30.0) }));
        assert_eq!(missing_of(&figure(0.9, 0.8, 30)), None, "met");
        assert_eq!(missing_of(&figure(0.8, 0.7, 30)), None, "answers alone would not show it");
        assert_eq!(missing_of(&Figure::undefined("-")), None);
        let says = |figure| {
            let rule = Rule::at_least("kappa", 0.8, figure);
            let missing = missing(&rule.measured, rule.limit, 100, Some(6.0));
            TargetStatus { rule, missing }.what_is_missing()
        };
        assert_eq!(
            says(figure(0.9, 0.7, 30)).unwrap(),
            "about 300 answers more would show it if the value stays as it is, about 30 min at your pace"
        );
        assert!(says(figure(0.7, 0.6, 30)).unwrap().ends_with("the value itself must rise"));
        assert_eq!(says(figure(0.9, 0.85, 30)), None);
    }

    #[test]
    fn every_target_has_its_own_figure_and_only_lower_ends_meet_it() {
        let text = "question='?'\n[target]\nkappa=0.7\nof_ceiling=0.9\nexperts_kappa=0.6\nrecall.spam=0.9\nprecision.ham=0.8\nanswers=50\n\
                    [[label]]\nname='ham'\n[[label]]\nname='spam'\n";
        let task = Task::from_toml(text, "t").unwrap();
        let none = || Figure::undefined("-");
        let label = |recall, precision| LabelAudit { precision, recall, f1: none(), prevalence: none() };
        let agreement = Agreement {
            kind: TaskKind::One,
            model_error: None,
            experts_error: None,
            model_expert: figure(0.9, 0.69, 60),
            expert_expert: figure(0.8, 0.61, 40),
            self_agreement: none(),
            model_on_shared: none(),
            ac1: none(),
            f1: Vec::new(),
            several: None,
        };
        let audit = Audit {
            n: 80,
            accuracy: none(),
            kappa: none(),
            absolute_error: None,
            ac1: none(),
            labels: vec![label(none(), figure(0.9, 0.8, 20)), label(figure(0.99, 0.89, 20), none())],
        };
        let of_ceiling = none();
        let measured = Measured {
            agreement: &agreement,
            of_ceiling: &of_ceiling,
            audit: &audit,
            labels: 50,
            seconds: None,
        };
        let found: Vec<(String, Verdict)> =
            rules(&task, &measured).into_iter().map(|rule| (rule.rule.clone(), rule.verdict)).collect();
        let of = |name: &str| found.iter().find(|(rule, _)| rule.starts_with(name)).unwrap().1;
        assert_eq!(of("kappa of the experts"), Verdict::Met);
        assert_eq!(of("kappa on the hard cases"), Verdict::NotMet, "0.9 with 0.69 as its lower end");
        assert_eq!(of("share of the experts"), Verdict::Unknown);
        assert_eq!(of("recall of 'spam'"), Verdict::NotMet);
        assert_eq!(of("precision of 'ham'"), Verdict::Met);
        assert_eq!(found.len(), 5);
        let budget = Budget::of(&task, 49).unwrap();
        assert!(!budget.is_spent() && Budget { spent: 50, ..budget }.is_spent());
        assert_eq!(budget.to_string(), "49 answers of at most 50 given");
    }
}
