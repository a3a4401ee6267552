//! A report for an auditor: what the task was, who labelled what and how, how far they agree, what was decided, what the models are, and what
//! all this does not say.
//!
//! The same file gives the same report: no time of reading, no path and no host is in it, every interval is drawn from the stored seed, and
//! everything is ordered by what two copies have in common rather than by numbers that are local to a file.

mod blindness;
mod contents;
mod data;
mod decisions;
mod document;
mod figures;
mod ledger;
mod limits;
mod markdown;
mod models;
mod people;
mod read;
mod rounds;
mod task;

pub use contents::Report;
pub use document::document;
pub use markdown::markdown;
pub use read::report;
