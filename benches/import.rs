//! How long an import takes: `cargo bench --bench import --no-default-features`, with `-- ROWS` for another number than 100,000.
//!
//! Each run imports a CSV of made-up texts of 200 characters into a new project in the system's folder for temporary files. Prints one line.

use std::fmt::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use hardcase::domain::progress::Unwatched;
use hardcase::domain::read_options::ReadOptions;
use hardcase::job::create::create;
use hardcase::job::import::{ImportOptions, import};
use hardcase::work::JobContext;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

const ROWS: usize = 100_000;
const CHARACTERS: usize = 200;
const RUNS: usize = 5;

#[expect(clippy::print_stdout, reason = "a benchmark's figures go to standard output")]
fn main() -> Result<()> {
    let rows = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(ROWS);
    let dir = tempfile::tempdir()?;
    let data = dir.path().join("rows.csv");
    std::fs::write(&data, csv(rows)?)?;
    let mut times = (0..RUNS).map(|_| time(&data, rows)).collect::<Result<Vec<_>>>()?;
    times.sort_unstable();
    let [least, median, most] = [0, RUNS / 2, RUNS - 1].map(|i| times[i].as_secs_f64());
    println!(
        "{rows} rows of {CHARACTERS} characters in {median:.2} s (median of {RUNS}; {least:.2} to {most:.2})"
    );
    Ok(())
}

fn time(data: &Path, rows: usize) -> Result<Duration> {
    let dir = tempfile::tempdir()?;
    let project = dir.path().join("pool.hardcase");
    create(&project, None, 1, "bench")?;
    let context = JobContext { project: &project, watcher: &Unwatched, expert: "bench", seed: None };
    let begun = Instant::now();
    let report = import(&context, data, &ImportOptions::of(ReadOptions::default()))?;
    let took = begun.elapsed();
    ensure!(report.new_items == rows as i64, "only {} texts came in", report.new_items);
    Ok(took)
}

/// An id and a text of made-up words, no text twice.
fn csv(rows: usize) -> Result<String> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut out = String::from("id,text\n");
    for i in 0..rows {
        write!(out, "r{i},")?;
        let start = out.len();
        write!(out, "{i}")?;
        while out.len() < start + CHARACTERS {
            out.push(' ');
            out.extend((0..rng.gen_range(2..11)).map(|_| rng.gen_range('a'..='z')));
        }
        out.truncate(start + CHARACTERS - 1);
        out.push_str(".\n");
    }
    Ok(out)
}
