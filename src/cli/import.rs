//! `import`: adds texts to a project.

use std::path::{Path, PathBuf};

use super::arguments::Reading;
use super::setting::Setting;
use crate::domain::fault::{Fault, Result};
use crate::domain::imported_label::{checked_source_name, checked_weight};
use crate::domain::read_options::ReadOptions;
use crate::job::given_predictions::Given;
use crate::job::import::{BadRows, ImportOptions, LabelsOf, PredictionColumns, import, input_formats};
use crate::work::JobContext;

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
    /// Column with what a model elsewhere predicts: its label, or once for each label, as LABEL=COL, its probability. The predictions are
    /// weighed on your answers like a judge's, as those of `judge --from`, and count only where they help
    #[arg(long, value_name = "COL")]
    prediction: Vec<String>,
    /// Whose predictions they are [default: the file's name]
    #[arg(long, value_name = "NAME", requires = "prediction")]
    predicted_by: Option<String>,
    /// What values of --label, --gold and --prediction stand for: 0=complaint,1=other; `2=` leaves a value out
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
                    .hint("Name one with --gold, or with --label and --source; predictions alone are taken in by `hardcase judge FILE --from DATA`"));
            }
            read.text.extend(read.id.clone());
        }
        let weight = self.weight.map(checked_weight).transpose()?;
        let source = self.source.as_deref().map(checked_source_name).transpose()?;
        let predictions =
            predicted(self.prediction)?.map(|given| PredictionColumns { given, name: self.predicted_by });
        Ok(ImportOptions {
            read,
            predictions,
            bad_rows: if self.skip_bad { BadRows::Reject } else { BadRows::Stop },
            source: source.map(|name| LabelsOf { name: name.to_owned(), weight }),
            map: self.map,
            by_id: self.by_id,
            update: self.update,
        })
    }
}

/// What the columns of the predictions hold; none where none was named.
///
/// # Errors
/// Several columns of which not each is said to be a label's.
fn predicted(columns: Vec<String>) -> Result<Option<Given>> {
    let each: Vec<Option<(String, String)>> =
        columns.iter().map(|said| said.split_once('=').map(|(l, c)| (l.to_owned(), c.to_owned()))).collect();
    match (columns.as_slice(), each.iter().all(Option::is_some)) {
        ([], _) => Ok(None),
        (_, true) => Ok(Some(Given::Each(each.into_iter().flatten().collect()))),
        ([label], false) => Ok(Some(Given::Label(label.clone()))),
        _ => Err(Fault::usage("import the predictions", "several columns were named, and not for each of them which label it is of")
            .hint("Name one column with labels, or one column for each label: --prediction spam=p_spam --prediction ham=p_ham")),
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
    // What predictions are worth is told by what this person may see.
    let speaker = options.predictions.as_ref().map(|_| setting.expert_on(project)).transpose()?;
    for file in data {
        let job = setting.job(project);
        let job = JobContext { expert: speaker.as_deref().unwrap_or(job.expert), ..job };
        let report = import(&job, file, options)?;
        setting.print(&report)?;
    }
    Ok(())
}
