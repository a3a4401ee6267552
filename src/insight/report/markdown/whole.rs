//! The whole report, section by section.

use super::escaped::Inline;
use super::page::Page;
use super::{agreement, decisions, labelling, model, origin};
use crate::insight::report::contents::Report;

/// The report as Markdown. Untrusted text appears only in quotations and cells, escaped.
pub fn markdown(report: &Report) -> String {
    let mut page = Page::default();
    origin::about(&mut page, report);
    origin::task(&mut page, report);
    origin::data(&mut page, report);
    labelling::people(&mut page, report);
    labelling::blindness(&mut page, report);
    labelling::rounds(&mut page, report);
    labelling::overlap(&mut page, report);
    labelling::reached(&mut page, report);
    agreement::agreement(&mut page, report);
    model::model(&mut page, report);
    model::audit(&mut page, report);
    decisions::decisions(&mut page, report);
    model::files(&mut page, report);
    page.heading(2, &"Limits".into());
    page.list(report.limits.iter().map(Inline::from));
    page.text()
}
