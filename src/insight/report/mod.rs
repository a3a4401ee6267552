//! A report for an auditor: the task, who labelled what and how, how well they agree, what was decided, the models, and the limits of all this.
//!
//! The same file gives the same report: it contains no time of reading, no path and no host, every interval is drawn from the stored seed, and
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
