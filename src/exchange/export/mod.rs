//! `export`: one file for each kind of export, and the list of them.
//!
//! To add a kind of export: write its file with a static [`ExportKind`] whose function reads the store and writes rows, then declare the file
//! here and put the kind into [`EXPORT_KINDS`]. The values of `--what`, their help and the messages follow from the list. Every kind can be
//! written in every output format of `formats/write`; only the label log has lines of its own, and a dataset is a folder.

mod dataset;
mod events;
mod final_labels;
#[cfg(feature = "engine")]
mod gold;
mod kind;
mod labels;
mod predicted;
mod predictions;
mod rows;
mod rows_out;
mod run;
mod training;
mod visible;

use std::path::Path;

pub use self::events::export_whole_log;
#[cfg(feature = "engine")]
pub use self::gold::{gold_labels, predicted_with_gold};
pub use self::kind::{By, ExportKind, ExportOption, ExportOptions, Exported, History, Texts};
#[cfg(feature = "engine")]
pub(crate) use self::predicted::find_predictor;
#[cfg(feature = "engine")]
pub(crate) use self::rows_out::{RowsOut, answer_cell, least_level, probabilities_cell};
pub(crate) use self::visible::record_reveal;
pub use self::visible::{LeftOut, Reveal};
use crate::domain::fault::{Fault, Result};
use crate::formats::{CSV_FOR_EXCEL, OutputFormat, chosen_format};

/// Every kind of export, the default first.
pub static EXPORT_KINDS: &[&ExportKind] = &[
    &labels::LABELS,
    &predictions::PREDICTIONS,
    &final_labels::FINAL,
    &rows::ROWS,
    &events::EVENTS,
    &training::SFT,
    &training::DPO,
    &training::KTO,
    &dataset::DATASET,
];

/// The kind of export of this name.
///
/// # Errors
/// A usage fault that lists the kinds there are.
pub fn export_kind(name: &str) -> Result<&'static ExportKind> {
    EXPORT_KINDS.iter().copied().find(|kind| kind.name == name).ok_or_else(|| {
        Fault::usage(format!("export '{name}'"), "there is no such kind of export")
            .hint(format!("The kinds are {}", names(|_| true)))
    })
}

/// The output format of this name.
///
/// # Errors
/// A usage fault that lists the formats there are.
pub fn output_format(name: &str) -> Result<&'static OutputFormat> {
    crate::formats::output_format(name)
}

/// The format that was asked for, by name or as CSV with a byte-order mark; none if the file's name decides.
///
/// # Errors
/// A usage fault for a name that there is not, and for a byte-order mark in another format than CSV.
pub fn format_to_write(
    name: Option<&str>,
    byte_order_mark: bool,
    out: Option<&Path>,
) -> Result<Option<&'static OutputFormat>> {
    let asked = name.map(output_format).transpose()?;
    match (byte_order_mark, chosen_format(asked, out).name) {
        (false, _) => Ok(asked),
        (true, "csv") => Ok(Some(&CSV_FOR_EXCEL)),
        (true, other) => {
            Err(Fault::usage(format!("write {other} with a byte-order mark"), "only CSV has one")
                .hint("Add --format csv, or leave --bom out"))
        }
    }
}

/// The output formats by name, each with what it is; the default first.
pub fn output_formats() -> impl Iterator<Item = (&'static str, &'static str)> {
    crate::formats::OUTPUT_FORMATS.iter().map(|format| (format.name, format.help))
}

/// Exports.
///
/// # Errors
/// An option that means nothing to this kind, a model that the project does not have or that cannot prelabel the pool, a place that cannot be
/// written, or damaged labels.
pub fn export(project: &Path, kind: &ExportKind, options: &ExportOptions) -> Result<Exported> {
    check(kind, options)?;
    run::export(project, kind, options)
}

/// What [`export`] would write, without writing it.
///
/// # Errors
/// Those of [`export`], but for the place.
pub fn count(project: &Path, kind: &ExportKind, options: &ExportOptions) -> Result<Exported> {
    check(kind, options)?;
    run::count(project, kind, options)
}

/// Refuses an option that means nothing to this kind.
fn check(kind: &ExportKind, options: &ExportOptions) -> Result<()> {
    let Some(option) = options.given().find(|option| !kind.takes.contains(option)) else { return Ok(()) };
    let flag = option.flag();
    let goes_with = names(|kind| kind.takes.contains(&option));
    Err(Fault::usage(
        format!("export the {} with {flag}", kind.name),
        format!("{flag} goes with --what {goes_with}"),
    )
    .hint(format!("Leave {flag} out, or change --what")))
}

/// The names of the kinds that `include` chooses: `a, b or c`.
fn names(include: impl Fn(&ExportKind) -> bool) -> String {
    let names: Vec<&str> =
        EXPORT_KINDS.iter().copied().filter(|kind| include(kind)).map(|kind| kind.name).collect();
    match names.as_slice() {
        [before @ .., last] if !before.is_empty() => format!("{} or {last}", before.join(", ")),
        names => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_own_kind_and_another_lists_them() {
        for kind in EXPORT_KINDS {
            assert_eq!(export_kind(kind.name).unwrap().name, kind.name);
        }
        assert_eq!(
            export_kind("everything").err().unwrap().to_string(),
            "cannot export 'everything': there is no such kind of export. \
             The kinds are labels, predictions, final, rows, events, sft, dpo, kto or dataset"
        );
    }

    #[test]
    fn an_option_that_means_nothing_to_a_kind_is_refused_with_the_kinds_that_take_it() {
        let nowhere = Path::new("/nowhere.hardcase");
        let refusal = |kind: &str, options: ExportOptions| {
            let fault = export(nowhere, export_kind(kind).unwrap(), &options).unwrap_err();
            (fault.exit_code(), fault.to_string())
        };
        let ada = || ExportOptions::read_by("ada");
        assert_eq!(
            refusal("rows", ExportOptions { history: History::All, ..ada() }),
            (
                2,
                "cannot export the rows with --history: --history goes with --what labels. \
                 Leave --history out, or change --what"
                    .to_owned()
            )
        );
        let by = ExportOptions { by: By::Head, ..ada() };
        assert!(
            refusal("labels", by.clone())
                .1
                .contains("--by goes with --what predictions, final, rows, dpo or kto")
        );
        assert!(refusal("events", by).1.contains("--by goes with"));
        let no_text = ExportOptions { texts: Texts::LeftOut, ..ada() };
        assert!(refusal("final", no_text).1.contains("--no-text goes with --what events"));
        let csv = ExportOptions { format: Some(output_format("csv").unwrap()), ..ada() };
        assert!(refusal("events", csv).1.contains("--format goes with"));
    }
}
