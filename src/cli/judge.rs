//! `judge`: a language model reads the texts nearest the boundary.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::setting::Setting;
use crate::domain::fault::Result;
use crate::job::judge::{JudgeChoice, Server, Who, judge};
use crate::learn::judge_run::Budget;
use crate::learn::prompt::{EXAMPLES, Examples};

/// Where nothing is said, it reads for so long.
const USUALLY: Duration = Duration::from_secs(600);
/// Requests to a server, and how long one may take.
const AT_A_TIME: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
const ANSWERED_WITHIN: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub(super) struct Judge {
    /// The project file
    file: PathBuf,
    /// A language model as GGUF [default: the one that judged before]; with --endpoint the model's name at the server [default: the
    /// first that it lists]
    #[arg(long, value_name = "GGUF")]
    model: Option<PathBuf>,
    /// Have an OpenAI-compatible server with log-probabilities judge (vLLM, the servers of llama.cpp and llama-cpp-python), as in
    /// http://localhost:8000. Texts, and the answers given as examples, are sent to it. The instruction goes without a chat template;
    /// an address that ends in /chat/completions has the server put its own around it. A key is taken from HARDCASE_API_KEY
    #[arg(long, value_name = "URL", conflicts_with_all = ["batch", "threads", "gpu_layers", "packed"])]
    endpoint: Option<String>,
    /// Requests to the server at a time [default: 8]
    #[arg(long, value_name = "N", requires = "endpoint", value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: Option<u16>,
    /// How long the server may take for an answer, as in 30s [default: 2m]
    #[arg(long, value_name = "TIME", requires = "endpoint", value_parser = duration)]
    timeout: Option<Duration>,
    /// Read so many texts
    #[arg(long, value_name = "N", conflicts_with_all = ["time", "all"])]
    limit: Option<usize>,
    /// Read for so long, as in 10m or 1h 30m [default: 10m]
    #[arg(long = "for", value_name = "TIME", value_parser = duration, conflicts_with = "all")]
    time: Option<Duration>,
    /// Read every text
    #[arg(long)]
    all: bool,
    /// The most labelled examples in the instruction; `nearest` shows it the four nearest to each text instead, which takes several times as
    /// long [default: 8]
    #[arg(long, value_name = "N|nearest", value_parser = examples)]
    examples: Option<Examples>,
    /// The most tokens of instruction, text and answer together [default: the model's, at most 2048]
    #[arg(long, value_name = "TOKENS")]
    context: Option<NonZeroUsize>,
    /// Tokens computed at a time [default: 512]
    #[arg(long, value_name = "TOKENS")]
    batch: Option<NonZeroUsize>,
    /// Threads [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Layers that a graphics card computes [default: all, where the build can]
    #[arg(long, value_name = "N")]
    gpu_layers: Option<u32>,
    /// Compute with the weights as the file packs them. Where the processor multiplies BF16 numbers by itself and half of the free memory
    /// holds them so, they are unpacked, which is faster
    #[arg(long)]
    packed: bool,
}

impl Judge {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let choice = JudgeChoice {
            budget: match (self.limit, self.all) {
                (Some(texts), _) => Budget::Texts(texts),
                (None, true) => Budget::All,
                (None, false) => Budget::Time(self.time.unwrap_or(USUALLY)),
            },
            threads: self.threads,
            context: self.context,
            batch: self.batch,
            gpu_layers: self.gpu_layers,
            packed: self.packed,
            who: match (self.endpoint, self.model) {
                (Some(url), name) => Who::Server(Server {
                    url,
                    model: name.map(|name| name.to_string_lossy().into_owned()),
                    concurrency: self
                        .concurrency
                        .and_then(|n| NonZeroUsize::new(n.into()))
                        .unwrap_or(AT_A_TIME),
                    timeout: self.timeout.unwrap_or(ANSWERED_WITHIN),
                }),
                (None, Some(path)) => Who::File(path),
                (None, None) => Who::Before,
            },
            examples: self.examples.unwrap_or(Examples::Shared(EXAMPLES)),
        };
        let report = judge(&setting.job(&self.file), &choice)?;
        setting.print(&report)
    }
}

fn examples(text: &str) -> std::result::Result<Examples, String> {
    match text {
        "nearest" => Ok(Examples::Nearest),
        n => n.parse().map(Examples::Shared).map_err(|_| "give a number, or `nearest`".to_owned()),
    }
}

/// A time as people write it: `10m`, `90s`, `1h 30m`.
fn duration(text: &str) -> std::result::Result<Duration, String> {
    let unclear = || "a time is a number with its unit, as in 10m, 90s or 1h 30m".to_owned();
    let span: jiff::SignedDuration = text.parse().map_err(|_| unclear())?;
    Duration::try_from(span).ok().filter(|d| !d.is_zero()).ok_or_else(unclear)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        assert_eq!(duration("1h 30m"), Ok(Duration::from_secs(5_400)));
        for wrong in ["", "10", "0s", "-5m", "soon"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
