//! The model files that other programs have brought to this machine: Ollama, LM Studio, llama.cpp, Hugging Face, GPT4All, Jan, and folders that a
//! person names.
//!
//! It only looks: nothing is written, moved or downloaded, no program is asked, and of a file nothing but its header is read. File names,
//! manifests and headers are anybody's, so walks are bounded, names are made harmless and a damaged file is a model that can do nothing.

mod files;
mod list;
mod names;
mod ollama;
mod places;
mod read;
mod walk;

pub use list::{LocalModels, file_of, list, model_of};
pub use places::Machine;
