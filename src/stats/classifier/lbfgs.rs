//! Limited-memory BFGS: minimises a smooth function of many variables.
//!
//! Knows nothing about the function, and allocates nothing per step that grows with the number of steps.
//! Source: Nocedal and Wright, *Numerical Optimization*, 2nd edition, algorithms 7.4 and 7.5; the line search
//! is the bisection for the weak Wolfe conditions of Lewis and Overton (2013).

use std::collections::VecDeque;

/// Corrections kept; ten is the usual choice, and more gains nothing on logistic losses.
const MEMORY: usize = 10;
const MAX_ITERATIONS: usize = 1_000;
const MAX_TRIALS: usize = 50;
/// Armijo's and Wolfe's constants, as Nocedal and Wright recommend for quasi-Newton directions.
const SUFFICIENT_DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;

/// The result of the search.
#[derive(Clone, Debug)]
pub struct Minimum {
    /// The best point found.
    pub point: Vec<f64>,
    /// Value of the objective there.
    pub value: f64,
    /// Largest absolute component of the gradient there: at most the tolerance if the search converged.
    pub gradient: f64,
}

struct State {
    point: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

struct Correction {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1 / (step · change)
    rho: f64,
}

/// Minimises `objective` from `start` until no component of its gradient exceeds `tolerance`, no step improves
/// it in double precision, or after 1,000 iterations.
///
/// `objective(point, gradient)` writes the gradient and returns the value. A step to a value that is not finite
/// is too long; if the value at `start` is not finite, `start` is returned.
pub fn minimise(
    start: Vec<f64>,
    tolerance: f64,
    mut objective: impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Minimum {
    let mut gradient = vec![0.0; start.len()];
    let value = objective(&start, &mut gradient);
    let mut here = State { point: start, value, gradient };
    let mut history: VecDeque<Correction> = VecDeque::with_capacity(MEMORY);
    for _ in 0..MAX_ITERATIONS {
        if largest(&here.gradient) <= tolerance || !here.value.is_finite() {
            break;
        }
        let direction = direction(&history, &here.gradient);
        let first = if history.is_empty() { 1.0 / norm(&here.gradient).max(1.0) } else { 1.0 };
        let Some(next) = line_search(&here, &direction, first, &mut objective) else {
            if history.is_empty() {
                break;
            }
            // The curvature information is misleading here: restart with steepest descent.
            history.clear();
            continue;
        };
        let step = difference(&next.point, &here.point);
        let change = difference(&next.gradient, &here.gradient);
        let curvature = dot(&step, &change);
        if curvature > f64::EPSILON * dot(&change, &change) {
            if history.len() == MEMORY {
                history.pop_front();
            }
            history.push_back(Correction { step, change, rho: 1.0 / curvature });
        }
        here = next;
    }
    Minimum { gradient: largest(&here.gradient), point: here.point, value: here.value }
}

/// The two-loop recursion: minus the approximate inverse Hessian times the gradient.
fn direction(history: &VecDeque<Correction>, gradient: &[f64]) -> Vec<f64> {
    let mut d: Vec<f64> = gradient.iter().map(|g| -g).collect();
    let mut alphas = Vec::with_capacity(history.len());
    for c in history.iter().rev() {
        let alpha = c.rho * dot(&c.step, &d);
        add_scaled(&mut d, -alpha, &c.change);
        alphas.push(alpha);
    }
    if let Some(last) = history.back() {
        let scale = 1.0 / (last.rho * dot(&last.change, &last.change));
        d.iter_mut().for_each(|v| *v *= scale);
    }
    for (c, alpha) in history.iter().zip(alphas.into_iter().rev()) {
        let beta = c.rho * dot(&c.change, &d);
        add_scaled(&mut d, alpha - beta, &c.step);
    }
    d
}

fn line_search(
    here: &State,
    direction: &[f64],
    first: f64,
    objective: &mut impl FnMut(&[f64], &mut [f64]) -> f64,
) -> Option<State> {
    let slope = dot(direction, &here.gradient);
    if slope.is_nan() || slope >= 0.0 {
        return None;
    }
    // Near the minimum the decrease is smaller than rounding errors, so a change within rounding counts as a decrease.
    let rounding = 4.0 * f64::EPSILON * here.value.abs();
    let (mut low, mut high, mut t) = (0.0, f64::INFINITY, first);
    let mut trial = State { point: here.point.clone(), value: 0.0, gradient: vec![0.0; direction.len()] };
    for _ in 0..MAX_TRIALS {
        for ((p, start), d) in trial.point.iter_mut().zip(&here.point).zip(direction) {
            *p = start + t * d;
        }
        trial.value = objective(&trial.point, &mut trial.gradient);
        let enough = trial.value <= here.value + SUFFICIENT_DECREASE * t * slope + rounding;
        if !enough {
            high = t;
        } else if dot(&trial.gradient, direction) < CURVATURE * slope {
            low = t;
        } else {
            return Some(trial);
        }
        t = if high.is_finite() { (low + high) / 2.0 } else { 2.0 * low };
    }
    None
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn norm(a: &[f64]) -> f64 {
    dot(a, a).sqrt()
}

fn largest(a: &[f64]) -> f64 {
    a.iter().fold(0.0, |most, v| v.abs().max(most))
}

fn difference(a: &[f64], b: &[f64]) -> Vec<f64> {
    a.iter().zip(b).map(|(x, y)| x - y).collect()
}

fn add_scaled(to: &mut [f64], factor: f64, from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(t, f)| *t += factor * f);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Rosenbrock's valley (1960): minimum 0 at (1, 1); the usual start is (-1.2, 1).
    fn rosenbrock(p: &[f64], g: &mut [f64]) -> f64 {
        let (x, y) = (p[0], p[1]);
        g[0] = -2.0 * (1.0 - x) - 400.0 * x * (y - x * x);
        g[1] = 200.0 * (y - x * x);
        (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2)
    }

    #[test]
    fn rosenbrocks_valley_is_followed_to_its_end() {
        let mut evaluations = 0;
        let found = minimise(vec![-1.2, 1.0], 1e-9, |p, g| {
            evaluations += 1;
            rosenbrock(p, g)
        });
        assert!((found.point[0] - 1.0).abs() < 1e-8 && (found.point[1] - 1.0).abs() < 1e-8, "{found:?}");
        assert!(found.gradient <= 1e-9 && evaluations < 80, "{evaluations} evaluations, {found:?}");
    }

    #[test]
    fn a_start_without_a_value_comes_back_as_it_is() {
        let found = minimise(vec![3.0, 4.0], 1e-6, |_, g| {
            g.fill(f64::NAN);
            f64::NAN
        });
        assert_eq!(found.point, [3.0, 4.0]);
    }

    proptest! {
        #[test]
        fn a_quadratic_bowl_is_solved_whatever_its_scales(
            axes in prop::collection::vec((-2.0f64..2.0, -5.0f64..5.0), 1..12)
        ) {
            let found = minimise(vec![0.0; axes.len()], 1e-7, |p, g| {
                let mut value = 0.0;
                for (i, (scale, centre)) in axes.iter().enumerate() {
                    let curvature = 10f64.powf(*scale);
                    g[i] = curvature * (p[i] - centre);
                    value += 0.5 * curvature * (p[i] - centre).powi(2);
                }
                value
            });
            prop_assert!(found.gradient <= 1e-7, "{:?}", found);
        }
    }
}
