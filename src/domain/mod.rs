//! The vocabulary of all other rooms: items, tasks, splits, cases, label events, predictions, figures, faults.
//!
//! Pure: no file, no clock, no terminal, no SQL, no model.

pub mod answer;
pub mod case;
pub mod event;
pub mod expert;
pub mod fault;
pub mod figure;
#[cfg(test)]
pub mod fuzzing;
pub mod grouped;
pub mod history;
pub mod ids;
pub mod item;
pub mod log;
pub mod moment;
pub mod overlap;
pub mod part;
pub mod prediction;
pub mod progress;
pub mod read_options;
pub mod repeat;
pub mod sanitize;
pub mod split;
pub mod task;
mod task_toml;
