//! The command line: one file per verb. Raw arguments become checked parameters here, and reports become text or JSON.
//!
//! The only room besides the screens that prints. It reads no project file itself.

mod adapter;
mod adjudicate;
mod agreement;
mod answer;
mod arguments;
mod assign;
mod backup;
mod check;
mod completions;
#[cfg(feature = "engine")]
mod demo;
mod dialogue;
mod doctor;
#[cfg(feature = "engine")]
mod encoder;
mod expert;
mod export;
mod forget;
#[cfg(feature = "engine")]
mod guard;
mod import;
mod judge;
mod keyboard;
mod label;
mod man;
mod merge;
mod mine;
#[cfg(feature = "engine")]
mod models;
mod new;
mod next;
mod open;
mod output;
mod plain;
#[cfg(feature = "engine")]
mod predict;
mod questions;
mod report;
mod restore;
mod scout;
mod setting;
#[cfg(feature = "engine")]
mod simulate;
#[cfg(feature = "engine")]
mod simulate_judge;
mod source;
mod status;
mod stop_signals;
mod task;
mod tune;
mod verbs;
mod version;
mod watch;

pub use verbs::run;
