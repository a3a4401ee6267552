//! Keys and values of tokens that were read before, block by block, as llama.cpp has computed them with the model as it is.

use half::f16;
use half::slice::HalfFloatSliceExt;
use ndarray::Array2;

/// Numbers row by row, in the precision in which llama.cpp keeps them.
#[derive(Clone, Debug, PartialEq)]
pub enum Numbers {
    /// Half precision.
    F16(Vec<f16>),
    /// Single precision.
    F32(Vec<f32>),
}

/// The keys and values of one block.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockKv {
    /// The positions of the tokens, one a row.
    pub positions: Vec<usize>,
    /// `tokens × width`, with their rotary positions.
    pub keys: Numbers,
    /// `tokens × width`.
    pub values: Numbers,
}

/// The keys and values of some tokens in all blocks.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KvCache {
    /// The blocks in order.
    pub blocks: Vec<BlockKv>,
}

impl Numbers {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::F16(numbers) => numbers.len(),
            Self::F32(numbers) => numbers.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that they take.
    pub fn bytes(&self) -> usize {
        match self {
            Self::F16(numbers) => size_of_val(&numbers[..]),
            Self::F32(numbers) => size_of_val(&numbers[..]),
        }
    }

    /// The columns of one head, `rows × size`, of rows of `width`.
    pub fn head(&self, width: usize, head: usize, size: usize) -> Array2<f32> {
        let rows = self.len() / width;
        let mut columns = vec![0.0; rows * size];
        for (row, to) in columns.chunks_exact_mut(size).enumerate() {
            let begin = row * width + head * size;
            match self {
                Self::F16(numbers) => numbers[begin..begin + size].convert_to_f32_slice(to),
                Self::F32(numbers) => to.copy_from_slice(&numbers[begin..begin + size]),
            }
        }
        Array2::from_shape_vec((rows, size), columns).unwrap_or_default()
    }
}

impl KvCache {
    /// Bytes that it takes, nearly.
    pub fn bytes(&self) -> usize {
        self.blocks
            .iter()
            .map(|block| block.keys.bytes() + block.values.bytes() + size_of_val(&block.positions[..]))
            .sum()
    }
}
