//! What has changed since the texts were imported: files that have other rows now, and texts that the model has not read.
//!
//! A file is read again only where its length or its time of change is another than when it was imported, and never on the screen's thread.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::domain::fault::Result;
use crate::domain::grouped::counted;
use crate::domain::item::ItemKey;
use crate::domain::read_options::ReadOptions;
use crate::domain::rows_to_come::RowsToCome;
use crate::formats::{Detected, Entry, Reader};
use crate::store::pool::imported_file::FileFacts;
use crate::store::pool::sources::Source;
use crate::store::{Access, Store};

/// A longer file is not read only to count what is new in it.
const MOST_BYTES: u64 = 256 << 20;

/// What a project does not know of yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grown {
    pub files: Vec<ChangedFile>,
    /// Whether the active model has not read the texts that came last.
    pub unread: bool,
}

/// A file that was imported and has changed since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// Its name when it was imported.
    pub name: String,
    /// The folder from which it is found by that name.
    pub from: PathBuf,
    /// What is new in it; none where that was not counted.
    pub rows: Option<RowsToCome>,
}

/// Whether rows are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counting {
    Rows,
    Nothing,
}

impl ChangedFile {
    /// Whether an import would add anything.
    pub fn has_new_rows(&self) -> bool {
        self.rows.is_none_or(|rows| rows.new > 0)
    }

    /// What has changed, in a sentence without its end.
    pub fn says(&self) -> String {
        let name = &self.name;
        let changed = |n| counted(n, "row has", "rows have");
        match self.rows {
            None => format!("{name} has changed since it was imported"),
            Some(RowsToCome { new, changed: 0 }) => {
                format!("{name} has {} more than when it was imported", counted(new, "row", "rows"))
            }
            Some(RowsToCome { new: 0, changed: n }) => {
                format!(
                    "{name} has changed since it was imported: {} another text under the same id",
                    changed(n)
                )
            }
            Some(RowsToCome { new, changed: n }) => format!(
                "{name} has {} more than when it was imported, and {} another text under the same id",
                counted(new, "row", "rows"),
                changed(n)
            ),
        }
    }
}

/// What a project does not know of yet. A file that cannot be found or read again says nothing.
///
/// # Errors
/// The project cannot be read.
pub fn grown(project: &Path, counting: Counting) -> Result<Grown> {
    let store = Store::open(project, Access::Read)?;
    let mut files = Vec::new();
    for source in newest_of_each_name(store.sources()?) {
        files.extend(changed_file(&store, project, &source, counting)?);
    }
    Ok(Grown { files, unread: store.has_unread_texts()? })
}

fn newest_of_each_name(sources: Vec<Source>) -> Vec<Source> {
    let mut newest: Vec<Source> = Vec::new();
    for source in sources {
        newest.retain(|earlier| earlier.name != source.name);
        newest.push(source);
    }
    newest
}

fn changed_file(
    store: &Store,
    project: &Path,
    source: &Source,
    counting: Counting,
) -> Result<Option<ChangedFile>> {
    let Some(known) = source.file else { return Ok(None) };
    let folder = std::path::absolute(project).ok().and_then(|path| path.parent().map(Path::to_owned));
    // Where it was imported from, or next to the project.
    let folders = std::env::current_dir().ok().into_iter().chain(folder);
    let found = folders.into_iter().find_map(|from| {
        let now = std::fs::metadata(from.join(&source.name)).ok().filter(std::fs::Metadata::is_file)?;
        Some((from, FileFacts::of(&now)))
    });
    let Some((from, now)) = found.filter(|(_, now)| *now != known) else { return Ok(None) };
    let mut changed = ChangedFile { name: source.name.clone(), from, rows: None };
    if counting == Counting::Rows && now.bytes <= MOST_BYTES {
        // One that cannot be read is told about when somebody imports it.
        let Some(rows) = rows_to_come(store, &changed, source)? else { return Ok(None) };
        if rows == RowsToCome::default() {
            return Ok(None);
        }
        changed.rows = Some(rows);
    }
    Ok(Some(changed))
}

/// What an import of the file would bring; none where it cannot be read as it was before.
fn rows_to_come(store: &Store, file: &ChangedFile, source: &Source) -> Result<Option<RowsToCome>> {
    let Ok(found) = serde_json::from_str::<Detected>(&source.found) else { return Ok(None) };
    let Ok(data) = File::open(file.from.join(&file.name)) else { return Ok(None) };
    let options = found.as_options(ReadOptions::default());
    let Ok(mut reader) = Reader::open(Box::new(data), &file.name, &options) else { return Ok(None) };
    let mut compared = store.compare_file(&file.name)?;
    loop {
        match reader.next_entry() {
            Ok(Some(Entry::Row(row))) => {
                compared.meet(store, row.external_id.as_deref(), &ItemKey::of(&row.text))?;
            }
            Ok(Some(Entry::Bad(_))) => {}
            Ok(None) => return Ok(Some(compared.finish())),
            Err(_) => return Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::split::SplitShares;
    use crate::store::NewProject;
    use crate::store::pool::sources::LoadOptions;
    use crate::store::pool::text_row::TextRow;

    /// A project of a file with ids in windows-1252, as an import leaves it.
    fn project(dir: &Path) -> PathBuf {
        let (path, data) = (dir.join("x.hardcase"), dir.join("a.csv"));
        std::fs::write(&data, b"id;text;when\n1;caf\xE9;May\n2;two;June\n").unwrap();
        let options = ReadOptions {
            id: Some("id".into()),
            meta: vec!["when".into()],
            encoding: Some("windows-1252".into()),
            ..ReadOptions::default()
        };
        let reader = Reader::open(Box::new(File::open(&data).unwrap()), "a.csv", &options).unwrap();
        let found = serde_json::to_string(reader.detected()).unwrap();
        let new = NewProject { seed: 1, shares: SplitShares::default() };
        let mut store = Store::create(&path, new).unwrap();
        let mut load = store.begin_source("a.csv", &found, LoadOptions::default()).unwrap();
        let rows = [TextRow::new(1, "café").with_id("1"), TextRow::new(2, "two").with_id("2")];
        store.add_rows(&mut load, rows).unwrap();
        store.finish_source(load, 0, 0).unwrap();
        store.note_file("a.csv", FileFacts::of(&std::fs::metadata(&data).unwrap())).unwrap();
        path
    }

    fn says(project: &Path, counting: Counting) -> Vec<String> {
        grown(project, counting).unwrap().files.iter().map(ChangedFile::says).collect()
    }

    #[test]
    fn a_file_that_has_grown_or_changed_is_told_with_what_is_new_in_it_and_read_as_it_was_before() {
        let dir = tempfile::tempdir().unwrap();
        let path = project(dir.path());
        let data = dir.path().join("a.csv");
        assert_eq!(says(&path, Counting::Rows), [""; 0]);
        std::fs::write(&data, b"id;text;when\n1;caf\xE9;May\n2;two;June\n3;th\xE9;July\n4;four;July\n")
            .unwrap();
        assert_eq!(says(&path, Counting::Rows), ["a.csv has 2 rows more than when it was imported"]);
        assert_eq!(says(&path, Counting::Nothing), ["a.csv has changed since it was imported"]);
        std::fs::write(&data, b"id;text;when\n1;tea;May\n2;two;June\n3;three;July\n").unwrap();
        assert_eq!(
            says(&path, Counting::Rows),
            ["a.csv has 1 row more than when it was imported, and 1 row has another text under the same id"]
        );
        std::fs::write(&data, b"id;text;when\n1;tea;May\n2;two;June\n").unwrap();
        let only = grown(&path, Counting::Rows).unwrap().files;
        assert!(only.len() == 1 && !only[0].has_new_rows());
        // The same rows in another order of other bytes are nothing new.
        std::fs::write(&data, b"id;text;when\n2;two;June\n1;caf\xE9;April\n").unwrap();
        assert_eq!(says(&path, Counting::Rows), [""; 0]);
        std::fs::remove_file(&data).unwrap();
        assert_eq!(says(&path, Counting::Rows), [""; 0], "a file that is not there says nothing");
    }

    #[test]
    fn a_file_is_read_again_with_the_columns_and_the_encoding_of_its_import_and_options_come_first() {
        let dir = tempfile::tempdir().unwrap();
        let path = project(dir.path());
        let found = Store::open(&path, Access::Read).unwrap().sources().unwrap().remove(0).found;
        let found: Detected = serde_json::from_str(&found).unwrap();
        let options = found.as_options(ReadOptions::default());
        assert_eq!((options.text, options.meta), (vec!["text".to_owned()], vec!["when".to_owned()]));
        assert_eq!((options.id.as_deref(), options.encoding.as_deref()), (Some("id"), Some("windows-1252")));
        assert_eq!((options.header, options.delimiter), (Some(true), None));
        let without_ids = Detected { id: None, ..found.clone() }.as_options(ReadOptions::default());
        assert!(without_ids.has_no_id && without_ids.id.is_none(), "a column called 'id' that was left out");
        let asked =
            ReadOptions { meta: vec!["id".into()], encoding: Some("utf-8".into()), ..ReadOptions::default() };
        let options = found.as_options(asked.clone());
        assert_eq!((options.meta, options.encoding), (asked.meta, asked.encoding));
    }

    #[test]
    fn texts_without_a_prelabel_of_the_active_model_are_unread() {
        let dir = tempfile::tempdir().unwrap();
        let path = project(dir.path());
        assert!(
            !grown(&path, Counting::Nothing).unwrap().unread,
            "without a model there is nothing to read with"
        );
    }
}
