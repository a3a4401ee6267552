//! The report as Markdown, to be read in a terminal, in a browser or on paper.

mod agreement;
mod decisions;
mod escaped;
mod labelling;
mod model;
mod origin;
mod page;
mod whole;

pub use whole::markdown;
