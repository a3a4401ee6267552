//! `simulate`: plays the loop on data whose labels are known.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::ValueEnum;

use super::arguments::Reading;
use super::output::print;
use super::setting::Setting;
use super::task::read_task;
use crate::domain::fault::{Fault, Result};
use crate::job::mine::strategies;
use crate::simulate::{
    Course, Expert, NearCopies, SimulateOptions, Sizes, Source, Trained, curves_csv, simulate,
};

/// The seed of the first run where none is given.
const FIRST_SEED: u64 = 1;

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AdapterArgument {
    /// The head after every round
    Head,
    /// The head after every round, and a LoRA on the labels of the last
    Lora,
    /// The same as lora: the head mines in any case
    Both,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum FormatArgument {
    /// A table and a chart
    Text,
    /// Comma-separated: one line for each strategy and point of its curve
    Csv,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ExpertArgument {
    /// As imperfect as --noise or --votes say
    AsGiven,
    /// The gold labels; only the crowd errs
    Gold,
}

#[derive(clap::Args)]
pub(super) struct Simulate {
    /// Texts with known labels
    data: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// The labels with their descriptions [default: what the gold column holds, by name alone]
    #[arg(long, value_name = "TASK.toml")]
    task: Option<PathBuf>,
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        help = format!("Strategies, or `all` of them: {} [default: the first and random]", strategies())
    )]
    strategy: Vec<String>,
    /// What is trained
    #[arg(long, value_enum, default_value = "head", value_name = "KIND")]
    adapter: AdapterArgument,
    /// Rounds
    #[arg(long, default_value = "6", value_name = "N")]
    rounds: usize,
    /// Cases of a round
    #[arg(long, default_value = "60", value_name = "N")]
    budget: usize,
    /// Runs of each strategy, each with a pool and a test of its own; --seed is that of the first
    #[arg(long, default_value = "5", value_name = "N")]
    seeds: usize,
    /// Labels drawn evenly over the classes, with the gold, before the first round
    #[arg(long, default_value = "0", value_name = "N")]
    seed_labels: usize,
    /// Give cases the splits of a project: evaluation and audit cases then train nothing
    #[arg(long)]
    with_splits: bool,
    /// Texts to mine, at most [default: all that are not in the test]
    #[arg(long, value_name = "N")]
    pool: Option<usize>,
    /// Texts to judge by, at most, and at most 60 % of the data
    #[arg(long, default_value = "3000", value_name = "N")]
    test: usize,
    /// Thin the data until the rarest label has this share
    #[arg(long, value_name = "SHARE")]
    prevalence: Option<f64>,
    /// An expert who gives another label this often, and a crowd that does
    #[arg(long, default_value = "0", value_name = "SHARE")]
    noise: f64,
    /// A column that counts the annotators who gave a label, once for each label: the expert and the crowd answer as one of them
    #[arg(long, value_name = "LABEL=COL")]
    votes: Vec<String>,
    /// A column with a crowd's label
    #[arg(long, value_name = "COL", conflicts_with = "votes")]
    crowd: Option<String>,
    /// Who answers in the rounds
    #[arg(long, value_enum, default_value = "as-given", value_name = "WHO")]
    expert: ExpertArgument,
    /// Leave texts out that differ from an earlier one in case, digits, links and names alone
    #[arg(long)]
    fold_copies: bool,
    /// Compute anew what an earlier simulation has finished
    #[arg(long)]
    fresh: bool,
    /// How to print
    #[arg(long, value_enum, default_value = "text", conflicts_with = "json")]
    format: FormatArgument,
    /// The encoder model as GGUF [default: the embedded one]
    #[arg(long, value_name = "GGUF")]
    model: Option<PathBuf>,
    /// Threads that embed [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl Simulate {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let model = setting.scout_model(self.model, self.threads);
        let votes = self.votes.iter().map(|said| label_and_column(said)).collect::<Result<_>>()?;
        let options = SimulateOptions {
            source: Source {
                data: self.data,
                read: self.reading.into(),
                task: self.task.as_deref().map(read_task).transpose()?,
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
                with_splits: self.with_splits,
            },
            sizes: Sizes { pool: self.pool, test: self.test, prevalence: self.prevalence },
            seeds: self.seeds,
            first_seed: setting.seed.unwrap_or(FIRST_SEED),
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
        Fault::usage(format!("count the votes in '{said}'"), "it names no label and column")
            .hint("Give --votes LABEL=COLUMN once for each label")
    })
}
