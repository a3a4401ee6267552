//! The adapter of a language model as a GGUF file: what llama.cpp's tools load, and in its metadata where it came from.

use std::io::Cursor;

use ndarray::Array2;

use super::adapter::Adapter;
use super::shape::Family;
use super::weights::Place;
use crate::engine::gguf::{
    GgufError, Header, TensorType, Value, encode_header, padding, read_header, read_tensor,
};
use crate::engine::lora::Update;

/// The number by which the format knows arrays of unsigned integers of 32 bits. llama.cpp takes no other for invocation tokens.
const U32_ARRAY: u32 = 4;
/// Blocks of a model beyond which a file is no adapter of ours.
const MOST_BLOCKS: usize = 1_000;
/// A rank beyond which it is none, either.
const MOST_RANK: usize = 1 << 12;

const ALPHA: &str = "adapter.lora.alpha";
const INVOCATION: &str = "adapter.alora.invocation_tokens";

/// An adapter with what must be known to use it.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterFile {
    /// The architecture that it was trained for.
    pub family: Family,
    /// The updates.
    pub adapter: Adapter,
    /// Of one that acts on answers alone: the tokens with which an answer's cue begins. Empty where it acts on all tokens.
    pub invocation: Vec<u32>,
}

impl AdapterFile {
    /// The bytes of the file. `about` is written into the metadata as it is, each key behind `hardcase.`.
    ///
    /// # Errors
    /// None for an adapter of at least rank 1.
    pub fn encode(&self, about: &[(&str, String)]) -> Result<Vec<u8>, GgufError> {
        let mut metadata = vec![
            ("general.type".to_owned(), Value::text("adapter")),
            ("general.architecture".to_owned(), Value::text(self.family.name())),
            ("adapter.type".to_owned(), Value::text("lora")),
            (ALPHA.to_owned(), Value::F32(self.adapter.alpha)),
        ];
        if !self.invocation.is_empty() {
            let bytes = self.invocation.iter().flat_map(|token| token.to_le_bytes()).collect();
            let count = self.invocation.len() as u64;
            metadata.push((INVOCATION.to_owned(), Value::Array { kind: U32_ARRAY, count, bytes }));
        }
        metadata.extend(about.iter().map(|(key, value)| (format!("hardcase.{key}"), Value::text(value))));
        let matrices = || {
            let sites =
                self.adapter.updates.iter().enumerate().map(|(site, update)| {
                    (site / Place::ALL.len(), Place::ALL[site % Place::ALL.len()], update)
                });
            sites.flat_map(|(block, place, update)| {
                [('a', &update.a), ('b', &update.b)].map(|(side, matrix)| (name(block, place, side), matrix))
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
        let architecture = header.str("general.architecture");
        let family = Family::ALL.into_iter().find(|family| Some(family.name()) == architecture);
        let family = family.ok_or_else(|| damaged("it is for no architecture that is known"))?;
        if header.str("general.type") != Some("adapter") || header.str("adapter.type") != Some("lora") {
            return Err(damaged("it is no low-rank adapter"));
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
            Some(_) => return Err(damaged("its invocation tokens are none")),
        };
        let mut source = Source { file: Cursor::new(bytes), header: &header };
        let per_block = 2 * Place::ALL.len();
        let blocks = header.tensors.len() / per_block;
        if blocks == 0 || blocks > MOST_BLOCKS || !header.tensors.len().is_multiple_of(per_block) {
            return Err(damaged("it does not update the linears of whole blocks"));
        }
        let mut updates = Vec::new();
        for block in 0..blocks {
            for place in Place::ALL {
                let update =
                    Update { a: source.matrix(block, place, 'a')?, b: source.matrix(block, place, 'b')? };
                updates.push(update);
            }
        }
        let rank = updates[0].b.ncols();
        let fits = |update: &Update| update.a.nrows() == rank && update.b.ncols() == rank;
        if !(1..=MOST_RANK).contains(&rank) || !updates.iter().all(fits) {
            return Err(damaged("its matrices do not fit each other"));
        }
        Ok(Self { family, adapter: Adapter { rank, alpha, updates }, invocation })
    }
}

struct Source<'b> {
    file: Cursor<&'b [u8]>,
    header: &'b Header,
}

impl Source<'_> {
    fn matrix(&mut self, block: usize, place: Place, side: char) -> Result<Array2<f32>, GgufError> {
        let name = name(block, place, side);
        let tensor = self.header.tensors.iter().find(|tensor| tensor.name == name);
        let tensor = tensor.ok_or_else(|| damaged(&format!("there is no tensor '{name}'")))?;
        let &[columns, rows] = &tensor.shape[..] else { return Err(damaged("a tensor is no matrix")) };
        let values = read_tensor(&mut self.file, self.header, tensor)?;
        if !values.iter().all(|x| x.is_finite()) {
            return Err(damaged(&format!("tensor '{name}' holds what is no number")));
        }
        Array2::from_shape_vec((rows as usize, columns as usize), values)
            .map_err(|_| damaged("a tensor is no matrix"))
    }
}

/// What llama.cpp calls a matrix of an update.
fn name(block: usize, place: Place, side: char) -> String {
    format!("blk.{block}.{}.weight.lora_{side}", place.tensor())
}

fn damaged(why: &str) -> GgufError {
    GgufError::Damaged(why.to_owned())
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    fn file(invocation: Vec<u32>) -> AdapterFile {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut matrix =
            |rows, columns| Array2::from_shape_simple_fn((rows, columns), || rng.gen_range(-1.0f32..1.0));
        let sizes = [(8, 8), (8, 4), (8, 4), (8, 8), (8, 16), (8, 16), (16, 8)];
        let updates = (0..2)
            .flat_map(|_| sizes)
            .map(|(from, out)| Update { a: matrix(4, from), b: matrix(out, 4) })
            .collect();
        AdapterFile { family: Family::Qwen3, adapter: Adapter { rank: 4, alpha: 8.0, updates }, invocation }
    }

    #[test]
    fn an_adapter_comes_out_of_its_file_as_it_went_in() {
        for invocation in [vec![], vec![7, 0, 99]] {
            let file = file(invocation.clone());
            let bytes = file.encode(&[("task", "is it spam?".into())]).unwrap();
            assert_eq!(AdapterFile::decode(&bytes).unwrap(), file);
            let header = read_header(&bytes[..], bytes.len() as u64).unwrap();
            assert_eq!(header.str("hardcase.task"), Some("is it spam?"));
            assert_eq!(header.get(INVOCATION).is_some(), !invocation.is_empty());
            let down = header.tensors.iter().find(|t| t.name == "blk.1.ffn_down.weight.lora_a").unwrap();
            assert_eq!(down.shape, [16, 4], "in first, as ggml counts");
        }
    }

    #[test]
    fn half_an_adapter_or_one_with_a_matrix_that_does_not_fit_is_refused() {
        let good = file(vec![1]);
        let bytes = good.encode(&[]).unwrap();
        for end in [0, 10, bytes.len() / 2, bytes.len() - 1] {
            assert!(AdapterFile::decode(&bytes[..end]).is_err(), "{end} bytes");
        }
        let mut bad = good.clone();
        bad.adapter.updates[3].a = Array2::zeros((5, 8));
        assert!(AdapterFile::decode(&bad.encode(&[]).unwrap()).is_err());
        let mut bad = good.clone();
        bad.adapter.updates.pop();
        assert!(AdapterFile::decode(&bad.encode(&[]).unwrap()).is_err());
        let mut bad = good;
        bad.adapter.updates[0].a[[0, 0]] = f32::NAN;
        assert!(AdapterFile::decode(&bad.encode(&[]).unwrap()).is_err());
    }
}
