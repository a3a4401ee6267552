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
use crate::domain::log::{AdapterLine, Log, PredictorLine, RoundLine};
use crate::formats::{LogText, Output, write_log};
use crate::store::{Access, Store};
use crate::work::output::write_own;

pub(super) static EVENTS: ExportKind = ExportKind {
    name: "events",
    help: "The label log, which `merge` takes back. The lead gets all of it, everyone else only their own labels",
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
        lines = write(&store, &log, texts, &BTreeSet::new(), out)?;
        Ok(())
    })?;
    Ok(lines)
}

/// Writes what the reader may have of the log: the lead all of it, anyone else their own events and whatever these refer to. Cases that the reader
/// may still be asked about have their keys only: a merge needs no more, and nobody reads by chance what others answered to them.
fn events(store: &Store, visible: &Visible, options: &ExportOptions, out: Output<'_>) -> Result<Exported> {
    let mut log = store.log()?;
    let reader = store.find_expert(&options.reader)?;
    let role = reader.map_or(Ok(Role::Expert), |expert| store.role(expert))?;
    let mut blind = BTreeSet::new();
    for item in visible.to_answer() {
        blind.extend(store.key_and_split(item)?.map(|(key, _)| key));
    }
    let (mut of_others, mut unanswered) = (0, 0);
    if role != Role::Lead {
        let is_own =
            |expert| visible.reader.is_some() && visible.persons.get(&expert).copied() == visible.reader;
        let experts = store.experts()?.into_iter();
        let own: BTreeSet<String> =
            experts.filter(|(expert, _)| is_own(*expert)).map(|(_, name)| name).collect();
        let all = log.events.len();
        log.events.retain(|event| own.contains(&event.expert));
        let own_events = log.events.len();
        leave_out_unanswered(&mut log, &blind);
        (of_others, unanswered) = (all - own_events, own_events - log.events.len());
        log = own_part(log, &own);
    }
    let texts = match options.texts {
        Texts::Written => log.cases.iter().filter(|case| blind.contains(&case.item)).count(),
        Texts::LeftOut => 0,
    };
    let left_out =
        LeftOut { events: of_others, unanswered, texts, answers: 0, ..visible.left_out(Shows::Log) };
    Ok(Exported { lines: write(store, &log, options.texts, &blind, out)?, left_out, ..Exported::default() })
}

fn write(
    store: &Store,
    log: &Log,
    texts: Texts,
    blind: &BTreeSet<ItemKey>,
    out: Output<'_>,
) -> Result<usize> {
    let text = |key: &ItemKey| if blind.contains(key) { Ok(None) } else { store.text_of_key(key) };
    let text: LogText<'_> = (texts == Texts::Written).then_some(&text);
    write_log(out, log, text)
}

/// Leaves out the skips, flags and notes of cases to which the person has never given a label and may still give one: with them would go the case, and
/// why it was chosen. They follow in the first log after the answer.
fn leave_out_unanswered(log: &mut Log, blind: &BTreeSet<ItemKey>) {
    let labels = log.events.iter().filter(|event| event.action == Action::Set.as_str());
    let labelled: HashSet<ItemKey> = labels.map(|event| event.item).collect();
    log.events.retain(|event| labelled.contains(&event.item) || !blind.contains(&event.item));
}

/// A log whose events one person wrote, under these names, with no more than what they refer to. Nobody else's answer is in it.
///
/// A round keeps only the cases that the person has answered, so it is written as an open one: a merge that takes in a closed round withdraws
/// the cases that did not come with it. Settings of models reveal what others answered, so they are left out, as in a part of a project.
fn own_part(mut log: Log, own: &BTreeSet<String>) -> Log {
    // Imported labels are nobody's own, and say something of texts that the person may still be asked about.
    log.label_sources.clear();
    log.imported_labels.clear();
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
    let bare = |p: PredictorLine| PredictorLine { settings: "{}".into(), ..p };
    log.predictors = log.predictors.into_iter().map(bare).collect();
    let bare = |a: AdapterLine| AdapterLine { settings: "{}".into(), parent: None, round: None, ..a };
    log.adapters = log.adapters.into_iter().map(bare).collect();

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
