//! Where a project stands: counts, rounds, agreement, the audit, and what to do next.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::advice::{Advice, Ceiling, Standing, advice, unclear};
use super::agreement::in_short;
use super::figures::{Agreement, CurvePoint, Figures, Gain};
use super::judge::JudgeStatus;
use super::label_issues::label_issues;
use super::last_job;
use super::next_round::{Narrower, NextRound};
use super::viewer::Viewer;
use crate::domain::answer::decided;
use crate::domain::expert::Role;
use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::repeat::ONE_IN;
use crate::domain::split::Split;
use crate::domain::task::{Label, Task};
use crate::stats::agreement::panel::Panel;
use crate::stats::classifier::head::lacking;
use crate::stats::estimate::audit::Audit;
use crate::stats::estimate::pace::median;
use crate::store::rounds::annotations_needed::AnnotationsNeeded;
use crate::store::rounds::annotations_needed::Outstanding;
use crate::store::{Access, Store};

/// How many of an expert's last answers say how long one takes.
const RECENT: usize = 50;

/// Where a project stands.
#[derive(Clone, Debug, Serialize)]
pub struct Status {
    /// The question.
    pub question: String,
    /// Rows imported, duplicates included.
    pub rows: usize,
    /// Texts of the pool.
    pub items: usize,
    /// Texts that have a prelabel.
    pub scored: usize,
    /// Standing labels, over all experts.
    pub labels: usize,
    /// Number of the newest round; 0 before the first.
    pub round: i64,
    /// The newest round's cases, of these labelled, and skipped.
    pub round_cases: Option<RoundCount>,
    /// What the open rounds want, oldest first.
    pub open_rounds: Vec<Outstanding>,
    /// The first name of the expert who looks.
    pub you: String,
    /// What that expert may do: one who does not lead sees figures without others' answers to open cases.
    pub role: Role,
    /// Standing labels from a login to which their name is not tied.
    pub untied_labels: usize,
    /// How many experts have labelled.
    pub experts: usize,
    /// Their standing labels, by name.
    pub labels_by_expert: BTreeMap<String, usize>,
    /// Seconds that each of them takes for a case: the median of the last answers, by name.
    pub seconds_per_case: BTreeMap<String, Figure>,
    /// Whose prelabels count: `zero-shot` or `head`.
    pub prelabels: Option<String>,
    /// Agreement on the evaluation cases.
    pub kappa: Agreement,
    /// All experts together on the evaluation cases that two or more have answered.
    pub experts_agree: Panel,
    /// Items on which experts differ, and of these how many nobody has decided.
    pub disagreements: Disagreements,
    /// Why a known agreement of people is no ceiling for the model yet.
    pub no_ceiling: Option<String>,
    /// That people agree too little, which is the guideline's fault.
    pub unclear: Option<String>,
    /// Answers to cases that were shown again; they are no labels.
    pub shown_again: usize,
    /// Every stored model on the same evaluation cases.
    pub curve: Vec<CurvePoint>,
    /// What the last model gained.
    pub gain: Gain,
    /// What another round would cost and bring; none before the first.
    pub next_round: Option<NextRound>,
    /// The labels' names in the order of the task, which is that of `audit`.
    pub label_names: Vec<String>,
    /// What the audit says of the whole pool.
    pub audit: Audit,
    /// How far the active model's probabilities are from what they say, on the audit cases: 0 to 1.
    pub calibration_error: Figure,
    /// The language model that has read some of the texts.
    pub judge: Option<JudgeStatus>,
    /// The same in words, a line per label.
    pub audit_in_words: Vec<String>,
    /// Each label's share of the pool in words, where it is known.
    pub shares_in_words: Vec<String>,
    /// Labels that train, and the answers used for evaluation and audit, by label name.
    pub balance: BTreeMap<String, Balance>,
    /// Cases skipped and not labelled, by split.
    pub skipped: BTreeMap<&'static str, usize>,
    /// Answers that look like label_issues, by the name of the expert who gave them.
    pub slips_by_expert: BTreeMap<String, usize>,
    /// The job that runs or ran last.
    pub last_job: Option<String>,
    /// What to do next; one sentence in JSON.
    pub advice: Advice,
}

/// Items on which experts differ.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Disagreements {
    /// All of them.
    pub items: usize,
    /// Those without a decision.
    pub undecided: usize,
}

/// A round in numbers.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct RoundCount {
    /// Cases that were not withdrawn.
    pub cases: usize,
    /// With a label.
    pub labelled: usize,
    /// Skipped, without a label.
    pub skipped: usize,
    /// With as many answers as it is to have.
    pub complete: usize,
    /// Cases that wait for an answer of the expert who looks; of all, where that one does not label.
    pub left: usize,
}

/// One label's counts.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Balance {
    /// Standing labels of all experts.
    pub labels: usize,
    /// Items that train with it.
    pub training: usize,
}

/// Reads where a project stands, as the expert of that name may see it. Changes nothing.
pub fn status(project: &Path, expert: &str) -> Result<Status> {
    let store = Store::open(project, Access::Read)?;
    let viewer = Viewer::read(&store, expert)?;
    let revision = store.task()?;
    let task = &revision.task;
    let active = store.active_predictor()?;
    let mut rounds = store.rounds()?;
    // Round 0 only fills the time until the first is mined.
    rounds.retain(|round| round.number > 0);
    let figures = Figures::read(&store, task, &viewer)?;
    let agreement = figures.agreement(active.as_ref())?;
    let gain = match &active {
        Some(predictor) => figures.gain(predictor.id)?,
        None => Gain { difference: Figure::undefined("nothing has been scouted yet"), says: String::new() },
    };
    let audit = figures.audit(active.as_ref())?;
    let training = decided(&store.votes(Split::Train)?);
    let seen = training.iter().filter(|(item, _)| viewer.sees_all_of(**item)).map(|(_, label)| label);
    let balance = balance(&store, task, (seen, &viewer))?;
    let newest = rounds.last();
    let mut open_rounds = Vec::new();
    let mut round_cases = None;
    for round in &rounds {
        let needed = if round.closed_ms.is_none() {
            store.annotations_needed(round.id, None)?
        } else {
            AnnotationsNeeded::default()
        };
        let labels = store.active(round.id, None)?.iter().any(|person| viewer.person == Some(*person));
        let yours = viewer.person.and_then(|person| needed.by.get(&person)).copied().unwrap_or(0);
        round_cases = Some(RoundCount {
            cases: round.cases,
            labelled: round.answered,
            skipped: round.skipped,
            complete: needed.complete,
            left: if labels { yours } else { needed.open() },
        });
        if round.closed_ms.is_none() {
            open_rounds.push(Outstanding::of(&store, round.number, &needed)?);
        }
    }
    let items = store.item_count()?;
    let scored = active.as_ref().map_or(Ok(0), |p| store.prediction_count(p.id))?;
    let seen = active
        .as_ref()
        .and_then(|p| p.adapter())
        .and_then(|id| store.adapters().ok()?.into_iter().find(|a| a.id == id))
        .map_or(0, |a| a.training_n);
    let of_label = |l: &Label| balance.get(&l.name).map_or(0, |b| b.training);
    let short = lacking(&task.labels.iter().map(of_label).collect::<Vec<_>>());
    let next_round = match rounds.last() {
        Some(last) => {
            // A round trains with the share of its cases that the rounds so far trained with.
            let cases: usize = rounds.iter().map(|r| r.cases).sum();
            let more = last.cases * training.len() / cases.max(1);
            let drawn: usize = store.audit_draws()?.values().sum();
            // How many texts are in the audit range is known closely enough from its share.
            let open = ((items as f64 * store.project()?.shares.audit) as usize).saturating_sub(drawn);
            let gain = figures.next_gain(active.as_ref(), more)?;
            Some(NextRound { cases: last.cases, gain, audit: Narrower::of(&audit.kappa, open) })
        }
        None => None,
    };
    let no_round = NextRound { cases: 0, gain: Figure::undefined("there was no round yet"), audit: None };
    let standing = Standing {
        items,
        scored,
        round: newest.zip(round_cases).map(|(r, count)| (r.number, count.left)),
        is_part: store.is_part_without_models()?,
        others: open_rounds.last().filter(|owed| owed.open() > 0),
        new_training: training.len().saturating_sub(seen),
        missing: short.and_then(|few| task.labels.get(few.label)).map(|l| l.name.as_str()),
        audit_moves_shares: figures.audit_moves_shares(active.as_ref(), revision.id),
        model_expert: &agreement.model_expert,
        ceiling: Ceiling::of(&agreement.expert_expert, &agreement.own_agreement),
        gain: &gain.difference,
        next: next_round.as_ref().unwrap_or(&no_round),
    };
    let advice = advice(&standing);
    let (mut labels_by_expert, mut seconds_per_case) = (BTreeMap::new(), BTreeMap::new());
    let mut slips_by_expert = BTreeMap::new();
    let persons = store.persons()?;
    for (id, name) in store.experts()?.into_iter().filter(|(id, _)| persons.get(id) == Some(id)) {
        let n = store.label_count_of(id)?;
        if n > 0 {
            let seconds: Vec<f64> =
                store.answer_durations(id, RECENT)?.into_iter().map(|ms| ms as f64 / 1_000.0).collect();
            let label_issues = label_issues(&store, id)?.len();
            // What looks like a slip says what the answer was, to whoever sees the text.
            if label_issues > 0 && (viewer.role == Role::Lead || viewer.person == Some(id)) {
                slips_by_expert.insert(name.clone(), label_issues);
            }
            seconds_per_case.insert(name.clone(), median(&seconds));
            labels_by_expert.insert(name, n);
        }
    }
    let disputed = store.disputed_items()?;
    let decided: BTreeSet<_> =
        store.decisions(None)?.into_iter().filter(|d| !d.overtaken).map(|d| d.item).collect();
    let mut skipped = BTreeMap::new();
    for split in [Split::Train, Split::Eval, Split::Audit] {
        skipped.insert(split.as_str(), store.skip_count(split)?);
    }
    Ok(Status {
        question: task.question.clone(),
        rows: store.row_count()?,
        items,
        scored,
        labels: store.label_count()?,
        round: newest.map_or(0, |r| r.number),
        round_cases,
        open_rounds,
        you: store
            .experts()?
            .into_iter()
            .find(|(id, _)| viewer.person == Some(*id))
            .map_or_else(|| expert.to_owned(), |(_, name)| name),
        role: viewer.role,
        untied_labels: store.untied_label_count()?,
        experts: labels_by_expert.len(),
        labels_by_expert,
        seconds_per_case,
        no_ceiling: Ceiling::missing(&agreement.expert_expert, &agreement.own_agreement),
        unclear: unclear(&agreement.expert_expert, &agreement.own_agreement),
        kappa: agreement,
        experts_agree: in_short(&store.first_blind_answers()?, task, store.project()?.seed),
        disagreements: Disagreements {
            items: disputed.len(),
            undecided: disputed.iter().filter(|item| !decided.contains(*item)).count(),
        },
        shown_again: store.repeat_count(None)?,
        curve: figures.curve(active.as_ref())?,
        prelabels: active.as_ref().map(|p| p.kind().to_string()),
        gain,
        next_round,
        label_names: task.labels.iter().map(|l| l.name.clone()).collect(),
        shares_in_words: task
            .labels
            .iter()
            .zip(&audit.labels)
            .filter_map(|(l, a)| a.share_in_words(&l.name))
            .collect(),
        calibration_error: figures.calibration_error(active.as_ref())?,
        judge: JudgeStatus::read(&store)?,
        audit_in_words: task.labels.iter().zip(&audit.labels).map(|(l, a)| a.in_words(&l.name)).collect(),
        audit,
        balance,
        skipped,
        slips_by_expert,
        last_job: store.runs(1)?.first().map(last_job::in_words),
        advice,
    })
}

fn balance<'l>(
    store: &Store,
    task: &Task,
    (training, viewer): (impl Iterator<Item = &'l String>, &Viewer),
) -> Result<BTreeMap<String, Balance>> {
    let mut given: BTreeMap<String, usize> = BTreeMap::new();
    for (item, person, label) in store.standing_labels()? {
        if viewer.sees(item, person) {
            *given.entry(label).or_default() += 1;
        }
    }
    let mut balance: BTreeMap<String, Balance> = task
        .labels
        .iter()
        .map(|l| (l.name.clone(), Balance { labels: given.get(&l.id).copied().unwrap_or(0), training: 0 }))
        .collect();
    for key in training {
        let name = task.index_of_id(key).map(|i| &task.labels[i].name);
        if let Some(b) = name.and_then(|n| balance.get_mut(n)) {
            b.training += 1;
        }
    }
    Ok(balance)
}

impl Status {
    /// What the model is held against.
    pub fn ceiling(&self) -> Option<Ceiling<'_>> {
        Ceiling::of(&self.kappa.expert_expert, &self.kappa.own_agreement)
    }

    /// Whether an open round waits for more than one expert, or more than one round is open.
    pub fn several_hands(&self) -> bool {
        self.open_rounds.len() > 1 || self.open_rounds.iter().any(|owed| owed.more > 0 || owed.by.len() > 1)
    }

    /// How far each expert's answers agree with the own first ones, and what that costs.
    fn own_agreement(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = match self.kappa.own_agreement {
            Figure::Known { n, .. } => {
                let ceiling = if let Some(Ceiling::Own(_)) = self.ceiling() { " (ceiling)" } else { "" };
                format!("own agreement on {n} cases shown again{ceiling}")
            }
            Figure::Undefined { .. } => "own agreement      ".to_owned(),
        };
        writeln!(f, "  {name} {}", self.kappa.own_agreement)?;
        match self.shown_again {
            0 => Ok(()),
            n => writeln!(
                f,
                "    ({n} of the answers so far {} shown again; one case in {ONE_IN} comes back blind, which trains nothing and tells how steady \
                 answers are)",
                if n == 1 { "is to a case" } else { "are to cases" }
            ),
        }
    }

    /// How many answers look like label_issues, and how to see them.
    fn slips_in_words(&self) -> Option<String> {
        let look = match self.slips_by_expert.values().sum::<usize>() {
            0 => return None,
            1 => "1 answer looks like a slip".to_owned(),
            n => format!("{n} answers look like label_issues"),
        };
        let whose: Vec<String> =
            self.slips_by_expert.iter().map(|(name, n)| format!("{n} of {name}")).collect();
        Some(format!(
            "{look} ({}): in the workstation, a search for `suspect` among the texts finds one's own, to look again",
            whose.join(", ")
        ))
    }
}

impl std::fmt::Display for Status {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{}", self.question)?;
        writeln!(f, "  texts      {} ({} rows imported), {} scouted", self.items, self.rows, self.scored)?;
        let balance: Vec<String> = self
            .balance
            .iter()
            .map(|(name, b)| format!("{} {name} ({} train)", b.labels, b.training))
            .collect();
        writeln!(f, "  labels     {}: {}", self.labels, balance.join(", "))?;
        if let Some(r) = self.round_cases.filter(|_| !self.several_hands()) {
            writeln!(
                f,
                "  round      {}: {} of {} cases labelled, {} skipped",
                self.round, r.labelled, r.cases, r.skipped
            )?;
        }
        for owed in self.open_rounds.iter().filter(|_| self.several_hands()) {
            writeln!(f, "  round      {}: {owed}", owed.round)?;
        }
        if self.untied_labels > 0 {
            writeln!(
                f,
                "             {} of the labels came from a login to which their name is not tied (`hardcase expert FILE list`)",
                self.untied_labels
            )?;
        }
        writeln!(f, "\nHard cases (evaluation), Cohen's kappa with 95 % interval")?;
        writeln!(f, "  model and experts   {}", self.kappa.model_expert)?;
        if let Figure::Known { .. } = self.kappa.ac1 {
            writeln!(f, "  the same as AC1     {}", self.kappa.ac1)?;
        }
        let known = self.kappa.expert_expert.value().is_some();
        let only = known && !matches!(self.ceiling(), Some(Ceiling::Experts(_)));
        let experts = if only { "experts          " } else { "experts (ceiling)" };
        writeln!(f, "  {experts}   {}", self.kappa.expert_expert)?;
        if let Figure::Known { .. } = self.kappa.expert_expert {
            writeln!(f, "  model, same cases   {}", self.kappa.model_on_shared)?;
        }
        if let Figure::Known { .. } = self.experts_agree.alpha {
            writeln!(f, "  experts, alpha      {}", self.experts_agree.alpha)?;
            writeln!(f, "  experts, AC1        {}", self.experts_agree.ac1)?;
        }
        match self.disagreements.undecided {
            0 => {}
            1 => writeln!(
                f,
                "  experts differ on 1 case that nobody has decided: `hardcase adjudicate FILE --list`"
            )?,
            n => writeln!(
                f,
                "  experts differ on {n} cases that nobody has decided: `hardcase adjudicate FILE --list`"
            )?,
        }
        self.own_agreement(f)?;
        for says in [&self.no_ceiling, &self.unclear].into_iter().flatten() {
            writeln!(f, "  {says}")?;
        }
        for point in &self.curve {
            let after = match (point.after_round, point.audit) {
                (Some(round), _) => format!("after round {round}"),
                (None, 0) => "before labelling".to_owned(),
                (None, n) => format!("{n} audit answers"),
            };
            writeln!(f, "    {after:<17} {:<9} {:>4} labels   {}", point.kind, point.training, point.kappa)?;
        }
        writeln!(f, "  {}", self.gain.says)?;
        if let Some(outlook) = self.next_round.as_ref().and_then(NextRound::by_curve) {
            writeln!(f, "  {outlook}")?;
        }
        writeln!(f, "\nWhole pool (audit), {} cases", self.audit.n)?;
        writeln!(f, "  kappa      {}", self.audit.kappa)?;
        if let Figure::Known { .. } = self.audit.ac1 {
            writeln!(f, "  AC1        {}", self.audit.ac1)?;
        }
        if let Figure::Known { .. } = self.calibration_error {
            writeln!(f, "  its probabilities are off by {} on average", self.calibration_error)?;
        }
        for line in self.shares_in_words.iter().chain(&self.audit_in_words) {
            writeln!(f, "  {line}")?;
        }
        let skipped: usize = self.skipped.values().sum();
        if skipped > 0 {
            writeln!(f, "\n{skipped} cases were skipped, of all rounds and uses; they count in no figure")?;
        }
        if let Some(judge) = &self.judge {
            writeln!(f, "\n{judge}")?;
        }
        if let Some(says) = self.slips_in_words() {
            writeln!(f, "\n{says}")?;
        }
        if let Some(job) = &self.last_job {
            writeln!(f, "\nLast job: {job}")?;
        }
        write!(f, "Next: {}", self.advice)
    }
}
