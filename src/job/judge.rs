//! `judge`: a language model, or a server that has one, reads the texts nearest the boundary, and the labelled ones that show what it is worth.
//! Every few texts are kept at once, so it can be stopped or killed at any time.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use crate::domain::answer::decided;
use crate::domain::encoder_reading::EncoderReading;
use crate::domain::fault::{Fault, Result};
use crate::domain::grouped::counted;
use crate::domain::predictor::{PromptLayout, PromptTrial};
use crate::domain::split::Split;
use crate::engine::judge::{Endpoint, EndpointOptions, Judge, JudgeBackend, JudgeOptions, is_url};
use crate::engine::model_file::real_path;
use crate::learn::activate::{Rescore, activate};
use crate::learn::combined::{Reader, in_words};
use crate::learn::judge::settings;
pub use crate::learn::judge_run::Budget;
use crate::learn::judge_run::read;
use crate::learn::judge_variants::{Compared, add_earlier_variants, compared, in_words as compared_in_words};
use crate::learn::model::described;
use crate::learn::prelabels::{require_one_label, scouting};
pub use crate::learn::prompt::Examples;
use crate::learn::prompt::predictor;
use crate::learn::scorer::bytes_of;
use crate::stats::classifier::stack::Worth;
use crate::store::Store;
use crate::store::pool::predictors::Model;
use crate::work::runner::{Ended, JobContext, Work, run};

/// What a project calls the architecture of a model that only a server knows.
const ENDPOINT: &str = "endpoint";

/// Who judges.
#[derive(Clone, Debug)]
pub enum Who {
    /// The model file that judged before.
    Before,
    /// A GGUF file.
    File(PathBuf),
    /// An OpenAI-compatible server.
    Server(Server),
}

/// A server, and how it is asked.
#[derive(Clone, Debug)]
pub struct Server {
    /// Its address.
    pub url: String,
    /// The model's name there; the first that it lists where none is named.
    pub model: Option<String>,
    /// Requests under way at a time.
    pub concurrency: NonZeroUsize,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// What a person may choose of the judge.
#[derive(Clone, Debug)]
pub struct JudgeChoice {
    /// Who judges.
    pub who: Who,
    /// Threads; as many as there are cores where none are named.
    pub threads: Option<NonZeroUsize>,
    /// The most tokens of prompt, text and answer together; the model's, at most 2,048, where none are named.
    pub context: Option<NonZeroUsize>,
    /// Tokens computed at a time; 512 where none are named.
    pub batch: Option<NonZeroUsize>,
    /// Layers that a graphics card computes; all that it can where none are named.
    pub gpu_layers: Option<u32>,
    /// Computes with the weights as the file packs them, which takes less memory.
    pub packed: bool,
    /// Which labelled examples it is shown.
    pub examples: Examples,
    /// How many texts.
    pub budget: Budget,
}

impl JudgeChoice {
    fn options(&self) -> JudgeOptions {
        let usual = JudgeOptions::default();
        JudgeOptions {
            threads: self.threads.unwrap_or(usual.threads),
            context: self.context,
            batch: self.batch.unwrap_or(usual.batch),
            gpu_layers: self.gpu_layers,
            packed: self.packed,
        }
    }
}

/// What a judging did.
#[derive(Clone, Debug, Default, Serialize)]
pub struct JudgeReport {
    pub model: String,
    /// Texts read now.
    pub judged: usize,
    /// Texts that were to be read now and are left, because it was stopped or the time was up.
    pub left: usize,
    /// Texts read with this prompt in all.
    pub judged_in_all: usize,
    /// Of these, labelled ones for training.
    pub training: usize,
    /// Labelled examples in the prompt.
    pub examples: usize,
    /// Where the parts of the prompt stand; none where another process judged.
    pub layout: Option<PromptLayout>,
    /// Prompts that were tried before this one was chosen; empty where it was asked for.
    pub tried: Vec<PromptTrial>,
    /// Tokens of the prompt, which all texts share, where that is known.
    pub instruction_tokens: Option<usize>,
    /// Texts of this run whose middle was left out.
    pub cut: usize,
    /// Texts of this run where none of the tokens that a server lists led to a label, so that all have the same probability.
    pub unlisted: usize,
    /// How many tokens a server lists; none where the judge is a model file.
    pub seen: Option<usize>,
    /// Texts read per second, without the time that the prompt took.
    pub texts_per_second: Option<f64>,
    /// Tokens of texts read per second.
    pub tokens_per_second: Option<f64>,
    /// Whether the scout was tuned on labels, so that the judge's worth next to it can be known.
    pub tuned: bool,
    /// What it is worth next to the scout; none where there are too few labels to say.
    pub worth: Option<Worth>,
    /// All that have read texts, with what each is worth: those that the model listens to first.
    pub readers: Vec<Reader>,
    /// It and its earlier variants, where all could read alike.
    pub compared: Vec<Compared>,
    /// Whether this process did it.
    pub ours: bool,
}

impl std::fmt::Display for JudgeReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.ours {
            return write!(f, "another process had the texts judged");
        }
        write!(f, "{} judged by {}", counted(self.judged, "text", "texts"), self.model)?;
        if let Some(layout) = self.layout {
            write!(f, " ({layout}")?;
            match self.examples {
                0 => write!(f, ")")?,
                n => write!(f, ", {})", counted(n, "example", "examples"))?,
            }
        }
        match (self.texts_per_second, self.tokens_per_second) {
            (Some(texts), Some(tokens)) => write!(f, ", {texts:.1} texts or {tokens:.0} tokens a second")?,
            (Some(texts), None) => write!(f, ", {texts:.1} texts a second")?,
            (None, _) => {}
        }
        if self.left > 0 {
            write!(f, ", {} left: run it again to continue", self.left)?;
        }
        if self.cut > 0 {
            write!(f, ", {} too long to be read whole", self.cut)?;
        }
        if let Some(seen) = self.seen.filter(|_| self.unlisted > 0) {
            write!(
                f,
                "; for {} texts none of the server's {seen} likeliest tokens was a label, so they tell nothing{}",
                self.unlisted,
                if self.unlisted == self.judged {
                    " (is it a language model that follows instructions?)"
                } else {
                    ""
                }
            )?;
        }
        write!(
            f,
            ". In all {} are judged, {} of them with a training label; ",
            self.judged_in_all, self.training
        )?;
        match in_words(&self.readers) {
            Some(words) => write!(f, "{words}"),
            None if !self.tuned => write!(
                f,
                "what its opinion is worth shows after `hardcase tune FILE`; until then the scout decides alone"
            ),
            None => write!(
                f,
                "too few of them have a training label to tell what its opinion is worth (20 are needed): the scout decides alone"
            ),
        }?;
        if self.compared.is_empty() { Ok(()) } else { write!(f, "; {}", compared_in_words(&self.compared)) }
    }
}

/// Judges.
///
/// # Errors
/// Nothing scouted, a model that is not a language model or is damaged, a server that gives no probabilities, or a task that leaves no room for a text.
pub fn judge(context: &JobContext<'_>, choice: &JudgeChoice) -> Result<JudgeReport> {
    let ended = run(context, "judge", "", |work| {
        let revision = work.store.task()?;
        require_one_label(&revision.task, "judge texts")?;
        let scout = scouting(work.store, "judge texts")?;
        let (mut judge, model) = load_judge(work, choice)?;
        let seed = context.seed.unwrap_or(work.store.project()?.seed);
        let predictor = predictor(work, &*judge, &model, &revision, choice.examples, seed)?;
        let settings = settings(&predictor)?;
        if let Some(adapter) = predictor.adapter() {
            judge.adapt(&bytes_of(work.store, adapter)?)?;
        }
        let earlier = add_earlier_variants(work, &mut *judge, &predictor)?;
        let session = read(work, &*judge, &predictor, settings, &earlier, choice.budget)?;
        let (items, _) = work.store.predictions(predictor.id)?;
        let training = decided(&work.store.votes(Split::Train)?, work.store.task()?.task.kind);
        let activation = activate(work, &scout, Rescore::Pool, &revision, seed)?;
        Ok(JudgeReport {
            model: judge.name().to_owned(),
            judged: session.judged,
            left: session.left,
            judged_in_all: items.len(),
            training: training.keys().filter(|item| items.binary_search(item).is_ok()).count(),
            examples: settings.examples.len(),
            layout: Some(settings.prompt.layout),
            tried: settings.tried.clone(),
            instruction_tokens: session.instruction_tokens,
            cut: session.cut,
            unlisted: session.unlisted,
            seen: session.seen,
            texts_per_second: session.texts_per_second,
            tokens_per_second: session.tokens_per_second,
            tuned: scout.adapter().is_some(),
            worth: activation.worth,
            readers: activation.readers,
            compared: compared(work.store, &predictor, &earlier, &revision, seed)?,
            ours: true,
        })
    })?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => JudgeReport::default(),
    })
}

/// The judge, ready for its prompt, and its model as the project keeps it.
fn load_judge(work: &mut Work<'_>, choice: &JudgeChoice) -> Result<(Box<dyn JudgeBackend>, Model)> {
    let path = match &choice.who {
        Who::Before => path_of(work.store, None, "judge texts")?,
        Who::File(path) => path_of(work.store, Some(path), "judge texts")?,
        Who::Server(server) => {
            work.report("asking the server", 0, None, "texts")?;
            let endpoint = Endpoint::connect(&EndpointOptions {
                url: server.url.clone(),
                model: server.model.clone(),
                context: choice.context,
                concurrency: server.concurrency,
                timeout: server.timeout,
            })?;
            let model = Model {
                sha256: endpoint.identity(),
                name: endpoint.name().to_owned(),
                path: endpoint.address(),
                architecture: ENDPOINT.into(),
                quantisation: String::new(),
                dimensions: 0,
                bytes: 0,
                reading: EncoderReading::default(),
            };
            return Ok((Box::new(endpoint), model));
        }
    };
    work.report("loading the model", 0, None, "texts")?;
    let judge = Judge::load(&path, choice.options())?;
    let model = described(judge.facts(), &path)?;
    Ok((Box::new(judge), model))
}

/// The model file: the one that is named, else the one that judged last. A server is never asked because it judged before.
pub(super) fn path_of(store: &Store, named: Option<&Path>, attempted: &str) -> Result<PathBuf> {
    if let Some(path) = named {
        if path.to_str().is_some_and(is_url) {
            return Err(Fault::usage(attempted, format!("{} is a server, not a model file", path.display()))
                .hint(
                    "A server can judge (`hardcase judge FILE --endpoint URL`), but it cannot be trained",
                ));
        }
        return Ok(real_path(path));
    }
    let last = store.judges()?.into_iter().find(|judge| !judge.is_imported());
    match last.map(|p| store.model(p.model)).transpose()?.flatten() {
        Some(model) if model.architecture == ENDPOINT => Err(Fault::usage(
            attempted,
            format!("the judge of this project is {} at the server {}", model.name, model.path),
        )
        .hint(format!(
            "Texts go to a server only when you name it, and a server cannot be trained: `hardcase judge FILE --endpoint {}`, or name a \
             model file with --model",
            model.path
        ))),
        Some(model) => Ok(PathBuf::from(model.path)),
        None => Err(Fault::usage(attempted, "no language model has judged in this project yet").hint(
            "Name one once: `hardcase judge FILE --model Qwen3-0.6B-Q8_0.gguf`, or any other language model as GGUF",
        )),
    }
}
