//! What a verb runs with: the checked global options, who is asking, and where output goes.

use std::io::{IsTerminal, stdin, stdout};
use std::path::Path;

use serde::Serialize;

use super::arguments::Global;
use super::output;
use super::watch::Watch;
use crate::desk::people::usual_expert;
use crate::domain::fault::Result;
use crate::work::JobContext;

/// The checked global options.
pub(super) struct Setting {
    pub expert: String,
    /// Whether `--as` gave that name.
    pub named: bool,
    /// Whether `--alone` was given.
    pub alone: bool,
    /// Overrides the project's seed.
    pub seed: Option<u64>,
    /// Whether the causes of an error are printed.
    pub verbose: bool,
    pub watch: Watch,
    #[cfg_attr(not(feature = "engine"), expect(dead_code, reason = "a label-only build carries no model"))]
    pub model: &'static [u8],
    json: bool,
    quiet: bool,
}

impl Setting {
    /// Checks the global options.
    pub fn new(global: Global, model: &'static [u8]) -> Self {
        let settings = directories::ProjectDirs::from("", "", "hardcase");
        crate::upkeep::say_alone(global.alone, settings.map(|dirs| dirs.config_dir().join("alone")));
        Self {
            named: global.name.is_some(),
            expert: global.name.unwrap_or_else(crate::job::login),
            alone: global.alone,
            seed: global.seed,
            verbose: global.verbose,
            watch: Watch::new(global.progress, global.quiet),
            model,
            json: global.json,
            quiet: global.quiet,
        }
    }

    /// The expert's name on `project`: `--as`, else who usually works under this login. Nobody is enrolled and nothing is written.
    pub fn expert_on(&self, project: &Path) -> Result<String> {
        if self.named { Ok(self.expert.clone()) } else { usual_expert(project, &self.expert) }
    }

    pub fn job<'a>(&'a self, project: &'a Path) -> JobContext<'a> {
        self.watch.prepare();
        JobContext { project, watcher: &self.watch, expert: &self.expert, seed: self.seed }
    }

    pub fn wants_json(&self) -> bool {
        self.json
    }

    /// Whether a person is there to answer questions.
    pub fn asks(&self) -> bool {
        !self.json && !self.quiet && stdin().is_terminal() && stdout().is_terminal()
    }

    /// Prints a result as text or as JSON.
    pub fn print(&self, result: &(impl Serialize + std::fmt::Display)) -> Result<()> {
        if self.json { output::print_json(result) } else { output::print(&result.to_string()) }
    }

    /// Prints a line for a person, unless `--json` or `--quiet` is given.
    pub fn say(&self, line: &str) -> Result<()> {
        if self.json || self.quiet { Ok(()) } else { output::print(line) }
    }

    /// The folder for what can be recomputed.
    #[cfg(feature = "engine")]
    pub fn cache_dir(&self) -> std::path::PathBuf {
        directories::ProjectDirs::from("", "", "hardcase")
            .map_or_else(|| std::env::temp_dir().join("hardcase"), |d| d.cache_dir().to_owned())
    }

    /// The encoder to scout with.
    #[cfg(feature = "engine")]
    pub fn scout_model(
        &self,
        file: Option<std::path::PathBuf>,
        threads: Option<std::num::NonZeroUsize>,
    ) -> crate::learn::model::ScoutModel {
        use crate::learn::model::{Asked, ScoutModel};
        let data_dir = directories::ProjectDirs::from("", "", "hardcase")
            .map_or_else(|| std::env::temp_dir().join("hardcase"), |d| d.data_local_dir().to_owned());
        let asked = file.map_or(Asked::Nothing, Asked::File);
        ScoutModel { asked, reading: None, embedded: self.model, data_dir, threads }
    }
}
