//! How fast a key becomes the next case, and what it costs: `cargo bench --bench label --no-default-features`, with `-- ROWS` for another
//! pool than 1,000,000 texts.
//!
//! Drives the real program at a pseudo-terminal of 80×24. Prints the time from a label key to the next case on the screen, the time until
//! the screen says that the answer is saved, the bytes sent for each answer, and the processor time of ten idle seconds.

use std::fmt::Write as _;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use hardcase::domain::case::{Partner, Proposal, Reason, Side};
use hardcase::domain::encoder_reading::EncoderReading;
use hardcase::domain::ids::{ItemId, PredictorId};
use hardcase::domain::overlap::Overlap;
use hardcase::domain::predictor::{Method, Predictor};
use hardcase::domain::settings::Stored;
use hardcase::domain::split::Split;
use hardcase::store::pool::predictors::Model;
use hardcase::store::rounds::round::{Incomplete, NewRound};
use hardcase::store::{Access, Store};

#[expect(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "shared with the tests, which use more of it and fail by it"
)]
#[path = "../tests/loop/project.rs"]
mod project;
#[expect(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    clippy::panic,
    reason = "shared with the tests, which use more of it and fail by it"
)]
#[path = "../tests/loop/seat.rs"]
mod seat;

use project::Project;
use seat::{Seat, case_on, one_line};

const ROWS: usize = 1_000_000;
const ANSWERS: usize = 400;
const IDLE: Duration = Duration::from_secs(10);

#[expect(clippy::print_stdout, reason = "a benchmark's figures go to standard output")]
fn main() -> Result<()> {
    let rows = std::env::args().skip(1).find_map(|a| a.parse().ok()).unwrap_or(ROWS);
    let project = pool(rows)?;
    let opened = Instant::now();
    let seat = Seat::open(&project, &["--as", "ada"]);
    seat.see_that("a case", |s| case_on(s).is_some());
    println!("{rows} texts: first case on the screen after {:.0} ms", opened.elapsed().as_secs_f64() * 1e3);
    let (mut shown, mut saved, mut bytes) = (Vec::new(), Vec::new(), Vec::new());
    for (n, key) in (0..ANSWERS).zip(['1', '2'].into_iter().cycle()) {
        // A person takes longer than this to look at a case.
        pause(Duration::from_millis(300));
        let case = case_on(&seat.screen()).context("no case")?;
        let before = seat.bytes();
        let pressed = Instant::now();
        seat.press(&key.to_string());
        let screen = seat.see_that("the next case", |s| {
            case_on(s).is_some_and(|next| next != case) || s.contains("dropped")
        });
        ensure!(!screen.contains("dropped"), "answer {n} came too early");
        shown.push(pressed.elapsed());
        seat.see_that("saved", |s| {
            one_line(s).contains(&format!("({key}), case {case},")) && !s.contains("saving")
        });
        saved.push(pressed.elapsed());
        pause(Duration::from_millis(5));
        bytes.push(seat.bytes() - before);
    }
    let ms = |times: &mut Vec<Duration>, q: f64| quantile(times, q).as_secs_f64() * 1e3;
    println!(
        "key to next case: p50 {:.1} ms, p99 {:.1} ms; key to saved: p50 {:.1} ms, p99 {:.1} ms ({ANSWERS} answers)",
        ms(&mut shown, 0.5),
        ms(&mut shown, 0.99),
        ms(&mut saved, 0.5),
        ms(&mut saved, 0.99),
    );
    println!(
        "bytes to the terminal for an answer: p50 {}, most {}",
        quantile(&mut bytes, 0.5),
        quantile(&mut bytes, 1.0)
    );
    let before = processor_ticks(seat.process())?;
    pause(IDLE);
    println!(
        "idle for {} s: {} clock ticks of processor time",
        IDLE.as_secs(),
        processor_ticks(seat.process())? - before
    );
    seat.press("q");
    seat.end();
    Ok(())
}

fn quantile<T: Copy + Ord>(values: &mut [T], q: f64) -> T {
    values.sort_unstable();
    values[((values.len() - 1) as f64 * q).round() as usize]
}

/// Waits without doing anything, as a person does who reads.
fn pause(time: Duration) {
    let (_open, never) = mpsc::channel::<()>();
    let _ = never.recv_timeout(time);
}

/// User and system time of a process, in clock ticks.
fn processor_ticks(process: u32) -> Result<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat"))?;
    let fields: Vec<&str> = stat.rsplit(')').next().context("no fields")?.split_whitespace().collect();
    Ok(fields[11].parse::<u64>()? + fields[12].parse::<u64>()?)
}

/// A scouted pool with an open round.
fn pool(rows: usize) -> Result<Project> {
    let project = Project::empty();
    let mut csv = String::from("text,placement\n");
    for row in 0..rows {
        writeln!(
            csv,
            "Offer {row}: a set of {} kitchen knives for the price of {}. See why cooks love them.,feed",
            row % 12,
            row % 7
        )?;
    }
    let data = project.write("rows.csv", csv);
    project
        .run("import", &[data.to_str().context("odd path")?, "--text", "text", "--meta", "placement"])
        .done();
    let mut store = Store::open(&project.file(), Access::Job)?;
    let revision = store.task()?;
    let model = store.enter_model(&Model {
        sha256: vec![1; 32],
        name: "none".into(),
        path: "/nowhere/none.gguf".into(),
        architecture: "bert".into(),
        quantisation: "F32".into(),
        dimensions: 1,
        bytes: 1,
        reading: EncoderReading::default(),
    })?;
    let predictor = store.add_predictor(&Predictor {
        id: PredictorId(0),
        method: Method::ZeroShot(Stored::LeftOut),
        model,
        revision: revision.id,
        labels: revision.task.label_ids(),
        created_ms: 0,
    })?;
    let items: Vec<ItemId> = (1..=rows as i64).map(ItemId).collect();
    let probabilities: Vec<f32> =
        items.iter().flat_map(|i| [(i.0 % 90) as f32 / 100.0, 1.0 - (i.0 % 90) as f32 / 100.0]).collect();
    store.put_predictions(predictor, &items, &probabilities, 2)?;
    store.activate(predictor)?;
    let step = (rows / (ANSWERS + 100)).max(1) as i64;
    let cases: Vec<Proposal> = (1..=ANSWERS as i64 + 50)
        .map(|n| Proposal {
            item: ItemId(n * step),
            split: Split::Train,
            reason: Reason::Margin,
            partner: Some(Partner { item: ItemId(n * step + 1), similarity: 0.9, side: Side::Across }),
            margin: 0.1,
            inclusion: None,
        })
        .collect();
    store.open_round(&NewRound {
        strategy: "margin",
        budget: cases.len(),
        seed: 1,
        predictor,
        note: None,
        cases: &cases,
        overlap: Overlap::default(),
        incomplete: Incomplete::Closes,
    })?;
    Ok(project)
}
