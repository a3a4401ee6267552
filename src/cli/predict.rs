//! `predict`: scores new texts.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::arguments::Reading;
use super::export::FormatArgument;
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::grouped::counted;
use crate::exchange::predict::{PredictOptions, predict};

#[derive(clap::Args)]
pub(super) struct Predict {
    /// The project file
    file: PathBuf,
    /// The texts; `-` is standard input
    data: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// The file of the model that the project was scouted with, where it has moved
    #[arg(long, value_name = "GGUF")]
    model: Option<PathBuf>,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// How to write
    #[arg(long, value_enum, default_value = "jsonl")]
    format: FormatArgument,
    /// Where to [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    out: Option<PathBuf>,
}

impl Predict {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let model = setting.scout_model(self.model, self.threads);
        let to_file = self.out.is_some();
        let options = PredictOptions { read: self.reading.into(), format: self.format.into(), out: self.out };
        setting.watch.prepare();
        let n = predict(&self.file, &self.data, &model, &options, &setting.watch)?;
        if to_file { setting.say(&format!("{} scored", counted(n, "text", "texts"))) } else { Ok(()) }
    }
}
