//! `scout`: embeds and prelabels every item that lacks it.
//!
//! First a random sample, so that a boundary and a first case are there within seconds whatever the pool's size; then the rest in the order
//! of the file.

use std::ops::ControlFlow;

use ndarray::ArrayView2;
use serde::Serialize;

use crate::domain::fault::{Fault, Result};
use crate::domain::ids::{ItemId, ModelId, PredictorId};
use crate::domain::predictor::{Method, Predictor, ZeroShotSettings};
use crate::domain::settings::Stored;
use crate::domain::task::Task;
use crate::engine::encoder::Encoder;
use crate::learn::activate::{Rescore, activate};
use crate::learn::embed::{CHUNK, embed};
use crate::learn::kind::load;
use crate::learn::lora_prelabels;
use crate::learn::model::{Asked, ScoutModel};
use crate::learn::prelabels::{complete, fitting};
use crate::learn::vectors::matrix;
use crate::learn::zero_shot::{fit, following_audit};
use crate::stats::languages::{self, Languages};
use crate::store::log::tasks::Revision;
use crate::store::pool::embeddings::Space;
use crate::work::runner::{Ended, JobContext, Work, run};

/// Items of the random sample that comes first, and on which zero-shot prelabels are calibrated.
const SAMPLE: usize = 3_000;
/// What a scouting did.
#[derive(Clone, Debug, Serialize)]
pub struct ScoutReport {
    /// The model's name.
    pub model: String,
    /// Texts embedded by this run.
    pub embedded: usize,
    /// Texts longer than the model reads, which were cut.
    pub truncated: usize,
    /// Texts of the pool that have a prelabel now.
    pub scored: usize,
    /// Texts of the pool.
    pub items: usize,
    /// Texts embedded per second.
    pub texts_per_second: Option<f64>,
    /// Whose prelabels they are: `zero-shot` or `head`.
    pub prelabels: String,
    /// Audit texts whose answers moved the shares that zero-shot prelabels expect; 0 where none did.
    pub audit: usize,
    /// The languages of the pool.
    pub languages: Languages,
    /// Those that the model was made for, as codes; none where that is not known.
    pub model_languages: Vec<String>,
    /// False where another process did the work and this one watched.
    pub ours: bool,
}

impl std::fmt::Display for ScoutReport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if !self.ours {
            return write!(f, "another process scouted the pool");
        }
        write!(f, "{} of {} texts scouted by {}", self.scored, self.items, self.model)?;
        if let Some(rate) = self.texts_per_second {
            write!(f, "; {} new, {rate:.0} texts/s", self.embedded)?;
        }
        if self.truncated > 0 {
            write!(f, "; {} longer than the model reads, cut", self.truncated)?;
        }
        write!(f, "; prelabels: {}", self.prelabels)?;
        if self.audit > 0 {
            write!(f, ", by shares that follow {} audit answers", self.audit)?;
        }
        if self.languages.are_worth_telling() {
            write!(f, ". Languages: {}", self.languages)?;
        }
        if let Some((share, names)) = self.languages.beyond(&self.model_languages) {
            write!(
                f,
                ". About {:.0} % of the texts are in languages that {} was not made for ({}), and its guesses there are poor: a model that knows \
                 them does better (`hardcase scout FILE --model MODEL`, such as multilingual-e5-small as GGUF)",
                100.0 * share,
                self.model,
                names.join(", ")
            )?;
        }
        Ok(())
    }
}

/// Scouts the pool.
///
/// # Errors
/// No task, no texts, or a model that cannot be used; what was finished before stays.
pub fn scout(context: &JobContext<'_>, model: &ScoutModel) -> Result<ScoutReport> {
    let arguments = match &model.asked {
        Asked::Nothing => String::new(),
        Asked::File(file) => file.display().to_string(),
        Asked::Embedded => "embedded".to_owned(),
    };
    let ended = run(context, "scout", &arguments, |work| {
        let revision = work.store.task()?;
        let items = work.store.item_count()?;
        if items == 0 {
            return Err(Fault::usage("scout the pool", "the project has no texts yet")
                .hint("Add some with `hardcase import FILE DATA`"));
        }
        work.report("preparing the model", 0, None, "texts")?;
        let chosen = model.choose(work.store)?;
        let id = work.store.enter_model(&chosen.model)?;
        let mut scouting = Scouting {
            work,
            encoder: chosen.load()?,
            model: id,
            items,
            done: 0,
            embedded: 0,
            truncated: 0,
            seconds: 0.0,
        };
        scouting.done = scouting.work.store.vector_count(Space::base(id))?;
        scouting.sample()?;
        let mut predictor = scouting.prelabel(&revision)?;
        scouting.rest()?;
        if predictor.lora().is_some() {
            lora_prelabels::complete(scouting.work, &predictor, &chosen)?;
        }
        let seed = context.seed.unwrap_or(scouting.work.store.project()?.seed);
        if !scouting.work.stopped()
            && let Some(followed) = following_audit(scouting.work, &predictor, &revision, seed)?
        {
            predictor = followed.predictor;
        }
        let active = activate(scouting.work, &predictor, Rescore::Pool, &revision, seed)?.active;
        let active = active.as_ref().unwrap_or(&predictor);
        let sample = scouting.work.store.sample_texts(languages::SAMPLE)?;
        Ok(ScoutReport {
            languages: Languages::of(sample.iter().map(String::as_str)),
            model_languages: chosen.languages,
            model: chosen.model.name,
            embedded: scouting.embedded,
            truncated: scouting.truncated,
            scored: scouting.work.store.prediction_count(active.id)?,
            items,
            texts_per_second: (scouting.seconds > 0.0).then(|| scouting.embedded as f64 / scouting.seconds),
            audit: predictor.zero_shot().map_or(0, |s| s.shares_from.audit_items()),
            prelabels: predictor.kind().to_string(),
            ours: true,
        })
    })?;
    Ok(match ended {
        Ended::Ours(report) => report,
        Ended::Others => ScoutReport {
            model: String::new(),
            embedded: 0,
            truncated: 0,
            scored: 0,
            items: 0,
            texts_per_second: None,
            prelabels: String::new(),
            audit: 0,
            languages: Languages::default(),
            model_languages: Vec::new(),
            ours: false,
        },
    })
}

struct Scouting<'w, 'a> {
    work: &'w mut Work<'a>,
    encoder: Encoder,
    model: ModelId,
    items: usize,
    done: usize,
    embedded: usize,
    truncated: usize,
    seconds: f64,
}

impl Scouting<'_, '_> {
    fn sample(&mut self) -> Result<()> {
        let texts = self.work.store.sample_without_vector(self.model, SAMPLE)?;
        self.embed(texts)
    }

    fn rest(&mut self) -> Result<()> {
        let mut after = ItemId(0);
        while !self.work.stopped() {
            let texts = self.work.store.items_without_vector(Space::base(self.model), after, CHUNK)?;
            match texts.last() {
                Some((last, _)) => after = *last,
                None => break,
            }
            self.embed(texts)?;
        }
        Ok(())
    }

    /// Embeds texts and writes their vectors as they come.
    fn embed(&mut self, texts: Vec<(ItemId, String)>) -> Result<()> {
        let dimensions = self.encoder.facts().dimensions;
        let begun = std::time::Instant::now();
        let Self { work, encoder, model, items: total, done, embedded, .. } = self;
        let cut = embed(encoder, texts, &mut |items, values| {
            work.store.put_vectors(Space::base(*model), items, values, dimensions)?;
            *done += items.len();
            *embedded += items.len();
            work.report("scouting", *done as u64, Some(*total as u64), "texts")?;
            Ok(if work.stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) })
        })?;
        self.work.store.put_cuts(self.model, &cut)?;
        self.truncated += cut.len();
        self.seconds += begun.elapsed().as_secs_f64();
        Ok(())
    }

    /// The predictor whose prelabels the pool gets: the active one where it fits model and task, else a new zero-shot one.
    fn prelabel(&mut self, revision: &Revision) -> Result<Predictor> {
        if let Some(active) = fitting(self.work, self.model, revision)? {
            return Ok(active);
        }
        let settings = self.zero_shot(&revision.task)?;
        let mut predictor = Predictor {
            id: PredictorId(0),
            method: Method::ZeroShot(Stored::Known(settings)),
            model: self.model,
            revision: revision.id,
            labels: revision.task.label_ids(),
            created_ms: 0,
        };
        predictor.id = self.work.store.add_predictor(&predictor)?;
        // Active as soon as the sample has prelabels: a first case is there within seconds. The whole sequence follows once all texts are read.
        let scorer = load(self.work.store, &predictor)?;
        complete(self.work, &predictor, &*scorer)?;
        self.work.store.activate(predictor.id)?;
        Ok(predictor)
    }

    /// Label anchors from descriptions and examples, calibrated on what is embedded so far.
    fn zero_shot(&mut self, task: &Task) -> Result<ZeroShotSettings> {
        let anchors =
            task.anchors().iter().map(|texts| self.mean_vector(texts)).collect::<Result<Vec<Vec<f32>>>>()?;
        let dimensions = self.encoder.facts().dimensions;
        let vectors = self.work.store.vectors(Space::base(self.model), dimensions)?;
        fit(anchors, matrix(&vectors)?, task)
    }

    /// The mean of the texts' vectors: a product with it is the mean similarity to them.
    fn mean_vector(&self, texts: &[String]) -> Result<Vec<f32>> {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let mut mean = vec![0.0f32; self.encoder.facts().dimensions];
        self.encoder.embed(&texts, &mut |_, rows: ArrayView2<f32>| {
            for row in rows.rows() {
                mean.iter_mut().zip(row).for_each(|(m, v)| *m += v / texts.len() as f32);
            }
            ControlFlow::Continue(())
        })?;
        Ok(mean)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_does_not_know_a_language_of_the_pool_is_told_of_in_a_sentence() {
        let texts = [
            (
                "The meeting of the committee was moved to next Thursday because the room is being painted.",
                30,
            ),
            (
                "A reunião da comissão foi adiada para a próxima quinta-feira porque a sala está a ser pintada.",
                10,
            ),
        ];
        let texts = texts.into_iter().flat_map(|(text, times)| std::iter::repeat_n(text, times));
        let mut report = ScoutReport {
            model: "MiniLM".into(),
            embedded: 40,
            truncated: 0,
            scored: 40,
            items: 40,
            texts_per_second: None,
            prelabels: "zero-shot".into(),
            audit: 0,
            languages: Languages::of(texts),
            model_languages: vec!["en".into()],
            ours: true,
        };
        assert_eq!(
            report.to_string(),
            "40 of 40 texts scouted by MiniLM; prelabels: zero-shot. Languages: English 75 %, Portuguese 25 % (told from 40 of 40 texts). \
             About 25 % of the texts are in languages that MiniLM was not made for (Portuguese), and its guesses there are poor: a model \
             that knows them does better (`hardcase scout FILE --model MODEL`, such as multilingual-e5-small as GGUF)"
        );
        report.model_languages.push("pt".into());
        assert!(!report.to_string().contains("not made for"), "{report}");
    }
}
