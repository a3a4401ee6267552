//! `predict`: scores new texts.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::arguments::Reading;
use super::export::{Written, views_left_out};
use super::models::named_file;
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::domain::grouped::counted;
use crate::domain::progress::Watcher;
use crate::exchange::export::{Reveal, output_format};
use crate::exchange::predict::{PredictOptions, Scored, predict};

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
    /// Also score texts that you may still be asked to label; your answers to them are then recorded as not blind
    #[arg(long)]
    reveal: bool,
}

impl Predict {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let model = setting.scout_model(named_file(self.model)?, self.threads);
        let to_file = self.written.out.is_some();
        let format = self.written.format.as_deref().map(output_format).transpose()?;
        let options = PredictOptions {
            read: self.reading.into(),
            format,
            out: self.written.out,
            reader: setting.expert_on(&self.file)?,
            reveal: if self.reveal { Reveal::Yes } else { Reveal::No },
        };
        setting.watch.prepare();
        let Scored { texts, left_out } = predict(&self.file, &self.data, &model, &options, &setting.watch)?;
        if left_out > 0 {
            setting.watch.note(&views_left_out(left_out));
        }
        if to_file { setting.say(&format!("{} scored", counted(texts, "text", "texts"))) } else { Ok(()) }
    }
}
