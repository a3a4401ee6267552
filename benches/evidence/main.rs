//! The evidence that mining earns its labels: `make evidence` runs `hardcase simulate` on every data set of the test data and writes the
//! tables of `docs/evidence.md` anew, or one of them (`ARGS="--table lora"`); `ARGS="hate --seeds 3"` shows fewer sets and seeds on the screen.
//!
//! `make judges GGUF=MODEL` is `--judge MODEL` (`judges`).
//!
//! What is finished is kept, so this can be stopped at any time and goes on where it was.

#[path = "../datasets/mod.rs"]
mod datasets;
mod judges;
mod scale;
mod tables;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use datasets::Set;
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde_json::Value;

/// Data sets, with the texts that their test holds.
const SETS: [(&str, usize); 6] = [
    ("sms_spam", 3_000),
    ("clickbait", 3_000),
    ("davidson_hate", 3_000),
    ("convabuse", 3_000),
    ("trec", 500),
    ("banking77", 3_000),
];
/// The sets on which an adapter is compared with the head.
const ADAPTED: [&str; 3] = ["davidson_hate", "convabuse", "trec"];
/// The sets whose annotators' votes are known.
const VOTED: [&str; 2] = ["davidson_hate", "convabuse"];
/// What finding the first positives is measured on, and how rare they are made.
const COLD: [&str; 2] = ["sms_spam", "davidson_hate"];
const PREVALENCES: [&str; 3] = ["0.01", "0.03", "0.06"];

/// One kind of simulation: its heading in the document, the sets, and what is added to the command line.
struct Experiment {
    table: &'static str,
    sets: &'static [&'static str],
    arguments: &'static [&'static str],
    seeds: usize,
    write: fn(&[(String, Value)]) -> String,
}

const ALL_SETS: &[&str] = &["sms_spam", "clickbait", "davidson_hate", "convabuse", "trec", "banking77"];
const EXPERIMENTS: [Experiment; 4] = [
    Experiment {
        table: "seeded",
        sets: ALL_SETS,
        arguments: &["--strategy", "all", "--seed-labels", "8"],
        seeds: 10,
        write: tables::strategies,
    },
    Experiment {
        table: "zero-shot",
        sets: ALL_SETS,
        arguments: &["--strategy", "all"],
        seeds: 10,
        write: tables::strategies,
    },
    Experiment {
        table: "crowd",
        sets: &VOTED,
        arguments: &["--votes", "--expert", "gold", "--seed-labels", "8"],
        seeds: 10,
        write: tables::crowd,
    },
    Experiment {
        table: "lora",
        sets: &ADAPTED,
        arguments: &["--strategy", "hybrid,margin,random", "--seed-labels", "8", "--adapter", "lora"],
        seeds: 3,
        write: tables::adapters,
    },
];

struct Options {
    sets: Vec<String>,
    tables: Vec<String>,
    seeds: Option<usize>,
    /// The language model to play with, instead of all else.
    judge: Option<PathBuf>,
    /// Of each set so many texts, where a language model reads them.
    texts: usize,
}

#[expect(clippy::print_stdout, reason = "a benchmark's figures go to standard output")]
fn main() -> Result<()> {
    let options = options()?;
    if let [word, n] = &std::env::args().skip(1).filter(|w| w != "--bench").collect::<Vec<_>>()[..]
        && word == "--scale"
    {
        println!("{}", scale::round(n.parse()?)?);
        return Ok(());
    }
    // Fewer sets or seeds are a look at the screen, not evidence.
    let whole = options.sets.is_empty() && options.seeds.is_none();
    let folder = datasets::folder();
    let work = std::env::temp_dir().join("hardcase-evidence");
    fs::create_dir_all(&work)?;
    if let Some(model) = &options.judge {
        let mut reports = Vec::new();
        for (name, _) in SETS.iter().filter(|(name, _)| options.wants_set(name)) {
            let Ok(mut set) = datasets::read(name, &folder) else {
                println!("{name}: skipped, for it is not in {}", folder.display());
                continue;
            };
            set.rows.shuffle(&mut ChaCha8Rng::seed_from_u64(1));
            set.rows.truncate(options.texts);
            let mut runs = Vec::new();
            for seed in (1..).take(options.seeds.unwrap_or(judges::SEEDS)) {
                let kept = work.join(judges::file_name(model, name, options.texts, seed));
                if !kept.exists() {
                    let run = simulate(&work, name, &set, &judges::arguments(model, seed))?;
                    fs::write(&kept, serde_json::to_vec(&run)?)?;
                }
                runs.push(serde_json::from_slice(&fs::read(&kept)?)?);
            }
            reports.push(((*name).to_owned(), runs));
            println!("\n{}", judges::table(&reports));
        }
        return Ok(());
    }
    let mut written = Vec::new();
    for experiment in &EXPERIMENTS {
        if !options.wants(experiment.table) {
            continue;
        }
        let mut reports = Vec::new();
        for (name, test) in SETS.iter().filter(|(name, _)| experiment.sets.contains(name)) {
            if !options.wants_set(name) {
                continue;
            }
            let Ok(set) = datasets::read(name, &folder) else {
                println!("{name}: skipped, for it is not in {}", folder.display());
                continue;
            };
            let seeds = options.seeds.unwrap_or(experiment.seeds);
            let mut arguments = arguments(experiment.arguments, &set);
            arguments.extend(["--test".into(), test.to_string(), "--seeds".into(), seeds.to_string()]);
            reports.push(((*name).to_owned(), simulate(&work, name, &set, &arguments)?));
        }
        written.push((experiment.table, (experiment.write)(&reports)));
    }
    if options.wants("cold") {
        written.push(("cold", cold_start(&options, &folder, &work)?));
    }
    if options.wants("scale") && options.sets.is_empty() {
        written.push(("scale", scale::table()?));
    }
    for (name, table) in &written {
        println!("\n{name}\n\n{table}");
    }
    if whole { publish(&written) } else { Ok(()) }
}

/// How soon ten of the rare label are in hand, from no label at all.
fn cold_start(options: &Options, folder: &Path, work: &Path) -> Result<String> {
    let mut reports = Vec::new();
    for name in COLD {
        let Ok(set) = datasets::read(name, folder) else { continue };
        for prevalence in PREVALENCES {
            let seeds = options.seeds.unwrap_or(10).to_string();
            let strategies = "hybrid,boundary,margin,typiclust,k-center,random";
            let words =
                ["--strategy", strategies, "--test", "1000", "--prevalence", prevalence, "--seeds", &seeds];
            let arguments: Vec<String> = words.iter().map(|w| (*w).to_owned()).collect();
            reports.push((format!("{name} at {prevalence}"), simulate(work, name, &set, &arguments)?));
        }
    }
    Ok(tables::cold(&reports))
}

/// `--votes` stands for the columns that count them.
fn arguments(of: &[&str], set: &Set) -> Vec<String> {
    let mut arguments = Vec::new();
    for word in of {
        if *word == "--votes" {
            for (label, _, _) in &set.labels {
                arguments.extend(["--votes".to_owned(), format!("{label}=votes_{label}")]);
            }
        } else {
            arguments.push((*word).to_owned());
        }
    }
    arguments
}

/// Writes the set as a person would have it, and runs the program on it.
#[expect(clippy::print_stdout, reason = "a benchmark says what it runs")]
fn simulate(work: &Path, name: &str, set: &Set, arguments: &[String]) -> Result<Value> {
    let (data, task) = (work.join(format!("{name}.csv")), work.join(format!("{name}.toml")));
    write_data(&data, set)?;
    let mut command = Command::new(env!("CARGO_BIN_EXE_hardcase"));
    command.args(["simulate", "--json", "--gold", "gold", "--text", "text"]).arg(&data);
    let judged = arguments.iter().any(|word| word == "--judge");
    if !judged {
        command.args(["--pool", "9000"]);
    }
    // 77 labels have no keys on a keyboard, and need none but where a task has to be given.
    if judged || set.labels.len() <= 10 {
        write_task(&task, set)?;
        command.arg("--task").arg(&task);
    }
    command.args(arguments).stdout(Stdio::piped());
    println!("hardcase simulate {name}.csv {}", arguments.join(" "));
    let output = command.output().context("hardcase did not start")?;
    ensure!(output.status.success(), "the simulation of {name} failed");
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn write_data(path: &Path, set: &Set) -> Result<()> {
    let mut writer = csv::Writer::from_path(path)?;
    let voted = set.rows.iter().any(|row| !row.votes.is_empty());
    let columns = set.labels.iter().filter(|_| voted).map(|(label, _, _)| format!("votes_{label}"));
    let header: Vec<String> = ["text".to_owned(), "gold".to_owned()].into_iter().chain(columns).collect();
    writer.write_record(&header)?;
    for row in &set.rows {
        let votes = row.votes.iter().map(u32::to_string);
        writer.write_record([row.text.clone(), row.gold.clone()].into_iter().chain(votes))?;
    }
    Ok(writer.flush()?)
}

fn write_task(path: &Path, set: &Set) -> Result<()> {
    let mut text = "question = \"Which label?\"\n".to_owned();
    let keys = ('0'..='9').chain('\u{100}'..);
    for ((name, description, examples), key) in set.labels.iter().zip(keys) {
        text += &format!(
            "[[label]]\nname = {name:?}\nkey = \"{key}\"\ndescription = {description:?}\nexamples = {examples:?}\n"
        );
    }
    Ok(fs::write(path, text)?)
}

/// Puts each table between its marks.
fn publish(tables: &[(&str, String)]) -> Result<()> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/evidence.md");
    let mut text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    for (name, table) in tables {
        let (open, close) = (format!("<!-- table {name} -->\n"), "<!-- end -->".to_owned());
        let Some(from) = text.find(&open).map(|at| at + open.len()) else {
            bail!("no place for the table {name}")
        };
        let to = text[from..].find(&close).map(|at| from + at).context("a table has no end")?;
        text.replace_range(from..to, &format!("\n{table}\n"));
    }
    Ok(fs::write(path, text)?)
}

impl Options {
    fn wants_set(&self, name: &str) -> bool {
        self.sets.is_empty() || self.sets.iter().any(|wanted| name.contains(wanted.as_str()))
    }

    fn wants(&self, table: &str) -> bool {
        self.tables.is_empty() || self.tables.iter().any(|wanted| wanted == table)
    }
}

fn options() -> Result<Options> {
    let (sets, tables) = (Vec::new(), Vec::new());
    let mut options = Options { sets, tables, seeds: None, judge: None, texts: judges::TEXTS };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut next = || words.next().context("a word is missing at the end");
        match word.as_str() {
            "--bench" => {}
            "--scale" => drop(next()?),
            "--seeds" => options.seeds = Some(next()?.parse()?),
            "--judge" => options.judge = Some(fs::canonicalize(next()?)?),
            "--texts" => options.texts = next()?.parse()?,
            "--table" => options.tables.push(next()?),
            _ => options.sets.push(word),
        }
    }
    Ok(options)
}
