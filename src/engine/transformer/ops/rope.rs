//! Rotary positions: queries and keys are turned, pair of numbers by pair of numbers, by an angle that grows with the position.
//!
//! Su et al., "RoFormer: Enhanced Transformer with Rotary Position Embedding", arXiv 2104.09864.

use ndarray::Array2;

/// Which numbers of a head turn together; the names are ggml's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RopeStyle {
    /// Neighbours: 0 with 1, 2 with 3.
    Interleaved,
    /// The halves: the first of one with the first of the other.
    Neox,
}

/// How fast positions turn queries and keys.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rope {
    /// The base of the frequencies.
    pub base: f32,
    /// What positions are multiplied by.
    pub scale: f32,
}

/// Which way something is turned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// As queries and keys are.
    Forward,
    /// As their gradients are.
    Inverse,
}

/// Cosine and sine for each row of a batch and each pair of a head.
pub struct RopeAngles {
    /// `rows × head size`: of each pair its cosine and its sine.
    table: Array2<f32>,
    style: RopeStyle,
}

impl RopeAngles {
    /// Those of rows at these positions, for heads of `size`. As ggml computes them: the angle is multiplied on from pair to pair in single
    /// precision.
    pub fn new(
        positions: &[usize],
        size: usize,
        style: RopeStyle,
        rope: Rope,
        divisors: Option<&[f32]>,
    ) -> Self {
        let step = rope.base.powf(-2.0 / size as f32);
        let mut table = Array2::zeros((positions.len(), size));
        for (position, mut row) in positions.iter().zip(table.rows_mut()) {
            let mut angle = *position as f32;
            for pair in 0..size / 2 {
                let (sine, cosine) =
                    (rope.scale * angle / divisors.map_or(1.0, |divisors| divisors[pair])).sin_cos();
                row[2 * pair] = cosine;
                row[2 * pair + 1] = sine;
                angle *= step;
            }
        }
        Self { table, style }
    }

    /// Turns one head of row `row`.
    pub fn turn(&self, row: usize, head: &mut [f32], direction: Direction) {
        let size = self.table.ncols();
        let Some(table) = self.table.as_slice() else { return };
        let sign = if direction == Direction::Inverse { -1.0 } else { 1.0 };
        let angles = table[row * size..][..size].as_chunks::<2>().0;
        for (pair, [cosine, sine]) in angles.iter().enumerate() {
            let (one, other) = match self.style {
                RopeStyle::Interleaved => (2 * pair, 2 * pair + 1),
                RopeStyle::Neox => (pair, pair + size / 2),
            };
            let (x, y, sine) = (head[one], head[other], sign * sine);
            head[one] = x * cosine - y * sine;
            head[other] = x * sine + y * cosine;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turning_keeps_lengths_depends_on_distance_alone_and_comes_back() {
        for style in [RopeStyle::Interleaved, RopeStyle::Neox] {
            let rope = Rope { base: 100.0, scale: 0.5 };
            let angles = RopeAngles::new(&[0, 3, 7, 10], 8, style, rope, Some(&[1.0, 2.0, 1.0, 1.5]));
            let query: Vec<f32> = (0..8).map(|i| i as f32 - 2.5).collect();
            let key: Vec<f32> = (0..8).map(|i| (i * i % 5) as f32).collect();
            let dot = |q: usize, k: usize| {
                let (mut query, mut key) = (query.clone(), key.clone());
                angles.turn(q, &mut query, Direction::Forward);
                angles.turn(k, &mut key, Direction::Forward);
                query.iter().zip(&key).map(|(a, b)| a * b).sum::<f32>()
            };
            assert!((dot(1, 0) - dot(3, 2)).abs() < 1e-3, "{} {}", dot(1, 0), dot(3, 2));
            let mut turned = query.clone();
            angles.turn(2, &mut turned, Direction::Forward);
            assert!(turned != query);
            angles.turn(2, &mut turned, Direction::Inverse);
            assert!(turned.iter().zip(&query).all(|(a, b)| (a - b).abs() < 1e-5));
        }
    }
}
