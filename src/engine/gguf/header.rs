//! What stands before the numbers in a GGUF file: metadata and the list of tensors.

use super::tensor::TensorType;

/// The number of strings among the types of the format.
const STRINGS: u32 = 8;

/// A metadata value. Strings and arrays keep the bytes of the file: tokens need not be UTF-8.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// An unsigned integer of the width that the file gives it.
    U8(u8),
    /// See [`Value::U8`].
    U16(u16),
    /// See [`Value::U8`].
    U32(u32),
    /// See [`Value::U8`].
    U64(u64),
    /// A signed integer of the width that the file gives it.
    I8(i8),
    /// See [`Value::I8`].
    I16(i16),
    /// See [`Value::I8`].
    I32(i32),
    /// See [`Value::I8`].
    I64(i64),
    /// A single-precision float.
    F32(f32),
    /// A double-precision float.
    F64(f64),
    /// A truth value.
    Bool(bool),
    /// A string, UTF-8 by convention.
    String(Vec<u8>),
    /// An array of scalars or strings; arrays of arrays are refused.
    Array {
        /// The elements' type, by its number in the format.
        kind: u32,
        /// Number of elements.
        count: u64,
        /// The elements as the file holds them: little-endian scalars, or strings each behind its u64 length.
        bytes: Vec<u8>,
    },
}

impl Value {
    /// A string value.
    pub fn text(text: &str) -> Self {
        Self::String(text.as_bytes().to_vec())
    }

    /// The string, if this is one and it is UTF-8.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(bytes) => std::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// The integer, if this is one and not negative.
    pub fn as_u64(&self) -> Option<u64> {
        match *self {
            Self::U8(v) => Some(v.into()),
            Self::U16(v) => Some(v.into()),
            Self::U32(v) => Some(v.into()),
            Self::U64(v) => Some(v),
            Self::I8(v) => v.try_into().ok(),
            Self::I16(v) => v.try_into().ok(),
            Self::I32(v) => v.try_into().ok(),
            Self::I64(v) => v.try_into().ok(),
            _ => None,
        }
    }
}

/// One tensor of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Its name, unique in the file.
    pub name: String,
    /// Its sizes, the contiguous dimension first (ggml's order: a `rows × columns` matrix is `[columns, rows]`).
    pub shape: Vec<u64>,
    /// How its numbers are stored.
    pub kind: TensorType,
    /// Where its bytes begin, counted from the start of the data.
    pub offset: u64,
    /// How many bytes it takes, without padding.
    pub bytes: u64,
}

impl Tensor {
    /// How many numbers it holds.
    pub fn values(&self) -> u64 {
        self.shape.iter().product()
    }
}

/// Everything in a GGUF file but the numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// Version of the format: 2 or 3.
    pub version: u32,
    /// Keys and values, in the file's order.
    pub metadata: Vec<(String, Value)>,
    /// The tensors, in the order of their bytes.
    pub tensors: Vec<Tensor>,
    /// Every tensor begins at a multiple of this many bytes.
    pub alignment: u64,
    /// Where the data begins in the file.
    pub data_offset: u64,
}

impl Header {
    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        self.metadata.iter().find(|(k, _)| k == key).map(|(_, v)| v)
    }

    /// The string of a key.
    pub fn str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The strings of a key's array that are UTF-8; none where it has no such array.
    pub fn strings(&self, key: &str) -> Vec<String> {
        let Some(Value::Array { kind: STRINGS, bytes, .. }) = self.get(key) else { return Vec::new() };
        let (mut rest, mut strings) = (&bytes[..], Vec::new());
        while let Some((len, after)) = rest.split_first_chunk::<8>() {
            let len = usize::try_from(u64::from_le_bytes(*len)).unwrap_or(usize::MAX);
            let Some((string, after)) = after.split_at_checked(len) else { break };
            strings.extend(std::str::from_utf8(string).ok().map(str::to_owned));
            rest = after;
        }
        strings
    }

    /// The integer of a key.
    pub fn u64(&self, key: &str) -> Option<u64> {
        self.get(key)?.as_u64()
    }
}
