//! What a judge costs and what it learns.
//!
//! `cargo bench --bench judge -- speed [DOCUMENTS [PYTHON]]`: the tokens per second of documents of about 100 behind an instruction of about 200, on a
//! model of random numbers of Qwen3-0.6B's shape (Q8_0, 16,384 tokens; written into the folder of temporary files and kept there), in turn with the
//! plain rate at which llama.cpp decodes as many document tokens, and with llama-cpp-python where a PYTHON that has it is named.
//! `cargo bench --bench judge -- learning FORM balanced|mined SEED`: TinyStories-656K of the test data on SMS: 300 training labels, half of them spam,
//! or what eight rounds of 60 asked for; then `tune --adapter FORM` (`lora` or `alora`), and kappa of `export --by judge` on the messages that nobody
//! labelled.
//! `cargo bench --bench judge -- cascade SEEDS`: hate speech, 3,000 tweets a seed, six rounds of 60 answered with the gold; kappa on the tweets that
//! nobody labelled, by the scout's head alone and by the cascade of it and TinyStories-656K, untaught and taught.

#![expect(clippy::print_stdout, reason = "a benchmark says what it measured")]

#[path = "datasets/mod.rs"]
mod datasets;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::num::NonZeroU32;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::{ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use hardcase::domain::predictor::PromptLayout;
use hardcase::domain::split::Split;
use hardcase::engine;
use hardcase::engine::gguf::TensorType;
use hardcase::engine::judge::{Judge, JudgeOptions, JudgePrompt, JudgeSession, PromptLabel, Question};
use hardcase::store::{Access, Store};
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use random_model::RandomModel;
use serde_json::Value;

#[expect(dead_code, reason = "the causal benchmark uses the other shapes")]
#[path = "../src/engine/random_model.rs"]
mod random_model;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["speed"] => speed(50, None),
        ["speed", documents] => speed(documents.parse()?, None),
        ["speed", documents, python] => speed(documents.parse()?, Some(python)),
        ["learning", form, "balanced", seed] => learning(form, Labels::Balanced, seed.parse()?),
        ["learning", form, "mined", seed] => learning(form, Labels::Mined, seed.parse()?),
        ["cascade", seeds] => cascade(seeds.parse()?),
        _ => {
            println!("give: speed [DOCUMENTS [PYTHON]], learning FORM balanced|mined SEED, or cascade SEEDS");
            Ok(())
        }
    }
}

fn speed(documents: usize, peer: Option<&str>) -> Result<()> {
    let path = std::env::temp_dir().join("hardcase-bench-0.6b.gguf");
    if !path.exists() {
        RandomModel::of_600_million(16_384, TensorType::Q8_0).write(&path)?;
    }
    let judge = Judge::load(&path, JudgeOptions::default())?;
    let words = |n: usize, salt: usize| -> String {
        (0..n).map(|i| format!("w{} ", (i * 7919 + salt * 104_729) % 97)).collect()
    };
    let shown =
        |name: &str| PromptLabel { name: name.into(), description: words(3, 3), examples: Vec::new() };
    let told = |guideline: usize| JudgePrompt {
        layout: PromptLayout::SystemTurn,
        question: words(4, 1),
        guideline: words(guideline, 2),
        labels: vec![shown("spam"), shown("fine")],
        examples: Vec::new(),
        nearest: 0,
    };
    // As many words as give about 100 tokens in this vocabulary, and about 200 in the instruction.
    let counts = |instruction: &JudgePrompt| -> Result<(usize, usize)> {
        let mut reading = judge.session(instruction)?;
        let text = words(20, 5);
        let mut tokens = 0;
        reading.score(&[text.as_str().into()], &mut |_, verdicts| {
            tokens = verdicts[0].tokens;
            ControlFlow::Continue(())
        })?;
        Ok((reading.instruction_tokens(), tokens))
    };
    let (least, of_twenty) = counts(&told(0))?;
    let words_of = |tokens: usize| tokens * 20 / of_twenty;
    let told = told(words_of(200usize.saturating_sub(least)));
    let texts: Vec<String> = (0..documents).map(|i| words(words_of(100), i)).collect();
    let questions: Vec<Question<'_>> = texts.iter().map(|text| text.as_str().into()).collect();
    let mut reading = judge.session(&told)?;
    println!("instruction {} tokens, cue {}", reading.instruction_tokens(), reading.cue_tokens());
    let weights = judge.unpacked.map(|kind| format!("unpacked to {}", kind.name()));
    println!("weights {}", weights.as_deref().unwrap_or("as the file packs them"));
    let packed = Judge::load(&path, JudgeOptions { packed: true, ..JudgeOptions::default() })?;
    let mut reading_packed = packed.session(&told)?;
    let mut peer = peer.map(Peer::start).transpose()?;
    // A few at a time and in turn, so that a slow minute of the machine is everybody's.
    let mut rates: Vec<[f64; 5]> = Vec::new();
    for few in questions.chunks(10) {
        let mut tokens = 0;
        let mut judged = |reading: &mut JudgeSession<'_>| -> Result<f64> {
            tokens = 0;
            let begun = Instant::now();
            reading.score(few, &mut |_, verdicts| {
                tokens += verdicts.iter().map(|v| v.tokens).sum::<usize>();
                ControlFlow::Continue(())
            })?;
            Ok(begun.elapsed().as_secs_f64())
        };
        let (judged, judged_packed) = (judged(&mut reading)?, judged(&mut reading_packed)?);
        let [kept, whole] = match &mut peer {
            Some(peer) => [peer.seconds("kept", few.len())?, peer.seconds("whole", few.len())?],
            None => [f64::NAN; 2],
        };
        let plain = plain(&packed, tokens)?;
        rates.push([judged, judged_packed, plain, kept, whole].map(|seconds| tokens as f64 / seconds));
    }
    let names = [
        "judged",
        "judged with --packed",
        "llama.cpp's plain decode",
        "llama-cpp-python, prefix kept",
        "llama-cpp-python, whole prompts",
    ];
    for (at, name) in names.iter().enumerate().filter(|(at, _)| peer.is_some() || *at < 3) {
        let rate = median(rates.iter().map(|r| r[at]).collect());
        let times: Vec<f64> = rates.iter().map(|r| r[0] / r[at]).collect();
        let (low, high) = times.iter().fold((f64::MAX, 0f64), |(low, high), t| (low.min(*t), high.max(*t)));
        let ratio = median(times);
        println!(
            "{name}: {rate:.1} document tokens/s; judged at {ratio:.2} times that ({low:.2} to {high:.2})"
        );
    }
    drop(reading);
    // Four other texts before each: what `--examples nearest` costs.
    let own = |at: usize| (1..=4).map(|by| (texts[(at + by) % texts.len()].clone(), by % 2)).collect();
    let questions: Vec<Question<'_>> =
        texts.iter().enumerate().take(8).map(|(at, text)| Question { text, examples: own(at) }).collect();
    let mut reading = judge.session(&JudgePrompt { nearest: 4, ..told })?;
    let begun = Instant::now();
    reading.score(&questions, &mut |_, _| ControlFlow::Continue(()))?;
    let rate = questions.len() as f64 / begun.elapsed().as_secs_f64();
    println!("with four examples of its own for each document: {rate:.2} documents/s");
    Ok(())
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}

/// llama-cpp-python on the same model, in a process of its own.
struct Peer {
    process: std::process::Child,
    said: BufReader<ChildStdout>,
}

impl Peer {
    fn start(python: &str) -> Result<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/judging/versus_llama_cpp_python.py");
        let mut process =
            Command::new(python).arg(script).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let mut said = BufReader::new(process.stdout.take().context("it says nothing")?);
        let mut version = String::new();
        said.read_line(&mut version)?;
        println!("beside it {}", version.trim());
        Ok(Self { process, said })
    }

    /// Seconds that it takes for so many documents.
    fn seconds(&mut self, way: &str, documents: usize) -> Result<f64> {
        writeln!(self.process.stdin.as_mut().context("it reads nothing")?, "{way} {documents}")?;
        let mut seconds = String::new();
        self.said.read_line(&mut seconds)?;
        Ok(seconds.trim().parse()?)
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        drop(self.process.wait());
    }
}

/// Seconds that llama.cpp takes for so many tokens in batches of 512, without outputs.
fn plain(judge: &Judge, tokens: usize) -> Result<f64> {
    let params = LlamaContextParams::default()
        .with_n_ctx(NonZeroU32::new(1_024))
        .with_n_batch(512)
        .with_n_ubatch(512)
        .with_n_threads(JudgeOptions::default().threads.get() as i32)
        .with_n_threads_batch(JudgeOptions::default().threads.get() as i32);
    let mut context = judge.served.model.new_context(engine::llama::backend()?, params)?;
    let mut batch = LlamaBatch::new(512, 1);
    let begun = Instant::now();
    let mut done = 0;
    while done < tokens {
        let n = (tokens - done).min(512);
        batch.clear();
        for i in 0..n {
            batch.add(LlamaToken::new(260 + (i * 31 % 1_000) as i32), i as i32, &[0], false)?;
        }
        context.clear_kv_cache();
        context.decode(&mut batch)?;
        context.synchronize();
        done += n;
    }
    Ok(begun.elapsed().as_secs_f64())
}

/// Where the labels come from that a judge learns from.
#[derive(Clone, Copy)]
enum Labels {
    /// Drawn half and half.
    Balanced,
    /// What the loop asked for.
    Mined,
}

fn learning(form: &str, labels: Labels, seed: u64) -> Result<()> {
    let data = datasets::folder();
    let model = model("tinystories-656k-f32.gguf")?;
    let folder = tempfile::tempdir()?;
    let project = folder.path().join("sms.hardcase");
    let task = folder.path().join("task.toml");
    std::fs::write(&task, TASK)?;
    run("new", &project, &["--task", text(&task)?])?;
    run("import", &project, &[text(&data.join("sms_spam/sms.tsv"))?, "--text", "2", "--gold", "1"])?;
    run("scout", &project, &[])?;
    match labels {
        Labels::Balanced => balanced(&project, seed)?,
        Labels::Mined => rounds(&project, 8, seed)?,
    }
    let begun = Instant::now();
    let taught = run("tune", &project, &["--adapter", form, "--model", text(&model)?])?;
    println!("{taught}\n{:.1} s", begun.elapsed().as_secs_f64());
    println!("{}", run("judge", &project, &["--all"])?);
    for by in ["judge", "active", "head"] {
        let (kappa, n) = kappa(&project, by, "spam")?;
        println!("kappa by {by} on {n} messages that nobody labelled: {kappa:.3}");
    }
    Ok(())
}

/// Tweets of a seed, of which the judge reads some.
const TWEETS: usize = 3_000;
const READ: &str = "1500";
/// Tweets that fewer have seen are left out.
const ANNOTATORS: u32 = 3;

fn task_of(set: &datasets::Set) -> String {
    let mut task = "name = \"hate speech\"\nquestion = \"Is this hate speech?\"\n".to_owned();
    for (key, (name, description, examples)) in (1..).zip(&set.labels) {
        task += &format!(
            "[[label]]\nname = {name:?}\nkey = \"{key}\"\ndescription = {description:?}\nexamples = {examples:?}\n"
        );
    }
    task
}

fn cascade(seeds: u64) -> Result<()> {
    let set = datasets::read("davidson_hate", &datasets::folder())?;
    let model = model("tinystories-656k-f32.gguf")?;
    let mut gains = vec![Vec::new(); 2];
    for seed in 1..=seeds {
        let folder = tempfile::tempdir()?;
        let (project, task) = (folder.path().join("hate.hardcase"), folder.path().join("task.toml"));
        std::fs::write(&task, task_of(&set))?;
        let mut rows = set.rows.clone();
        rows.retain(|row| row.votes.iter().sum::<u32>() >= ANNOTATORS);
        rows.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let data = folder.path().join("tweets.csv");
        let mut csv = csv::Writer::from_path(&data)?;
        csv.write_record(["text", "gold"])?;
        for row in &rows[..TWEETS] {
            csv.write_record([&row.text, &row.gold])?;
        }
        csv.flush()?;
        run("new", &project, &["--task", text(&task)?])?;
        run("import", &project, &[text(&data)?, "--text", "text", "--gold", "gold"])?;
        run("scout", &project, &[])?;
        rounds(&project, 6, seed)?;
        let alone = kappa(&project, "head", "hate")?.0;
        let said = run("judge", &project, &["--model", text(&model)?, "--limit", READ])?;
        let untaught = kappa(&project, "active", "hate")?.0;
        let taught = run("tune", &project, &["--adapter", "lora", "--model", text(&model)?])?;
        let after = kappa(&project, "active", "hate")?.0;
        println!(
            "{said}{taught}seed {seed}: kappa by the head {alone:.3}, with the judge {untaught:.3}, with it taught {after:.3}"
        );
        gains[0].push(untaught - alone);
        gains[1].push(after - alone);
    }
    for (name, gains) in ["untaught", "taught"].iter().zip(&gains) {
        let gain = hardcase::stats::estimate::paired::Paired::of(gains).context("too few seeds")?;
        println!(
            "{name}: {:+.4} beside the head alone, standard error {:.4}, {seeds} seeds",
            gain.mean, gain.error
        );
    }
    Ok(())
}

/// Rounds of 60 as a project plays them, answered with the gold.
fn rounds(project: &Path, count: usize, seed: u64) -> Result<()> {
    let gold: HashMap<i64, String> = predictions(project, "active")?
        .iter()
        .filter_map(|line| Some((line["item"].as_i64()?, line["gold"].as_str()?.to_owned())))
        .collect();
    for _ in 0..count {
        run("mine", project, &["--budget", "60", "--seed", &seed.to_string()])?;
        loop {
            let next: Value = serde_json::from_str(&run("next", project, &["--json"])?)?;
            let Some(item) = next["item"].as_i64() else { break };
            run("answer", project, &["--item", &item.to_string(), "--label", &gold[&item]])?;
        }
        run("tune", project, &[])?;
    }
    Ok(())
}

/// 300 training labels, half of them spam, drawn at random.
fn balanced(project: &Path, seed: u64) -> Result<()> {
    let lines = predictions(project, "active")?;
    let store = Store::open(project, Access::Read)?;
    let train: Vec<i64> = store
        .splits()?
        .into_iter()
        .filter(|(_, split)| *split == Split::Train)
        .map(|(item, _)| item.0)
        .collect();
    drop(store);
    for label in ["spam", "ham"] {
        let of = |line: &&Value| line["gold"] == label && train.contains(&line["item"].as_i64().unwrap_or(0));
        let mut all: Vec<i64> = lines.iter().filter(of).filter_map(|line| line["item"].as_i64()).collect();
        all.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        for item in all.into_iter().take(150) {
            run("answer", project, &["--item", &item.to_string(), "--label", label])?;
        }
    }
    run("tune", project, &[])?;
    Ok(())
}

/// Kappa with the gold on the texts that nobody labelled, and how many those are.
fn kappa(project: &Path, by: &str, positive: &str) -> Result<(f64, usize)> {
    let lines = predictions(project, by)?;
    let unseen = lines.iter().filter(|line| !line["prelabel"].is_null() && line["label"].is_null());
    let of = |value: &Value| usize::from(value == positive);
    let pairs: Vec<(usize, usize)> = unseen.map(|line| (of(&line["prelabel"]), of(&line["gold"]))).collect();
    let kappa = hardcase::stats::agreement::kappa::cohen(&pairs, hardcase::domain::task_kind::TaskKind::One)
        .map_err(|why| anyhow::anyhow!("{why:?}"))?;
    Ok((kappa, pairs.len()))
}

/// A language model of the test data.
fn model(name: &str) -> Result<PathBuf> {
    let path = datasets::folder().with_file_name("models").join(name);
    ensure!(path.is_file(), "skipped: there is no {}", path.display());
    Ok(path)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path is not UTF-8")
}

fn predictions(project: &Path, by: &str) -> Result<Vec<Value>> {
    let out = run("export", project, &["--what", "predictions", "--by", by])?;
    out.lines().map(|line| Ok(serde_json::from_str(line)?)).collect()
}

fn run(verb: &str, project: &Path, arguments: &[&str]) -> Result<String> {
    let program = PathBuf::from(env!("CARGO_BIN_EXE_hardcase"));
    let output =
        Command::new(program).arg(verb).arg(project).args(arguments).args(["--progress", "none"]).output()?;
    if !output.status.success() {
        bail!("{verb}: {}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(String::from_utf8(output.stdout)?)
}

const TASK: &str = r#"name = "spam"
question = "Is this message spam?"
[[label]]
name = "spam"
key = "1"
description = "advertising, prizes, or a premium-rate number to call"
[[label]]
name = "ham"
key = "2"
description = "a message between people who know each other"
"#;
