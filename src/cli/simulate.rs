//! `simulate`: compares strategies by simulating the loop on texts with known labels.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::ValueEnum;

use super::arguments::Reading;
use super::encoder::EncoderArguments;
use super::models::named_file;
use super::output::print;
use super::setting::Setting;
use super::simulate_judge::JudgeSimulation;
use super::task::read_task;
use crate::domain::fault::{Fault, Result};
use crate::domain::task_kind::TaskKind;
use crate::job::mine::strategies;
use crate::simulate::{
    Course, Existing, Expert, NearCopies, SimulateOptions, Sizes, Source, Trained, curves_csv, simulate,
};

const FIRST_SEED: u64 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AdapterArgument {
    /// Train the head after every round
    Head,
    /// Train the head after every round, and a LoRA after the last
    Lora,
    /// Same as lora; with --judge the judge's alora and the distilled LoRA, too
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArgument {
    /// A table and a chart
    Text,
    /// CSV with one line for each strategy and point of its curve
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExpertArgument {
    /// An expert who errs as --noise or --votes say
    AsGiven,
    /// An expert who always gives the gold label; only the crowd errs
    Gold,
}

#[derive(clap::Args)]
pub(super) struct Simulate {
    /// File of texts with known labels
    data: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// The task, for the descriptions of the labels [default: the values in the gold column]
    #[arg(long, value_name = "TASK.toml")]
    task: Option<PathBuf>,
    /// Whether the gold column holds one label, several labels, or a level of a scale. A task says it itself
    #[arg(long, default_value = "one", value_name = "one|several|scale", conflicts_with = "task")]
    kind: TaskKind,
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        help = format!("Strategies to compare, or `all`: {} [default: the first and random]", strategies())
    )]
    strategy: Vec<String>,
    /// What to train
    #[arg(long, value_enum, default_value = "head", value_name = "KIND")]
    adapter: AdapterArgument,
    /// Number of rounds
    #[arg(long, default_value = "6", value_name = "N")]
    rounds: usize,
    /// Number of cases per round
    #[arg(long, default_value = "60", value_name = "N")]
    budget: usize,
    /// Number of runs per strategy, each with its own pool and test set. The first run uses --seed
    #[arg(long, default_value = "5", value_name = "N")]
    seeds: usize,
    /// Number of gold labels, drawn evenly over the classes, to start with
    #[arg(long, default_value = "0", value_name = "N")]
    seed_labels: usize,
    /// Number of labels that somebody gave before, to texts drawn at random. They teach until the expert answers, as imported labels do
    #[arg(long, default_value = "0", value_name = "N")]
    existing: usize,
    /// Share of these labels that are wrong
    #[arg(long, default_value = "0", value_name = "SHARE", requires = "existing")]
    existing_errors: f64,
    /// What one of these labels counts in training, 0 to 1
    #[arg(long, default_value = "1", value_name = "W", requires = "existing")]
    existing_weight: f64,
    /// Split cases as a project does: evaluation and audit cases are not trained on
    #[arg(long)]
    with_splits: bool,
    /// Greatest size of the pool [default: all texts outside the test set]
    #[arg(long, value_name = "N")]
    pool: Option<usize>,
    /// Greatest size of the test set, which is never more than 60 % of the data
    #[arg(long, default_value = "3000", value_name = "N")]
    test: usize,
    /// Remove texts until the rarest label has this share
    #[arg(long, value_name = "SHARE")]
    prevalence: Option<f64>,
    /// Share of answers in which the simulated expert, and the crowd, give a wrong label
    #[arg(long, default_value = "0", value_name = "SHARE")]
    noise: f64,
    /// Column with the number of annotators who gave a label, once for each label. Expert and crowd then answer like one of these annotators
    #[arg(long, value_name = "LABEL=COL")]
    votes: Vec<String>,
    /// Column with the crowd's label
    #[arg(long, value_name = "COL", conflicts_with = "votes")]
    crowd: Option<String>,
    /// Who answers the cases
    #[arg(long, value_enum, default_value = "as-given", value_name = "WHO")]
    expert: ExpertArgument,
    /// Drop near-duplicates: texts that differ from an earlier one only in case, digits, links and names
    #[arg(long)]
    fold_copies: bool,
    /// Recompute runs that an earlier simulation has already finished
    #[arg(long)]
    fresh: bool,
    /// Play the loop with this language model as judge, whole and with one strategy: a name from `hardcase models`, or the path of a GGUF file. Needs
    /// --task. Each model's kappa is on the texts that nobody has labelled
    #[arg(long, value_name = "MODEL", requires = "task", conflicts_with_all = [
        "strategy", "seed_labels", "existing", "with_splits", "pool", "test", "prevalence", "noise", "votes", "crowd", "expert", "fold_copies", "fresh", "format",
    ])]
    judge: Option<PathBuf>,
    /// Output format
    #[arg(long, value_enum, default_value = "text", conflicts_with = "json")]
    format: FormatArgument,
    /// The encoder model: a name from `hardcase models`, or the path of a GGUF file [default: the embedded one]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    #[command(flatten)]
    encoder: EncoderArguments,
    /// Number of threads for embedding [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl Simulate {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let mut model = setting.scout_model(named_file(self.model)?, self.threads);
        model.reading = self.encoder.reading();
        let first_seed = setting.seed.unwrap_or(FIRST_SEED);
        if let (Some(judge), Some(task)) = (named_file(self.judge)?, &self.task) {
            let simulation = JudgeSimulation {
                data: &self.data,
                read: self.reading.into(),
                task: read_task(task)?,
                scout: model,
                judge,
                threads: self.threads,
                rounds: self.rounds,
                budget: self.budget,
                seeds: self.seeds,
                first_seed,
                adapters: self.adapter != AdapterArgument::Head,
            };
            setting.watch.prepare();
            return setting.print(&simulation.run(setting)?);
        }
        let votes = self.votes.iter().map(|said| label_and_column(said)).collect::<Result<_>>()?;
        let options = SimulateOptions {
            source: Source {
                data: self.data,
                read: self.reading.into(),
                task: self.task.as_deref().map(read_task).transpose()?,
                kind: self.kind,
                crowd: self.crowd,
                votes,
                copies: if self.fold_copies { NearCopies::Folded } else { NearCopies::Kept },
            },
            strategies: self.strategy,
            trained: match self.adapter {
                AdapterArgument::Head => Trained::Head,
                AdapterArgument::Lora | AdapterArgument::Both => Trained::Lora,
            },
            course: Course {
                rounds: self.rounds,
                budget: self.budget,
                seed_labels: self.seed_labels,
                existing: Existing {
                    labels: self.existing,
                    errors: self.existing_errors,
                    weight: self.existing_weight,
                },
                with_splits: self.with_splits,
            },
            sizes: Sizes { pool: self.pool, test: self.test, prevalence: self.prevalence },
            seeds: self.seeds,
            first_seed,
            noise: self.noise,
            expert: match self.expert {
                ExpertArgument::AsGiven => Expert::AsGiven,
                ExpertArgument::Gold => Expert::Gold,
            },
            cache: setting.cache_dir(),
            resume: !self.fresh,
        };
        setting.watch.prepare();
        let report = simulate(&options, &model, &setting.watch)?;
        match self.format {
            FormatArgument::Text => setting.print(&report),
            FormatArgument::Csv => print(&curves_csv(&report)?),
        }
    }
}

fn label_and_column(said: &str) -> Result<(String, String)> {
    said.rsplit_once('=').map(|(label, column)| (label.to_owned(), column.to_owned())).ok_or_else(|| {
        Fault::usage(format!("read --votes {said}"), "it does not have the form LABEL=COLUMN")
            .hint("Give --votes LABEL=COLUMN once for each label")
    })
}
