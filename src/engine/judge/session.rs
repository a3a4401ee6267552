//! One session of the judge: the prompt in the KV cache, and texts scored against it in small batches.

use std::num::NonZeroU32;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::params::LlamaContextParams;
use llama_cpp_2::llama_batch::LlamaBatch;
use llama_cpp_2::token::LlamaToken;
use ndarray::Array2;

use super::backend::{JudgeBackend, OnVerdicts, Question, TextScorer, Verdict};
use super::prompt::JudgePrompt;
use super::served::{Asked, Judge, Variant};
use crate::domain::fault::{Fault, Result};
use crate::domain::predictor::PromptLayout;
use crate::engine::llama::{HiddenStates, backend, with_logged_error};

/// Texts in the cache at a time, after the prompt.
const MOST_TEXTS: usize = 32;
/// The cache's sequence that holds the prompt.
const PROMPT: i32 = 0;

/// A judge that has evaluated its prompt.
pub struct JudgeSession<'judge> {
    judge: &'judge Judge,
    context: LlamaContext<'judge>,
    /// Named after the context, which it must outlive: fields are dropped in their order.
    states: HiddenStates,
    batch: LlamaBatch<'static>,
    prompt: JudgePrompt,
    asked: Asked,
    /// Tokens of texts and cues that are computed at a time.
    room: usize,
}

impl Judge {
    /// Evaluates the prompt and keeps it in the cache.
    ///
    /// # Errors
    /// The prompt leaves no room for a text, two labels have the same tokens, or there is not enough memory.
    pub fn session(&self, prompt: &JudgePrompt) -> Result<JudgeSession<'_>> {
        let attempted = "prepare the judge";
        let asked = self.ask(prompt)?;
        let longest = asked.longest_text + asked.cue.len();
        let room = self.options.batch.get().max(longest);
        // The answers' paths are decoded after their texts, a few at a time.
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
            // One cache for all sequences, so that every text shares the one copy of the prompt.
            .with_kv_unified(true)
            .with_no_perf(true);
        let model = &self.served.model;
        let count = |n: u32| usize::try_from(n).unwrap_or(0);
        let states = HiddenStates::of(count(model.n_layer()), count(model.n_embd().cast_unsigned()));
        let params = states.listen(params);
        let backend = backend()?;
        let (context, reason) = with_logged_error(|| self.served.model.new_context(backend, params));
        let context = context.map_err(|e| {
            let why = reason.unwrap_or_else(|| "llama.cpp made no context and did not say why".into());
            Fault::new(attempted, why).hint("A smaller --context needs less memory").because(e)
        })?;
        let mut session = JudgeSession {
            judge: self,
            context,
            states,
            batch: LlamaBatch::new(batch, 1),
            prompt: prompt.clone(),
            asked,
            room,
        };
        session.use_base_adapter()?;
        let prefix = session.asked.prefix.clone();
        session.add(&prefix, 0, PROMPT, Output::None)?;
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

    fn text_room(&self, prompt: &JudgePrompt) -> Result<usize> {
        self.ask(prompt).map(|asked| asked.longest_text)
    }

    fn longest(&self, room: usize) -> String {
        format!("{room} tokens")
    }

    fn layout(&self, wanted: PromptLayout) -> PromptLayout {
        self.chat.layout(wanted)
    }

    fn caveat(&self) -> Option<String> {
        let why = self.chat.refused.as_ref()?;
        Some(format!("the model's chat template cannot be used, so the prompt is written without one: {why}"))
    }

    fn adapt(&mut self, bytes: &[u8]) -> Result<()> {
        self.adapt(bytes)
    }

    fn add_variant(&mut self, adapter: Option<&[u8]>) -> Result<()> {
        self.add_variant(adapter)
    }

    fn prepare<'r>(&'r self, prompt: &JudgePrompt) -> Result<Box<dyn TextScorer + 'r>> {
        Ok(Box::new(self.session(prompt)?))
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

/// Whether the logits after the last of some tokens are needed.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Output {
    None,
    Last,
}

impl JudgeSession<'_> {
    /// Tokens of the prompt, which all texts share.
    pub fn instruction_tokens(&self) -> usize {
        self.asked.prefix.len()
    }

    /// Tokens of the cue, which follows each text.
    pub fn cue_tokens(&self) -> usize {
        self.asked.cue.len()
    }

    /// Scores `texts` in order. `on_some` gets each batch of verdicts with the index of its first text; if it breaks, nothing that it got is lost.
    ///
    /// # Errors
    /// llama.cpp fails on a text. Verdicts that were handed over before remain valid.
    pub fn score(
        &mut self,
        texts: &[Question<'_>],
        on_some: &mut dyn FnMut(usize, &[Verdict]) -> std::ops::ControlFlow<()>,
    ) -> Result<()> {
        let mut first = 0;
        while first < texts.len() {
            let (mut group, mut taken): (Vec<(Vec<u32>, bool)>, usize) = (Vec::new(), 0);
            for question in &texts[first..] {
                let (tokens, cut) = self.judge.question(&self.prompt, question, &self.asked);
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
        // An adapter that acts on answers alone may only be used after the texts.
        let mut ends: Vec<i32> = Vec::with_capacity(texts.len());
        let at_once = !matches!(variants[0], Variant::OnAnswers(_));
        let mut owners: Vec<Option<usize>> = Vec::new();
        for ((sequence, (tokens, _)), text) in (1..).zip(texts).zip(0..) {
            self.share(PROMPT, sequence)?;
            self.add(tokens, start, sequence, Output::None)?;
            owners.resize(owners.len() + tokens.len(), Some(text));
            if at_once {
                ends.push(self.add(&cue, start + tokens.len(), sequence, Output::Last)?);
                owners.resize(owners.len() + cue.len(), None);
            }
        }
        // What the model makes of a text by itself: without an adapter, and without examples that it alone has before it.
        let is_itself = !matches!(variants[0], Variant::Adapted(_)) && self.prompt.nearest == 0;
        if is_itself {
            self.states.begin(owners, texts.len());
        }
        let decoded = self.decode();
        let states = if is_itself { self.states.end() } else { vec![None; texts.len()] };
        decoded?;
        let mut scored = Vec::with_capacity(variants.len());
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
            scored.push(self.choices(texts, &ends)?);
        }
        for sequence in 1..=texts.len() {
            self.forget(sequence, 0)?;
        }
        self.use_base_adapter()?;
        let mut by_variant: Vec<_> = scored.into_iter().map(Vec::into_iter).collect();
        let verdict = |((tokens, cut), states): (&(Vec<u32>, bool), Option<Array2<f32>>)| {
            let mut of_text = by_variant.iter_mut().filter_map(Iterator::next);
            Verdict {
                log_probabilities: of_text.next().unwrap_or_default(),
                variants: of_text.collect(),
                states,
                tokens: tokens.len(),
                cut: *cut,
                unlisted: false,
            }
        };
        Ok(texts.iter().zip(states).map(verdict).collect())
    }

    /// Each label's log-probability for each text, after the cues that end at index `ends` of the last batch.
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
        let scored: Vec<Vec<f32>> =
            choices.iter().map(|choices| answers.log_probabilities(choices)).collect();
        if scored.iter().flatten().any(|log| log.is_nan()) {
            let why = "the model's results are not finite numbers, so its file is damaged";
            return Err(Fault::new("score a text", why).hint("Download the model file again"));
        }
        Ok(scored)
    }

    /// Adds tokens to the batch. Returns the index of the last.
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

    /// Switches to the adapter for prompt and texts.
    fn use_base_adapter(&mut self) -> Result<()> {
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

    /// Gives a sequence of the cache the tokens of another.
    fn share(&mut self, from: i32, to: i32) -> Result<()> {
        let shared = self.context.copy_kv_cache_seq(from, to, None, None);
        shared.map_err(|e| Fault::new("score a text", e.to_string()).because(e))
    }

    /// Removes a sequence's tokens from a position on.
    fn forget(&mut self, sequence: usize, from: usize) -> Result<()> {
        let (sequence, from) = (u32::try_from(sequence).ok(), u32::try_from(from).ok());
        let cleared = self.context.clear_kv_cache_seq(sequence, from, None);
        cleared.map(drop).map_err(|e| Fault::new("score a text", e.to_string()).because(e))
    }
}

#[cfg(test)]
mod tests;
