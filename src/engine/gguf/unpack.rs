//! Rewrites a model with its numbers as F32, streaming: memory stays at one chunk whatever the model's size.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::header::{Header, Value};
use super::read::{GgufError, read_header};
use super::tensor::TensorType;
use super::write::{encode_header, padding};

/// Blocks converted at a time; 4,096 blocks of Q8_0 become 512 KiB.
const CHUNK_BLOCKS: u64 = 4096;

/// The value of `general.file_type` that means "all F32".
const ALL_F32: u32 = 0;

/// Copies the GGUF file in `source` to `out`, every Q8_0, F16 and BF16 tensor as F32. Returns the bytes written.
///
/// # Errors
/// Where `source` is not a whole GGUF file, holds a tensor of another type, or either side fails.
pub fn unpack_f32(source: &mut (impl Read + Seek), out: &mut impl Write) -> Result<u64, GgufError> {
    let file_len = source.seek(SeekFrom::End(0))?;
    source.rewind()?;
    let packed = read_header(io::BufReader::new(&mut *source), file_len)?;
    let (head, unpacked) = f32_header(&packed)?;
    out.write_all(&head)?;
    let mut written = head.len() as u64;
    for (from, to) in packed.tensors.iter().zip(&unpacked.tensors) {
        source.seek(SeekFrom::Start(packed.data_offset + from.offset))?;
        convert(source, from.kind, from.bytes, out)?;
        let zeros = padding(to.bytes);
        io::copy(&mut io::repeat(0).take(zeros), out)?;
        written += to.bytes + zeros;
    }
    Ok(written)
}

fn f32_header(packed: &Header) -> Result<(Vec<u8>, Header), GgufError> {
    if let Some(tensor) = packed.tensors.iter().find(|t| !t.kind.has_f32_form()) {
        let (name, kind) = (&tensor.name, tensor.kind.name());
        return Err(GgufError::Damaged(format!("tensor '{name}' is stored as {kind}, which cannot be unpacked")));
    }
    let mut metadata = packed.metadata.clone();
    for (key, value) in &mut metadata {
        if key == "general.file_type" {
            *value = Value::U32(ALL_F32);
        }
    }
    let tensors = packed.tensors.iter().map(|t| (t.name.clone(), t.shape.clone(), TensorType::F32));
    encode_header(metadata, tensors).ok_or_else(|| GgufError::Damaged("a tensor has an impossible shape".into()))
}

fn convert(source: &mut impl Read, kind: TensorType, bytes: u64, out: &mut impl Write) -> Result<(), GgufError> {
    let chunk = CHUNK_BLOCKS * kind.block_bytes();
    let (mut blocks, mut floats) = (Vec::new(), Vec::new());
    let mut left = bytes;
    while left > 0 {
        let len = left.min(chunk);
        blocks.resize(len as usize, 0);
        source.read_exact(&mut blocks)?;
        floats.clear();
        kind.to_f32(&blocks, &mut floats);
        out.write_all(&floats)?;
        left -= len;
    }
    Ok(())
}
