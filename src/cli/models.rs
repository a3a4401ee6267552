//! `models`: lists the model files of this machine, and measures how fast they read.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::setting::Setting;
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::local_model::LocalModel;
use crate::domain::progress::{Progress, Watcher};
use crate::job::models::{ModelReport, ModelsReport, fits_memory, model_file, model_of, models};
use crate::job::probe::probe;

#[derive(clap::Args)]
pub(super) struct Models {
    /// Measure one model: a name from the list, or the path of a GGUF file. It is loaded and reads for up to 10 seconds [default: list all
    /// models, and read nothing but the headers of their files]
    #[arg(value_name = "NAME")]
    model: Option<PathBuf>,
    /// Measure every model of the list, one after the other. Models that do not fit the free memory are left out
    #[arg(long, conflicts_with = "model")]
    probe: bool,
}

impl Models {
    /// Whether it loads a model in this process.
    pub fn needs_model(&self) -> bool {
        self.model.is_some()
    }

    pub fn run(self, setting: &Setting) -> Result<()> {
        if let Some(typed) = &self.model {
            let mut model = model_of(typed)?;
            let probe = probe(&model)?;
            model.texts_per_second = Some(probe.texts_per_second);
            return setting.print(&ModelReport { model, probe });
        }
        let mut report = models();
        if self.probe {
            probe_all(setting, &mut report)?;
        }
        setting.print(&report)
    }
}

/// The model file that a person names with `--model`: by its path, or as the list calls it.
///
/// # Errors
/// A name that no model has, or several.
pub(super) fn named_file(typed: Option<PathBuf>) -> Result<Option<PathBuf>> {
    typed.as_deref().map(model_file).transpose()
}

/// Measures each model in a process of its own, so that one that crashes llama.cpp costs its own figure alone.
fn probe_all(setting: &Setting, report: &mut ModelsReport) -> Result<()> {
    let total = report.models.len() as u64;
    for (done, model) in (0..).zip(&mut report.models) {
        if model.can.is_empty() {
            continue;
        }
        setting.watch.report(&Progress {
            job: "models".into(),
            stage: format!("measuring {}", model.name),
            done,
            total: Some(total),
            unit: "models".into(),
            rate: None,
            eta_s: None,
            tokens_per_second: None,
            epochs: Vec::new(),
        });
        let measured = if fits_memory(model) {
            probe_apart(&model.path)?
        } else {
            Err("it is larger than the free memory".into())
        };
        match measured {
            Ok(texts_per_second) => model.texts_per_second = Some(texts_per_second),
            Err(why) => report.unmeasured.push(format!("{}: {why}", model.name)),
        }
    }
    Ok(())
}

/// The speed of the model in a file, or why it is not known.
fn probe_apart(file: &Path) -> Result<std::result::Result<f64, String>> {
    let failed =
        |e: std::io::Error| Fault::new("start a process to measure a model", io_reason(&e)).because(e);
    let program = std::env::current_exe().map_err(failed)?;
    let mut command = Command::new(program);
    command.arg("models").arg("--json").arg("--").arg(file).stdin(Stdio::null());
    let output = command.output().map_err(failed)?;
    let speed =
        serde_json::from_slice::<LocalModel>(&output.stdout).ok().and_then(|model| model.texts_per_second);
    Ok(speed.ok_or_else(|| {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = said.lines().last().unwrap_or("its process ended without a word");
        said.trim_start_matches("hardcase: ").to_owned()
    }))
}
