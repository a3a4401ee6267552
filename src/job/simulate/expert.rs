//! Who answers in a simulation: the gold labels themselves, an expert who errs, or one of the annotators of each text.

use rand::distributions::{Distribution, WeightedIndex};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::dataset::{Crowd, Dataset};

/// What an answer depends on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answers {
    /// The gold label.
    Gold,
    /// The gold label, but with this probability another one, any as likely as the others.
    Flipped(f64),
    /// The label of one annotator drawn from those who voted on the text.
    Annotator,
    /// The crowd's column.
    Column,
}

impl Answers {
    /// One answer to each text of the data, as this person gives it. Another `seed` is another person.
    pub fn of_all(self, data: &Dataset, seed: u64) -> Vec<usize> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        match (self, &data.crowd) {
            (Self::Flipped(noise), _) => {
                data.gold.iter().map(|&label| flipped(label, data.classes(), noise, &mut rng)).collect()
            }
            (Self::Annotator, Crowd::Votes(votes)) => {
                votes.iter().zip(&data.gold).map(|(votes, &gold)| drawn(votes, gold, &mut rng)).collect()
            }
            (Self::Column, Crowd::Column(column)) => column.clone(),
            (Self::Gold | Self::Annotator | Self::Column, _) => data.gold.clone(),
        }
    }
}

fn flipped(label: usize, classes: usize, noise: f64, rng: &mut ChaCha8Rng) -> usize {
    if rng.gen_range(0.0..1.0) >= noise {
        return label;
    }
    let other = rng.gen_range(0..classes - 1);
    if other < label { other } else { other + 1 }
}

fn drawn(votes: &[u32], gold: usize, rng: &mut ChaCha8Rng) -> usize {
    WeightedIndex::new(votes).map_or(gold, |weights| weights.sample(rng))
}
