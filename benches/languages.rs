//! What encoders make of other languages: `cargo bench --bench languages -- FILE.gguf ...`.
//!
//! `datasets/parallel.tsv` has 15 messages to a shop, five each about delivery, payment and the account, in 17 languages. They were written for this
//! measurement, in English first, and no native speaker has checked the others; it is too small for more than telling what works from what does not.
//!
//! - *found*: for how many sentences the nearest of the 15 English ones is their own translation
//! - *labelled*: how many are given the right label by a head that has learned from the 15 English ones
//! - *tokens*: how many tokens a sentence has

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use hardcase::engine::encoder::{Encoder, EncoderOptions};
use hardcase::stats::classifier::head::fit_head;
use ndarray::{Array2, Axis, s};

const SENTENCES: usize = 15;

#[expect(clippy::print_stdout, reason = "a benchmark's figures go to standard output")]
fn main() -> Result<()> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/datasets/parallel.tsv");
    let table = std::fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut languages: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let mut labels = Vec::new();
    for line in table.lines().skip(1) {
        let [language, _, label, text] = line.split('\t').collect::<Vec<_>>()[..] else { continue };
        languages.entry(language).or_default().push(text);
        if language == "en" {
            labels.push(
                ["delivery", "payment", "account"].iter().position(|l| *l == label).context("a label")?,
            );
        }
    }
    ensure!(languages.values().all(|texts| texts.len() == SENTENCES), "a sentence is missing");
    println!("| model | language | found | labelled | tokens |\n|---|---|---|---|---|");
    for path in std::env::args().skip(1).filter(|argument| !argument.starts_with("--")) {
        measure(Path::new(&path), &languages, &labels)?;
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark's figures go to standard output")]
fn measure(path: &Path, languages: &BTreeMap<&str, Vec<&str>>, labels: &[usize]) -> Result<()> {
    let name = path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default();
    let encoder = Encoder::load(path, EncoderOptions::default())?;
    let texts: Vec<&str> = languages.values().flatten().copied().collect();
    let mut vectors = Array2::zeros((texts.len(), encoder.facts().dimensions));
    encoder.embed(&texts, &mut |indices, rows| {
        indices.iter().zip(rows.rows()).for_each(|(&i, row)| vectors.row_mut(i).assign(&row));
        ControlFlow::Continue(())
    })?;
    let at = |language: &str| languages.keys().position(|known| *known == language).unwrap_or(0) * SENTENCES;
    let rows = |from: usize| s![from..from + SENTENCES, ..];
    let head =
        fit_head(vectors.slice(rows(at("en"))), labels, 3, hardcase::domain::task_kind::TaskKind::One, 1)?
            .model;
    let given = head.probabilities(vectors.view());
    let mut directions = vectors;
    centre(&mut directions);
    let (mut found_all, mut right_all, mut tokens_all) = (0, 0, 0);
    for (language, texts) in languages {
        let from = at(language);
        let near = directions.slice(rows(from)).dot(&directions.slice(rows(at("en"))).t());
        let top = |row: ndarray::ArrayView1<'_, f32>| {
            (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0)
        };
        let found = near.axis_iter(Axis(0)).enumerate().filter(|(i, row)| top(*row) == *i).count();
        let labelled = given.slice(rows(from));
        let right =
            labelled.axis_iter(Axis(0)).zip(labels).filter(|(row, label)| top(*row) == **label).count();
        let tokens: usize = texts.iter().map(|text| encoder.tokens(text).len()).sum();
        println!("| {name} | {language} | {found} | {right} | {:.1} |", tokens as f64 / SENTENCES as f64);
        if *language != "en" {
            (found_all, right_all, tokens_all) = (found_all + found, right_all + right, tokens_all + tokens);
        }
    }
    let others = SENTENCES * (languages.len() - 1);
    let share = |n: usize| n as f64 / others as f64;
    println!(
        "| {name} | all but English, n {others} | {:.3} | {:.3} | {:.1} |",
        share(found_all),
        share(right_all),
        share(tokens_all)
    );
    Ok(())
}

/// Vectors as directions from their mean: encoders differ in how narrow a cone theirs lie in.
fn centre(vectors: &mut Array2<f32>) {
    let Some(mean) = vectors.mean_axis(Axis(0)) else { return };
    for mut vector in vectors.rows_mut() {
        vector -= &mean;
        let length = vector.dot(&vector).sqrt().max(f32::MIN_POSITIVE);
        vector.mapv_inplace(|x| x / length);
    }
}
