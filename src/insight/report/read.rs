//! Reads a project into a report.

use std::path::Path;

use super::blindness::{blindness, remarks};
use super::contents::{About, Report};
use super::data::data;
use super::decisions::{decisions, reached};
use super::figures::{Source, figures};
use super::ledger::Ledger;
use super::limits::limits;
use super::models::{adapters, models, predictors};
use super::people::{people, said_of_experts};
use super::rounds::{overlap, rounds};
use super::task::revisions;
use crate::domain::fault::Result;
use crate::domain::moment::utc;
use crate::insight::disputes::Names;
use crate::insight::viewer::Viewer;
use crate::store::{Access, Store};

/// The report on a project, as far as the expert of this name may see it.
///
/// # Errors
/// The project cannot be opened, or has no task.
pub fn report(project: &Path, reader: &str) -> Result<Report> {
    let store = Store::open(project, Access::Read)?;
    let task = store.task()?.task;
    let viewer = Viewer::by_file(&store, reader)?;
    let names = Names::read(&store, &task)?;
    let ledger = Ledger::read(&store, &viewer)?;
    let mut answers = store.first_blind_answers()?;
    answers.retain(|answer| viewer.sees_all_of(answer.item));
    let source = Source { store: &store, task: &task, names: &names, viewer: &viewer, ledger: &ledger };
    let (figures, curve) = figures(&source, &answers)?;
    let made = store.made()?;
    let mut report = Report {
        about: About {
            project: ledger.log.project,
            made: utc(made.at_ms),
            made_by: made.by,
            events: ledger.events,
            log_blake3: ledger.fingerprint.clone(),
            seed: store.project()?.seed,
            reader: viewer.role,
            left_out: ledger.left_out.len(),
            missing_events: ledger.gaps,
        },
        revisions: revisions(&store, &ledger)?,
        data: data(&store, &viewer)?,
        people: people(&store, &ledger)?,
        said_of_experts: said_of_experts(&ledger),
        blindness: blindness(&ledger, &answers),
        overlap: overlap(&ledger),
        reached: reached(&store, &ledger, &viewer)?,
        figures,
        decisions: decisions(&store, &ledger, (&names, &viewer))?,
        remarks: remarks(&ledger),
        models: models(&ledger),
        adapters: adapters(&store, &ledger)?,
        predictors: predictors(&store, &ledger, &curve)?,
        rounds: rounds(&ledger),
        limits: Vec::new(),
    };
    report.limits = limits(&report);
    Ok(report)
}
