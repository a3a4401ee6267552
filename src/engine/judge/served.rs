//! A language model as llama.cpp holds it, and the tokens of what it is asked.

use std::num::NonZeroUsize;
use std::path::Path;

use llama_cpp_2::model::params::LlamaModelParams;

use super::answers::Answers;
use super::backend::{LEAST_TEXT, LONGEST, Question, no_room};
use super::chat::Chat;
use super::frame::{Frame, Span};
use super::prompt::JudgePrompt;
use super::unpacked::Unpacked;
use super::vocabulary::{Behind, Vocabulary};
use crate::domain::fault::{Fault, Result};
use crate::domain::judge_chat::folded;
use crate::engine::gguf::TensorType;
use crate::engine::llama::{Loaded, Served, backend, physical_cores};
use crate::engine::lora::AdapterFile;
use crate::engine::model_file::{ModelFacts, inspect};

/// Real texts have far fewer bytes per token, so what lies beyond needs no tokenising.
const BYTES_PER_TOKEN: usize = 32;

/// How to run a judge.
#[derive(Clone, Copy, Debug)]
pub struct JudgeOptions {
    /// Threads of the processor.
    pub threads: NonZeroUsize,
    /// The most tokens of instruction, text and answer together; as many as the model takes, but at most 2,048, where none are named.
    pub context: Option<NonZeroUsize>,
    /// Tokens of texts that are computed at a time.
    pub batch: NonZeroUsize,
    /// Layers that a graphics card computes, if there is one and this build can use it; all where none are named.
    pub gpu_layers: Option<u32>,
    /// Computes with the weights as the file packs them, also where a copy of them as BF16 would be faster and has room in memory.
    pub packed: bool,
}

impl Default for JudgeOptions {
    fn default() -> Self {
        Self {
            threads: physical_cores(),
            context: None,
            batch: NonZeroUsize::MIN.saturating_add(511),
            gpu_layers: None,
            packed: false,
        }
    }
}

/// The model with an adapter, or without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Variant {
    Plain,
    /// With an adapter that acts on every token.
    Adapted(Loaded),
    /// With one that acts on the tokens of the answer alone: it reads a text as the model itself does.
    OnAnswers(Loaded),
}

/// A loaded language model.
pub struct Judge {
    /// The model, and the adapters loaded with it.
    pub served: Served,
    /// What scores each text: the judge first, then the variants that it is compared with.
    pub(super) variants: Vec<Variant>,
    pub(super) options: JudgeOptions,
    /// What its large matrices are in memory, where they are not as the file has them.
    pub unpacked: Option<TensorType>,
    facts: ModelFacts,
    pub(super) chat: Chat,
    vocabulary: Vocabulary,
}

/// What is asked, in tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    /// Everything before a text that is the same for all.
    pub prefix: Vec<u32>,
    /// What stands around the examples that a text alone has, by their number.
    own: Vec<Frame>,
    /// From the end of a text to where the label begins.
    pub cue: Vec<u32>,
    /// The labels.
    pub answers: Answers,
    /// The most tokens of a text.
    pub longest_text: usize,
}

impl Judge {
    /// Loads the model file at `path`.
    ///
    /// # Errors
    /// Where the file is damaged or no language model, or llama.cpp refuses it, with llama.cpp's own reason.
    pub fn load(path: &Path, options: JudgeOptions) -> Result<Self> {
        let facts = inspect(path)?;
        facts.require_language_model()?;
        if let Some(asked) = options.context.filter(|asked| asked.get() > facts.context) {
            let why = format!("{} was made to read {} tokens at a time at most", facts.name, facts.context);
            return Err(Fault::usage(format!("judge with --context {asked}"), why)
                .hint("Ask for fewer, or take a model with a longer context"));
        }
        let mut params = LlamaModelParams::default();
        if let Some(layers) = options.gpu_layers {
            params = params.with_n_gpu_layers(layers);
        }
        let by_card = options.gpu_layers != Some(0) && backend()?.supports_gpu_offload();
        let copy = if options.packed || by_card { None } else { Unpacked::if_faster(path) };
        // Where the copy cannot be read, the file itself is loaded, so that its own error is reported.
        let copied = copy.and_then(|copy| Some((Served::with(&copy.path(), &params).ok()?, copy.kind)));
        let (served, unpacked) = match copied {
            Some((served, kind)) => (served, Some(kind)),
            None => (Served::with(path, &params)?, None),
        };
        Ok(Self {
            chat: Chat::of(&served.model),
            vocabulary: Vocabulary::of(&served.model),
            variants: vec![Variant::Plain],
            options,
            unpacked,
            facts,
            served,
        })
    }

    /// Loads the adapter whose file these bytes are; it acts on the tokens that it was trained to act on.
    ///
    /// # Errors
    /// Where the bytes are no such file, or llama.cpp refuses it, with its own reason.
    pub fn adapt(&mut self, bytes: &[u8]) -> Result<()> {
        self.variants = vec![self.load_variant(bytes)?];
        Ok(())
    }

    /// Adds a variant that scores on the same pass over the texts: the model with an earlier adapter, or without one.
    ///
    /// # Errors
    /// As [`Self::adapt`]; and where the two do not read a text alike, because an adapter acts on all of it.
    pub fn add_variant(&mut self, adapter: Option<&[u8]>) -> Result<()> {
        let variant = adapter.map_or(Ok(Variant::Plain), |bytes| self.load_variant(bytes))?;
        if [variant, self.variants[0]].iter().any(|variant| matches!(variant, Variant::Adapted(_))) {
            return Err(Fault::new("compare two adapters in one pass", "one of them acts on every token"));
        }
        self.variants.push(variant);
        Ok(())
    }

    fn load_variant(&mut self, bytes: &[u8]) -> Result<Variant> {
        let file = AdapterFile::decode(bytes);
        let file = file.map_err(|e| Fault::new("load the adapter", e.to_string()).because(e))?;
        let loaded = self.served.adapt(bytes)?;
        Ok(if file.invocation.is_empty() { Variant::Adapted(loaded) } else { Variant::OnAnswers(loaded) })
    }

    /// The options it runs with.
    pub fn options(&self) -> JudgeOptions {
        self.options
    }

    /// What the model's file says of it.
    pub fn facts(&self) -> &ModelFacts {
        &self.facts
    }

    /// The most tokens of instruction, text and answer together.
    pub fn context(&self) -> usize {
        let most = self.options.context.map_or(LONGEST, NonZeroUsize::get);
        self.facts.context.min(most)
    }

    /// The instruction in the model's tokens.
    ///
    /// # Errors
    /// Where it leaves no room for a text, or the model writes two labels alike.
    pub(super) fn ask(&self, instruction: &JudgePrompt) -> Result<Asked> {
        let layout = self.chat.layout(instruction.layout);
        let frame = self.chat.frame(layout, instruction.shared().len())?;
        let own: Result<Vec<Frame>> = (0..=instruction.nearest).map(|n| self.chat.frame(layout, n)).collect();
        let own = if instruction.nearest == 0 { Vec::new() } else { own? };
        if own.iter().any(|o| (&o.before, &o.open, &o.answer) != (&frame.before, &frame.open, &frame.answer))
        {
            let why = "the model's chat template writes the instruction otherwise where a text has examples of its own";
            return Err(Fault::new("prepare the instruction", why)
                .hint("Use the same examples for all texts: --examples 8"));
        }
        let vocab = self.served.model.vocab();
        let mut prefix = Vec::new();
        // A template names the mark of the beginning itself, where its makers want one.
        if !layout.is_in_turns() && vocab.should_add_bos() {
            prefix.extend(u32::try_from(vocab.bos().0));
        }
        let shared = [frame.opening(instruction), frame.lead(instruction, instruction.shared())].concat();
        prefix.extend(self.vocabulary.tokens(&vocab, &shared, Behind::Nothing));
        let cue = self.vocabulary.tokens(&vocab, &frame.cue(), Behind::Words);
        let names = instruction.labels.iter().map(|label| self.continued(&label.name));
        let mut labels: Vec<Vec<u32>> = names.collect();
        let begins_another = |label: &Vec<u32>| labels.iter().filter(|l| l.starts_with(label)).count() > 1;
        if labels.iter().any(begins_another) {
            let end = self.end_of_answer(&frame);
            labels.iter_mut().for_each(|label| label.extend(&end));
        }
        let answers = Answers::new(labels).ok_or_else(|| {
            let why = "the model's tokens write two of the labels alike";
            Fault::new("prepare the instruction", why)
                .hint("Give the labels names that differ, or use another model")
        })?;
        let most = self.context();
        let taken = prefix.len() + cue.len() + answers.longest_path() + 1;
        let longest_text = most.saturating_sub(taken);
        if longest_text < LEAST_TEXT {
            return Err(no_room(taken, most));
        }
        Ok(Asked { prefix, own, cue, answers, longest_text })
    }

    /// A text's tokens, and whether it was cut: of a text that is too long the first two thirds of the room are its beginning, the rest its end.
    pub(super) fn text(&self, text: &str, most: usize) -> (Vec<u32>, bool) {
        let text = folded(text);
        let bytes = most * BYTES_PER_TOKEN;
        let (head, tail) = if text.len() > 2 * bytes {
            let whole = |at: &usize| text.is_char_boundary(*at);
            let (head, tail) = ((0..=bytes).rev().find(whole), (text.len() - bytes..text.len()).find(whole));
            (&text[..head.unwrap_or(0)], Some(&text[tail.unwrap_or(text.len())..]))
        } else {
            (&text[..], None)
        };
        let mut tokens = self.continued(head);
        let end = tail.map_or_else(|| tokens.clone(), |tail| self.continued(tail));
        let cut = tail.is_some() || tokens.len() > most;
        if cut {
            let gap = self.continued("[…]");
            let room = most.saturating_sub(gap.len());
            let (first, last) = ((2 * room / 3).min(tokens.len()), (room - 2 * room / 3).min(end.len()));
            tokens.truncate(first);
            tokens.extend(gap);
            tokens.extend(&end[end.len() - last..]);
            tokens.truncate(most);
        }
        (tokens, cut)
    }

    /// What tells that an answer is at its end: the mark that the template writes there, or else a line break.
    fn end_of_answer(&self, frame: &Frame) -> Vec<u32> {
        let vocab = self.served.model.vocab();
        let end = frame.end.trim_start();
        if let Some((0, _, marker)) = self.vocabulary.markers.first(end) {
            return vec![marker.id];
        }
        let written = [frame.end.as_str(), "\n"];
        let tokens = written.map(|end| self.vocabulary.tokens(&vocab, &[Span::Template(end)], Behind::Words));
        tokens.into_iter().find_map(|tokens| tokens.first().copied()).into_iter().collect()
    }

    /// The tokens of what stands between the prefix and the cue, as many as there is room for, and whether the text was cut. Where it has examples of its own,
    /// the text has half of the room, and those of the examples that fit with it are read, the most useful last.
    pub(super) fn question(
        &self,
        told: &JudgePrompt,
        question: &Question<'_>,
        asked: &Asked,
    ) -> (Vec<u32>, bool) {
        let most = asked.longest_text;
        if told.nearest == 0 {
            return self.text(question.text, most);
        }
        let (text, cut) = self.text(question.text, most / 2);
        let fits = |lead: &Vec<u32>| lead.len() + text.len() <= most;
        let vocab = self.served.model.vocab();
        let written = |examples: &[(String, usize)]| {
            let spans = asked.own.get(examples.len()).map(|frame| frame.lead(told, examples));
            self.vocabulary.tokens(&vocab, &spans.unwrap_or_default(), Behind::Words)
        };
        let lead = told.own_lead(&question.examples, written, fits);
        ([lead, text].concat(), cut)
    }

    /// The tokens of words that follow others after a space.
    fn continued(&self, text: &str) -> Vec<u32> {
        self.vocabulary.continued(&self.served.model.vocab(), text)
    }
}

#[cfg(test)]
mod tests;
