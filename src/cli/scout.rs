//! `scout`: embeds and prelabels all new texts.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use super::encoder::EncoderArguments;
use super::models::named_file;
use super::setting::Setting;
use crate::domain::fault::Result;
use crate::job::scout::scout;
use crate::learn::model::Asked;

#[derive(clap::Args)]
pub(super) struct Scout {
    /// The project file
    file: PathBuf,
    /// An encoder model: a name from `hardcase models`, or the path of a GGUF file [default: the project's encoder, else the embedded one]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Use the embedded encoder, though the project was scouted with another. All texts are read again; labels and earlier figures stay
    #[arg(long, conflicts_with = "model")]
    embedded: bool,
    #[command(flatten)]
    encoder: EncoderArguments,
    /// Number of threads [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
}

impl Scout {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let mut model = setting.scout_model(named_file(self.model)?, self.threads);
        if self.embedded {
            model.asked = Asked::Embedded;
        }
        model.reading = self.encoder.reading();
        let report = scout(&setting.job(&self.file), &model)?;
        setting.print(&report)
    }
}
