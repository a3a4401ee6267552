//! The fit of a judge's adapter: trained on the experts' training labels, and kept with the judge that reads with it.

use std::num::NonZeroUsize;
use std::path::Path;

use super::judge_training::{AdapterScope, JudgeTraining, TrainedAdapter};
use super::prompt_text::prompt_of;
use crate::domain::adapter::{AdapterSettings, JudgeLora, LoraTraining};
use crate::domain::fault::Result;
use crate::domain::ids::{AdapterId, ItemId, PredictorId};
use crate::domain::predictor::{JudgeMethod, JudgeSettings, Method, Predictor};
use crate::domain::settings::{Stored, write};
use crate::engine::judge::Judge;
use crate::engine::train::Settings;
use crate::store::Store;
use crate::store::log::tasks::Revision;
use crate::store::pool::adapters::NewAdapter;
use crate::work::runner::Work;

/// What an adapter is fitted on, and how.
pub(crate) struct JudgeFit<'a> {
    /// The active judge.
    pub base: &'a Predictor,
    /// How the model is asked without the adapter, against which this is held.
    pub instructed: &'a JudgeSettings,
    /// How it will be asked with it.
    pub settings: &'a JudgeSettings,
    /// The training labels without those in the prompt, each as its place in the task.
    pub labelled: &'a [(ItemId, usize)],
    pub revision: &'a Revision,
    pub scope: AdapterScope,
    pub training: Settings,
    /// The model's file.
    pub path: &'a Path,
    /// Threads of llama.cpp.
    pub threads: NonZeroUsize,
}

impl JudgeFit<'_> {
    /// Whether the active judge's adapter was trained on just these labels in this way.
    pub fn is_known(&self, store: &Store) -> Result<bool> {
        let hash = self.hash();
        let known = store.adapters()?.into_iter().rev().find(|a| {
            a.kind == self.scope.kind()
                && a.training_hash == hash
                && a.model == self.base.model
                && Some(a.id) == self.base.adapter()
        });
        let training = known.and_then(|known| Some(known.settings.known()?.judge_lora()?.training));
        Ok(training.is_some_and(|training| training == self.training.into()))
    }

    /// Trains an adapter and keeps it; none where it was stopped.
    ///
    /// # Errors
    /// A training that fails, or an adapter that llama.cpp does not serve as it was trained.
    pub fn train(&self, work: &mut Work<'_>, judge: &Judge) -> Result<Option<(AdapterId, TrainedAdapter)>> {
        let texts = work.store.texts(&self.items())?;
        let texts: Vec<String> = texts.into_iter().map(|(_, text)| text).collect();
        let gold: Vec<usize> = self.labelled.iter().map(|(_, label)| *label).collect();
        let training = JudgeTraining {
            judge,
            path: self.path,
            instructed: &judge.prompt_encoder(&prompt_of(&self.instructed.prompt))?,
            prompt: &judge.prompt_encoder(&prompt_of(&self.settings.prompt))?,
            texts: &texts,
            gold: &gold,
            labels: self.base.labels.len(),
            kind: work.store.task()?.task.kind,
            settings: self.training,
            scope: self.scope,
            threads: self.threads,
        };
        let Some(trained) = training.run(work)? else { return Ok(None) };
        let kept = JudgeLora {
            training: self.training.into(),
            trained_for: trained.epochs,
            comparison: trained.comparison.clone(),
            verified: trained.verified.into(),
            epochs_ended: work.epochs.clone(),
        };
        let adapter = work.store.add_adapter(&NewAdapter {
            kind: self.scope.kind(),
            model: self.base.model,
            parent: self.base.adapter(),
            round: work.store.rounds()?.last().map(|r| r.id),
            revision: self.revision.id,
            labels: self.base.labels.clone(),
            settings: AdapterSettings::Lora(LoraTraining::Judge(kept)),
            training_hash: self.hash(),
            training_n: self.labelled.len(),
            bytes: trained.bytes.clone(),
        })?;
        Ok(Some((adapter, trained)))
    }

    /// The judge that reads with the adapter, which becomes the active one. What it says of the texts that it was trained on is what the fold's adapter said
    /// that had not seen them.
    pub fn predictor(
        &self,
        work: &mut Work<'_>,
        adapter: AdapterId,
        trained: &TrainedAdapter,
    ) -> Result<Predictor> {
        let settings = JudgeSettings { calibration: None, worth: None, ..self.settings.clone() };
        let method = JudgeMethod {
            adapter: Some((adapter, self.scope.kind())),
            prompt: self.settings.prompt.hash(),
            settings: Stored::Known(settings),
        };
        let mut judge = Predictor { id: PredictorId(0), method: Method::Judge(method), ..self.base.clone() };
        judge.id = work.store.add_predictor(&judge)?;
        let unseen: Vec<f32> = trained.held_out.iter().copied().collect();
        work.store.put_predictions(judge.id, &self.items(), &unseen, self.base.labels.len())?;
        Ok(judge)
    }

    fn items(&self) -> Vec<ItemId> {
        self.labelled.iter().map(|(item, _)| *item).collect()
    }

    /// What tells one set of labels with one prompt from another.
    fn hash(&self) -> [u8; 32] {
        let mut hash = blake3::Hasher::new();
        hash.update(write(&self.settings.prompt).as_bytes());
        for (item, label) in self.labelled {
            hash.update(&item.0.to_le_bytes()).update(&label.to_le_bytes());
        }
        *hash.finalize().as_bytes()
    }
}
