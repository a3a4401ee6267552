//! `demo`: creates the bundled project and opens it at its first case.

use std::io::{IsTerminal, stdin, stdout};
use std::path::PathBuf;

use super::label::hand_over;
use super::new::DEFAULT_SEED;
use super::next::in_words;
use super::output::print;
use super::setting::Setting;
use crate::desk::session::{Next, OnClose, Session};
use crate::domain::fault::{Fault, Result, io_reason};
use crate::domain::read_options::ReadOptions;
use crate::domain::task::Task;
use crate::job::create::{create, is_project};
use crate::job::import::{ImportOptions, import_bundled};
use crate::job::mine::{DEFAULT_BUDGET, MineOptions, mine};
use crate::job::scout::scout;

/// Made-up advertisements; see `assets/demo/README.md`.
const ADS: &str = include_str!("../../assets/demo/ads.csv");
const TASK: &str = include_str!("../../assets/demo/task.toml");

#[derive(clap::Args)]
pub(super) struct Demo {
    /// Folder for demo.hardcase
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,
    /// Print the first case instead of opening the workstation
    #[arg(long)]
    no_tui: bool,
}

impl Demo {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let file = self.dir.join("demo.hardcase");
        let attempted = format!("create the demo in {}", self.dir.display());
        std::fs::create_dir_all(&self.dir).map_err(|e| Fault::new(&attempted, io_reason(&e)))?;
        if file.exists() && is_project(&file) {
            setting.say(&format!("{} exists already and is used as it is.", file.display()))?;
        } else {
            let task = Task::from_toml(TASK, "of the demo")?;
            create(&file, Some(&task), setting.seed.unwrap_or(DEFAULT_SEED), &setting.expert)?;
        }
        let job = setting.job(&file);
        if crate::insight::status::status(&file, &setting.expert)?.items == 0 {
            let options = ReadOptions {
                text: vec!["text".into()],
                id: Some("id".into()),
                gold: Some("gold".into()),
                meta: vec!["placement".into(), "advertiser".into()],
                ..ReadOptions::default()
            };
            let report = import_bundled(&job, "ads.csv", ADS, &ImportOptions::of(options))?;
            setting.say(&report.to_string())?;
        }
        if self.opens_screen() {
            // The workstation scouts and mines by itself, and shows the progress.
            return hand_over(setting, &file, setting.named.then_some(setting.expert.as_str()));
        }
        let report = scout(&job, &setting.scout_model(None, None))?;
        setting.say(&report.to_string())?;
        self.first_case(setting, &file)
    }

    /// Whether it ends in the workstation.
    pub fn opens_screen(&self) -> bool {
        !self.no_tui && stdin().is_terminal() && stdout().is_terminal()
    }

    fn first_case(&self, setting: &Setting, file: &std::path::Path) -> Result<()> {
        if crate::insight::status::status(file, &setting.expert)?.round == 0 {
            let report = mine(&setting.job(file), &MineOptions::of(DEFAULT_BUDGET))?;
            setting.say(&report.to_string())?;
        }
        let mut session = Session::open(file, &setting.expert_on(file)?, OnClose::KeepCases)?;
        let next = session.next_case()?;
        let question = session.task().question.clone();
        session.close()?;
        match next {
            Next::Case(case) if setting.wants_json() => super::output::print_json(&case),
            Next::Case(case) => {
                let file = file.display();
                print(&format!("\n{}\n", in_words(&case, &question)))?;
                setting.say(&format!(
                    "To go on:  hardcase answer {file} --item {} --label {}\n           hardcase next {file}\n           \
                     hardcase status {file}",
                    case.item,
                    case.labels.first().and_then(|l| l.key).unwrap_or('1'),
                ))
            }
            Next::None(why) => print(&why.to_string()),
        }
    }
}
