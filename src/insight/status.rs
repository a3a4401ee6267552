//! Reads where a project stands: counts, rounds, agreement, the audit, and what to do next. `status_text` prints it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::advice::{Advice, Standing, advice};
use super::agreement::in_short;
use super::audit_text::{labels_in_words, share_in_words};
use super::ceiling::{Ceiling, unclear};
use super::figures::{Agreement, CurvePoint, Figures, Gain};
use super::imported_labels::{ImportedLabels, imported_labels};
use super::judge::JudgeStatus;
use super::label_issues::label_issues;
use super::last_job;
use super::next_round::{Narrower, NextRound};
use super::slices::{WeakSlices, weak_slices};
use super::targets::{Budget, Measured, TargetStatus, targets};
use super::viewer::Viewer;
use crate::domain::adapter::AdapterKind;
use crate::domain::answer::Answer;
use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::ids::ItemId;
use crate::domain::imported_label::TrainingLabel;
use crate::domain::outstanding::Outstanding;
use crate::domain::predictor::Predictor;
use crate::domain::split::Split;
use crate::domain::task::{Label, Task};
use crate::domain::task_kind::TaskKind;
use crate::stats::agreement::panel::Panel;
use crate::stats::classifier::head::lacking;
use crate::stats::estimate::audit::Audit;
use crate::stats::estimate::pace::median;
use crate::store::pool::embeddings::Space;
use crate::store::rounds::annotations_needed::AnnotationsNeeded;
use crate::store::rounds::round::Round;
use crate::store::{Access, Store};

/// Seconds per case are the median of this many last answers.
const RECENT: usize = 50;

/// Where a project stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    pub question: String,
    /// Rows imported, duplicates included.
    pub rows: usize,
    /// Texts in the pool.
    pub items: usize,
    /// Texts that have a prelabel.
    pub scored: usize,
    /// Current labels of all experts.
    pub labels: usize,
    /// Labels that existed before the project, by whose they are. They count in no figure, and not in `labels`.
    pub imported_labels: Vec<ImportedLabels>,
    /// Number of the newest round; 0 before the first.
    pub round: i64,
    /// Counts of the newest round.
    pub round_cases: Option<RoundCount>,
    /// What the open rounds still need, oldest first.
    pub open_rounds: Vec<Outstanding>,
    /// The viewer's first name.
    pub you: String,
    /// The viewer's role. Except for a lead, figures leave out others' answers to open cases.
    pub role: Role,
    /// Current labels from a login that is not tied to their name.
    pub untied_labels: usize,
    /// Number of experts who have labelled.
    pub experts: usize,
    pub labels_by_expert: BTreeMap<String, usize>,
    /// Seconds per case by expert: the median of the last answers.
    pub seconds_per_case: BTreeMap<String, Figure>,
    /// The kind of the active model: `zero-shot`, `head`, ….
    pub prelabels: Option<String>,
    /// Agreement on the evaluation cases.
    pub kappa: Agreement,
    /// All experts together, on the evaluation cases that two or more have answered.
    pub experts_agree: Panel,
    pub disagreements: Disagreements,
    /// Why a known agreement of people is not a ceiling for the model yet.
    pub no_ceiling: Option<String>,
    /// Set if people agree so little that the guideline must be unclear.
    pub unclear: Option<String>,
    /// Answers to repeated cases, which are not labels.
    pub shown_again: usize,
    /// Every stored model on the same evaluation cases.
    pub curve: Vec<CurvePoint>,
    /// What the last model gained.
    pub gain: Gain,
    /// What another round would cost and bring. `None` before the first.
    pub next_round: Option<NextRound>,
    /// The labels' names in the order of the task and of `audit`.
    pub label_names: Vec<String>,
    /// Estimates for the whole pool.
    pub audit: Audit,
    /// The active model's calibration error on the audit cases, 0 to 1.
    pub calibration_error: Figure,
    pub judge: Option<JudgeStatus>,
    /// The audit in words, a line per label.
    pub audit_in_words: Vec<String>,
    /// Each label's share of the pool in words, if it is known.
    pub shares_in_words: Vec<String>,
    /// Counts by label name.
    pub balance: BTreeMap<String, Balance>,
    /// Cases skipped and not labelled, by split; of those that the viewer may see all of.
    pub skipped: BTreeMap<&'static str, usize>,
    /// Where model and experts agree less than on all hard cases together. `None` while there are too few, or one slice.
    pub weak_slices: Option<WeakSlices>,
    /// Answers that may be wrong, by the name of the expert who gave them.
    pub label_issues_by_expert: BTreeMap<String, usize>,
    /// The job that is running or ran last.
    pub last_job: Option<String>,
    /// What the task asks for, each with its figure and what is missing.
    pub targets: Vec<TargetStatus>,
    /// The answers that may be spent, where the task says so.
    pub budget: Option<Budget>,
    /// What to do next; one sentence in JSON.
    pub advice: Advice,
}

/// Items on which experts disagree.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Disagreements {
    pub items: usize,
    /// Those without a decision.
    pub undecided: usize,
}

#[derive(Clone, Copy, Debug, Serialize)]
pub struct RoundCount {
    /// Cases that were not withdrawn.
    pub cases: usize,
    /// With a label.
    pub labelled: usize,
    /// Skipped, without a label.
    pub skipped: usize,
    /// With all the answers they need.
    pub complete: usize,
    /// Cases that need an answer from the viewer, or from anybody if the viewer does not label.
    pub left: usize,
}

/// Counts of one label.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Balance {
    /// Current labels of all experts.
    pub labels: usize,
    /// Items with this label in the training set, by experts or imported.
    pub training: usize,
}

/// Reads where a project stands, as the expert of this name may see it.
pub fn status(project: &Path, expert: &str) -> Result<Status> {
    let store = Store::open(project, Access::Read)?;
    let viewer = Viewer::read(&store, expert)?;
    let revision = store.task()?;
    let task = &revision.task;
    let active = store.active_predictor()?;
    let active = active.as_ref();
    let mut rounds = store.rounds()?;
    // Round 0 holds the cases before the first round is mined.
    rounds.retain(|round| round.number > 0);
    let figures = Figures::read(&store, task, &viewer)?;
    let agreement = figures.agreement(active)?;
    let gain = match active {
        Some(predictor) => figures.gain(predictor.id)?,
        None => Gain { difference: Figure::undefined("no text has a prelabel"), says: String::new() },
    };
    let audit = figures.audit(active)?;
    // Whether others agree decides whether a text trains, so of an open case not even that is counted.
    let mut training = store.training_labels()?;
    let all = training.len();
    training.retain(|item, _| viewer.sees_all_of(*item));
    let sees_all = training.len() == all;
    let imported_labels = imported_labels(&store, &training)?;
    let balance = balance(&store, task, (training.values().map(|one| &one.answer), &viewer))?;
    let (round_cases, open_rounds) = round_counts(&store, &viewer, &rounds)?;
    let items = store.item_count()?;
    store.check_countable("show where the project stands")?;
    let scored = active.map_or(Ok(0), |p| match p.guesses_nothing() {
        // There is nothing more to be had of them until answers teach.
        true => store.vector_count(p.space()),
        false => store.prediction_count(p.id),
    })?;
    let of_label = |l: &Label| balance.get(&l.name).map_or(0, |b| b.training);
    let short = lacking(&task.labels.iter().map(of_label).collect::<Vec<_>>());
    let by_experts = training.values().filter(|one| one.is_by_experts()).count();
    let next_round = next_round(
        &store,
        &figures,
        active,
        &NextOf { rounds: &rounds, by_experts, items, audit: &audit, kind: task.kind },
    )?;
    let no_round =
        NextRound { kind: task.kind, cases: 0, gain: Figure::undefined("no round yet"), audit: None };
    let people = People::read(&store, &viewer)?;
    let labels = store.label_count()?;
    let pace =
        people.viewer.as_ref().and_then(|you| people.seconds_per_case.get(you)).and_then(Figure::value);
    let targets = targets(
        task,
        &Measured {
            of_ceiling: &figures.of_ceiling(active, &agreement)?,
            agreement: &agreement,
            audit: &audit,
            labels,
            seconds: pace,
        },
    );
    let budget = Budget::of(task, labels);
    // What was asked before the guideline changed says nothing of how clear it is now.
    let unclear =
        unclear(&agreement.expert_expert, &agreement.self_agreement, task.target.least_experts_kappa());
    let is_mended = rounds.last().is_some_and(|last| revision.created_ms > last.created_ms);
    let advice = advice(&Standing {
        targets: &targets,
        budget,
        unclear: unclear.as_deref().filter(|_| !is_mended),
        items,
        scored,
        asked: store.asked_items()?,
        round: rounds.last().zip(round_cases).map(|(r, count)| (r.number, count.left)),
        is_part: store.is_part_without_models()?,
        others: open_rounds.last().filter(|round| round.open() > 0),
        new_training: training.len().saturating_sub(taught(&store, active)),
        // Where answers are hidden, whether they changed what teaches would be told with it.
        reweighed: sees_all
            && !imported_labels.is_empty()
            && teach_otherwise(&store, active, &training, task)?,
        missing: short.and_then(|few| task.labels.get(few.label)).map(|l| l.name.as_str()),
        audit_moves_shares: figures.audit_moves_shares(active, revision.id),
        model_expert: &agreement.model_expert,
        ceiling: Ceiling::of(&agreement.expert_expert, &agreement.self_agreement),
        gain: &gain.difference,
        next: next_round.as_ref().unwrap_or(&no_round),
    });
    let named = || task.labels.iter().map(|label| label.name.as_str()).zip(&audit.labels);
    Ok(Status {
        question: task.question.clone(),
        rows: store.row_count()?,
        items,
        scored,
        labels,
        imported_labels,
        round: rounds.last().map_or(0, |r| r.number),
        round_cases,
        open_rounds,
        you: people.viewer.unwrap_or_else(|| expert.to_owned()),
        role: viewer.role,
        untied_labels: store.untied_label_count()?,
        experts: people.labels.len(),
        labels_by_expert: people.labels,
        seconds_per_case: people.seconds_per_case,
        no_ceiling: Ceiling::missing(&agreement.expert_expert, &agreement.self_agreement),
        unclear,
        kappa: agreement,
        experts_agree: in_short(figures.answers(), task, store.project()?.seed),
        disagreements: disagreements(&store, &viewer)?,
        shown_again: store.repeat_count(None)?,
        curve: figures.curve(active)?,
        prelabels: active.map(|p| p.kind().to_string()),
        gain,
        next_round,
        label_names: task.labels.iter().map(|l| l.name.clone()).collect(),
        shares_in_words: named().filter_map(|(name, audit)| share_in_words(name, audit)).collect(),
        calibration_error: figures.calibration_error(active)?,
        judge: JudgeStatus::read(&store)?,
        audit_in_words: labels_in_words(named()),
        audit,
        balance,
        skipped: skipped(&store, &viewer)?,
        weak_slices: weak_slices(&store, task, &figures)?,
        label_issues_by_expert: people.label_issues,
        last_job: store.runs(1)?.first().map(last_job::in_words),
        targets,
        budget,
        advice,
    })
}

/// The newest round's counts, and what each open round still needs, oldest first.
fn round_counts(
    store: &Store,
    viewer: &Viewer,
    rounds: &[Round],
) -> Result<(Option<RoundCount>, Vec<Outstanding>)> {
    let (mut newest, mut open) = (None, Vec::new());
    for round in rounds {
        let needed = if round.closed_ms.is_none() {
            store.annotations_needed(round.id, None)?
        } else {
            AnnotationsNeeded::default()
        };
        let labels = store.active(round.id, None)?.iter().any(|person| viewer.person == Some(*person));
        let yours = viewer.person.and_then(|person| needed.by.get(&person)).copied().unwrap_or(0);
        newest = Some(RoundCount {
            cases: round.cases,
            labelled: round.answered,
            skipped: round.skipped,
            complete: needed.complete,
            left: if labels { yours } else { needed.open() },
        });
        if round.closed_ms.is_none() {
            open.push(store.outstanding(round.number, &needed)?);
        }
    }
    Ok((newest, open))
}

/// How many labels taught the active model, if it was trained.
fn taught(store: &Store, active: Option<&Predictor>) -> usize {
    active
        .and_then(Predictor::adapter)
        .and_then(|id| store.adapters().ok()?.into_iter().find(|a| a.id == id))
        .map_or(0, |a| a.training_n)
}

/// Whether the labels that teach are others, or count something else, than those that the active head was trained on.
fn teach_otherwise(
    store: &Store,
    active: Option<&Predictor>,
    training: &BTreeMap<ItemId, TrainingLabel>,
    task: &Task,
) -> Result<bool> {
    let adapter = active.and_then(Predictor::adapter);
    let head = store.adapters()?.into_iter().find(|a| Some(a.id) == adapter && a.kind == AdapterKind::Head);
    let Some(head) = head else { return Ok(false) };
    let mut hash = blake3::Hasher::new();
    for item in store.items_with_vector(Space::base(head.model))? {
        if let Some(one) = training.get(&item).filter(|one| task.set_of(&one.answer).is_some()) {
            one.hash_into(item, &mut hash);
        }
    }
    Ok(head.training_hash != hash.finalize().as_bytes())
}

/// What the next round is reckoned from.
struct NextOf<'s> {
    /// Those that were mined, oldest first.
    rounds: &'s [Round],
    /// Texts that experts' labels teach.
    by_experts: usize,
    items: usize,
    audit: &'s Audit,
    kind: TaskKind,
}

/// What another round would cost and bring: `None` before the first.
fn next_round(
    store: &Store,
    figures: &Figures<'_>,
    active: Option<&Predictor>,
    of: &NextOf<'_>,
) -> Result<Option<NextRound>> {
    let Some(last) = of.rounds.last() else { return Ok(None) };
    // The next round is assumed to add as many training labels per case as the rounds so far.
    let cases: usize = of.rounds.iter().map(|r| r.cases).sum();
    let more = last.cases * of.by_experts / cases.max(1);
    let drawn: usize = store.audit_draws()?.values().sum();
    // The number of texts in the audit split is known closely enough from its share.
    let open = ((of.items as f64 * store.project()?.shares.audit) as usize).saturating_sub(drawn);
    let gain = figures.next_gain(active, more)?;
    let audit = Narrower::of(&of.audit.kappa, of.kind, open);
    Ok(Some(NextRound { kind: of.kind, cases: last.cases, gain, audit }))
}

/// What each person gave, by name.
#[derive(Default)]
struct People {
    /// The viewer's first name, if they have one here.
    viewer: Option<String>,
    labels: BTreeMap<String, usize>,
    seconds_per_case: BTreeMap<String, Figure>,
    label_issues: BTreeMap<String, usize>,
}

impl People {
    fn read(store: &Store, viewer: &Viewer) -> Result<Self> {
        let mut people = Self::default();
        let persons = store.persons()?;
        for (id, name) in store.experts()?.into_iter().filter(|(id, _)| persons.get(id) == Some(id)) {
            let own = viewer.person == Some(id);
            if own {
                people.viewer = Some(name.clone());
            }
            let labels = store.label_count_of(id)?;
            if labels == 0 {
                continue;
            }
            let seconds: Vec<f64> =
                store.answer_durations(id, RECENT)?.into_iter().map(|ms| ms as f64 / 1_000.0).collect();
            let issues = label_issues(store, id)?.len();
            // To somebody who sees the text, a label issue tells what the answer was.
            if issues > 0 && (viewer.role == Role::Lead || own) {
                people.label_issues.insert(name.clone(), issues);
            }
            people.seconds_per_case.insert(name.clone(), median(&seconds));
            people.labels.insert(name, labels);
        }
        Ok(people)
    }
}

/// The disagreements on texts of which the viewer sees every answer.
fn disagreements(store: &Store, viewer: &Viewer) -> Result<Disagreements> {
    let mut disputed = store.disputed_items()?;
    disputed.retain(|item| viewer.sees_all_of(*item));
    let decided: BTreeSet<_> =
        store.decisions(None)?.into_iter().filter(|d| !d.overtaken).map(|d| d.item).collect();
    Ok(Disagreements {
        items: disputed.len(),
        undecided: disputed.iter().filter(|item| !decided.contains(*item)).count(),
    })
}

/// Cases skipped and not labelled, by split, zeros included.
fn skipped(store: &Store, viewer: &Viewer) -> Result<BTreeMap<&'static str, usize>> {
    let mut skipped: BTreeMap<_, _> =
        [Split::Train, Split::Eval, Split::Audit].map(|split| (split.as_str(), 0)).into();
    for (item, split) in store.skips()? {
        *skipped.entry(split.as_str()).or_default() += usize::from(viewer.sees_all_of(item));
    }
    Ok(skipped)
}

fn balance<'l>(
    store: &Store,
    task: &Task,
    (training, viewer): (impl Iterator<Item = &'l Answer>, &Viewer),
) -> Result<BTreeMap<String, Balance>> {
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    for (item, person, answer) in store.standing_labels()? {
        if viewer.sees(item, person) {
            for label in answer.labels() {
                *given.entry(label.clone()).or_default() += 1;
            }
        }
    }
    let mut balance: BTreeMap<String, Balance> = task
        .labels
        .iter()
        .map(|l| (l.name.clone(), Balance { labels: given.get(&l.id).copied().unwrap_or(0), training: 0 }))
        .collect();
    for key in training.flat_map(Answer::labels) {
        let name = task.index_of_id(key).map(|i| &task.labels[i].name);
        if let Some(b) = name.and_then(|n| balance.get_mut(n)) {
            b.training += 1;
        }
    }
    Ok(balance)
}
