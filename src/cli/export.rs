//! `export`: writes labels, predictions, final labels, the imported rows or the label log. What there is to export and in which formats comes
//! from the lists of `exchange::export`.

use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};

use super::setting::Setting;
use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::counted;
use crate::domain::progress::Watcher;
use crate::exchange::export::{
    By, EXPORT_KINDS, ExportOptions, Exported, History, Texts, export, export_kind, output_format,
    output_formats,
};

#[derive(clap::Args)]
pub(super) struct Export {
    /// The project file
    file: PathBuf,
    /// What to export
    #[arg(long, value_parser = kinds(), default_value = EXPORT_KINDS[0].name)]
    what: String,
    /// Whose predictions: active, head, scout, judge, states, or the number of an adapter
    #[arg(long, default_value = "active")]
    by: String,
    /// With labels: every event, including answers that were taken back or given again in a repeat
    #[arg(long)]
    history: bool,
    /// With events: only the keys of the cases, without their texts
    #[arg(long)]
    no_text: bool,
    #[command(flatten)]
    written: Written,
}

/// How rows are written, and where; shared by `export` and `predict`.
#[derive(clap::Args)]
pub(super) struct Written {
    /// How to write [default: by the extension of OUT, else the first of these]
    #[arg(long, value_parser = formats())]
    pub format: Option<String>,
    /// Where to write [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    pub out: Option<PathBuf>,
}

fn kinds() -> PossibleValuesParser {
    EXPORT_KINDS.iter().map(|kind| PossibleValue::new(kind.name).help(kind.help)).into()
}

fn formats() -> PossibleValuesParser {
    output_formats().map(|(name, help)| PossibleValue::new(name).help(help)).into()
}

impl Export {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let kind = export_kind(&self.what)?;
        let options = ExportOptions {
            by: by(&self.by)?,
            history: if self.history { History::All } else { History::Standing },
            texts: if self.no_text { Texts::LeftOut } else { Texts::Written },
            format: self.written.format.as_deref().map(output_format).transpose()?,
            out: self.written.out,
            reader: setting.reader_on(&self.file)?,
        };
        let Exported { lines, without_prelabel, hidden_texts, hidden_events } =
            export(&self.file, kind, &options)?;
        if without_prelabel > 0 {
            let next = match options.by {
                By::Judge | By::States => "hardcase judge FILE --all",
                _ => "hardcase scout FILE",
            };
            setting.watch.note(&format!(
                "{} no prelabel yet; run `{next}` to prelabel the rest",
                counted(without_prelabel, "line has", "lines have")
            ));
        }
        if hidden_texts > 0 {
            setting.watch.note(&format!(
                "left out: the answers of others to {} whose cases are open; only the lead sees them (--as NAME)",
                counted(hidden_texts, "text", "texts")
            ));
        }
        if hidden_events > 0 {
            setting.watch.note(&format!(
                "left out: {} of others; only the lead can export them (--as NAME)",
                counted(hidden_events, "label event", "label events")
            ));
        }
        if options.out.is_some() {
            setting.say(&format!("{} written", counted(lines, "line", "lines")))
        } else {
            Ok(())
        }
    }
}

fn by(model: &str) -> Result<By> {
    Ok(match model {
        "active" => By::Active,
        "head" => By::Head,
        "scout" => By::Scout,
        "judge" => By::Judge,
        "states" => By::States,
        number => By::Adapter(number.parse().map_err(|_| {
            Fault::usage(format!("export predictions by '{model}'"), "there is no such model")
                .hint("Use active, head, scout, judge, states, or the number of an adapter")
        })?),
    })
}
