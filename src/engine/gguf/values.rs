//! The numbers of one tensor, as F32.

use std::io::{Read, Seek, SeekFrom};

use super::header::{Header, Tensor};
use super::read::GgufError;

/// Reads a tensor of the file that `header` was read from, in the file's order.
///
/// # Errors
/// Where its type has no F32 form, or the file cannot be read.
pub fn read_tensor(
    source: &mut (impl Read + Seek),
    header: &Header,
    tensor: &Tensor,
) -> Result<Vec<f32>, GgufError> {
    if !tensor.kind.has_f32_form() {
        let (name, kind) = (&tensor.name, tensor.kind.name());
        return Err(GgufError::Damaged(format!(
            "tensor '{name}' is stored as {kind}, which has no F32 form"
        )));
    }
    source.seek(SeekFrom::Start(header.data_offset + tensor.offset))?;
    // The header was checked against the length of the file, so this is no more than the file holds.
    let mut blocks = vec![0; tensor.bytes as usize];
    source.read_exact(&mut blocks)?;
    let mut floats = Vec::new();
    tensor.kind.to_f32(&blocks, &mut floats);
    Ok(floats.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect())
}
