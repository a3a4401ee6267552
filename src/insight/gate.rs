//! What `check` asks of a project: rules of the command line and of the task's targets, held against the project's own figures.

use std::path::Path;

use super::ceiling::WORTH_A_ROUND;
use super::figures::Figures;
use super::targets::{Budget, Measured, rules};
use super::viewer::Viewer;
use crate::domain::fault::{Fault, Result};
use crate::domain::figure::Figure;
use crate::domain::rule::Rule;
use crate::domain::target::Targets;
use crate::store::{Access, Store};

/// By how much less than an earlier model's kappa is not worse, unless something else is asked for: what a round would have to add to be worth it.
pub const MARGIN: f64 = WORTH_A_ROUND;

/// What is asked of a project.
#[derive(Clone, Debug, Default)]
pub struct GateOptions {
    /// Asked for on the command line; each wins over the same target of the task. Labels are named as a person names them.
    pub targets: Targets,
    /// The number of an earlier model's adapter.
    pub no_worse_than: Option<i64>,
    /// How much less kappa is not worse, above 0.
    pub margin: f64,
    /// Whether kappa, recall and precision are measured on a file of texts instead.
    pub on_file: bool,
}

/// The rules with what was measured in the project, and all that is asked for, labels by their stable keys.
pub struct Gate {
    pub rules: Vec<Rule>,
    pub targets: Targets,
}

/// Holds the project's figures, as the expert of this name may see them, against what is asked for. Writes nothing.
///
/// # Errors
/// A usage fault for a limit or a label that cannot be, or a model that is not there.
pub fn gate(project: &Path, expert: &str, options: &GateOptions) -> Result<Gate> {
    let store = Store::open(project, Access::Read)?;
    let attempted = "check the project by these rules";
    let mut task = store.task()?.task;
    let asked = options.targets.clone().checked(&task.ids_and_names()).map_err(|why| {
        Fault::usage(attempted, why)
            .hint("`hardcase task FILE --show` has the labels; limits lie between 0 and 1")
    })?;
    if !(options.margin > 0.0 && options.margin < 1.0) {
        let why = format!("the margin is {}, but must be above 0 and below 1", options.margin);
        return Err(Fault::usage(attempted, why).hint("Leave --margin out for 0.05"));
    }
    task.target = overlaid(std::mem::take(&mut task.target), asked);
    let targets = task.target.clone();
    if options.on_file {
        task.target.kappa = None;
        task.target.recall.clear();
        task.target.precision.clear();
    }
    let viewer = Viewer::read(&store, expert)?;
    let active = store.active_predictor()?;
    let active = active.as_ref();
    let figures = Figures::read(&store, &task, &viewer)?;
    let agreement = figures.agreement(active)?;
    let labels = store.label_count()?;
    let mut rules = rules(
        &task,
        &Measured {
            of_ceiling: &figures.of_ceiling(active, &agreement)?,
            agreement: &agreement,
            audit: &figures.audit(active)?,
            labels,
            seconds: None,
        },
    );
    if let Some(Budget { spent, of }) = Budget::of(&task, labels) {
        let exact = spent as f64;
        let measured = Figure::Known { value: exact, lo: exact, hi: exact, n: spent };
        rules.push(Rule::at_most("answers given", of as f64, measured).because("they are counted"));
    }
    if let Some(number) = options.no_worse_than {
        let name = format!("difference in {} from model {number}", task.kind.kappa());
        let none = || {
            Fault::usage(
                format!("compare the active model with model {number}"),
                "the project has no such model",
            )
            .hint("`hardcase adapter FILE list` has their numbers")
        };
        let active = active.ok_or_else(none)?;
        let is_itself = !active.is_combined() && active.adapter().is_some_and(|adapter| adapter.0 == number);
        let (difference, on) = if is_itself {
            (Figure::undefined("it is the active model itself"), "it is the active model itself".to_owned())
        } else {
            figures.against(active.id, number)?.ok_or_else(none)?
        };
        let rule = Rule::at_least(name, -options.margin, difference);
        let why = match &rule.measured {
            Figure::Known { .. } => format!("{}, {on}", rule.why),
            Figure::Undefined { undefined } => undefined.clone(),
        };
        rules.push(rule.because(why));
    }
    store.check_countable("check the project")?;
    Ok(Gate { rules, targets })
}

/// The task's targets, and over them what is asked for now.
fn overlaid(of_task: Targets, asked: Targets) -> Targets {
    let Targets { kappa, of_ceiling, recall, precision, answers, experts_kappa } = asked;
    let mut all = of_task;
    all.recall.extend(recall);
    all.precision.extend(precision);
    Targets {
        kappa: kappa.or(all.kappa),
        of_ceiling: of_ceiling.or(all.of_ceiling),
        answers: answers.or(all.answers),
        experts_kappa: experts_kappa.or(all.experts_kappa),
        ..all
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_asked_for_now_wins_over_the_task() {
        let of = |kappa, recall: &[(&str, f64)]| Targets {
            kappa,
            recall: recall.iter().map(|(label, v)| ((*label).to_owned(), *v)).collect(),
            ..Targets::default()
        };
        let all = overlaid(of(Some(0.7), &[("a", 0.8), ("b", 0.8)]), of(None, &[("b", 0.9)]));
        assert_eq!(all, of(Some(0.7), &[("a", 0.8), ("b", 0.9)]));
        assert_eq!(overlaid(of(Some(0.7), &[]), of(Some(0.6), &[])).kappa, Some(0.6));
    }
}
