//! `export`: writes labels, predictions, final labels, the imported rows or the label log. What there is to export and in which formats comes
//! from the lists of `exchange::export`.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use clap::builder::{PossibleValue, PossibleValuesParser};

use super::output::{print, print_json};
use super::setting::Setting;
use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::counted;
use crate::domain::progress::Watcher;
use crate::exchange::export::{
    By, EXPORT_KINDS, ExportOptions, Exported, History, LeftOut, Reveal, Texts, count, export, export_kind,
    format_to_write, output_formats,
};
use crate::exchange::source_files::refuse_source;
use crate::insight::report::{markdown, report};

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
    /// Also show the model's view of texts that you may still be asked to label, and to a lead others' answers to them; your answers to them are
    /// then recorded as not blind
    #[arg(long)]
    reveal: bool,
    /// Only say how many rows it would write
    #[arg(long, conflicts_with_all = ["out", "reveal"])]
    count: bool,
    #[command(flatten)]
    written: Written,
}

/// How rows are written, and where; shared by `export` and `predict`.
#[derive(clap::Args)]
pub(super) struct Written {
    /// How to write [default: by the extension of OUT, else the first of these]
    #[arg(long, value_parser = formats())]
    pub format: Option<String>,
    /// CSV with a byte-order mark, by which Excel knows that it is UTF-8
    #[arg(long)]
    pub bom: bool,
    /// Where to write [default: standard output]
    #[arg(short, long, value_name = "OUT")]
    pub out: Option<PathBuf>,
    /// Replace OUT even if texts of the project came from it
    #[arg(long, requires = "out")]
    pub force: bool,
}

impl Written {
    /// Refuses to write what is no text where a person looks.
    pub fn check_terminal(&self, place: Option<&Path>) -> Result<()> {
        let format = format_to_write(self.format.as_deref(), self.bom, place)?;
        match format.filter(|format| format.binary && place.is_none() && std::io::stdout().is_terminal()) {
            Some(format) => {
                Err(Fault::usage(format!("write {} to the terminal", format.name), "it is not text")
                    .hint("Name a file with -o"))
            }
            None => Ok(()),
        }
    }

    /// Where to write; `-` is standard output, as is no name.
    ///
    /// # Errors
    /// Texts of the project came from that file, or `data` is it, and it is not said that it is to be replaced.
    pub fn place(&self, project: &Path, data: Option<&Path>) -> Result<Option<PathBuf>> {
        let out = self.out.clone().filter(|out| out.as_os_str() != "-");
        if let (Some(out), false) = (&out, self.force) {
            refuse_source(project, out, data)?;
        }
        Ok(out)
    }
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
        setting.watch.end_at_once();
        let out = self.written.place(&self.file, None)?;
        self.written.check_terminal(out.as_deref())?;
        let format = format_to_write(self.written.format.as_deref(), self.written.bom, out.as_deref())?;
        let options = ExportOptions {
            by: by(&self.by, "export predictions")?,
            history: if self.history { History::All } else { History::Standing },
            texts: if self.no_text { Texts::LeftOut } else { Texts::Written },
            format,
            out,
            reader: setting.expert_on(&self.file)?,
            reveal: if self.reveal { Reveal::Yes } else { Reveal::No },
            report: None,
        };
        let options = match kind.name {
            "dataset" => {
                let report = report(&self.file, &options.reader)?;
                ExportOptions { report: Some(markdown(&report)), ..options }
            }
            _ => options,
        };
        let exported = if self.count { count } else { export }(&self.file, kind, &options)?;
        if self.count && setting.wants_json() {
            return print_json(&exported);
        }
        let Exported { lines, without_prelabel, left_out } = exported;
        if without_prelabel > 0 {
            let next = match options.by {
                By::Judge | By::States => "hardcase judge FILE --all",
                _ => "hardcase scout FILE",
            };
            setting.watch.note(&format!(
                "{} no prelabel yet; run `{next}` to prelabel the rest",
                counted(without_prelabel, "row has", "rows have")
            ));
        }
        for line in in_words(&left_out) {
            setting.watch.note(&line);
        }
        if self.count {
            print(&counted(lines, "row", "rows"))
        } else if options.out.is_some() {
            setting.say(&format!("{} written", counted(lines, "row", "rows")))
        } else {
            Ok(())
        }
    }
}

/// What was left out because the reader may not see it yet, a sentence each.
fn in_words(left_out: &LeftOut) -> Vec<String> {
    let &LeftOut { views, answers, texts, events, unanswered, by_lead } = left_out;
    let mut lines = Vec::new();
    if views > 0 {
        lines.push(views_left_out(views));
    }
    if answers > 0 {
        let texts = counted(answers, "text", "texts");
        lines.push(if by_lead {
            format!(
                "Left out: the answers of others to {texts} that you may still be asked about; add --reveal to see them, and your own answers to \
                 them then do not count as blind"
            )
        } else {
            format!("Left out: the answers of others to {texts} whose cases are open; only the lead sees them (--as NAME)")
        });
    }
    if texts > 0 {
        lines.push(format!(
            "{} that you may still be asked about {} written with the key alone, which is enough for a merge; add --reveal to have the texts as \
             well, and your answers to them then do not count as blind",
            counted(texts, "case", "cases"),
            if texts == 1 { "is" } else { "are" },
        ));
    }
    if events > 0 {
        lines.push(format!(
            "Left out: {} of others; only the lead can export them (--as NAME)",
            counted(events, "label event", "label events")
        ));
    }
    if unanswered > 0 {
        lines.push(format!(
            "left out: {} of cases that you have not labelled yet; export again when you have",
            counted(unanswered, "skip, flag or note", "skips, flags and notes")
        ));
    }
    lines
}

/// Says that the model's view of so many texts was left out.
pub(super) fn views_left_out(texts: usize) -> String {
    format!(
        "Left out: what the model says about {} that you may still be asked about; add --reveal to see it, and your answers to them then do not \
         count as blind",
        counted(texts, "text", "texts")
    )
}

/// Whose predictions are meant; `attempted` is what is done with them.
pub(super) fn by(model: &str, attempted: &str) -> Result<By> {
    Ok(match model {
        "active" => By::Active,
        "head" => By::Head,
        "scout" => By::Scout,
        "judge" => By::Judge,
        "states" => By::States,
        number => By::Adapter(number.parse().map_err(|_| {
            Fault::usage(format!("{attempted} by '{model}'"), "there is no such model")
                .hint("Use active, head, scout, judge, states, or the number of an adapter")
        })?),
    })
}
