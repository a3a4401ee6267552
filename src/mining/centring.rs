//! Vectors as directions from the pool's mean.
//!
//! Encoders differ in how wide they spread texts: the square of the mean of 2,500 unit vectors is 0.1 by MiniLM and 0.8 by multilingual-e5, so any
//! two texts have about that cosine. What compares cosines with a threshold, or adds them to margins, must mean the same with both, so it sees
//! each vector from the pool's mean: 0 is as alike as any two texts of the pool, 1 the same.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rayon::prelude::*;

/// A direction shorter than this is rounding, not a direction.
const ROUNDING: f32 = 1e-4;

/// The mean of vectors, n × d; zero where there is none.
pub fn mean(vectors: ArrayView2<'_, f32>) -> Array1<f32> {
    vectors.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(vectors.ncols()))
}

/// Cosines between each of `vectors` (n × d) and each of `others` (k × d), n × k, both seen from `mean`. Takes no copy of the vectors.
pub fn cosines_from(
    mean: ArrayView1<'_, f32>,
    vectors: ArrayView2<'_, f32>,
    others: ArrayView2<'_, f32>,
) -> Array2<f32> {
    let mut directions = others.to_owned();
    see_from(mean, &mut directions);
    // (v - m) · b / |v - m|, with the products of v alone.
    let mut cosines = vectors.dot(&directions.t());
    let (shift, along, square) = (directions.dot(&mean), vectors.dot(&mean), mean.dot(&mean));
    for ((mut row, vector), along) in cosines.rows_mut().into_iter().zip(vectors.rows()).zip(along) {
        let length = (vector.dot(&vector) - 2.0 * along + square).max(0.0).sqrt();
        if length > ROUNDING {
            row -= &shift;
            row /= length;
        } else {
            row.fill(0.0);
        }
    }
    cosines
}

/// Turns vectors (n × d) into their directions from their mean, of length 1. One that is the mean becomes zero.
pub fn centre(vectors: &mut Array2<f32>) {
    let mean = mean(vectors.view());
    see_from(mean.view(), vectors);
}

fn see_from(mean: ArrayView1<'_, f32>, vectors: &mut Array2<f32>) {
    vectors.axis_iter_mut(Axis(0)).into_par_iter().for_each(|mut vector| {
        vector -= &mean;
        let length = vector.dot(&vector).sqrt();
        if length > ROUNDING {
            vector /= length;
        } else {
            vector.fill(0.0);
        }
    });
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    #[test]
    fn texts_in_a_narrow_cone_are_as_far_apart_as_others() {
        let mut cone = array![[0.99f32, 0.1, 0.0], [0.99, -0.1, 0.0], [0.99, 0.0, 0.1], [0.99, 0.0, -0.1]];
        centre(&mut cone);
        assert!(cone.row(0).dot(&cone.row(1)) < -0.9, "they are opposite");
        assert!(cone.row(0).dot(&cone.row(2)).abs() < 1e-3, "they are unrelated");
        assert!(cone.rows().into_iter().all(|row| (row.dot(&row) - 1.0).abs() < 1e-5));
    }

    #[test]
    fn cosines_are_those_of_the_centred_vectors() {
        let vectors = array![[0.6f32, 0.8, 0.0], [0.0, 1.0, 0.0], [0.8, 0.0, 0.6], [0.6, 0.0, 0.8]];
        let mean = mean(vectors.view());
        let mut directions = vectors.clone();
        centre(&mut directions);
        let found = cosines_from(mean.view(), vectors.view(), vectors.view());
        assert!((found - directions.dot(&directions.t())).iter().all(|x| x.abs() < 1e-5));
        let same = cosines_from(mean.view(), mean.view().insert_axis(Axis(0)), vectors.view());
        assert_eq!(same, Array2::<f32>::zeros((1, 4)));
    }

    #[test]
    fn copies_of_one_vector_have_no_direction_and_none_is_none() {
        let mut same = Array2::from_elem((3, 2), 0.7f32);
        centre(&mut same);
        assert_eq!(same, Array2::<f32>::zeros((3, 2)));
        let mut none = Array2::<f32>::zeros((0, 2));
        centre(&mut none);
        assert_eq!(none.nrows(), 0);
    }
}
