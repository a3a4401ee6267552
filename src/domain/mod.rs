//! The vocabulary of all other rooms: items, tasks, splits, cases, label events, predictions, figures, faults.
//!
//! Pure: no file, no clock, no terminal, no SQL, no model.

pub mod adapter;
pub mod answer;
pub mod case;
pub mod encoder_reading;
pub mod event;
pub mod expert;
pub mod fault;
pub mod figure;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzed;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzing;
pub mod grouped;
pub mod hex;
pub mod history;
pub mod ids;
pub mod imported_label;
pub mod item;
pub mod judge_chat;
pub mod label_lists;
pub mod label_set;
pub mod label_values;
pub mod local_model;
pub mod log;
pub mod look_alike;
pub mod moment;
pub mod outstanding;
pub mod overlap;
pub mod part;
pub mod prediction;
pub mod predictor;
pub mod progress;
pub mod project_draft;
pub mod read_options;
pub mod repeat;
pub mod row_stream;
pub mod rows_to_come;
pub mod rule;
pub mod sanitize;
pub mod scale_change;
pub mod secret;
pub mod server_words;
pub mod settings;
pub mod several_values;
#[cfg(test)]
pub mod skip;
pub mod sought;
pub mod split;
pub mod target;
pub mod task;
mod task_answers;
pub mod task_change;
pub mod task_draft;
pub mod task_effects;
pub mod task_examples;
pub mod task_kind;
mod task_toml;
pub mod turn;
