//! One run: a strategy, a seed, and rounds of mining, answering and tuning in memory, as a project does them in its file.

use std::time::Instant;

use ndarray::{Array2, ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::dataset::Dataset;
use super::division::{Division, Stream};
use super::scores::Scores;
use crate::domain::fault::Result;
use crate::domain::ids::ItemId;
use crate::domain::split::Split;
use crate::mining::round::{Order, Stage, propose};
use crate::mining::{Pool, PoolParts, Strategy};
use crate::stats::classifier::calibration::ZeroShot;
use crate::stats::classifier::head::fit_anchored_head;
use crate::stats::classifier::logistic::Logistic;

/// Positives that a head can be cross-validated from; how soon they are in hand is what a cold start is judged by.
pub const ENOUGH_POSITIVES: usize = 10;

/// Labelled data with its vectors.
pub struct World {
    /// The data.
    pub data: Dataset,
    /// Texts × dimensions, unit rows.
    pub vectors: Array2<f32>,
    /// Each label's mean anchor vector, labels × dimensions.
    pub anchors: Array2<f32>,
}

/// How a run goes.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// Rounds of mining.
    pub rounds: usize,
    /// Cases of a round.
    pub budget: usize,
    /// Labels that are drawn evenly over the classes with the gold before the first round.
    pub seed_labels: usize,
    /// Whether cases keep the split that a project would give them, so that evaluation and audit cases do not train.
    pub with_splits: bool,
}

impl Course {
    /// Labels that a run asks for in all.
    pub fn labels(&self) -> usize {
        self.budget.saturating_mul(self.rounds).saturating_add(self.seed_labels)
    }
}

/// A model on the test, after so many labels.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Point {
    /// Answers that the expert has given.
    pub labels: usize,
    /// Of these, training labels.
    pub training: usize,
    /// Answers that gave the rarest label.
    pub positives: usize,
    /// How well the model does.
    pub scores: Scores,
}

/// What a run showed.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Played {
    /// Before the first round, and after each.
    pub points: Vec<Point>,
    /// Seconds of each round without the test: tuning, prelabelling the pool, choosing.
    pub seconds: Vec<f64>,
    /// Labels until ten of the rarest label were in hand, in the order of the cases; none where they never were.
    pub until_ten_positives: Option<usize>,
    /// The rows of the training labels, in their order.
    pub chosen: Vec<usize>,
}

/// One player's view of the world.
pub struct Table<'a> {
    /// The data.
    pub world: &'a World,
    /// What is pool and what is test.
    pub division: &'a Division,
    /// The expert's answer to each text of the data.
    pub answers: &'a [usize],
    /// Vectors of the pool, in its order.
    pub pool: Array2<f32>,
    /// Vectors of the test, in its order.
    pub test: Array2<f32>,
    /// Where all chance comes from.
    pub seed: u64,
}

/// What predicts at some moment.
pub enum Model {
    /// Nobody has labelled enough.
    ZeroShot(ZeroShot),
    /// The tuned head.
    Head(Logistic),
}

impl<'a> Table<'a> {
    /// Sets it.
    pub fn new(world: &'a World, division: &'a Division, answers: &'a [usize], seed: u64) -> Self {
        let pool = world.vectors.select(Axis(0), &division.pool);
        let test = world.vectors.select(Axis(0), &division.test);
        Self { world, division, answers, pool, test, seed }
    }

    /// Plays the rounds. Ends early where the pool is used up.
    ///
    /// # Errors
    /// Vectors that hold no numbers.
    pub fn play(&self, strategy: &dyn Strategy, course: &Course) -> Result<Played> {
        let scores = self.pool.dot(&self.world.anchors.t());
        let zero_shot = ZeroShot::fit(scores.view(), &self.world.data.labels.shares);
        let splits: Vec<Split> = match course.with_splits {
            true => self.division.pool.iter().map(|&row| self.world.data.splits[row]).collect(),
            false => vec![Split::Train; self.pool.nrows()],
        };
        let items: Vec<ItemId> = (0..).map(ItemId).take(self.pool.nrows()).collect();
        let mut open = vec![true; self.pool.nrows()];
        let mut hand = Hand::default();
        for row in self.seed_labels(course.seed_labels) {
            open[row] = false;
            hand.take(self, row, Split::Train);
        }
        let mut played =
            Played { points: Vec::new(), seconds: Vec::new(), until_ten_positives: None, chosen: Vec::new() };
        for round in 0..=course.rounds {
            let begun = Instant::now();
            let model = match self.tune(&hand.training) {
                Some(head) => Model::Head(head),
                None => Model::ZeroShot(zero_shot.clone()),
            };
            let tuned = begun.elapsed();
            played.points.push(Point {
                labels: hand.answered,
                training: hand.training.len(),
                positives: hand.positives,
                scores: self.judge(self.probabilities(&model, self.test.view()).view()),
            });
            if round == course.rounds {
                break;
            }
            let begun = Instant::now();
            let probabilities = self.probabilities(&model, self.pool.view());
            let pool = Pool::new(PoolParts {
                items: &items,
                vectors: self.pool.view(),
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
            played.seconds.push((tuned + begun.elapsed()).as_secs_f64());
            if plan.proposals.is_empty() {
                break;
            }
            for case in plan.proposals {
                let row = case.item.0 as usize;
                open[row] = false;
                hand.take(self, row, case.split);
            }
        }
        played.until_ten_positives = hand.until_ten_positives;
        played.chosen = hand.training.iter().map(|&row| self.division.pool[row]).collect();
        Ok(played)
    }

    /// The head that these rows of the pool train; none while a label has too few.
    pub fn tune(&self, rows: &[usize]) -> Option<Logistic> {
        let labels: Vec<usize> = rows.iter().map(|&row| self.answers[self.division.pool[row]]).collect();
        let vectors = self.pool.select(Axis(0), rows);
        fit_anchored_head(vectors.view(), &labels, self.world.anchors.view(), self.seed)
            .ok()
            .map(|fit| fit.model)
    }

    /// Probabilities of some vectors, n × labels.
    pub fn probabilities(&self, model: &Model, vectors: ArrayView2<'_, f32>) -> Array2<f32> {
        match model {
            Model::ZeroShot(calibration) => {
                calibration.probabilities(vectors.dot(&self.world.anchors.t()).view())
            }
            Model::Head(head) => head.probabilities(vectors),
        }
    }

    /// How well these probabilities of the test do, by the gold labels.
    pub fn judge(&self, probabilities: ArrayView2<'_, f32>) -> Scores {
        let gold: Vec<usize> = self.division.test.iter().map(|&row| self.world.data.gold[row]).collect();
        Scores::of(probabilities, &gold, self.world.data.positive())
    }

    /// Rows of the pool with as many of each gold label as of any other, as far as there are any.
    fn seed_labels(&self, count: usize) -> Vec<usize> {
        let classes = self.world.data.classes();
        let mut queues: Vec<Vec<usize>> = vec![Vec::new(); classes];
        for (row, &at) in self.division.pool.iter().enumerate().rev() {
            queues[self.world.data.gold[at]].push(row);
        }
        // The pool is in random order, so its first rows of a label are a random choice. Which labels get one more is chance, too.
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

/// What the expert has answered so far.
#[derive(Default)]
struct Hand {
    training: Vec<usize>,
    answered: usize,
    positives: usize,
    until_ten_positives: Option<usize>,
}

impl Hand {
    fn take(&mut self, table: &Table<'_>, row: usize, split: Split) {
        self.answered += 1;
        if split == Split::Train {
            self.training.push(row);
        }
        if table.answers[table.division.pool[row]] == table.world.data.positive() {
            self.positives += 1;
            if self.positives == ENOUGH_POSITIVES {
                self.until_ten_positives = Some(self.answered);
            }
        }
    }
}
