//! The vectors of a simulation's texts: embedded once, and cached next to its finished runs.

use std::fs;
use std::io::Write;
use std::ops::ControlFlow;
use std::path::Path;

use half::f16;
use ndarray::{Array2, s};

use super::dataset::Dataset;
use super::ledger::stopped;
use super::play::World;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::progress::{Progress, Watcher};
use crate::engine::encoder::Encoder;
use crate::work::whole_file::{Rights, WholeFile};

/// Embeds the texts and the labels' anchors. `file` caches the vectors, as f16 like a project.
///
/// # Errors
/// A model that fails, or a request to stop.
pub fn world(data: Dataset, encoder: &Encoder, file: &Path, watcher: &dyn Watcher) -> Result<World> {
    let anchors: Vec<&String> = data.labels.anchors.iter().flatten().collect();
    let texts: Vec<&str> = data.texts.iter().chain(anchors).map(String::as_str).collect();
    let shape = (texts.len(), encoder.facts().dimensions);
    let all = match kept(file, shape) {
        Some(vectors) => vectors,
        None => {
            let vectors = embed(&texts, encoder, watcher)?;
            keep(file, &vectors)?;
            // Read back, so that first and later runs use the same rounded numbers.
            kept(file, shape).unwrap_or(vectors)
        }
    };
    let n = data.len();
    let mut first = n;
    let mut anchors = Array2::zeros((data.classes(), shape.1));
    for (mut mean, texts) in anchors.rows_mut().into_iter().zip(&data.labels.anchors) {
        for row in first..first + texts.len() {
            mean.scaled_add(1.0 / texts.len() as f32, &all.row(row));
        }
        first += texts.len();
    }
    Ok(World { vectors: all.slice_move(s![..n, ..]), anchors, data })
}

fn embed(texts: &[&str], encoder: &Encoder, watcher: &dyn Watcher) -> Result<Array2<f32>> {
    let mut vectors = Array2::zeros((texts.len(), encoder.facts().dimensions));
    let begun = std::time::Instant::now();
    let mut done = 0u64;
    encoder.embed(texts, &mut |indices, rows| {
        indices.iter().zip(rows.rows()).for_each(|(&i, row)| vectors.row_mut(i).assign(&row));
        done += indices.len() as u64;
        let rate = done as f64 / begun.elapsed().as_secs_f64().max(1e-3);
        watcher.report(&Progress {
            job: "simulate".into(),
            stage: "embedding".into(),
            done,
            total: Some(texts.len() as u64),
            unit: "texts".into(),
            rate: Some(rate),
            eta_s: Some((texts.len() as u64 - done) as f64 / rate),
            tokens_per_second: None,
            epochs: Vec::new(),
        });
        if watcher.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    if done < texts.len() as u64 {
        return Err(stopped());
    }
    Ok(vectors)
}

fn kept(file: &Path, (rows, dimensions): (usize, usize)) -> Option<Array2<f32>> {
    let bytes = fs::read(file).ok()?;
    if bytes.len() != 2 * rows * dimensions {
        return None;
    }
    let values = bytes.chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect();
    Array2::from_shape_vec((rows, dimensions), values).ok()
}

/// The file is complete or absent. Texts can be guessed from their vectors, so nobody else may read it.
fn keep(file: &Path, vectors: &Array2<f32>) -> Result<()> {
    let bytes: Vec<u8> = vectors.iter().flat_map(|&v| f16::from_f32(v).to_le_bytes()).collect();
    let written = WholeFile::begin(file, Rights::Private).and_then(|mut whole| {
        whole.file().write_all(&bytes)?;
        whole.finish()
    });
    written.map_err(|e| {
        Fault::new(format!("keep the vectors in {}", file.display()), io_reason(&e))
            .hint("Set XDG_CACHE_HOME to use another directory")
    })
}
