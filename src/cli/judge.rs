//! `judge`: has a language model score the texts nearest the decision boundary, or takes in predictions that were made elsewhere.

#[cfg(feature = "engine")]
use std::num::NonZeroUsize;
use std::path::PathBuf;
#[cfg(feature = "engine")]
use std::time::Duration;

use super::arguments::Reading;
use super::setting::Setting;
use crate::domain::fault::{Fault, Result};
use crate::domain::read_options::ReadOptions;
use crate::job::given_predictions::{Given, GivenOptions, take_predictions};
#[cfg(feature = "engine")]
use crate::job::judge::{JudgeChoice, Server, Who, judge};
#[cfg(feature = "engine")]
use crate::job::models::model_file;
#[cfg(feature = "engine")]
use crate::learn::judge_run::Budget;
#[cfg(feature = "engine")]
use crate::learn::prompt::Examples;
use crate::work::JobContext;

#[cfg(feature = "engine")]
const DEFAULT_TIME: Duration = Duration::from_secs(600);
#[cfg(feature = "engine")]
const DEFAULT_CONCURRENCY: NonZeroUsize = NonZeroUsize::MIN.saturating_add(7);
#[cfg(feature = "engine")]
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub(super) struct Judge {
    /// The project file
    file: PathBuf,
    #[cfg(feature = "engine")]
    #[command(flatten)]
    asking: Asking,
    #[command(flatten)]
    given: GivenArguments,
}

/// Predictions that were made elsewhere.
#[derive(clap::Args)]
struct GivenArguments {
    /// Take in predictions that were made elsewhere instead of asking a model: a file of any kind that `import` reads, or `-` for standard
    /// input. They are weighed on your answers like a judge's, and count only where they help
    #[arg(long, value_name = "DATA", required = cfg!(not(feature = "engine")))]
    from: Option<PathBuf>,
    /// Whose predictions they are [default: the file's name]. A later file under the same name replaces what it predicts again
    #[arg(long = "name", value_name = "NAME", requires = "from")]
    whose: Option<String>,
    /// Column with the predicted label
    #[arg(long, value_name = "COL", requires = "from", conflicts_with = "probabilities")]
    label: Option<String>,
    /// Column with a JSON object that gives each label's probability [default: the columns that are called as the labels are, with a
    /// probability each; else the column `probabilities`]
    #[arg(long, value_name = "COL", requires = "from")]
    probabilities: Option<String>,
    /// What labels of the file stand for: 0=complaint,1=other; `2=` leaves a value out
    #[arg(long, value_name = "VALUE=LABEL", requires = "from")]
    map: Vec<String>,
    #[command(flatten)]
    reading: Reading,
}

impl GivenArguments {
    /// The file and how it is read; none where no file was named.
    ///
    /// # Errors
    /// An option that means nothing.
    fn checked(self) -> Result<Option<(PathBuf, GivenOptions)>> {
        let read = ReadOptions::from(self.reading);
        let Some(data) = self.from else {
            if read == ReadOptions::default() {
                return Ok(None);
            }
            return Err(Fault::usage("judge texts", "how a file is read was said, and no file was named")
                .hint("Name the file with the predictions: --from DATA"));
        };
        if read.gold.is_some() || !read.meta.is_empty() {
            return Err(Fault::usage("take in the predictions", "--gold and --meta mean nothing to them")
                .hint("Name the column with the predicted labels with --label"));
        }
        let given = match (self.label, self.probabilities) {
            (Some(column), _) => Given::Label(column),
            (None, Some(column)) => Given::Probabilities(column),
            (None, None) => Given::Detected,
        };
        Ok(Some((data, GivenOptions { read, given, map: self.map, name: self.whose })))
    }
}

/// How a language model is asked.
#[cfg(feature = "engine")]
#[derive(clap::Args)]
struct Asking {
    /// A language model: a name from `hardcase models`, or the path of a GGUF file [default: the last judge]. With --endpoint: the model's
    /// name at the server [default: the first one the server lists]
    #[arg(long, value_name = "MODEL", conflicts_with = "from")]
    model: Option<PathBuf>,
    /// Use an OpenAI-compatible server that returns log-probabilities (vLLM, or the servers of llama.cpp and llama-cpp-python), such as
    /// http://localhost:8000. The texts, and your answers used as examples, are sent to it. The prompt is sent without a chat template; if
    /// the address ends in /chat/completions, the server applies its own. The API key is read from HARDCASE_API_KEY
    #[arg(long, value_name = "URL", conflicts_with_all = ["from", "batch", "threads", "gpu_layers", "packed"])]
    endpoint: Option<String>,
    /// Number of concurrent requests to the server [default: 8]
    #[arg(long, value_name = "N", requires = "endpoint", value_parser = clap::value_parser!(u16).range(1..=256))]
    concurrency: Option<u16>,
    /// How long to wait for each answer of the server, such as 30s [default: 2m]
    #[arg(long, value_name = "TIME", requires = "endpoint", value_parser = duration)]
    timeout: Option<Duration>,
    /// Score this many texts
    #[arg(long, value_name = "N", conflicts_with_all = ["from", "time", "all"])]
    limit: Option<usize>,
    /// Score texts for this long, such as 10m or 1h 30m [default: 10m]
    #[arg(long = "for", value_name = "TIME", value_parser = duration, conflicts_with_all = ["from", "all"])]
    time: Option<Duration>,
    /// Score every text
    #[arg(long, conflicts_with = "from")]
    all: bool,
    /// Greatest number of labelled examples in the prompt. `nearest` picks the four nearest to each text instead, which takes several times
    /// as long [default: what does best on 32 texts, tried before the first text is read]
    #[arg(long, value_name = "N|nearest", value_parser = examples, conflicts_with = "from")]
    examples: Option<Examples>,
    /// Context size: prompt, text and answer together [default: the model's, at most 2048]
    #[arg(long, value_name = "TOKENS", conflicts_with = "from")]
    context: Option<NonZeroUsize>,
    /// Batch size in tokens [default: 512]
    #[arg(long, value_name = "TOKENS", conflicts_with = "from")]
    batch: Option<NonZeroUsize>,
    /// Number of threads [default: one for each core]
    #[arg(long, value_name = "N", conflicts_with = "from")]
    threads: Option<NonZeroUsize>,
    /// Number of layers to run on the GPU [default: all, if the build supports a GPU]
    #[arg(long, value_name = "N", conflicts_with = "from")]
    gpu_layers: Option<u32>,
    /// Keep the weights quantized. By default they are unpacked to BF16, which is faster, if the processor has BF16 instructions and
    /// they fit into half of the free memory
    #[arg(long, conflicts_with = "from")]
    packed: bool,
}

#[cfg(feature = "engine")]
impl Asking {
    fn choice(self) -> Result<JudgeChoice> {
        Ok(JudgeChoice {
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
        })
    }
}

impl Judge {
    /// Whether this asks a language model, and so needs a child process.
    #[cfg(feature = "engine")]
    pub fn needs_model(&self) -> bool {
        self.given.from.is_none()
    }

    pub fn run(self, setting: &Setting) -> Result<()> {
        if let Some((data, options)) = self.given.checked()? {
            let speaker = setting.expert_on(&self.file)?;
            let job = JobContext { expert: &speaker, ..setting.job(&self.file) };
            let report = take_predictions(&job, &data, &options)?;
            return setting.print(&report);
        }
        #[cfg(feature = "engine")]
        setting.print(&judge(&setting.job(&self.file), &self.asking.choice()?)?)?;
        Ok(())
    }
}

#[cfg(feature = "engine")]
fn examples(text: &str) -> std::result::Result<Examples, String> {
    match text {
        "nearest" => Ok(Examples::Nearest),
        n => n.parse().map(Examples::Shared).map_err(|_| "give a number, or `nearest`".to_owned()),
    }
}

/// Parses `10m`, `90s`, `1h 30m`.
#[cfg(feature = "engine")]
fn duration(text: &str) -> std::result::Result<Duration, String> {
    let unclear = || "give a number with its unit, such as 10m, 90s or 1h 30m".to_owned();
    let span: jiff::SignedDuration = text.parse().map_err(|_| unclear())?;
    Duration::try_from(span).ok().filter(|d| !d.is_zero()).ok_or_else(unclear)
}

#[cfg(all(test, feature = "engine"))]
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
