//! Ordinal logistic regression: one weight for each feature, and a threshold between each two neighbouring levels.
//!
//! The cumulative (proportional-odds) model of P. McCullagh, "Regression models for ordinal data", *Journal of the Royal Statistical Society* B 42
//! (1980), 109–142. Of K levels it has D + K − 1 numbers where a softmax has K (D + 1), and an answer teaches of all levels.

use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip, s};

use super::lbfgs::minimise;
use super::logistic::{CHUNK, Examples, Problem};
use crate::domain::fault::{Fault, Result};

pub(super) const MAGIC: &[u8; 4] = b"HCOR";
const VERSION: u32 = 1;
const HEADER: usize = 16;
/// Thresholds of a start are at least so far apart.
const LEAST_GAP: f64 = 1e-6;

/// The probability of a level k or below is σ(`thresholds[k]` − `weights` · x).
#[derive(Clone, Debug, PartialEq)]
pub struct Ordinal {
    /// One per dimension.
    pub weights: Array1<f32>,
    /// One between each two neighbouring levels, ascending.
    pub thresholds: Array1<f32>,
}

impl Ordinal {
    /// Probabilities of `x` (items × dimensions), items × levels; each row sums to one. Uses every core.
    pub fn probabilities(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut out = Array2::zeros((x.nrows(), self.thresholds.len() + 1));
        out.axis_chunks_iter_mut(Axis(0), CHUNK)
            .into_par_iter()
            .zip(x.axis_chunks_iter(Axis(0), CHUNK))
            .for_each(|(mut rows, x)| {
                let scores = x.dot(&self.weights);
                for (mut row, score) in rows.rows_mut().into_iter().zip(&scores) {
                    row.indexed_iter_mut()
                        .for_each(|(level, p)| *p = (-self.loss(*score, level)).exp() as f32);
                    let sum = row.sum();
                    row /= sum;
                }
            });
        out
    }

    /// Mean weighted log-loss in nats: `Σ wᵢ · -ln p(yᵢ | xᵢ) / Σ wᵢ`.
    pub fn log_loss(&self, examples: &Examples<'_>) -> f64 {
        let scores = examples.x.dot(&self.weights);
        let (mut loss, mut total) = (0.0, 0.0);
        for ((score, &level), weight) in scores.iter().zip(examples.y).zip(examples.weights) {
            loss += weight * self.loss(*score, level);
            total += weight;
        }
        loss / total
    }

    fn loss(&self, score: f32, level: usize) -> f64 {
        let at = |threshold: usize| f64::from(self.thresholds[threshold]) - f64::from(score);
        let upper = (level < self.thresholds.len()).then(|| at(level));
        Loss::of(upper, level.checked_sub(1).map(at)).value
    }

    /// The model as bytes: `HCOR`, then version, levels and dimensions as u32, then the weights, then the thresholds, all little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEADER + 4 * (self.weights.len() + self.thresholds.len()));
        bytes.extend_from_slice(MAGIC);
        for number in [VERSION, self.thresholds.len() as u32 + 1, self.weights.len() as u32] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for value in self.weights.iter().chain(&self.thresholds) {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// The model that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// The bytes are not such a model, of a later version, truncated, too long, contain a number that is not finite, or thresholds that do not ascend.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let refuse =
            |why: &str| Fault::new("read a trained head", why).hint("Train a new one: `hardcase tune FILE`");
        let mut words = bytes.chunks_exact(4).map(|w| <[u8; 4]>::try_from(w).unwrap_or_default());
        if words.next().as_ref() != Some(MAGIC) {
            return Err(refuse("its bytes are something else"));
        }
        let mut header = words.by_ref().take(3).map(u32::from_le_bytes);
        let (Some(version), Some(levels), Some(dims)) = (header.next(), header.next(), header.next()) else {
            return Err(refuse("its bytes end inside the header"));
        };
        if version != VERSION {
            return Err(refuse("it was written by a later version of hardcase"));
        }
        let (levels, dims) = (levels as usize, dims as usize);
        let expected = dims
            .checked_add(levels)
            .and_then(|values| values.checked_sub(1)?.checked_mul(4))
            .and_then(|size| size.checked_add(HEADER));
        if levels == 0 || expected != Some(bytes.len()) {
            return Err(refuse("its length does not fit its shape, so it was cut short or damaged"));
        }
        let mut values: Vec<f32> = words.map(f32::from_le_bytes).collect();
        if !values.iter().all(|v| v.is_finite()) {
            return Err(refuse("it contains a number that is not finite"));
        }
        let thresholds = values.split_off(dims);
        if !thresholds.is_sorted() {
            return Err(refuse("its levels are not in order, so it was damaged"));
        }
        Ok(Self { weights: Array1::from(values), thresholds: Array1::from(thresholds) })
    }
}

/// The log-loss of one example and how it changes.
struct Loss {
    value: f64,
    /// Its derivative by the threshold above the level, where there is one.
    by_upper: f64,
    /// Its derivative by the threshold below.
    by_lower: f64,
}

impl Loss {
    /// `upper` and `lower` are the thresholds around the level, less the score; none at the ends of the scale.
    ///
    /// The probability σ(a) − σ(b) is written as σ(a) σ(−b) (1 − e^(b−a)), whose logarithm loses no digits however small it is.
    fn of(upper: Option<f64>, lower: Option<f64>) -> Self {
        let (mut value, mut by_upper, mut by_lower) = (0.0, 0.0, 0.0);
        if let Some(a) = upper {
            value += softplus(-a);
            by_upper -= sigmoid(-a);
        }
        if let Some(b) = lower {
            value += softplus(b);
            by_lower += sigmoid(b);
        }
        if let (Some(a), Some(b)) = (upper, lower) {
            // Thresholds that single precision made equal leave a level almost nothing, not nothing.
            let apart = (a - b).max(1e-9);
            value -= (-(-apart).exp_m1()).ln();
            by_upper -= 1.0 / apart.exp_m1();
            by_lower += 1.0 / apart.exp_m1();
        }
        Self { value, by_upper, by_lower }
    }
}

fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

impl Problem {
    /// Minimises `½‖w‖² + c · Σᵢ wᵢ · log-loss(xᵢ, yᵢ)` of the ordinal model, the thresholds unpenalised, from `start` or from equally likely levels.
    ///
    /// The problem is convex, and its loss grows without end where two thresholds meet: a step that would change their order is too long.
    pub fn fit_ordinal(&self, c: f64, start: Option<&Ordinal>, tolerance: f64) -> Ordinal {
        let dims = self.mean.len();
        let start = start.map_or_else(|| self.level_start(), |model| self.level_inward(model));
        let penalty = 1.0 / (c * self.total * self.scale * self.scale);
        let features = self.x.slice(s![.., ..dims]);
        let transposed = self.transposed.slice(s![..dims, ..]);
        let found = minimise(start, tolerance, |point, gradient| {
            let weights = ndarray::ArrayView1::from(&point[..dims]);
            let thresholds = &point[dims..];
            if thresholds.windows(2).any(|two| two[1] <= two[0]) {
                return f64::INFINITY;
            }
            let scores = features.dot(&weights);
            let mut by_threshold = vec![0.0; thresholds.len()];
            let mut by_score = Array1::<f64>::zeros(scores.len());
            let mut value = 0.0;
            for (((score, &level), share), by_score) in
                scores.iter().zip(&self.y).zip(&self.shares).zip(&mut by_score)
            {
                let upper = thresholds.get(level).map(|t| t - score);
                let lower = level.checked_sub(1).map(|below| thresholds[below] - score);
                let loss = Loss::of(upper, lower);
                value += share * loss.value;
                if upper.is_some() {
                    by_threshold[level] += share * loss.by_upper;
                }
                if let Some(below) = level.checked_sub(1) {
                    by_threshold[below] += share * loss.by_lower;
                }
                *by_score = -share * (loss.by_upper + loss.by_lower);
            }
            let by_weight = transposed.dot(&by_score);
            for ((g, by), w) in gradient.iter_mut().zip(&by_weight).zip(&weights) {
                *g = by + penalty * w;
            }
            gradient[dims..].copy_from_slice(&by_threshold);
            value + 0.5 * penalty * weights.dot(&weights)
        });
        self.level_outward(&found.point)
    }

    /// [`Problem::fit_ordinal`] with the `c` of features whose mean square distance from their mean is 1.
    pub fn fit_ordinal_scaled(&self, c: f64, start: Option<&Ordinal>, tolerance: f64) -> Ordinal {
        self.fit_ordinal(c / self.spread().max(f64::MIN_POSITIVE), start, tolerance)
    }

    fn level_start(&self) -> Vec<f64> {
        let mut point = vec![0.0; self.mean.len()];
        let levels = self.classes as f64;
        let logit = |below: usize| (below as f64 / (levels - below as f64)).ln();
        point.extend((1..self.classes).map(logit));
        point
    }

    /// A model in the original scale as a starting point.
    fn level_inward(&self, model: &Ordinal) -> Vec<f64> {
        let weights = model.weights.mapv(f64::from);
        let shift = weights.dot(&self.mean);
        let mut point: Vec<f64> = weights.iter().map(|w| w * self.scale).collect();
        // Single precision may have made two thresholds equal.
        let apart = |below: &mut f64, t: &f32| {
            *below = (f64::from(*t) - shift).max(*below + LEAST_GAP);
            Some(*below)
        };
        point.extend(model.thresholds.iter().scan(f64::NEG_INFINITY, apart));
        point
    }

    /// A point as a model in the original scale.
    fn level_outward(&self, point: &[f64]) -> Ordinal {
        let dims = self.mean.len();
        let mut shift = 0.0;
        let mut weights = Array1::zeros(dims);
        Zip::from(&mut weights).and(&self.mean).and(&Array1::from(point[..dims].to_vec())).for_each(
            |w, mean, v| {
                *w = (v / self.scale) as f32;
                shift += v / self.scale * mean;
            },
        );
        let thresholds = point[dims..].iter().map(|t| (t + shift) as f32).collect();
        Ordinal { weights, thresholds }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array2;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Levels that a hidden value passes, with luck.
    fn levelled(n: usize, dims: usize, levels: usize, seed: u64) -> (Array2<f32>, Vec<usize>) {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let x = Array2::from_shape_simple_fn((n, dims), || rng.gen_range(-1.0f32..1.0));
        let y = x.rows().into_iter().map(|row| {
            let value = f64::from(row[0] - 0.5 * row[1]) + rng.gen_range(-0.4..0.4);
            (((value + 1.2) / 2.4 * levels as f64).max(0.0) as usize).min(levels - 1)
        });
        let y = y.collect();
        (x, y)
    }

    #[test]
    fn the_gradient_matches_finite_differences() {
        // Through the minimiser: at the minimum found, no small step to any side is better.
        let (x, y) = levelled(60, 3, 4, 1);
        let weights: Vec<f64> = (0..60).map(|i| 0.5 + f64::from(i % 3)).collect();
        let examples = Examples { x: x.view(), y: &y, classes: 4, weights: &weights };
        let problem = Problem::new(&examples);
        let model = problem.fit_ordinal(2.0, None, 1e-9);
        let objective = |m: &Ordinal| {
            let w = m.weights.mapv(f64::from);
            0.5 * w.dot(&w) + 2.0 * weights.iter().sum::<f64>() * m.log_loss(&examples)
        };
        let best = objective(&model);
        for at in 0..6 {
            for step in [-0.02, 0.02] {
                let mut other = model.clone();
                if at < 3 {
                    other.weights[at] += step
                } else {
                    other.thresholds[at - 3] += step
                }
                assert!(
                    objective(&other) > best,
                    "number {at} by {step}: {} against {best}",
                    objective(&other)
                );
            }
        }
    }

    #[test]
    fn the_derivatives_of_a_loss_are_those_of_small_steps() {
        let step = 1e-6;
        let of = |a: Option<f64>, b: Option<f64>| Loss::of(a, b).value;
        for (a, b) in [(0.3, -0.7), (9.0, 8.9), (-6.0, -30.0), (40.0, -40.0)] {
            let loss = Loss::of(Some(a), Some(b));
            let upper = (of(Some(a + step), Some(b)) - of(Some(a - step), Some(b))) / (2.0 * step);
            let lower = (of(Some(a), Some(b + step)) - of(Some(a), Some(b - step))) / (2.0 * step);
            assert!((loss.by_upper - upper).abs() < 1e-4 * (1.0 + upper.abs()), "{a} {b}: {upper}");
            assert!((loss.by_lower - lower).abs() < 1e-4 * (1.0 + lower.abs()), "{a} {b}: {lower}");
        }
        let ends = [Loss::of(Some(0.3), None), Loss::of(None, Some(0.3))];
        assert!((ends[0].value - (1.0 + (-0.3f64).exp()).ln()).abs() < 1e-12);
        assert!(((-ends[0].value).exp() + (-ends[1].value).exp() - 1.0).abs() < 1e-12);
    }

    #[test]
    fn with_two_levels_it_is_logistic_regression() {
        let (x, y) = levelled(80, 4, 2, 2);
        let weights = vec![1.0; 80];
        let examples = Examples { x: x.view(), y: &y, classes: 2, weights: &weights };
        // A softmax of two labels has the weight in two opposite halves, whose squares are half of its own.
        let (ordinal, softmax) = (
            Problem::new(&examples).fit_ordinal(2.0, None, 1e-9),
            Problem::new(&examples).fit(1.0, None, 1e-9),
        );
        let apart = &ordinal.probabilities(x.view()) - &softmax.probabilities(x.view());
        assert!(apart.iter().all(|d| d.abs() < 1e-4), "{apart}");
    }

    #[test]
    fn levels_are_found_and_their_probabilities_are_a_whole() {
        let (x, y) = levelled(300, 6, 5, 3);
        let weights = vec![1.0; 300];
        let model = Problem::new(&Examples { x: x.view(), y: &y, classes: 5, weights: &weights })
            .fit_ordinal_scaled(10.0, None, 1e-5);
        assert!(model.thresholds.as_slice().unwrap().is_sorted());
        let p = model.probabilities(x.view());
        assert!(
            p.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-5 && row.iter().all(|p| *p >= 0.0))
        );
        let near = p.rows().into_iter().zip(&y).filter(|(row, level)| {
            crate::domain::task_kind::TaskKind::Scale.decide(&row.to_vec()).abs_diff(**level) <= 1
        });
        assert!(near.count() > 280);
        let again = Problem::new(&Examples { x: x.view(), y: &y, classes: 5, weights: &weights })
            .fit_ordinal_scaled(10.0, Some(&model), 1e-5);
        assert!((&again.weights - &model.weights).iter().all(|d| d.abs() < 1e-2), "it stays where it was");
    }

    #[test]
    fn its_bytes_are_read_back_and_damaged_ones_refused() {
        let model = Ordinal {
            weights: Array1::from(vec![0.5, -1.0]),
            thresholds: Array1::from(vec![-0.5, 0.0, 2.0]),
        };
        let bytes = model.to_bytes();
        assert_eq!(Ordinal::from_bytes(&bytes).unwrap(), model);
        let why = |bytes: &[u8]| Ordinal::from_bytes(bytes).unwrap_err().to_string();
        assert!(why(b"HCLR").contains("something else") && why(&bytes[..8]).contains("inside the header"));
        assert!(why(&bytes[..bytes.len() - 4]).contains("cut short"));
        let mut swapped = bytes.clone();
        let end = bytes.len();
        swapped[end - 4..].copy_from_slice(&(-9.0f32).to_le_bytes());
        assert!(why(&swapped).contains("not in order"));
        assert!(why(&[&MAGIC[..], &[1, 0, 0, 0], &[0; 8]].concat()).contains("cut short"));
    }
}
