//! The workstation: the only ratatui and crossterm.
//!
//! ```text
//!  messages.hardcase   Case  Progress  Jobs  Items  Project  Agree    ada    widgets/frame.rs
//! ──────────────────────────────────────────────────────────────────────
//!  Is this message spam?        case 7 · round 2: 12 of 60 by you …    screens/case/view.rs
//!                                    │
//!  the text                          │ similar text (0.84)            widgets/text_layout.rs
//!                                    │
//! ──────────────────────────────────────────────────────────────────────
//!  1 spam   2 ham                                                     screens/case/view.rs
//!  saved: spam (1), case 6, u undoes · the model thought spam (91 %)
//!  ? help  s skip  u undo                                             widgets/frame.rs
//! ```
//!
//! `run.rs` sleeps until a message comes, lets `app.rs` change its state, draws once and carries out the effects that the state asks for.
//! A screen (`screen.rs`; the list is in `screens/mod.rs`) only draws and only asks: files are read and written on the desk's threads, jobs
//! are other processes. What it asks of the session is a `Request` of `desk/request.rs`. What a key does is said in `keys.rs`; whether a
//! label key counts, in `screens/case/attention.rs`. Before there is a project, `form/` asks for all that makes one.

mod about;
#[cfg(test)]
mod answerable;
mod app;
mod dead_keys;
mod effect;
#[cfg(test)]
mod everywhere;
mod form;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzed;
mod hits;
mod input;
mod job_board;
mod keys;
mod message;
mod mouse;
mod new_texts;
mod outcomes;
mod popups;
mod questions;
mod results;
mod run;
mod screen;
mod screens;
mod settings;
mod shared;
mod terminal;
mod theme;
mod widgets;

pub use form::{Filled, NewProject, Says, fill};
pub use run::{Opening, run};
pub use settings::{Settings, defaults};
