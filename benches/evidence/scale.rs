//! What a round costs in large pools: tuning the head, prelabelling every item and choosing 60 cases, over synthetic vectors.

use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use hardcase::domain::ids::ItemId;
use hardcase::domain::split::Split;
use hardcase::mining::round::{Order, Stage, propose};
use hardcase::mining::strategies::{DEFAULT, strategy_by_name};
use hardcase::mining::{Pool, PoolParts};
use hardcase::stats::classifier::head::fit_head;
use ndarray::{Array2, Axis};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

const DIMENSIONS: usize = 384;
const TOPICS: usize = 60;
const LABELLED: usize = 368;
const POOLS: [usize; 3] = [10_000, 100_000, 1_000_000];

/// Each pool in a process of its own, so that its memory is its own, too.
pub fn table() -> Result<String> {
    let mut text =
        "| items | tuning | prelabelling | choosing | a round | peak memory |\n|---|---|---|---|---|---|\n"
            .to_owned();
    for n in POOLS {
        let output = Command::new(std::env::current_exe()?).args(["--scale", &n.to_string()]).output()?;
        ensure!(output.status.success(), "the round of {n} items failed");
        text += &String::from_utf8(output.stdout)?;
    }
    Ok(text)
}

/// One round of `n` items, as a row of the table.
pub fn round(n: usize) -> Result<String> {
    let vectors = vectors(n);
    let items: Vec<ItemId> = (0..).map(ItemId).take(n).collect();
    let splits = vec![Split::Train; n];
    // Labels by a direction of their own, a tenth of them positive, on the first rows.
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    let direction: Vec<f32> = (0..DIMENSIONS).map(|_| rng.gen_range(-1.0f32..1.0)).collect();
    let score = |row: usize| vectors.row(row).iter().zip(&direction).map(|(a, b)| a * b).sum::<f32>();
    let mut order: Vec<usize> = (0..LABELLED).collect();
    order.sort_by(|a, b| score(*a).total_cmp(&score(*b)));
    let mut labels = vec![0; LABELLED];
    order.iter().rev().take(LABELLED / 10).for_each(|&row| labels[row] = 1);
    let mut open = vec![true; n];
    open[..LABELLED].fill(false);

    let begun = Instant::now();
    let chosen: Vec<usize> = (0..LABELLED).collect();
    let head = fit_head(
        vectors.select(Axis(0), &chosen).view(),
        &labels,
        2,
        hardcase::domain::task_kind::TaskKind::One,
        1,
    )?
    .model;
    let tuned = begun.elapsed();
    let probabilities = head.probabilities(vectors.view());
    let scored = begun.elapsed();
    let parts = PoolParts {
        kind: hardcase::domain::task_kind::TaskKind::One,
        items: &items,
        vectors: vectors.view(),
        probabilities: probabilities.view(),
        splits: &splits,
        open: &open,
    };
    let strategy = strategy_by_name(DEFAULT).context("there is no default strategy")?;
    let plan = propose(&Pool::new(parts)?, &Order { strategy, budget: 60, stage: Stage::Later, seed: 1 });
    let ended = begun.elapsed();
    ensure!(plan.proposals.len() == 60, "the budget was not filled");
    Ok(format!(
        "| {n} | {:.2} s | {:.2} s | {:.2} s | {:.2} s | {} |",
        tuned.as_secs_f64(),
        (scored - tuned).as_secs_f64(),
        (ended - scored).as_secs_f64(),
        ended.as_secs_f64(),
        peak_memory().unwrap_or_default(),
    ))
}

/// Unit vectors around random topics, made on all cores.
fn vectors(n: usize) -> Array2<f32> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let topics = Array2::from_shape_fn((TOPICS, DIMENSIONS), |_| rng.gen_range(-1.0f32..1.0));
    let mut vectors = Array2::zeros((n, DIMENSIONS));
    vectors.axis_chunks_iter_mut(Axis(0), 1024).into_par_iter().enumerate().for_each(|(chunk, mut rows)| {
        let mut rng = ChaCha8Rng::seed_from_u64(chunk as u64);
        for mut row in rows.rows_mut() {
            row.assign(&topics.row(rng.gen_range(0..TOPICS)));
            row.mapv_inplace(|v| v + rng.gen_range(-1.2f32..1.2));
            let length = row.dot(&row).sqrt();
            row /= length;
        }
    });
    vectors
}

/// The most memory that this process ever held, where the system says so.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(format!("{:.2} GiB", kilobytes / 1024.0 / 1024.0))
}
