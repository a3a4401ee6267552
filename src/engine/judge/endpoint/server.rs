//! A server as a scorer of texts: which model it has, what it is sent, and how many requests run at a time.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::address::{Address, Form};
use super::answer::{Listed, Served, Useless, listed, models};
use super::connection::{Connection, KEY, Patience, Reply};
use super::refusal::{alike, refusal, useless};
use super::walk::walk;
use crate::domain::fault::{Fault, Result};
use crate::domain::judge_chat::{Speaker, chat, folded};
use crate::domain::predictor::PromptLayout;
use crate::engine::judge::backend::{
    JudgeBackend, LEAST_TEXT, LONGEST, OnVerdicts, Question, TextScorer, Verdict, no_room,
};
use crate::engine::judge::frame::{Frame, Span};
use crate::engine::judge::prompt::JudgePrompt;
use crate::engine::judge::template::{Role, Turn};

/// How many of the likeliest tokens are requested, and how many if a server refuses that.
const LIKELIEST: usize = 20;
const FEWER: usize = 5;
/// Bytes that count as one token, because there is no tokenizer here. Most texts have more bytes per token, so they fit.
const BYTES_PER_TOKEN: usize = 3;
/// Replaces the middle of a text that is cut.
const GAP: &str = " […] ";
/// Verdicts are handed over in batches of this size, or after this long.
const HANDED_OVER: usize = 32;
const HANDED_OVER_AFTER: Duration = Duration::from_millis(250);
/// How long running requests may take once the work should end.
const GRACE: Duration = Duration::from_secs(1);

/// Which server, and how it is used.
#[derive(Clone, Debug)]
pub struct EndpointOptions {
    /// Its address, with or without `/v1` and what follows; `…/chat/completions` for a chat.
    pub url: String,
    /// The model's name on the server; by default the first in its list.
    pub model: Option<String>,
    /// The most tokens of prompt, text and answer together; by default what the server states, at most 2,048.
    pub context: Option<NonZeroUsize>,
    /// Requests at a time.
    pub concurrency: NonZeroUsize,
    /// How long an answer may take.
    pub timeout: Duration,
}

/// A server that has responded once.
pub struct Endpoint {
    address: Address,
    connection: Connection,
    model: String,
    context: usize,
    concurrency: usize,
    likeliest: AtomicUsize,
    /// The model's template at the server refused a system turn.
    refuses_system: AtomicBool,
}

/// What a server is asked to go on with.
enum Asked {
    Words(String),
    Turns(Vec<Turn>),
}

impl Endpoint {
    /// Asks the server which models it has.
    ///
    /// # Errors
    /// The address is malformed, or the server is not there, refuses the key, or has no model.
    pub fn connect(options: &EndpointOptions) -> Result<Self> {
        let address = Address::read(&options.url)?;
        let concurrency = options.concurrency.get();
        let connection = Connection::new(options.timeout, concurrency)?;
        for (kept, what) in
            [(Some(&options.url), "its address"), (options.model.as_ref(), "the model's name")]
        {
            if kept.is_some_and(|kept| connection.secret().is_some_and(|key| key.is_in(kept))) {
                let why = format!("{what} holds the key, and the project keeps it");
                return Err(Fault::usage("judge through a server", why)
                    .hint(format!("Leave the key to the environment variable {KEY}")));
            }
        }
        let url = address.models();
        let reply = connection.ask(&url, None, Patience::None)?;
        let known = of_reply(&url, &reply, options.model.is_some(), &connection)?;
        let model = match (&options.model, known.first()) {
            (Some(named), _) => named.clone(),
            (None, Some(first)) if connection.secret().is_some_and(|key| key.shows_in(&first.name)) => {
                return Err(Fault::new(format!("ask the server {url}"), "its model is named like the key")
                    .hint("Name the model with --model NAME"));
            }
            (None, Some(first)) => first.name.chars().filter(|c| !c.is_control()).collect(),
            (None, None) => {
                return Err(Fault::new(format!("ask the server {url}"), "it names no model that it has")
                    .hint("Name the model with --model NAME"));
            }
        };
        let told = known.iter().find(|served| served.name == model).and_then(|served| served.context);
        let most = options.context.map_or(LONGEST, NonZeroUsize::get);
        let context = told.map_or(most, |told| told.min(most));
        Ok(Self {
            address,
            connection,
            model,
            context,
            concurrency,
            likeliest: LIKELIEST.into(),
            refuses_system: false.into(),
        })
    }

    /// Its address, without any secret. It parses as the same address.
    pub fn address(&self) -> String {
        self.address.kept()
    }

    /// Takes the place of a model file's hash: the same for the same address and name.
    pub fn identity(&self) -> Vec<u8> {
        Sha256::digest(format!("{}\n{}", self.address(), self.model)).to_vec()
    }

    /// The likeliest first tokens of what follows.
    fn likeliest(&self, asked: &Asked) -> Result<Vec<Listed>> {
        let url = self.address.scoring();
        let ask = |most: usize, refuses_system: bool| {
            let question = self.question(asked, most, refuses_system).to_string();
            self.connection.ask(&url, Some(question.as_bytes()), Patience::Usual)
        };
        let (mut most, refuses_system) =
            (self.likeliest.load(Ordering::Relaxed), self.refuses_system.load(Ordering::Relaxed));
        let mut reply = ask(most, refuses_system)?;
        if matches!(reply.status, 400 | 422) && most > FEWER {
            let again = ask(FEWER, refuses_system)?;
            if again.is_good() {
                self.likeliest.store(FEWER, Ordering::Relaxed);
            }
            // Whatever else it refuses, it is not refused for this.
            (most, reply) = (FEWER, again);
        }
        let has_system = matches!(asked, Asked::Turns(turns) if turns.iter().any(|t| t.role == Role::System));
        if matches!(reply.status, 400 | 422 | 500) && has_system && !refuses_system {
            let again = ask(most, true)?;
            if again.is_good() {
                self.likeliest.store(most, Ordering::Relaxed);
                self.refuses_system.store(true, Ordering::Relaxed);
                reply = again;
            }
        }
        if !reply.is_good() {
            return Err(refusal(&url, &reply, &self.connection));
        }
        listed(&reply.body).map_err(|why| useless(&url, why))
    }

    fn question(&self, asked: &Asked, most: usize, refuses_system: bool) -> Value {
        let model = &self.model;
        match asked {
            Asked::Words(words) => {
                json!({ "model": model, "prompt": words, "max_tokens": 1, "temperature": 0, "logprobs": most })
            }
            Asked::Turns(turns) => {
                let turns = if refuses_system { without_system(turns) } else { turns.clone() };
                json!({
                    "model": model, "messages": turns,
                    "max_tokens": 1, "temperature": 0, "logprobs": true, "top_logprobs": most,
                })
            }
        }
    }
}

/// Turns with what the system turn says at the beginning of the first user turn.
fn without_system(turns: &[Turn]) -> Vec<Turn> {
    match turns {
        [system, user, rest @ ..] if system.role == Role::System => {
            let first = Turn::of(Role::User, format!("{}\n\n{}", system.content, user.content));
            std::iter::once(first).chain(rest.iter().cloned()).collect()
        }
        other => other.to_vec(),
    }
}

/// What is asked of a text, in turns. Servers open the assistant's turn themselves, so the cue ends the user's.
fn turns(told: &JudgePrompt, examples: &[(String, usize)], text: &str) -> Vec<Turn> {
    let name = |label: usize| told.labels.get(label).map_or("", |label| label.name.as_str());
    let examples = examples.iter().map(|(text, label)| (text.as_str(), name(*label)));
    let role = |speaker| match speaker {
        Speaker::System => Role::System,
        Speaker::User => Role::User,
        Speaker::Assistant => Role::Assistant,
    };
    let messages = chat(told.instruction(), told.layout, examples, text);
    messages.into_iter().map(|said| Turn::of(role(said.role), said.content)).collect()
}

/// The same in words, without turns.
fn words(told: &JudgePrompt, examples: &[(String, usize)], text: &str) -> String {
    let frame = Frame::plain(examples.len());
    let before = Span::text(&[frame.opening(told), frame.lead(told, examples)].concat());
    format!("{before} {text}{}", Span::text(&frame.cue()))
}

/// The models that a server lists. A server without a list is assumed to have the named model.
fn of_reply(url: &str, reply: &Reply, is_named: bool, connection: &Connection) -> Result<Vec<Served>> {
    let keeps_no_list = is_named && matches!(reply.status, 400 | 404 | 405 | 501);
    if !(reply.is_good() || keeps_no_list) {
        return Err(refusal(url, reply, connection));
    }
    match models(&reply.body) {
        Some(models) => Ok(models),
        None if is_named => Ok(Vec::new()),
        None => Err(useless(url, Useless::Strange)),
    }
}

impl JudgeBackend for Endpoint {
    fn name(&self) -> &str {
        &self.model
    }

    fn context(&self) -> usize {
        self.context
    }

    fn text_room(&self, instruction: &JudgePrompt) -> Result<usize> {
        if self.address.form == Form::Chat {
            let names: Vec<&str> = instruction.labels.iter().map(|label| label.name.as_str()).collect();
            for (i, one) in names.iter().enumerate() {
                if let Some(other) = names[i + 1..].iter().find(|other| begin_alike(one, other)) {
                    return Err(alike(&self.address, one, other));
                }
            }
        }
        let longest = instruction.labels.iter().map(|label| label.name.len()).max().unwrap_or(0);
        let bytes = words(instruction, instruction.shared(), "").len() + longest + 1;
        let taken = bytes.div_ceil(BYTES_PER_TOKEN);
        let room = self.context.saturating_sub(taken);
        if room < LEAST_TEXT { Err(no_room(taken, self.context)) } else { Ok(room) }
    }

    fn trouble(&self) -> Option<String> {
        self.connection.trouble()
    }

    fn longest(&self, room: usize) -> String {
        format!("{} bytes ({room} tokens of {BYTES_PER_TOKEN} bytes)", room * BYTES_PER_TOKEN)
    }

    fn layout(&self, wanted: PromptLayout) -> PromptLayout {
        match self.address.form {
            Form::Chat => wanted,
            Form::Completions => PromptLayout::Plain,
        }
    }

    fn may_be_tried(&self) -> bool {
        false
    }

    fn adapt(&mut self, _bytes: &[u8]) -> Result<()> {
        Err(Fault::usage("load the adapter", "a server takes none from here")
            .hint("Judge with the model's file: --model FILE.gguf"))
    }

    fn add_variant(&mut self, _adapter: Option<&[u8]>) -> Result<()> {
        Err(Fault::new("compare two adapters in one pass", "a server takes none from here"))
    }

    fn prepare<'r>(&'r self, instruction: &JudgePrompt) -> Result<Box<dyn TextScorer + 'r>> {
        let room = self.text_room(instruction)?;
        Ok(Box::new(Asking {
            endpoint: self,
            told: instruction.clone(),
            labels: instruction.labels.iter().map(|label| label.name.trim().to_owned()).collect(),
            longest: room * BYTES_PER_TOKEN,
        }))
    }
}

/// Whether two names have the same first word, or one is a prefix of the other. Other shared tokens are found while scoring.
fn begin_alike(one: &str, other: &str) -> bool {
    let first = |name: &str| name.split([' ', '-', '_', '/']).next().unwrap_or_default().to_owned();
    first(one) == first(other) || one.starts_with(other) || other.starts_with(one)
}

/// A server with a prompt, which is sent with each text; servers cache a common prefix.
struct Asking<'e> {
    endpoint: &'e Endpoint,
    told: JudgePrompt,
    labels: Vec<String>,
    /// In bytes.
    longest: usize,
}

impl Asking<'_> {
    fn one(&self, question: &Question<'_>) -> Result<Verdict> {
        let own = self.told.nearest > 0;
        let (text, cut) = cut(question.text, if own { self.longest / 2 } else { self.longest });
        let room = self.longest - text.len();
        let own_examples = || {
            let empty = words(&self.told, &[], "").len();
            let fits = |some: &Vec<(String, usize)>| words(&self.told, some, "").len() <= empty + room;
            self.told.own_lead(&question.examples, <[_]>::to_vec, fits)
        };
        let examples = if own { own_examples() } else { self.told.shared().to_vec() };
        let asked = match self.endpoint.address.form {
            Form::Chat => Asked::Turns(turns(&self.told, &examples, &text)),
            Form::Completions => Asked::Words(words(&self.told, &examples, &text)),
        };
        let walked = walk(&self.labels, &mut |said, among| match &asked {
            Asked::Turns(_) if !said.is_empty() => {
                Err(alike(&self.endpoint.address, &self.labels[among[0]], &self.labels[among[1]]))
            }
            Asked::Words(words) if !said.is_empty() => {
                self.endpoint.likeliest(&Asked::Words(format!("{words}{said}")))
            }
            asked => self.endpoint.likeliest(asked),
        })?;
        let log = |p: &f64| p.max(f64::from(f32::MIN_POSITIVE)).ln() as f32;
        Ok(Verdict {
            log_probabilities: walked.p.iter().map(log).collect(),
            variants: Vec::new(),
            tokens: 0,
            cut,
            states: None,
            unlisted: walked.unlisted,
        })
    }

    /// Hands verdicts over as they arrive, until all are there, one failed, or the receiver stops.
    fn gather(
        &self,
        told: &Receiver<(usize, Result<Verdict>)>,
        ending: &AtomicBool,
        on_some: &mut OnVerdicts<'_>,
    ) -> Result<()> {
        let (mut some, mut failed, mut until) = (Vec::new(), None, None);
        let mut handed_over = Instant::now();
        loop {
            match told.recv_timeout(HANDED_OVER_AFTER) {
                Ok((at, Ok(verdict))) => some.push((at, verdict)),
                Ok((_, Err(fault))) if until.is_none() => failed = Some(fault),
                Ok(_) | Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
            let mut enough = failed.is_some();
            if some.len() >= HANDED_OVER || handed_over.elapsed() >= HANDED_OVER_AFTER {
                enough |= on_some(&some).is_break();
                some.clear();
                handed_over = Instant::now();
            }
            if enough && until.is_none() {
                ending.store(true, Ordering::Relaxed);
                until = Some(Instant::now() + GRACE);
            }
            if until.is_some_and(|until| Instant::now() >= until) {
                self.endpoint.connection.stop();
            }
        }
        if !some.is_empty() {
            let _ = on_some(&some);
        }
        failed.map_or(Ok(()), Err)
    }
}

impl TextScorer for Asking<'_> {
    fn instruction_tokens(&self) -> Option<usize> {
        None
    }

    fn seen(&self) -> Option<usize> {
        Some(self.endpoint.likeliest.load(Ordering::Relaxed))
    }

    fn score(&mut self, texts: &[Question<'_>], on_some: &mut OnVerdicts<'_>) -> Result<()> {
        let (asking, next, ending) = (&*self, AtomicUsize::new(0), AtomicBool::new(false));
        let (tell, told) = channel();
        std::thread::scope(|scope| {
            for _ in 0..asking.endpoint.concurrency.min(texts.len()) {
                let tell = tell.clone();
                let (next, ending) = (&next, &ending);
                scope.spawn(move || {
                    while !ending.load(Ordering::Relaxed) {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(text) = texts.get(at) else { return };
                        if tell.send((at, asking.one(text))).is_err() {
                            return;
                        }
                    }
                });
            }
            drop(tell);
            asking.gather(&told, &ending, on_some)
        })
    }
}

/// A text on one line, and whether it was cut. Of a text over `most` bytes, two thirds of the room go to its beginning and the rest to its end.
fn cut(text: &str, most: usize) -> (String, bool) {
    let text = folded(text);
    if text.len() <= most {
        return (text, false);
    }
    let room = most.saturating_sub(GAP.len());
    let whole = |at: &usize| text.is_char_boundary(*at);
    let head = (0..=2 * room / 3).rev().find(whole).unwrap_or(0);
    let tail = (text.len() - (room - 2 * room / 3)..=text.len()).find(whole).unwrap_or(text.len());
    (format!("{}{GAP}{}", &text[..head], &text[tail..]), true)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_with_a_common_prefix_are_found_before_any_text_is_sent() {
        for (one, other) in
            [("not spam", "not ham"), ("dog", "dog house"), ("a-1", "a-2"), ("card_a", "card b")]
        {
            assert!(begin_alike(one, other) && begin_alike(other, one), "{one} {other}");
        }
        for (one, other) in [("spam", "scam"), ("cat", "car"), ("fine", "clickbait")] {
            assert!(!begin_alike(one, other), "{one} {other}");
        }
    }

    proptest! {
        #[test]
        fn a_long_text_keeps_its_beginning_and_its_end_within_its_room(text in "\\PC{0,300}", most in 40usize..200) {
            let (said, was_cut) = cut(&text, most);
            let whole = folded(&text);
            prop_assert!(said.len() <= most, "{} of {most}", said.len());
            prop_assert_eq!(was_cut, whole.len() > most);
            match said.split_once(GAP).filter(|_| was_cut) {
                Some((head, tail)) => prop_assert!(whole.starts_with(head) && whole.ends_with(tail)),
                None => prop_assert_eq!(said, whole),
            }
        }
    }
}
