//! A copy of a quantised model with its large matrices as numbers, for processors that multiply these faster than llama.cpp multiplies packed blocks.
//!
//! A judge reads hundreds of tokens at a time, so what counts is how fast matrices are multiplied, and not how little memory they pass through.
//! As BF16 the copy loses little: it rounds weights and activations by 2⁻⁹ of themselves at most, and before packed weights llama.cpp rounds activations,
//! too, to 8 bits for each 32 of them. As F32 it loses nothing. It lies in memory alone, as a file without a name that llama.cpp maps; the model's own file stays as
//! it is.

use std::fs::File;
use std::io::{BufReader, Read, Write};
use std::path::{Path, PathBuf};

use half::bf16;
use rayon::prelude::*;
use sysinfo::System;

use crate::engine::gguf::{GgufError, Header, Tensor, TensorType, rewrite, whole_header};
use crate::engine::llama::{has_avx2, multiplies_bf16};
use crate::engine::transformer::{Matrix, Scratch, can_unpack};

/// The copy may take this part of the memory that is free: texts, contexts and other programs need some, too.
const PART_OF_MEMORY: u64 = 2;
/// Numbers that are rounded at a time, and by a thread at a time: the memory needed besides the copy stays small, whatever a file says of its shapes.
const AT_A_TIME: u64 = if cfg!(test) { 1 << 12 } else { 1 << 22 };
const BY_A_THREAD: usize = 1 << 16;
/// No model has longer rows.
const LONGEST_ROW: u64 = 1 << 22;

/// Kinds that llama.cpp multiplies row by row, and not in tiles as it does all other common ones.
const BY_ROWS: [TensorType; 2] = [TensorType::Q4_1, TensorType::Q5_1];

/// What the matrices of a copy are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// All that are packed: BF16, which the processor multiplies by itself.
    Bf16,
    /// Those of the kinds that are multiplied row by row: F32.
    F32,
}

impl Form {
    /// That which this processor is faster with.
    fn of_processor() -> Option<Self> {
        if multiplies_bf16() { Some(Self::Bf16) } else { has_avx2().then_some(Self::F32) }
    }

    fn kind(self) -> TensorType {
        match self {
            Self::Bf16 => TensorType::BF16,
            Self::F32 => TensorType::F32,
        }
    }

    /// What a tensor is in the copy, where that is not what it is in the file: of the matrices that every token goes through, those that are packed.
    /// Words' vectors are looked up, and the scores of the next word are computed once for a text, so they stay packed.
    fn becomes(self, tensor: &Tensor) -> Option<TensorType> {
        let packed = tensor.kind.block_len() > 1 && can_unpack(tensor.kind);
        let slow = self == Self::Bf16 || BY_ROWS.contains(&tensor.kind);
        let matrix = tensor.shape.len() == 2 && (1..=LONGEST_ROW).contains(&tensor.shape[0]);
        (packed && slow && matrix && tensor.name.starts_with("blk.")).then(|| self.kind())
    }

    /// Bytes of the copy, but for its header.
    fn bytes(self, header: &Header) -> Option<u64> {
        let of = |t: &Tensor| self.becomes(t).unwrap_or(t.kind).bytes_for(t.shape.iter().product());
        header.tensors.iter().map(of).sum()
    }
}

/// The copy.
#[derive(Debug)]
pub(super) struct Unpacked {
    file: File,
    /// What its large matrices are.
    pub kind: TensorType,
}

impl Unpacked {
    /// A copy of the model at `path`, where this processor computes faster with one and it has room in memory.
    pub fn if_faster(path: &Path) -> Option<Self> {
        let form = Form::of_processor()?;
        let mut source = File::open(path).ok()?;
        let header = whole_header(&mut source).ok()?;
        // Of the files of a model in parts, this is the first alone.
        let in_parts = header.u64("split.count").is_some_and(|files| files > 1);
        let grown = header.tensors.iter().any(|tensor| form.becomes(tensor).is_some());
        if in_parts || !grown || form.bytes(&header)? > free_memory() / PART_OF_MEMORY {
            return None;
        }
        Self::of(&header, &mut source, form).ok()
    }

    /// A copy of the model at `path`, whatever this processor is.
    #[cfg(test)]
    pub fn always(path: &Path, form: Form) -> Self {
        crate::engine::llama::backend().unwrap();
        let mut source = File::open(path).unwrap();
        Self::of(&whole_header(&mut source).unwrap(), &mut source, form).unwrap()
    }

    /// A copy of the model that has this header.
    fn of(header: &Header, source: &mut File, form: Form) -> Result<Self, GgufError> {
        let mut file = nameless()?;
        let mut scratch = Scratch::default();
        rewrite(
            header,
            source,
            &mut file,
            |tensor| form.becomes(tensor),
            |source, tensor, out| write(source, tensor, form, out, &mut scratch),
        )?;
        Ok(Self { file, kind: form.kind() })
    }

    /// Where this process finds it, for as long as it is not dropped.
    pub fn path(&self) -> PathBuf {
        #[cfg(target_os = "linux")]
        let number = std::os::fd::AsRawFd::as_raw_fd(&self.file);
        #[cfg(not(target_os = "linux"))]
        let number = 0;
        format!("/proc/self/fd/{number}").into()
    }
}

/// A file in memory.
#[cfg(target_os = "linux")]
fn nameless() -> std::io::Result<File> {
    use rustix::fs::{MemfdFlags, memfd_create};
    Ok(memfd_create("hardcase-judge", MemfdFlags::CLOEXEC)?.into())
}

#[cfg(not(target_os = "linux"))]
fn nameless() -> std::io::Result<File> {
    Err(std::io::ErrorKind::Unsupported.into())
}

/// Bytes of free memory that this process may use.
pub fn free_memory() -> u64 {
    let mut system = System::new();
    system.refresh_memory();
    let of_group = system.cgroup_limits().filter(|group| group.total_memory < system.total_memory());
    of_group.map_or(u64::MAX, |group| group.free_memory).min(system.available_memory())
}

/// Reads a matrix and writes it in the form of the copy.
fn write(
    source: &mut File,
    tensor: &Tensor,
    form: Form,
    out: &mut File,
    scratch: &mut Scratch,
) -> Result<(), GgufError> {
    let odd = || GgufError::Damaged(format!("tensor '{}' has an impossible shape", tensor.name));
    let [columns, rows] = tensor.shape[..] else { return Err(odd()) };
    let mut packed = BufReader::with_capacity(1 << 20, source.take(tensor.bytes));
    let (at_a_time, mut left) = ((AT_A_TIME / columns.max(1)).max(1), rows);
    while left > 0 {
        let some = left.min(at_a_time);
        let bytes = tensor.kind.bytes_for(some * columns).ok_or_else(odd)?;
        let matrix = Matrix::read(&mut packed, tensor.kind, (some as usize, columns as usize), bytes)?;
        let bytes = matrix.with(scratch, |numbers| numbers.as_slice().map(|numbers| as_bytes(numbers, form)));
        out.write_all(&bytes.ok_or_else(odd)?)?;
        left -= some;
    }
    Ok(())
}

fn as_bytes(numbers: &[f32], form: Form) -> Vec<u8> {
    match form {
        Form::Bf16 => each(numbers, |number| bf16::from_f32(number).to_le_bytes()),
        Form::F32 => each(numbers, f32::to_le_bytes),
    }
}

/// The bytes of each number, one after the other.
fn each<const BYTES: usize>(numbers: &[f32], bytes: impl Fn(f32) -> [u8; BYTES] + Sync) -> Vec<u8> {
    let mut all = vec![0; numbers.len() * BYTES];
    let parts = all.par_chunks_mut(BY_A_THREAD * BYTES).zip(numbers.par_chunks(BY_A_THREAD));
    parts.for_each(|(to, from)| {
        to.as_chunks_mut().0.iter_mut().zip(from).for_each(|(to, from)| *to = bytes(*from));
    });
    all
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;
    use crate::engine::random_model::RandomModel;
    use crate::engine::transformer::{Family, Projection, Weights};

    #[test]
    fn the_copy_has_the_same_matrices_rounded_and_all_else_as_it_was() {
        let dir = tempfile::tempdir().unwrap();
        for (kind, form) in [
            (TensorType::Q8_0, Form::Bf16),
            (TensorType::Q4_K, Form::Bf16),
            (TensorType::Q6_K, Form::Bf16),
            (TensorType::Q4_1, Form::F32),
        ] {
            let path = dir.path().join("model.gguf");
            let model = RandomModel::small(Family::named("qwen3").unwrap(), kind);
            RandomModel { dimensions: 256, head_size: 64, ffn_dim: 512, ..model }.write(&path).unwrap();
            let copy = Unpacked::always(&path, form);
            let header = |path: &Path| whole_header(&mut File::open(path).unwrap()).unwrap();
            let (before, after) = (header(&path), header(&copy.path()));
            assert_eq!(before.metadata, after.metadata);
            let mut rounded = 0;
            for (before, after) in before.tensors.iter().zip(&after.tensors) {
                assert_eq!((&before.name, &before.shape), (&after.name, &after.shape));
                let packed = before.kind == kind && before.name.starts_with("blk.");
                assert_eq!(after.kind, if packed { form.kind() } else { before.kind });
                rounded += usize::from(packed);
            }
            assert!(rounded >= 7, "{rounded} matrices of {}", kind.name());
            let length = copy.file.metadata().unwrap().len();
            assert_eq!(form.bytes(&after).unwrap(), form.bytes(&before).unwrap());
            assert!(length - form.bytes(&before).unwrap() < 64 * 1024, "{length}");

            let (packed, unpacked) =
                (Weights::read(&path, 0).unwrap(), Weights::read(&copy.path(), 0).unwrap());
            let [of_file, of_copy] = [&packed, &unpacked].map(|w| {
                w.blocks[1].linears(Projection::Down)[0]
                    .matrix
                    .with(&mut Scratch::default(), |numbers| numbers.to_owned())
            });
            let lost = if form == Form::F32 { 0.0 } else { 1.0 / 256.0 };
            for (x, y) in of_file.iter().zip(&of_copy) {
                assert!((x - y).abs() <= x.abs() * lost, "{x} became {y}");
            }
        }
    }

    #[test]
    fn there_is_no_copy_of_what_is_no_packed_model() {
        let dir = tempfile::tempdir().unwrap();
        let plain = dir.path().join("plain.gguf");
        RandomModel::small(Family::named("llama").unwrap(), TensorType::F32).write(&plain).unwrap();
        let broken = dir.path().join("broken.gguf");
        std::fs::write(&broken, &std::fs::read(&plain).unwrap()[..5_000]).unwrap();
        for path in [plain, broken, dir.path().join("nothing.gguf"), dir.path().to_owned()] {
            assert!(Unpacked::if_faster(&path).is_none(), "{}", path.display());
        }
        assert!(free_memory() > 0);
    }
}
