//! `export --what events`: the label log alone, to be taken back by `merge`.

use std::path::Path;

use super::output::write_to;
use crate::domain::fault::Result;
use crate::domain::item::ItemKey;
use crate::format::{LogText, write_log};
use crate::store::{Access, Store};

/// Whether the log repeats the texts of its cases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Texts {
    /// Beside their keys, for whoever reads it.
    Written,
    /// Keys alone.
    LeftOut,
}

/// Writes the log into a file, or to standard output. Returns how many lines, without the head.
///
/// # Errors
/// A place that cannot be written.
pub fn export_events(project: &Path, texts: Texts, out: Option<&Path>) -> Result<usize> {
    let store = Store::open(project, Access::Read)?;
    let log = store.log()?;
    let text = |key: &ItemKey| store.text_of_key(key);
    let text: LogText<'_> = (texts == Texts::Written).then_some(&text);
    let mut lines = 0;
    write_to(out, |out| {
        lines = write_log(out, &log, text)?;
        Ok(())
    })?;
    Ok(lines)
}
