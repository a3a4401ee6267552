//! What a language model is worth: `make judges GGUF=MODEL` plays the loop with it on every data set, by `hardcase simulate --judge`, and prints what each
//! model came to, ready for `docs/judges.md`. `ARGS="trec --seeds 1 --texts 700"` plays less of it.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;

/// Texts of each set. A language model reads a few a second, each at least twice.
pub const TEXTS: usize = 1_200;
pub const SEEDS: usize = 3;

/// What is added to `hardcase simulate` for it.
pub fn arguments(model: &Path) -> Vec<String> {
    let words = ["--adapter", "both", "--rounds", "5", "--budget", "60", "--judge"];
    words.iter().map(|word| (*word).to_owned()).chain([model.to_string_lossy().into_owned()]).collect()
}

/// A table with a line for each model at each step, and a column for each set.
pub fn table(reports: &[(String, Value)]) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    for (_, report) in reports {
        for row in report["rows"].as_array().into_iter().flatten() {
            let line = (text(&row["when"]), text(&row["model"]));
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
    }
    let names = reports.iter().map(|(name, _)| format!(" {name} |")).collect::<String>();
    let mut out = format!("| after | model |{names}\n|---|---|{}\n", "---|".repeat(reports.len()));
    for line in &lines {
        let _ = write!(out, "| {} | {} |", line.0, line.1);
        for (_, report) in reports {
            let mut rows = report["rows"].as_array().into_iter().flatten();
            let row = rows.find(|row| (text(&row["when"]), text(&row["model"])) == *line);
            let _ = write!(out, " {} |", row.map_or_else(|| "-".to_owned(), |row| cell(&row["kappa"])));
        }
        out.push('\n');
    }
    for (name, report) in reports {
        let _ = writeln!(
            out,
            "\n{name}: {} texts, {} labels, {} answers, {} seeds; seconds a step: {}",
            report["texts"],
            report["labels"],
            report["answers"],
            report["seeds"],
            seconds(report)
        );
    }
    out
}

fn seconds(report: &Value) -> String {
    let rows = report["rows"].as_array().into_iter().flatten();
    let long = rows.filter(|row| row["seconds"].as_f64().unwrap_or(0.0) >= 1.0);
    let each =
        long.map(|row| format!("{:.0} ({})", row["seconds"].as_f64().unwrap_or(0.0), text(&row["when"])));
    each.collect::<Vec<_>>().join(", ")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn cell(kappa: &Value) -> String {
    let Some(mean) = kappa["mean"].as_f64() else { return "-".to_owned() };
    match (kappa["lo"].as_f64(), kappa["hi"].as_f64()) {
        (Some(lo), Some(hi)) => format!("{mean:.3} ({lo:.3} to {hi:.3})"),
        _ => format!("{mean:.3}"),
    }
}
