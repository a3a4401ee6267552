//! Agreement where a text may have several labels: each label by itself, and Krippendorff's alpha of whole sets.
//!
//! A label by itself is a yes or no, so everything that `kappa` and `panel` compute of two labels holds for it.
//! Intervals are the percentile bootstrap over cases, all answers to a case drawn together.

use std::collections::BTreeMap;

use super::kappa::LEAST_CASES;
use crate::domain::figure::Figure;
use crate::domain::label_set::LabelSet;
use crate::stats::estimate::bootstrap::{figure, floor_without_failure, replicates, with_low};

/// Answers case by case, `experts[expert][case]`.
pub type Answers = [Vec<Option<LabelSet>>];

/// Whether each answer has the label: 1 or 0, for all that is computed of two labels.
pub fn of_label(experts: &Answers, label: usize) -> Vec<Vec<Option<usize>>> {
    let has = |answer: &Option<LabelSet>| answer.as_ref().map(|set| usize::from(set.has(label)));
    experts.iter().map(|expert| expert.iter().map(has).collect()).collect()
}

/// How far two sets differ, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Distance {
    Masi,
    Jaccard,
}

impl Distance {
    fn of(self, a: &LabelSet, b: &LabelSet) -> f64 {
        match self {
            Self::Masi => a.masi_distance(b),
            Self::Jaccard => a.jaccard_distance(b),
        }
    }
}

/// Krippendorff's alpha of sets, with its interval: one minus the mean distance of two answers to the same case over that of any two answers. Any number of
/// experts; a case with one answer does not count, and one with more counts as often as it has answers.
///
/// Source: R. Passonneau, "Measuring Agreement on Set-valued Items (MASI) for Semantic and Pragmatic Annotation", LREC 2006.
pub fn alpha(experts: &Answers, distance: Distance, seed: u64) -> Figure {
    let pairable = Pairable::of(experts, distance);
    let n = pairable.cases.len();
    if n < LEAST_CASES {
        return Figure::undefined(match n {
            0 => "no case answered by two experts yet".to_owned(),
            n => format!("two experts have answered {n} of the {LEAST_CASES} cases needed"),
        });
    }
    let all: Vec<usize> = (0..n).collect();
    let whole = pairable.parts(&all);
    let Some(value) = whole.alpha() else {
        return Figure::undefined(format!(
            "all answers to the {n} cases are the same labels, so agreement cannot be told from chance"
        ));
    };
    let drawn = replicates(n, seed, |drawn| pairable.parts(drawn).alpha());
    let why = format!("nearly all of the {n} cases have the same labels, so a few answers would decide it");
    let found = figure(value, drawn, n, &why);
    if whole.observed > 1e-12 {
        return found;
    }
    // Nothing differs: the cases that still may are taken to differ as far as two answers by chance do.
    with_low(found, Some(floor_without_failure(n as f64)).map(|least| 1.0 - (1.0 - least) / whole.differing))
}

/// [`alpha`] as a plain number; `None` without two answers to a case, and where all answers are the same.
pub fn alpha_of(experts: &Answers, distance: Distance) -> Option<f64> {
    let pairable = Pairable::of(experts, distance);
    pairable.parts(&(0..pairable.cases.len()).collect::<Vec<_>>()).alpha()
}

/// Cases with two answers or more, their sets by number, and how far each two sets differ.
struct Pairable {
    cases: Vec<Vec<usize>>,
    /// Sets × sets, row after row.
    distances: Vec<f64>,
    sets: usize,
}

/// Mean distances within cases and by chance, and the share of pairs that differ by chance.
struct Parts {
    observed: f64,
    chance: f64,
    differing: f64,
}

impl Parts {
    fn alpha(&self) -> Option<f64> {
        (self.chance > 1e-9).then(|| 1.0 - self.observed / self.chance)
    }
}

impl Pairable {
    fn of(experts: &Answers, distance: Distance) -> Self {
        let mut numbers: BTreeMap<&LabelSet, usize> = BTreeMap::new();
        let cases = experts.iter().map(Vec::len).max().unwrap_or(0);
        let cases: Vec<Vec<usize>> = (0..cases)
            .map(|case| experts.iter().filter_map(|expert| expert.get(case)?.as_ref()).collect::<Vec<_>>())
            .filter(|answers| answers.len() > 1)
            .map(|answers| {
                let number = |set| {
                    let next = numbers.len();
                    *numbers.entry(set).or_insert(next)
                };
                answers.into_iter().map(number).collect()
            })
            .collect();
        let sets = numbers.len();
        let mut distances = vec![0.0; sets * sets];
        for (a, i) in &numbers {
            for (b, j) in &numbers {
                distances[i * sets + j] = distance.of(a, b);
            }
        }
        Self { cases, distances, sets }
    }

    fn parts(&self, drawn: &[usize]) -> Parts {
        let mut given = vec![0.0; self.sets];
        let (mut observed, mut all) = (0.0, 0.0);
        for case in drawn.iter().filter_map(|at| self.cases.get(*at)) {
            let others = (case.len() - 1) as f64;
            for (i, &a) in case.iter().enumerate() {
                given[a] += 1.0;
                // Each pair once: it counts in both directions.
                let apart: f64 = case[i + 1..].iter().map(|b| self.distances[a * self.sets + b]).sum();
                observed += 2.0 * apart / others;
            }
            all += case.len() as f64;
        }
        let used: Vec<(usize, f64)> = given.into_iter().enumerate().filter(|(_, n)| *n > 0.0).collect();
        let (mut chance, mut differing) = (0.0, 0.0);
        for (a, n) in &used {
            for (b, m) in &used {
                chance += n * m * self.distances[a * self.sets + b];
                differing += if a == b { 0.0 } else { n * m };
            }
        }
        let pairs = all * (all - 1.0);
        Parts { observed: observed / all, chance: chance / pairs, differing: differing / pairs }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn set(letters: &str) -> LabelSet {
        letters.chars().map(|letter| letter as usize - 'a' as usize).collect()
    }

    /// A row an expert, a word a case: its letters are the labels, `-` none of them, `.` no answer.
    fn rows(rows: &[&str]) -> Vec<Vec<Option<LabelSet>>> {
        let answer = |word: &str| (word != ".").then(|| set(word.trim_matches('-')));
        rows.iter().map(|row| row.split(' ').map(answer).collect()).collect()
    }

    /// By hand: answers {a, b} and {a}, then {b} twice. The first differ by 1 − ½ · ⅔ = ⅔; observed is 2 · ⅔ / 4 = ⅓. Of the twelve ordered pairs of any two answers,
    /// {ab}{a} and {ab}{b} twice over differ by ⅔ (six of them) and {a}{b} by 1 (four), so chance is (4 + 4) / 12 and alpha ½.
    #[test]
    fn alpha_of_sets_is_that_worked_by_hand() {
        let found = alpha_of(&rows(&["ab b", "a b"]), Distance::Masi).unwrap();
        assert!((found - 0.5).abs() < 1e-12, "{found}");
        // Jaccard: ½ in place of ⅔, so observed ¼ and chance (3 + 4) / 12.
        let found = alpha_of(&rows(&["ab b", "a b"]), Distance::Jaccard).unwrap();
        assert!((found - (1.0 - 0.25 * 12.0 / 7.0)).abs() < 1e-12, "{found}");
    }

    /// Krippendorff (2011), section C, each value a set of one: sets that share nothing differ by 1, so it is the nominal alpha, 0.743.
    #[test]
    fn of_one_label_each_it_is_the_nominal_alpha_with_missing_answers() {
        let word = |row: &str| {
            let letters = row.chars().map(|c| if c == '.' { '.' } else { (b'a' + c as u8 - b'1') as char });
            letters.map(String::from).collect::<Vec<_>>().join(" ")
        };
        let observers = super::super::krippendorff::tests::OBSERVERS.map(word);
        let observers = rows(&observers.each_ref().map(String::as_str));
        for distance in [Distance::Masi, Distance::Jaccard] {
            let found = alpha_of(&observers, distance).unwrap();
            assert!((found - 0.743).abs() < 5e-4, "{found}");
        }
    }

    #[test]
    fn alpha_has_an_interval_and_says_why_where_there_is_none() {
        let says = |figure: Figure| figure.to_string();
        assert!(says(alpha(&rows(&["a b"]), Distance::Masi, 1)).contains("no case answered by two experts"));
        assert!(says(alpha(&rows(&["a b", "a b"]), Distance::Masi, 1)).contains("2 of the 5 cases needed"));
        let none = rows(&["- - - - - -", "- - - - - -"]);
        assert!(says(alpha(&none, Distance::Masi, 1)).contains("cannot be told from chance"));
        let same = rows(&["a ab - b a ab", "a ab - b a ab"]);
        let Figure::Known { value, lo, hi, n } = alpha(&same, Distance::Masi, 1) else { panic!("defined") };
        assert!(value == 1.0 && hi == 1.0 && lo < 0.6 && n == 6, "{lo}");
        let some = rows(&["a ab - b a ab - c", "a a - b ab ab c c"]);
        let Figure::Known { value, lo, hi, .. } = alpha(&some, Distance::Masi, 1) else { panic!("defined") };
        assert!(lo < value && value < hi, "{lo} {value} {hi}");
        assert_eq!(alpha(&some, Distance::Masi, 1), alpha(&some, Distance::Masi, 1));
    }

    #[test]
    fn a_label_by_itself_is_a_yes_or_no() {
        assert_eq!(of_label(&rows(&["ab . -"]), 1), [vec![Some(1), None, Some(0)]]);
    }

    proptest! {
        #[test]
        fn alpha_does_not_depend_on_the_order_of_experts_and_a_lone_answer_moves_nothing(
            cases in prop::collection::vec(prop::collection::vec(prop::option::of(0usize..8), 3), 1..12),
        ) {
            let of = |bits: usize| (0..3).filter(|at| bits >> at & 1 == 1).collect::<LabelSet>();
            let row = |expert: usize| cases.iter().map(|case| case[expert].map(of)).collect::<Vec<_>>();
            let (there, back) = (alpha_of(&[row(0), row(1), row(2)], Distance::Masi), alpha_of(&[row(2), row(0), row(1)], Distance::Masi));
            prop_assert_eq!(there.is_some(), back.is_some());
            if let (Some(there), Some(back)) = (there, back) {
                prop_assert!((there - back).abs() < 1e-9 && there <= 1.0);
                let mut longer = [row(0), row(1), row(2)];
                longer[0].push(Some(of(5)));
                prop_assert!((alpha_of(&longer, Distance::Masi).unwrap() - there).abs() < 1e-9);
            }
        }
    }
}
