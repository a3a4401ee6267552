//! Reads a header from untrusted bytes: strict, without panics, never allocating more than the file is long.

use std::collections::HashSet;
use std::io::{self, Read};

use super::header::{Header, Tensor, Value};
use super::tensor::TensorType;

/// The longest header that is read. The largest known, with 260,000 tokens and their merges, has about 16 MiB.
const LONGEST_HEADER: u64 = 256 << 20;
/// The most metadata entries or tensors that are read; the largest known model has a few thousand tensors.
const MOST_ENTRIES: u64 = 1 << 16;
/// ggml's own limits: `GGML_MAX_DIMS`, and `GGML_MAX_NAME` with its final NUL.
const MOST_DIMENSIONS: u32 = 4;
const LONGEST_NAME: usize = 63;
const DEFAULT_ALIGNMENT: u64 = 32;

/// Why a file cannot be read as GGUF. Each displays as a clause that goes on from "cannot …: ".
#[derive(Debug, thiserror::Error)]
pub enum GgufError {
    /// The file does not begin with the format's four letters.
    #[error("it is not a GGUF file ({0})")]
    NotGguf(String),
    /// A version from before 2023 or from the future.
    #[error("it is GGUF version {0}, and only versions 2 and 3 can be read")]
    Version(u32),
    /// The file ends too early.
    #[error("it is truncated: at least {missing} of {expected} bytes are missing")]
    Truncated {
        /// How many bytes there should be, as far as the part that is there tells.
        expected: u64,
        /// How many of them are not there.
        missing: u64,
    },
    /// Something in the header contradicts the format.
    #[error("its header is damaged: {0}")]
    Damaged(String),
    /// The file could not be read.
    #[error("{}", crate::domain::fault::io_reason(.0))]
    Io(#[from] io::Error),
}

type Result<T> = std::result::Result<T, GgufError>;

fn damaged<T>(what: impl Into<String>) -> Result<T> {
    Err(GgufError::Damaged(what.into()))
}

/// Reads the header of a file of `file_len` bytes from its beginning, and checks that all its tensors lie inside.
///
/// `source` is best buffered. It is left somewhere before the data.
///
/// # Errors
/// Says which part of the file is wrong, or how many bytes are missing.
pub fn read_header(source: impl Read, file_len: u64) -> Result<Header> {
    let mut bytes = Bytes { source, at: 0, file_len };
    let version = magic_and_version(&mut bytes)?;
    let tensor_count = bytes.u64()?;
    let metadata_count = bytes.u64()?;
    if tensor_count > MOST_ENTRIES || metadata_count > MOST_ENTRIES {
        return damaged(format!("it announces {metadata_count} metadata entries and {tensor_count} tensors"));
    }
    let metadata = metadata(&mut bytes, metadata_count)?;
    let alignment = match metadata.iter().find(|(key, _)| key == "general.alignment") {
        None => DEFAULT_ALIGNMENT,
        Some((_, Value::U32(alignment))) if alignment.is_power_of_two() => u64::from(*alignment),
        Some(_) => return damaged("its alignment is not a power of two"),
    };
    let tensors = tensors(&mut bytes, tensor_count, alignment)?;
    let data_offset = bytes.at.next_multiple_of(alignment);
    let header = Header { version, metadata, tensors, alignment, data_offset };
    // Padding after the last tensor may be absent, as some writers leave it out.
    let expected =
        header.tensors.last().map_or(0, |t| data_offset.saturating_add(t.offset).saturating_add(t.bytes));
    if expected > file_len {
        return Err(GgufError::Truncated { expected, missing: expected - file_len });
    }
    Ok(header)
}

fn magic_and_version(bytes: &mut Bytes<impl Read>) -> Result<u32> {
    if bytes.file_len == 0 {
        return Err(GgufError::NotGguf("it is empty".into()));
    }
    let mut magic = Vec::new();
    bytes.source.by_ref().take(4).read_to_end(&mut magic)?;
    if magic != b"GGUF" {
        let text = std::str::from_utf8(&magic)
            .is_ok_and(|s| s.chars().all(|c| !c.is_control() || c.is_whitespace()));
        let looks = if text { "it looks like a text file" } else { "it begins with other bytes" };
        return Err(GgufError::NotGguf(looks.into()));
    }
    bytes.at = 4;
    match bytes.u32()? {
        version @ 2..=3 => Ok(version),
        swapped if (1..=3).contains(&swapped.swap_bytes()) => {
            damaged("it is big-endian, and only little-endian files can be read")
        }
        version => Err(GgufError::Version(version)),
    }
}

fn metadata(bytes: &mut Bytes<impl Read>, count: u64) -> Result<Vec<(String, Value)>> {
    let mut entries = Vec::new();
    let mut seen = HashSet::new();
    for _ in 0..count {
        let Ok(key) = String::from_utf8(bytes.string()?) else {
            return damaged("the name of a metadata entry is not UTF-8");
        };
        if !seen.insert(key.clone()) {
            return damaged(format!("'{}' occurs twice", key.escape_debug()));
        }
        let kind = bytes.u32()?;
        let value = bytes.value(kind)?;
        entries.push((key, value));
    }
    Ok(entries)
}

fn tensors(bytes: &mut Bytes<impl Read>, count: u64, alignment: u64) -> Result<Vec<Tensor>> {
    let mut tensors = Vec::new();
    let mut seen = HashSet::new();
    let mut next_offset = 0u64;
    for _ in 0..count {
        let tensor = tensor(bytes)?;
        let name = &tensor.name;
        // Contiguous, as ggml itself demands: so no tensor can overlap another.
        if tensor.offset != next_offset {
            return damaged(format!("tensor '{name}' begins at {}, not at {next_offset}", tensor.offset));
        }
        let end =
            tensor.offset.checked_add(tensor.bytes).and_then(|end| end.checked_next_multiple_of(alignment));
        let Some(end) = end else {
            return damaged(format!("tensor '{name}' is too large"));
        };
        next_offset = end;
        if !seen.insert(name.clone()) {
            return damaged(format!("tensor '{name}' occurs twice"));
        }
        tensors.push(tensor);
    }
    Ok(tensors)
}

fn tensor(bytes: &mut Bytes<impl Read>) -> Result<Tensor> {
    let name = match String::from_utf8(bytes.string()?) {
        Ok(name) if name.len() <= LONGEST_NAME && !name.chars().any(char::is_control) => name,
        _ => return damaged("the name of a tensor is too long or not text"),
    };
    let dimensions = bytes.u32()?;
    if dimensions > MOST_DIMENSIONS {
        return damaged(format!("tensor '{name}' has {dimensions} dimensions"));
    }
    let shape = (0..dimensions).map(|_| bytes.u64()).collect::<Result<Vec<_>>>()?;
    let raw = bytes.u32()?;
    let Some(kind) = TensorType::from_raw(raw) else {
        return damaged(format!("tensor '{name}' is stored as type {raw}, which this build does not know"));
    };
    let offset = bytes.u64()?;
    let row = shape.first().copied().unwrap_or(1);
    let values =
        shape.iter().try_fold(1u64, |n, size| n.checked_mul(*size)).filter(|n| i64::try_from(*n).is_ok());
    let size = values.filter(|_| row % kind.block_len() == 0).and_then(|n| kind.bytes_for(n));
    match size {
        Some(bytes) if bytes > 0 => Ok(Tensor { name, shape, kind, offset, bytes }),
        _ => damaged(format!("tensor '{name}' has the impossible shape {shape:?}")),
    }
}

/// A cursor that knows how much can still come, so that a length is checked before anything is allocated for it.
struct Bytes<R> {
    source: R,
    at: u64,
    file_len: u64,
}

impl<R: Read> Bytes<R> {
    fn claim(&mut self, len: u64) -> Result<()> {
        let end = self.at.checked_add(len).filter(|end| *end <= LONGEST_HEADER);
        let Some(end) = end else {
            return damaged(format!("an entry of {len} bytes at byte {} is too long for a header", self.at));
        };
        if end > self.file_len {
            return Err(GgufError::Truncated { expected: end, missing: end - self.file_len });
        }
        self.at = end;
        Ok(())
    }

    fn take(&mut self, len: u64, into: &mut Vec<u8>) -> Result<()> {
        self.claim(len)?;
        let got = self.source.by_ref().take(len).read_to_end(into)? as u64;
        if got < len {
            // The file shrank while it was read.
            return Err(GgufError::Truncated { expected: self.at, missing: len - got });
        }
        Ok(())
    }

    fn fixed<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.claim(N as u64)?;
        let mut buffer = [0; N];
        self.source.read_exact(&mut buffer)?;
        Ok(buffer)
    }

    fn u32(&mut self) -> Result<u32> {
        Ok(u32::from_le_bytes(self.fixed()?))
    }

    fn u64(&mut self) -> Result<u64> {
        Ok(u64::from_le_bytes(self.fixed()?))
    }

    fn string(&mut self) -> Result<Vec<u8>> {
        let len = self.u64()?;
        let mut bytes = Vec::new();
        self.take(len, &mut bytes)?;
        Ok(bytes)
    }

    fn value(&mut self, kind: u32) -> Result<Value> {
        Ok(match kind {
            0 => Value::U8(u8::from_le_bytes(self.fixed()?)),
            1 => Value::I8(i8::from_le_bytes(self.fixed()?)),
            2 => Value::U16(u16::from_le_bytes(self.fixed()?)),
            3 => Value::I16(i16::from_le_bytes(self.fixed()?)),
            4 => Value::U32(self.u32()?),
            5 => Value::I32(i32::from_le_bytes(self.fixed()?)),
            6 => Value::F32(f32::from_le_bytes(self.fixed()?)),
            7 => Value::Bool(u8::from_le_bytes(self.fixed()?) != 0),
            8 => Value::String(self.string()?),
            9 => self.array()?,
            10 => Value::U64(self.u64()?),
            11 => Value::I64(i64::from_le_bytes(self.fixed()?)),
            12 => Value::F64(f64::from_le_bytes(self.fixed()?)),
            _ => return damaged(format!("a metadata value has the unknown type {kind}")),
        })
    }

    fn array(&mut self) -> Result<Value> {
        let kind = self.u32()?;
        let count = self.u64()?;
        let width = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            10..=12 => 8,
            8 => return self.strings(count),
            _ => return damaged(format!("an array has elements of type {kind}")),
        };
        let Some(len) = count.checked_mul(width) else {
            return damaged(format!("an array announces {count} elements"));
        };
        let mut bytes = Vec::new();
        self.take(len, &mut bytes)?;
        Ok(Value::Array { kind, count, bytes })
    }

    fn strings(&mut self, count: u64) -> Result<Value> {
        let mut bytes = Vec::new();
        for _ in 0..count {
            let len = self.u64()?;
            bytes.extend_from_slice(&len.to_le_bytes());
            self.take(len, &mut bytes)?;
        }
        Ok(Value::Array { kind: 8, count, bytes })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;
    use crate::engine::gguf::encode_header;

    fn small() -> Vec<u8> {
        let metadata = vec![
            ("general.architecture".into(), Value::text("bert")),
            ("a.u8".into(), Value::U8(1)),
            ("a.i64".into(), Value::I64(-1)),
            ("a.f32".into(), Value::F32(0.5)),
            ("a.bool".into(), Value::Bool(true)),
            ("a.numbers".into(), Value::Array { kind: 4, count: 2, bytes: vec![1, 0, 0, 0, 2, 0, 0, 0] }),
            (
                "a.words".into(),
                Value::Array { kind: 8, count: 1, bytes: [&3u64.to_le_bytes()[..], b"a\xffb"].concat() },
            ),
        ];
        let tensors = [("x".into(), vec![32, 2], TensorType::Q8_0), ("y".into(), vec![3], TensorType::F32)];
        let (mut bytes, header) = encode_header(metadata, tensors).unwrap();
        let data: u64 = header.tensors.last().map(|t| t.offset + t.bytes).unwrap();
        bytes.resize(bytes.len() + data as usize, 7);
        bytes
    }

    fn read(bytes: &[u8]) -> Result<Header> {
        read_header(Cursor::new(bytes), bytes.len() as u64)
    }

    #[test]
    fn what_was_written_is_read_back() {
        let bytes = small();
        let header = read(&bytes).unwrap();
        assert_eq!(header.str("general.architecture"), Some("bert"));
        assert_eq!(header.get("a.i64"), Some(&Value::I64(-1)));
        assert_eq!(header.tensors[1].offset, 96);
        assert_eq!((header.strings("a.words"), header.strings("a.numbers")), (Vec::new(), Vec::new()));
        let again = header.tensors.iter().map(|t| (t.name.clone(), t.shape.clone(), t.kind));
        let (rewritten, same) = encode_header(header.metadata.clone(), again).unwrap();
        assert_eq!(same, header);
        assert_eq!(rewritten, bytes[..rewritten.len()]);
    }

    #[test]
    fn every_shorter_file_is_truncated_and_says_by_how_much() {
        let whole = small();
        for len in 4..whole.len() {
            match read(&whole[..len]) {
                Err(GgufError::Truncated { expected, missing }) => {
                    assert_eq!(expected - missing, len as u64);
                    assert!(expected <= whole.len() as u64);
                }
                other => panic!("{len} bytes: {other:?}"),
            }
        }
        let header_len = read(&whole).unwrap().data_offset as usize;
        assert!(matches!(
            read(&whole[..header_len]),
            Err(GgufError::Truncated { missing, .. }) if missing == (whole.len() - header_len) as u64
        ));
    }

    #[test]
    fn other_files_are_named_for_what_they_look_like() {
        let why = |bytes: &[u8]| read(bytes).unwrap_err().to_string();
        assert!(why(b"Dear reader, this is no model").contains("text file"));
        assert!(why(b"\x7fELF\0\0\0").contains("other bytes"));
        assert!(why(b"").contains("empty"));
        assert!(why(b"GGUF\x01\0\0\0").contains("version 1"));
        assert!(why(b"GGUF\0\0\0\x03\0\0\0\0").contains("big-endian"));
    }

    #[test]
    fn an_announced_length_is_not_allocated_before_it_is_there() {
        let mut bytes = b"GGUF\x03\0\0\0".to_vec();
        bytes.extend(0u64.to_le_bytes());
        bytes.extend(1u64.to_le_bytes());
        bytes.extend((200u64 << 20).to_le_bytes());
        assert!(matches!(read(&bytes), Err(GgufError::Truncated { .. })));
        let len = bytes.len();
        bytes[len - 8..].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(matches!(read(&bytes), Err(GgufError::Damaged(_))));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read(&bytes);
            let _ = read(&[b"GGUF\x03\0\0\0", &bytes[..]].concat());
        }

        #[test]
        fn no_damage_to_a_header_makes_it_panic(hits in proptest::collection::vec((0usize..512, any::<u8>()), 1..6)) {
            let mut bytes = small();
            for (at, value) in hits {
                let at = at % bytes.len();
                bytes[at] = value;
            }
            if let Ok(header) = read(&bytes) {
                for tensor in &header.tensors {
                    prop_assert!(header.data_offset + tensor.offset + tensor.bytes <= bytes.len() as u64);
                }
            }
        }
    }
}
