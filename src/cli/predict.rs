//! `predict`: scores new texts.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::arguments::Reading;
use super::export::Written;
use super::models::named_file;
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::grouped::counted;
use crate::exchange::export::output_format;
use crate::exchange::predict::{PredictOptions, predict};

#[derive(clap::Args)]
pub(super) struct Predict {
    /// The project file
    file: PathBuf,
    /// The texts; `-` is standard input
    data: PathBuf,
    #[command(flatten)]
    reading: Reading,
    /// The model that the project was scouted with, if its file has moved
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Number of threads [default: one per core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    #[command(flatten)]
    written: Written,
}

impl Predict {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let model = setting.scout_model(named_file(self.model)?, self.threads);
        let to_file = self.written.out.is_some();
        let format = self.written.format.as_deref().map(output_format).transpose()?;
        let options = PredictOptions { read: self.reading.into(), format, out: self.written.out };
        setting.watch.prepare();
        let n = predict(&self.file, &self.data, &model, &options, &setting.watch)?;
        if to_file { setting.say(&format!("{} scored", counted(n, "text", "texts"))) } else { Ok(()) }
    }
}
