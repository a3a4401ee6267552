//! How long copies of a project take to come together: `cargo bench --bench merge --no-default-features`, with `-- ROWS` for another number of
//! texts than 100,000.
//!
//! Three copies of one scouted project (vectors of 384 values, prelabels, one round), each labelled further by an expert of its own up to 5,000
//! events: the first takes in the second and the third. Then a copy from before the import takes in all. Each merge is a process of its own, so
//! that the memory printed is that merge's. What is written in between is dropped from no cache.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use hardcase::domain::answer::Answer;
use hardcase::domain::case::{Partner, Proposal, Reason, Side};
use hardcase::domain::encoder_reading::EncoderReading;
use hardcase::domain::event::{Action, NewEvent};
use hardcase::domain::ids::{ItemId, PredictorId};
use hardcase::domain::overlap::Overlap;
use hardcase::domain::predictor::{Method, Predictor};
use hardcase::domain::progress::Unwatched;
use hardcase::domain::settings::Stored;
use hardcase::domain::split::Split;
use hardcase::exchange::merge::{Mode, merge};
use hardcase::store::log::events::Reveals;
use hardcase::store::pool::embeddings::Space;
use hardcase::store::pool::predictors::Model;
use hardcase::store::rounds::round::{Incomplete, NewRound};
use hardcase::store::{Access, Store};
use hardcase::work::JobContext;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

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

use project::Project;

const ROWS: usize = 100_000;
const DIMENSIONS: usize = 384;
/// Events that all copies have, and what each has at its end.
const SHARED: usize = 2_000;
const EACH: usize = 5_000;
const CASES: i64 = 6_000;
/// What a merge in a process of its own is called with.
const TAKE: &str = "--take";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|a| a == TAKE) {
        return take(Path::new(&arguments[at + 1]), Path::new(&arguments[at + 2]), &arguments[at + 3]);
    }
    let rows = arguments.iter().find_map(|a| a.parse().ok()).unwrap_or(ROWS);
    let project = Project::empty();
    let bare = again(&project, &project.file(), "bare.hardcase")?;
    fill(&project, rows)?;
    answer(&project.file(), "ada", SHARED, rows)?;
    let [b, c] = ["b.hardcase", "c.hardcase"].map(|name| again(&project, &project.file(), name));
    let (b, c) = (b?, c?);
    for (file, expert) in [(project.file(), "ada"), (b.clone(), "bob"), (c.clone(), "cyd")] {
        answer(&file, expert, EACH - SHARED, rows)?;
    }
    for path in [&project.file(), &b, &c] {
        say(&format!("{}: {:.0} MB", name(path), std::fs::metadata(path)?.len() as f64 / 1e6));
    }
    let file = project.file();
    run("dry run", &file, &b, "dry")?;
    let first = run("the second copy into the first", &file, &b, "merge")?;
    let second = run("the third copy into the first", &file, &c, "merge")?;
    say(&format!("three copies of {rows} texts and {EACH} events: {:.2} s", first + second));
    run("the second copy once more", &file, &b, "merge")?;
    run("all into a copy from before the import", &bare, &file, "merge")?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "a benchmark's figures go to standard output")]
fn say(line: &str) {
    println!("{line}");
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn again(project: &Project, from: &Path, name: &str) -> Result<PathBuf> {
    let to = project.path(name);
    std::fs::copy(from, &to)?;
    Ok(to)
}

/// A merge in a process of its own; its seconds.
fn run(what: &str, file: &Path, copy: &Path, mode: &str) -> Result<f64> {
    let out = Command::new(std::env::current_exe()?).arg(TAKE).arg(file).arg(copy).arg(mode).output()?;
    ensure!(out.status.success(), "{what}: {}", String::from_utf8_lossy(&out.stderr));
    let said = String::from_utf8(out.stdout)?;
    say(&format!("{what}: {}", said.trim_end()));
    said.split(' ').next().context("no figure")?.parse().context("no seconds")
}

/// The work of that process.
fn take(file: &Path, copy: &Path, mode: &str) -> Result<()> {
    let mode = if mode == "dry" { Mode::DryRun } else { Mode::Merge };
    let context = JobContext { project: file, watcher: &Unwatched, expert: "bench", seed: None };
    let begun = Instant::now();
    let report = merge(&context, copy, mode)?.context("another process was first")?;
    let took = begun.elapsed().as_secs_f64();
    let events: usize = report.brought.events.values().sum();
    let (vectors, predictions) = (report.vectors, report.predictions);
    let mut line = format!(
        "{took:.2} s; {events} events, {} rows, {vectors} vectors, {predictions} predictions",
        report.rows
    );
    if report.rows > 0 {
        write!(line, " ({:.0} rows/s)", report.rows as f64 / took)?;
    }
    if let Some(peak) = peak() {
        write!(line, "; {peak:.0} MB at most")?;
    }
    say(&line);
    Ok(())
}

/// The most memory that this process has had, in megabytes, where the system says so.
fn peak() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<f64>().ok()? / 1e3)
}

/// Texts of 200 characters, vectors, prelabels and a round.
fn fill(project: &Project, rows: usize) -> Result<()> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut csv = String::from("text,placement\n");
    for row in 0..rows {
        write!(csv, "{row}")?;
        for _ in 0..28 {
            csv.push(' ');
            csv.extend((0..6).map(|_| rng.gen_range('a'..='z')));
        }
        csv.push_str(",feed\n");
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
        dimensions: DIMENSIONS,
        bytes: 1,
        reading: EncoderReading::default(),
    })?;
    let items: Vec<ItemId> = (1..=rows as i64).map(ItemId).collect();
    for part in items.chunks(10_000) {
        let vectors: Vec<f32> = (0..part.len() * DIMENSIONS).map(|_| rng.gen_range(-0.1..0.1)).collect();
        store.put_vectors(Space::base(model), part, &vectors, DIMENSIONS)?;
    }
    let predictor = store.add_predictor(&Predictor {
        id: PredictorId(0),
        method: Method::ZeroShot(Stored::LeftOut),
        model,
        revision: revision.id,
        labels: revision.task.label_ids(),
        created_ms: 0,
    })?;
    let probabilities: Vec<f32> = items.iter().flat_map(|_| [0.4, 0.6]).collect();
    store.put_predictions(predictor, &items, &probabilities, 2)?;
    store.activate(predictor)?;
    let cases: Vec<Proposal> = (1..=CASES.min(rows as i64 / 2))
        .map(|n| Proposal {
            item: ItemId(2 * n),
            split: Split::Train,
            reason: Reason::Margin,
            partner: Some(Partner { item: ItemId(2 * n - 1), similarity: 0.9, side: Side::Across }),
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
    Ok(())
}

/// So many more events of one expert, over the cases and over texts that are none.
fn answer(file: &Path, expert: &str, events: usize, rows: usize) -> Result<()> {
    let mut store = Store::open(file, Access::Session)?;
    let (expert, session) = store.begin_session(expert)?;
    let revision = store.task()?.id;
    let have = store.events()?.len();
    for n in 0..events {
        let item = ItemId(((have + n) % rows) as i64 + 1);
        let case = store.case_of_item(item)?.map(|case| case.id);
        let event = NewEvent {
            expert,
            item,
            case,
            action: Action::Set,
            target: None,
            answer: Some(Answer::one(if n % 2 == 0 { "clickbait" } else { "fine" })),
            confidence: None,
            note: None,
            revision,
            duration_ms: Some(1_500),
        };
        store.append(session, event, Reveals::No)?;
    }
    store.end_session(session, false)?;
    Ok(())
}
