//! Stored vectors as matrices.

use ndarray::ArrayView2;

use crate::domain::fault::{Fault, Result};
use crate::domain::predictor::Predictor;
use crate::store::Store;
use crate::store::pool::embeddings::Vectors;

/// The vectors as a matrix, items × dimensions.
pub(crate) fn matrix(vectors: &Vectors) -> Result<ArrayView2<'_, f32>> {
    ArrayView2::from_shape((vectors.items.len(), vectors.dimensions), &vectors.values)
        .map_err(|e| Fault::new("read the vectors", e.to_string()))
}

/// Values of one vector of the predictor's model.
pub(crate) fn dimensions_of(store: &Store, predictor: &Predictor) -> Result<usize> {
    let model = store.model(predictor.model)?;
    model
        .map(|m| m.dimensions)
        .ok_or_else(|| Fault::new("read the stored model", "the project does not name it"))
}
