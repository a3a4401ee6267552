//! `new`: creates a project and imports data into it. Without a task, at a terminal, it asks for one.

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
use crate::job::preview::{Look, look};
use crate::job::task::{free_name, write_new};

/// A fixed seed by default, so that the same data gives the same rounds everywhere.
pub(super) const DEFAULT_SEED: u64 = 1;

#[derive(clap::Args)]
pub(super) struct New {
    /// The project file to create
    file: PathBuf,
    /// The task: question, guideline and labels. Without this option, at a terminal, you are asked for them
    #[arg(long, value_name = "TASK.toml")]
    task: Option<PathBuf>,
    /// Texts to import; may be repeated
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

/// `hardcase DATA`: offers to start a project next to the data.
///
/// # Errors
/// The project exists, there is no terminal to ask at, or the person leaves.
pub(super) fn offer(setting: &Setting, data: PathBuf, importing: Importing) -> Result<()> {
    let shown = data.display().to_string();
    let project = NewProject::of(data.with_extension("hardcase"), vec![data], importing);
    let file = project.file.display();
    if project.file.exists() {
        return Err(Fault::usage(project.attempted(), "it exists already").hint(format!(
            "Open it with `hardcase {file}`, or create another with `hardcase new FILE --data {shown}`"
        )));
    }
    if !setting.asks() {
        return Err(Fault::usage(
            project.attempted(),
            "you are asked for its task, which needs a terminal, without --json and --quiet",
        )
        .hint(format!("Write a TASK.toml and run `hardcase new {file} --task TASK.toml --data {shown}`")));
    }
    let mut person = Keyboard::prepare(&setting.watch, project.attempted());
    let question = format!("Start a new project {file} with the texts in {shown}");
    if !dialogue::yes(&mut person, "you want a new project", &question)? {
        return setting.say(&format!(
            "Nothing was created. `hardcase new FILE --data {shown}` creates the project elsewhere."
        ));
    }
    let file = project.file.clone();
    project.make_by_asking(setting, &mut person)?;
    hand_over(setting, &file)
}

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
        format!("create the project {}", self.file.display())
    }

    /// Asks for the task, writes it next to the project, and creates both.
    fn make_by_asking(mut self, setting: &Setting, person: &mut Keyboard) -> Result<()> {
        // Fail before anybody has typed a word, not at the end.
        check_place(&self.file)?;
        person.say(&format!(
            "{} will be created after the last question.\nPress Enter to accept the value in [brackets], or Ctrl-C to leave without creating anything.",
            self.file.display()
        ))?;
        self.see_data(person)?;
        let toml = free_name(&self.file);
        let task = dialogue::ask_task(person, &self.names(&toml))?;
        write_new(&toml, &task)?;
        setting.say(&format!("Wrote {}.", toml.display()))?;
        self.make(setting, Some(&task))
    }

    /// Shows the first texts of each file, and lets the person choose the columns of the first file unless the command line did.
    fn see_data(&mut self, person: &mut Keyboard) -> Result<()> {
        let [first, others @ ..] = self.data.as_slice() else { return Ok(()) };
        if let Some(seen) = look(first, &self.options)? {
            person.say(&format!("\n{}", first.display()))?;
            match &seen.texts {
                Ok(texts) if !self.options.text.is_empty() => dialogue::show_texts(person, texts)?,
                _ => {
                    let with = |text: &[String]| {
                        let options = ReadOptions { text: text.to_vec(), ..self.options.clone() };
                        look(first, &options)?.ok_or_else(|| Fault::new("read it again", "it is gone"))
                    };
                    let chosen = dialogue::choose_text(person, seen, with)?;
                    self.options.text = chosen;
                }
            }
        }
        for other in others {
            match look(other, &self.options)? {
                Some(Look { texts: Ok(texts), .. }) => {
                    person.say(&format!("\n{}", other.display()))?;
                    dialogue::show_texts(person, &texts)?;
                }
                Some(Look { texts: Err(why), .. }) => {
                    return Err(Fault::usage(format!("read {}", other.display()), why)
                        .hint("Name the column that holds the texts: --text COLUMN"));
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
        setting.say(&format!("Created {file}."))?;
        import_all(setting, &self.file, &self.data, &self.options, self.bad_rows).inspect_err(|_| {
            // The reason follows on standard error.
            let _ = setting.say(&format!(
                "{file} was created, but not all texts were imported. Import the rest with `hardcase import {file} DATA`."
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
