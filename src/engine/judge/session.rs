//! One session of the judge: the instruction in the cache, and texts scored against it a handful at a time.

use std::num::NonZeroU32;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;

use super::backend::{JudgeBackend, OnVerdicts, Question, TextScorer, Verdict};
use super::prompt::JudgePrompt;
use super::served::{Asked, Judge, Variant};
use crate::domain::fault::{Fault, Result};
use crate::engine::llama::{backend, with_logged_error};

/// Texts in the cache at a time, next to the instruction.
const MOST_TEXTS: usize = 32;
/// Where the instruction lies in the cache.
const INSTRUCTION: i32 = 0;

/// A judge that has read its instruction.
pub struct JudgeSession<'judge> {
    judge: &'judge Judge,
    context: LlamaContext<'judge>,
    batch: LlamaBatch<'static>,
    told: JudgePrompt,
    asked: Asked,
    /// Tokens of texts and cues that are computed at a time.
    room: usize,
}

impl Judge {
    /// Evaluates the instruction and keeps it in the cache.
    ///
    /// # Errors
    /// Where it leaves no room for a text, the model writes two labels alike, or there is not enough memory.
    pub fn session(&self, instruction: &JudgePrompt) -> Result<JudgeSession<'_>> {
        let attempted = "prepare the judge";
        let asked = self.ask(instruction)?;
        let longest = asked.longest_text + asked.cue.len();
        let room = self.options.batch.get().max(longest);
        // The answers' paths are decoded behind their texts, a few at a time.
        let paths = asked.answers.longest_path() * MOST_TEXTS;
        let cells = (asked.prefix.len() + room + paths).next_multiple_of(256);
        let batch = room.max(asked.prefix.len()).max(paths);
        let size = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let threads = i32::try_from(self.options.threads.get()).unwrap_or(i32::MAX);
        let params = LlamaContextParams::default()
            .with_n_threads(threads)
            .with_n_threads_batch(threads)
            .with_n_ctx(NonZeroU32::new(size(cells)))
            .with_n_batch(size(batch))
            .with_n_ubatch(size(batch.min(self.options.batch.get())))
            .with_n_seq_max(size(1 + 2 * MOST_TEXTS))
            // One cache for all: the instruction lies in it once, however many texts look back at it.
            .with_kv_unified(true)
            .with_no_perf(true);
        let backend = backend()?;
        let (context, reason) = with_logged_error(|| self.served.model.new_context(backend, params));
        let context = context.map_err(|e| {
            let why = reason.unwrap_or_else(|| "llama.cpp made no context and did not say why".into());
            Fault::new(attempted, why).hint("A smaller --context needs less memory").because(e)
        })?;
        let mut session = JudgeSession {
            judge: self,
            context,
            batch: LlamaBatch::new(batch, 1),
            told: instruction.clone(),
            asked,
            room,
        };
        session.begin()?;
        let prefix = session.asked.prefix.clone();
        session.add(&prefix, 0, INSTRUCTION, Output::None)?;
        session.decode()?;
        Ok(session)
    }
}

impl JudgeBackend for Judge {
    fn name(&self) -> &str {
        &self.facts().name
    }

    fn context(&self) -> usize {
        self.context()
    }

    fn text_room(&self, instruction: &JudgePrompt) -> Result<usize> {
        self.ask(instruction).map(|asked| asked.longest_text)
    }

    fn longest(&self, room: usize) -> String {
        format!("{room} tokens")
    }

    fn is_templated(&self) -> bool {
        self.templated
    }

    fn adapt(&mut self, bytes: &[u8]) -> Result<()> {
        self.adapt(bytes)
    }

    fn add_variant(&mut self, adapter: Option<&[u8]>) -> Result<()> {
        self.add_variant(adapter)
    }

    fn prepare<'r>(&'r self, instruction: &JudgePrompt) -> Result<Box<dyn TextScorer + 'r>> {
        Ok(Box::new(self.session(instruction)?))
    }
}

impl TextScorer for JudgeSession<'_> {
    fn instruction_tokens(&self) -> Option<usize> {
        Some(self.instruction_tokens())
    }

    fn seen(&self) -> Option<usize> {
        None
    }

    fn score(&mut self, texts: &[Question<'_>], on_some: &mut OnVerdicts<'_>) -> Result<()> {
        self.score(texts, &mut |first, verdicts| {
            let some: Vec<(usize, Verdict)> = (first..).zip(verdicts.iter().cloned()).collect();
            on_some(&some)
        })
    }
}

/// Whether the logits after the last token of some are wanted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    None,
    Last,
}

impl JudgeSession<'_> {
    /// Tokens of the instruction, which all texts share.
    pub fn instruction_tokens(&self) -> usize {
        self.asked.prefix.len()
    }

    /// Tokens of the cue, which follow each text.
    pub fn cue_tokens(&self) -> usize {
        self.asked.cue.len()
    }

    /// What the judge makes of `texts`, in their order. `on_some` is told how many are done each time some more are; nothing that was told is
    /// lost when it breaks.
    ///
    /// # Errors
    /// Where llama.cpp fails on a text. What was handed over before stays good.
    pub fn score(
        &mut self,
        texts: &[Question<'_>],
        on_some: &mut dyn FnMut(usize, &[Verdict]) -> std::ops::ControlFlow<()>,
    ) -> Result<()> {
        let most = self.asked.longest_text;
        let mut first = 0;
        while first < texts.len() {
            let (mut group, mut taken): (Vec<(Vec<u32>, bool)>, usize) = (Vec::new(), 0);
            for question in &texts[first..] {
                let (tokens, cut) = self.judge.question(&self.told, question, most);
                taken += tokens.len() + self.asked.cue.len();
                if !group.is_empty() && (taken > self.room || group.len() == MOST_TEXTS) {
                    break;
                }
                group.push((tokens, cut));
            }
            let verdicts = self.together(&group)?;
            if on_some(first, &verdicts).is_break() {
                return Ok(());
            }
            first += group.len();
        }
        Ok(())
    }

    /// Scores texts that fit the cache together.
    fn together(&mut self, texts: &[(Vec<u32>, bool)]) -> Result<Vec<Verdict>> {
        let start = self.asked.prefix.len();
        let cue = self.asked.cue.clone();
        let variants = self.judge.variants.clone();
        // One that acts on answers alone has to come after the texts.
        let mut ends: Vec<i32> = Vec::with_capacity(texts.len());
        let at_once = !matches!(variants[0], Variant::OnAnswers(_));
        for (sequence, (tokens, _)) in (1..).zip(texts) {
            self.share(INSTRUCTION, sequence)?;
            self.add(tokens, start, sequence, Output::None)?;
            if at_once {
                ends.push(self.add(&cue, start + tokens.len(), sequence, Output::Last)?);
            }
        }
        self.decode()?;
        let mut said = Vec::with_capacity(variants.len());
        for (number, variant) in variants.iter().enumerate() {
            if number > 0 || !at_once {
                self.switch_adapter(*variant)?;
                ends.clear();
                for (sequence, (tokens, _)) in (1..).zip(texts) {
                    let end = start + tokens.len();
                    self.forget(sequence, end)?;
                    ends.push(self.add(&cue, end, sequence as i32, Output::Last)?);
                }
                self.decode()?;
            }
            said.push(self.choices(texts, &ends)?);
        }
        for sequence in 1..=texts.len() {
            self.forget(sequence, 0)?;
        }
        self.begin()?;
        let mut by_voice: Vec<_> = said.into_iter().map(Vec::into_iter).collect();
        let verdict = |(tokens, cut): &(Vec<u32>, bool)| {
            let mut of_text = by_voice.iter_mut().filter_map(Iterator::next);
            Verdict {
                log_probabilities: of_text.next().unwrap_or_default(),
                variants: of_text.collect(),
                tokens: tokens.len(),
                cut: *cut,
                unlisted: false,
            }
        };
        Ok(texts.iter().map(verdict).collect())
    }

    /// Each label's log-probability for each text, after the cues that end at `ends` of the last batch.
    fn choices(&mut self, texts: &[(Vec<u32>, bool)], ends: &[i32]) -> Result<Vec<Vec<f32>>> {
        let after_text = self.asked.prefix.len() + self.asked.cue.len();
        let answers = self.asked.answers.clone();
        let mut choices: Vec<Vec<Vec<f32>>> = vec![Vec::new(); texts.len()];
        for (at, path) in answers.paths().enumerate() {
            if path.is_empty() {
                for (choices, end) in choices.iter_mut().zip(ends) {
                    choices.push(answers.choice(at, self.context.get_logits_ith(*end)));
                }
                continue;
            }
            let mut branches = Vec::with_capacity(texts.len());
            for (sequence, (tokens, _)) in (1..).zip(texts) {
                let branch = sequence + MOST_TEXTS as i32;
                self.share(sequence, branch)?;
                branches.push(self.add(path, after_text + tokens.len(), branch, Output::Last)?);
            }
            self.decode()?;
            for (choices, end) in choices.iter_mut().zip(&branches) {
                choices.push(answers.choice(at, self.context.get_logits_ith(*end)));
            }
            for sequence in 1..=texts.len() {
                self.forget(sequence + MOST_TEXTS, 0)?;
            }
        }
        let said: Vec<Vec<f32>> = choices.iter().map(|choices| answers.log_probabilities(choices)).collect();
        if said.iter().flatten().any(|log| log.is_nan()) {
            let why = "the model's results are not finite numbers, so its file is damaged";
            return Err(Fault::new("score a text", why).hint("Download the model file again"));
        }
        Ok(said)
    }

    /// Puts tokens into the batch; returns the place of the last.
    fn add(&mut self, tokens: &[u32], at: usize, sequence: i32, output: Output) -> Result<i32> {
        let failed = || Fault::new("score a text", "it is longer than the room that was made for it");
        for (i, token) in tokens.iter().enumerate() {
            let (Ok(id), Ok(position)) = (i32::try_from(*token), i32::try_from(at + i)) else {
                return Err(failed());
            };
            let wanted = output == Output::Last && i + 1 == tokens.len();
            let added = self.batch.add(LlamaToken::new(id), position, &[sequence], wanted);
            added.map_err(|e| failed().because(e))?;
        }
        Ok(self.batch.n_tokens() - 1)
    }

    fn decode(&mut self) -> Result<()> {
        let (decoded, reason) = with_logged_error(|| self.context.decode(&mut self.batch));
        self.batch.clear();
        decoded.map_err(|e| Fault::new("score a text", reason.unwrap_or_else(|| e.to_string())).because(e))
    }

    /// Reads instruction and texts as the judge does.
    fn begin(&mut self) -> Result<()> {
        let everywhere = match self.judge.variants[0] {
            Variant::Adapted(adapter) => Some(adapter),
            Variant::Plain | Variant::OnAnswers(_) => None,
        };
        self.judge.served.switch(&mut self.context, everywhere)
    }

    fn switch_adapter(&mut self, variant: Variant) -> Result<()> {
        let adapter = match variant {
            Variant::Plain => None,
            Variant::Adapted(adapter) | Variant::OnAnswers(adapter) => Some(adapter),
        };
        self.judge.served.switch(&mut self.context, adapter)
    }

    /// Lets a sequence of the cache look back at what another has.
    fn share(&mut self, from: i32, to: i32) -> Result<()> {
        let shared = self.context.copy_kv_cache_seq(from, to, None, None);
        shared.map_err(|e| Fault::new("score a text", e.to_string()).because(e))
    }

    /// Forgets a sequence from a position on.
    fn forget(&mut self, sequence: usize, from: usize) -> Result<()> {
        let (sequence, from) = (u32::try_from(sequence).ok(), u32::try_from(from).ok());
        let cleared = self.context.clear_kv_cache_seq(sequence, from, None);
        cleared.map(drop).map_err(|e| Fault::new("score a text", e.to_string()).because(e))
    }
}

#[cfg(test)]
mod tests;
