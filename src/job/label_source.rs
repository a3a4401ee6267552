//! `source`: what the labels of a source count.

use std::path::Path;

use crate::domain::fault::{Fault, Result};
use crate::domain::sanitize::sanitize_line;
use crate::store::{Access, Store};

/// Changes what a label of a source counts in training. When this returns, it is on disk; the next `tune` follows it.
///
/// # Errors
/// No such source, or a weight that is not between 0 and 1.
pub fn weigh(project: &Path, name: &str, weight: f64) -> Result<()> {
    let mut store = Store::open(project, Access::Job)?;
    if store.weigh_label_source(name, weight)? {
        return Ok(());
    }
    let known: Vec<String> =
        store.label_sources()?.into_iter().map(|(source, _)| sanitize_line(&source.name, 100)).collect();
    let fault = Fault::usage(
        format!("weigh the labels of {}", sanitize_line(name, 100)),
        "no labels of that source were imported",
    );
    Err(match known.is_empty() {
        true => fault.hint("Import some: `hardcase import FILE DATA --label COL --source NAME`"),
        false => fault.hint(format!("The sources are {}", known.join(", "))),
    })
}
