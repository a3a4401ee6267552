//! `export`: opens the project and has the chosen kind of export written. It computes nothing itself.

use std::io;
use std::path::Path;

use super::kind::{ExportKind, ExportOptions, Exported, Request, Writes};
use super::rows_out::{RowsOut, least_level};
use super::visible::Visible;
use crate::domain::fault::{Fault, Result};
use crate::formats::{Output, chosen_format};
use crate::store::{Access, Store};
use crate::work::output::{appears_whole, write_to};

/// Exports.
///
/// # Errors
/// A model that the project does not have or that cannot prelabel the pool, a place that cannot be written, or damaged labels.
pub fn export(project: &Path, kind: &ExportKind, options: &ExportOptions) -> Result<Exported> {
    if let Writes::Folder(write) = kind.writes {
        let Some(folder) = &options.out else {
            return Err(Fault::usage(
                format!("export the {}", kind.name),
                "it is a folder, and none was named",
            )
            .hint("Add -o FOLDER"));
        };
        let opened = Opened::open(project, kind, options)?;
        check(&opened.store)?;
        let task = opened.store.task()?.task;
        let Opened { store, visible, .. } = &opened;
        return write(&Request { store, task: &task, visible, options }, folder);
    }
    if !appears_whole(options.out.as_deref())? {
        // What a reader gets while it is written is checked before.
        let opened = Opened::open(project, kind, options)?;
        check(&opened.store)?;
        return opened.write_out(|| Ok(()));
    }
    std::thread::scope(|scope| {
        // A connection of its own: one serves one thread.
        let checking = scope.spawn(|| check(&Store::open(project, Access::Read)?));
        Opened::open(project, kind, options)?
            .write_out(|| checking.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// What [`export`] would write, counted as it would be written: the same rows, and nowhere.
///
/// # Errors
/// Those of [`export`], but for the place.
pub fn count(project: &Path, kind: &ExportKind, options: &ExportOptions) -> Result<Exported> {
    let opened = Opened::open(project, kind, options)?;
    check(&opened.store)?;
    opened.write(&mut io::sink())
}

/// Whether all that an export can hold is as it was written.
fn check(store: &Store) -> Result<()> {
    store.check_rows(&format!("export from {}", store.path().display()))
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

    /// Writes to the place that was asked for. `check` is asked before the output is whole: what it finds is also why the writing failed, if it did.
    fn write_out(&self, check: impl FnOnce() -> Result<()>) -> Result<Exported> {
        let mut exported = Exported::default();
        write_to(self.options.out.as_deref(), |out| {
            let written = self.write(out);
            check()?;
            exported = written?;
            Ok(())
        })?;
        Ok(exported)
    }

    fn write(&self, out: Output<'_>) -> Result<Exported> {
        let Self { store, visible, options, .. } = self;
        match self.kind.writes {
            Writes::Rows(write) => {
                let task = store.task()?.task;
                let format = chosen_format(options.format, options.out.as_deref());
                let request = Request { store, task: &task, visible, options };
                let least_level = least_level(&task);
                write(
                    &request,
                    RowsOut { out, format, what: "the export", least_level, lists: task.kind.is_several() },
                )
            }
            Writes::OwnLines(write) => write(store, visible, options, out),
            Writes::Folder(_) => Err(Fault::usage(format!("count the {}", self.kind.name), "it is a folder")
                .hint("Leave --count out; --what final has a line for each of its texts")),
        }
    }
}
