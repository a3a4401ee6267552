//! Rewrites a model with its numbers in another type, streaming: memory stays at one chunk, or what the converter takes, whatever the model's size.

use std::io::{self, Read, Seek, SeekFrom, Write};

use super::header::{Header, Tensor, Value};
use super::read::{GgufError, read_header};
use super::tensor::TensorType;
use super::write::{encode_header, padding};

/// Blocks converted at a time; 4,096 blocks of Q8_0 become 512 KiB.
const CHUNK_BLOCKS: u64 = 4096;

/// The value of `general.file_type` that means "all F32".
const ALL_F32: u32 = 0;

/// The vectors of tokens. An encoder only looks its rows up, and a row is the same number for number, whether it is unpacked now or then.
const TOKENS: &str = "token_embd.weight";

/// Copies the GGUF file of an encoder in `source` to `out`, every packed tensor as F32 but the table of the tokens' vectors, which stays as it is:
/// with a large vocabulary it would be most of the file. Returns the bytes written.
///
/// # Errors
/// Where `source` is not a whole GGUF file, holds a tensor of another type, or either side fails.
pub fn unpack_f32(source: &mut (impl Read + Seek), out: &mut impl Write) -> Result<u64, GgufError> {
    let mut packed = whole_header(source)?;
    let unpacked = |tensor: &Tensor| (tensor.name != TOKENS).then_some(TensorType::F32);
    if let Some(tensor) = packed.tensors.iter().find(|t| unpacked(t).is_some() && !t.kind.has_f32_form()) {
        let (name, kind) = (&tensor.name, tensor.kind.name());
        return Err(GgufError::Damaged(format!(
            "tensor '{name}' is stored as {kind}, which cannot be unpacked"
        )));
    }
    for (key, value) in &mut packed.metadata {
        if key == "general.file_type" {
            *value = Value::U32(ALL_F32);
        }
    }
    let convert =
        |source: &mut _, tensor: &Tensor, out: &mut _| convert(source, tensor.kind, tensor.bytes, out);
    rewrite(&packed, source, out, unpacked, convert)
}

/// The header of a file from its beginning to its end.
///
/// # Errors
/// Where it is not a whole GGUF file.
pub fn whole_header(source: &mut (impl Read + Seek)) -> Result<Header, GgufError> {
    let file_len = source.seek(SeekFrom::End(0))?;
    source.rewind()?;
    read_header(io::BufReader::new(source), file_len)
}

/// Copies the file in `source`, which has this header, to `out`, with the tensors that `to` names a type for stored as that: `convert` reads one from
/// `source` and writes it so. The others are copied as they are. Returns the bytes written.
///
/// # Errors
/// Where a tensor does not fill blocks of its new type, or either side fails.
pub fn rewrite<S: Read + Seek, W: Write>(
    from: &Header,
    source: &mut S,
    out: &mut W,
    to: impl Fn(&Tensor) -> Option<TensorType>,
    mut convert: impl FnMut(&mut S, &Tensor, &mut W) -> Result<(), GgufError>,
) -> Result<u64, GgufError> {
    let tensors = from.tensors.iter().map(|t| (t.name.clone(), t.shape.clone(), to(t).unwrap_or(t.kind)));
    let (head, new) = encode_header(from.metadata.clone(), tensors)
        .ok_or_else(|| GgufError::Damaged("a tensor has an impossible shape".into()))?;
    out.write_all(&head)?;
    let mut written = head.len() as u64;
    for (old, new) in from.tensors.iter().zip(&new.tensors) {
        source.seek(SeekFrom::Start(from.data_offset + old.offset))?;
        match to(old) {
            Some(_) => convert(source, old, out)?,
            None => drop(io::copy(&mut source.by_ref().take(old.bytes), out)?),
        }
        let zeros = padding(new.bytes);
        io::copy(&mut io::repeat(0).take(zeros), out)?;
        written += new.bytes + zeros;
    }
    Ok(written)
}

fn convert(
    source: &mut impl Read,
    kind: TensorType,
    bytes: u64,
    out: &mut impl Write,
) -> Result<(), GgufError> {
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

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use half::f16;

    use super::*;

    fn file(kind: TensorType, values: u64, data: &[u8]) -> Vec<u8> {
        let metadata = vec![("general.file_type".into(), Value::U32(7))];
        let (mut bytes, _) = encode_header(metadata, [("w".into(), vec![values], kind)]).unwrap();
        bytes.extend_from_slice(data);
        bytes
    }

    #[test]
    fn a_q8_0_tensor_longer_than_a_chunk_comes_out_as_its_floats() {
        let blocks = 2 * CHUNK_BLOCKS as usize + 3;
        let mut data = Vec::new();
        for block in 0..blocks {
            data.extend(f16::from_f32((block % 1000) as f32).to_le_bytes());
            data.extend([2u8; 32]);
        }
        let mut out = Vec::new();
        let packed = file(TensorType::Q8_0, 32 * blocks as u64, &data);
        let written = unpack_f32(&mut Cursor::new(packed), &mut out).unwrap();
        assert_eq!(written, out.len() as u64);
        let header = read_header(&out[..], written).unwrap();
        assert_eq!(header.u64("general.file_type"), Some(0));
        assert_eq!(header.tensors[0].kind, TensorType::F32);
        let floats = out[header.data_offset as usize..].as_chunks::<4>().0;
        assert_eq!(floats.len(), 32 * blocks);
        assert!(
            floats.iter().enumerate().all(|(i, f)| f32::from_le_bytes(*f) == 2.0 * (i / 32 % 1000) as f32)
        );
    }

    #[test]
    fn the_table_of_tokens_stays_packed() {
        let tensors = ["token_embd.weight", "w"].map(|name| (name.into(), vec![32], TensorType::Q8_0));
        let (mut packed, _) = encode_header(Vec::new(), tensors).unwrap();
        packed.resize(packed.len() + 34 + padding(34) as usize, 1);
        packed.resize(packed.len() + 34, 1);
        let mut out = Vec::new();
        let written = unpack_f32(&mut Cursor::new(packed), &mut out).unwrap();
        let header = read_header(&out[..], written).unwrap();
        let kinds: Vec<_> = header.tensors.iter().map(|t| t.kind).collect();
        assert_eq!(kinds, [TensorType::Q8_0, TensorType::F32]);
        let from = header.data_offset as usize;
        assert_eq!(out[from..from + 34], [1; 34]);
    }

    #[test]
    fn a_type_without_an_f32_form_is_refused_by_name() {
        let q4_k = TensorType::from_raw(12).unwrap();
        let packed = file(q4_k, 256, &[0; 144]);
        let error = unpack_f32(&mut Cursor::new(packed), &mut Vec::new()).unwrap_err();
        assert!(error.to_string().contains("'w' is stored as Q4_K"), "{error}");
    }
}
