//! `export`: opens the project and has the chosen kind of export written. It computes nothing itself.

use std::path::Path;

use super::kind::{ExportKind, ExportOptions, Exported, Request, Writes};
use super::rows_out::RowsOut;
use super::visible::Visible;
use crate::domain::fault::Result;
use crate::formats::chosen_format;
use crate::store::{Access, Store};
use crate::work::output::{appears_whole, write_to};

/// Exports.
///
/// # Errors
/// A model that the project does not have or that cannot prelabel the pool, a place that cannot be written, or damaged labels.
pub fn export(project: &Path, kind: &ExportKind, options: &ExportOptions) -> Result<Exported> {
    let store = Store::open(project, Access::Read)?;
    let attempted = format!("export from {}", project.display());
    if !appears_whole(options.out.as_deref())? {
        // What a reader gets while it is written is checked before.
        store.check_rows(&attempted)?;
        return write(&store, kind, options, || Ok(()));
    }
    std::thread::scope(|scope| {
        let check = scope.spawn(|| Store::open(project, Access::Read)?.check_rows(&attempted));
        write(&store, kind, options, || check.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// Writes. `check` is asked before the output is whole: what it finds is also why the writing failed, if it did.
fn write(
    store: &Store,
    kind: &ExportKind,
    options: &ExportOptions,
    check: impl FnOnce() -> Result<()>,
) -> Result<Exported> {
    let out = options.out.as_deref();
    let visible = Visible::read(store, &options.reader, kind.shows, options.reveal)?;
    let mut exported = Exported::default();
    write_to(out, |out| {
        let written = match kind.writes {
            Writes::Rows(write) => store.task().and_then(|revision| {
                let request = Request { store, task: &revision.task, visible: &visible, options };
                let format = chosen_format(options.format, options.out.as_deref());
                write(&request, RowsOut { out, format, what: "the export" })
            }),
            Writes::OwnLines(write) => write(store, &visible, options, out),
        };
        check()?;
        exported = written?;
        Ok(())
    })?;
    Ok(exported)
}
