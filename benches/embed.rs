//! How fast the embedded model turns real texts into vectors: `cargo bench --bench embed`.
//!
//! Takes the texts from the file named by `HARDCASE_BENCH_TEXTS`, one a line, else the SMS of the test data
//! (`HARDCASE_TEST_DATA`, by default the folder `shared` beside the repository), and the model that `HARDCASE_BENCH_MODEL` names, else the
//! embedded one. Prints one line, which `scouting/versus_sentence_transformers.py` reads.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use hardcase::engine::embedded;
use hardcase::engine::encoder::{Encoder, EncoderOptions};

const MODEL: &[u8] = include_bytes!("../assets/model/encoder.gguf");

#[expect(clippy::print_stdout, reason = "a benchmark's figures go to standard output")]
fn main() -> Result<()> {
    let Some(texts) = texts()? else {
        println!(
            "skipped: there is no sms_spam/sms.tsv; HARDCASE_TEST_DATA or HARDCASE_BENCH_TEXTS names the data"
        );
        return Ok(());
    };
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let path = match std::env::var_os("HARDCASE_BENCH_MODEL") {
        Some(path) => PathBuf::from(path),
        None => embedded::unpack(MODEL, &std::env::temp_dir().join("hardcase-bench"))?,
    };
    let options = EncoderOptions::default();
    let encoder = Encoder::load(&path, options)?;
    // The first batches also pay for memory that is touched for the first time.
    embed(&encoder, texts.get(..64).unwrap_or(&texts))?;
    let started = Instant::now();
    embed(&encoder, &texts)?;
    let seconds = started.elapsed().as_secs_f64();
    let rate = texts.len() as f64 / seconds;
    println!("{} texts on {} cores in {seconds:.2} s: {rate:.1} texts/s", texts.len(), options.threads);
    Ok(())
}

fn embed(encoder: &Encoder, texts: &[&str]) -> Result<()> {
    let done = encoder.embed(texts, &mut |_, _| ControlFlow::Continue(()))?;
    ensure!(done.texts == texts.len(), "only {} texts came back", done.texts);
    Ok(())
}

fn texts() -> Result<Option<Vec<String>>> {
    if let Some(path) = std::env::var_os("HARDCASE_BENCH_TEXTS") {
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        return Ok(Some(text.lines().map(str::to_owned).collect()));
    }
    let data = std::env::var_os("HARDCASE_TEST_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let Ok(sms) = std::fs::read(data.join("data/sms_spam/sms.tsv")) else {
        return Ok(None);
    };
    let sms = String::from_utf8_lossy(&sms);
    Ok(Some(sms.lines().filter_map(|line| line.split_once('\t')).map(|(_, text)| text.to_owned()).collect()))
}
