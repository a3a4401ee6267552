//! The only llama.cpp and candle: model files, the embedded model, the encoder that turns texts into vectors, its
//! adapters and their training.
//!
//! A model file is read by our own strict reader before llama.cpp sees it, because llama.cpp may end the process
//! on an odd one. Encoders of the BERT architecture are computed by our own forward pass where it proves, on loading, to give llama.cpp's
//! vectors; everything else is llama.cpp's. What llama.cpp does to the process is contained by the caller, who runs long work in a child.

pub mod backend;
pub mod bert;
pub mod causal;
pub mod context;
pub mod embedded;
pub mod encoder;
pub mod gguf;
pub mod judge;
pub mod lora;
mod means;
pub mod model_file;
pub mod training;
pub mod verify;
mod worker;
