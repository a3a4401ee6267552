//! What a language model is worth: `make judges GGUF=MODEL` plays the loop with it on every data set, by `hardcase simulate --judge`, and prints what each
//! model came to, ready for `docs/judges.md`. `ARGS="trec --seeds 1 --texts 700"` plays less of it.

use std::fmt::Write as _;
use std::path::Path;

use hardcase::stats::estimate::seeds::Spread;
use serde_json::Value;

/// Texts of each set. A language model reads a few a second, each at least twice.
pub const TEXTS: usize = 1_200;
pub const SEEDS: usize = 3;

/// What is added to `hardcase simulate` for one seed.
pub fn arguments(model: &Path, seed: u64) -> Vec<String> {
    let words = ["--adapter", "both", "--rounds", "5", "--budget", "60", "--seeds", "1", "--judge"];
    let named = [model.to_string_lossy().into_owned(), "--seed".to_owned(), seed.to_string()];
    words.iter().map(|word| (*word).to_owned()).chain(named).collect()
}

/// Where the report of one seed is kept.
pub fn file_name(model: &Path, set: &str, texts: usize, seed: u64) -> String {
    format!("{}-{set}-{texts}-{seed}.json", model.file_stem().unwrap_or_default().to_string_lossy())
}

/// A model after a step, in the order in which they come.
type Line = (String, String);

/// A table with a line for each model at each step, and a column for each set with the reports of its seeds.
pub fn table(sets: &[(String, Vec<Value>)]) -> String {
    let mut lines: Vec<Line> = Vec::new();
    for run in sets.iter().flat_map(|(_, runs)| runs) {
        let mut at = 0;
        for row in rows(run) {
            match lines.iter().position(|known| *known == line(row)) {
                Some(known) => at = known + 1,
                None => {
                    lines.insert(at, line(row));
                    at += 1;
                }
            }
        }
    }
    let names = sets.iter().map(|(name, _)| format!(" {name} |")).collect::<String>();
    let mut out = format!("| after | model |{names}\n|---|---|{}\n", "---|".repeat(sets.len()));
    for wanted in &lines {
        let _ = write!(out, "| {} | {} |", wanted.0, wanted.1);
        for (_, runs) in sets {
            let kappas: Vec<f64> = of(runs, wanted).filter_map(|row| row["kappa"]["mean"].as_f64()).collect();
            let _ = write!(out, " {} |", cell(&kappas));
        }
        out.push('\n');
    }
    for (name, runs) in sets {
        let Some(first) = runs.first() else { continue };
        let _ = writeln!(
            out,
            "\n{name}: {} texts, {} labels, {} answers, {} seeds; seconds a step: {}",
            first["texts"],
            first["labels"],
            first["answers"],
            runs.len(),
            seconds(runs, &lines)
        );
    }
    out
}

fn rows(run: &Value) -> impl Iterator<Item = &Value> {
    run["rows"].as_array().into_iter().flatten()
}

fn line(row: &Value) -> Line {
    (text(&row["when"]), text(&row["model"]))
}

/// The row of each seed that has this line.
fn of<'r>(runs: &'r [Value], wanted: &'r Line) -> impl Iterator<Item = &'r Value> {
    runs.iter().filter_map(move |run| rows(run).find(|row| line(row) == *wanted))
}

/// The mean over the seeds of each step that takes a second.
fn seconds(runs: &[Value], lines: &[Line]) -> String {
    let mean = |wanted: &Line| {
        let took: Vec<f64> = of(runs, wanted).filter_map(|row| row["seconds"].as_f64()).collect();
        took.iter().sum::<f64>() / took.len().max(1) as f64
    };
    let each = lines.iter().map(|wanted| (mean(wanted), &wanted.0)).filter(|(took, _)| *took >= 1.0);
    each.map(|(took, when)| format!("{took:.0} ({when})")).collect::<Vec<_>>().join(", ")
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Mean and 95 % interval over the seeds, and how many there are where some could not say.
fn cell(kappas: &[f64]) -> String {
    match (Spread::of(kappas), kappas) {
        (Some(Spread { mean, lo, hi, n }), _) => format!("{mean:.3} ({lo:.3} to {hi:.3}; {n})"),
        (None, [one]) => format!("{one:.3} (one seed)"),
        (None, _) => "-".to_owned(),
    }
}
