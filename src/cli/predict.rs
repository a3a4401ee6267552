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
use crate::exchange::export::{Reveal, format_to_write};
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
    /// Leave out rows that cannot be read, instead of writing a line with the error for each
    #[arg(long)]
    skip_bad: bool,
}

impl Predict {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let model = setting.scout_model(named_file(self.model)?, self.threads);
        let out = self.written.place(&self.file, Some(&self.data))?;
        self.written.check_terminal(out.as_deref())?;
        let format = format_to_write(self.written.format.as_deref(), self.written.bom, out.as_deref())?;
        let to_file = out.is_some();
        let options = PredictOptions {
            read: self.reading.into(),
            format,
            out,
            reader: setting.expert_on(&self.file)?,
            reveal: if self.reveal { Reveal::Yes } else { Reveal::No },
            skip_bad: self.skip_bad,
        };
        setting.watch.prepare();
        let Scored { texts, left_out, bad } =
            predict(&self.file, &self.data, &model, &options, &setting.watch)?;
        if bad > 0 {
            setting.watch.note(&format!("{} could not be read", counted(bad, "row", "rows")));
        }
        if left_out > 0 {
            setting.watch.note(&views_left_out(left_out));
        }
        if to_file { setting.say(&format!("{} scored", counted(texts, "text", "texts"))) } else { Ok(()) }
    }
}
