//! `predict`: scores new texts.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::arguments::Reading;
use super::export::{Written, by, views_left_out};
use super::models::named_file;
use super::output::print_json;
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
    /// Whose predictions: active, head, scout, or the number of an adapter
    #[arg(long, default_value = "active")]
    by: String,
    /// Score each row and write its line as soon as the row is there, as for a pipe that stays open. It takes longer for each
    #[arg(long)]
    flush: bool,
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
            by: by(&self.by, "score texts")?,
            flush: self.flush,
            seed: setting.seed,
            format,
            out,
            reader: setting.expert_on(&self.file)?,
            reveal: if self.reveal { Reveal::Yes } else { Reveal::No },
            skip_bad: self.skip_bad,
        };
        setting.watch.prepare();
        let scored = predict(&self.file, &self.data, &model, &options, &setting.watch)?;
        let Scored { texts, left_out, bad, agreement } = &scored;
        let (texts, left_out, bad) = (*texts, *left_out, *bad);
        if bad > 0 {
            setting.watch.note(&format!("{} could not be read", counted(bad, "row", "rows")));
        }
        if left_out > 0 {
            setting.watch.note(&views_left_out(left_out));
        }
        if let Some(agreement) = agreement {
            setting.watch.note(&agreement.to_string());
        }
        if to_file && setting.wants_json() {
            return print_json(&scored);
        }
        if to_file { setting.say(&format!("{} scored", counted(texts, "text", "texts"))) } else { Ok(()) }
    }
}
