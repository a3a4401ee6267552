//! `export`: opens the project and has the chosen kind of export written. It computes nothing itself.

use std::path::Path;

use super::kind::{ExportKind, ExportOptions, Exported, Request, Writes};
use super::rows_out::RowsOut;
use super::visible::Visible;
use crate::domain::fault::Result;
use crate::formats::chosen_format;
use crate::store::{Access, Store};
use crate::work::output::write_to;

/// Exports.
///
/// # Errors
/// A model that the project does not have or that cannot prelabel the pool, a place that cannot be written, or damaged labels.
pub fn export(project: &Path, kind: &ExportKind, options: &ExportOptions) -> Result<Exported> {
    let store = Store::open(project, Access::Read)?;
    store.check_rows(&format!("export from {}", project.display()))?;
    let out = options.out.as_deref();
    let mut exported = Exported::default();
    let visible = Visible::read(&store, &options.reader, kind.shows, options.reveal)?;
    match kind.writes {
        Writes::Rows(write) => {
            let task = store.task()?.task;
            let request = Request { store: &store, task: &task, visible: &visible, options };
            let format = chosen_format(options.format, out);
            write_to(out, |out| {
                exported = write(&request, RowsOut { out, format, what: "the export" })?;
                Ok(())
            })?;
        }
        Writes::OwnLines(write) => write_to(out, |out| {
            exported = write(&store, &visible, options, out)?;
            Ok(())
        })?,
    }
    Ok(exported)
}
