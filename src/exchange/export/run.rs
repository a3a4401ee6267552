//! `export`: opens the project and has the chosen kind of export written. It computes nothing itself.

use std::io;
use std::path::Path;

use super::kind::{ExportKind, ExportOptions, Exported, Request, Writes};
use super::rows_out::RowsOut;
use super::visible::Visible;
use crate::domain::fault::Result;
use crate::formats::{Output, chosen_format};
use crate::store::{Access, Store};
use crate::work::output::{appears_whole, write_to};

/// Exports.
///
/// # Errors
/// A model that the project does not have or that cannot prelabel the pool, a place that cannot be written, or damaged labels.
pub fn export(project: &Path, kind: &ExportKind, options: &ExportOptions) -> Result<Exported> {
    let out = options.out.as_deref();
    if !appears_whole(out)? {
        // What a reader gets while it is written is checked before.
        check(project)?;
        return write(project, kind, options, || Ok(()));
    }
    std::thread::scope(|scope| {
        let checking = scope.spawn(|| check(project));
        write(project, kind, options, || {
            checking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        })
    })
}

/// What [`export`] would write, counted as it would be written: the same rows, and nowhere.
///
/// # Errors
/// Those of [`export`], but for the place.
pub fn count(project: &Path, kind: &ExportKind, options: &ExportOptions) -> Result<Exported> {
    check(project)?;
    Opened::open(project, kind, options)?.write(&mut io::sink())
}

/// Whether all that an export can hold is as it was written.
fn check(project: &Path) -> Result<()> {
    Store::open(project, Access::Read)?.check_rows(&format!("export from {}", project.display()))
}

/// Writes. `check` is asked before the output is whole: what it finds is also why the writing failed, if it did.
fn write(
    project: &Path,
    kind: &ExportKind,
    options: &ExportOptions,
    check: impl FnOnce() -> Result<()>,
) -> Result<Exported> {
    let opened = Opened::open(project, kind, options)?;
    let mut exported = Exported::default();
    write_to(options.out.as_deref(), |out| {
        let written = opened.write(out);
        check()?;
        exported = written?;
        Ok(())
    })?;
    Ok(exported)
}

/// A project from which something is about to be exported.
struct Opened<'a> {
    store: Store,
    visible: Visible,
    kind: &'a ExportKind,
    options: &'a ExportOptions,
}

impl<'a> Opened<'a> {
    fn open(project: &Path, kind: &'a ExportKind, options: &'a ExportOptions) -> Result<Self> {
        let store = Store::open(project, Access::Read)?;
        let visible = Visible::read(&store, &options.reader, kind.shows, options.reveal)?;
        Ok(Self { store, visible, kind, options })
    }

    fn write(&self, out: Output<'_>) -> Result<Exported> {
        let Self { store, visible, options, .. } = self;
        match self.kind.writes {
            Writes::Rows(write) => {
                let task = store.task()?.task;
                let format = chosen_format(options.format, options.out.as_deref());
                let request = Request { store, task: &task, visible, options };
                write(&request, RowsOut { out, format, what: "the export" })
            }
            Writes::OwnLines(write) => write(store, visible, options, out),
        }
    }
}
