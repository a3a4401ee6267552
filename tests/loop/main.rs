//! The program from outside: the real binary on real files, verb by verb, with wrong input, killed, on a full disk and without a network.
//!
//! One binary with modules, because each file directly in `tests/` would link llama.cpp again. What needs a model is compiled with the
//! engine only; the rest runs in a label-only build too, over vectors that [`project`] enters through the library.
//! What a machine lacks for a test (root, `unshare`, `strace`, test data) skips that test with a printed reason, or fails it (see [`skip`]).

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "functions that several tests share fail the test like the tests do"
)]

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod audit_shares;
#[cfg(all(test, unix))]
mod backups;
#[cfg(test)]
mod blindness;
#[cfg(test)]
mod cascade;
#[cfg(all(test, unix))]
mod cases;
#[cfg(all(test, target_os = "linux", target_pointer_width = "64"))]
mod clocks_and_locks;
#[cfg(all(test, unix))]
mod corruptions;
#[cfg(test)]
mod crowd;
#[cfg(all(test, unix))]
mod dialogue;
#[cfg(all(test, feature = "engine"))]
mod encoders;
#[cfg(all(test, unix, feature = "engine"))]
mod endpoint;
#[cfg(all(test, unix))]
mod event_log;
#[cfg(test)]
mod experts;
#[cfg(test)]
mod exports;
#[cfg(test)]
mod final_labels;
#[cfg(test)]
mod finish_line;
#[cfg(all(test, unix))]
mod flips;
#[cfg(all(test, unix))]
mod forget;
mod form;
#[cfg(all(test, unix))]
mod full_disk;
#[cfg(test)]
mod given_predictions;
#[cfg(test)]
mod given_vectors;
#[cfg(all(test, unix))]
mod help;
mod hostile_files;
#[cfg(all(test, feature = "engine"))]
mod hostile_models;
#[cfg(all(test, unix))]
mod hostile_text;
#[cfg(all(test, unix))]
mod import_again;
#[cfg(all(test, unix))]
mod imported_labels;
#[cfg(all(test, feature = "engine"))]
mod judge;
#[cfg(all(test, unix))]
mod kills;
#[cfg(all(test, not(feature = "engine")))]
mod label_only;
#[cfg(test)]
mod lamport;
#[cfg(test)]
mod leaks;
#[cfg(test)]
mod like;
#[cfg(all(test, feature = "engine"))]
mod lora;
#[cfg(all(test, unix))]
mod merge;
#[cfg(all(test, unix))]
mod merge_meetings;
#[cfg(all(test, unix))]
mod merge_union;
#[cfg(all(test, unix, feature = "engine"))]
mod models;
#[cfg(all(test, target_os = "linux", feature = "engine"))]
mod network;
#[cfg(all(test, unix))]
mod old_files;
#[cfg(test)]
mod pace;
#[cfg(all(test, unix))]
mod pictures;
#[cfg(test)]
mod predictor_file;
#[cfg(test)]
mod project;
#[cfg(all(test, unix))]
mod readme;
#[cfg(test)]
mod repeats;
#[cfg(all(test, unix))]
mod replaced;
#[cfg(test)]
mod report;
#[cfg(test)]
mod scale;
#[cfg(test)]
mod scripts;
#[cfg(all(test, unix))]
mod seat;
#[cfg(test)]
mod several;
#[cfg(all(test, unix))]
mod signals;
#[cfg(all(test, feature = "engine"))]
mod simulate;
#[cfg(test)]
#[path = "../../src/domain/skip.rs"]
mod skip;
#[cfg(test)]
mod slices;
#[cfg(all(test, unix, feature = "engine"))]
mod stand_in;
#[cfg(all(test, feature = "engine"))]
mod states;
#[cfg(test)]
mod support;
#[cfg(all(test, unix))]
mod tables;
#[cfg(all(test, unix))]
mod taken_away;
#[cfg(test)]
mod terminal;
#[cfg(test)]
mod the_loop;
#[cfg(all(test, unix))]
mod workstation;
#[cfg(test)]
mod wrong_input;
