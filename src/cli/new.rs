//! `new`: makes a project and imports the data that is named. Without a task it asks for one, if there is a terminal.

use std::path::{Path, PathBuf};

use super::dialogue;
use super::dialogue::{Names, Person};
use super::import::{Importing, import_all};
use super::keyboard::Keyboard;
use super::label::hand_over;
use super::setting::Setting;
use super::task::read_task;
use crate::domain::fault::{Fault, Result};
use crate::domain::read_options::ReadOptions;
use crate::domain::task::Task;
use crate::job::create::{check_place, create};
use crate::job::import::BadRows;
use crate::job::preview::{Preview, preview};
use crate::job::task::{free_name, write_new};

/// The seed of a project that is given none, so that the same data gives the same rounds everywhere.
pub(super) const DEFAULT_SEED: u64 = 1;

#[derive(clap::Args)]
pub(super) struct New {
    /// The project file to make
    file: PathBuf,
    /// The task: question, guideline and labels [default: you are asked, at a terminal]
    #[arg(long, value_name = "TASK.toml")]
    task: Option<PathBuf>,
    /// Texts to import; can be given several times
    #[arg(long, value_name = "DATA")]
    data: Vec<PathBuf>,
    #[command(flatten)]
    importing: Importing,
}

impl New {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let task = self.task.as_deref().map(read_task).transpose()?;
        let project = NewProject::of(self.file, self.data, self.importing);
        if task.is_none() && setting.asks() {
            let mut person = Keyboard::prepare(&setting.watch, project.attempted());
            return project.make_by_asking(setting, &mut person);
        }
        project.make(setting, task.as_ref())
    }
}

/// `hardcase DATA`: offers to make a project next to the data.
///
/// # Errors
/// There is one already, there is no terminal to ask at, or the person leaves.
pub(super) fn offer(setting: &Setting, data: PathBuf, importing: Importing) -> Result<()> {
    let shown = data.display().to_string();
    let project = NewProject::of(data.with_extension("hardcase"), vec![data], importing);
    let file = project.file.display();
    if project.file.exists() {
        return Err(Fault::usage(project.attempted(), "it exists already").hint(format!(
            "Open it with `hardcase {file}`, or make another one with `hardcase new FILE --data {shown}`"
        )));
    }
    if !setting.asks() {
        return Err(Fault::usage(
            project.attempted(),
            "you are asked for its task at a terminal, without --json and --quiet",
        )
        .hint(format!("Write a TASK.toml and run `hardcase new {file} --task TASK.toml --data {shown}`")));
    }
    let mut person = Keyboard::prepare(&setting.watch, project.attempted());
    let question = format!("Start a new project {file} with the texts in {shown}");
    if !dialogue::yes(&mut person, "you want to", &question)? {
        return setting.say(&format!(
            "Nothing was made. To put the project elsewhere: `hardcase new FILE --data {shown}`"
        ));
    }
    let file = project.file.clone();
    project.make_by_asking(setting, &mut person)?;
    hand_over(setting, &file)
}

/// A project to be made.
struct NewProject {
    file: PathBuf,
    data: Vec<PathBuf>,
    options: ReadOptions,
    bad_rows: BadRows,
}

impl NewProject {
    fn of(file: PathBuf, data: Vec<PathBuf>, importing: Importing) -> Self {
        let (options, bad_rows) = importing.checked();
        Self { file, data, options, bad_rows }
    }

    fn attempted(&self) -> String {
        format!("make the project {}", self.file.display())
    }

    /// Asks for the task, writes it next to the project, and makes both.
    fn make_by_asking(mut self, setting: &Setting, person: &mut Keyboard) -> Result<()> {
        // Whatever would fail at the end should fail before anyone has typed a word.
        check_place(&self.file)?;
        person.say(&format!(
            "{} will be made when you have answered all questions.\nEnter accepts the answer in [brackets]. Ctrl-C leaves, and nothing is made.",
            self.file.display()
        ))?;
        self.preview_data(person)?;
        let toml = free_name(&self.file);
        let task = dialogue::ask_task(person, &self.names(&toml))?;
        write_new(&toml, &task)?;
        setting.say(&format!("Wrote the task to {}", toml.display()))?;
        self.make(setting, Some(&task))
    }

    /// Shows the first texts of each file, and asks for the text columns of the first file if the command line does not name them.
    fn preview_data(&mut self, person: &mut Keyboard) -> Result<()> {
        let [first, others @ ..] = self.data.as_slice() else { return Ok(()) };
        if let Some(found) = preview(first, &self.options)? {
            person.say(&format!("\n{}", first.display()))?;
            match &found.texts {
                Ok(texts) if !self.options.text.is_empty() => dialogue::show_texts(person, texts)?,
                _ => {
                    let with = |text: &[String]| {
                        let options = ReadOptions { text: text.to_vec(), ..self.options.clone() };
                        preview(first, &options)?.ok_or_else(|| {
                            Fault::new(format!("read {} again", first.display()), "it has changed")
                                .hint("Run the same command again")
                        })
                    };
                    let chosen = dialogue::choose_text(person, found, with)?;
                    self.options.text = chosen;
                }
            }
        }
        for other in others {
            match preview(other, &self.options)? {
                Some(Preview { texts: Ok(texts), .. }) => {
                    person.say(&format!("\n{}", other.display()))?;
                    dialogue::show_texts(person, &texts)?;
                }
                Some(Preview { texts: Err(why), .. }) => {
                    return Err(Fault::usage(format!("read {}", other.display()), why)
                        .hint("Name the column that has the texts: --text COLUMN"));
                }
                None => {}
            }
        }
        Ok(())
    }

    fn names(&self, toml: &Path) -> Names {
        let data: Vec<String> = self.data.iter().map(|d| d.display().to_string()).collect();
        Names {
            task: self.file.file_stem().map_or(String::new(), |s| s.to_string_lossy().into_owned()),
            project: self.file.display().to_string(),
            toml: toml.display().to_string(),
            data: (!data.is_empty()).then(|| data.join(", ")),
        }
    }

    fn make(self, setting: &Setting, task: Option<&Task>) -> Result<()> {
        let warning = create(&self.file, task, setting.seed.unwrap_or(DEFAULT_SEED), &setting.expert)?;
        if let Some(warning) = warning {
            setting.say(&warning)?;
        }
        let file = self.file.display();
        setting.say(&format!("Made {file}"))?;
        import_all(setting, &self.file, &self.data, &self.options, self.bad_rows).inspect_err(|_| {
            // The reason follows on standard error.
            let _ = setting.say(&format!(
                "The project {file} exists, but not all texts are in it: go on with `hardcase import {file} DATA`"
            ));
        })?;
        setting.say(&match (task, self.data.is_empty()) {
            (None, _) => {
                format!("Next: write a TASK.toml and set it with `hardcase task {file} --set TASK.toml`")
            }
            (_, true) => format!("Next: `hardcase import {file} DATA`"),
            (_, false) => format!("Next: `hardcase {file}`"),
        })
    }
}
