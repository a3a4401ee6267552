//! Regularised multinomial logistic regression: fitting, probabilities, and serialisation.
//!
//! Does not choose the penalty or the class weights (`head` does), and knows nothing about the features.

use ndarray::linalg::general_mat_mul;
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, ArrayView2, ArrayViewMut1, ArrayViewMut2, Axis, Zip, s};

use super::lbfgs::minimise;
use crate::domain::fault::{Fault, Result};

/// A fit is converged when no component of the gradient of the mean objective, over features brought to unit
/// scale, exceeds this; on unit vectors of 384 dimensions some 200 times stricter than
/// scikit-learn's default.
pub const TOLERANCE: f64 = 1e-5;

const MAGIC: &[u8; 4] = b"HCLR";
const VERSION: u32 = 1;
const HEADER: usize = 16;
/// Rows per task of the parallel product: large enough to amortize scheduling, small enough to stay in cache.
pub(super) const CHUNK: usize = 1_024;

/// What a head is fitted on.
#[derive(Clone, Copy, Debug)]
pub struct Examples<'a> {
    /// Features, examples × dimensions, finite.
    pub x: ArrayView2<'a, f32>,
    /// The label of each example, below `classes`.
    pub y: &'a [usize],
    /// Number of labels.
    pub classes: usize,
    /// The weight of each example, not negative.
    pub weights: &'a [f64],
}

/// A linear classifier: the probabilities of `x` are softmax(`weights` · x + `bias`).
#[derive(Clone, Debug, PartialEq)]
pub struct Logistic {
    /// Classes × dimensions.
    pub weights: Array2<f32>,
    /// One per class.
    pub bias: Array1<f32>,
}

impl Logistic {
    /// Minimises `½‖W‖² + c · Σᵢ wᵢ · log-loss(xᵢ, yᵢ)`, the bias unpenalised: scikit-learn's
    /// `LogisticRegression(C=c)` for three labels and more. Two labels take the same form, with `W₁ = -W₀`;
    /// scikit-learn's binary form penalises `W₁ - W₀` in their place, and gives the same at `C=2c`.
    pub fn fit(examples: &Examples<'_>, c: f64) -> Self {
        Problem::new(examples).fit(c, None, TOLERANCE)
    }

    /// Probabilities of `x` (items × dimensions), items × classes; each row sums to one. Uses every core.
    pub fn probabilities(&self, x: ArrayView2<'_, f32>) -> Array2<f32> {
        let mut out = Array2::zeros((x.nrows(), self.bias.len()));
        out.axis_chunks_iter_mut(Axis(0), CHUNK)
            .into_par_iter()
            .zip(x.axis_chunks_iter(Axis(0), CHUNK))
            .for_each(|(mut rows, x)| {
                general_mat_mul(1.0, &x, &self.weights.t(), 0.0, &mut rows);
                for mut row in rows.rows_mut() {
                    row += &self.bias;
                    softmax_f32(row);
                }
            });
        out
    }

    /// Mean weighted log-loss in nats: `Σ wᵢ · -ln p(yᵢ | xᵢ) / Σ wᵢ`.
    pub fn log_loss(&self, examples: &Examples<'_>) -> f64 {
        let mut logits = examples.x.dot(&self.weights.t());
        logits += &self.bias;
        let (mut loss, mut total) = (0.0, 0.0);
        for ((row, &label), weight) in logits.rows().into_iter().zip(examples.y).zip(examples.weights) {
            loss += weight * softmax_loss(row.mapv(f64::from).view_mut(), label);
            total += weight;
        }
        loss / total
    }

    /// The model as bytes: `HCLR`, then version, classes and dimensions as u32, then weights row by row, then
    /// the bias, all little-endian.
    pub fn to_bytes(&self) -> Vec<u8> {
        let (classes, dims) = self.weights.dim();
        let mut bytes = Vec::with_capacity(HEADER + 4 * classes * (dims + 1));
        bytes.extend_from_slice(MAGIC);
        for number in [VERSION, classes as u32, dims as u32] {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        for value in self.weights.iter().chain(&self.bias) {
            bytes.extend_from_slice(&value.to_le_bytes());
        }
        bytes
    }

    /// The model that [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// The bytes are not such a model, of a later version, truncated, too long, or contain a number that is not
    /// finite.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let refuse =
            |why: &str| Fault::new("read a trained head", why).hint("Train a new one: `hardcase tune FILE`");
        let mut words = bytes.chunks_exact(4).map(|w| <[u8; 4]>::try_from(w).unwrap_or_default());
        if words.next().as_ref() != Some(MAGIC) {
            return Err(refuse("its bytes are something else"));
        }
        let mut header = words.by_ref().take(3).map(u32::from_le_bytes);
        let (Some(version), Some(classes), Some(dims)) = (header.next(), header.next(), header.next()) else {
            return Err(refuse("its bytes end inside the header"));
        };
        if version != VERSION {
            return Err(refuse("it was written by a later version of hardcase"));
        }
        let (classes, dims) = (classes as usize, dims as usize);
        let expected = dims
            .checked_add(1)
            .and_then(|columns| columns.checked_mul(classes))
            .and_then(|values| values.checked_mul(4))
            .and_then(|size| size.checked_add(HEADER));
        if expected != Some(bytes.len()) {
            return Err(refuse("its length does not fit its shape, so it was cut short or damaged"));
        }
        let mut values: Vec<f32> = words.map(f32::from_le_bytes).collect();
        if !values.iter().all(|v| v.is_finite()) {
            return Err(refuse("it contains a number that is not finite"));
        }
        let bias = Array1::from(values.split_off(classes * dims));
        let weights = Array2::from_shape_vec((classes, dims), values)
            .map_err(|e| refuse("its shape does not fit its length").because(e))?;
        Ok(Self { weights, bias })
    }
}

/// Examples prepared for fits with several penalties.
///
/// The features are centred and scaled to a common unit scale, with a last column of ones for the bias. The
/// minimum is the same, because the bias absorbs the shift, but the search converges several times faster.
#[derive(Debug)]
pub struct Problem {
    pub(super) x: Array2<f64>,
    /// `x` transposed: products over contiguous rows are three times faster.
    pub(super) transposed: Array2<f64>,
    pub(super) y: Vec<usize>,
    pub(super) classes: usize,
    /// Each example's share of the total weight.
    pub(super) shares: Vec<f64>,
    pub(super) total: f64,
    pub(super) mean: Array1<f64>,
    pub(super) scale: f64,
}

impl Problem {
    /// Copies and scales `examples`.
    pub fn new(examples: &Examples<'_>) -> Self {
        let x = examples.x;
        let dims = x.ncols();
        let total: f64 = examples.weights.iter().sum();
        let shares: Vec<f64> = examples.weights.iter().map(|w| w / total).collect();
        let mut mean = Array1::<f64>::zeros(dims);
        for (row, share) in x.rows().into_iter().zip(&shares) {
            Zip::from(&mut mean).and(row).for_each(|m, &v| *m += share * f64::from(v));
        }
        let mut out = Array2::<f64>::ones((x.nrows(), dims + 1));
        let mut centred = out.slice_mut(s![.., ..dims]);
        let mut spread = 0.0;
        for ((mut to, from), share) in centred.rows_mut().into_iter().zip(x.rows()).zip(&shares) {
            Zip::from(&mut to).and(from).and(&mean).for_each(|t, &v, m| *t = f64::from(v) - m);
            spread += share * to.iter().map(|v| v * v).sum::<f64>();
        }
        let scale = (spread / dims.max(1) as f64).sqrt();
        let scale = if scale.is_normal() { scale } else { 1.0 };
        centred /= scale;
        Self {
            transposed: out.t().as_standard_layout().into_owned(),
            x: out,
            y: examples.y.to_vec(),
            classes: examples.classes,
            shares,
            total,
            mean,
            scale,
        }
    }

    /// [`Logistic::fit`] from a `start` of the same shape instead of zero, and with this `tolerance`.
    pub fn fit(&self, c: f64, start: Option<&Logistic>, tolerance: f64) -> Logistic {
        let columns = self.x.ncols();
        let start = start.map_or_else(|| vec![0.0; self.classes * columns], |model| self.inward(model));
        // The penalty applies to the weights in the original scale of the features.
        let penalty = 1.0 / (c * self.total * self.scale * self.scale);
        let mut logits = Array2::<f64>::zeros((self.classes, self.y.len()));
        let found = minimise(start, tolerance, |point, gradient| {
            let (Ok(w), Ok(mut g)) = (
                ArrayView2::from_shape((self.classes, columns), point),
                ArrayViewMut2::from_shape((self.classes, columns), gradient),
            ) else {
                return f64::NAN;
            };
            general_mat_mul(1.0, &w, &self.transposed, 0.0, &mut logits);
            let mut loss = 0.0;
            for ((mut example, &label), share) in
                logits.columns_mut().into_iter().zip(&self.y).zip(&self.shares)
            {
                loss += share * softmax_loss(example.view_mut(), label);
                example[label] -= 1.0;
                example *= *share;
            }
            general_mat_mul(1.0, &logits, &self.x, 0.0, &mut g);
            let free = s![.., ..columns - 1];
            g.slice_mut(free).scaled_add(penalty, &w.slice(free));
            loss + 0.5 * penalty * w.slice(free).iter().map(|v| v * v).sum::<f64>()
        });
        self.outward(&found.point)
    }

    /// [`Problem::fit`] with the `c` of features whose mean square distance from their mean is 1. In a narrow cone, the same differences
    /// between texts are small numbers, whose weights have to be large: the same penalty would forbid them.
    pub fn fit_scaled(&self, c: f64, start: Option<&Logistic>, tolerance: f64) -> Logistic {
        self.fit(c / self.spread().max(f64::MIN_POSITIVE), start, tolerance)
    }

    /// The mean square distance of the features from their mean.
    pub(super) fn spread(&self) -> f64 {
        self.scale * self.scale * self.mean.len() as f64
    }

    /// A model in the original scale as a starting point.
    pub(super) fn inward(&self, model: &Logistic) -> Vec<f64> {
        let mut point = Vec::with_capacity(model.weights.len() + model.bias.len());
        for (row, bias) in model.weights.rows().into_iter().zip(&model.bias) {
            let row = row.mapv(f64::from);
            point.extend(row.iter().map(|w| w * self.scale));
            point.push(f64::from(*bias) + row.dot(&self.mean));
        }
        point
    }

    /// A point as a model in the original scale.
    pub(super) fn outward(&self, point: &[f64]) -> Logistic {
        let dims = self.mean.len();
        let mut weights = Array2::zeros((self.classes, dims));
        let mut bias = Array1::zeros(self.classes);
        for ((row, bias), found) in weights.rows_mut().into_iter().zip(&mut bias).zip(point.chunks(dims + 1))
        {
            let mut shift = 0.0;
            for ((w, v), mean) in row.into_iter().zip(found).zip(&self.mean) {
                *w = (v / self.scale) as f32;
                shift += v / self.scale * mean;
            }
            *bias = (found.get(dims).copied().unwrap_or_default() - shift) as f32;
        }
        Logistic { weights, bias }
    }
}

/// Turns one row of logits into probabilities and returns the log-loss of `label`, without taking the logarithm
/// of a probability that may have underflowed.
fn softmax_loss(mut logits: ArrayViewMut1<'_, f64>, label: usize) -> f64 {
    let most = logits.fold(f64::NEG_INFINITY, |m, &v| m.max(v));
    let lead = most - logits[label];
    logits.mapv_inplace(|v| (v - most).exp());
    let sum = logits.sum();
    logits /= sum;
    lead + sum.ln()
}

/// Turns one row of logits into probabilities, in single precision as they are stored.
pub(in crate::stats) fn softmax_f32(mut logits: ArrayViewMut1<'_, f32>) {
    let most = logits.fold(f32::NEG_INFINITY, |m, &v| m.max(v));
    logits.mapv_inplace(|v| (v - most).exp());
    let sum = logits.sum();
    logits /= sum;
}

#[cfg(test)]
mod tests {
    use ndarray::{arr2, array};
    use proptest::prelude::*;
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Every fifth of Fisher's irises (`sklearn.datasets.load_iris`, rows `::5`): ten of each species.
    const IRIS: [[f32; 4]; 30] = [
        [5.1, 3.5, 1.4, 0.2],
        [5.4, 3.9, 1.7, 0.4],
        [5.4, 3.7, 1.5, 0.2],
        [5.7, 4.4, 1.5, 0.4],
        [5.4, 3.4, 1.7, 0.2],
        [5.0, 3.0, 1.6, 0.2],
        [4.8, 3.1, 1.6, 0.2],
        [5.0, 3.2, 1.2, 0.2],
        [5.0, 3.5, 1.3, 0.3],
        [4.8, 3.0, 1.4, 0.3],
        [7.0, 3.2, 4.7, 1.4],
        [5.7, 2.8, 4.5, 1.3],
        [5.0, 2.0, 3.5, 1.0],
        [6.7, 3.1, 4.4, 1.4],
        [5.9, 3.2, 4.8, 1.8],
        [6.6, 3.0, 4.4, 1.4],
        [5.5, 2.4, 3.8, 1.1],
        [6.0, 3.4, 4.5, 1.6],
        [5.5, 2.6, 4.4, 1.2],
        [5.7, 3.0, 4.2, 1.2],
        [6.3, 3.3, 6.0, 2.5],
        [7.6, 3.0, 6.6, 2.1],
        [6.5, 3.2, 5.1, 2.0],
        [6.4, 3.2, 5.3, 2.3],
        [6.9, 3.2, 5.7, 2.3],
        [7.2, 3.2, 6.0, 1.8],
        [7.4, 2.8, 6.1, 1.9],
        [7.7, 3.0, 6.1, 2.3],
        [6.7, 3.1, 5.6, 2.4],
        [6.7, 3.0, 5.2, 2.3],
    ];

    /// To the tolerance of the reference, so that every digit may be compared.
    fn exact(examples: &Examples<'_>, c: f64) -> Logistic {
        Problem::new(examples).fit(c, None, 1e-9)
    }

    fn iris() -> (Array2<f32>, Vec<usize>) {
        (arr2(&IRIS), (0..30).map(|i| i / 10).collect())
    }

    fn close(found: impl IntoIterator<Item = f32>, expected: impl IntoIterator<Item = f64>, within: f64) {
        for (i, (f, e)) in found.into_iter().zip(expected).enumerate() {
            assert!((f64::from(f) - e).abs() < within, "value {i}: {f} instead of {e}");
        }
    }

    /// scikit-learn 1.9.1 on float64: `LogisticRegression(C=2.0, solver="newton-cholesky", tol=1e-12)
    /// .fit(X, y, sample_weight=np.where(y == 0, 2.0, 1.0))`, then `coef_`, `intercept_`,
    /// `predict_proba(X[[0, 12, 25]])`.
    #[test]
    fn three_irises_get_the_coefficients_of_scikit_learn() {
        let (x, y) = iris();
        let weights: Vec<f64> = y.iter().map(|&l| if l == 0 { 2.0 } else { 1.0 }).collect();
        let model = exact(&Examples { x: x.view(), y: &y, classes: 3, weights: &weights }, 2.0);
        let coefficients = [
            [-0.462632200, 0.558584457, -2.046079678, -0.798167185],
            [-0.257587829, -0.534432743, 0.178061116, -0.647094027],
            [0.720220029, -0.024151714, 1.868018562, 1.445261212],
        ];
        close(model.weights.iter().copied(), coefficients.into_iter().flatten(), 2e-5);
        close(model.bias.iter().copied(), [9.816666218, 5.198819903, -15.015486121], 1e-4);
        let probabilities = [
            [0.985986824, 0.014012847, 0.00000033],
            [0.103516738, 0.894835954, 0.001647307],
            [0.000080096, 0.085890152, 0.914029752],
        ];
        let chosen = x.select(Axis(0), &[0, 12, 25]);
        close(model.probabilities(chosen.view()), probabilities.into_iter().flatten(), 5e-6);
    }

    /// scikit-learn 1.9.1: `LogisticRegression(C=2.0, solver="newton-cholesky", tol=1e-12).fit(X[10:],
    /// y[10:])`; its binary form at `C=2` is ours at 1.
    #[test]
    fn two_irises_get_the_coefficients_of_scikit_learn_at_half_its_c() {
        let (x, y) = iris();
        let x = x.slice(s![10.., ..]);
        let y: Vec<usize> = y[10..].iter().map(|l| l - 1).collect();
        let model = exact(&Examples { x, y: &y, classes: 2, weights: &[1.0; 20] }, 1.0);
        let difference = &model.weights.row(1) - &model.weights.row(0);
        close(difference, [0.803253841, 0.043493908, 1.977684307, 1.612261460], 2e-5);
        close([model.bias[1] - model.bias[0]], [-18.196026426], 2e-5);
        close(model.weights.row(0).iter().map(|w| -w), model.weights.row(1).mapv(f64::from), 1e-6);
    }

    #[test]
    fn a_warm_start_ends_where_a_cold_one_does() {
        let (x, y) = iris();
        let examples = Examples { x: x.view(), y: &y, classes: 3, weights: &[1.0; 30] };
        let cold = Logistic::fit(&examples, 10.0);
        let warm = Problem::new(&examples).fit(10.0, Some(&Logistic::fit(&examples, 0.1)), TOLERANCE);
        close(warm.weights, cold.weights.mapv(f64::from), 1e-3);
    }

    #[test]
    fn a_scaled_penalty_says_of_a_narrow_cone_what_it_says_of_a_wide_one() {
        let (x, y) = iris();
        let fitted = |x: &Array2<f32>| {
            let examples = Examples { x: x.view(), y: &y, classes: 3, weights: &[1.0; 30] };
            Problem::new(&examples).fit_scaled(1.0, None, 1e-9).probabilities(x.view())
        };
        let cone = x.mapv(|v| 0.01 * v + 0.9);
        close(fitted(&cone), fitted(&x).mapv(f64::from), 1e-3);
    }

    #[test]
    fn a_weight_of_three_is_three_copies_of_the_example() {
        let (x, y) = iris();
        let mut weights = vec![1.0; 30];
        weights[15] = 3.0;
        let weighted = exact(&Examples { x: x.view(), y: &y, classes: 3, weights: &weights }, 1.0);
        let rows: Vec<usize> = (0..30).chain([15, 15]).collect();
        let copied_x = x.select(Axis(0), &rows);
        let copied_y: Vec<usize> = rows.iter().map(|&r| y[r]).collect();
        let copies = Examples { x: copied_x.view(), y: &copied_y, classes: 3, weights: &[1.0; 32] };
        close(weighted.weights, exact(&copies, 1.0).weights.mapv(f64::from), 1e-4);
    }

    #[test]
    fn features_that_are_no_numbers_leave_a_model_that_prefers_nothing() {
        let x = array![[f32::NAN, 1.0], [0.0, 1.0]];
        let model = Logistic::fit(&Examples { x: x.view(), y: &[0, 1], classes: 2, weights: &[1.0; 2] }, 1.0);
        assert!(model.weights.iter().all(|w| *w == 0.0), "{model:?}");
    }

    #[test]
    fn bytes_that_are_no_head_are_refused_with_the_reason() {
        let model = Logistic { weights: arr2(&[[1.0, 2.0], [3.0, 4.0]]), bias: array![0.5, -0.5] };
        let bytes = model.to_bytes();
        let why = |b: &[u8]| Logistic::from_bytes(b).err().map(|f| f.why().to_owned()).unwrap_or_default();
        assert!(why(b"").contains("something else"));
        assert!(why(b"GGUF\0\0\0\0").contains("something else"));
        assert!(why(&bytes[..10]).contains("header"));
        assert!(why(&bytes[..bytes.len() - 1]).contains("cut short"));
        assert!(why(&[&bytes[..], &[0]].concat()).contains("cut short"));
        let later = [&bytes[..4], &2u32.to_le_bytes(), &bytes[8..]].concat();
        assert!(why(&later).contains("later version"));
        let huge = [&bytes[..8], &[0xff; 8], &bytes[16..]].concat();
        assert!(why(&huge).contains("cut short"));
        let infinite = [&bytes[..16], &f32::INFINITY.to_le_bytes(), &bytes[20..]].concat();
        assert!(why(&infinite).contains("not finite"));
    }

    proptest! {
        #[test]
        fn a_head_survives_being_written_and_read(classes in 1usize..6, dims in 0usize..9, seed: u64) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let model = Logistic {
                weights: Array2::from_shape_simple_fn((classes, dims), || rng.gen_range(-9.0..9.0)),
                bias: Array1::from_shape_simple_fn(classes, || rng.gen_range(-9.0..9.0)),
            };
            prop_assert_eq!(Logistic::from_bytes(&model.to_bytes()).unwrap(), model);
        }

        #[test]
        fn probabilities_are_a_distribution_even_for_huge_logits(
            rows in 0usize..2_100, scale in 0.1f32..1e4, seed: u64
        ) {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            let model = Logistic {
                weights: Array2::from_shape_simple_fn((3, 2), || rng.gen_range(-scale..scale)),
                bias: Array1::from_shape_simple_fn(3, || rng.gen_range(-scale..scale)),
            };
            let x = Array2::from_shape_simple_fn((rows, 2), || rng.gen_range(-1.0f32..1.0));
            for row in model.probabilities(x.view()).rows() {
                prop_assert!((row.sum() - 1.0).abs() < 1e-5 && row.iter().all(|p| (0.0..=1.0).contains(p)));
            }
        }
    }
}
