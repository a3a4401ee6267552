//! `import`: adds texts to a project.

use std::path::{Path, PathBuf};

use super::arguments::Reading;
use super::setting::Setting;
use crate::domain::fault::{Fault, Result};
use crate::domain::imported_label::{checked_source_name, checked_weight};
use crate::domain::read_options::ReadOptions;
use crate::job::import::{BadRows, ImportOptions, LabelsOf, import, input_formats};

#[derive(clap::Args)]
pub(super) struct Import {
    /// The project file
    file: PathBuf,
    #[arg(required = true, help = format!("{}; `-` is standard input", input_formats()))]
    data: Vec<PathBuf>,
    #[command(flatten)]
    importing: Importing,
}

/// How data is imported; shared by `import`, `new` and `hardcase DATA`.
#[derive(clap::Args)]
pub(super) struct Importing {
    #[command(flatten)]
    reading: Reading,
    /// Write rows that cannot be read to DATA.rejects.jsonl instead of stopping
    #[arg(long)]
    skip_bad: bool,
    /// Column with labels that somebody has given before: those of the training range teach, and none counts in a figure
    #[arg(long, value_name = "COL", requires = "source")]
    label: Option<String>,
    /// Whose labels they are: a person, a team, a crowd
    #[arg(long, value_name = "NAME", requires = "label")]
    source: Option<String>,
    /// Column that says when they were given
    #[arg(long, value_name = "COL", requires = "label")]
    at: Option<String>,
    /// What one of them counts in training, 0 to 1, where an expert's answer counts 1 [default: 1]
    #[arg(long, value_name = "W", requires = "label")]
    weight: Option<f64>,
    /// What values of --label and --gold stand for: 0=complaint,1=other; `2=` leaves a value out
    #[arg(long, value_name = "VALUE=LABEL")]
    map: Vec<String>,
    /// The file has labels for texts that are there, named by their --id, and no texts
    #[arg(long, requires = "id", conflicts_with = "text")]
    by_id: bool,
    /// Follow a file that was imported before where texts or labels under its ids have changed
    #[arg(long)]
    update: bool,
}

impl Importing {
    /// How the data is imported.
    ///
    /// # Errors
    /// A name of a source or a weight that is none.
    pub fn checked(self) -> Result<ImportOptions> {
        let mut read: ReadOptions = self.reading.into();
        (read.labels, read.labelled_at) = (self.label, self.at);
        if self.by_id {
            if read.labels.is_none() && read.gold.is_none() {
                return Err(Fault::usage("import labels by their ids", "no column with labels was named")
                    .hint("Name one with --gold, or with --label and --source"));
            }
            read.text.extend(read.id.clone());
        }
        let weight = self.weight.map(checked_weight).transpose()?;
        let source = self.source.as_deref().map(checked_source_name).transpose()?;
        Ok(ImportOptions {
            read,
            bad_rows: if self.skip_bad { BadRows::Reject } else { BadRows::Stop },
            source: source.map(|name| LabelsOf { name: name.to_owned(), weight }),
            map: self.map,
            by_id: self.by_id,
            update: self.update,
        })
    }
}

impl Import {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let options = self.importing.checked()?;
        import_all(setting, &self.file, &self.data, &options)
    }
}

/// Imports one file after the other and prints a report for each.
pub(super) fn import_all(
    setting: &Setting,
    project: &Path,
    data: &[PathBuf],
    options: &ImportOptions,
) -> Result<()> {
    for file in data {
        let report = import(&setting.job(project), file, options)?;
        setting.print(&report)?;
    }
    Ok(())
}
