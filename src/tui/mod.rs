//! The workstation: the only ratatui and crossterm.
//!
//! ```text
//!  messages.hardcase · spam          Case Progress Jobs Items Project    frame.rs
//! ──────────────────────────────────────────────────────────────────────
//!  Is this message spam?               round 2: 12 by you, 30 of 60      case_view.rs
//!                                    │
//!  the text                          │ near it, across the boundary      passage.rs
//!                                    │
//! ──────────────────────────────────────────────────────────────────────
//!  1 spam   2 ham                                                        case_view.rs
//!  saved: spam (1), case 41, u undoes                            ? help  frame.rs
//! ```
//!
//! `run.rs` sleeps until a message comes, lets `app.rs` change its state, draws once and carries out what the state asks for.
//! A screen only draws and only asks: files are read and written on the desk's threads, jobs are other processes. What a key
//! does is said in `keys.rs`; whether a label key counts, in `attention.rs`.

mod about;
mod app;
mod drafts;
mod effect;
#[cfg(any(test, feature = "fuzz"))]
pub mod fuzzed;
mod input;
mod keys;
mod message;
mod run;
mod screen;
pub mod screens;
mod settings;
mod terminal;
mod theme;
pub mod widgets;

pub use run::{Opening, run};
pub use settings::{DEFAULTS, Settings};
