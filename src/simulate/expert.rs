//! Who answers in a simulation: the gold labels, an expert who errs, or one of the annotators of each text.

use rand::distributions::{Distribution, WeightedIndex};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::dataset::{Crowd, Dataset};
use crate::domain::label_set::LabelSet;

/// Where answers come from.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Answers {
    /// The gold label.
    Gold,
    /// The gold label, but with this probability a different one, uniformly at random; of several, one more or one less.
    Flipped(f64),
    /// The label of one random annotator among those who voted on the text.
    Annotator,
    /// The crowd's column.
    Column,
}

impl Answers {
    /// One answer to each text. Another `seed` is another person.
    pub fn of_all(self, data: &Dataset, seed: u64) -> Vec<LabelSet> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        match (self, &data.crowd) {
            (Self::Flipped(noise), _) => {
                let flip = |gold: &LabelSet| match gold.single().filter(|_| data.labels.kind.gives_one()) {
                    Some(label) => [flipped(label, data.classes(), noise, &mut rng)].into_iter().collect(),
                    None => toggled(gold, data.classes(), noise, &mut rng),
                };
                data.gold.iter().map(flip).collect()
            }
            (Self::Annotator, Crowd::Votes(votes)) => {
                votes.iter().zip(&data.gold).map(|(votes, gold)| drawn(votes, gold, &mut rng)).collect()
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

/// With this probability one label is given that the text has not, or left out that it has, uniformly at random.
fn toggled(gold: &LabelSet, classes: usize, noise: f64, rng: &mut ChaCha8Rng) -> LabelSet {
    let mut said = gold.clone();
    if rng.gen_range(0.0..1.0) < noise {
        said.toggle(rng.gen_range(0..classes));
    }
    said
}

fn drawn(votes: &[u32], gold: &LabelSet, rng: &mut ChaCha8Rng) -> LabelSet {
    WeightedIndex::new(votes)
        .map_or_else(|_| gold.clone(), |weights| [weights.sample(rng)].into_iter().collect())
}

#[cfg(test)]
mod tests {
    use super::super::dataset::{CopyCount, Labels, NearCopies};
    use super::*;
    use crate::domain::split::Split;

    fn data(crowd: Crowd) -> Dataset {
        let n = 4_000;
        Dataset {
            texts: vec![String::new(); n],
            gold: (0..n).map(|i| [i % 3].into_iter().collect()).collect(),
            splits: vec![Split::Train; n],
            crowd,
            labels: Labels {
                kind: crate::domain::task_kind::TaskKind::One,
                names: vec!["a".into(), "b".into(), "c".into()],
                anchors: Vec::new(),
                shares: vec![None; 3],
            },
            unlabelled: 0,
            copies: CopyCount { are: NearCopies::Kept, texts: 0, of_another_label: 0 },
        }
    }

    #[test]
    fn a_noisy_expert_errs_as_often_as_said_and_to_any_other_label() {
        let data = data(Crowd::None);
        let answers = Answers::Flipped(0.2).of_all(&data, 1);
        let wrong = |to: usize| {
            (0..data.len()).filter(|&i| answers[i].single() == Some((i % 3 + to) % 3)).count() as f64
        };
        // 4,000 answers: five standard errors are .032 of a share of .2.
        assert!((wrong(1) + wrong(2) - 800.0).abs() < 128.0);
        assert!((wrong(1) - wrong(2)).abs() < 150.0, "{} {}", wrong(1), wrong(2));
        assert_eq!(answers, Answers::Flipped(0.2).of_all(&data, 1));
        assert_ne!(answers, Answers::Flipped(0.2).of_all(&data, 2));
        assert_eq!(Answers::Gold.of_all(&data, 1), data.gold);
    }

    #[test]
    fn a_noisy_expert_gives_one_of_several_labels_too_many_or_too_few() {
        let mut data = data(Crowd::None);
        data.labels.kind = crate::domain::task_kind::TaskKind::Several;
        data.gold.iter_mut().for_each(|set| *set = [0, 2].into_iter().collect());
        let answers = Answers::Flipped(0.2).of_all(&data, 1);
        let of = |places: &[usize]| {
            let wanted: LabelSet = places.iter().copied().collect();
            answers.iter().filter(|said| **said == wanted).count() as f64 / 4_000.0
        };
        assert!((of(&[0, 2]) - 0.8).abs() < 0.035, "{}", of(&[0, 2]));
        for wrong in [&[0][..], &[2], &[0, 1, 2]] {
            assert!((of(wrong) - 0.2 / 3.0).abs() < 0.025, "{wrong:?}: {}", of(wrong));
        }
    }

    #[test]
    fn an_annotator_answers_as_often_as_annotators_did() {
        let data = data(Crowd::Votes(vec![vec![3, 1, 0]; 4_000]));
        let answers = Answers::Annotator.of_all(&data, 3);
        let of = |label: usize| answers.iter().filter(|a| a.has(label)).count() as f64 / 4_000.0;
        assert!((of(0) - 0.75).abs() < 0.035 && of(2) == 0.0, "{} {}", of(0), of(2));
    }
}
