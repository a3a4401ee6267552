//! `source`: lists whose labels were imported, and sets what they count.

use std::path::PathBuf;

use clap::Subcommand;

use super::output::{print, print_json};
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::grouped::grouped;
use crate::domain::sanitize::sanitize;
use crate::insight::imported_labels::{ImportedLabels, label_sources};
use crate::job::label_source::weigh;

#[derive(clap::Args)]
pub(super) struct Source {
    /// The project file
    file: PathBuf,
    #[command(subcommand)]
    action: Action,
}

#[derive(Subcommand)]
enum Action {
    /// List the sources of imported labels, with how many labels they gave and how many teach
    List,
    /// Set what a label of a source counts in training, where an expert's answer counts 1
    Weight {
        /// The source
        #[arg(value_name = "NAME")]
        name: String,
        /// 0 to 1; with 0 none of the labels teaches
        #[arg(value_name = "W")]
        weight: f64,
    },
}

impl Source {
    pub fn run(self, setting: &Setting) -> Result<()> {
        if let Action::Weight { name, weight } = &self.action {
            weigh(&self.file, name, *weight)?;
            setting.say(&format!(
                "A label of {} now counts {weight} where an expert's answer counts 1. `hardcase tune {}` learns from that.",
                sanitize(name.trim()),
                self.file.display()
            ))?;
            if !setting.wants_json() {
                return Ok(());
            }
        }
        let listed = label_sources(&self.file, &setting.expert_on(&self.file)?)?;
        if setting.wants_json() { print_json(&listed) } else { print(&in_words(&listed)) }
    }
}

fn in_words(listed: &[ImportedLabels]) -> String {
    if listed.is_empty() {
        return "No labels were imported. `hardcase import FILE DATA --label COL --source NAME` brings some in.".into();
    }
    let width =
        listed.iter().map(|s| sanitize(&s.source).chars().count()).max().unwrap_or(0).max("source".len());
    let mut lines = vec![format!("{:<width$}  weight   labels    texts  in training  teach", "source")];
    lines.extend(listed.iter().map(|s| {
        let n = |n: usize| grouped(n as u64);
        format!(
            "{:<width$}  {:>6}  {:>7}  {:>7}  {:>11}  {:>5}",
            sanitize(&s.source),
            s.weight,
            n(s.labels),
            n(s.texts),
            n(s.in_training),
            n(s.teach)
        )
    }));
    lines.join("\n")
}
