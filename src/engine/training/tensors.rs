//! Numbers on their way between candle's tensors and ndarray's matrices. Nothing is computed here.

use candle_core::{CpuStorage, Error, Layout, Result, Shape, Storage, StorageRef, Tensor};
use ndarray::{Array2, ArrayView2};

/// A tensor whose numbers are being read.
pub(in crate::engine) struct Held<'t> {
    storage: StorageRef<'t>,
    layout: &'t Layout,
}

impl<'t> Held<'t> {
    /// Takes hold of a tensor.
    pub fn of(tensor: &'t Tensor) -> Result<Self> {
        let (storage, layout) = tensor.storage_and_layout();
        Ok(Self { storage, layout })
    }

    /// As a row of numbers, whatever its shape.
    pub fn numbers(&self) -> Result<&[f32]> {
        match &*self.storage {
            Storage::Cpu(storage) => numbers(storage, self.layout),
            _ => Err(elsewhere()),
        }
    }

    /// As a matrix, if it is one.
    pub fn matrix(&self) -> Result<ArrayView2<'_, f32>> {
        match &*self.storage {
            Storage::Cpu(storage) => matrix(storage, self.layout),
            _ => Err(elsewhere()),
        }
    }
}

/// A matrix in candle's memory.
pub(in crate::engine) fn matrix<'s>(storage: &'s CpuStorage, layout: &Layout) -> Result<ArrayView2<'s, f32>> {
    let (begin, end) = layout.contiguous_offsets().ok_or_else(scattered)?;
    ArrayView2::from_shape(layout.shape().dims2()?, &storage.as_slice::<f32>()?[begin..end])
        .map_err(Error::wrap)
}

/// Numbers in candle's memory.
pub(in crate::engine) fn numbers<'s>(storage: &'s CpuStorage, layout: &Layout) -> Result<&'s [f32]> {
    let (begin, end) = layout.contiguous_offsets().ok_or_else(scattered)?;
    Ok(&storage.as_slice::<f32>()?[begin..end])
}

/// A matrix as candle keeps it.
pub(in crate::engine) fn stored(matrix: Array2<f32>) -> (CpuStorage, Shape) {
    let shape = Shape::from(matrix.dim());
    (CpuStorage::F32(matrix.into_raw_vec_and_offset().0), shape)
}

/// A matrix as a tensor that nothing is differentiated by.
pub(in crate::engine) fn tensor(matrix: Array2<f32>) -> Result<Tensor> {
    let shape = matrix.dim();
    Tensor::from_vec(matrix.into_raw_vec_and_offset().0, shape, &candle_core::Device::Cpu)
}

/// Why something cannot be read in a row.
pub(in crate::engine) fn scattered() -> Error {
    Error::Msg("the numbers of a tensor do not lie side by side".into())
}

fn elsewhere() -> Error {
    Error::Msg("the numbers lie on another device".into())
}
