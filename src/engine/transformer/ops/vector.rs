//! What the operations share: a sum and an exponential that the compiler turns into vector instructions, and rows dealt to cores.

use rayon::prelude::*;

use super::product::Cores;

/// Lanes of a sum: one AVX-512 register, two of AVX2, four of NEON.
const LANES: usize = 16;
/// Numbers below which a piece of work is not worth a thread.
const WORTH_A_THREAD: usize = 1 << 14;

/// `e^x` within 3 units of the last place, for `x` up to 88; below -87 it stays at `e^-87`.
///
/// The power of two goes to the exponent's bits, the rest to a polynomial (Cephes `expf`).
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0; // 1.5 · 2^23: adding it leaves the nearest integer in the low bits
    let x = x.clamp(-87.0, 88.0);
    let power = x * std::f32::consts::LOG2_E + ROUND;
    let whole = power - ROUND;
    let rest = whole.mul_add(-0.693_359_4, x);
    let rest = whole.mul_add(2.121_944_4e-4, rest);
    let p = rest.mul_add(1.987_569_1e-4, 1.398_2e-3);
    let p = rest.mul_add(p, 8.333_452e-3);
    let p = rest.mul_add(p, 4.166_579_6e-2);
    let p = rest.mul_add(p, 1.666_666_5e-1);
    let p = rest.mul_add(p, 0.5);
    let p = (rest * rest).mul_add(p, rest) + 1.0;
    let exponent = power.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    p * f32::from_bits(exponent)
}

/// The sum of `f` over the values, in lanes.
#[inline(always)]
pub fn sum(values: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (chunks, rest) = values.as_chunks::<LANES>();
    let mut lanes = [0.0f32; LANES];
    for chunk in chunks {
        for (lane, x) in lanes.iter_mut().zip(chunk) {
            *lane += f(*x);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|x| f(*x)).sum::<f32>()
}

/// Calls `work` with the number and the numbers of each row of `width`.
pub fn for_rows(
    cores: Cores,
    values: &mut [f32],
    width: usize,
    work: impl Fn(usize, &mut [f32]) + Sync + Send,
) {
    match cores {
        Cores::One => values.chunks_exact_mut(width).enumerate().for_each(|(row, values)| work(row, values)),
        Cores::All => values
            .par_chunks_exact_mut(width)
            .with_min_len(WORTH_A_THREAD / width.max(1) + 1)
            .enumerate()
            .for_each(|(row, values)| work(row, values)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_that_of_the_standard_library() {
        for step in -8_700..8_800 {
            let x = step as f32 / 100.0;
            let (ours, theirs) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((ours / theirs - 1.0).abs() < 4e-7, "{x}: {ours} {theirs}");
        }
        assert_eq!(exp(f32::NEG_INFINITY), exp(-87.0));
    }

    #[test]
    fn one_core_and_all_of_them_see_the_same_rows() {
        let count = |cores| {
            let mut values = vec![0.0; 7 * 40_000];
            for_rows(cores, &mut values, 40_000, |row, values| values.fill(row as f32));
            values
        };
        assert_eq!(count(Cores::One), count(Cores::All));
    }
}
