//! The adapter as a GGUF file: what llama.cpp's tools load, and in its metadata the head and where it all came from.

use std::io::Cursor;

use ndarray::{Array1, Array2, Axis, concatenate, s};

use super::adapter::{Lora, Update};
use crate::engine::bert::Place;
use crate::engine::gguf::{
    GgufError, Header, TensorType, Value, encode_header, padding, read_header, read_tensor,
};

/// The number by which the format knows arrays of single-precision floats.
const F32_ARRAY: u32 = 6;
/// Blocks of a model beyond which a file is no adapter of ours.
const MOST_BLOCKS: usize = 1_000;

const ALPHA: &str = "adapter.lora.alpha";
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

/// An adapter with its head.
#[derive(Clone, Debug, PartialEq)]
pub struct AdapterFile {
    /// The updates.
    pub lora: Lora,
    /// What turns vectors into labels.
    pub head: Head,
}

impl AdapterFile {
    /// The bytes of the file for a model of `architecture`. `about` is written into the metadata as it is, each key behind `hardcase.`.
    ///
    /// # Errors
    /// None for an adapter of at least rank 1.
    pub fn encode(&self, architecture: &str, about: &[(&str, String)]) -> Result<Vec<u8>, GgufError> {
        let mut metadata = vec![
            ("general.type".to_owned(), Value::text("adapter")),
            ("general.architecture".to_owned(), Value::text(architecture)),
            ("adapter.type".to_owned(), Value::text("lora")),
            (ALPHA.to_owned(), Value::F32(self.lora.alpha)),
            (HEAD_WEIGHT.to_owned(), floats(self.head.weight.iter())),
            (HEAD_BIAS.to_owned(), floats(self.head.bias.iter())),
        ];
        metadata.extend(about.iter().map(|(key, value)| (format!("hardcase.{key}"), Value::text(value))));
        let tensors = self.tensors();
        let shapes = tensors.iter().map(|(name, matrix)| {
            let (rows, columns) = matrix.dim();
            (name.clone(), vec![columns as u64, rows as u64], TensorType::F32)
        });
        let odd = || GgufError::Damaged("the adapter has no rank".into());
        let (mut out, header) = encode_header(metadata, shapes).ok_or_else(odd)?;
        for ((_, matrix), tensor) in tensors.iter().zip(&header.tensors) {
            out.extend(matrix.iter().flat_map(|x| x.to_le_bytes()));
            out.resize(out.len() + padding(tensor.bytes) as usize, 0);
        }
        Ok(out)
    }

    /// Reads what [`Self::encode`] wrote.
    ///
    /// # Errors
    /// Where the bytes are no such file, whole.
    pub fn decode(bytes: &[u8]) -> Result<Self, GgufError> {
        let header = read_header(bytes, bytes.len() as u64)?;
        let alpha = match header.get(ALPHA) {
            Some(Value::F32(alpha)) if alpha.is_finite() => *alpha,
            _ => return Err(damaged("it has no alpha")),
        };
        let bias = Array1::from(array(&header, HEAD_BIAS)?);
        let weight = array(&header, HEAD_WEIGHT)?;
        let dimensions = weight.len().checked_div(bias.len()).unwrap_or(0);
        let weight = Array2::from_shape_vec((bias.len(), dimensions), weight)
            .map_err(|_| damaged("its head has no shape"))?;
        let mut source = Source { file: Cursor::new(bytes), header: &header };
        let mut updates = Vec::new();
        for block in 0..MOST_BLOCKS {
            if !source.has(&name(block, Place::ALL[0].tensors()[0], 'a')) {
                break;
            }
            for place in Place::ALL {
                updates.push(Update {
                    a: source.stack(block, place, 'a')?,
                    b: source.stack(block, place, 'b')?,
                });
            }
        }
        let rank = updates.first().map_or(0, |update| update.b.ncols());
        if rank == 0 {
            return Err(damaged("it updates nothing"));
        }
        Ok(Self { lora: Lora { rank, alpha, updates }, head: Head { weight, bias } })
    }

    /// The matrices of the file by name; those that lie one below the other in memory are tensors of their own here.
    fn tensors(&self) -> Vec<(String, Array2<f32>)> {
        let mut tensors = Vec::new();
        let blocks = self.lora.updates.chunks(Place::ALL.len()).enumerate();
        for (block, updates) in blocks {
            for (place, update) in Place::ALL.into_iter().zip(updates) {
                let parts = update.parts();
                for (part, tensor) in place.tensors().iter().enumerate() {
                    for (side, matrix) in [('a', &update.a), ('b', &update.b)] {
                        let rows = matrix.nrows() / parts;
                        let own = matrix.slice(s![part * rows..(part + 1) * rows, ..]).to_owned();
                        tensors.push((name(block, tensor, side), own));
                    }
                }
            }
        }
        tensors
    }
}

struct Source<'b> {
    file: Cursor<&'b [u8]>,
    header: &'b Header,
}

impl Source<'_> {
    fn has(&self, name: &str) -> bool {
        self.header.tensors.iter().any(|tensor| tensor.name == name)
    }

    fn stack(&mut self, block: usize, place: Place, side: char) -> Result<Array2<f32>, GgufError> {
        let parts = place.tensors().iter().map(|tensor| self.matrix(&name(block, tensor, side)));
        let parts = parts.collect::<Result<Vec<_>, _>>()?;
        let views: Vec<_> = parts.iter().map(Array2::view).collect();
        concatenate(Axis(0), &views).map_err(|_| damaged("its matrices do not fit each other"))
    }

    fn matrix(&mut self, name: &str) -> Result<Array2<f32>, GgufError> {
        let tensor = self.header.tensors.iter().find(|tensor| tensor.name == name);
        let tensor = tensor.ok_or_else(|| damaged(&format!("there is no tensor '{name}'")))?;
        let &[columns, rows] = &tensor.shape[..] else { return Err(damaged("a tensor is no matrix")) };
        let values = read_tensor(&mut self.file, self.header, tensor)?;
        Array2::from_shape_vec((rows as usize, columns as usize), values)
            .map_err(|_| damaged("a tensor is no matrix"))
    }
}

/// What llama.cpp calls a matrix of an update.
fn name(block: usize, tensor: &str, side: char) -> String {
    format!("blk.{block}.{tensor}.weight.lora_{side}")
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

    fn adapter() -> AdapterFile {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let mut matrix =
            |rows, columns| Array2::from_shape_simple_fn((rows, columns), || rng.gen_range(-1.0f32..1.0));
        let mut updates = Vec::new();
        for _ in 0..2 {
            for (parts, from, out) in [(3, 8, 24), (1, 8, 8), (1, 8, 16), (1, 16, 8)] {
                updates.push(Update { a: matrix(parts * 4, from), b: matrix(out, 4) });
            }
        }
        let head = Head { weight: matrix(3, 8), bias: Array1::from(vec![0.5, -1.0, 2.0]) };
        AdapterFile { lora: Lora { rank: 4, alpha: 8.0, updates }, head }
    }

    #[test]
    fn an_adapter_comes_out_of_its_file_as_it_went_in() {
        let adapter = adapter();
        let bytes = adapter.encode("bert", &[("task", "is it spam?".into())]).unwrap();
        assert_eq!(AdapterFile::decode(&bytes).unwrap(), adapter);
        let header = read_header(&bytes[..], bytes.len() as u64).unwrap();
        assert_eq!(header.str("hardcase.task"), Some("is it spam?"));
        let down = header.tensors.iter().find(|t| t.name == "blk.1.ffn_down.weight.lora_a").unwrap();
        assert_eq!(down.shape, [16, 4], "in first, as ggml counts");
        assert_eq!(header.tensors.len(), 2 * 6 * 2);
    }

    #[test]
    fn half_an_adapter_is_refused() {
        let bytes = adapter().encode("bert", &[]).unwrap();
        for end in [0, 10, bytes.len() / 2, bytes.len() - 1] {
            assert!(AdapterFile::decode(&bytes[..end]).is_err(), "{end} bytes");
        }
    }
}
