//! A frozen matrix: as F32, or as its file stores it and unpacked where it is used.
//!
//! ggml itself unpacks, so every type of storage that it can read is a type that can be trained on.

use std::io::{self, Read};

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;

use crate::engine::gguf::TensorType;

/// Bytes of a [`Block`]: as ggml aligns its own buffers, so that its pointers to structs are sound.
const BLOCK: usize = 32;
/// Bytes that are read at once: whole blocks.
const READ_AT_ONCE: usize = 1 << 16;
/// Rows unpacked by one thread at a time.
const ROWS: usize = 64;

/// Some bytes of a tensor.
#[derive(Clone, Copy)]
#[repr(align(32))]
struct Block([u8; BLOCK]);

/// A matrix whose rows lie one after the other.
#[derive(Clone)]
pub struct Matrix {
    rows: usize,
    columns: usize,
    numbers: Numbers,
}

#[derive(Clone)]
enum Numbers {
    Plain(Array2<f32>),
    Stored { kind: TensorType, row: usize, blocks: Vec<Block> },
}

/// Memory to unpack a matrix in, kept from one to the next.
#[derive(Default)]
pub struct Scratch(Vec<f32>);

impl Matrix {
    /// Reads a matrix of `rows × columns` that is stored as `kind`, its `bytes` next in `source`.
    ///
    /// # Errors
    /// Where `source` ends early, or the sizes do not fill whole blocks of the type.
    pub fn read(
        source: &mut impl Read,
        kind: TensorType,
        (rows, columns): (usize, usize),
        bytes: u64,
    ) -> io::Result<Self> {
        let odd = || io::Error::new(io::ErrorKind::InvalidData, "a matrix does not fill its rows");
        let row = kind.bytes_for(columns as u64).and_then(|n| usize::try_from(n).ok()).ok_or_else(odd)?;
        if row.checked_mul(rows).map(|n| n as u64) != Some(bytes) {
            return Err(odd());
        }
        let mut left = bytes as usize;
        let (mut blocks, mut some) = (Vec::new(), vec![0; READ_AT_ONCE.min(left)]);
        while left > 0 {
            let some = &mut some[..READ_AT_ONCE.min(left)];
            source.read_exact(some)?;
            blocks.extend(some.chunks(BLOCK).map(|bytes| {
                let mut block = Block([0; BLOCK]);
                block.0[..bytes.len()].copy_from_slice(bytes);
                block
            }));
            left -= some.len();
        }
        blocks.shrink_to_fit();
        Ok(Self { rows, columns, numbers: Numbers::Stored { kind, row, blocks } })
    }

    /// A matrix of F32 numbers.
    pub fn plain(numbers: Array2<f32>) -> Self {
        let (rows, columns) = numbers.dim();
        Self { rows, columns, numbers: Numbers::Plain(numbers.as_standard_layout().into_owned()) }
    }

    /// Its F32 numbers, where it is kept so.
    pub fn as_plain(&self) -> Option<&Array2<f32>> {
        match &self.numbers {
            Numbers::Plain(numbers) => Some(numbers),
            Numbers::Stored { .. } => None,
        }
    }

    /// The same, to be changed.
    pub fn as_plain_mut(&mut self) -> Option<&mut Array2<f32>> {
        match &mut self.numbers {
            Numbers::Plain(numbers) => Some(numbers),
            Numbers::Stored { .. } => None,
        }
    }

    /// Rows and columns.
    pub fn dim(&self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Keeps it as F32 from now on.
    pub fn unpack(&mut self) {
        let mut numbers = Array2::zeros((self.rows, self.columns));
        if let Some(to) = numbers.as_slice_mut() {
            self.fill(0, to);
        }
        self.numbers = Numbers::Plain(numbers);
    }

    /// Does something with it as F32.
    pub fn with<R>(&self, scratch: &mut Scratch, work: impl FnOnce(ArrayView2<'_, f32>) -> R) -> R {
        if let Numbers::Plain(numbers) = &self.numbers {
            return work(numbers.view());
        }
        let size = self.rows * self.columns;
        if scratch.0.len() < size {
            scratch.0.resize(size, 0.0);
        }
        let memory = &mut scratch.0[..size];
        memory
            .par_chunks_mut(ROWS * self.columns)
            .enumerate()
            .for_each(|(chunk, to)| self.fill(chunk * ROWS, to));
        match ArrayView2::from_shape((self.rows, self.columns), &*memory) {
            Ok(view) => work(view),
            Err(_) => unreachable!("the memory was cut to the shape"),
        }
    }

    /// Some of its rows as F32, below each other.
    pub fn rows(&self, rows: &[usize]) -> Array2<f32> {
        let mut numbers = Array2::zeros((rows.len(), self.columns));
        for (row, mut to) in rows.iter().zip(numbers.rows_mut()) {
            if let Some(to) = to.as_slice_mut() {
                self.row(*row, to);
            }
        }
        numbers
    }

    /// One of its rows as F32, into `to`; a number beyond the last counts as the last.
    pub fn row(&self, row: usize, to: &mut [f32]) {
        self.fill(row.min(self.rows - 1), to);
    }

    /// Unpacks whole rows from `first` on into `to`.
    fn fill(&self, first: usize, to: &mut [f32]) {
        match &self.numbers {
            Numbers::Plain(numbers) => {
                if let Some(from) = numbers.as_slice() {
                    let begin = first * self.columns;
                    to.copy_from_slice(&from[begin..begin + to.len()]);
                }
            }
            Numbers::Stored { kind, row, blocks } => {
                let rows = to.len() / self.columns;
                assert!(first + rows <= self.rows && row * self.rows <= blocks.len() * BLOCK);
                #[expect(
                    unsafe_code,
                    reason = "ggml reads whole rows of its own type inside the blocks, as just checked, and writes as many numbers as `to` has"
                )]
                unsafe {
                    let from = blocks.as_ptr().cast::<u8>().add(first * row);
                    unpack(*kind, from, to);
                }
            }
        }
    }
}

/// Turns as many numbers as `to` takes into F32.
///
/// # Safety
/// At `from` are the bytes of that many numbers of the type, aligned as ggml aligns them.
#[expect(unsafe_code, reason = "ggml's functions take pointers")]
unsafe fn unpack(kind: TensorType, from: *const u8, to: &mut [f32]) {
    if kind == TensorType::F32 {
        // SAFETY: F32 is stored as it is; both sides have room for as many numbers and do not overlap.
        unsafe { std::ptr::copy_nonoverlapping(from, to.as_mut_ptr().cast::<u8>(), size_of_val(to)) };
        return;
    }
    // SAFETY: the table of types is static, and a TensorType lies inside it.
    let to_float =
        unsafe { llama_cpp_sys_2::ggml_get_type_traits(kind.raw()).as_ref() }.and_then(|t| t.to_float);
    if let Some(to_float) = to_float {
        // SAFETY: what the caller promises is what ggml asks for.
        unsafe { to_float(from.cast(), to.as_mut_ptr(), to.len() as i64) };
    }
}

/// Whether ggml can turn a type into F32.
pub fn can_unpack(kind: TensorType) -> bool {
    #[expect(unsafe_code, reason = "the table of types is static, and a TensorType lies inside it")]
    let traits = unsafe { llama_cpp_sys_2::ggml_get_type_traits(kind.raw()).as_ref() };
    kind == TensorType::F32 || traits.is_some_and(|traits| traits.to_float.is_some())
}
