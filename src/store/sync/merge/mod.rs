//! Copies of a project coming together: one file takes in what another has and it lacks.
//!
//! A union by item key and UUID. Nothing that a person decided is ever overwritten; what remains has a larger and a smaller state, and
//! the larger wins in whichever order copies meet. Texts come before cases and cases before events, each in short transactions, so a
//! merge that is cut short leaves a file that is whole, and the next one goes on from there.

mod copy;
mod ids;
mod keep;
pub(in crate::store) mod model_artifacts;
mod read_log;
mod rounds;
mod settings;
mod take_labels;
mod take_log;
mod texts;

pub use copy::StoredCopy;
pub use model_artifacts::ArtifactsLacking;
pub use take_log::LeftOut;
pub use texts::{Fill, Texts, TextsLacking};
