//! The adapter as a GGUF file: what llama.cpp's tools load, and in its metadata where it came from and what else is needed to use it: the head
//! of an encoder's, the invocation tokens of one that acts on answers alone.

use std::io::Cursor;

use ndarray::{Array1, Array2};

use super::adapter::{Lora, Update};
use crate::engine::gguf::{
    GgufError, Header, TensorType, Value, encode_header, padding, read_header, read_tensor,
};
use crate::engine::transformer::{Family, Site};

/// The numbers by which the format knows arrays of unsigned integers of 32 bits, the only ones that llama.cpp takes for invocation tokens, and
/// of single-precision floats.
const U32_ARRAY: u32 = 4;
const F32_ARRAY: u32 = 6;
/// A file with more blocks or a higher rank was not written here.
const MOST_BLOCKS: usize = 1_000;
const MOST_RANK: usize = 1 << 12;

const ALPHA: &str = "adapter.lora.alpha";
const INVOCATION: &str = "adapter.alora.invocation_tokens";
const HEAD_WEIGHT: &str = "hardcase.head.weight";
const HEAD_BIAS: &str = "hardcase.head.bias";

/// The linear head on an encoder's unit vectors.
#[derive(Clone, Debug, PartialEq)]
pub struct Head {
    /// `labels × dimensions`.
    pub weight: Array2<f32>,
    /// `labels`.
    pub bias: Array1<f32>,
}

/// An encoder's adapter with the head that was trained with it.
#[derive(Clone, Debug, PartialEq)]
pub struct EncoderAdapter {
    /// The architecture that it was trained for.
    pub family: &'static Family,
    pub lora: Lora,
    pub head: Head,
}

/// An adapter with what must be known to use it.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterFile {
    /// The architecture that it was trained for.
    pub family: &'static Family,
    pub lora: Lora,
    /// What turns an encoder's vectors into labels.
    pub head: Option<Head>,
    /// Of one that acts on answers alone: the tokens with which an answer's cue begins. Empty where it acts on all tokens.
    pub invocation: Vec<u32>,
}

impl EncoderAdapter {
    /// The bytes of the file. `about` is written into the metadata as it is, each key behind `hardcase.`.
    ///
    /// # Errors
    /// None for an adapter of at least rank 1.
    pub fn encode(&self, about: &[(&str, String)]) -> Result<Vec<u8>, GgufError> {
        let Self { family, lora, head } = self.clone();
        AdapterFile { family, lora, head: Some(head), invocation: Vec::new() }.encode(about)
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// Where the bytes are no such file, whole, or there is no head in it.
    pub fn decode(bytes: &[u8]) -> Result<Self, GgufError> {
        let AdapterFile { family, lora, head, .. } = AdapterFile::decode(bytes)?;
        let head = head.ok_or_else(|| damaged("it has no head"))?;
        Ok(Self { family, lora, head })
    }
}

impl AdapterFile {
    /// The bytes of the file. `about` is written into the metadata as it is, each key behind `hardcase.`.
    ///
    /// # Errors
    /// None for an adapter of at least rank 1.
    pub fn encode(&self, about: &[(&str, String)]) -> Result<Vec<u8>, GgufError> {
        let mut metadata = vec![
            ("general.type".to_owned(), Value::text("adapter")),
            ("general.architecture".to_owned(), Value::text(self.family.name)),
            ("adapter.type".to_owned(), Value::text("lora")),
            (ALPHA.to_owned(), Value::F32(self.lora.alpha)),
        ];
        if let Some(head) = &self.head {
            metadata.push((HEAD_WEIGHT.to_owned(), floats(head.weight.iter())));
            metadata.push((HEAD_BIAS.to_owned(), floats(head.bias.iter())));
        }
        if !self.invocation.is_empty() {
            let bytes = self.invocation.iter().flat_map(|token| token.to_le_bytes()).collect();
            let count = self.invocation.len() as u64;
            metadata.push((INVOCATION.to_owned(), Value::Array { kind: U32_ARRAY, count, bytes }));
        }
        metadata.extend(about.iter().map(|(key, value)| (format!("hardcase.{key}"), Value::text(value))));
        let sites: Vec<Site> = self.family.sites().collect();
        let matrices = || {
            self.lora.updates.iter().enumerate().flat_map(|(number, update)| {
                let (block, site) = (number / sites.len(), sites[number % sites.len()]);
                [('a', &update.a), ('b', &update.b)].map(|(side, matrix)| (name(block, site, side), matrix))
            })
        };
        let shapes = matrices().map(|(name, matrix)| {
            let (rows, columns) = matrix.dim();
            (name, vec![columns as u64, rows as u64], TensorType::F32)
        });
        let odd = || damaged("the adapter has no rank");
        let (mut out, header) = encode_header(metadata, shapes).ok_or_else(odd)?;
        for ((_, matrix), tensor) in matrices().zip(&header.tensors) {
            out.extend(matrix.iter().flat_map(|x| x.to_le_bytes()));
            out.resize(out.len() + padding(tensor.bytes) as usize, 0);
        }
        Ok(out)
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// Where the bytes are no such file, whole, or hold anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, GgufError> {
        let header = read_header(bytes, bytes.len() as u64)?;
        let family = header.str("general.architecture").and_then(Family::named);
        let family = family.ok_or_else(|| damaged("it is for an unknown architecture"))?;
        if header.str("general.type") != Some("adapter") || header.str("adapter.type") != Some("lora") {
            return Err(damaged("it is not a low-rank adapter"));
        }
        let alpha = match header.get(ALPHA) {
            Some(Value::F32(alpha)) if alpha.is_finite() => *alpha,
            _ => return Err(damaged("it has no alpha")),
        };
        let invocation = match header.get(INVOCATION) {
            None => Vec::new(),
            Some(Value::Array { kind: U32_ARRAY, bytes, .. }) if !bytes.is_empty() => {
                bytes.as_chunks::<4>().0.iter().map(|b| u32::from_le_bytes(*b)).collect()
            }
            Some(_) => return Err(damaged("its invocation tokens are of another type")),
        };
        let head = head(&header)?;
        let sites: Vec<Site> = family.sites().collect();
        let mut source = Source { file: Cursor::new(bytes), header: &header };
        let per_block = 2 * sites.len();
        let blocks = header.tensors.len() / per_block;
        if blocks == 0 || blocks > MOST_BLOCKS || !header.tensors.len().is_multiple_of(per_block) {
            return Err(damaged("it does not update the linear layers of whole blocks"));
        }
        let mut updates = Vec::new();
        for block in 0..blocks {
            for site in &sites {
                let (a, b) = (source.matrix(block, *site, 'a')?, source.matrix(block, *site, 'b')?);
                updates.push(Update { a, b });
            }
        }
        let rank = updates[0].b.ncols();
        let fits = |update: &Update| update.a.nrows() == rank && update.b.ncols() == rank;
        if !(1..=MOST_RANK).contains(&rank) || !updates.iter().all(fits) {
            return Err(damaged("its matrices do not fit each other"));
        }
        Ok(Self { family, lora: Lora { rank, alpha, updates }, head, invocation })
    }
}

/// The head in the metadata, where there is one.
fn head(header: &Header) -> Result<Option<Head>, GgufError> {
    if header.get(HEAD_WEIGHT).is_none() && header.get(HEAD_BIAS).is_none() {
        return Ok(None);
    }
    let (bias, weight) = (Array1::from(array(header, HEAD_BIAS)?), array(header, HEAD_WEIGHT)?);
    let dimensions = weight.len().checked_div(bias.len()).unwrap_or(0);
    let weight = Array2::from_shape_vec((bias.len(), dimensions), weight)
        .map_err(|_| damaged("its head has no shape"))?;
    Ok(Some(Head { weight, bias }))
}

struct Source<'b> {
    file: Cursor<&'b [u8]>,
    header: &'b Header,
}

impl Source<'_> {
    fn matrix(&mut self, block: usize, site: Site, side: char) -> Result<Array2<f32>, GgufError> {
        let name = name(block, site, side);
        let tensor = self.header.tensors.iter().find(|tensor| tensor.name == name);
        let tensor = tensor.ok_or_else(|| damaged(&format!("there is no tensor '{name}'")))?;
        let &[columns, rows] = &tensor.shape[..] else { return Err(damaged("a tensor is not a matrix")) };
        let values = read_tensor(&mut self.file, self.header, tensor)?;
        if !values.iter().all(|x| x.is_finite()) {
            return Err(damaged(&format!("tensor '{name}' holds numbers that are not finite")));
        }
        Array2::from_shape_vec((rows as usize, columns as usize), values)
            .map_err(|_| damaged("a tensor is not a matrix"))
    }
}

/// What llama.cpp calls a matrix of an update.
fn name(block: usize, site: Site, side: char) -> String {
    format!("blk.{block}.{}.weight.lora_{side}", site.tensor())
}

fn floats<'v>(values: impl ExactSizeIterator<Item = &'v f32>) -> Value {
    let count = values.len() as u64;
    Value::Array { kind: F32_ARRAY, count, bytes: values.flat_map(|x| x.to_le_bytes()).collect() }
}

fn array(header: &Header, key: &str) -> Result<Vec<f32>, GgufError> {
    match header.get(key) {
        Some(Value::Array { kind: F32_ARRAY, bytes, .. }) => {
            Ok(bytes.as_chunks::<4>().0.iter().map(|x| f32::from_le_bytes(*x)).collect())
        }
        _ => Err(damaged(&format!("it has no '{key}'"))),
    }
}

fn damaged(why: &str) -> GgufError {
    GgufError::Damaged(why.to_owned())
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;
    use crate::engine::transformer::Role;

    /// An adapter of two blocks for each family, and for encoders its head.
    fn files(invocation: &[u32]) -> Vec<AdapterFile> {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut matrix =
            |rows, columns| Array2::from_shape_simple_fn((rows, columns), || rng.gen_range(-1.0f32..1.0));
        let size = |site| match site {
            Site::Query | Site::AttnOutput => (8, 8),
            Site::Key | Site::Value => (8, 4),
            Site::Gate | Site::Up => (8, 16),
            Site::Down => (16, 8),
        };
        let mut file = |family: &&'static Family| {
            let updates = family
                .sites()
                .chain(family.sites())
                .map(size)
                .map(|(from, out)| Update { a: matrix(4, from), b: matrix(out, 4) });
            let lora = Lora { rank: 4, alpha: 8.0, updates: updates.collect() };
            let head = Head { weight: matrix(3, 8), bias: Array1::from(vec![0.5, -1.0, 2.0]) };
            let head = (family.role == Role::Encoder).then_some(head);
            AdapterFile { family, lora, head, invocation: invocation.to_vec() }
        };
        Family::ALL.iter().map(&mut file).collect()
    }

    #[test]
    fn an_adapter_comes_out_of_its_file_as_it_went_in() {
        for invocation in [&[][..], &[7, 0, 99]] {
            for file in files(invocation) {
                let bytes = file.encode(&[("task", "is it spam?".into())]).unwrap();
                assert_eq!(AdapterFile::decode(&bytes).unwrap(), file);
                let header = read_header(&bytes[..], bytes.len() as u64).unwrap();
                assert_eq!(header.str("hardcase.task"), Some("is it spam?"));
                assert_eq!(header.get(INVOCATION).is_some(), !invocation.is_empty());
                let down = header.tensors.iter().find(|t| t.name == "blk.1.ffn_down.weight.lora_a").unwrap();
                assert_eq!(down.shape, [16, 4], "in first, as ggml counts");
                assert_eq!(header.tensors.len(), 2 * 2 * file.family.sites().count());
                assert_eq!(EncoderAdapter::decode(&bytes).is_ok(), file.head.is_some());
            }
        }
    }

    #[test]
    fn half_an_adapter_or_one_with_a_matrix_that_does_not_fit_is_refused() {
        for good in files(&[1]) {
            let bytes = good.encode(&[]).unwrap();
            for end in [0, 10, bytes.len() / 2, bytes.len() - 1] {
                assert!(AdapterFile::decode(&bytes[..end]).is_err(), "{end} bytes");
            }
            let mut bad = good.clone();
            bad.lora.updates[3].a = Array2::zeros((5, 8));
            assert!(AdapterFile::decode(&bad.encode(&[]).unwrap()).is_err());
            let mut bad = good.clone();
            bad.lora.updates.pop();
            assert!(AdapterFile::decode(&bad.encode(&[]).unwrap()).is_err());
            let mut bad = good;
            bad.lora.updates[0].a[[0, 0]] = f32::NAN;
            assert!(AdapterFile::decode(&bad.encode(&[]).unwrap()).is_err());
        }
    }
}
