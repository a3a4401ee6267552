//! `check`: a gate for a model and its labels, before they are used. The project does not change.

#[cfg(feature = "engine")]
use std::num::NonZeroUsize;
use std::path::PathBuf;

use serde::Serialize;

#[cfg(feature = "engine")]
use super::models::named_file;
use super::output::{print, print_json, sanitize};
use super::setting::Setting;
use crate::domain::fault::{Fault, FaultKind, Result};
use crate::domain::grouped::counted;
use crate::domain::read_options::ReadOptions;
use crate::domain::rule::{Rule, Verdict};
use crate::domain::target::Targets;
use crate::exchange::test_files::{OnFiles, Robustness, TestFiles, on_files};
use crate::insight::gate::{GateOptions, MARGIN, gate};

#[derive(clap::Args)]
pub(super) struct Check {
    /// The project file; it does not change
    file: PathBuf,
    /// Least agreement of the model with the experts on the hard cases, as Cohen's kappa; with --gold, on that file
    #[arg(long, value_name = "K")]
    kappa: Option<f64>,
    /// The same as a share of the experts' own agreement, 0 to 1
    #[arg(long, value_name = "SHARE")]
    of_ceiling: Option<f64>,
    /// Least agreement of the experts with each other, as Cohen's kappa
    #[arg(long, value_name = "K")]
    experts_kappa: Option<f64>,
    /// Least share of the texts of a label that the model finds, in the whole pool; with --gold, on that file. May be repeated
    #[arg(long, value_name = "LABEL=SHARE", value_parser = label_and_share)]
    recall: Vec<(String, f64)>,
    /// Least share of what the model gives a label that has it, measured as recall is. May be repeated
    #[arg(long, value_name = "LABEL=SHARE", value_parser = label_and_share)]
    precision: Vec<(String, f64)>,
    /// A file of texts with known labels that taught nobody: kappa, recall and precision are measured on it
    #[arg(long, value_name = "DATA")]
    gold: Option<PathBuf>,
    /// A file of texts that must all get their known label
    #[arg(long, value_name = "DATA")]
    must_pass: Option<PathBuf>,
    /// Least share of answers that stay where the texts of --must-pass get typing errors, other capitals, spaces, look-alike letters or a link
    #[arg(long, value_name = "SHARE", requires = "must_pass", value_parser = share)]
    robustness: Option<f64>,
    /// Column with the known labels in these files
    #[arg(long, value_name = "COL", default_value = "label")]
    label: String,
    /// Column with the text in these files, by name or number [default: detected]
    #[arg(long, value_name = "COL")]
    text: Vec<String>,
    /// The active model may not be worse than this earlier one, by the number that `adapter FILE list` shows
    #[arg(long, value_name = "N")]
    no_worse_than: Option<i64>,
    /// By how much less kappa it is not worse
    #[arg(long, value_name = "K", default_value_t = MARGIN)]
    margin: f64,
    /// Longest that the model may take for one text, such as 20ms
    #[arg(long, value_name = "TIME", value_parser = milliseconds)]
    latency: Option<f64>,
    /// The model that the project was scouted with, if its file has moved
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Number of threads [default: one per core]
    #[cfg(feature = "engine")]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

/// What `--json` prints.
#[derive(Serialize)]
struct Report {
    passed: bool,
    rules: Vec<Rule>,
    robustness: Option<Robustness>,
    notes: Vec<String>,
}

impl Check {
    /// Whether texts are to be scored.
    pub fn needs_model(&self) -> bool {
        self.gold.is_some() || self.must_pass.is_some() || self.latency.is_some()
    }

    pub fn run(self, setting: &Setting) -> Result<()> {
        let needs_model = self.needs_model();
        let reader = setting.expert_on(&self.file)?;
        let asked = Targets {
            kappa: self.kappa,
            of_ceiling: self.of_ceiling,
            recall: self.recall.into_iter().collect(),
            precision: self.precision.into_iter().collect(),
            answers: None,
            experts_kappa: self.experts_kappa,
        };
        let options = GateOptions {
            targets: asked,
            no_worse_than: self.no_worse_than,
            margin: self.margin,
            on_file: self.gold.is_some(),
        };
        let of_project = gate(&self.file, &reader, &options)?;
        let of_files = &of_project.targets;
        let measures =
            of_files.kappa.is_some() || !of_files.recall.is_empty() || !of_files.precision.is_empty();
        if self.gold.is_some() && !measures {
            return Err(Fault::usage("check the model on --gold", "no rule is measured on that file")
                .hint("Add --kappa, --recall or --precision, or set them as [target] in the task"));
        }
        let mut rules = of_project.rules;
        let mut found = OnFiles::default();
        if needs_model {
            let files = TestFiles {
                gold: self.gold,
                must_pass: self.must_pass,
                read: ReadOptions { gold: Some(self.label), text: self.text, ..ReadOptions::default() },
                targets: of_project.targets,
                robustness: self.robustness,
                latency: self.latency,
                reader,
                seed: setting.seed,
            };
            setting.watch.prepare();
            #[cfg(feature = "engine")]
            let model = setting.scout_model(named_file(self.model)?, self.threads);
            found = on_files(
                &self.file,
                &files,
                #[cfg(feature = "engine")]
                &model,
                &setting.watch,
            )?;
        }
        rules.append(&mut found.rules);
        if rules.is_empty() {
            return Err(Fault::usage(format!("check {}", self.file.display()), "there is no rule to check")
                .hint("Give one, such as --kappa 0.75, or set a [target] in the task"));
        }
        let report = Report {
            passed: rules.iter().all(Rule::is_met),
            rules,
            robustness: found.robustness,
            notes: found.notes,
        };
        if setting.wants_json() {
            print_json(&report)?;
        } else {
            report.print()?;
        }
        report.verdict()
    }
}

impl Report {
    fn print(&self) -> Result<()> {
        for rule in &self.rules {
            let sign = match rule.verdict {
                Verdict::Met => "ok  ",
                Verdict::NotMet => "BAD ",
                Verdict::Unknown => "?   ",
            };
            print(&format!("{sign} {}", sanitize(&rule.to_string())))?;
        }
        if let Some(Robustness { all, by_change }) = &self.robustness {
            print(&format!("     answers that stay in changed copies: {all}"))?;
            for (change, figure) in by_change {
                print(&format!("       {:<19} {figure}", change.as_str()))?;
            }
        }
        self.notes.iter().try_for_each(|note| print(&format!("     {}", sanitize(note))))
    }

    /// What cannot be told does not pass.
    fn verdict(&self) -> Result<()> {
        if self.passed {
            return Ok(());
        }
        let of = |verdict| self.rules.iter().filter(|rule| rule.verdict == verdict).count();
        let why = [(of(Verdict::NotMet), "not met"), (of(Verdict::Unknown), "cannot be told")];
        let why: Vec<String> =
            why.iter().filter(|(n, _)| *n > 0).map(|(n, what)| format!("{n} {what}")).collect();
        let rules = counted(self.rules.len(), "rule", "rules");
        Err(Fault::new("pass the check", format!("of {rules}, {}", why.join(" and ")))
            .kind(FaultKind::Check)
            .hint("Each line above says why; what cannot be told does not pass"))
    }
}

/// Parses `spam=0.9`. A label's name may have an equals sign in it.
fn label_and_share(text: &str) -> std::result::Result<(String, f64), String> {
    let unclear = || "give a label and a share, such as spam=0.9".to_owned();
    let (label, number) = text.rsplit_once('=').ok_or_else(unclear)?;
    let label = label.trim();
    if label.is_empty() {
        return Err(unclear());
    }
    Ok((label.to_owned(), number.trim().parse().map_err(|_| unclear())?))
}

fn share(text: &str) -> std::result::Result<f64, String> {
    let number: f64 = text.parse().map_err(|_| "give a number, such as 0.9".to_owned())?;
    if number > 0.0 && number <= 1.0 { Ok(number) } else { Err("give a number above 0 and at most 1".into()) }
}

/// Parses `20ms`, `0.5s`.
fn milliseconds(text: &str) -> std::result::Result<f64, String> {
    let unclear = || "give a number with its unit, such as 20ms or 0.5s".to_owned();
    let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1.0),
        (None, Some(number)) => (number, 1_000.0),
        (None, None) => return Err(unclear()),
    };
    let number: f64 = number.trim().parse().map_err(|_| unclear())?;
    if number > 0.0 && number.is_finite() { Ok(number * unit) } else { Err(unclear()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::figure::Figure;

    #[test]
    fn limits_are_read_as_people_write_them() {
        assert_eq!(label_and_share("a=b=0.9"), Ok(("a=b".into(), 0.9)));
        assert!(["spam", "=0.9", "spam=much"].iter().all(|wrong| label_and_share(wrong).is_err()));
        assert_eq!([milliseconds("20ms"), milliseconds("0.5s")], [Ok(20.0), Ok(500.0)]);
        assert!(["20", "ms", "-1ms", "0s", "infs", "soon"].iter().all(|wrong| milliseconds(wrong).is_err()));
        assert!(share("1").is_ok() && share("0").is_err() && share("1.1").is_err() && share("nan").is_err());
    }

    #[test]
    fn what_is_not_met_and_what_cannot_be_told_both_fail_with_the_code_of_a_check() {
        let of = |rules: Vec<Rule>| {
            let passed = rules.iter().all(Rule::is_met);
            Report { passed, rules, robustness: None, notes: Vec::new() }.verdict()
        };
        let met = || Rule::at_least("a", 0.5, Figure::Known { value: 0.9, lo: 0.8, hi: 1.0, n: 9 });
        let bad = || Rule::at_least("b", 0.95, Figure::Known { value: 0.99, lo: 0.8, hi: 1.0, n: 9 });
        let unknown = || Rule::at_least("c", 0.5, Figure::undefined("-"));
        assert!(of(vec![met(), met()]).is_ok());
        for rules in [vec![met(), bad()], vec![unknown()], vec![bad(), unknown()]] {
            assert_eq!(of(rules).unwrap_err().exit_code(), 3);
        }
        let says = of(vec![met(), bad(), unknown()]).unwrap_err().to_string();
        assert!(
            says.starts_with("cannot pass the check: of 3 rules, 1 not met and 1 cannot be told."),
            "{says}"
        );
    }
}
