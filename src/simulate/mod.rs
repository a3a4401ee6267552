//! `simulate`: runs the active learning loop on labelled data, with several strategies on the same seeds and test sets.
//!
//! Has no project file and no store. Writes only vectors and finished runs to a cache directory, so a stopped simulation continues with the same
//! command.
//!
//! `dataset` reads the data, `division` draws pool and test set, `expert` answers, `play` is one run, `reference` is what strategies are compared
//! with, `report` aggregates over seeds, and `table`, `chart` and `curves` print it. `ledger` and `vectors` are the cache.

mod adapter;
mod chart;
mod curves;
mod dataset;
mod division;
mod expert;
mod ledger;
mod play;
mod random_needs;
mod reference;
mod report;
mod scores;
mod table;
mod vectors;
mod with_judge;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;

use rayon::prelude::*;
use serde::{Deserialize, Serialize};

pub use curves::curves_csv;
pub use dataset::{NearCopies, Source};
pub use division::Sizes;
pub use play::{Course, Existing};
pub use report::SimulateReport;
pub use with_judge::WithJudge;

use crate::domain::adapter::AdapterKind;
use crate::domain::fault::{Fault, Result};
use crate::domain::label_set::LabelSet;
use crate::domain::progress::{Progress, Watcher};
use crate::domain::task_kind::TaskKind;
use crate::learn::model::ScoutModel;
use crate::mining::strategies::{DEFAULT, listed, names, strategy_by_name};
use adapter::Trainer;
use dataset::{Crowd, Dataset};
use division::{Division, Stream};
use expert::Answers;
use ledger::{Ledger, stopped};
use play::{Played, Setup, World};
use random_needs::random_samples;
use reference::{Reference, reference};
use report::{Against, Curves, DatasetFacts, Finished, Run, Terms, WholePool, kappas};
use scores::Scores;

/// Version of the results: increase it when they change, so that cached runs of an earlier program are not used.
const REVISION: u32 = 3;

/// What is trained on a run's labels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trained {
    /// The head after every round.
    Head,
    /// The head after every round, because mining needs it, and a LoRA after the last.
    Lora,
}

/// Who answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expert {
    /// An expert who errs by the noise or the votes, if there are any.
    AsGiven,
    /// The gold labels, even if there is a crowd.
    Gold,
}

#[derive(Clone, Debug)]
pub struct SimulateOptions {
    pub source: Source,
    /// By name; if empty, the default one and `random`.
    pub strategies: Vec<String>,
    pub trained: Trained,
    pub course: Course,
    pub sizes: Sizes,
    /// Number of seeds.
    pub seeds: usize,
    /// The other seeds follow it.
    pub first_seed: u64,
    /// The probability that an answer is not the gold label.
    pub noise: f64,
    pub expert: Expert,
    /// The directory for vectors and finished runs.
    pub cache: PathBuf,
    /// Whether finished runs of an earlier simulation are used.
    pub resume: bool,
}

/// Something that is computed for one seed.
#[derive(Clone, Copy)]
enum Task<'a> {
    Reference,
    Play(&'a str),
    /// Trains an adapter on the labels of a finished run.
    Adapter(&'a str),
}

/// The result of a task, as the ledger keeps it.
#[derive(Clone, Debug, Serialize, Deserialize)]
enum Outcome {
    Reference(Reference),
    Played(Played),
    Adapter(Option<Scores>),
}

/// # Errors
/// Invalid data or options, a model that fails, or a request to stop.
pub fn simulate(
    options: &SimulateOptions,
    model: &ScoutModel,
    watcher: &dyn Watcher,
) -> Result<SimulateReport> {
    let strategies = options.checked()?;
    let data = Dataset::read(&options.source)?;
    options.check_prevalence(&data)?;
    let chosen = model.apart()?;
    let fingerprint = fingerprint(&data, &chosen.model.sha256);
    let dir = options.cache.join("simulate").join(&fingerprint[..16]);
    let mut ledger = Ledger::open(&dir)?;
    let encoder = chosen.load()?;
    let world = vectors::world(data, &encoder, &dir.join("vectors.f16"), watcher)?;
    let trainer = match options.trained {
        Trained::Head => None,
        Trained::Lora => Some(Trainer::new(&encoder, &world.data.texts)?),
    };
    drop(encoder);
    let simulation = Simulation { options, world: &world, trainer: trainer.as_ref() };
    let plays = strategies.iter().map(|name| Task::Play(name));
    let first: Vec<Task<'_>> = std::iter::once(Task::Reference).chain(plays).collect();
    simulation.run(&first, &mut ledger, watcher)?;
    if options.trained == Trained::Lora {
        let adapters: Vec<Task<'_>> = strategies.iter().map(|name| Task::Adapter(name)).collect();
        simulation.run(&adapters, &mut ledger, watcher)?;
    }
    simulation.report(&strategies, &ledger)
}

/// A hash of texts, labels and model.
fn fingerprint(data: &Dataset, model: &[u8]) -> String {
    let mut hash = blake3::Hasher::new();
    hash.update(model);
    for text in data.texts.iter().chain(data.labels.anchors.iter().flatten()) {
        hash.update(&(text.len() as u64).to_le_bytes());
        hash.update(text.as_bytes());
    }
    hash.finalize().to_hex().to_string()
}

impl SimulateOptions {
    /// Checks the options. Returns the names of the strategies.
    fn checked(&self) -> Result<Vec<String>> {
        let attempted = "simulate";
        for (wrong, why) in [
            (self.seeds == 0, "--seeds must be at least 1"),
            (self.course.rounds == 0 || self.course.budget == 0, "--rounds and --budget must be at least 1"),
            (self.sizes.pool == Some(0) || self.sizes.test == 0, "--pool and --test must be at least 1"),
            (!(0.0..1.0).contains(&self.noise), "--noise must be at least 0 and below 1"),
            (
                !(0.0..1.0).contains(&self.course.existing.errors),
                "--existing-errors must be at least 0 and below 1",
            ),
            (
                !(0.0..=1.0).contains(&self.course.existing.weight),
                "--existing-weight must be at least 0 and at most 1",
            ),
            (
                self.source.kind().is_several() && self.trained == Trained::Lora,
                "a LoRA learns one label for each text, and a text may have several",
            ),
            (
                self.course.existing.labels > 0 && self.trained == Trained::Lora,
                "--existing teaches a head alone, and --adapter asks for more",
            ),
            (
                self.sizes.prevalence.is_some_and(|p| !(p > 0.0 && p < 1.0)),
                "--prevalence must be above 0 and below 1",
            ),
        ] {
            if wrong {
                return Err(Fault::usage(attempted, why).hint("`hardcase simulate --help` lists the options"));
            }
        }
        let mut chosen: Vec<String> = match &self.strategies[..] {
            [] => vec![DEFAULT.to_owned(), "random".to_owned()],
            [all] if all == "all" => names().map(str::to_owned).collect(),
            named => named.to_vec(),
        };
        let mut seen = std::collections::HashSet::new();
        chosen.retain(|name| seen.insert(name.clone()));
        if let Some(name) = chosen.iter().find(|name| strategy_by_name(name).is_none()) {
            return Err(Fault::usage(format!("simulate '{name}'"), "there is no such strategy")
                .hint(format!("The strategies are {}, or `all`", listed())));
        }
        Ok(chosen)
    }

    /// Removing texts may leave none with the rarest label.
    fn check_prevalence(&self, data: &Dataset) -> Result<()> {
        let Some(share) = self.sizes.prevalence else { return Ok(()) };
        // The counts are the same for every seed.
        let Division { pool, test } = Division::draw(data, self.sizes, self.first_seed);
        let positive = data.positive();
        for (rows, called) in [(pool, "a pool"), (test, "a test set")] {
            if !rows.iter().any(|&row| data.gold[row].has(positive)) {
                let (n, name) = (rows.len(), &data.labels.names[positive]);
                let why = format!(
                    "with --prevalence {share}, {called} of {n} texts has none with the label '{name}'"
                );
                return Err(Fault::usage("simulate", why).hint("Give a larger share"));
            }
        }
        Ok(())
    }

    /// How the expert and the crowd answer.
    fn answers(&self, data: &Dataset) -> (Answers, Option<Answers>) {
        let noisy = match (&data.crowd, self.noise > 0.0) {
            (_, true) => Some(Answers::Flipped(self.noise)),
            (Crowd::Votes(_), false) => Some(Answers::Annotator),
            (Crowd::None | Crowd::Column(_), false) => None,
        };
        let expert = if self.expert == Expert::Gold { None } else { noisy };
        let crowd = if matches!(data.crowd, Crowd::Column(_)) { Some(Answers::Column) } else { noisy };
        (expert.unwrap_or(Answers::Gold), crowd)
    }
}

struct Simulation<'a> {
    options: &'a SimulateOptions,
    world: &'a World,
    trainer: Option<&'a Trainer>,
}

impl Simulation<'_> {
    fn seeds(&self) -> impl Iterator<Item = u64> + '_ {
        (0..self.options.seeds as u64).map(|i| self.options.first_seed.wrapping_add(i))
    }

    /// Computes what the ledger does not have yet, on all cores, and adds each result when it is ready.
    fn run(&self, tasks: &[Task<'_>], ledger: &mut Ledger<Outcome>, watcher: &dyn Watcher) -> Result<()> {
        let mut missing = Vec::new();
        let mut done = 0;
        for seed in self.seeds() {
            for &task in tasks {
                let key = self.key(task, seed);
                let chosen = match task {
                    Task::Adapter(name) => match ledger.get(&self.key(Task::Play(name), seed)) {
                        Some(Outcome::Played(played)) => played.chosen.clone(),
                        _ => Vec::new(),
                    },
                    Task::Reference | Task::Play(_) => Vec::new(),
                };
                if self.options.resume && ledger.get(&key).is_some() {
                    done += 1;
                } else {
                    missing.push((key, task, seed, chosen));
                }
            }
        }
        let total = missing.len() as u64 + done;
        let begun = std::time::Instant::now();
        let earlier = done;
        let stop = AtomicBool::new(false);
        let (sender, results) = mpsc::channel();
        std::thread::scope(|scope| {
            let stop = &stop;
            scope.spawn(move || {
                missing.into_par_iter().for_each_with(sender, |sender, (key, task, seed, chosen)| {
                    if !stop.load(Ordering::Relaxed) {
                        let _ = sender.send(
                            self.compute(task, seed, &chosen, stop).map(|run| run.map(|run| (key, run))),
                        );
                    }
                });
            });
            let mut failed = None;
            loop {
                match results.recv_timeout(std::time::Duration::from_millis(200)) {
                    Ok(Ok(Some((key, run)))) => {
                        done += 1;
                        if let Err(fault) = ledger.put(key, run) {
                            failed.get_or_insert(fault);
                        }
                    }
                    Ok(Ok(None)) => {}
                    Ok(Err(fault)) => {
                        failed.get_or_insert(fault);
                    }
                    Err(mpsc::RecvTimeoutError::Timeout) => {}
                    Err(mpsc::RecvTimeoutError::Disconnected) => break,
                }
                if failed.is_some() || watcher.stopped() {
                    stop.store(true, Ordering::Relaxed);
                }
                let rate = (done - earlier) as f64 / begun.elapsed().as_secs_f64().max(1e-3);
                watcher.report(&Progress {
                    job: "simulate".into(),
                    stage: "simulating".into(),
                    done,
                    total: Some(total),
                    unit: "runs".into(),
                    rate: (rate > 0.0).then_some(rate),
                    eta_s: (rate > 0.0).then(|| (total - done) as f64 / rate),
                    tokens_per_second: None,
                    epochs: Vec::new(),
                });
            }
            failed.map_or(Ok(()), Err)
        })?;
        if done < total { Err(stopped()) } else { Ok(()) }
    }

    /// Everything that a result depends on, except the texts and the model.
    fn key(&self, task: Task<'_>, seed: u64) -> String {
        let (expert, crowd) = self.options.answers(&self.world.data);
        let Course { rounds, budget, seed_labels, existing, with_splits } = self.options.course;
        // Runs without them keep the keys that they had before there were any; `weighed`: the answers say what they are worth.
        let existing = if existing.labels > 0 { format!("{existing:?} weighed ") } else { String::new() };
        let Sizes { pool, test, prevalence } = self.options.sizes;
        let is_several = self.world.data.labels.kind.is_several();
        let bytes = |answer: &LabelSet| {
            let end = is_several.then_some(u32::MAX);
            answer.places().map(|l| l as u32).chain(end).flat_map(u32::to_le_bytes).collect::<Vec<u8>>()
        };
        let labels: Vec<u8> = self.world.data.gold.iter().flat_map(bytes).collect();
        let about = format!(
            "{} {expert:?} {crowd:?} {rounds} {budget} {seed_labels} {existing}{with_splits} {pool:?} {test} {prevalence:?} {seed} {:?} {:?} {:?} revision {REVISION}",
            env!("CARGO_PKG_VERSION"),
            self.world.data.crowd,
            self.world.data.labels.shares,
            blake3::hash(&labels),
        );
        let about = match self.world.data.labels.kind {
            TaskKind::One => about,
            kind => format!("{about} {kind} {:?}", self.world.data.labels.names),
        };
        let hash = blake3::hash(about.as_bytes()).to_hex();
        match task {
            Task::Reference => format!("reference {hash}"),
            Task::Play(name) => format!("play {name} {hash}"),
            Task::Adapter(name) => format!("adapter {name} {hash}"),
        }
    }

    /// `None` after a request to stop.
    fn compute(
        &self,
        task: Task<'_>,
        seed: u64,
        chosen: &[usize],
        stop: &AtomicBool,
    ) -> Result<Option<Outcome>> {
        let data = &self.world.data;
        let (expert, crowd) = self.options.answers(data);
        let division = Division::draw(data, self.options.sizes, seed);
        let answers = expert.of_all(data, Stream::Expert.of(seed));
        let setup = Setup::new(self.world, &division, &answers, seed);
        let course = &self.options.course;
        Ok(match (task, self.trainer) {
            (Task::Reference, _) => {
                Some(Outcome::Reference(reference(&setup, expert, crowd, course.labels())))
            }
            (Task::Play(name), _) => {
                let strategy = strategy_by_name(name)
                    .ok_or_else(|| Fault::usage(format!("simulate '{name}'"), "there is no such strategy"))?;
                Some(Outcome::Played(setup.play(strategy, course)?))
            }
            (Task::Adapter(_), Some(trainer)) => {
                let scores = trainer.scores(&setup, chosen, &|| stop.load(Ordering::Relaxed))?;
                (!stop.load(Ordering::Relaxed)).then_some(Outcome::Adapter(scores))
            }
            (Task::Adapter(_), None) => None,
        })
    }

    fn report(&self, strategies: &[String], ledger: &Ledger<Outcome>) -> Result<SimulateReport> {
        let lost = || Fault::new("summarize the runs", "one is missing").hint("Run the same command again");
        let data = &self.world.data;
        let mut references = Vec::new();
        for seed in self.seeds() {
            match ledger.get(&self.key(Task::Reference, seed)) {
                Some(Outcome::Reference(reference)) => references.push(reference),
                _ => return Err(lost()),
            }
        }
        let divisions: Vec<Division> =
            self.seeds().map(|seed| Division::draw(data, self.options.sizes, seed)).collect();
        let positive = data.positive();
        let positives: Vec<usize> = divisions
            .iter()
            .map(|d| d.pool.iter().filter(|&&row| data.gold[row].has(positive)).count())
            .collect();
        let finished = |name: &str| -> Result<Vec<Finished>> {
            self.seeds()
                .map(|seed| {
                    let Some(Outcome::Played(played)) = ledger.get(&self.key(Task::Play(name), seed)) else {
                        return Err(lost());
                    };
                    let lora = match ledger.get(&self.key(Task::Adapter(name), seed)) {
                        Some(Outcome::Adapter(scores)) if self.trainer.is_some() => *scores,
                        _ => None,
                    };
                    Ok(Finished { played: played.clone(), lora })
                })
                .collect()
        };
        let all: Vec<(&String, Vec<Finished>)> =
            strategies.iter().map(|name| Ok((name, finished(name)?))).collect::<Result<_>>()?;
        let pool = divisions.first().map_or(0, |d| d.pool.len());
        let (expert, crowd) = self.options.answers(data);
        let full_pool = WholePool::of(pool, references.iter().map(|r| r.full_pool));
        let samples = random_samples(&references);
        let against = Against {
            full_pool: full_pool.kappa,
            random_samples: &samples,
            mixed_labels: self.options.course.with_splits,
            random: all.iter().find(|(name, _)| *name == "random").map(|(_, runs)| runs.as_slice()),
        };
        let of_experts: Option<Vec<f64>> = references.iter().map(|r| r.expert_expert).collect();
        Ok(SimulateReport {
            dataset: DatasetFacts::of(data, &divisions),
            terms: Terms {
                kind: data.labels.kind,
                seed_labels: self.options.course.seed_labels,
                existing: self.options.course.existing.labels,
                existing_errors: self.options.course.existing.errors,
                existing_weight: self.options.course.existing.weight,
                labels: self.options.course.labels(),
                noise: self.options.noise,
                votes: matches!(data.crowd, Crowd::Votes(_)),
                with_splits: self.options.course.with_splits,
                prevalence: self.options.sizes.prevalence,
            },
            adapter: match self.options.trained {
                Trained::Head => AdapterKind::Head.as_str(),
                Trained::Lora => AdapterKind::Lora.as_str(),
            },
            expert: match expert {
                Answers::Gold | Answers::Column => "gold",
                Answers::Flipped(_) => "noise",
                Answers::Annotator => "votes",
            },
            full_pool,
            crowd: crowd.map(|_| WholePool::of(pool, references.iter().map(|r| r.crowd))),
            expert_expert: of_experts.and_then(|of_experts| kappas(&of_experts)),
            seeded_by_gold: self.options.course.seed_labels > 0,
            runs: all.iter().map(|(name, runs)| Run::of(name, runs, &positives, &against)).collect(),
            random_samples: Curves::of(&samples.iter().map(Vec::as_slice).collect::<Vec<_>>()),
        })
    }
}
