//! The only llama.cpp: model files, the embedded model, and the encoder that turns texts into vectors.
//!
//! A model file is read by our own strict reader before llama.cpp sees it, because llama.cpp may end the process
//! on an odd one. What it does to the process is contained by the caller, who runs long work in a child.

pub mod backend;
pub mod embedded;
pub mod encoder;
pub mod gguf;
pub mod model_file;
mod worker;
