//! Options shared by several verbs.

use clap::{Args, ValueEnum};

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProgressKind {
    /// JSON lines on standard error
    Json,
    /// A progress bar, if standard error is a terminal
    Bar,
    /// No progress
    None,
}

/// Options of every verb: in its help they come after its own.
#[derive(Args, Debug)]
#[command(next_help_heading = "Options of every command")]
pub(super) struct Global {
    /// Print the result as one JSON document
    #[arg(long, global = true)]
    pub json: bool,
    /// How to show progress
    #[arg(long, global = true, value_enum, default_value = "bar", value_name = "KIND")]
    pub progress: ProgressKind,
    /// Seed for all randomness [default: the project's seed]
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// Your name as an expert [default: the lead at this login, else the name you have labelled under, else your login]
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub name: Option<String>,
    /// Say that nobody else opens this project, on a drive where others would not be kept from it; remembered for the file
    #[arg(long, global = true)]
    pub alone: bool,
    /// Print only results and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Print every underlying cause of an error
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

/// How a data file is read; shared by `import`, `new` and `predict`.
#[derive(Args, Clone, Debug)]
pub(super) struct Reading {
    /// What the file is, instead of guessing: csv, tsv, json, jsonl, lines, fasttext, excel, parquet, arrow or sqlite
    #[arg(long, value_name = "FORMAT")]
    pub format_in: Option<String>,
    /// Sheet of a workbook, by name or number [default: the first]
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// Table or view of an SQLite database [default: its only table]
    #[arg(long, value_name = "NAME", conflicts_with = "query")]
    pub table: Option<String>,
    /// SELECT whose rows are taken from an SQLite database
    #[arg(long, value_name = "SQL")]
    pub query: Option<String>,
    /// Column with the text, by name or number, or a path into nested values (data.text); repeat the option to join several columns
    #[arg(long, value_name = "COL")]
    pub text: Vec<String>,
    /// Column with your own ids
    #[arg(long, value_name = "COL")]
    pub id: Option<String>,
    /// Column with known labels, kept for exports and simulations; never shown and never trained on. `predict` says how far it agrees with them
    #[arg(long, value_name = "COL")]
    pub gold: Option<String>,
    /// Column to show next to the text; may be repeated
    #[arg(long, value_name = "COL")]
    pub meta: Vec<String>,
    /// Encoding of the file, such as windows-1252 [default: detected]
    #[arg(long, value_name = "E")]
    pub encoding: Option<String>,
    /// Separator of the cells: one character, or `tab` [default: detected]
    #[arg(long, value_name = "C")]
    pub delimiter: Option<String>,
    /// Treat the first row as column names [default: detected]
    #[arg(long, conflicts_with = "no_header")]
    pub header: bool,
    /// Treat the first row as data
    #[arg(long)]
    pub no_header: bool,
    /// Treat `"` as the quotation mark around cells [default: detected]
    #[arg(long, conflicts_with = "no_quotes")]
    pub quotes: bool,
    /// Treat `"` as an ordinary character
    #[arg(long)]
    pub no_quotes: bool,
}

impl From<Reading> for crate::domain::read_options::ReadOptions {
    fn from(r: Reading) -> Self {
        let either = |yes: bool, no: bool| if yes { Some(true) } else { no.then_some(false) };
        Self {
            header: either(r.header, r.no_header),
            quotes: either(r.quotes, r.no_quotes),
            format: r.format_in,
            sheet: r.sheet,
            table: r.table,
            query: r.query,
            called: None,
            as_it_comes: false,
            may_be_empty: false,
            text: r.text,
            id: r.id,
            has_no_id: false,
            gold: r.gold,
            labels: None,
            labelled_at: None,
            meta: r.meta,
            encoding: r.encoding,
            delimiter: r.delimiter,
        }
    }
}
