//! `simulate --judge`: the loop as people go through it, with a language model, on texts with known labels. A project in a temporary folder, the gold
//! labels as the expert's answers, and after each step what every model agrees with them on the texts that nobody has labelled.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Instant;

use super::setting::Setting;
use crate::desk::session::{Next, OnClose, Remarks, Session};
use crate::domain::fault::{Fault, Result};
use crate::domain::progress::Watcher;
use crate::domain::read_options::ReadOptions;
use crate::domain::task::Task;
use crate::exchange::export::{By, gold_labels, predicted_with_gold};
use crate::job::create::create;
use crate::job::import::{ImportOptions, import};
use crate::job::judge::{Budget, Examples, JudgeChoice, Who, judge};
use crate::job::mine::{MineOptions, mine};
use crate::job::scout::scout;
use crate::job::train_judge::{TrainJudgeOptions, train_judge};
use crate::job::train_lora::{TrainLoraOptions, train_lora};
use crate::job::tune::{Rescore, tune};
use crate::learn::judge_training::AdapterScope;
use crate::learn::model::ScoutModel;
use crate::simulate::WithJudge;
use crate::work::JobContext;

/// Who answers. No name that a person would choose, for the project is nobody's.
const EXPERT: &str = "simulated expert";

/// What to simulate.
pub(super) struct JudgeSimulation<'a> {
    pub data: &'a Path,
    pub read: ReadOptions,
    pub task: Task,
    pub scout: ScoutModel,
    /// The language model.
    pub judge: PathBuf,
    pub threads: Option<NonZeroUsize>,
    pub rounds: usize,
    pub budget: usize,
    pub seeds: usize,
    pub first_seed: u64,
    /// Whether adapters of encoder and judge are trained after the last round.
    pub adapters: bool,
}

impl JudgeSimulation<'_> {
    /// Runs all seeds.
    ///
    /// # Errors
    /// Data without gold labels, a model that cannot be used, or a step that fails.
    pub fn run(&self, setting: &Setting) -> Result<WithJudge> {
        let name = self.judge.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let mut report = WithJudge::default();
        (report.judge, report.labels, report.kind) = (name, self.task.labels.len(), self.task.kind);
        for seed in (self.first_seed..).take(self.seeds) {
            report.begin();
            self.run_seed(setting, seed, &mut report)?;
            report.seeds += 1;
        }
        Ok(report)
    }

    fn run_seed(&self, setting: &Setting, seed: u64, report: &mut WithJudge) -> Result<()> {
        let folder =
            tempfile::tempdir().map_err(|e| Fault::new("make a temporary project", e.to_string()))?;
        let project = folder.path().join("simulated.hardcase");
        let watcher: &dyn Watcher = &setting.watch;
        let job = JobContext { project: &project, watcher, expert: EXPERT, seed: Some(seed) };
        create(&project, Some(&self.task), seed, EXPERT)?;
        import(&job, self.data, &ImportOptions::of(self.read.clone()))?;
        let gold = gold_labels(&project)?;
        report.texts = gold.len();
        if gold.is_empty() {
            return Err(Fault::usage("simulate the loop", "the data has no gold labels")
                .hint("Name the column that holds them with --gold"));
        }
        let mut said = Said { project: &project, report, begun: Instant::now() };
        scout(&job, &self.scout)?;
        said.of("no answers", "scout", &By::Scout);
        let mut choice = JudgeChoice {
            who: Who::File(self.judge.clone()),
            threads: self.threads,
            context: None,
            batch: None,
            gpu_layers: None,
            packed: false,
            examples: Examples::Shared(0),
            budget: Budget::All,
        };
        judge(&job, &choice)?;
        said.of("no answers", "judge", &By::Judge);
        let mut answers = 0;
        for _ in 0..self.rounds {
            mine(&job, &MineOptions::of(self.budget))?;
            answers += answer_all(&project, |item| gold.get(&item).cloned())?;
            tune(&job, Rescore::Pool)?;
            if watcher.stopped() {
                return Err(Fault::new("simulate the loop", "it was stopped"));
            }
        }
        said.report.answers = answers;
        const ROUNDS: &str = "all rounds";
        said.of(ROUNDS, "scout's head", &By::Head);
        said.of(ROUNDS, "judge", &By::Judge);
        said.of(ROUNDS, "judge's hidden states", &By::States);
        said.of(ROUNDS, "all together", &By::Active);
        (choice.who, choice.examples) = (Who::Before, Examples::Best);
        judge(&job, &choice)?;
        const PROMPT: &str = "the best prompt";
        said.of(PROMPT, "judge", &By::Judge);
        said.of(PROMPT, "judge's hidden states", &By::States);
        said.of(PROMPT, "all together", &By::Active);
        if !self.adapters {
            return Ok(());
        }
        let lora = |distil| {
            let options = TrainLoraOptions { epochs: None, rescore: Rescore::Pool, distil };
            train_lora(&job, &self.scout, &options).map(|report| report.adapter)
        };
        if let Some(adapter) = lora(false)? {
            said.of("the encoder's LoRA", "scout", &By::Adapter(adapter.0));
            said.of("the encoder's LoRA", "all together", &By::Active);
        }
        let adapted = |said: &mut Said<'_>, scope, when| {
            let options = TrainJudgeOptions {
                scope,
                model: None,
                epochs: None,
                threads: self.threads,
                rescore: Rescore::Pool,
            };
            match train_judge(&job, &options) {
                Ok(_) => {
                    said.of(when, "judge", &By::Judge);
                    said.of(when, "all together", &By::Active);
                }
                Err(fault) => watcher.note(&fault.to_string()),
            }
        };
        adapted(&mut said, AdapterScope::Alora, "the judge's alora");
        if let Some(adapter) = lora(true)? {
            said.of("distilled", "scout", &By::Adapter(adapter.0));
        }
        said.of("distilled", "all together", &By::Active);
        // Last, because it takes the place of the other.
        adapted(&mut said, AdapterScope::Lora, "the judge's lora");
        Ok(())
    }
}

/// Answers every case of the round as the gold labels say; what has none is skipped. Returns how many answers there were.
fn answer_all(project: &Path, gold: impl Fn(crate::domain::ids::ItemId) -> Option<String>) -> Result<usize> {
    let mut session = Session::open(project, EXPERT, OnClose::KeepCases)?;
    let mut answers = 0;
    while let Next::Case(case) = session.next_case()? {
        match gold(case.item) {
            Some(label) => {
                session.answer(case.item, &label, Remarks::default())?;
                answers += 1;
            }
            None => drop(session.skip(case.item)?),
        }
    }
    session.close()?;
    Ok(answers)
}

/// Records what the models of a project say.
struct Said<'a> {
    project: &'a Path,
    report: &'a mut WithJudge,
    /// When the last row was written.
    begun: Instant,
}

impl Said<'_> {
    fn of(&mut self, when: &'static str, model: &'static str, by: &By) {
        let took = self.begun.elapsed().as_secs_f64();
        // A model that could not be trained has no row for this seed.
        let pairs = predicted_with_gold(self.project, by).ok();
        self.report.record(when, model, pairs.as_deref(), took);
        self.begun = Instant::now();
    }
}
