//! x
#![allow(missing_docs)]
use hardcase::engine::{embedded, encoder::*};
use std::{num::NonZeroUsize, ops::ControlFlow, path::Path, time::Instant};
fn main() {
    let data = std::env::var("HARDCASE_TEST_DATA").unwrap_or("/work/shared".into());
    let text = String::from_utf8_lossy(&std::fs::read(format!("{data}/data/sms_spam/sms.tsv")).unwrap())
        .into_owned();
    let mut texts: Vec<&str> = text
        .lines()
        .filter_map(|l| l.split_once('\t').map(|x| x.1))
        .collect();
    let n = std::env::var("HC_N")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(texts.len());
    texts.truncate(n);
    if std::env::var("HC_SORT").is_ok() {
        texts.sort_by_key(|t| t.len());
    }
    let bytes = std::fs::read("assets/model/all-minilm-l6-v2-q8_0.gguf").unwrap();
    let t = Instant::now();
    let path = match std::env::var("HC_MODEL") {
        Ok(p) => p.into(),
        _ => embedded::unpack(&bytes, Path::new("/tmp/wt/cache"))
            .map_err(|e| e.to_string())
            .unwrap(),
    };
    eprintln!("unpack {:?}", t.elapsed());
    let t = Instant::now();
    let th = std::env::var("HC_T")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(2);
    let enc = Encoder::load(
        &path,
        EncoderOptions {
            threads: NonZeroUsize::new(th).unwrap(),
        },
    )
    .map_err(|e| e.to_string())
    .unwrap();
    eprintln!("load {:?}", t.elapsed());
    for _ in 0..std::env::var("HC_R")
        .ok()
        .and_then(|s| s.parse().ok())
        .unwrap_or(1)
    {
        let t = Instant::now();
        let done = enc
            .embed(&texts, &mut |_, _| ControlFlow::Continue(()))
            .map_err(|e| e.to_string())
            .unwrap();
        println!(
            "{:?} {:.1} texts/s",
            done,
            texts.len() as f64 / t.elapsed().as_secs_f64()
        );
    }
}
