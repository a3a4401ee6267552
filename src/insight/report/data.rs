//! Where the texts come from, how many there are, and how they are divided.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;

use crate::domain::fault::Result;
use crate::domain::moment::utc;
use crate::domain::split::SplitShares;
use crate::insight::imported_labels::{ImportedLabels, imported_labels};
use crate::insight::viewer::Viewer;
use crate::store::Store;

/// An import.
#[derive(Clone, Debug, Serialize)]
pub struct SourceEntry {
    /// The name of the file, without its folder.
    pub name: String,
    /// When the import finished, UTC.
    pub at: String,
    /// Rows kept.
    pub rows: i64,
    /// Rows without a text.
    pub empty: i64,
    /// Rows refused.
    pub refused: i64,
}

/// The texts.
#[derive(Clone, Debug, Serialize)]
pub struct Data {
    /// Imports, by the time at which they finished.
    pub sources: Vec<SourceEntry>,
    /// Labels that existed before the project, which no figure counts.
    pub imported_labels: Vec<ImportedLabels>,
    /// Rows imported.
    pub rows: usize,
    /// Distinct texts.
    pub items: usize,
    /// Rows with the same text as another row.
    pub folded: usize,
    /// Texts of each split.
    pub splits: BTreeMap<&'static str, usize>,
    /// The shares of the splits, fixed when the project was created.
    pub shares: SplitShares,
}

pub(crate) fn data(store: &Store, viewer: &Viewer) -> Result<Data> {
    let mut training = store.training_labels()?;
    training.retain(|item, _| viewer.sees_all_of(*item));
    let mut sources = store.sources()?;
    sources.sort_by(|a, b| (a.finished_ms, &a.name).cmp(&(b.finished_ms, &b.name)));
    let (rows, items) = (store.row_count()?, store.item_count()?);
    Ok(Data {
        sources: sources
            .into_iter()
            .map(|source| SourceEntry {
                at: utc(source.finished_ms),
                rows: source.rows,
                empty: source.empty,
                refused: source.rejected,
                name: file_name(&source.name),
            })
            .collect(),
        imported_labels: imported_labels(store, &training)?,
        rows,
        items,
        folded: rows.saturating_sub(items),
        splits: store.split_counts()?.into_iter().map(|(split, n)| (split.as_str(), n)).collect(),
        shares: store.project()?.shares,
    })
}

fn file_name(path: &str) -> String {
    Path::new(path).file_name().map_or_else(|| path.to_owned(), |name| name.to_string_lossy().into_owned())
}
