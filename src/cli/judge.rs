//! `judge`: has a language model score the texts nearest the decision boundary.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use super::setting::Setting;
use crate::domain::fault::Result;
use crate::job::judge::{JudgeChoice, Server, Who, judge};
use crate::job::models::model_file;
use crate::learn::judge_run::Budget;
use crate::learn::prompt::Examples;

const DEFAULT_TIME: Duration = Duration::from_secs(600);
const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub(super) struct Judge {
    /// The project file
    file: PathBuf,
    /// A language model: a name from `hardcase models`, or the path of a GGUF file [default: the last judge]. With --endpoint: the model's
    /// name at the server [default: the first one the server lists]
    #[arg(long, value_name = "MODEL")]
    model: Option<PathBuf>,
    /// Use an OpenAI-compatible server that returns log-probabilities (vLLM, or the servers of llama.cpp and llama-cpp-python), such as
    /// http://localhost:8000. The texts, and your answers used as examples, are sent to it. The prompt is sent without a chat template; if
    /// the address ends in /chat/completions, the server applies its own. The API key is read from HARDCASE_API_KEY
    #[arg(long, value_name = "URL", conflicts_with_all = ["batch", "threads", "gpu_layers", "packed"])]
    endpoint: Option<String>,
    /// Number of concurrent requests to the server [default: 8]
    #[arg(long, value_name = "N", requires = "endpoint", value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: Option<u16>,
    /// How long to wait for each answer of the server, such as 30s [default: 2m]
    #[arg(long, value_name = "TIME", requires = "endpoint", value_parser = duration)]
    timeout: Option<Duration>,
    /// Score this many texts
    #[arg(long, value_name = "N", conflicts_with_all = ["time", "all"])]
    limit: Option<usize>,
    /// Score texts for this long, such as 10m or 1h 30m [default: 10m]
    #[arg(long = "for", value_name = "TIME", value_parser = duration, conflicts_with = "all")]
    time: Option<Duration>,
    /// Score every text
    #[arg(long)]
    all: bool,
    /// Greatest number of labelled examples in the prompt. `nearest` picks the four nearest to each text instead, which takes several times
    /// as long [default: what does best on 32 texts, tried before the first text is read]
    #[arg(long, value_name = "N|nearest", value_parser = examples)]
    examples: Option<Examples>,
    /// Context size: prompt, text and answer together [default: the model's, at most 2048]
    #[arg(long, value_name = "TOKENS")]
    context: Option<NonZeroUsize>,
    /// Batch size in tokens [default: 512]
    #[arg(long, value_name = "TOKENS")]
    batch: Option<NonZeroUsize>,
    /// Number of threads [default: one for each core]
    #[arg(long, value_name = "N")]
    threads: Option<NonZeroUsize>,
    /// Number of layers to run on the GPU [default: all, if the build supports a GPU]
    #[arg(long, value_name = "N")]
    gpu_layers: Option<u32>,
    /// Keep the weights quantized. By default they are unpacked to BF16, which is faster, if the processor has BF16 instructions and
    /// they fit into half of the free memory
    #[arg(long)]
    packed: bool,
}

impl Judge {
    pub fn run(self, setting: &Setting) -> Result<()> {
        let choice = JudgeChoice {
            budget: match (self.limit, self.all) {
                (Some(texts), _) => Budget::Texts(texts),
                (None, true) => Budget::All,
                (None, false) => Budget::Time(self.time.unwrap_or(DEFAULT_TIME)),
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
                        .unwrap_or(DEFAULT_CONCURRENCY),
                    timeout: self.timeout.unwrap_or(DEFAULT_TIMEOUT),
                }),
                (None, Some(model)) => Who::File(model_file(&model)?),
                (None, None) => Who::Before,
            },
            examples: self.examples.unwrap_or(Examples::Best),
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

/// Parses `10m`, `90s`, `1h 30m`.
fn duration(text: &str) -> std::result::Result<Duration, String> {
    let unclear = || "give a number with its unit, such as 10m, 90s or 1h 30m".to_owned();
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
