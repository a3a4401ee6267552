//! GGUF, the file format of models and adapters, as ggml specifies it (<https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>).
//!
//! The readers here take untrusted files: they allocate no more than the file is long and never panic. They
//! know nothing of models; what the metadata means is `model_file`'s affair.

mod header;
mod read;
mod tensor;
mod unpack;
mod values;
mod write;

pub use header::{Header, Tensor, Value};
pub use read::{GgufError, read_header};
pub use tensor::TensorType;
pub use unpack::{rewrite, unpack_f32, whole_header};
pub use values::read_tensor;
pub use write::{encode_header, padding};
