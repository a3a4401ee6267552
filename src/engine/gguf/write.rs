//! Writes headers. The caller writes the numbers after it, each tensor padded to the alignment.

use super::header::{Header, Tensor, Value};
use super::tensor::TensorType;

const VERSION: u32 = 3;
const ALIGNMENT: u64 = 32;

/// The bytes of a header, up to where the data begins, and the header with every offset filled in.
///
/// Tensors are laid out one after the other in the order given, each at a multiple of 32 bytes; after the bytes of
/// each stand [`padding`] zero bytes. A shape has its contiguous dimension first.
///
/// None if a tensor's numbers do not fill whole blocks of its type.
pub fn encode_header(
    mut metadata: Vec<(String, Value)>,
    tensors: impl IntoIterator<Item = (String, Vec<u64>, TensorType)>,
) -> Option<(Vec<u8>, Header)> {
    metadata.retain(|(key, _)| key != "general.alignment");
    let mut offset = 0;
    let mut list = Vec::new();
    for (name, shape, kind) in tensors {
        let bytes = kind.bytes_for(shape.iter().product())?;
        list.push(Tensor { name, shape, kind, offset, bytes });
        offset += bytes + padding(bytes);
    }

    let mut out = b"GGUF".to_vec();
    out.extend(VERSION.to_le_bytes());
    out.extend((list.len() as u64).to_le_bytes());
    out.extend((metadata.len() as u64).to_le_bytes());
    for (key, value) in &metadata {
        string(&mut out, key.as_bytes());
        encode_value(&mut out, value);
    }
    for tensor in &list {
        string(&mut out, tensor.name.as_bytes());
        out.extend((tensor.shape.len() as u32).to_le_bytes());
        for size in &tensor.shape {
            out.extend(size.to_le_bytes());
        }
        out.extend(tensor.kind.raw().to_le_bytes());
        out.extend(tensor.offset.to_le_bytes());
    }
    let data_offset = (out.len() as u64).next_multiple_of(ALIGNMENT);
    out.resize(data_offset as usize, 0);
    Some((out, Header { version: VERSION, metadata, tensors: list, alignment: ALIGNMENT, data_offset }))
}

/// How many zero bytes follow a tensor of `bytes` bytes.
pub fn padding(bytes: u64) -> u64 {
    bytes.next_multiple_of(ALIGNMENT) - bytes
}

fn string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend((bytes.len() as u64).to_le_bytes());
    out.extend_from_slice(bytes);
}

fn encode_value(out: &mut Vec<u8>, value: &Value) {
    macro_rules! scalar {
        ($kind:literal, $value:expr) => {{
            out.extend(u32::to_le_bytes($kind));
            out.extend($value.to_le_bytes());
        }};
    }
    match value {
        Value::U8(v) => scalar!(0, v),
        Value::I8(v) => scalar!(1, v),
        Value::U16(v) => scalar!(2, v),
        Value::I16(v) => scalar!(3, v),
        Value::U32(v) => scalar!(4, v),
        Value::I32(v) => scalar!(5, v),
        Value::F32(v) => scalar!(6, v),
        Value::Bool(v) => scalar!(7, u8::from(*v)),
        Value::String(bytes) => {
            out.extend(8u32.to_le_bytes());
            string(out, bytes);
        }
        Value::Array { kind, count, bytes } => {
            out.extend(9u32.to_le_bytes());
            out.extend(kind.to_le_bytes());
            out.extend(count.to_le_bytes());
            out.extend_from_slice(bytes);
        }
        Value::U64(v) => scalar!(10, v),
        Value::I64(v) => scalar!(11, v),
        Value::F64(v) => scalar!(12, v),
    }
}
