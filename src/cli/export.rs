//! `export`: labels, predictions, final labels, the imported rows, or the label log.

use std::path::PathBuf;

use clap::ValueEnum;

use super::setting::Setting;
use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::counted;
use crate::domain::progress::Watcher;
use crate::exchange::export::{By, ExportFormat, ExportOptions, Exported, What, export};
use crate::exchange::own_log::{ExportedEvents, Texts, export_events_for};

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WhatArgument {
    /// One line per expert and item, with provenance
    Labels,
    /// One line per item
    Predictions,
    /// One line per item: its label, and how it was reached
    Final,
    /// Every imported row, with what was decided
    Rows,
    /// The label log, one thing on each line: `merge` takes it back. A lead gets all of it, anybody else the own labels
    Events,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FormatArgument {
    /// A JSON object on each line
    Jsonl,
    /// Comma-separated, with a header
    Csv,
}

impl From<FormatArgument> for ExportFormat {
    fn from(format: FormatArgument) -> Self {
        match format {
            FormatArgument::Jsonl => Self::Jsonl,
            FormatArgument::Csv => Self::Csv,
        }
    }
}

#[derive(clap::Args)]
pub(super) struct Export {
    /// The project file
    file: PathBuf,
    /// What to export
    #[arg(long, value_enum, default_value = "labels")]
    what: WhatArgument,
    /// Whose predictions: active, head, scout, judge, or an adapter's number
    #[arg(long, default_value = "active")]
    by: String,
    /// With labels: every event, also what was taken back and what was answered again in a repeat
    #[arg(long)]
    history: bool,
    /// With events: keys alone, without the texts of the cases
    #[arg(long)]
    no_text: bool,
    /// How to write
    #[arg(long, value_enum, default_value = "jsonl")]
    format: FormatArgument,
    /// Where to [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    out: Option<PathBuf>,
}

impl Export {
    pub fn run(self, setting: &Setting) -> Result<()> {
        if self.what == WhatArgument::Events {
            return self.events(setting);
        }
        if self.no_text {
            return Err(Fault::usage("export without texts", "--no-text goes with events")
                .hint("Leave it out, or give --what events"));
        }
        let what = match (self.what, self.history) {
            (WhatArgument::Labels, false) => What::Labels,
            (WhatArgument::Labels, true) => What::History,
            (_, true) => {
                return Err(Fault::usage("export the history", "--history goes with labels")
                    .hint("Leave it out, or give --what labels"));
            }
            (WhatArgument::Predictions, _) => What::Predictions,
            (WhatArgument::Final, _) => What::Final,
            // Events went their own way above.
            (WhatArgument::Rows | WhatArgument::Events, _) => What::Rows,
        };
        let to_file = self.out.is_some();
        let reader = setting.reader_on(&self.file)?;
        let options =
            ExportOptions { what, by: by(&self.by)?, format: self.format.into(), out: self.out, reader };
        let judged = matches!(options.by, By::Judge);
        let Exported { lines, without_prelabel, closed } = export(&self.file, &options)?;
        if without_prelabel > 0 {
            let reader = if judged { "hardcase judge FILE --all" } else { "hardcase scout FILE" };
            setting.watch.note(&format!(
                "{without_prelabel} of the lines have no prelabel: `{reader}` reads the texts that lack one"
            ));
        }
        if closed > 0 {
            setting.watch.note(&format!(
                "what others answered to {} whose cases are open was left out: a lead sees it (--as NAME)",
                counted(closed, "text", "texts")
            ));
        }
        if to_file { setting.say(&format!("{} written", counted(lines, "line", "lines"))) } else { Ok(()) }
    }
}

impl Export {
    fn events(self, setting: &Setting) -> Result<()> {
        if self.format == FormatArgument::Csv || self.history || self.by != "active" {
            return Err(Fault::usage(
                "export the events",
                "they are written as JSONL, with their history, whatever the models say",
            )
            .hint("Leave --format, --history and --by out"));
        }
        let texts = if self.no_text { Texts::LeftOut } else { Texts::Written };
        let reader = setting.reader_on(&self.file)?;
        let ExportedEvents { lines, left_out } =
            export_events_for(&self.file, &reader, texts, self.out.as_deref())?;
        if left_out > 0 {
            setting.watch.note(&format!(
                "left out: {} of others; a lead exports all of them (--as NAME)",
                counted(left_out, "label event", "label events")
            ));
        }
        if self.out.is_some() {
            setting.say(&format!("{} written", counted(lines, "line", "lines")))
        } else {
            Ok(())
        }
    }
}

fn by(said: &str) -> Result<By> {
    Ok(match said {
        "active" => By::Active,
        "head" => By::Head,
        "scout" => By::Scout,
        "judge" => By::Judge,
        number => By::Adapter(number.parse().map_err(|_| {
            Fault::usage(format!("export predictions by '{said}'"), "there is no such model")
                .hint("Give active, head, scout, judge, or an adapter's number")
        })?),
    })
}
