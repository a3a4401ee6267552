//! One run: a strategy and a seed, with rounds of mining, answering and training in memory, as a project does them in its file.

use std::time::Instant;

use ndarray::{Array1, Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::division::{Division, Stream};
use super::expert::Answers;
use super::scores::{Scores, label_kappas};
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::domain::label_set::LabelSet;
use crate::domain::split::Split;
use crate::mining::round::{Order, Stage, propose};
use crate::mining::{Pool, PoolParts, Strategy, centre, cosines_from, mean};
use crate::stats::classifier::answered::{Answered, HeadModel};
use crate::stats::classifier::calibration::ZeroShot;

/// Positives needed to cross-validate a head; a cold start is measured by how soon they are found.
pub const ENOUGH_POSITIVES: usize = 10;

/// Labelled data with its vectors.
pub struct World {
    pub data: Dataset,
    /// Texts × dimensions, unit rows.
    pub vectors: Array2<f32>,
    /// Each label's mean anchor vector, labels × dimensions.
    pub anchors: Array2<f32>,
}

/// Labels that somebody gave before the first round, to texts of the pool drawn at random. They teach until an expert answers, and hide no text.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Existing {
    pub labels: usize,
    /// The probability that one is not the gold label.
    pub errors: f64,
    /// What one counts in training, where an expert's answer counts 1.
    pub weight: f64,
}

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    pub rounds: usize,
    /// Cases per round.
    pub budget: usize,
    /// Gold labels, drawn evenly over the classes, before the first round.
    pub seed_labels: usize,
    pub existing: Existing,
    /// Whether cases get the split that they would have in a project, so that evaluation and audit cases are not trained on.
    pub with_splits: bool,
}

impl Course {
    /// Total number of labels that a run asks for.
    pub fn labels(&self) -> usize {
        self.budget.saturating_mul(self.rounds).saturating_add(self.seed_labels)
    }
}

/// A model on the test set, after this many labels.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Point {
    /// Answers given.
    pub labels: usize,
    /// Of these, training labels.
    pub training: usize,
    /// Answers with the rarest label.
    pub positives: usize,
    pub scores: Scores,
}

/// The results of a run.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Played {
    /// Before the first round, and after each.
    pub points: Vec<Point>,
    /// Seconds of each round without the test: training, prelabelling the pool, choosing.
    pub seconds: Vec<f64>,
    /// Labels until ten of the rarest label were found, if they were.
    pub until_ten_positives: Option<usize>,
    /// The rows of the training labels, in the order of the answers.
    pub chosen: Vec<usize>,
    /// Where a text may have several labels, each label's kappa after the last round.
    #[serde(default)]
    pub label_kappas: Vec<Option<f64>>,
}

/// What a run works on: one seed's pool and test set, and an expert's answers.
pub struct Setup<'a> {
    pub world: &'a World,
    pub division: &'a Division,
    /// The expert's answer to each text of the data.
    pub answers: &'a [LabelSet],
    /// Vectors of the pool, in its order.
    pub pool: Array2<f32>,
    /// Vectors of the test set, in its order.
    pub test: Array2<f32>,
    /// The mean of the pool's vectors.
    pub mean: Array1<f32>,
    pub seed: u64,
}

/// The current model.
pub enum Model {
    /// Before there are enough labels for a head.
    ZeroShot(ZeroShot),
    Head(HeadModel),
}

impl<'a> Setup<'a> {
    pub fn new(world: &'a World, division: &'a Division, answers: &'a [LabelSet], seed: u64) -> Self {
        let pool = world.vectors.select(Axis(0), &division.pool);
        let test = world.vectors.select(Axis(0), &division.test);
        let mean = mean(pool.view());
        Self { world, division, answers, pool, test, mean, seed }
    }

    /// How alike some vectors (n × dimensions) and the labels' anchors are, seen from the pool's mean, n × labels.
    fn similarities(&self, vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        cosines_from(self.mean.view(), vectors, self.world.anchors.view())
    }

    /// Runs the rounds. Ends early if the pool is used up.
    ///
    /// # Errors
    /// Vectors that are not finite.
    pub fn play(&self, strategy: &dyn Strategy, course: &Course) -> Result<Played> {
        let scores = self.similarities(self.pool.view());
        let shares = &self.world.data.labels.shares;
        let zero_shot = match self.world.data.labels.kind.is_several() {
            true => ZeroShot::fit_each(scores.view(), shares),
            false => ZeroShot::fit(scores.view(), shares),
        };
        let splits: Vec<Split> = match course.with_splits {
            true => self.division.pool.iter().map(|&row| self.world.data.splits[row]).collect(),
            false => vec![Split::Train; self.pool.nrows()],
        };
        let items: Vec<ItemId> = (0..).map(ItemId).take(self.pool.nrows()).collect();
        let mut open = vec![true; self.pool.nrows()];
        let mut directions = self.pool.clone();
        centre(&mut directions);
        let existing = self.existing(course.existing);
        let mut given = Given::default();
        for row in self.seed_labels(course.seed_labels) {
            open[row] = false;
            given.add(self, row, Split::Train);
        }
        let mut played = Played::default();
        for round in 0..=course.rounds {
            let begun = Instant::now();
            let unanswered = |(row, _): &&(usize, LabelSet)| open[*row] && splits[*row] == Split::Train;
            let before: Vec<(usize, LabelSet)> = existing.iter().filter(unanswered).cloned().collect();
            let model = match self.train_with(&given.training, &before, course.existing.weight) {
                Some(head) => Model::Head(head),
                None => Model::ZeroShot(zero_shot.clone()),
            };
            let trained = begun.elapsed();
            let said = self.probabilities(&model, self.test.view());
            played.points.push(Point {
                labels: given.answered,
                training: given.training.len(),
                positives: given.positives,
                scores: self.score(said.view()),
            });
            if self.world.data.labels.kind.is_several() {
                played.label_kappas = label_kappas(said.view(), &self.gold());
            }
            if round == course.rounds {
                break;
            }
            let begun = Instant::now();
            let probabilities = self.probabilities(&model, self.pool.view());
            let pool = Pool::new(PoolParts {
                kind: self.world.data.labels.kind,
                items: &items,
                vectors: directions.view(),
                probabilities: probabilities.view(),
                splits: &splits,
                open: &open,
            })?;
            let stage = match model {
                Model::ZeroShot(_) => Stage::Opening { shares: &self.world.data.labels.shares },
                Model::Head(_) => Stage::Later,
            };
            let seed = self.seed.wrapping_mul(1_000).wrapping_add(round as u64);
            let plan = propose(&pool, &Order { strategy, budget: course.budget, stage, seed });
            played.seconds.push((trained + begun.elapsed()).as_secs_f64());
            if plan.proposals.is_empty() {
                break;
            }
            for case in plan.proposals {
                let row = case.item.0 as usize;
                open[row] = false;
                given.add(self, row, case.split);
            }
        }
        played.until_ten_positives = given.until_ten_positives;
        played.chosen = given.training.iter().map(|&row| self.division.pool[row]).collect();
        Ok(played)
    }

    /// A head trained on these rows of the pool. `None` if a label has too few.
    pub fn train(&self, rows: &[usize]) -> Option<HeadModel> {
        self.train_with(rows, &[], 1.0)
    }

    /// The same with labels from before the answers, each a row with its labels, that count `weight`.
    fn train_with(&self, rows: &[usize], before: &[(usize, LabelSet)], weight: f64) -> Option<HeadModel> {
        let answered = rows.iter().map(|&row| (row, self.answers[self.division.pool[row]].clone()));
        let (rows, answers): (Vec<usize>, Vec<LabelSet>) = answered.chain(before.iter().cloned()).unzip();
        let experts = rows.len() - before.len();
        let mut importance = vec![1.0; experts];
        importance.resize(rows.len(), weight);
        let vectors = self.pool.select(Axis(0), &rows);
        let anchors = self.world.anchors.view();
        let kind = self.world.data.labels.kind;
        let answered = Answered { x: vectors.view(), answers: &answers, importance: &importance, kind };
        if before.is_empty() {
            return answered.fit(anchors, self.seed).ok().map(|fit| fit.model);
        }
        // As a project does.
        let by_experts: Vec<bool> = (0..rows.len()).map(|row| row < experts).collect();
        let factor = answered.factor_of_others(&by_experts, anchors, self.seed);
        let (_, some) = answered.with_others_at(&by_experts, factor);
        some.answered().fit(anchors, self.seed).ok().map(|fit| fit.model)
    }

    /// Rows of the pool, which is in random order, with the labels that they had before. None where these count nothing.
    fn existing(&self, Existing { labels, errors, weight }: Existing) -> Vec<(usize, LabelSet)> {
        if weight <= 0.0 {
            return Vec::new();
        }
        let said = Answers::Flipped(errors).of_all(&self.world.data, Stream::Existing.of(self.seed));
        (0..self.pool.nrows()).take(labels).map(|row| (row, said[self.division.pool[row]].clone())).collect()
    }

    /// Probabilities for some vectors, n × labels.
    pub fn probabilities(&self, model: &Model, vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        match model {
            Model::ZeroShot(calibration) => calibration.probabilities(self.similarities(vectors).view()),
            Model::Head(head) => head.probabilities(vectors),
        }
    }

    /// Scores probabilities of the test set against the gold labels.
    pub fn score(&self, probabilities: ArrayView2<'_, f32>) -> Scores {
        Scores::of(probabilities, &self.gold(), self.world.data.positive(), self.world.data.labels.kind)
    }

    /// The gold labels of the test set.
    fn gold(&self) -> Vec<&LabelSet> {
        self.division.test.iter().map(|&row| &self.world.data.gold[row]).collect()
    }

    /// Rows of the pool, evenly over the gold labels as far as possible.
    fn seed_labels(&self, count: usize) -> Vec<usize> {
        let classes = self.world.data.classes();
        let mut queues: Vec<Vec<usize>> = vec![Vec::new(); classes];
        for (row, &at) in self.division.pool.iter().enumerate().rev() {
            // A text with several labels stands for the first of them; one without any is not drawn.
            if let Some(label) = self.world.data.gold[at].places().next() {
                queues[label].push(row);
            }
        }
        // The pool is in random order, so the first rows of a label are a random choice. Which labels get one more is random too.
        let first = Stream::SeedLabels.of(self.seed) as usize % classes;
        let mut rows = Vec::with_capacity(count);
        while rows.len() < count && queues.iter().any(|queue| !queue.is_empty()) {
            for label in (0..classes).map(|i| (first + i) % classes) {
                if rows.len() < count {
                    rows.extend(queues[label].pop());
                }
            }
        }
        rows
    }
}

/// The answers given so far.
#[derive(Default)]
struct Given {
    training: Vec<usize>,
    answered: usize,
    positives: usize,
    until_ten_positives: Option<usize>,
}

impl Given {
    fn add(&mut self, setup: &Setup<'_>, row: usize, split: Split) {
        self.answered += 1;
        if split == Split::Train {
            self.training.push(row);
        }
        if setup.answers[setup.division.pool[row]].has(setup.world.data.positive()) {
            self.positives += 1;
            if self.positives == ENOUGH_POSITIVES {
                self.until_ten_positives = Some(self.answered);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::dataset::{CopyCount, Crowd, Labels, NearCopies};
    use super::super::division::Sizes;
    use super::*;
    use crate::domain::task_kind::TaskKind;
    use crate::mining::strategies::strategy_by_name;

    /// Two kinds of texts, each near a corner of its own, and labels whose anchors tell nothing.
    fn world(texts: usize) -> World {
        let vector = |at: usize| {
            let turn = 0.1 * (at % 7) as f32 + if at.is_multiple_of(2) { 0.0 } else { 1.2 };
            [turn.cos(), turn.sin()]
        };
        let vectors: Vec<f32> = (0..texts).flat_map(vector).collect();
        World {
            data: Dataset {
                texts: vec![String::new(); texts],
                gold: (0..texts).map(|at| [at % 2].into_iter().collect()).collect(),
                splits: vec![Split::Train; texts],
                crowd: Crowd::None,
                labels: Labels {
                    names: vec!["a".into(), "b".into()],
                    anchors: Vec::new(),
                    kind: TaskKind::One,
                    shares: vec![None; 2],
                },
                unlabelled: 0,
                copies: CopyCount { are: NearCopies::Kept, texts: 0, of_another_label: 0 },
            },
            vectors: Array2::from_shape_vec((texts, 2), vectors).unwrap(),
            anchors: Array2::from_elem((2, 2), 0.5),
        }
    }

    fn kappas(existing: Existing) -> Vec<f64> {
        let world = world(200);
        let sizes = Sizes { pool: None, test: 100, prevalence: None };
        let division = Division::draw(&world.data, sizes, 1);
        let setup = Setup::new(&world, &division, &world.data.gold, 1);
        let course = Course { rounds: 1, budget: 10, seed_labels: 0, existing, with_splits: false };
        let played = setup.play(strategy_by_name("random").unwrap(), &course).unwrap();
        assert_eq!(played.points.iter().map(|point| point.labels).collect::<Vec<_>>(), [0, 10]);
        assert_eq!(played.chosen.len(), 10, "labels from before are no answers");
        played.points.iter().map(|point| point.scores.kappa.unwrap_or(0.0)).collect()
    }

    #[test]
    fn labels_from_before_teach_as_much_as_they_are_right_and_count() {
        let without = kappas(Existing::default());
        let right = kappas(Existing { labels: 60, errors: 0.0, weight: 1.0 });
        assert!(without[0] < 0.2 && right[0] > 0.8, "{without:?} {right:?}");
        let wrong = Existing { labels: 60, errors: 0.99, weight: 1.0 };
        assert!(kappas(wrong)[0] < -0.5, "{:?}", kappas(wrong));
        assert_eq!(kappas(Existing { weight: 0.0, ..wrong }), without, "what counts nothing changes nothing");
        let light = kappas(Existing { weight: 0.001, ..wrong });
        assert!(light[1] > kappas(wrong)[1], "{light:?}: answers weigh more than labels of little weight");
    }
}
