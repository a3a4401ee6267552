//! How fast a model reads on this machine: it is loaded as `scout` or `judge` loads it, and reads for some seconds.
//!
//! What it reads are the advertisements of the demo, one question before all of them. Longer texts and longer guidelines take longer in proportion.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::domain::fault::{Fault, Result};
use crate::domain::local_model::{Ability, LocalModel};
use crate::domain::predictor::PromptLayout;
use crate::engine::encoder::{Encoder, EncoderOptions};
use crate::engine::judge::{Judge, JudgeBackend, JudgeOptions, JudgePrompt, PromptLabel, Question};

const TEXTS: &str = include_str!("../../assets/demo/ads.csv");
/// The column of the texts.
const COLUMN: usize = 1;
/// How long it reads at most. A model that is slower than a text in that time says so after its first batch.
const LONGEST: Duration = Duration::from_secs(10);
/// Read before the clock starts: the first batch also pays for memory that later ones find there.
const WARM_UP: usize = 8;

/// A measurement.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Probe {
    pub texts_per_second: f64,
    /// Texts that it read.
    pub texts: usize,
    /// Their length in words, on average.
    pub words: f64,
    /// How long it took to load the model and to read the instruction.
    pub loading_seconds: f64,
}

/// Measures a model.
///
/// # Errors
/// It can do nothing, or cannot be loaded.
pub fn probe(model: &LocalModel) -> Result<Probe> {
    let texts = texts();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let (warm_up, texts) = texts.split_at(WARM_UP.min(texts.len()));
    let begun = Instant::now();
    let (loaded, read, took) = if model.can(Ability::Scout) {
        let encoder = Encoder::load(&model.path, EncoderOptions::default())?;
        encoder.embed(warm_up, &mut |_, _| ControlFlow::Continue(()))?;
        let loaded = begun.elapsed();
        let mut clock = Clock::start();
        encoder.embed(texts, &mut |some, _| clock.read(some.len()))?;
        (loaded, clock.texts, clock.took)
    } else if model.can(Ability::Judge) {
        let judge = Judge::load(&model.path, JudgeOptions::default())?;
        let mut reading = judge.prepare(&prompt(&judge))?;
        let questions: Vec<Question<'_>> = warm_up.iter().map(|text| (*text).into()).collect();
        reading.score(&questions, &mut |_| ControlFlow::Continue(()))?;
        let loaded = begun.elapsed();
        let questions: Vec<Question<'_>> = texts.iter().map(|text| (*text).into()).collect();
        let mut clock = Clock::start();
        reading.score(&questions, &mut |some| clock.read(some.len()))?;
        (loaded, clock.texts, clock.took)
    } else {
        let why = model.note.clone().unwrap_or_else(|| "it can neither scout nor judge".into());
        return Err(Fault::usage(format!("use the model {}", model.name), why));
    };
    if read == 0 {
        return Err(Fault::new(format!("measure the model {}", model.name), "it read no text"));
    }
    let words: usize = texts.iter().take(read).map(|text| text.split_whitespace().count()).sum();
    Ok(Probe {
        texts_per_second: read as f64 / took.as_secs_f64().max(1e-3),
        texts: read,
        words: words as f64 / read as f64,
        loading_seconds: loaded.as_secs_f64(),
    })
}

/// Counts texts until the time is up.
struct Clock {
    begun: Instant,
    texts: usize,
    /// From the beginning to the last text.
    took: Duration,
}

impl Clock {
    fn start() -> Self {
        Self { begun: Instant::now(), texts: 0, took: Duration::ZERO }
    }

    fn read(&mut self, texts: usize) -> ControlFlow<()> {
        self.texts += texts;
        self.took = self.begun.elapsed();
        if self.took >= LONGEST { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn texts() -> Vec<String> {
    let mut rows = csv::Reader::from_reader(TEXTS.as_bytes());
    rows.records().flatten().filter_map(|row| row.get(COLUMN).map(str::to_owned)).collect()
}

fn prompt(judge: &Judge) -> JudgePrompt {
    let label = |name: &str, description: &str| PromptLabel {
        name: name.into(),
        description: description.into(),
        examples: Vec::new(),
    };
    JudgePrompt {
        layout: judge.layout(PromptLayout::SystemTurn),
        question: "Is this advertisement clickbait?".into(),
        guideline: String::new(),
        labels: vec![
            label("clickbait", "makes the reader curious and keeps back what it is about"),
            label("fine", "says what is offered"),
        ],
        examples: Vec::new(),
        nearest: 0,
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::skip::test_data;
    use crate::engine::local_models::{Machine, model_of};

    #[test]
    fn an_encoder_and_a_language_model_are_measured_and_what_can_do_nothing_is_refused() {
        let encoder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/assets/model/encoder.gguf"));
        let mut model = model_of(&Machine::default(), encoder).unwrap();
        let measured = probe(&model).unwrap();
        assert!(measured.texts_per_second > 0.0 && measured.texts > WARM_UP, "{measured:?}");
        assert!((10.0..40.0).contains(&measured.words), "{measured:?}");
        model.can.clear();
        model.note = Some("it is truncated".into());
        assert!(probe(&model).unwrap_err().to_string().contains("it is truncated"));
        let Some(tiny) = test_data("models/tinystories-656k-q8_0.gguf") else { return };
        let measured = probe(&model_of(&Machine::default(), &tiny).unwrap()).unwrap();
        assert!(measured.texts_per_second > 0.0 && measured.texts > 0, "{measured:?}");
    }
}
