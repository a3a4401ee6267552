//! Label issues: given labels that are probably wrong, by confident learning on out-of-sample probabilities.
//!
//! A label's threshold is its mean probability over the examples that were given it. An example is counted under the likeliest of the labels
//! whose threshold it reaches; if that is not its given label, the label looks wrong. The thresholds compensate for labels of which the model
//! is less sure in general. Source: C. G. Northcutt, L. Jiang, I. L. Chuang, "Confident learning: estimating uncertainty in dataset labels",
//! *Journal of Artificial Intelligence Research* 70 (2021), 1373–1411: the off-diagonals of the confident joint, ranked by normalised margin.

use ndarray::{Array2, ArrayView2};

use crate::domain::label_set::LabelSet;

/// Examples on either side of a label without which it is not judged by itself: one in each fold.
const LEAST: usize = 5;

/// The examples whose label looks wrong, the surest first. `probabilities` are examples × labels and out of sample, `given` the labels.
pub fn label_issues(probabilities: ArrayView2<'_, f32>, given: &[usize]) -> Vec<usize> {
    let mut sums = vec![(0.0f64, 0usize); probabilities.ncols()];
    for (row, &label) in probabilities.rows().into_iter().zip(given) {
        sums[label].0 += f64::from(row[label]);
        sums[label].1 += 1;
    }
    // No example reaches the threshold of a label that nothing was given.
    let thresholds: Vec<f64> =
        sums.iter().map(|&(sum, n)| if n == 0 { f64::INFINITY } else { sum / n as f64 }).collect();
    let mut found: Vec<(f32, usize)> = probabilities
        .rows()
        .into_iter()
        .zip(given)
        .enumerate()
        .filter_map(|(example, (row, &label))| {
            let confident = (0..row.len()).filter(|&l| f64::from(row[l]) >= thresholds[l]);
            let likeliest = confident.max_by(|&a, &b| row[a].total_cmp(&row[b]))?;
            // The normalised margin: how far the given label is above the best of the others.
            (likeliest != label).then(|| (row[label] - row[likeliest], example))
        })
        .collect();
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    found.into_iter().map(|(_, example)| example).collect()
}

/// Where a text may have several labels: the examples with the label that was given and looks wrong, (example, label), the surest first. Each label is judged
/// by itself, as a yes or a no. One that is given to fewer than [`LEAST`] examples, or not given to fewer, is not judged.
pub fn of_sets(probabilities: ArrayView2<'_, f32>, given: &[LabelSet]) -> Vec<(usize, usize)> {
    let mut found: Vec<(f32, usize, usize)> = Vec::new();
    for (label, of_label) in probabilities.columns().into_iter().enumerate() {
        let has: Vec<usize> = given.iter().map(|set| usize::from(set.has(label))).collect();
        let with = has.iter().sum::<usize>();
        if with < LEAST || has.len() - with < LEAST {
            continue;
        }
        let both = Array2::from_shape_fn((has.len(), 2), |(example, yes)| match yes {
            0 => 1.0 - of_label[example],
            _ => of_label[example],
        });
        let wrong = label_issues(both.view(), &has).into_iter().filter(|&example| has[example] == 1);
        found.extend(wrong.map(|example| (of_label[example], example, label)));
    }
    found.sort_by(|a, b| a.0.total_cmp(&b.0).then((a.1, a.2).cmp(&(b.1, b.2))));
    found.into_iter().map(|(_, example, label)| (example, label)).collect()
}

#[cfg(test)]
mod tests {
    use ndarray::{Array1, Array2, array};
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::head::out_of_fold;
    use super::*;

    /// Thresholds by hand: (.9 + .7 + .2) / 3 = .6 and (.8 + .9 + .4) / 3 = .7. The third is surely the other; the last is likelier the first
    /// label than its own, and reaches .6. With thresholds .63 and .7 it reaches neither.
    #[test]
    fn an_example_is_counted_under_the_likeliest_label_whose_threshold_it_reaches() {
        let given = [0, 0, 0, 1, 1, 1];
        let p = array![[0.9f32, 0.1], [0.7, 0.3], [0.2, 0.8], [0.2, 0.8], [0.1, 0.9], [0.6, 0.4]];
        assert_eq!(label_issues(p.view(), &given), [2, 5]);
        let unsure = array![[0.9f32, 0.1], [0.8, 0.2], [0.2, 0.8], [0.2, 0.8], [0.1, 0.9], [0.6, 0.4]];
        assert_eq!(label_issues(unsure.view(), &given), [2]);
        let third = array![[0.3f32, 0.1, 0.6], [0.3, 0.1, 0.6]];
        assert_eq!(label_issues(third.view(), &[0, 0]), [0; 0], "nothing was given the third label");
    }

    #[test]
    fn of_several_labels_each_is_judged_by_itself_and_a_rare_one_not_at_all() {
        let set = |places: &[usize]| -> LabelSet { places.iter().copied().collect() };
        // Label 0 is given to the first six, of which the last looks like the others; label 1 to one text only, where it is unlikely.
        let given: Vec<LabelSet> = (0..12)
            .map(|i| if i < 6 { set(if i == 0 { &[0, 1] } else { &[0] }) } else { set(&[]) })
            .collect();
        let p = Array2::from_shape_fn((12, 2), |(i, label)| match label {
            0 if i < 5 => 0.9,
            _ => 0.1,
        });
        assert_eq!(of_sets(p.view(), &given), [(5, 0)]);
    }

    /// Unit vectors around a direction for each label.
    fn cloud(labels: &[usize], noise: f32, seed: u64) -> Array2<f32> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut draw = |scale: f32| Array1::from_shape_simple_fn(24, || scale * rng.gen_range(-1.0f32..1.0));
        let centres: Vec<Array1<f32>> = (0..3).map(|_| draw(1.0)).collect();
        let mut x = Array2::zeros((labels.len(), 24));
        for (mut row, &label) in x.rows_mut().into_iter().zip(labels) {
            let v = &centres[label] + &draw(noise);
            row.assign(&(&v / v.dot(&v).sqrt()));
        }
        x
    }

    #[test]
    fn of_labels_that_were_flipped_most_are_found_and_few_others() {
        for seed in 0..3 {
            let right: Vec<usize> = (0..300).map(|i| i % 3).collect();
            let x = cloud(&right, 1.0, seed);
            // Every tenth, so that each label has ten of the thirty.
            let given: Vec<usize> =
                right.iter().enumerate().map(|(i, &l)| if i % 10 == 0 { (l + 1) % 3 } else { l }).collect();
            let p = out_of_fold(x.view(), &given, 3, 10.0, seed).unwrap();
            let found = label_issues(p.view(), &given);
            let hits = found.iter().filter(|&&i| i % 10 == 0).count();
            // By chance a tenth of those found would be flipped.
            assert!(hits >= 18 && hits * 10 >= found.len() * 8, "{hits} of 30 in {}", found.len());
            let first = found.iter().take(15).filter(|&&i| i % 10 == 0).count();
            assert!(first >= 14, "{first} of the first 15");
        }
    }

    #[test]
    fn labels_that_are_clean_and_lie_apart_have_none() {
        let labels: Vec<usize> = (0..120).map(|i| i % 3).collect();
        let x = cloud(&labels, 0.5, 7);
        let p = out_of_fold(x.view(), &labels, 3, 10.0, 7).unwrap();
        assert_eq!(label_issues(p.view(), &labels), [0; 0]);
    }
}
