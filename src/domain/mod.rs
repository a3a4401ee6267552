//! The vocabulary that every other room speaks: items, tasks, splits, cases, label events, predictions, figures.
//!
//! Pure: no file, no clock, no terminal, no SQL, no model.

pub mod answer;
pub mod case;
pub mod event;
pub mod expert;
pub mod fault;
pub mod figure;
pub mod grouped;
pub mod harmless;
pub mod history;
#[cfg(test)]
pub mod hostile;
pub mod ids;
pub mod item;
pub mod log;
pub mod moment;
pub mod overlap;
pub mod part;
pub mod prediction;
pub mod progress;
pub mod reading;
pub mod repeat;
pub mod split;
pub mod task;
mod task_toml;
