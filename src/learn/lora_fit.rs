//! The fit of the encoder's adapter: the one that has learned from just these labels, or a new one that llama.cpp serves as it was trained.

use super::cross_validation::CrossValidation;
use super::distil::Lesson;
use super::lora_training::{EncoderTrainer, Taught};
use super::model::Chosen;
use super::prelabels::active;
use super::training::Training;
use crate::domain::adapter::{
    AdapterKind, AdapterSettings, Comparison, Distilled, EncoderLora, LoraTraining,
};
use crate::domain::fault::{Fault, Result};
use crate::domain::hex::hex;
use crate::domain::ids::{AdapterId, ItemId, PredictorId};
use crate::domain::predictor::{Method, Predictor, PredictorKind};
use crate::engine::lora::EncoderAdapter;
use crate::engine::train::Settings;
use crate::engine::train::encoder::probabilities;
use crate::engine::verify::Verified;
use crate::store::log::tasks::Revision;
use crate::store::pool::adapters::NewAdapter;
use crate::work::runner::Work;

/// Texts that llama.cpp and the trainer both read before the adapter is used.
const VERIFIED_ON: usize = 128;

/// What an adapter is fitted on, and how.
pub(crate) struct LoraFit<'a> {
    pub training: &'a Training,
    /// The active scout.
    pub current: &'a Predictor,
    pub revision: &'a Revision,
    pub settings: Settings,
    pub chosen: &'a Chosen,
    /// What it learns from beside the labels.
    pub lesson: Option<&'a Lesson>,
}

impl LoraFit<'_> {
    fn distilled(&self) -> Option<Distilled> {
        self.lesson.map(|lesson| Distilled { texts: lesson.items.len(), hash: hex(&lesson.hash) })
    }

    /// The predictor of an adapter that has learned from just these labels, and this lesson; none where the training was stopped.
    pub fn find_or_train(&self, work: &mut Work<'_>) -> Result<Option<(Predictor, EncoderLora)>> {
        let labels = self.revision.task.label_ids();
        let mut known = None;
        for a in work.store.adapters()? {
            let same = a.kind == AdapterKind::Lora
                && a.training_hash == self.training.hash
                && a.model == self.current.model
                && a.labels == labels;
            let kept = a.settings.known().and_then(AdapterSettings::encoder_lora).filter(|_| same);
            // One whose bytes were dropped is trained again.
            let alike = |kept: &&EncoderLora| {
                kept.training == self.settings.into() && kept.distilled == self.distilled()
            };
            if let Some(kept) = kept.filter(alike)
                && work.store.adapter_size(a.id)? > 0
            {
                known = Some((a.id, kept.clone()));
            }
        }
        let (adapter, kept) = match known {
            Some(known) => known,
            None => match self.train(work)? {
                Some(trained) => trained,
                None => return Ok(None),
            },
        };
        let known = work
            .store
            .predictors()?
            .into_iter()
            .rev()
            .find(|p| p.kind() == PredictorKind::Lora && p.adapter() == Some(adapter));
        if let Some(predictor) = known {
            return Ok(Some((predictor, kept)));
        }
        let mut predictor = Predictor {
            id: PredictorId(0),
            method: Method::Lora(adapter),
            model: self.current.model,
            revision: self.revision.id,
            labels,
            created_ms: 0,
        };
        predictor.id = work.store.add_predictor(&predictor)?;
        Ok(Some((predictor, kept)))
    }

    fn train(&self, work: &mut Work<'_>) -> Result<Option<(AdapterId, EncoderLora)>> {
        work.report("preparing the model", 0, None, "steps")?;
        let encoder = self.chosen.load()?;
        let weights = encoder.trainable()?;
        let texts = work.store.texts(&self.training.items)?;
        if texts.len() != self.training.items.len() {
            return Err(Fault::new("train a stronger model", "a labelled text is not in the file")
                .hint("Run `hardcase doctor FILE`"));
        }
        let tokens: Vec<Vec<usize>> = texts.iter().map(|(_, text)| encoder.tokens(text)).collect();
        let taught: Vec<(ItemId, String)> =
            self.lesson.map(|lesson| work.store.texts(&lesson.items)).transpose()?.unwrap_or_default();
        let taught: Vec<Vec<usize>> = taught.iter().map(|(_, text)| encoder.tokens(text)).collect();
        let sample = self.sample(work)?;
        let sample: Vec<Vec<usize>> = sample.iter().map(|(_, text)| encoder.tokens(text)).collect();
        drop(encoder);
        let (classes, kind) = (self.revision.task.labels.len(), self.revision.task.kind);
        let (training, settings) = (self.training, self.settings);
        let taught = self.lesson.map(|lesson| Taught {
            tokens: &taught,
            probabilities: lesson.probabilities.view(),
            scout: &lesson.scout,
        });
        let trainer =
            EncoderTrainer { weights: &weights, training, tokens: &tokens, classes, kind, settings, taught };
        let cross_validation = CrossValidation {
            trainer: &trainer,
            gold: &training.labels(),
            measured: &training.by_experts,
            classes,
            kind,
            settings,
        };
        let Some(trained) = cross_validation.in_parallel(work, self.chosen.threads())? else {
            return Ok(None);
        };
        work.report("checking that llama.cpp serves it", 0, None, "texts")?;
        let bytes = self.encode(&trained.adapter, &trained.comparison)?;
        let expected = probabilities(&weights, &trained.adapter, &sample)?;
        let verified = Verified::measure(
            self.chosen.path(),
            weights.pooling,
            &bytes,
            &trained.adapter.head,
            &sample,
            &expected,
        )?;
        verified.require(&self.chosen.model.quantisation)?;
        if work.stopped() {
            return Ok(None);
        }
        let held_out = trained.held_out.rows().into_iter().map(|row| row.to_vec());
        let kept = EncoderLora {
            training: self.settings.into(),
            comparison: trained.comparison,
            verified: verified.into(),
            epochs_ended: work.epochs.clone(),
            held_out: training.items.iter().copied().zip(held_out).collect(),
            distilled: self.distilled(),
        };
        let id = work.store.add_adapter(&NewAdapter {
            kind: AdapterKind::Lora,
            model: self.current.model,
            parent: self.current.adapter(),
            round: work.store.rounds()?.last().map(|r| r.id),
            revision: self.revision.id,
            labels: self.revision.task.label_ids(),
            settings: AdapterSettings::Lora(LoraTraining::Encoder(kept.clone())),
            training_hash: self.training.hash,
            training_n: self.training.items.len(),
            bytes,
        })?;
        Ok(Some((id, kept)))
    }

    /// Texts to verify on: half of them labelled, half from all over the pool.
    fn sample(&self, work: &Work<'_>) -> Result<Vec<(ItemId, String)>> {
        let half = VERIFIED_ON / 2;
        // Of a combination the scout's own prelabels are not kept.
        let (scored, _) = work.store.predictions(active(work.store, "train a stronger model")?.id)?;
        let spread = |items: &[ItemId], n: usize| -> Vec<ItemId> {
            items.iter().copied().step_by((items.len() / n).max(1)).take(n).collect()
        };
        let mut items = spread(&self.training.items, half);
        items.extend(spread(&scored, VERIFIED_ON - items.len()));
        work.store.texts(&items)
    }

    fn encode(&self, adapter: &EncoderAdapter, comparison: &Comparison) -> Result<Vec<u8>> {
        let model = &self.chosen.model;
        let task = &self.revision.task;
        let json = |value: serde_json::Result<String>| value.unwrap_or_default();
        let names: Vec<&str> = task.labels.iter().map(|l| l.name.as_str()).collect();
        let about = [
            ("base.name", model.name.clone()),
            ("base.sha256", hex(&model.sha256)),
            ("task", task.name.clone()),
            ("question", task.question.clone()),
            ("labels", json(serde_json::to_string(&names))),
            ("training.blake3", hex(&self.training.hash)),
            ("training.labels", self.training.items.len().to_string()),
            ("settings", json(serde_json::to_string(&self.settings))),
            ("comparison", json(serde_json::to_string(comparison))),
        ];
        adapter.encode(&about).map_err(|e| Fault::new("write the adapter", e.to_string()).because(e))
    }
}
