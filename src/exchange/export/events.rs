//! `events`: the label log alone, which `merge` takes back.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use uuid::Uuid;

use super::kind::{ExportKind, ExportOption, ExportOptions, Exported, Texts, Writes};
use super::visible::{LeftOut, Shows, Visible};
use crate::domain::event::Action;
use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::item::ItemKey;
use crate::domain::log::{Log, RoundLine};
use crate::formats::{LogText, Output, write_log};
use crate::store::{Access, Store};
use crate::work::output::write_own;

pub(super) static EVENTS: ExportKind = ExportKind {
    name: "events",
    help: "The label log, which `merge` takes back. The lead gets all of it, everyone else only their own labels; what you are still to answer stays out",
    takes: &[ExportOption::NoText],
    shows: Shows::Log,
    writes: Writes::OwnLines(events),
};

/// Writes the whole log, for any reader, into a file that the program keeps. Returns the number of lines without the head and the end.
///
/// # Errors
/// A place that cannot be written.
pub fn export_whole_log(project: &Path, texts: Texts, out: &Path) -> Result<usize> {
    let store = Store::open(project, Access::Read)?;
    let log = store.log()?;
    let mut lines = 0;
    write_own(out, |out| {
        lines = write(&store, &log, texts, out)?;
        Ok(())
    })?;
    Ok(lines)
}

/// Writes what the reader may have of the log: the lead all of it, anyone else their own events and whatever these refer to. Cases that the reader
/// may still be asked about are left out with what was done to them: a key is as good as a text to anybody who has the pool.
fn events(store: &Store, visible: &Visible, options: &ExportOptions, out: Output<'_>) -> Result<Exported> {
    let mut log = store.log()?;
    let reader = store.find_expert(&options.reader)?;
    let role = reader.map_or(Ok(Role::Expert), |expert| store.role(expert))?;
    let all = log.events.len();
    if role != Role::Lead {
        let is_own =
            |expert| visible.reader.is_some() && visible.persons.get(&expert).copied() == visible.reader;
        let experts = store.experts()?.into_iter();
        let own = experts.filter(|(expert, _)| is_own(*expert)).map(|(_, name)| name).collect();
        log = own_part(log, &own);
    }
    let events = all - log.events.len();
    let cases = without_open(store, visible, &mut log)?;
    let left_out = LeftOut { events, cases, answers: 0, ..visible.left_out(Shows::Log) };
    Ok(Exported { lines: write(store, &log, options.texts, out)?, left_out, ..Exported::default() })
}

/// Takes out of a log what its reader may still be asked about, blind: those cases, others' answers to their texts, and what settings of models
/// say of answers. Returns how many cases.
fn without_open(store: &Store, visible: &Visible, log: &mut Log) -> Result<usize> {
    let (mut open, mut asked, mut own_stay) = (HashSet::new(), HashSet::new(), HashSet::new());
    for (item, case) in visible.to_answer() {
        let Some((key, _)) = store.key_and_split(item)? else { continue };
        open.insert(key);
        asked.extend(store.case_uuid(case)?);
        // What comes back for re-annotation was answered, and that answer is the reader's own.
        if let Some(reader) = visible.reader
            && store.current_answer(reader, item)?.is_some_and(|a| a.event.action == Action::Set)
        {
            own_stay.insert(key);
        }
    }
    if open.is_empty() {
        return Ok(0);
    }
    let mut names = HashSet::new();
    for (expert, name) in store.experts()? {
        if visible.reader.is_some() && visible.persons.get(&expert).copied() == visible.reader {
            names.insert(name);
        }
    }
    log.events.retain(|event| {
        let own = own_stay.contains(&event.item) && names.contains(&event.expert);
        !open.contains(&event.item) || own && event.case.is_none_or(|case| !asked.contains(&case))
    });
    let named: HashSet<Uuid> = log.events.iter().filter_map(|event| event.case).collect();
    let before = log.cases.len();
    let mut parted = HashSet::new();
    log.cases.retain(|case| {
        let stays = !open.contains(&case.item) || named.contains(&case.uuid);
        if !stays {
            parted.insert(case.round);
        }
        stays
    });
    // A merge that takes in a closed round withdraws the cases that did not come with it.
    for round in log.rounds.iter_mut().filter(|round| parted.contains(&round.uuid)) {
        round.closed_ms = None;
    }
    without_settings(log);
    Ok(before - log.cases.len())
}

/// Settings of models reveal what others answered, so they are left out, as in a part of a project.
fn without_settings(log: &mut Log) {
    for settings in (log.predictors.iter_mut().map(|p| &mut p.settings))
        .chain(log.adapters.iter_mut().map(|a| &mut a.settings))
    {
        *settings = "{}".into();
    }
}

fn write(store: &Store, log: &Log, texts: Texts, out: Output<'_>) -> Result<usize> {
    let text = |key: &ItemKey| store.text_of_key(key);
    let text: LogText<'_> = (texts == Texts::Written).then_some(&text);
    write_log(out, log, text)
}

/// The part of a log that one person wrote, under these names, with everything that it refers to. Nobody else's answer is in it.
///
/// A round keeps only the cases that the person has answered, so it is written as an open one: a merge that takes in a closed round withdraws
/// the cases that did not come with it.
fn own_part(mut log: Log, own: &BTreeSet<String>) -> Log {
    log.events.retain(|event| own.contains(&event.expert));
    log.reveals.retain(|reveal| own.contains(&reveal.expert));
    let sessions: HashSet<Uuid> =
        log.sessions.iter().filter(|s| own.contains(&s.expert)).map(|s| s.uuid).collect();
    log.expert_events.retain(|event| {
        let speaks_of_own =
            own.contains(&event.expert) || event.other.as_ref().is_some_and(|o| own.contains(o));
        speaks_of_own || sessions.contains(&event.session)
    });

    let cases: HashSet<Uuid> = log.events.iter().filter_map(|event| event.case).collect();
    log.cases.retain(|case| cases.contains(&case.uuid));
    let rounds: HashSet<Uuid> = log.cases.iter().map(|case| case.round).collect();
    log.rounds.retain(|round| rounds.contains(&round.uuid));
    let open = |round: RoundLine| RoundLine { closed_ms: None, ..round };
    log.rounds = log.rounds.into_iter().map(open).collect();

    let predictors: HashSet<Uuid> = log.rounds.iter().filter_map(|round| round.predictor).collect();
    log.predictors.retain(|predictor| predictors.contains(&predictor.uuid));
    let adapters: HashSet<Uuid> = log.predictors.iter().filter_map(|predictor| predictor.adapter).collect();
    log.adapters.retain(|adapter| adapters.contains(&adapter.uuid));
    let models: HashSet<_> = (log.predictors.iter().map(|p| p.model.clone()))
        .chain(log.adapters.iter().map(|a| a.model.clone()))
        .collect();
    log.models.retain(|model| models.contains(&model.sha256));
    without_settings(&mut log);
    for adapter in &mut log.adapters {
        (adapter.parent, adapter.round) = (None, None);
    }

    // The task belongs to everyone. All its revisions stay, and they name the sessions in which they were set.
    let set_in = log.revisions.iter().map(|revision| revision.session);
    let spoke_in = log.expert_events.iter().map(|event| event.session);
    let named: HashSet<Uuid> =
        set_in.chain(spoke_in).chain(log.events.iter().map(|event| event.session)).collect();
    log.sessions.retain(|session| named.contains(&session.uuid) || sessions.contains(&session.uuid));
    let mut experts: HashSet<&str> = own.iter().map(String::as_str).collect();
    experts.extend(log.sessions.iter().map(|session| session.expert.as_str()));
    experts.extend(log.cases.iter().filter_map(|case| case.expert.as_deref()));
    experts.extend(log.expert_events.iter().map(|event| event.expert.as_str()));
    experts.extend(log.expert_events.iter().filter_map(|event| event.other.as_deref()));
    log.experts.retain(|expert| experts.contains(expert.name.as_str()));
    log
}
