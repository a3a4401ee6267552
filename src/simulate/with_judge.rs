//! What every model came to in a simulation of the whole loop with a language model. The loop itself goes through the verbs of a project, which are not
//! this room's: the caller records here what each model says, seed by seed.

use std::fmt::Write as _;

use serde::Serialize;

use super::report::kappas;
use crate::domain::task_kind::TaskKind;
use crate::stats::agreement::kappa::cohen;
use crate::stats::estimate::seeds::Spread;

/// The report of `simulate --judge`.
#[derive(Default, Serialize)]
pub struct WithJudge {
    /// The language model.
    pub judge: String,
    /// Texts with a gold label.
    pub texts: usize,
    /// Labels of the task.
    pub labels: usize,
    /// Runs that have ended.
    pub seeds: usize,
    /// Answers given in each.
    pub answers: usize,
    rows: Vec<Row>,
    /// What is asked for: of a scale, every kappa is the weighted one.
    #[serde(skip_serializing_if = "TaskKind::is_one")]
    pub kind: TaskKind,
    /// The next row of the run.
    #[serde(skip)]
    at: usize,
}

/// One model after one step.
#[derive(Serialize)]
struct Row {
    when: &'static str,
    model: &'static str,
    /// One a seed that has one.
    kappas: Vec<f64>,
    /// Their mean and its interval; none where no seed has one.
    kappa: Option<Spread>,
    /// Seconds since the row before, the mean over the seeds.
    seconds: f64,
    #[serde(skip)]
    took: Vec<f64>,
}

impl WithJudge {
    /// Another seed begins.
    pub fn begin(&mut self) {
        self.at = 0;
    }

    /// A model's labels with the gold labels of the texts that nobody has labelled; none where it cannot say.
    pub fn record(
        &mut self,
        when: &'static str,
        model: &'static str,
        pairs: Option<&[(usize, usize)]>,
        seconds: f64,
    ) {
        let kind = self.kind;
        let same = |row: &Row| row.when == when && row.model == model;
        let at = self.rows.iter().position(same).unwrap_or_else(|| {
            let at = self.at.min(self.rows.len());
            let row = Row { when, model, kappas: Vec::new(), kappa: None, seconds: 0.0, took: Vec::new() };
            self.rows.insert(at, row);
            at
        });
        let row = &mut self.rows[at];
        row.kappas.extend(pairs.and_then(|pairs| cohen(pairs, kind).ok()));
        row.kappa = kappas(&row.kappas);
        row.took.push(seconds);
        row.seconds = row.took.iter().sum::<f64>() / row.took.len() as f64;
        self.at = at + 1;
    }
}

impl std::fmt::Display for WithJudge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { judge, texts, labels, seeds, answers, kind, .. } = self;
        let kappa = match kind {
            TaskKind::One | TaskKind::Several => "Kappa",
            TaskKind::Scale => "Weighted kappa",
        };
        writeln!(
            f,
            "{judge}: {texts} texts, {labels} labels, {answers} answers, {seeds} seeds. {kappa} with the gold labels of the texts that nobody has labelled, \
             mean and 95 % interval; seconds since the line before"
        )?;
        let mut lines = String::new();
        for row in &self.rows {
            let kappa = match row.kappa {
                None => "-".to_owned(),
                Some(s) if s.n > 1 => format!("{:.3} ({:.3} to {:.3})", s.mean, s.lo, s.hi),
                Some(s) => format!("{:.3}", s.mean),
            };
            let _ = writeln!(lines, "{:<20} {:<22} {kappa:<26} {:>6.0} s", row.when, row.model, row.seconds);
        }
        f.write_str(lines.trim_end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_a_seed_has_not_stands_in_its_place_and_counts_where_it_is() {
        let mut report = WithJudge::default();
        let right = [(0, 0), (1, 1)];
        report.record("first", "scout", Some(&right), 1.0);
        report.record("last", "scout", Some(&[(0, 1), (1, 0)]), 1.0);
        report.begin();
        report.record("first", "scout", Some(&right), 3.0);
        report.record("between", "judge", None, 1.0);
        report.record("last", "scout", Some(&right), 1.0);
        let order: Vec<&str> = report.rows.iter().map(|row| row.when).collect();
        assert_eq!(order, ["first", "between", "last"]);
        assert_eq!((report.rows[0].seconds, report.rows[0].kappas.len()), (2.0, 2));
        assert!(report.rows[1].kappa.is_none() && report.rows[2].kappa.unwrap().mean == 0.0);
        assert!(report.to_string().contains("between              judge                  - "), "{report}");
    }
}
