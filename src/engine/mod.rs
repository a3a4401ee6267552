//! Everything that computes with models: model files, llama.cpp, the transformer of our own, adapters and their training, the encoder that
//! turns texts into vectors, the judge, the embedded model.
//!
//! A model file is read by our own strict reader before llama.cpp sees it, because llama.cpp may end the process on an odd one. Our own passes
//! stand in for llama.cpp only where they prove, on loading, to compute the same. What llama.cpp does to the process is contained by the caller,
//! who runs long work in a child.

pub mod embedded;
pub mod encoder;
mod encoder_backend;
mod encoder_worker;
pub mod gguf;
pub mod judge;
pub mod llama;
pub mod local_models;
pub mod lora;
pub mod model_file;
#[cfg(test)]
#[expect(dead_code, reason = "the large shapes are for benchmarks")]
mod random_model;
pub mod train;
pub mod transformer;
pub mod verify;
mod windows;
