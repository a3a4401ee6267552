//! `mine`: closes the old round and opens the next with its cases.

use ndarray::Array2;
use serde::Serialize;

use crate::domain::expert::Role;
use crate::domain::fault::{Fault, Result};
use crate::domain::outstanding::Outstanding;
use crate::domain::overlap::Overlap;
use crate::domain::predictor::{Predictor, PredictorKind};
use crate::domain::repeat::{places_of, with_places};
use crate::domain::task_kind::TaskKind;
use crate::learn::curve::rescore_cases;
use crate::learn::kind::load;
use crate::learn::prelabels::{active, complete};
use crate::learn::vectors::dimensions_of;
use crate::mining::round::{Order, Stage, propose};
use crate::mining::strategies::{DEFAULT, listed, strategy_by_name};
use crate::mining::{Pool, PoolParts, centre};
use crate::stats::conditions::Conditions;
use crate::stats::slices::{TextFacts, columns_of};
use crate::store::Store;
use crate::store::rounds::round::{Incomplete, NewRound};
use crate::work::runner::{Ended, JobContext, Work, run};

/// What every refusal begins with.
const CHOOSE: &str = "choose the next cases";
/// The audit cases of a small round.
const LEAST_AUDIT: usize = 6;
/// Cases of a round where none are asked for.
pub const DEFAULT_BUDGET: usize = 60;

/// The names of all strategies, the default one first.
pub fn strategies() -> String {
    listed()
}

/// What to mine.
#[derive(Clone, Debug)]
pub struct MineOptions {
    /// The strategy's name; the default one where none is named.
    pub strategy: Option<String>,
    /// Cases of all three splits together.
    pub budget: usize,
    /// How many experts are to see each kind of case, where that is to differ from the round before: `eval=2,share=0.1`.
    pub overlap: Option<String>,
    /// What to do with a round that still needs answers from others.
    pub incomplete: Old,
    /// Conditions that each case but those of the audit must meet: `lang=de and length>200`.
    pub conditions: Option<String>,
}

/// What to do with a round that still needs answers from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// A lead closes it; nobody else may.
    IsClosed,
    /// The same, but not a round to which nobody has answered anything yet.
    IsClosedIfBegun,
    /// It stays open next to the next one.
    StaysOpen,
}

impl MineOptions {
    /// So many cases by the default strategy.
    pub fn of(budget: usize) -> Self {
        Self { strategy: None, budget, overlap: None, incomplete: Old::IsClosed, conditions: None }
    }
}

/// What a mining did.
#[derive(Clone, Debug, Serialize)]
pub struct MineReport {
    /// The round's number; none where another process did the work.
    pub round: Option<i64>,
    pub strategy: String,
    /// Cases for tuning.
    pub train: usize,
    /// Cases for kappa.
    pub eval: usize,
    /// Cases for figures of the whole pool.
    pub audit: usize,
    /// Places at which an expert's own evaluation case comes back.
    pub again: usize,
    /// Cases that two experts or more are to see, once there are so many.
    pub shared: usize,
    /// How many experts are to see each kind of case.
    pub overlap: Overlap,
    /// What happened to earlier rounds that still need answers from others, a sentence for each.
    pub before: Vec<String>,
    /// Items it chose from.
    pub universe: usize,
    /// What a person should know of how they were chosen.
    pub note: Option<String>,
}

impl std::fmt::Display for MineReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Some(round) = self.round else {
            return write!(f, "another process chose the cases");
        };
        write!(
            f,
            "round {round}: {} cases by {} from {} texts: {} to train on, {} for evaluation, {} for the audit",
            self.train + self.eval + self.audit + self.again,
            self.strategy,
            self.universe,
            self.train,
            self.eval,
            self.audit
        )?;
        if self.again > 0 {
            write!(f, ", {} to be shown again", self.again)?;
        }
        if self.shared > 0 {
            write!(f, "; {} of them go to more than one expert, if there are several", self.shared)?;
        }
        if let Some(note) = &self.note {
            write!(f, " ({note})")?;
        }
        self.before.iter().try_for_each(|says| write!(f, "; {says}"))
    }
}

/// Mines a round.
///
/// # Errors
/// Nothing scouted, nothing left to label, or no such strategy.
pub fn mine(context: &JobContext<'_>, options: &MineOptions) -> Result<MineReport> {
    let name = options.strategy.as_deref().unwrap_or(DEFAULT);
    let strategy = strategy_by_name(name).ok_or_else(|| {
        Fault::usage(format!("mine by '{name}'"), "there is no such strategy")
            .hint(format!("The strategies are {}", listed()))
    })?;
    if options.budget == 0 {
        return Err(
            Fault::usage("choose the next cases", "a round needs a case").hint("Give --budget 1 or more")
        );
    }
    if let Some(line) = &options.overlap {
        Overlap::default().with(line).map_err(|why| {
            Fault::usage("choose cases by that overlap", why)
                .hint("For example --overlap eval=2,audit=2,train=1,share=0.1")
        })?;
    }
    let conditions = options.conditions.as_deref().map(Conditions::parse).transpose().map_err(|why| {
        Fault::usage(CHOOSE, why).hint("For example --where 'lang=de and length>200 and re:refund'")
    })?;
    let ended = run(context, "mine", name, |work| {
        let predictor = active(work.store, "choose the next cases")?;
        let (incomplete, before) = rounds_before(work.store, context.expert, options.incomplete)?;
        let mut overlap = work.store.last_overlap()?.unwrap_or_default();
        if let Some(line) = &options.overlap {
            overlap = overlap.with(line).map_err(|why| Fault::usage("choose cases by that overlap", why))?;
        }
        complete_prelabels(work, &predictor)?;
        if work.stopped() {
            return Err(Fault::new("choose the next cases", "it was stopped")
                .hint("What was prelabelled is kept; run it again"));
        }
        work.report("choosing cases", 0, Some(options.budget as u64), "cases")?;
        let universe = Universe::read(work, &predictor, incomplete)?;
        let task = work.store.task()?.task;
        let mut pool = universe.pool(task.kind)?;
        let mut most = usize::MAX;
        if let Some(conditions) = &conditions {
            pool = pool.only(universe.eligible(work.store, conditions)?);
            most = pool.candidates().len();
            if most == 0 {
                let why = format!("no open text meets '{}'", conditions.as_str());
                return Err(Fault::usage(CHOOSE, why).hint("Ask for less, or leave --where out"));
            }
            // Where there are few, the rest of the budget does not become a larger audit.
            most += LEAST_AUDIT.max(most.div_ceil(9));
        }
        let shares = task.shares();
        let stage = match predictor.kind() {
            PredictorKind::ZeroShot if predictor.guesses_nothing() => Stage::NoGuess,
            PredictorKind::ZeroShot => Stage::Opening { shares: &shares },
            _ => Stage::Later,
        };
        let rounds_before = work.store.rounds()?.len() as u64;
        let seed = context.seed.unwrap_or(work.store.project()?.seed.wrapping_add(rounds_before));
        let answered = work.store.most_labels_of_one()?;
        // They are answers, too: the budget counts them.
        let kept = places_of(options.budget, answered, seed);
        let mut plan =
            propose(&pool, &Order { strategy, budget: (options.budget - kept).min(most), stage, seed });
        if let Some(conditions) = &conditions {
            let only = format!("only texts with {}, but for the audit", conditions.as_str());
            plan.note = Some(plan.note.into_iter().chain([only]).collect::<Vec<_>>().join("; "));
        }
        if plan.proposals.is_empty() {
            return Err(nothing_to_mine(work, &predictor)?);
        }
        let proposed = plan.proposals.len();
        let cases = with_places(plan.proposals, options.budget, answered, seed);
        let again = cases.len() - proposed;
        if proposed + kept < options.budget {
            let short = format!(
                "only {} of {} cases: there are no more texts to choose from",
                cases.len(),
                options.budget
            );
            plan.note = Some(plan.note.into_iter().chain([short]).collect::<Vec<_>>().join("; "));
        }
        let round = work.store.open_round(&NewRound {
            strategy: name,
            budget: options.budget,
            seed,
            predictor: predictor.id,
            note: plan.note.as_deref(),
            cases: &cases,
            overlap,
            incomplete,
        })?;
        rescore_cases(work)?;
        Ok(MineReport {
            round: Some(round.number),
            shared: round.shared,
            overlap,
            before,
            strategy: name.to_owned(),
            train: plan.counts.train,
            eval: plan.counts.eval,
            audit: plan.counts.audit,
            again,
            universe: pool.len(),
            note: plan.note,
        })
    })?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => MineReport {
            round: None,
            strategy: name.to_owned(),
            train: 0,
            eval: 0,
            audit: 0,
            again: 0,
            shared: 0,
            overlap: Overlap::default(),
            before: Vec::new(),
            universe: 0,
            note: None,
        },
    })
}

/// What happens to the open rounds, with a sentence about each that still needs answers from somebody other than the speaker.
///
/// # Errors
/// A round that should close still needs answers from others, and the speaker is not a lead.
fn rounds_before(store: &Store, speaker: &str, old: Old) -> Result<(Incomplete, Vec<String>)> {
    let speaker = store.find_expert(speaker)?;
    let person = speaker.map(|expert| store.person_of(expert)).transpose()?;
    let mut outstanding = Vec::new();
    for round in store.rounds()?.into_iter().filter(|round| round.closed_ms.is_none() && round.number > 0) {
        if old == Old::IsClosedIfBegun && !store.is_begun(round.id)? {
            let why = format!("nobody has answered a case of round {} yet", round.number);
            return Err(Fault::new("close the round and open the next", why).hint(
                "Answer its cases, or add --force to close it as it is; `--keep-open` leaves it open",
            ));
        }
        let needed = store.annotations_needed(round.id, None)?;
        if needed.waits_for_others(person) {
            outstanding.push(store.outstanding(round.number, &needed)?);
        }
    }
    let leads = match speaker {
        Some(expert) => store.role(expert)? == Role::Lead,
        None => false,
    };
    match old {
        Old::StaysOpen => {
            let says = |one: &Outstanding| format!("round {} stays open: {one}", one.round);
            Ok((Incomplete::StaysOpenForOthersThan(speaker), outstanding.iter().map(says).collect()))
        }
        Old::IsClosed | Old::IsClosedIfBegun if leads || outstanding.is_empty() => {
            let says = |one: &Outstanding| format!("round {} is closed as it is: {one}", one.round);
            Ok((Incomplete::Closes, outstanding.iter().map(says).collect()))
        }
        Old::IsClosed | Old::IsClosedIfBegun => {
            let each = |one: &Outstanding| format!("round {} is not complete: {one}", one.round);
            let why = outstanding.iter().map(each).collect::<Vec<_>>().join("; ");
            Err(Fault::new("close the round and open the next", why).hint(format!(
                "`hardcase mine FILE --keep-open` opens the next one and keeps this open; only a lead ({}) closes it",
                store.leads()?.join(", ")
            )))
        }
    }
}

fn nothing_to_mine(work: &Work<'_>, predictor: &Predictor) -> Result<Fault> {
    let attempted = "choose the next cases";
    let unread = work.store.item_count()?.saturating_sub(work.store.vector_count(predictor.space())?);
    if predictor.lora().is_some() && unread > 0 {
        let fault = Fault::new(attempted, format!("the active model has not read {unread} of the texts"));
        return Ok(fault.hint(if cfg!(feature = "engine") {
            "`hardcase scout FILE` reads them"
        } else {
            "This build has no models: scout with a full build of hardcase, or go back to an earlier model (`hardcase adapter FILE list`)"
        }));
    }
    let elsewhere = work.store.model(predictor.model)?.is_some_and(|model| model.is_vectors_alone());
    if unread > 0 && elsewhere {
        let why = format!("{unread} of the texts have no vector, and all others were asked about");
        return Ok(Fault::new(attempted, why).hint(
            "Give their vectors: `hardcase scout FILE --from DATA --model-name NAME`, with the name that the others have",
        ));
    }
    if unread > 0 {
        let fault = Fault::new(
            attempted,
            format!("the model has not read {unread} of the texts, and all others were asked about"),
        );
        return Ok(fault.hint("Have it read them: scout on the screen Jobs, or `hardcase scout FILE`"));
    }
    Ok(Fault::new(attempted, "every text is labelled, was skipped, or is in a case that still needs an answer").hint(
        "If no case is left, you are done: write the results on the screen Progress, or with `hardcase export FILE`. To go on, import more texts",
    ))
}

/// Items that were scouted after the last tuning, or whose scoring was cut short, get their prelabel first.
fn complete_prelabels(work: &mut Work<'_>, predictor: &Predictor) -> Result<()> {
    // What an adapter has not read is not mined: its vectors are compared with each other only. While one is being trained or reads the
    // pool, a round does not wait for it; otherwise the command line has had the rest read first.
    let is_lora = predictor.kind() == PredictorKind::Lora;
    if is_lora || (predictor.lora().is_some() && !cfg!(feature = "engine")) {
        return Ok(());
    }
    let scorer = load(work.store, predictor)?;
    complete(work, predictor, &*scorer).map(drop)
}

/// Everything mining sees: the items that have a vector and a prelabel.
struct Universe {
    items: Vec<crate::domain::ids::ItemId>,
    /// Of each item's vector, seen from the pool's mean.
    directions: Array2<f32>,
    probabilities: Array2<f32>,
    splits: Vec<crate::domain::split::Split>,
    open: Vec<bool>,
}

impl Universe {
    fn read(work: &Work<'_>, predictor: &Predictor, incomplete: Incomplete) -> Result<Self> {
        let dimensions = dimensions_of(work.store, predictor)?;
        let labels = predictor.labels.len();
        let vectors = work.store.vectors(predictor.space(), dimensions)?;
        let (scored, probabilities) = match predictor.guesses_nothing() {
            true => (vectors.items.clone(), vec![1.0 / labels as f32; labels * vectors.items.len()]),
            false => work.store.predictions(predictor.id)?,
        };
        let splits = work.store.splits()?;
        let taken = work.store.taken_items(incomplete)?;
        let mut universe = Self {
            items: Vec::with_capacity(splits.len()),
            directions: Array2::zeros((0, dimensions)),
            probabilities: Array2::zeros((0, labels)),
            splits: Vec::with_capacity(splits.len()),
            open: Vec::with_capacity(splits.len()),
        };
        // All three lists ascend by item: one pass joins them, in place where nothing is missing.
        let (mut rows, mut scores) = (vectors.values, probabilities);
        let (mut v, mut p, mut kept) = (0, 0, 0);
        for (item, split) in splits {
            while vectors.items.get(v).is_some_and(|i| *i < item) {
                v += 1;
            }
            while scored.get(p).is_some_and(|i| *i < item) {
                p += 1;
            }
            if vectors.items.get(v) == Some(&item) && scored.get(p) == Some(&item) {
                rows.copy_within(v * dimensions..(v + 1) * dimensions, kept * dimensions);
                scores.copy_within(p * labels..(p + 1) * labels, kept * labels);
                universe.items.push(item);
                universe.splits.push(split);
                universe.open.push(!taken.contains(&item));
                kept += 1;
            }
        }
        rows.truncate(kept * dimensions);
        scores.truncate(kept * labels);
        let shape = |e: ndarray::ShapeError| Fault::new("read the pool for mining", e.to_string());
        universe.directions = Array2::from_shape_vec((kept, dimensions), rows).map_err(shape)?;
        centre(&mut universe.directions);
        universe.probabilities = Array2::from_shape_vec((kept, labels), scores).map_err(shape)?;
        Ok(universe)
    }

    /// Which of the items meet the conditions.
    ///
    /// # Errors
    /// A usage fault where a condition asks about a column that no text has.
    fn eligible(&self, store: &Store, conditions: &Conditions) -> Result<Vec<bool>> {
        let mut missing: Vec<&str> = conditions.columns().collect();
        let mut eligible = vec![false; self.items.len()];
        store.for_each_origin(|item, text, meta, source| {
            let facts = TextFacts { text, meta, source };
            if !missing.is_empty() {
                let of_text = columns_of(&facts);
                missing.retain(|column| of_text.iter().all(|name| name != column));
            }
            if let Ok(at) = self.items.binary_search(&item) {
                eligible[at] = conditions.hold(&facts);
            }
            Ok(())
        })?;
        match missing.first() {
            Some(column) => Err(Fault::usage(CHOOSE, format!("no text has the column '{column}'")).hint(
                "Columns are those that `hardcase import --meta COL` keeps with the texts; there are source, language and length, too",
            )),
            None => Ok(eligible),
        }
    }

    fn pool(&self, kind: TaskKind) -> Result<Pool<'_>> {
        Pool::new(PoolParts {
            kind,
            items: &self.items,
            vectors: self.directions.view(),
            probabilities: self.probabilities.view(),
            splits: &self.splits,
            open: &self.open,
        })
    }
}
