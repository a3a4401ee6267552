//! `export`: opens the project, and has what is asked for written. It computes nothing itself.

use std::path::Path;

use super::finals::finals;
use super::labels::labels;
use super::lines::Lines;
use super::options::{ExportOptions, Exported, What};
use super::predictions::predictions;
use super::rows::rows;
use super::seen::Seen;
use crate::domain::fault::Result;
use crate::store::{Access, Store};
use crate::work::output::write_to;

/// Exports.
///
/// # Errors
/// A model that the project does not have or that cannot prelabel the pool, a place that cannot be written, or labels that are not as they
/// were written.
pub fn export(project: &Path, options: &ExportOptions) -> Result<Exported> {
    let store = Store::open(project, Access::Read)?;
    store.check_labels(&format!("export from {}", project.display()))?;
    let task = store.task()?.task;
    let seen = Seen::read(&store, &options.reader)?;
    let mut lines = Exported::default();
    write_to(options.out.as_deref(), |out| {
        let mut lines_to = Lines { out, format: options.format, options };
        lines = match options.what {
            What::Labels => labels(&store, &task, (store.current_answers()?, &seen), &mut lines_to),
            What::History => labels(&store, &task, (store.events()?, &seen), &mut lines_to),
            What::Predictions => predictions(&store, &task, &seen, &mut lines_to),
            What::Final => finals(&store, &task, &seen, &mut lines_to),
            What::Rows => rows(&store, &task, &seen, &mut lines_to),
        }?;
        Ok(())
    })?;
    Ok(lines)
}
