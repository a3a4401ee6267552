//! Seconds that an epoch of an adapter of a language model takes, and memory.
//!
//! `cargo bench --bench causal -- SHAPE FORM DOCUMENTS SHARED LENGTH CUE [MEMORY-GIB]`, with SHAPE `0.6b` (Qwen3-0.6B's, Q8_0) or `135m`
//! (SmolLM-135M's, F32) and FORM `lora` or `alora`; models of random numbers, written into the folder of temporary files and kept there.

#![expect(clippy::print_stdout, reason = "a benchmark reports what it measured")]

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use hardcase::engine;
use hardcase::engine::gguf::TensorType;
use hardcase::engine::judge::{Judge, JudgeOptions};
use hardcase::engine::train::language_model::{Fit, fit};
use hardcase::engine::train::{
    AdapterForm, Decision, Example, Precision, ServeOptions, ServedModel, Settings,
};
use hardcase::engine::transformer::{KvStore, Weights};
use random_model::RandomModel;

#[path = "../src/engine/random_model.rs"]
mod random_model;

const GIB: f64 = (1u64 << 30) as f64;

fn main() -> anyhow::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let [shape, form, documents, shared, length, cue, rest @ ..] = &arguments[..] else {
        println!("give: SHAPE FORM DOCUMENTS SHARED LENGTH CUE [MEMORY-GIB]");
        return Ok(());
    };
    let number = |text: &String| text.parse::<usize>();
    let (documents, shared, length, cue) =
        (number(documents)?, number(shared)?, number(length)?, number(cue)?);
    let memory = (rest.first().map_or(Ok(4.0), |text| text.parse::<f64>())? * GIB) as u64;
    let model = match shape.as_str() {
        "0.6b" => RandomModel::of_600_million(16_384, TensorType::Q8_0),
        "135m" => RandomModel::of_135_million(TensorType::F32),
        other => anyhow::bail!("there is no shape '{other}'"),
    };
    let path: PathBuf = std::env::temp_dir().join(format!("hardcase-bench-{shape}.gguf"));
    if !path.exists() {
        let begin = Instant::now();
        model.write(&path)?;
        println!("wrote {} in {:.1} s", path.display(), begin.elapsed().as_secs_f64());
    }
    let begin = Instant::now();
    let weights = Arc::new(Weights::read(&path, memory)?);
    println!("read in {:.1} s, {}", begin.elapsed().as_secs_f64(), peak());
    let examples: Vec<Example> = (0..documents)
        .map(|document| {
            let token = |at: usize| {
                let own = if at < shared { 0 } else { 7 + document };
                260 + (at * 31 + own * 131) % (model.vocabulary - 260)
            };
            let tokens: Vec<usize> = (0..shared + length + cue).map(token).collect();
            let at = tokens.len() - 1;
            let decision = Decision { at, candidates: vec![300, 400], chosen: document % 2 };
            Example { tokens, shared, answer_from: shared + length, decisions: vec![decision], weight: 1.0 }
        })
        .collect();
    let cached: KvStore;
    let form = if form == "alora" {
        let judge = Judge::load(&path, JudgeOptions::default())?;
        let threads = std::thread::available_parallelism()?;
        let options = ServeOptions { longest: shared + length + cue, precision: Precision::Half, threads };
        let mut server = ServedModel::new(&judge.served, options)?;
        let all: Vec<&Example> = examples.iter().collect();
        let begin = Instant::now();
        cached = server.precompute_kv(&all, &weights.shape, 1 << 29, &mut |_| {})?;
        let seconds = begin.elapsed().as_secs_f64();
        println!("cached in {seconds:.1} s, {:.2} GiB spilled, {}", cached.spilled() as f64 / GIB, peak());
        AdapterForm::Alora { cached: &cached, first: 0 }
    } else {
        AdapterForm::Lora
    };
    let settings = Settings { epochs: 1, ..Settings::usual(1) };
    let task = Fit { weights: &weights, examples: &examples, held_out: &[], form, memory };
    let (begin, busy) = (Instant::now(), processor_seconds());
    fit(&task, &settings, &mut |_| ControlFlow::Continue(()), &mut |_| ControlFlow::Continue(()))?;
    let (seconds, busy) = (begin.elapsed().as_secs_f64(), processor_seconds() - busy);
    println!(
        "{seconds:.2} s an epoch ({busy:.2} of processors), {:.1} s for 400 documents, {}",
        seconds * 400.0 / documents as f64,
        peak()
    );
    Ok(())
}

/// Seconds of processors that the process has had so far, on Linux.
fn processor_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// The most memory that the process has had so far.
fn peak() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    format!("peak {}", peak.map_or("unknown", str::trim))
}
