//! `new`: makes a project and imports the data that is named. Without a task it asks for one, if there is a terminal.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::dialogue;
use super::dialogue::Names;
use super::import::{Importing, import_all};
use super::keyboard::Keyboard;
use super::label::{hand_over, settings, workstation};
use super::questions::{Person, Reply, ask_name, yes};
use super::setting::Setting;
use super::task::read_task;
use crate::desk::draft_file;
use crate::desk::survey::{Beginning, Data, Facts, draft_place, survey};
use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::counted;
use crate::domain::project_draft::ProjectDraft;
use crate::domain::read_options::ReadOptions;
use crate::domain::task::Task;
use crate::domain::task_draft::TaskDraft;
use crate::job::create::{check_place, create, create_like, create_whole};
use crate::job::import::{BadRows, ImportOptions, LabelsOf};
use crate::job::preview::{Preview, folder_opener, preview};
use crate::job::task::{free_name, write_new};
use crate::tui;
use crate::tui::Says;

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
    /// Another project whose texts to take over, with their vectors and without its question and answers
    #[arg(long, value_name = "PROJECT", conflicts_with = "data")]
    like: Option<PathBuf>,
    #[command(flatten)]
    importing: Importing,
}

impl New {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let task = self.task.as_deref().map(read_task).transpose()?;
        let mut project = NewProject::of(self.file, self.data, self.importing, setting)?;
        project.like = self.like;
        if task.is_none() && setting.asks() {
            return project.make_by_asking(setting).map(drop);
        }
        project.make(setting, task.as_ref())
    }
}

/// `hardcase DATA`: opens the project of the data, or offers to make it next to the data.
///
/// # Errors
/// There is no terminal to ask at, or the person leaves.
pub(super) fn offer(setting: &Setting, data: PathBuf, importing: Importing) -> Result<()> {
    let shown = data.display().to_string();
    let file = if data.is_dir() { beside_folder(&data) } else { data.with_extension("hardcase") };
    let mut project = NewProject::of(file, vec![data], importing, setting)?;
    if project.file.exists() {
        return workstation(setting, &project.file);
    }
    let file = project.file.display();
    if !setting.asks() {
        // What can never be read is the first thing to know.
        preview(&project.data[0], &project.options.read)?;
        return Err(Fault::usage(
            project.attempted(),
            "you are asked for its task at a terminal, without --json and --quiet",
        )
        .hint(format!("Write a TASK.toml and run `hardcase new {file} --task TASK.toml --data {shown}`")));
    }
    if !draws() {
        let mut person = Keyboard::prepare(&setting.watch, project.attempted());
        let question = format!("Start a new project {file} with the texts in {shown}");
        if yes(&mut person, "you want to", &question)? != Reply::Said(true) {
            return setting.say(&format!(
                "Nothing was made. To put the project elsewhere: `hardcase new FILE --data {shown}`"
            ));
        }
        check_place(&project.file)?;
        project.expert = project.ask_all(setting, &mut person)?;
        return hand_over(setting, &project.file, Some(&project.expert));
    }
    match project.make_by_asking(setting)? {
        Some((file, expert)) => hand_over(setting, &file, Some(&expert)),
        None => Ok(()),
    }
}

/// Whose the labels are that a form has a column for. What they count in training stays as the command line said.
fn filled_source(options: &ImportOptions, read: &ReadOptions, name: &str) -> Option<LabelsOf> {
    let weight = options.source.as_ref().and_then(|source| source.weight);
    read.labels.as_ref().map(|_| LabelsOf { name: name.to_owned(), weight })
}

/// The project of a folder's texts, next to the folder: `letters.2024/` becomes `letters.2024.hardcase`.
fn beside_folder(folder: &Path) -> PathBuf {
    let whole = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    let name = whole.file_name().unwrap_or(OsStr::new("texts"));
    let mut file = name.to_owned();
    file.push(".hardcase");
    match folder.parent() {
        // `.` and `..` have no name of their own.
        Some(parent) if folder.file_name() == Some(name) => parent.join(file),
        _ => whole.with_file_name(file),
    }
}

/// A project to be made.
struct NewProject {
    file: PathBuf,
    data: Vec<PathBuf>,
    options: ImportOptions,
    /// Who makes it, and so leads it.
    expert: String,
    /// The project whose texts it takes over.
    like: Option<PathBuf>,
}

impl NewProject {
    fn of(file: PathBuf, data: Vec<PathBuf>, importing: Importing, setting: &Setting) -> Result<Self> {
        Ok(Self { file, data, options: importing.checked()?, expert: setting.expert.clone(), like: None })
    }

    fn attempted(&self) -> String {
        format!("make the project {}", self.file.display())
    }

    /// Asks for everything, in the form where the terminal can draw it and the project has one file of texts. Returns the project and who
    /// made it; none if the person left the form.
    fn make_by_asking(mut self, setting: &Setting) -> Result<Option<(PathBuf, String)>> {
        // Whatever would fail at the end should fail before anyone has typed a word. In the form another place can be named.
        if let ([data], true) = (self.data.as_slice(), draws())
            && (data.is_file() || data.is_dir())
        {
            let data = data.clone();
            return self.make_in_form(setting, &data);
        }
        check_place(&self.file)?;
        let mut person = Keyboard::prepare(&setting.watch, self.attempted());
        self.expert = self.ask_all(setting, &mut person)?;
        Ok(Some((self.file, self.expert)))
    }

    /// Asks in the form until a project is made or the person leaves. The draft is kept in between.
    fn make_in_form(mut self, setting: &Setting, data: &Path) -> Result<Option<(PathBuf, String)>> {
        // A file that no form can make readable is refused before there is one.
        preview(data, &self.options.read)?;
        let kept_in = drafts_folder().map(|folder| draft_place(&folder, data));
        let kept = kept_in.as_deref().and_then(draft_file::load);
        let mut says = kept.is_some().then_some(Says::GoesOn);
        let mut draft = kept.unwrap_or_else(|| ProjectDraft {
            project: self.file.display().to_string(),
            expert: setting.expert.clone(),
            sets_bad_rows_aside: self.options.bad_rows == BadRows::Reject,
            task: TaskDraft { name: stem(&self.file), ..TaskDraft::default() },
            ..ProjectDraft::default()
        });
        if setting.named {
            draft.expert.clone_from(&setting.expert);
        }
        let given = self.options.read.clone();
        let given_map = self.options.map.clone();
        if let Some(source) = &self.options.source {
            draft.labelled_by.clone_from(&source.name);
        }
        loop {
            let new = tui::NewProject {
                data,
                folder: folder_opener(data),
                given: given.clone(),
                draft,
                kept_in: kept_in.clone(),
                says: says.take(),
                settings: settings()?,
            };
            let Some(tui::Filled { draft: filled, read, map }) = tui::fill(new)? else {
                setting.say(&format!(
                    "Nothing was made yet. Your answers are kept: `hardcase {}` goes on with them.",
                    data.display()
                ))?;
                return Ok(None);
            };
            self.file = PathBuf::from(&filled.project);
            self.options.source = filled_source(&self.options, &read, &filled.labelled_by);
            self.options.read = read;
            self.options.map = if given_map.is_empty() { map } else { given_map.clone() };
            self.options.bad_rows = if filled.sets_bad_rows_aside { BadRows::Reject } else { BadRows::Stop };
            self.expert.clone_from(&filled.expert);
            let made = filled.task.to_task().map_err(|why| Fault::usage(self.attempted(), why));
            match made.and_then(|task| self.make(setting, Some(&task))) {
                Ok(()) => {
                    if let Some(place) = &kept_in {
                        draft_file::forget(place);
                    }
                    return Ok(Some((self.file, self.expert)));
                }
                Err(fault) if setting.watch.stopped_by().is_some() => return Err(fault),
                Err(fault) => says = Some(Says::Failed(fault.to_string())),
            }
            draft = filled;
        }
    }

    /// Asks line by line, makes the project, and writes its task next to it. Returns who made it.
    fn ask_all(&mut self, setting: &Setting, person: &mut Keyboard) -> Result<String> {
        let file = self.file.display().to_string();
        // What cannot be read is said before anything is asked.
        let found = self.survey_first(person)?;
        person.say(&format!(
            "{file} is made when you are done.\nEnter accepts the answer in [brackets], and < goes back to the question before. \
             Ctrl-C leaves, and nothing is made."
        ))?;
        let mut begun = TaskDraft::default();
        let toml = free_name(&self.file);
        let task = loop {
            if !setting.named {
                self.expert = ask_name(person, &self.expert)?;
            }
            if self.ask_reading(person, found.as_ref(), &mut begun)? == Reply::Said(()) {
                match dialogue::ask_task(person, &self.names(&toml), &mut begun)? {
                    Reply::Said(said) => break said,
                    Reply::Back => {}
                }
            }
            if setting.named && self.data.is_empty() {
                person.say("This is the first question.")?;
            }
        };
        self.make(setting, Some(&task))?;
        write_new(&toml, &task)?;
        setting.say(&format!("Wrote the task to {}", toml.display()))?;
        Ok(self.expert.clone())
    }

    /// Reads the first file to its end. None where that can be done only once, or there is none.
    fn survey_first(&mut self, person: &mut Keyboard) -> Result<Option<(Beginning, Facts)>> {
        let Some(first) = self.data.first().filter(|data| data.is_file() || data.is_dir()) else {
            return Ok(None);
        };
        person.say(&format!("Reading {} …", first.display()))?;
        let found = survey(&Data { path: first.clone(), folder: folder_opener(first) }, &self.options.read)?;
        if self.options.read.encoding.is_none() && !found.0.encoding.starts_with("UTF-") {
            self.options.read.encoding = Some(found.0.encoding.clone());
        }
        Ok(Some(found))
    }

    /// Asks what becomes of rows that cannot be read, and what the columns are for, as far as the command line does not say. `begun` takes
    /// the labels that a column holds.
    fn ask_reading(
        &mut self,
        person: &mut Keyboard,
        found: Option<&(Beginning, Facts)>,
        begun: &mut TaskDraft,
    ) -> Result<Reply<()>> {
        let asks_beside = self.options.read.meta.is_empty();
        let asks_labels = self.options.read.gold.is_none();
        let asks_earlier = asks_labels && self.options.source.is_none();
        let mut at = 0;
        loop {
            let columns: Vec<String> = found.map_or(Vec::new(), |(beginning, _)| {
                beginning.columns.iter().map(|(name, _)| name.clone()).collect()
            });
            let others = columns.len() > 1;
            let reply = match (at, found) {
                (0, Some((_, facts))) => self.ask_bad_rows(person, facts)?,
                (1, _) => self.preview_data(person)?,
                (2, Some(_)) if asks_beside && others => {
                    let what = "Columns shown beside the text, by name or number";
                    match dialogue::ask_columns(person, what, &columns)? {
                        Reply::Said(named) => {
                            self.options.read.meta = named;
                            Reply::Said(())
                        }
                        Reply::Back => Reply::Back,
                    }
                }
                (3, Some((_, facts))) if asks_labels && others => {
                    let what = "Column with known labels, hidden from experts";
                    match dialogue::ask_columns(person, what, &columns)? {
                        Reply::Said(named) => {
                            self.options.read.gold = named.into_iter().next();
                            let gold = self.options.read.gold.as_ref();
                            let at = gold.and_then(|gold| columns.iter().position(|name| name == gold));
                            if let Some(Some(values)) = at.and_then(|at| facts.values.get(at)) {
                                begun.take_labels(values);
                            }
                            Reply::Said(())
                        }
                        Reply::Back => Reply::Back,
                    }
                }
                (4, Some((_, facts))) if asks_earlier && others => {
                    let what = "Column with labels that somebody gave before, which teach the model";
                    match dialogue::ask_columns(person, what, &columns)? {
                        Reply::Said(named) => {
                            self.options.read.labels = named.into_iter().next();
                            let labels = self.options.read.labels.as_ref();
                            let at = labels.and_then(|labels| columns.iter().position(|name| name == labels));
                            if let (Some(Some(values)), true) =
                                (at.and_then(|at| facts.values.get(at)), begun.labels.is_empty())
                            {
                                begun.take_labels(values);
                            }
                            Reply::Said(())
                        }
                        Reply::Back => Reply::Back,
                    }
                }
                (5, Some(_)) if asks_earlier && self.options.read.labels.is_some() => {
                    match dialogue::ask_source(person)? {
                        Reply::Said(name) => {
                            self.options.source = Some(LabelsOf { name, weight: None });
                            Reply::Said(())
                        }
                        Reply::Back => Reply::Back,
                    }
                }
                (6, _) => return Ok(Reply::Said(())),
                _ => Reply::Said(()),
            };
            match reply {
                Reply::Said(()) => at += 1,
                Reply::Back if at == 5 => at = 4,
                Reply::Back if at == 4 && asks_labels => at = 3,
                Reply::Back if at >= 3 && asks_beside => at = 2,
                Reply::Back if at >= 2 => at = 1,
                Reply::Back => return Ok(Reply::Back),
            }
        }
    }

    fn ask_bad_rows(&mut self, person: &mut Keyboard, facts: &Facts) -> Result<Reply<()>> {
        if facts.bad == 0 || self.options.bad_rows == BadRows::Reject {
            return Ok(Reply::Said(()));
        }
        let first = facts.first_bad.as_deref().unwrap_or_default();
        let rows = counted(facts.bad as usize, "row", "rows");
        person.say(&format!("{rows} cannot be read; {first}."))?;
        match yes(person, "they may be set aside", "Set them aside in a file of their own")? {
            Reply::Said(true) => self.options.bad_rows = BadRows::Reject,
            Reply::Said(false) => {
                return Err(Fault::usage(self.attempted(), format!("{rows} cannot be read; {first}"))
                    .hint("Correct the file, or name its encoding with --encoding"));
            }
            Reply::Back => return Ok(Reply::Back),
        }
        Ok(Reply::Said(()))
    }

    /// Shows the first texts of each file, and asks for the text columns of the first file if the command line does not name them.
    fn preview_data(&mut self, person: &mut Keyboard) -> Result<Reply<()>> {
        let [first, others @ ..] = self.data.as_slice() else { return Ok(Reply::Said(())) };
        let mut chosen = None;
        if let Some(found) = preview(first, &self.options.read)? {
            person.say(&format!("\n{}", first.display()))?;
            match &found.texts {
                Ok(texts) if !self.options.read.text.is_empty() => dialogue::show_texts(person, texts)?,
                _ => {
                    let with = |text: &[String]| {
                        let options = ReadOptions { text: text.to_vec(), ..self.options.read.clone() };
                        preview(first, &options)?.ok_or_else(|| {
                            Fault::new(format!("read {} again", first.display()), "it has changed")
                                .hint("Run the same command again")
                        })
                    };
                    match dialogue::choose_text(person, found, with)? {
                        Reply::Said(columns) => chosen = Some(columns),
                        Reply::Back => return Ok(Reply::Back),
                    }
                }
            }
        }
        for other in others {
            match preview(other, &self.options.read)? {
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
        if let Some(columns) = chosen {
            self.options.read.text = columns;
        }
        Ok(Reply::Said(()))
    }

    fn names(&self, toml: &Path) -> Names {
        let data: Vec<String> = self.data.iter().map(|d| d.display().to_string()).collect();
        Names {
            task: stem(&self.file),
            project: self.file.display().to_string(),
            toml: toml.display().to_string(),
            data: (!data.is_empty()).then(|| data.join(", ")),
        }
    }

    /// Makes the project with its texts, or nothing.
    fn make(&self, setting: &Setting, task: Option<&Task>) -> Result<()> {
        let file = self.file.display();
        let seed = setting.seed.unwrap_or(DEFAULT_SEED);
        create_whole(&self.file, |part| {
            let warning = match &self.like {
                Some(other) => create_like(other, part, task, seed, &self.expert)?,
                None => create(part, task, seed, &self.expert)?,
            };
            if let Some(warning) = warning {
                setting.say(&warning)?;
            }
            import_all(setting, part, &self.data, &self.options)
        })?;
        setting.say(&format!("Made {file}"))?;
        setting.say(&match (task, self.data.is_empty() && self.like.is_none()) {
            (None, _) => {
                format!("Next: write a TASK.toml and set it with `hardcase task {file} --set TASK.toml`")
            }
            (_, true) => format!("Next: `hardcase import {file} DATA`"),
            (_, false) => format!("Next: `hardcase {file}`"),
        })
    }
}

/// What a task is called before it has a name.
fn stem(file: &Path) -> String {
    file.file_stem().map_or(String::new(), |stem| stem.to_string_lossy().into_owned())
}

/// Whether the terminal can draw the form.
fn draws() -> bool {
    std::env::var("TERM").is_ok_and(|term| !term.is_empty() && term != "dumb")
}

/// Where drafts are kept, next to the settings.
fn drafts_folder() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "hardcase").map(|dirs| dirs.config_dir().join("drafts"))
}
