//! The labels as paths of tokens after the answer cue, and their probabilities from the model's next-token logits.
//!
//! If all labels differ in their first token, the logits after the cue are enough. If some share a prefix, the logits after that prefix are
//! needed too. At each branching only tokens that lead to a label count, so a label's probability is the product of the choices on its path,
//! and the labels' probabilities sum to 1: the distribution of an answer that is constrained to the labels.

/// A point at which the labels' tokens differ.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Branching {
    /// The tokens between the cue and this point; empty for the first.
    path: Vec<u32>,
    /// The next tokens of the labels.
    candidates: Vec<u32>,
}

/// One choice on a label's path: where it is made, between which tokens, and which is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// Number of the answer's tokens before it.
    pub after: usize,
    /// The tokens that lead to a label.
    pub candidates: Vec<u32>,
    /// The index of the one that leads to this label.
    pub chosen: usize,
}

/// The answers that the model is constrained to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answers {
    labels: Vec<Vec<u32>>,
    branchings: Vec<Branching>,
}

impl Answers {
    /// Answers made of these tokens. `None` if a label has no tokens, or one label's tokens are a prefix of another's.
    pub fn new(labels: Vec<Vec<u32>>) -> Option<Self> {
        let clear = |i: usize| {
            !labels[i].is_empty() && (0..labels.len()).all(|j| i == j || !labels[j].starts_with(&labels[i]))
        };
        if labels.is_empty() || !(0..labels.len()).all(clear) {
            return None;
        }
        let mut branchings: Vec<Branching> = Vec::new();
        let longest = labels.iter().map(Vec::len).max().unwrap_or(0);
        for depth in 0..longest {
            for label in labels.iter().filter(|label| label.len() > depth) {
                let path = &label[..depth];
                if branchings.iter().any(|b| b.path == path) {
                    continue;
                }
                let mut candidates: Vec<u32> =
                    labels.iter().filter(|l| l.starts_with(path)).map(|l| l[depth]).collect();
                candidates.sort_unstable();
                candidates.dedup();
                if candidates.len() > 1 {
                    branchings.push(Branching { path: path.to_vec(), candidates });
                }
            }
        }
        Some(Self { labels, branchings })
    }

    /// Number of labels.
    pub fn labels(&self) -> usize {
        self.labels.len()
    }

    /// The paths after which logits are needed, shortest first. The first is empty if the labels differ in their first token.
    pub fn paths(&self) -> impl ExactSizeIterator<Item = &[u32]> {
        self.branchings.iter().map(|b| &b.path[..])
    }

    /// The tokens that lead to a label after path `at`.
    pub fn candidates(&self, at: usize) -> &[u32] {
        &self.branchings[at].candidates
    }

    /// Length of the longest path in tokens.
    pub fn longest_path(&self) -> usize {
        self.paths().map(<[u32]>::len).max().unwrap_or(0)
    }

    /// Log-probabilities of the candidates after path `at`, from the logits of the whole vocabulary.
    pub fn choice(&self, at: usize, logits: &[f32]) -> Vec<f32> {
        let of = |token: &u32| logits.get(*token as usize).copied().unwrap_or(f32::NEG_INFINITY);
        let mut choice: Vec<f32> = self.branchings[at].candidates.iter().map(of).collect();
        let top = choice.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let log_sum = top + choice.iter().map(|x| (x - top).exp()).sum::<f32>().ln();
        choice.iter_mut().for_each(|x| *x -= log_sum);
        choice
    }

    /// Each label's log-probability, from the [`Self::choice`] after every path.
    pub fn log_probabilities(&self, choices: &[Vec<f32>]) -> Vec<f32> {
        let of =
            |label: usize| -> f32 { self.branchings_of(label).map(|(at, chosen)| choices[at][chosen]).sum() };
        (0..self.labels()).map(of).collect()
    }

    /// The tokens of a label that must be evaluated to make every choice on its path: all but those after its last choice.
    pub fn path_to(&self, label: usize) -> &[u32] {
        let last = self.branchings_of(label).map(|(at, _)| self.branchings[at].path.len()).max().unwrap_or(0);
        &self.labels[label][..last]
    }

    /// The choices on a label's path.
    pub fn decisions(&self, label: usize) -> Vec<Decision> {
        let decision = |(at, chosen): (usize, usize)| Decision {
            after: self.branchings[at].path.len(),
            candidates: self.branchings[at].candidates.clone(),
            chosen,
        };
        self.branchings_of(label).map(decision).collect()
    }

    /// The branchings on a label's path, each with the index of the candidate it takes.
    fn branchings_of(&self, label: usize) -> impl Iterator<Item = (usize, usize)> {
        let tokens = &self.labels[label];
        self.branchings.iter().enumerate().filter_map(move |(at, b)| {
            let next = tokens.strip_prefix(&b.path[..])?.first()?;
            Some((at, b.candidates.binary_search(next).ok()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn labels_that_differ_in_their_first_token_need_one_branching() {
        let answers = Answers::new(vec![vec![7, 1], vec![3], vec![9, 2, 2]]).unwrap();
        assert_eq!(answers.paths().collect::<Vec<_>>(), [&[] as &[u32]]);
        let mut logits = vec![0.0; 10];
        (logits[7], logits[3], logits[9]) = (1.0, 2.0, 3.0);
        let p = answers.log_probabilities(&[answers.choice(0, &logits)]);
        let whole: f32 = [1f32, 2.0, 3.0].map(f32::exp).iter().sum();
        for (p, logit) in p.iter().zip([1f32, 2.0, 3.0]) {
            assert!((p.exp() - logit.exp() / whole).abs() < 1e-6, "{p}");
        }
        assert_eq!(answers.decisions(1), [Decision { after: 0, candidates: vec![3, 7, 9], chosen: 0 }]);
        assert!(answers.path_to(2).is_empty());
    }

    #[test]
    fn labels_with_a_common_prefix_are_told_apart_where_they_differ() {
        let answers = Answers::new(vec![vec![5, 6, 1], vec![5, 6, 2], vec![4]]).unwrap();
        assert_eq!(answers.paths().collect::<Vec<_>>(), [&[] as &[u32], &[5, 6]]);
        let choices = [vec![0.2f32.ln(), 0.8f32.ln()], vec![0.25f32.ln(), 0.75f32.ln()]];
        let p: Vec<f32> = answers.log_probabilities(&choices).iter().map(|p| p.exp()).collect();
        for (p, expected) in p.iter().zip([0.2, 0.6, 0.2]) {
            assert!((p - expected).abs() < 1e-6, "{p} {expected}");
        }
        assert_eq!(answers.path_to(1), [5, 6]);
        assert_eq!(
            answers.decisions(1).iter().map(|d| (d.after, d.chosen)).collect::<Vec<_>>(),
            [(0, 1), (2, 1)]
        );
    }

    #[test]
    fn labels_that_cannot_be_told_apart_are_refused() {
        assert_eq!(Answers::new(vec![]), None);
        assert_eq!(Answers::new(vec![vec![1], vec![]]), None);
        assert_eq!(Answers::new(vec![vec![1], vec![1]]), None);
        assert_eq!(Answers::new(vec![vec![1], vec![1, 2]]), None);
    }

    proptest! {
        #[test]
        fn probabilities_of_any_labels_sum_to_one(
            labels in proptest::collection::btree_set(proptest::collection::vec(0u32..4, 3), 1..20),
            logits in proptest::collection::vec(-5f32..5.0, 4),
        ) {
            let labels: Vec<Vec<u32>> = labels.into_iter().collect();
            let answers = Answers::new(labels.clone()).unwrap();
            let choices: Vec<_> = (0..answers.paths().len()).map(|at| answers.choice(at, &logits)).collect();
            let p = answers.log_probabilities(&choices);
            prop_assert!((p.iter().map(|p| p.exp()).sum::<f32>() - 1.0).abs() < 1e-4);
            for (label, tokens) in labels.iter().enumerate() {
                for decision in answers.decisions(label) {
                    prop_assert_eq!(decision.candidates[decision.chosen], tokens[decision.after]);
                }
            }
        }
    }
}
