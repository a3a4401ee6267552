//! What every verb understands.

use clap::{Args, ValueEnum};

/// How progress is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum ProgressKind {
    /// JSON lines on standard error
    Json,
    /// A bar, where standard error is a terminal
    Bar,
    /// Not at all
    None,
}

/// Options of every verb.
#[derive(Args, Debug)]
pub(super) struct Global {
    /// Print one JSON document on standard output
    #[arg(long, global = true)]
    pub json: bool,
    /// How to show progress
    #[arg(long, global = true, value_enum, default_value = "bar", value_name = "KIND")]
    pub progress: ProgressKind,
    /// Seed of all randomness, instead of the project's own
    #[arg(long, global = true, value_name = "N")]
    pub seed: Option<u64>,
    /// The expert's name [default: the login name]
    #[arg(long = "as", global = true, value_name = "NAME")]
    pub name: Option<String>,
    /// Say nothing but results and errors
    #[arg(long, short, global = true)]
    pub quiet: bool,
    /// Say why, down to the last cause
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

/// How a data file is read; shared by `import`, `new` and `predict`.
#[derive(Args, Clone, Debug)]
pub(super) struct Reading {
    /// Column with the text, by name or number; several are joined
    #[arg(long, value_name = "COL")]
    pub text: Vec<String>,
    /// Column with the file's own ids
    #[arg(long, value_name = "COL")]
    pub id: Option<String>,
    /// Column with known labels: for export and simulations, never shown, never learned from
    #[arg(long, value_name = "COL")]
    pub gold: Option<String>,
    /// Column shown beside the text
    #[arg(long, value_name = "COL")]
    pub meta: Vec<String>,
    /// Encoding of the file, such as windows-1252
    #[arg(long, value_name = "E")]
    pub encoding: Option<String>,
    /// What stands between cells: one character, or `tab`
    #[arg(long, value_name = "C")]
    pub delimiter: Option<String>,
    /// The first row names the columns
    #[arg(long, conflicts_with = "no_header")]
    pub header: bool,
    /// The first row is data
    #[arg(long)]
    pub no_header: bool,
    /// `"` encloses cells
    #[arg(long, conflicts_with = "no_quotes")]
    pub quotes: bool,
    /// `"` is a character like any other
    #[arg(long)]
    pub no_quotes: bool,
}

impl From<Reading> for crate::domain::read_options::ReadOptions {
    fn from(r: Reading) -> Self {
        let either = |yes: bool, no: bool| if yes { Some(true) } else { no.then_some(false) };
        Self {
            header: either(r.header, r.no_header),
            quotes: either(r.quotes, r.no_quotes),
            text: r.text,
            id: r.id,
            gold: r.gold,
            meta: r.meta,
            encoding: r.encoding,
            delimiter: r.delimiter,
        }
    }
}
