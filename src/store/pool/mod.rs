//! The pool: sources, items, vectors, models, adapters, predictors and their predictions.

pub mod adapters;
pub mod browse;
pub mod embeddings;
pub mod hidden_states;
pub mod imported_file;
pub mod items;
pub mod known_rows;
pub mod predictors;
pub mod sources;
#[cfg(test)]
pub mod text_row;
