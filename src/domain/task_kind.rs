//! What kind of answer a task asks for. The one place that says, for each kind, how far two answers differ, where a boundary lies, how a prelabel is
//! decided, what a key does and what its figures are called. Everything else asks here.

use serde::{Deserialize, Serialize};

use super::label_set::LabelSet;

/// The most levels of a scale: as many as there are digits to press.
pub const MAX_LEVELS: usize = 9;

/// Digits in the order in which a level without one of its own gets the first that is free.
const DIGITS: &str = "0123456789";

/// What is asked about a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TaskKind {
    /// One label of several, which have no order.
    #[default]
    One,
    /// Any number of labels, or none of them.
    Several,
    /// One level of a scale: the labels are its levels, the lowest first.
    Scale,
}

impl TaskKind {
    /// All kinds.
    pub const ALL: [Self; 3] = [Self::One, Self::Several, Self::Scale];

    /// The name in a task file and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Several => "several",
            Self::Scale => "scale",
        }
    }

    /// Whether it is one label without an order. Files leave such a kind out.
    pub fn is_one(&self) -> bool {
        *self == Self::One
    }

    /// Whether the labels are levels in order.
    pub fn is_scale(self) -> bool {
        self == Self::Scale
    }

    /// Whether a text may have any number of labels.
    pub fn is_several(self) -> bool {
        self == Self::Several
    }

    /// Whether every answer gives exactly one label.
    pub fn gives_one(self) -> bool {
        !self.is_several()
    }

    /// How far two answers differ, by the places of their labels in the task: 0 where they are the same; else 1, or the squared distance of two levels.
    pub fn difference(self, a: usize, b: usize) -> f64 {
        match self {
            Self::One | Self::Several => f64::from(u8::from(a != b)),
            Self::Scale => (a.abs_diff(b) as f64).powi(2),
        }
    }

    /// How far two answers of any number of labels differ: of sets of one, [`Self::difference`]; where a text may have several, MASI.
    pub fn difference_of_sets(self, a: &LabelSet, b: &LabelSet) -> f64 {
        match (self, a.single(), b.single()) {
            (Self::One | Self::Scale, Some(a), Some(b)) => self.difference(a, b),
            _ => a.masi_distance(b),
        }
    }

    /// Whether a boundary lies between two labels: between any two, or between neighbouring levels.
    pub fn is_boundary(self, a: usize, b: usize) -> bool {
        match self {
            Self::One | Self::Several => a != b,
            Self::Scale => a.abs_diff(b) == 1,
        }
    }

    /// The label of a prelabel with these probabilities, one a label: the most probable one, the earlier on a tie. On a scale the median level, the
    /// lower on a tie: no other has a smaller expected distance to the answer, while the most probable level may lie at one end though most of the
    /// probability is at the other. Where a text may have several labels, what it says is [`Self::decide_set`]; this is the label most likely among them.
    pub fn decide(self, probabilities: &[f32]) -> usize {
        match self {
            Self::One | Self::Several => {
                let mut best = 0;
                for (label, p) in probabilities.iter().enumerate() {
                    if *p > probabilities[best] {
                        best = label;
                    }
                }
                best
            }
            Self::Scale => {
                cumulative(probabilities).position(|below| below >= 0.5 - ROUNDING).unwrap_or_default()
            }
        }
    }

    /// The labels of a prelabel: the one that [`Self::decide`] says; where a text may have several, each whose probability reaches its threshold. Where no
    /// thresholds are given, that is one half.
    pub fn decide_set(self, probabilities: &[f32], thresholds: &[f32]) -> LabelSet {
        match self {
            Self::One | Self::Scale => [self.decide(probabilities)].into_iter().collect(),
            Self::Several => {
                let reaches = |(at, p): &(usize, &f32)| **p >= thresholds.get(*at).copied().unwrap_or(HALF);
                probabilities.iter().enumerate().filter(reaches).map(|(at, _)| at).collect()
            }
        }
    }

    /// How far a prelabel with these probabilities is from the nearest boundary, 0 on it to 1 where it is certain: the most probable label's probability
    /// minus the second's; where a text may have several, how far the label that is nearest to one half is from it; on a scale, of all boundaries between neighbouring levels, the smallest difference between what lies above and below.
    pub fn margin(self, probabilities: &[f32]) -> f32 {
        match self {
            Self::One => {
                let (mut first, mut second) = (0.0f32, 0.0f32);
                for &p in probabilities {
                    if p > first {
                        (first, second) = (p, first);
                    } else if p > second {
                        second = p;
                    }
                }
                first - second
            }
            Self::Several => probabilities.iter().map(|p| (2.0 * p - 1.0).abs()).fold(1.0, f32::min),
            Self::Scale => {
                let boundaries = probabilities.len().saturating_sub(1);
                let apart = cumulative(probabilities).take(boundaries).map(|below| (2.0 * below - 1.0).abs());
                apart.fold(1.0, f64::min) as f32
            }
        }
    }

    /// The name of kappa in this kind's figures.
    pub fn kappa(self) -> &'static str {
        match self {
            Self::One => "kappa",
            Self::Several => "mean kappa of the labels",
            Self::Scale => "weighted kappa",
        }
    }

    /// The full name of Cohen's kappa in this kind's figures.
    pub fn cohens_kappa(self) -> &'static str {
        match self {
            Self::One => "Cohen's kappa",
            Self::Several => "mean kappa of the labels",
            Self::Scale => "weighted kappa",
        }
    }

    /// The name of alpha in this kind's figures.
    pub fn alpha(self) -> &'static str {
        match self {
            Self::One => "alpha",
            Self::Several => "alpha of sets",
            Self::Scale => "ordinal alpha",
        }
    }

    /// The full name of Krippendorff's alpha in this kind's figures.
    pub fn krippendorffs_alpha(self) -> &'static str {
        match self {
            Self::One => "Krippendorff's alpha",
            Self::Several => "Krippendorff's alpha with MASI distances",
            Self::Scale => "ordinal alpha",
        }
    }
}

/// From here on a label is given where nothing else was fitted.
const HALF: f32 = 0.5;
/// Sums of single-precision probabilities that should be one half may fall short of it by so much.
const ROUNDING: f64 = 1e-7;

/// The share of the probability that lies at each level or below.
fn cumulative(probabilities: &[f32]) -> impl Iterator<Item = f64> {
    let all: f64 = probabilities.iter().map(|p| f64::from(*p)).sum();
    probabilities.iter().scan(0.0, move |sum, p| {
        *sum += f64::from(*p);
        Some(*sum / all)
    })
}

impl std::str::FromStr for TaskKind {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or_else(|| {
            format!(
                "its kind is '{name}', but only one label for each text (kind = \"one\"), several (kind = \"several\"), or a scale (kind = \"scale\") can be asked"
            )
        })
    }
}

impl std::fmt::Display for TaskKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

/// The keys of the levels of a scale: a level's own digit, where its name is or begins with one and no lower level has the same; else its place on the
/// scale, counted from 1; where that digit is another level's, the first that is free.
pub fn level_keys<'a>(names: impl Iterator<Item = &'a str>) -> Vec<Option<char>> {
    let names: Vec<&str> = names.collect();
    let mut keys: Vec<Option<char>> = vec![None; names.len()];
    for (at, name) in names.iter().enumerate() {
        let own = name.trim().chars().next().filter(char::is_ascii_digit);
        keys[at] = own.filter(|own| !keys.contains(&Some(*own)));
    }
    for at in 0..names.len() {
        if keys[at].is_none() {
            let free = |digit: &char| !keys.contains(&Some(*digit));
            let place = DIGITS.chars().nth(at + 1).filter(free);
            keys[at] = place.or_else(|| DIGITS.chars().find(free));
        }
    }
    keys
}

/// What may stand between several labels in a cell.
pub const SEPARATORS: [char; 4] = ['|', ';', '#', ','];

/// Whether the values of a column look like the levels of a scale: at least three different whole numbers, all small.
pub fn look_like_levels<'a>(values: impl Iterator<Item = &'a str>) -> bool {
    let numbers: Option<std::collections::BTreeSet<i32>> =
        values.map(|value| value.trim().parse::<i32>().ok().filter(|n| (-9..=10).contains(n))).collect();
    numbers.is_some_and(|numbers| (3..=MAX_LEVELS).contains(&numbers.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prelabel_of_a_scale_is_the_level_with_the_smallest_expected_distance() {
        let p = [0.30, 0.02, 0.24, 0.22, 0.22];
        assert_eq!((TaskKind::One.decide(&p), TaskKind::Scale.decide(&p)), (0, 2));
        let expected = |level: usize| -> f64 {
            p.iter().enumerate().map(|(other, p)| f64::from(*p) * level.abs_diff(other) as f64).sum()
        };
        assert!((0..5).all(|level| expected(2) <= expected(level)));
        assert_eq!(TaskKind::Scale.decide(&[0.5, 0.0, 0.5]), 0, "the lower on a tie");
        assert_eq!(TaskKind::Scale.decide(&[0.1, 0.4, 0.5]), 1, "whatever the rounding");
        assert_eq!(TaskKind::Scale.decide(&[0.0, 0.0, 1.0]), 2);
    }

    #[test]
    fn a_margin_is_the_distance_to_the_nearest_boundary() {
        let near = |a: f32, b: f32| (a - b).abs() < 1e-6;
        assert!(near(TaskKind::One.margin(&[0.2, 0.5, 0.3]), 0.2));
        assert!(
            near(TaskKind::Scale.margin(&[0.2, 0.5, 0.3]), 0.4),
            "0.7 below the upper boundary, 0.3 above"
        );
        assert!(near(TaskKind::Scale.margin(&[0.4, 0.1, 0.5]), 0.0), "half of it is below");
        assert!(near(TaskKind::Scale.margin(&[0.0, 1.0, 0.0]), 1.0));
        assert!(
            near(TaskKind::Scale.margin(&[0.7, 0.3]), TaskKind::One.margin(&[0.7, 0.3])),
            "of two it is the same"
        );
    }

    #[test]
    fn two_answers_differ_by_their_distance_and_only_neighbours_meet() {
        assert_eq!((TaskKind::One.difference(0, 3), TaskKind::Scale.difference(0, 3)), (1.0, 9.0));
        assert_eq!((TaskKind::One.difference(2, 2), TaskKind::Scale.difference(2, 2)), (0.0, 0.0));
        assert!(TaskKind::One.is_boundary(0, 3) && !TaskKind::Scale.is_boundary(0, 3));
        assert!(TaskKind::Scale.is_boundary(3, 2) && !TaskKind::Scale.is_boundary(2, 2));
    }

    #[test]
    fn a_level_has_its_own_digit_as_its_key_or_its_place() {
        let keys = |names: &[&str]| -> String {
            level_keys(names.iter().copied()).into_iter().map(|key| key.unwrap_or('-')).collect()
        };
        assert_eq!(keys(&["0", "1", "2"]), "012");
        assert_eq!(keys(&["mild", "moderate", "severe"]), "123");
        assert_eq!(keys(&["1 mild", "2", "3: severe"]), "123");
        assert_eq!(keys(&["none", "1", "2"]), "012", "another's digit is not taken");
        assert_eq!(keys(&["-1", "0", "1"]), "201");
        assert_eq!(keys(&["1 low", "1 high"]), "12", "two cannot have the same");
    }

    #[test]
    fn small_whole_numbers_look_like_a_scale_and_codes_do_not() {
        let looks = |values: &[&str]| look_like_levels(values.iter().copied());
        assert!(looks(&["1", "2", "3", "4", "5"]) && looks(&["-1", "0", " 1"]));
        assert!(!looks(&["0", "1"]), "yes and no");
        assert!(!looks(&["1", "2", "spam"]) && !looks(&["1001", "1002", "1003"]) && !looks(&[]));
    }

    #[test]
    fn a_kind_is_known_by_its_name_and_another_is_refused_in_a_sentence() {
        assert_eq!("scale".parse(), Ok(TaskKind::Scale));
        let why = "many".parse::<TaskKind>().unwrap_err();
        assert!(why.contains("'many'") && why.contains("kind = \"scale\""), "{why}");
    }

    #[test]
    fn of_several_labels_each_is_given_that_reaches_its_threshold() {
        let set = |places: &[usize]| -> LabelSet { places.iter().copied().collect() };
        let p = [0.7, 0.2, 0.5, 0.49];
        assert_eq!(TaskKind::Several.decide_set(&p, &[]), set(&[0, 2]));
        assert_eq!(TaskKind::Several.decide_set(&p, &[0.8, 0.2, 0.6, 0.4]), set(&[1, 3]));
        assert_eq!(TaskKind::Several.decide_set(&[0.1, 0.2], &[]), set(&[]), "none is an answer");
        assert_eq!(TaskKind::One.decide_set(&p, &[]), set(&[0]));
        assert!((TaskKind::Several.margin(&[0.9, 0.4, 0.0]) - 0.2).abs() < 1e-6);
    }

    #[test]
    fn sets_differ_by_masi_and_single_labels_as_ever() {
        let set = |places: &[usize]| -> LabelSet { places.iter().copied().collect() };
        assert_eq!(TaskKind::Scale.difference_of_sets(&set(&[0]), &set(&[3])), 9.0);
        assert_eq!(TaskKind::One.difference_of_sets(&set(&[0]), &set(&[3])), 1.0);
        let between = TaskKind::Several.difference_of_sets(&set(&[0]), &set(&[0, 1]));
        assert!((between - (1.0 - 0.5 * 2.0 / 3.0)).abs() < 1e-12);
    }
}
