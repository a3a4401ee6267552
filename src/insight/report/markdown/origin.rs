//! Which project it is, the task, and where the texts come from.

use super::escaped::Inline;
use super::page::Page;
use crate::domain::expert::Role;
use crate::domain::task::Assist;
use crate::domain::task_kind::TaskKind;
use crate::insight::report::contents::Report;
use crate::insight::report::task::RevisionEntry;

pub(crate) fn about(page: &mut Page, report: &Report) {
    let about = &report.about;
    let name = report.revisions.last().map(|r| Inline::from(&r.task.name));
    page.heading(1, &Inline::sentence("Report on {}", &[Inline::or(name, "a project")]));
    page.say(
        "Project `{}`, created {} UTC by {}. The label log has {} events; its BLAKE3 hash is `{}`. Intervals are drawn from the seed {}. All times are UTC.",
        &[
            Inline::from(&about.project.to_string()),
            Inline::from(&about.made),
            Inline::from(&about.made_by),
            about.events.into(),
            Inline::from(&about.log_blake3),
            about.seed.into(),
        ],
    );
    match about.reader {
        Role::Lead => page.say("Written for a lead: it covers everything in the file.", &[]),
        Role::Expert => page.say(
            "Not written for a lead: the answers to {} texts whose cases are still open are left out of everything below.",
            &[about.left_out.into()],
        ),
    }
}

pub(crate) fn task(page: &mut Page, report: &Report) {
    page.heading(2, &"The task".into());
    page.table(
        &["revision", "set", "by", "changed", "current labels given under it"],
        report.revisions.iter().map(|revision| {
            vec![
                revision.number.into(),
                Inline::from(&revision.at),
                Inline::from(&revision.by),
                changes(revision),
                revision.labels.into(),
            ]
        }),
    );
    for revision in &report.revisions {
        let first = revision.changed.is_empty();
        let tells = |part: &'static str| first || revision.changed.contains(&part);
        let title = if revision.current { "Revision {}, the current one" } else { "Revision {}" };
        page.heading(3, &Inline::sentence(title, &[revision.number.into()]));
        if tells("name") {
            page.say("Name: {}", &[Inline::from(&revision.task.name)]);
        }
        if tells("question") {
            page.say("Question: {}", &[Inline::from(&revision.task.question)]);
        }
        // A task without a scale needs no word for what nearly all are.
        if tells("kind") && (!revision.task.kind.is_one() || !first) {
            page.say(
                match revision.task.kind {
                    TaskKind::One => "Asked for: one label of several.",
                    TaskKind::Several => "Asked for: any number of the labels, or none of them.",
                    TaskKind::Scale => {
                        "Asked for: one level of a scale. The labels are its levels, the lowest first."
                    }
                },
                &[],
            );
        }
        if tells("assistance") {
            let says = match revision.task.assist {
                Assist::After => "Experts see the model's view of a case only after they have answered it.",
                Assist::Before => {
                    "Experts see the model's view of a training case before they answer it, and of any other case only afterwards."
                }
            };
            page.say(says, &[]);
        }
        if tells("guideline") {
            page.say("How to decide:", &[]);
            page.quote(&revision.task.guideline);
        }
        if tells("labels") || tells("descriptions") {
            labels(page, revision);
        }
    }
}

fn changes(revision: &RevisionEntry) -> Inline {
    let changed = Inline::list(revision.changed.iter().map(|part| Inline::from(*part)), ", ");
    match (revision.concurrent, revision.changed.is_empty()) {
        (true, _) => Inline::sentence("{} (set in another copy, in parallel with the one above)", &[changed]),
        (false, true) => Inline::none(),
        (false, false) => changed,
    }
}

fn labels(page: &mut Page, revision: &RevisionEntry) {
    page.table(
        &["label", "key", "id", "description", "examples", "expected share"],
        revision.task.labels.iter().map(|label| {
            vec![
                Inline::from(&label.name),
                Inline::or(label.key.map(|key| Inline::text(&key.to_string())), ""),
                Inline::from(&label.id),
                Inline::from(&label.description),
                Inline::list(label.examples.iter().map(Inline::from), " · "),
                Inline::or(label.share.map(|share| Inline::text(&share.to_string())), ""),
            ]
        }),
    );
}

pub(crate) fn data(page: &mut Page, report: &Report) {
    let data = &report.data;
    page.heading(2, &"The texts".into());
    if data.sources.is_empty() {
        page.say("Nothing has been imported yet.", &[]);
        return;
    }
    page.table(
        &["source", "imported", "rows", "without a text", "refused"],
        data.sources.iter().map(|source| {
            vec![
                Inline::from(&source.name),
                Inline::from(&source.at),
                source.rows.into(),
                source.empty.into(),
                source.refused.into(),
            ]
        }),
    );
    let of = |split: &str| Inline::from(data.splits.get(split).copied().unwrap_or(0));
    page.say(
        "{} rows contain {} different texts; {} rows repeat a text. A hash of the content assigns {} texts to training, {} to evaluation and {} to the audit \
         (the shares of evaluation and audit are fixed at {} and {}). Labels of evaluation and audit texts are never trained on.",
        &[
            data.rows.into(),
            data.items.into(),
            data.folded.into(),
            of("train"),
            of("eval"),
            of("audit"),
            Inline::text(&data.shares.eval.to_string()),
            Inline::text(&data.shares.audit.to_string()),
        ],
    );
    imported_labels(page, report);
}

fn imported_labels(page: &mut Page, report: &Report) {
    let sources = &report.data.imported_labels;
    if sources.is_empty() {
        return;
    }
    page.heading(3, &"Labels that existed before".into());
    page.say(
        "These labels were imported with the texts. Nobody gave them here, blind or otherwise: they count in no agreement, evaluation or audit, and they teach the model \
         only texts of the training range that no expert has answered, at the weight given, where an expert's answer counts 1.",
        &[],
    );
    page.table(
        &["source", "weight", "labels", "texts", "in the training range", "teach"],
        sources.iter().map(|source| {
            vec![
                Inline::from(&source.source),
                Inline::text(&source.weight.to_string()),
                source.labels.into(),
                source.texts.into(),
                source.in_training.into(),
                source.teach.into(),
            ]
        }),
    );
}
