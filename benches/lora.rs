//! What a low-rank adapter is worth and what it costs, beside the head: `cargo bench --bench lora -- [DATASET…] [--seeds N] [--labels N]
//! [--texts N] [--epochs N] [--rank N] [--rate X] [--model GGUF]`, or `-- --speed N`: the time of an epoch of N tweets, which `training/versus_pytorch.py` reads.
//!
//! For each dataset of the test data (`HARDCASE_TEST_DATA`, by default the folder `shared` beside the repository) and each seed: a random part
//! is kept for the test, a few labels are drawn evenly over the classes and the rest in rounds of 60 by the default strategy; head and adapter
//! are trained on the same labels and compared by Cohen's kappa on the same test texts. Intervals are 95 % by Student's t over the seeds.

mod datasets;

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use datasets::Row;
use hardcase::domain::ids::ItemId;
use hardcase::domain::split::Split;
use hardcase::engine::embedded;
use hardcase::engine::encoder::{Encoder, EncoderOptions};
use hardcase::engine::lora::{EncoderAdapter, Head};
use hardcase::engine::model_file::Pooling;
use hardcase::engine::train::Settings;
use hardcase::engine::train::encoder::{Example, Fit, Wanted, fit, probabilities};
use hardcase::engine::transformer::Weights;
use hardcase::engine::verify::Verified;
use hardcase::mining::round::{Order, Stage, propose};
use hardcase::mining::strategies::{DEFAULT, strategy_by_name};
use hardcase::mining::{Pool, PoolParts};
use hardcase::stats::agreement::kappa::cohen;
use hardcase::stats::classifier::head::{balanced, fit_head};
use hardcase::stats::estimate::seeds::Spread;
use ndarray::{Array2, ArrayView1, Axis};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

const MODEL: &[u8] = include_bytes!("../assets/model/encoder.gguf");
/// Texts of the pool that labels are drawn from.
const POOL: usize = 9_000;
const ROUND: usize = 60;

struct Options {
    datasets: Vec<String>,
    seeds: u64,
    labels: usize,
    /// Of each data set no more than the first so many.
    texts: usize,
    speed: Option<usize>,
    settings: Settings,
    model: PathBuf,
}

/// A dataset as the trainer sees it.
struct Data {
    tokens: Vec<Vec<usize>>,
    vectors: Array2<f32>,
    labels: Vec<usize>,
    classes: usize,
    test: usize,
}

/// One seed's outcome.
struct Outcome {
    labels: usize,
    head: f64,
    lora: f64,
    seconds_per_epoch: f64,
    /// For the first seed, llama.cpp against the trainer.
    served: Option<Verified>,
}

#[expect(clippy::print_stdout, reason = "a benchmark's figures go to standard output")]
fn main() -> Result<()> {
    let mut options = options()?;
    let folder = datasets::folder();
    if options.model.as_os_str().is_empty() {
        options.model = embedded::unpack(MODEL, &std::env::temp_dir().join("hardcase-bench"))?;
    }
    let encoder = Encoder::load(&options.model, EncoderOptions::default())?;
    let weights = encoder.trainable()?;
    if let Some(texts) = options.speed {
        return speed(texts, &folder, &encoder, &weights, &options.settings);
    }
    println!("{:?}", options.settings);
    for name in ["davidson_hate", "sms_spam", "clickbait", "trec", "banking77"] {
        if !(options.datasets.is_empty() || options.datasets.iter().any(|wanted| wanted == name)) {
            continue;
        }
        let Ok(mut set) = datasets::read(name, &folder) else {
            println!("{name}: skipped, for it is not in {}", folder.display());
            continue;
        };
        set.rows.truncate(options.texts);
        let voted = set.rows.iter().filter(|row| !row.votes.is_empty()).count();
        println!(
            "{name}: {} texts of {} labels, {voted} with annotators' votes",
            set.rows.len(),
            set.labels.len()
        );
        let data = Data::prepare(set.rows, if name == "trec" { 500 } else { 2_000 }, &encoder)?;
        let begun = Instant::now();
        let outcomes: Vec<Outcome> = (0..options.seeds)
            .into_par_iter()
            .map(|seed| compare(&data, &weights, &options, seed))
            .collect::<Result<_>>()?;
        let of = |value: fn(&Outcome) -> f64| interval(&outcomes.iter().map(value).collect::<Vec<_>>());
        println!(
            "{name}: {} labels, {} test texts, {} seeds: kappa head {}, LoRA {}, difference {}; {:.1} s an epoch on one core; \
             {:.0} s in all",
            outcomes[0].labels,
            data.test,
            options.seeds,
            of(|o| o.head),
            of(|o| o.lora),
            of(|o| o.lora - o.head),
            outcomes.iter().map(|o| o.seconds_per_epoch).sum::<f64>() / outcomes.len() as f64,
            begun.elapsed().as_secs_f64(),
        );
        if let Some(served) = outcomes.iter().find_map(|o| o.served) {
            println!("  llama.cpp against the trainer: {served:?}");
        }
    }
    if let Some(peak) = peak_memory() {
        println!("peak memory {peak}");
    }
    Ok(())
}

/// Prints the time of an epoch while every core trains, as when an adapter and its folds are trained beside each other.
#[expect(clippy::print_stdout, reason = "a benchmark's figures go to standard output")]
fn speed(
    count: usize,
    folder: &Path,
    encoder: &Encoder,
    weights: &Arc<Weights>,
    settings: &Settings,
) -> Result<()> {
    let Ok(set) = datasets::read("davidson_hate", folder) else {
        println!("skipped, for there is no davidson_hate in {}", folder.display());
        return Ok(());
    };
    let texts: Vec<Vec<usize>> = set.rows.iter().take(count).map(|row| encoder.tokens(&row.text)).collect();
    let examples: Vec<Example<'_>> = (texts.iter().zip(&set.rows))
        .map(|(tokens, row)| Example {
            tokens,
            wanted: Wanted::Label(usize::from(row.gold != "hate")),
            weight: 1.0,
        })
        .collect();
    let dimensions = encoder.facts().dimensions;
    let head = Head { weight: Array2::zeros((2, dimensions)), bias: ndarray::Array1::zeros(2) };
    let cores = EncoderOptions::default().threads.get();
    let begun = Instant::now();
    (0..cores as u64).into_par_iter().try_for_each(|seed| -> Result<()> {
        let training = Fit { weights, examples: &examples, held_out: &[], head: &head };
        let settings = Settings { seed, ..*settings };
        fit(&training, &settings, &mut |_| ControlFlow::Continue(()), &mut |_| ControlFlow::Continue(()))?
            .context("broken off")?;
        Ok(())
    })?;
    let seconds = begun.elapsed().as_secs_f64() / (cores * settings.epochs) as f64;
    let tokens: usize = texts.iter().map(Vec::len).sum();
    println!("{} tweets, {tokens} tokens, {cores} cores: {seconds:.2} s an epoch", texts.len());
    Ok(())
}

fn compare(data: &Data, weights: &Arc<Weights>, options: &Options, seed: u64) -> Result<Outcome> {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut order: Vec<usize> = (0..data.labels.len()).collect();
    order.shuffle(&mut rng);
    let (test, pool) = order.split_at(data.test);
    let pool = &pool[..pool.len().min(POOL)];
    let chosen = choose(data, pool, options.labels, seed)?;
    let labels: Vec<usize> = chosen.iter().map(|&i| data.labels[i]).collect();
    let vectors = data.vectors.select(Axis(0), &chosen);
    let head =
        fit_head(vectors.view(), &labels, data.classes, hardcase::domain::task_kind::TaskKind::One, seed)?
            .model;
    let gold: Vec<usize> = test.iter().map(|&i| data.labels[i]).collect();
    let kappa = |probabilities: &Array2<f32>| -> Result<f64> {
        let predicted = probabilities.rows().into_iter().map(top);
        Ok(cohen(
            &predicted.zip(gold.iter().copied()).collect::<Vec<_>>(),
            hardcase::domain::task_kind::TaskKind::One,
        )?)
    };
    let by_head = kappa(&head.probabilities(data.vectors.select(Axis(0), test).view()))?;

    let weight = balanced(&labels, data.classes);
    let examples: Vec<Example<'_>> = (chosen.iter().zip(&labels).zip(&weight))
        .map(|((&i, &label), &weight)| Example {
            tokens: &data.tokens[i],
            wanted: Wanted::Label(label),
            weight: weight as f32,
        })
        .collect();
    let start = head.softmax().ok_or_else(|| anyhow::anyhow!("the head is no softmax"))?.clone();
    let start = Head { weight: start.weights, bias: start.bias };
    let begun = Instant::now();
    let settings = Settings { seed, ..options.settings };
    let training = Fit { weights, examples: &examples, held_out: &[], head: &start };
    let tuned =
        fit(&training, &settings, &mut |_| ControlFlow::Continue(()), &mut |_| ControlFlow::Continue(()))?;
    let seconds_per_epoch = begun.elapsed().as_secs_f64() / settings.epochs as f64;
    let tuned = tuned.context("the training was broken off")?;
    let texts: Vec<Vec<usize>> = test.iter().map(|&i| data.tokens[i].clone()).collect();
    let by_lora = probabilities(weights, &tuned, &texts)?;
    let lora = kappa(&by_lora)?;
    let served = match seed {
        0 => Some(served(options, &tuned, (&texts, &by_lora))?),
        _ => None,
    };
    Ok(Outcome { labels: chosen.len(), head: by_head, lora, seconds_per_epoch, served })
}

/// How far llama.cpp is from the trainer on the first 500 test texts.
fn served(
    options: &Options,
    tuned: &EncoderAdapter,
    (texts, expected): (&[Vec<usize>], &Array2<f32>),
) -> Result<Verified> {
    let n = texts.len().min(500);
    let bytes = tuned.encode(&[])?;
    let expected = expected.slice(ndarray::s![..n, ..]).to_owned();
    // All encoders that are compared here take the mean of a text.
    Ok(Verified::measure(&options.model, Pooling::Mean, &bytes, &tuned.head, &texts[..n], &expected)?)
}

/// The texts that experts would have labelled: a few of each class, then rounds by the default strategy.
fn choose(data: &Data, pool: &[usize], count: usize, seed: u64) -> Result<Vec<usize>> {
    let each = 8usize.div_ceil(data.classes).max(2);
    let mut taken: Vec<usize> = (0..data.classes)
        .flat_map(|class| (0..pool.len()).filter(move |&row| data.labels[pool[row]] == class).take(each))
        .collect();
    let vectors = data.vectors.select(Axis(0), pool);
    let items: Vec<ItemId> = (1..).map(ItemId).take(pool.len()).collect();
    let splits = vec![Split::Train; pool.len()];
    let strategy = strategy_by_name(DEFAULT).context("there is no default strategy")?;
    while taken.len() < count {
        let labels: Vec<usize> = taken.iter().map(|&row| data.labels[pool[row]]).collect();
        let head = fit_head(
            vectors.select(Axis(0), &taken).view(),
            &labels,
            data.classes,
            hardcase::domain::task_kind::TaskKind::One,
            seed,
        )?
        .model;
        let scored = head.probabilities(vectors.view());
        let mut open = vec![true; pool.len()];
        taken.iter().for_each(|&row| open[row] = false);
        let parts = PoolParts {
            kind: hardcase::domain::task_kind::TaskKind::One,
            items: &items,
            vectors: vectors.view(),
            probabilities: scored.view(),
            splits: &splits,
            open: &open,
        };
        let budget = ROUND.min(count - taken.len());
        let order = Order { strategy, budget, stage: Stage::Later, seed: seed + taken.len() as u64 };
        let plan = propose(&Pool::new(parts)?, &order);
        ensure!(!plan.proposals.is_empty(), "the strategy chose nothing");
        taken.extend(plan.proposals.iter().map(|case| case.item.0.unsigned_abs() as usize - 1));
    }
    Ok(taken.into_iter().map(|row| pool[row]).collect())
}

impl Data {
    fn prepare(rows: Vec<Row>, test: usize, encoder: &Encoder) -> Result<Self> {
        // With more texts than are used, nobody need wait for all of them.
        let mut rows = rows;
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(0));
        rows.truncate(POOL + test);
        let mut names: BTreeMap<&str, usize> = rows.iter().map(|row| (row.gold.as_str(), 0)).collect();
        names.values_mut().zip(0..).for_each(|(index, i)| *index = i);
        let labels = rows.iter().map(|row| names[row.gold.as_str()]).collect();
        let texts: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
        let mut vectors = Array2::zeros((texts.len(), encoder.facts().dimensions));
        encoder.embed(&texts, &mut |indices, batch| {
            indices.iter().zip(batch.rows()).for_each(|(&i, row)| vectors.row_mut(i).assign(&row));
            ControlFlow::Continue(())
        })?;
        let tokens = texts.iter().map(|text| encoder.tokens(text)).collect();
        Ok(Self { tokens, vectors, labels, classes: names.len(), test })
    }
}

fn top(row: ArrayView1<'_, f32>) -> usize {
    (0..row.len()).max_by(|&a, &b| row[a].total_cmp(&row[b])).unwrap_or(0)
}

/// `0.312 (0.290 to 0.334)`
fn interval(values: &[f64]) -> String {
    match Spread::of(values) {
        Some(Spread { mean, lo, hi, .. }) => format!("{mean:.3} ({lo:.3} to {hi:.3})"),
        None => values.iter().map(|value| format!("{value:.3}")).collect(),
    }
}

fn options() -> Result<Options> {
    let settings = Settings { ..Settings::usual(0) };
    let mut options = Options {
        datasets: Vec::new(),
        seeds: 5,
        labels: 368,
        texts: usize::MAX,
        speed: None,
        settings,
        model: PathBuf::new(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut number = || -> Result<f64> { Ok(words.next().context("a number is missing")?.parse()?) };
        match word.as_str() {
            "--bench" => {}
            "--model" => options.model = PathBuf::from(words.next().context("a path is missing")?),
            "--speed" => options.speed = Some(number()? as usize),
            "--texts" => options.texts = number()? as usize,
            "--seeds" => options.seeds = number()? as u64,
            "--labels" => options.labels = number()? as usize,
            "--epochs" => options.settings.epochs = number()? as usize,
            "--rank" => options.settings.rank = number()? as usize,
            "--alpha" => options.settings.alpha = number()? as f32,
            "--batch" => options.settings.batch = number()? as usize,
            "--rate" => options.settings.learning_rate = number()?,
            "--decay" => options.settings.weight_decay = number()?,
            _ => options.datasets.push(word),
        }
    }
    Ok(options)
}

/// The most memory that this process ever held, where the system says so.
fn peak_memory() -> Option<String> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().to_owned())
}
