//! What every long piece of work shares: its record in the file, its progress, its stop, and how results are written to files.

pub(crate) mod input;
pub mod output;
pub(crate) mod runner;

pub use runner::JobContext;
