//! What a project contains: the task and its revisions, models, adapters, imports, experts, the file itself.

use std::path::{Path, PathBuf};

use crate::domain::fault::Result;
use crate::domain::task::Task;
use crate::store::pool::predictors::Model;
use crate::store::pool::sources::Source;
use crate::store::{Access, FILE_VERSION, Store};

#[derive(Clone, Debug)]
pub struct Project {
    /// The current task.
    pub task: Task,
    /// Oldest first.
    pub revisions: Vec<SetTask>,
    /// In the order in which they were first used.
    pub models: Vec<Model>,
    /// Oldest first.
    pub adapters: Vec<Tuned>,
    /// The kind of the active model: `zero-shot`, `head`, ….
    pub prelabels: Option<String>,
    /// Imports, oldest first.
    pub sources: Vec<Source>,
    /// Experts by first name, each with the number of current labels.
    pub experts: Vec<(String, usize)>,
    pub file: File,
}

/// A revision of the task.
#[derive(Clone, Debug)]
pub struct SetTask {
    /// Counted from 1.
    pub number: i64,
    /// When it was set, UTC milliseconds.
    pub at_ms: i64,
    /// The expert who set it.
    pub by: String,
    /// The parts that it changed; empty for the first.
    pub changed: Vec<&'static str>,
}

/// A trained adapter.
#[derive(Clone, Debug)]
pub struct Tuned {
    /// `head`, `lora` or `alora`.
    pub kind: String,
    /// The round it was trained after.
    pub round: Option<i64>,
    /// Training labels.
    pub training: usize,
    /// UTC milliseconds.
    pub at_ms: i64,
    /// Whether its prelabels are in use.
    pub active: bool,
}

/// The project file.
#[derive(Clone, Debug)]
pub struct File {
    pub path: PathBuf,
    /// Its size, without the write-ahead log.
    pub bytes: u64,
    /// The version of the file format.
    pub version: u32,
    /// `wal`, or `delete` for a rollback journal.
    pub journal: String,
    /// `local`, or the name of a network file system.
    pub file_system: String,
}

/// Reads what a project contains.
///
/// # Errors
/// The project cannot be opened, or has no task.
pub fn project(path: &Path) -> Result<Project> {
    let store = Store::open(path, Access::Read)?;
    let revisions = store.task_revisions()?;
    let active = store.active_predictor()?;
    let adapter = active.as_ref().and_then(|p| p.adapter());
    let mut experts = Vec::new();
    let persons = store.persons()?;
    for (id, name) in store.experts()?.into_iter().filter(|(id, _)| persons.get(id) == Some(id)) {
        experts.push((name, store.label_count_of(id)?));
    }
    Ok(Project {
        task: store.task()?.task,
        revisions: revisions
            .iter()
            .enumerate()
            .map(|(i, revision)| SetTask {
                number: revision.number,
                at_ms: revision.created_ms,
                by: revision.by.clone(),
                changed: i.checked_sub(1).map_or(Vec::new(), |b| changed(&revisions[b].task, &revision.task)),
            })
            .collect(),
        models: store.models()?,
        adapters: store
            .adapters()?
            .into_iter()
            .map(|a| Tuned {
                active: adapter == Some(a.id),
                kind: a.kind.to_string(),
                round: a.round,
                training: a.training_n,
                at_ms: a.created_ms,
            })
            .collect(),
        prelabels: active.map(|p| p.kind().to_string()),
        sources: store.sources()?,
        experts,
        file: File {
            path: std::path::absolute(path).unwrap_or_else(|_| path.to_owned()),
            bytes: std::fs::metadata(path).map_or(0, |m| m.len()),
            version: FILE_VERSION,
            journal: store.journal_mode()?,
            file_system: store.file_system().to_string(),
        },
    })
}

/// The parts in which two revisions differ.
pub(crate) fn changed(before: &Task, after: &Task) -> Vec<&'static str> {
    let labels = |pick: fn(&crate::domain::task::Label) -> (&str, Option<char>)| {
        before.labels.iter().map(pick).eq(after.labels.iter().map(pick))
    };
    let descriptions = before.labels.iter().map(|l| (&l.description, &l.examples, l.share));
    [
        ("name", before.name == after.name),
        ("question", before.question == after.question),
        ("kind", before.kind == after.kind),
        ("guideline", before.guideline == after.guideline),
        ("assistance", before.assist == after.assist),
        ("part asked about", before.asked_about == after.asked_about),
        ("columns shown", before.columns == after.columns),
        ("labels", labels(|l| (&l.name, l.key))),
        (
            "descriptions",
            descriptions.eq(after.labels.iter().map(|l| (&l.description, &l.examples, l.share))),
        ),
    ]
    .into_iter()
    .filter(|(_, same)| !same)
    .map(|(part, _)| part)
    .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::encoder_reading::EncoderReading;
    use crate::domain::split::SplitShares;
    use crate::store::NewProject;

    const TASK: &str = "name = \"mail\"\nquestion = \"Is it spam?\"\n[[label]]\nname = \"spam\"\nkey = \"1\"\n[[label]]\nname = \"ham\"\nkey = \"2\"\n";

    #[test]
    fn a_revision_names_who_set_it_and_what_changed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.hardcase");
        let new = NewProject { seed: 1, shares: SplitShares::default() };
        let mut store = Store::create(&path, new).unwrap();
        for (name, toml) in [
            ("ada", TASK.to_owned()),
            ("grace", TASK.replace("it spam", "this spam").replace("\"2\"", "\"3\"")),
        ] {
            let (_, session) = store.begin_session(name).unwrap();
            store.set_task(&Task::from_toml(&toml, "test").unwrap(), session).unwrap();
        }
        let model = |byte: u8, name: &str| Model {
            sha256: vec![byte; 32],
            name: name.into(),
            path: String::new(),
            architecture: "bert".into(),
            quantisation: "Q8_0".into(),
            dimensions: 384,
            bytes: 25_000_000,
            reading: EncoderReading::default(),
        };
        let models = [model(2, "first"), model(1, "second")];
        for model in &models {
            store.enter_model(model).unwrap();
        }
        drop(store);
        let project = project(&path).unwrap();
        let said: Vec<_> =
            project.revisions.iter().map(|r| (r.number, r.by.as_str(), &r.changed[..])).collect();
        assert_eq!(said, [(1, "ada", &[][..]), (2, "grace", &["question", "labels"][..])]);
        assert_eq!(project.experts, [("ada".to_owned(), 0), ("grace".to_owned(), 0)]);
        assert_eq!((project.file.version, project.file.bytes > 0), (FILE_VERSION, true));
        assert!(["wal", "delete"].contains(&project.file.journal.as_str()), "{}", project.file.journal);
        assert_eq!(project.models, models);
        assert!(project.adapters.is_empty() && project.prelabels.is_none());
    }
}
