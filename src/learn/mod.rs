//! What is learned: predictors of every kind, how they are fitted, scored, cross-validated, combined and activated.
//!
//! ```text
//! scorer                the trait of a kind, and of what scores vectors        kind   the list of kinds
//! zero_shot head        one file a kind, with its fit                          activate   the one sequence in which a model becomes active
//! lora judge states combined
//! cross_validation      folds, epochs and comparison of low-rank adapters      curve  every stored model on the same cases
//! lora_fit lora_training lora_scorer lora_prelabels lora_rollout distil        the encoder's adapter
//! prompt prompt_text prompt_trial judge_run judge_fit judge_training judge_variants nearest             the judge
//! known_labels          predictions held against labels that are known            text_model  a stored model that scores new texts
//! given_predictions given_vectors                         what was made elsewhere, as a judge and as a scout
//! ```
//!
//! A predictor and its settings are `domain::predictor`'s; what runs as a job, with its report, is a verb in `job`. Nothing here prints.

pub(crate) mod activate;
pub(crate) mod combined;
#[cfg(feature = "engine")]
pub(crate) mod cross_validation;
pub(crate) mod curve;
#[cfg(feature = "engine")]
pub(crate) mod distil;
#[cfg(feature = "engine")]
pub(crate) mod embed;
pub(crate) mod given_predictions;
pub(crate) mod given_vectors;
pub(crate) mod head;
#[cfg(feature = "engine")]
pub(crate) mod held_out;
pub(crate) mod judge;
#[cfg(feature = "engine")]
pub(crate) mod judge_fit;
#[cfg(feature = "engine")]
pub(crate) mod judge_run;
#[cfg(feature = "engine")]
pub(crate) mod judge_training;
#[cfg(feature = "engine")]
pub(crate) mod judge_variants;
pub(crate) mod kind;
pub mod known_labels;
pub(crate) mod lora;
#[cfg(feature = "engine")]
pub(crate) mod lora_fit;
#[cfg(feature = "engine")]
pub(crate) mod lora_prelabels;
#[cfg(feature = "engine")]
pub(crate) mod lora_rollout;
#[cfg(feature = "engine")]
pub(crate) mod lora_scorer;
#[cfg(feature = "engine")]
pub(crate) mod lora_training;
#[cfg(feature = "engine")]
pub mod model;
#[cfg(feature = "engine")]
pub(crate) mod nearest;
pub(crate) mod prelabels;
#[cfg(feature = "engine")]
pub(crate) mod prompt;
#[cfg(feature = "engine")]
pub(crate) mod prompt_text;
#[cfg(feature = "engine")]
pub(crate) mod prompt_trial;
pub(crate) mod scorer;
pub(crate) mod states;
#[cfg(feature = "engine")]
pub(crate) mod text_model;
pub(crate) mod training;
pub(crate) mod vectors;
pub(crate) mod zero_shot;
