//! The results of a simulation: the runs of each strategy, aggregated over the seeds.

use serde::Serialize;

use super::dataset::{CopyCount, Dataset};
use super::division::Division;
use super::play::{ENOUGH_POSITIVES, Played, Point};
use super::random_needs::RandomNeeds;
use super::scores::Scores;
use crate::domain::task_kind::TaskKind;
use crate::stats::estimate::seeds::Spread;

/// All results. Serialised, it is the document of `--json`.
#[derive(Clone, Debug, Serialize)]
pub struct SimulateReport {
    pub dataset: DatasetFacts,
    pub terms: Terms,
    /// What was trained: `head` or `lora`.
    pub adapter: &'static str,
    /// Who answered: `gold`, `noise` or `votes`.
    pub expert: &'static str,
    /// A head trained on the gold labels of the whole pool.
    pub full_pool: WholePool,
    /// A head trained on a crowd's labels of the whole pool, scored against the gold labels.
    pub crowd: Option<WholePool>,
    /// Kappa of two such experts on the test set. `None` if the expert always gives the gold label.
    pub expert_expert: Option<Spread>,
    /// Whether gold labels were given before the first round.
    pub seeded_by_gold: bool,
    /// Heads trained on random samples of the pool.
    pub random_samples: Curves,
    /// One entry per strategy.
    pub runs: Vec<Run>,
}

/// The options of a simulation, except its data and its rounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Terms {
    /// What is asked for: of a scale, every kappa is the weighted one.
    #[serde(skip_serializing_if = "TaskKind::is_one")]
    pub kind: TaskKind,
    /// Labels before the first round.
    pub seed_labels: usize,
    /// Labels that somebody gave before, which teach until an expert answers.
    pub existing: usize,
    /// The probability that one of them is not the gold label.
    pub existing_errors: f64,
    /// What one of them counts in training.
    pub existing_weight: f64,
    /// Total number of labels; runs end earlier if the pool is used up.
    pub labels: usize,
    /// The probability that an answer is not the gold label.
    pub noise: f64,
    /// Whether annotators' votes were the answers.
    pub votes: bool,
    /// Whether evaluation and audit cases were not trained on.
    pub with_splits: bool,
    /// The share to which the rarest label was brought.
    pub prevalence: Option<f64>,
}

/// The data of a simulation.
#[derive(Clone, Debug, Serialize)]
pub struct DatasetFacts {
    /// All texts, used or not.
    pub items: usize,
    /// Number of texts by label.
    pub labels: serde_json::Map<String, serde_json::Value>,
    /// The rarest label.
    pub positive: String,
    /// Rows without a gold label.
    pub unlabelled: usize,
    /// Size of each seed's pool.
    pub pool: usize,
    /// Texts of the pool with the rarest label, the mean over the seeds.
    pub positive_in_pool: f64,
    /// Size of each seed's test set.
    pub test: usize,
    /// Texts of the test set with the rarest label, the mean over the seeds.
    pub positive_in_test: f64,
    /// Near-duplicates.
    pub near_copies: CopyCount,
}

/// A model trained on every label of the pool.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct WholePool {
    pub labels: usize,
    /// Mean kappa over the seeds.
    pub kappa: Option<f64>,
    /// The mean with its interval.
    pub interval: Option<Spread>,
}

/// A figure at each point of a curve; `None` where it is undefined.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Curve {
    /// Means over the seeds.
    pub mean: Vec<Option<f64>>,
    /// Lower ends of the 95 % intervals.
    pub lo: Vec<Option<f64>>,
    /// Upper ends.
    pub hi: Vec<Option<f64>>,
}

/// All figures by the number of labels.
#[derive(Clone, Debug, Serialize)]
pub struct Curves {
    /// Answers given.
    pub labels: Vec<usize>,
    /// Cohen's kappa with the gold; of a scale the weighted one; of several labels the mean of each label's.
    pub kappa: Curve,
    /// Of a scale, the mean distance from the gold level.
    #[serde(skip_serializing_if = "Curve::is_unknown")]
    pub absolute_error: Curve,
    /// Gwet's AC1.
    pub ac1: Curve,
    /// Where a text may have several labels, the mean of the labels' F1.
    #[serde(skip_serializing_if = "Curve::is_unknown")]
    pub macro_f1: Curve,
    /// F1 of the rarest label, or the mean over three labels and more; where a text may have several, of all labels together.
    pub f1: Curve,
    /// Average precision, likewise.
    pub average_precision: Curve,
}

/// One strategy over all seeds.
#[derive(Clone, Debug, Serialize)]
pub struct Run {
    pub strategy: String,
    #[serde(flatten)]
    pub curves: Curves,
    /// Where a text may have several labels, each label's kappa after the last round; none where some seed has none.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub label_kappas: Vec<Option<Spread>>,
    /// Area under the curve of kappa over labels, divided by the range of labels: the mean kappa along the curve.
    pub auc: Option<f64>,
    /// Labels at which the mean kappa first reaches that of the whole pool, if it does.
    pub labels_to_full_pool: Option<usize>,
    /// Random labels needed to reach this strategy's last kappa.
    pub random_needs: RandomNeeds,
    /// The share of answers with the rarest label.
    pub positive_share: f64,
    /// The share of the pool's texts with the rarest label that was found.
    pub positives_found: f64,
    /// Labels until ten of the rarest label were found, if every seed found them.
    pub until_ten_positives: Option<Spread>,
    /// Seconds per round: training, prelabelling the pool, choosing.
    pub seconds_per_round: f64,
    /// The LoRA on the last labels, if one was trained.
    pub lora: Option<AdapterGain>,
    /// Compared with `random`, seed by seed, if that is among the strategies.
    pub against_random: Option<Difference>,
}

/// The LoRA compared with the head, on the same labels and test set.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct AdapterGain {
    pub kappa: Option<Spread>,
    /// The LoRA's kappa minus the head's, seed by seed.
    pub gain: Option<Spread>,
}

/// Paired differences over the seeds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Difference {
    /// Difference of the last kappa.
    pub kappa: Option<Spread>,
    /// Difference of the area under the curve.
    pub auc: Option<Spread>,
}

/// One run, and the LoRA trained on its labels.
#[derive(Clone, Debug)]
pub struct Finished {
    pub played: Played,
    pub lora: Option<Scores>,
}

/// Mean and interval; for one seed only the value.
pub fn spread(values: &[f64]) -> Option<Spread> {
    match values {
        [] => None,
        [only] => Some(Spread { mean: *only, lo: f64::NAN, hi: f64::NAN, n: 1 }),
        _ => Spread::of(values),
    }
}

/// Mean and interval of kappas.
pub fn kappas(values: &[f64]) -> Option<Spread> {
    spread(values).map(|s| s.within(-1.0, 1.0))
}

/// Mean and interval of paired differences of kappas, second − first: what makes a seed hard for both cancels.
fn differences(pairs: &[(f64, f64)]) -> Option<Spread> {
    let differences: Vec<f64> = pairs.iter().map(|(first, second)| second - first).collect();
    spread(&differences).map(|s| s.within(-2.0, 2.0))
}

impl Curve {
    /// From the values of each seed at each point; a point without a value for some seed has none. Intervals are clipped to the range of the
    /// figure, from `least` to 1.
    fn of(
        seeds: usize,
        points: usize,
        (least, most): (f64, f64),
        value: impl Fn(usize, usize) -> Option<f64>,
    ) -> Self {
        let mut curve = Self::default();
        for at in 0..points {
            let values: Option<Vec<f64>> = (0..seeds).map(|seed| value(seed, at)).collect();
            let spread = values.and_then(|values| spread(&values));
            let finite = |v: f64| v.is_finite().then_some(v.clamp(least, most));
            curve.mean.push(spread.map(|s| s.mean));
            curve.lo.push(spread.and_then(|s| finite(s.lo)));
            curve.hi.push(spread.and_then(|s| finite(s.hi)));
        }
        curve
    }

    /// Whether it has no value at any point.
    fn is_unknown(&self) -> bool {
        self.mean.iter().all(Option::is_none)
    }

    /// The last mean.
    pub fn last(&self) -> Option<f64> {
        self.mean.last().copied().flatten()
    }
}

impl Curves {
    /// From one list of points per seed, up to the shortest.
    pub fn of(seeds: &[&[Point]]) -> Self {
        let points = seeds.iter().map(|points| points.len()).min().unwrap_or(0);
        let of = |least: f64, value: fn(&Scores) -> Option<f64>| {
            Curve::of(seeds.len(), points, (least, 1.0), |seed, at| value(&seeds[seed][at].scores))
        };
        let of_error = Curve::of(seeds.len(), points, (0.0, f64::INFINITY), |seed, at| {
            seeds[seed][at].scores.absolute_error
        });
        Self {
            labels: seeds.first().map(|s| s[..points].iter().map(|p| p.labels).collect()).unwrap_or_default(),
            kappa: of(-1.0, |s| s.kappa),
            absolute_error: of_error,
            ac1: of(-1.0, |s| s.ac1),
            macro_f1: of(0.0, |s| s.macro_f1),
            f1: of(0.0, |s| s.f1),
            average_precision: of(0.0, |s| s.average_precision),
        }
    }
}

/// Area under kappa over labels by the trapezoidal rule, divided by the range of labels. An undefined kappa counts as 0.
pub fn area(points: &[Point]) -> Option<f64> {
    let (first, last) = (points.first()?, points.last()?);
    let range = last.labels.checked_sub(first.labels).filter(|range| *range > 0)?;
    let kappa = |p: &Point| p.scores.kappa.unwrap_or(0.0);
    let sum: f64 = points
        .windows(2)
        .map(|two| (two[1].labels - two[0].labels) as f64 * f64::midpoint(kappa(&two[0]), kappa(&two[1])))
        .sum();
    Some(sum / range as f64)
}

impl DatasetFacts {
    /// From the data and its divisions, one per seed.
    pub fn of(data: &Dataset, divisions: &[Division]) -> Self {
        let counts = data.counts();
        let positive = data.positive();
        let labels = data.labels.names.iter().cloned().zip(counts.into_iter().map(Into::into)).collect();
        let (pool, test) = divisions.first().map_or((0, 0), |d| (d.pool.len(), d.test.len()));
        let mean = |part: fn(&Division) -> &Vec<usize>| {
            let rows = divisions.iter().flat_map(part);
            let n = rows.filter(|&&row| data.gold[row].has(positive)).count();
            n as f64 / divisions.len().max(1) as f64
        };
        Self {
            items: data.len(),
            labels,
            positive: data.labels.names[positive].clone(),
            unlabelled: data.unlabelled,
            pool,
            positive_in_pool: mean(|d| &d.pool),
            test,
            positive_in_test: mean(|d| &d.test),
            near_copies: data.copies,
        }
    }
}

impl WholePool {
    /// From the scores of each seed.
    pub fn of(labels: usize, seeds: impl Iterator<Item = Option<Scores>>) -> Self {
        let of_seeds: Option<Vec<f64>> = seeds.map(|scores| scores?.kappa).collect();
        let interval = of_seeds.and_then(|of_seeds| kappas(&of_seeds));
        Self { labels, kappa: interval.map(|s| s.mean), interval: interval.filter(|s| s.n > 1) }
    }
}

impl Run {
    /// Aggregates the seeds of one strategy. `positives` is the number of the pool's texts with the rarest label, per seed.
    pub fn of(strategy: &str, seeds: &[Finished], positives: &[usize], against: &Against<'_>) -> Self {
        let points: Vec<&[Point]> = seeds.iter().map(|s| s.played.points.as_slice()).collect();
        let curves = Curves::of(&points);
        let areas: Option<Vec<f64>> = points.iter().map(|p| area(p)).collect();
        let lasts: Vec<Point> = seeds.iter().filter_map(|s| s.played.points.last().copied()).collect();
        let answered: usize = lasts.iter().map(|p| p.labels).sum();
        let found: usize = lasts.iter().map(|p| p.positives).sum();
        let until: Option<Vec<f64>> =
            seeds.iter().map(|s| s.played.until_ten_positives.map(|n| n as f64)).collect();
        let seconds: Vec<f64> = seeds.iter().flat_map(|s| s.played.seconds.iter().copied()).collect();
        let reaches = |kappa: f64| {
            let at = curves.kappa.mean.iter().position(|mean| mean.is_some_and(|mean| mean >= kappa))?;
            Some(curves.labels[at])
        };
        let labels = curves.labels.last().copied().unwrap_or(0);
        let of_labels = seeds.first().map_or(0, |seed| seed.played.label_kappas.len());
        let of_label = |label: usize| -> Option<Spread> {
            let of_seeds = seeds.iter().map(|seed| seed.played.label_kappas.get(label).copied().flatten());
            kappas(&of_seeds.collect::<Option<Vec<f64>>>()?)
        };
        Self {
            strategy: strategy.to_owned(),
            label_kappas: (0..of_labels).map(of_label).collect(),
            auc: areas.and_then(|areas| spread(&areas)).map(|s| s.mean),
            labels_to_full_pool: against.full_pool.and_then(reaches),
            random_needs: RandomNeeds::of(&lasts, against.random_samples, against.mixed_labels),
            positive_share: found as f64 / answered.max(1) as f64,
            positives_found: found as f64 / positives.iter().sum::<usize>().max(1) as f64,
            until_ten_positives: until
                .and_then(|until| spread(&until))
                .filter(|s| s.n > 1)
                .map(|s| s.within(ENOUGH_POSITIVES as f64, labels.max(ENOUGH_POSITIVES) as f64)),
            seconds_per_round: seconds.iter().sum::<f64>() / seconds.len().max(1) as f64,
            lora: AdapterGain::of(seeds),
            against_random: against.random.map(|random| Difference::of(seeds, random)),
            curves,
        }
    }
}

/// What a strategy is compared with.
pub struct Against<'a> {
    /// The kappa of a head trained on the whole pool.
    pub full_pool: Option<f64>,
    /// Heads trained on random samples, for each seed.
    pub random_samples: &'a [Vec<Point>],
    /// Whether some of a strategy's labels are not trained on, unlike those of a random sample.
    pub mixed_labels: bool,
    /// The runs of `random`.
    pub random: Option<&'a [Finished]>,
}

impl AdapterGain {
    fn of(seeds: &[Finished]) -> Option<Self> {
        let pairs: Option<Vec<(f64, f64)>> =
            seeds.iter().map(|s| Some((s.played.points.last()?.scores.kappa?, s.lora?.kappa?))).collect();
        let pairs = pairs?;
        let own: Vec<f64> = pairs.iter().map(|(_, lora)| *lora).collect();
        Some(Self { kappa: kappas(&own), gain: differences(&pairs) })
    }
}

impl Difference {
    fn of(seeds: &[Finished], random: &[Finished]) -> Self {
        let of = |value: fn(&[Point]) -> Option<f64>| {
            let pairs: Option<Vec<(f64, f64)>> = (random.iter().zip(seeds))
                .map(|(random, own)| Some((value(&random.played.points)?, value(&own.played.points)?)))
                .collect();
            pairs.and_then(|pairs| differences(&pairs)).filter(|s| s.n > 1)
        };
        Self { kappa: of(|points| points.last()?.scores.kappa), auc: of(area) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(kappas: &[f64]) -> Vec<Point> {
        let scores = |kappa| Scores { kappa: Some(kappa), ..Scores::default() };
        let point = |(i, &kappa): (usize, &f64)| Point {
            labels: 8 + 60 * i,
            training: 8 + 60 * i,
            positives: i,
            scores: scores(kappa),
        };
        kappas.iter().enumerate().map(point).collect()
    }

    #[test]
    fn curves_hold_the_mean_over_seeds_as_far_as_all_of_them_go() {
        let (a, b) = (points(&[0.0, 0.4, 0.6]), points(&[0.2, 0.6]));
        let curves = Curves::of(&[&a, &b]);
        assert_eq!(curves.labels, [8, 68]);
        let means: Vec<f64> = curves.kappa.mean.iter().map(|m| m.unwrap()).collect();
        assert!((means[0] - 0.1).abs() < 1e-12 && (means[1] - 0.5).abs() < 1e-12);
        // Two values .2 apart: standard error .1, and Student's t with one degree of freedom 12.706.
        assert!((curves.kappa.hi[0].unwrap() - 1.0).abs() < 1e-12, "and no kappa is above 1");
        assert!((curves.kappa.lo[1].unwrap() - (0.5 - 1.2706)).abs() < 1e-3);
        assert_eq!(curves.ac1.mean, [None, None]);
    }

    fn finished(kappas: &[f64], lora: Option<f64>) -> Finished {
        let played = Played {
            points: points(kappas),
            seconds: vec![0.1],
            until_ten_positives: Some(11),
            chosen: Vec::new(),
            label_kappas: Vec::new(),
        };
        Finished { played, lora: lora.map(|kappa| Scores { kappa: Some(kappa), ..Scores::default() }) }
    }

    #[test]
    fn an_adapter_on_one_seed_has_its_kappa_and_no_interval() {
        let gain = AdapterGain::of(&[finished(&[0.2, 0.4], Some(0.5))]).unwrap();
        let (kappa, less) = (gain.kappa.unwrap(), gain.gain.unwrap());
        assert!(
            kappa.mean == 0.5 && kappa.lo.is_nan() && (less.mean - 0.1).abs() < 1e-12 && less.hi.is_nan()
        );
    }

    #[test]
    fn no_interval_goes_beyond_a_kappa_or_a_difference_of_two() {
        let seeds = [finished(&[0.2, 0.1], Some(-0.5)), finished(&[0.2, 0.9], Some(0.9))];
        let random = [finished(&[0.2, 0.9], None), finished(&[0.2, -0.8], None)];
        let gain = AdapterGain::of(&seeds).unwrap();
        let whole = WholePool::of(
            9,
            [0.7, 0.95].map(|k| Some(Scores { kappa: Some(k), ..Scores::default() })).into_iter(),
        );
        let kappas = [gain.kappa, whole.interval];
        let of_two = [gain.gain, Difference::of(&seeds, &random).kappa];
        let ends = |s: &Option<Spread>| s.map(|s| (s.lo, s.hi)).unwrap();
        assert!(kappas.iter().map(ends).all(|(lo, hi)| -1.0 <= lo && hi == 1.0), "{kappas:?}");
        assert!(of_two.iter().map(ends).all(|(lo, hi)| -2.0 <= lo && hi == 2.0), "{of_two:?}");
    }

    #[test]
    fn what_is_hard_for_both_cancels_in_a_difference() {
        let pairs = [(0.2, 0.3), (0.6, 0.7), (0.4, 0.5)];
        let paired = differences(&pairs).unwrap();
        assert!((paired.mean - 0.1).abs() < 1e-12 && paired.lo > 0.09 && paired.n == 3, "{paired:?}");
        assert!(spread(&pairs.map(|p| p.1)).unwrap().lo < 0.01);
    }

    #[test]
    fn the_area_is_the_mean_height() {
        assert_eq!(area(&points(&[0.2, 0.4, 0.4])), Some(0.35));
        assert_eq!(area(&points(&[0.2])), None);
    }
}
