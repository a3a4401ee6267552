//! `adapter export --predictor`: a file from which `predict` scores texts, with the model alone.

use std::path::{Path, PathBuf};

use super::adapters::{adapter_row, must_have_bytes};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::ids::AdapterId;
use crate::domain::predictor::Predictor;
use crate::domain::task::Task;
use crate::store::{Access, Store};
use crate::work::whole_file::{free_name, name_whole};

/// Writes `NAME.hardcase` into a folder: a project file with this adapter, its head and the labels' names, from which `predict` scores texts. It has no text, no
/// answer and nobody's name. Returns the file.
///
/// # Errors
/// No such adapter, its bytes were dropped, an adapter of a judge, a file that is there already, or a folder that cannot be written.
pub fn export_predictor(project: &Path, adapter: AdapterId, folder: &Path) -> Result<PathBuf> {
    let attempted = format!("export adapter {adapter}");
    let store = Store::open(project, Access::Read)?;
    let row = adapter_row(&store, adapter, &attempted)?;
    must_have_bytes(&store, adapter, &attempted)?;
    let scores = |p: &&Predictor| !p.is_combined() && p.judge().is_none() && p.adapter() == Some(adapter);
    let predictors = store.predictors()?;
    let Some(predictor) = predictors.iter().find(scores) else {
        return Err(Fault::usage(attempted, "it belongs to a judge, and `predict` scores with the scout")
            .hint("Leave --predictor out to write it for llama.cpp's tools"));
    };
    let toml = without_texts(store.task()?.task).to_toml()?;
    let failed = |e: std::io::Error| Fault::new(&attempted, io_reason(&e)).because(e);
    let out = folder.join(format!("{}-{adapter}.hardcase", row.kind));
    if out.symlink_metadata().is_ok() {
        // It may be a project: it is replaced by nobody.
        return Err(Fault::usage(&attempted, format!("{} is there already", out.display()))
            .hint("Name another folder with -o"));
    }
    std::fs::create_dir_all(folder).map_err(failed)?;
    let partial = free_name(&out).map_err(failed)?;
    store.write_predictor(&partial, predictor.id, &toml)?;
    if let Err(e) = name_whole(&partial, &out) {
        let _ = std::fs::remove_file(&partial);
        return Err(failed(e));
    }
    Ok(out)
}

/// A task with what a model's answers need to be read: its question and its labels, without anybody's words on how to decide.
fn without_texts(mut task: Task) -> Task {
    task.guideline = String::new();
    task.asked_about = None;
    task.columns = None;
    task.target = Default::default();
    for label in &mut task.labels {
        label.examples = Vec::new();
    }
    task
}
