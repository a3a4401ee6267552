//! What every long-running piece of work shares, and nothing about what it computes: the runner that makes sure only one job of a kind runs at
//! a time, records its outcome in the project and reports progress; data files as input; results as output.
//!
//! To add a job, write a file in `job/` that calls `runner::run` with a closure. Read data with `input::open_source` and write results with
//! `output::write_to`: standard output, pipes and files that must appear complete are handled there and nowhere else. A file that no person named,
//! such as one in a cache, is written with `whole_file::WholeFile`.

mod folder;
pub(crate) mod input;
pub mod output;
pub(crate) mod runner;
pub(crate) mod whole_file;

pub use runner::JobContext;
