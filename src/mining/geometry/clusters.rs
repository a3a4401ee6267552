//! Spherical clusters of the members of each predicted label, and the nearest clusters of every item.
//!
//! k-means runs on samples and mini-batches only (linfa's reaches about 3 GFLOP/s); the whole pool is then assigned by
//! blocked matrix products. Holds at most one block of similarities per thread.

use linfa::DatasetBase;
use linfa::prelude::{FitWith, ParamGuard};
use linfa_clustering::{IncrKMeansError, KMeans, KMeansInit};
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis};
use rand::distributions::{Distribution, WeightedIndex};
use rand::seq::{SliceRandom, index};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::mining::pool::Pool;

/// Rows of one mini-batch, and of one block of a product.
const BLOCK: usize = 1024;
/// Greatest number of mini-batches of one k-means.
const BATCHES: usize = 8;
/// Greatest number of passes over a small set.
const PASSES: usize = 5;

/// Separate clusters for each predicted label.
pub struct Clusters {
    /// Unit rows, clusters × d, grouped by label.
    centres: Array2<f32>,
    /// The predicted label of each cluster's members.
    labels: Vec<usize>,
}

/// An item's own cluster, and the nearest one of another label.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NearestClusters {
    /// The nearest cluster of the item's own predicted label.
    pub own: usize,
    /// Cosine to that cluster's centre.
    pub own_similarity: f32,
    /// The nearest cluster across a boundary: of any other predicted label, or of a neighbouring level; `own` if there is none.
    pub rival: usize,
    /// Cosine to the rival's centre; -1 if there is none.
    pub rival_similarity: f32,
}

impl Clusters {
    /// About `total` clusters over all predicted labels, divided by the square root of the labels' sizes, so that
    /// a rare label is resolved in some detail too. At least one for each label that has members.
    pub fn of_predictions(pool: &Pool, total: usize, rng: &mut ChaCha8Rng) -> Self {
        let members = pool.members();
        let roots: f64 = members.iter().map(|m| (m.len() as f64).sqrt()).sum();
        let mut centres = Array2::zeros((0, pool.vectors().ncols()));
        let mut labels = Vec::new();
        for (label, members) in members.iter().enumerate().filter(|(_, m)| !m.is_empty()) {
            let part = (total as f64 * (members.len() as f64).sqrt() / roots).round() as usize;
            // At least two members per cluster on average: a cluster of one has no extent that could overlap.
            let fitted = fit(pool.vectors(), members, part.clamp(1, members.len().div_ceil(2)), rng);
            labels.extend(std::iter::repeat_n(label, fitted.nrows()));
            centres = ndarray::concatenate![Axis(0), centres, fitted];
        }
        Self { centres, labels }
    }

    /// The nearest clusters of every item of the pool, in pool order.
    pub fn nearest_to_each(&self, pool: &Pool) -> Vec<NearestClusters> {
        let all: Vec<usize> = (0..pool.len()).collect();
        by_block(pool.vectors(), &all, &self.centres, |item, similarities| {
            let label = pool.predicted(item);
            let (mut own, mut rival) = ((0, f32::NEG_INFINITY), (0, f32::NEG_INFINITY));
            for (cluster, &similarity) in similarities.iter().enumerate() {
                let side = match self.labels[cluster] {
                    same if same == label => &mut own,
                    other if pool.is_boundary(other, label) => &mut rival,
                    _ => continue,
                };
                if similarity > side.1 {
                    *side = (cluster, similarity);
                }
            }
            if rival.1 == f32::NEG_INFINITY {
                rival = (own.0, -1.0);
            }
            NearestClusters { own: own.0, own_similarity: own.1, rival: rival.0, rival_similarity: rival.1 }
        })
    }
}

/// Groups `members` into at most `k` clusters; each group in the order of `members`, empty ones left out.
pub fn group(pool: &Pool, members: &[usize], k: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
    let (centres, nearest) = nearest_centres(pool, members, k, rng);
    let mut groups = vec![Vec::new(); centres];
    for (&member, (cluster, _)) in members.iter().zip(nearest) {
        groups[cluster].push(member);
    }
    groups.retain(|g| !g.is_empty());
    groups
}

/// The member nearest the centre of each of at most `k` clusters of `members`, largest cluster first.
pub fn medoids(pool: &Pool, members: &[usize], k: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let (centres, nearest) = nearest_centres(pool, members, k, rng);
    let mut best: Vec<Option<(usize, f32)>> = vec![None; centres];
    let mut sizes = vec![0usize; centres];
    for (&member, (cluster, similarity)) in members.iter().zip(nearest) {
        sizes[cluster] += 1;
        if best[cluster].is_none_or(|(_, s)| similarity > s) {
            best[cluster] = Some((member, similarity));
        }
    }
    let mut order: Vec<usize> = (0..centres).collect();
    order.sort_by_key(|&cluster| std::cmp::Reverse(sizes[cluster]));
    order.into_iter().filter_map(|cluster| best[cluster].map(|(member, _)| member)).collect()
}

fn nearest_centres(
    pool: &Pool,
    members: &[usize],
    k: usize,
    rng: &mut ChaCha8Rng,
) -> (usize, Vec<(usize, f32)>) {
    if k == 0 {
        return (0, Vec::new());
    }
    let centres = fit(pool.vectors(), members, k, rng);
    let nearest = by_block(pool.vectors(), members, &centres, |_, similarities| {
        let mut best = (0, f32::NEG_INFINITY);
        for (cluster, &similarity) in similarities.iter().enumerate() {
            if similarity > best.1 {
                best = (cluster, similarity);
            }
        }
        best
    });
    (centres.nrows(), nearest)
}

/// Maps every member and its similarities to all `centres`, in the order of `members`, block by block on all threads.
fn by_block<T: Send>(
    vectors: ArrayView2<f32>,
    members: &[usize],
    centres: &Array2<f32>,
    place: impl Fn(usize, ArrayView1<f32>) -> T + Sync,
) -> Vec<T> {
    let blocks: Vec<Vec<T>> = members
        .par_chunks(BLOCK)
        .map(|block| {
            let similarities = vectors.select(Axis(0), block).dot(&centres.t());
            block.iter().zip(similarities.outer_iter()).map(|(&member, row)| place(member, row)).collect()
        })
        .collect();
    blocks.into_iter().flatten().collect()
}

/// At most `k` unit centres of `members` by mini-batch k-means (Sculley, WWW 2010) from k-means++ seeds. Fewer
/// where the members have fewer different vectors.
fn fit(vectors: ArrayView2<f32>, members: &[usize], k: usize, rng: &mut ChaCha8Rng) -> Array2<f32> {
    let k = k.min(members.len());
    if k == 0 {
        return Array2::zeros((0, vectors.ncols()));
    }
    let sample: Vec<usize> = members.choose_multiple(rng, (8 * k).max(512)).copied().collect();
    let mut centres = spread_seeds(&vectors.select(Axis(0), &sample), k, rng);
    let params = KMeans::params_with_rng(centres.nrows(), rng.clone())
        .init_method(KMeansInit::Precomputed(centres.clone()))
        .n_runs(1);
    let Ok(params) = params.check() else {
        return centres;
    };
    let batches = (PASSES * members.len()).div_ceil(BLOCK).min(BATCHES);
    let mut model = None;
    for _ in 0..batches {
        let drawn = index::sample(rng, members.len(), BLOCK.min(members.len()));
        let rows: Vec<usize> = drawn.into_iter().map(|at| members[at]).collect();
        let batch = DatasetBase::from(vectors.select(Axis(0), &rows));
        match params.fit_with(model.take(), &batch) {
            Ok(converged) => {
                centres.assign(converged.centroids());
                break;
            }
            Err(IncrKMeansError::NotConverged(next)) => {
                centres.assign(next.centroids());
                model = Some(next);
            }
            // Cannot happen after the checks above; if it does, the last centres are used.
            Err(_) => break,
        }
    }
    for mut centre in centres.rows_mut() {
        let length = centre.dot(&centre).sqrt();
        if length > 0.0 {
            centre /= length;
        }
    }
    centres
}

/// k-means++ seeds (Arthur and Vassilvitskii, SODA 2007): each row drawn by its squared distance to the seeds so
/// far. linfa's own recomputes all distances at every step, which is quadratic in `k`.
fn spread_seeds(rows: &Array2<f32>, k: usize, rng: &mut ChaCha8Rng) -> Array2<f32> {
    let mut chosen = Vec::with_capacity(k);
    let mut distances = Array1::from_elem(rows.nrows(), f32::INFINITY);
    let mut next = index::sample(rng, rows.nrows(), 1).index(0);
    loop {
        chosen.push(next);
        if chosen.len() == k {
            break;
        }
        let seed = rows.row(next);
        let similarities = rows.dot(&seed);
        let seed_square = seed.dot(&seed);
        for ((distance, similarity), row) in distances.iter_mut().zip(&similarities).zip(rows.outer_iter()) {
            let square = (row.dot(&row) + seed_square - 2.0 * similarity).max(0.0);
            // By rounding, copies of a seed have a distance of about the square root of the precision.
            *distance = distance.min(if square < 1e-5 { 0.0 } else { square });
        }
        match WeightedIndex::new(&distances) {
            Ok(weights) => next = weights.sample(rng),
            // All distances are zero: every row is a copy of a seed.
            Err(_) => break,
        }
    }
    rows.select(Axis(0), &chosen)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;
    use crate::mining::synthetic::Synthetic;

    #[test]
    fn well_separated_groups_are_found_whole() {
        let made = Synthetic::separated(8, 40, 16, 3);
        let pool = made.pool();
        let all: Vec<usize> = (0..pool.len()).collect();
        let groups = group(&pool, &all, 8, &mut ChaCha8Rng::seed_from_u64(1));
        assert_eq!(groups.len(), 8);
        for group in groups {
            assert!(group.iter().all(|i| i / 40 == group[0] / 40), "{group:?}");
        }
    }

    #[test]
    fn identical_vectors_make_one_cluster() {
        let made = Synthetic::identical(300, 8);
        let pool = made.pool();
        let all: Vec<usize> = (0..pool.len()).collect();
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        assert_eq!(group(&pool, &all, 20, &mut rng), vec![all.clone()]);
        assert_eq!(medoids(&pool, &all, 20, &mut rng).len(), 1);
        assert!(group(&pool, &[], 5, &mut rng).is_empty());
    }

    #[test]
    fn an_item_lies_in_a_cluster_of_its_own_label_and_its_rival_is_of_another() {
        let made = Synthetic::overlapping(400, 16, 3, 5);
        let pool = made.pool();
        let clusters = Clusters::of_predictions(&pool, 12, &mut ChaCha8Rng::seed_from_u64(2));
        for (i, place) in clusters.nearest_to_each(&pool).into_iter().enumerate() {
            assert_eq!(clusters.labels[place.own], pool.predicted(i));
            assert_ne!(clusters.labels[place.rival], pool.predicted(i));
            let best = (0..clusters.labels.len())
                .filter(|&c| clusters.labels[c] == pool.predicted(i))
                .map(|c| pool.vectors().row(i).dot(&clusters.centres.row(c)))
                .fold(f32::MIN, f32::max);
            assert!((best - place.own_similarity).abs() < 1e-5);
        }
    }
}
