//! Ratings of one panel: how many raters gave each label to each case, and the sums over cases from which every coefficient of agreement is
//! computed.
//!
//! Of a scale, also how often each two levels were given to the same case. Where a text may have several labels, a rating gives any number of them; raters
//! then agree on a case where they give the same set, and the sums of a label are of the label by itself.
//!
//! Cases may have any number of ratings. Those with one say how often labels are given, never how far raters agree. Knows no coefficient.

use super::given::Given;
use crate::domain::label_set::LabelSet;
use crate::domain::task_kind::TaskKind;

/// The ratings of one case.
#[derive(Clone, Debug, PartialEq)]
struct Rated {
    /// (label, how many raters gave it), without zeros.
    given: Vec<(usize, f64)>,
    ratings: f64,
    /// Where a text may have several labels.
    sets: Option<OfSets>,
}

/// What the counts of single labels do not tell of the sets that were given.
#[derive(Clone, Debug, Default, PartialEq)]
struct OfSets {
    /// Ordered pairs of raters who gave the same set.
    alike: f64,
    /// Of two labels, the lower first: pairs of raters of whom one gave the first and not the second, the other the second and not the first.
    swapped: Vec<(usize, usize, f64)>,
}

impl OfSets {
    fn of(given: &[LabelSet]) -> Self {
        let mut of = Self::default();
        for (i, one) in given.iter().enumerate() {
            for other in &given[i + 1..] {
                of.alike += if one == other { 2.0 } else { 0.0 };
                for a in one.places().filter(|a| !other.has(*a)) {
                    other.places().filter(|b| !one.has(*b)).for_each(|b| of.swap(a.min(b), a.max(b)));
                }
            }
        }
        of
    }

    fn swap(&mut self, a: usize, b: usize) {
        match self.swapped.iter_mut().find(|(one, other, _)| (*one, *other) == (a, b)) {
            Some((_, _, n)) => *n += 1.0,
            None => self.swapped.push((a, b, 1.0)),
        }
    }
}

/// Ratings case by case.
#[derive(Clone, Debug, PartialEq)]
pub struct Ratings {
    cases: Vec<Rated>,
    labels: usize,
    kind: TaskKind,
    /// `sets[rater][case]` where a text may have several labels; else empty.
    sets: Vec<Vec<Option<LabelSet>>>,
}

/// Sums over some cases, each counted as often as it was drawn.
#[derive(Clone, Debug, PartialEq)]
pub struct Sums {
    /// Cases with a rating.
    pub rated: f64,
    /// Of each label, its shares of the ratings of each of these.
    pub shares: Vec<f64>,
    /// Cases with two ratings or more.
    pub shared: f64,
    /// Ratings of those, by label.
    pub ratings: Vec<f64>,
    /// The share of agreeing pairs of raters, summed over those: where a text may have several labels, of pairs who give the same set.
    pub agreement: f64,
    /// The same, a case counted as often as it has ratings: the diagonal of Krippendorff's coincidences. Where a text may have several labels, 0.
    pub coincidences: f64,
    /// Ordered pairs of raters whose first gave the label, by label.
    pub pairs: Vec<f64>,
    /// Those whose second gave it, too.
    pub pairs_alike: Vec<f64>,
    /// Of a scale, Krippendorff's matrix of coincidences, levels × levels row after row; else empty.
    pub matrix: Vec<f64>,
    /// Of a scale, the mean distance of two raters' levels, summed over the cases with two ratings or more.
    pub distances: f64,
}

/// What agreed, and what would by chance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Parts {
    /// Observed agreement, 0 to 1.
    pub observed: f64,
    /// Agreement by chance, 0 to 1.
    pub chance: f64,
}

impl Parts {
    /// Agreement beyond chance. `None` if agreement by chance is certain, or nothing was observed.
    pub fn coefficient(self) -> Option<f64> {
        self.at(self.observed)
    }

    /// The coefficient if the share `observed` agreed, with the labels given as often as they were.
    pub fn at(self, observed: f64) -> Option<f64> {
        let beyond = 1.0 - self.chance;
        if beyond > 1e-9 && observed.is_finite() { Some((observed - self.chance) / beyond) } else { None }
    }
}

impl Ratings {
    /// Of `experts[expert][case]`, labels below `labels`.
    pub fn of<A: Given>(experts: &[Vec<Option<A>>], labels: usize, kind: TaskKind) -> Self {
        let cases = experts.iter().map(Vec::len).max().unwrap_or(0);
        let rated = |case: usize| {
            let answers = experts.iter().filter_map(|expert| expert.get(case)?.as_ref());
            let mut given: Vec<(usize, f64)> = Vec::new();
            let mut give = |label: usize| match given.iter_mut().find(|(known, _)| *known == label) {
                Some((_, n)) => *n += 1.0,
                None => given.push((label, 1.0)),
            };
            if kind.gives_one() {
                answers.filter_map(Given::place).for_each(give);
                return Rated { ratings: given.iter().map(|(_, n)| n).sum(), given, sets: None };
            }
            let sets: Vec<LabelSet> = answers.map(Given::set).collect();
            sets.iter().flat_map(LabelSet::places).for_each(&mut give);
            Rated { ratings: sets.len() as f64, given, sets: Some(OfSets::of(&sets)) }
        };
        let cases = (0..cases).map(rated).filter(|case| case.ratings > 0.0).collect();
        let sets = |expert: &Vec<Option<A>>| expert.iter().map(|a| a.as_ref().map(Given::set)).collect();
        let sets = if kind.is_several() { experts.iter().map(sets).collect() } else { Vec::new() };
        Self { cases, labels, kind, sets }
    }

    /// `sets[rater][case]` where a text may have several labels; else empty.
    pub fn sets(&self) -> &[Vec<Option<LabelSet>>] {
        &self.sets
    }

    /// Whether the labels have an order.
    pub fn kind(&self) -> TaskKind {
        self.kind
    }

    /// Cases with a rating.
    pub fn rated(&self) -> usize {
        self.cases.len()
    }

    /// Labels of the task.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// Cases with two ratings or more.
    pub fn shared(&self) -> usize {
        self.cases.iter().filter(|case| case.ratings > 1.0).count()
    }

    /// Of these, those in which anybody gave the label.
    pub fn shared_with(&self, label: usize) -> usize {
        let has = |case: &&Rated| case.ratings > 1.0 && case.given.iter().any(|(given, _)| *given == label);
        self.cases.iter().filter(has).count()
    }

    /// Number of cases in which both labels were given, one in place of the other.
    pub fn cases_with_both(&self, a: usize, b: usize) -> usize {
        self.cases.iter().filter(|case| case.swapped(a, b) > 0.0).count()
    }

    /// Ordered pairs of raters, over the cases drawn, of whom the first gave `a` and the second `b` in its place, two different labels.
    pub fn rater_pairs(&self, drawn: &[usize], a: usize, b: usize) -> f64 {
        drawn.iter().filter_map(|i| self.cases.get(*i)).map(|case| case.swapped(a, b)).sum()
    }

    /// Pairs of labels of which one was given in place of the other, each once, the lower label first.
    pub fn confused_pairs(&self) -> Vec<(usize, usize)> {
        let mut found = std::collections::BTreeSet::new();
        for case in &self.cases {
            if let Some(sets) = &case.sets {
                found.extend(sets.swapped.iter().map(|(a, b, _)| (*a, *b)));
                continue;
            }
            for (i, (a, _)) in case.given.iter().enumerate() {
                found.extend(case.given[i + 1..].iter().map(|(b, _)| (*a.min(b), *a.max(b))));
            }
        }
        found.into_iter().collect()
    }

    /// The sums over all cases.
    pub fn whole(&self) -> Sums {
        self.sums(&(0..self.cases.len()).collect::<Vec<_>>())
    }

    /// The sums over the cases drawn, by their index.
    pub fn sums(&self, drawn: &[usize]) -> Sums {
        let zero = || vec![0.0; self.labels];
        let mut sums = Sums {
            rated: 0.0,
            shares: zero(),
            shared: 0.0,
            ratings: zero(),
            agreement: 0.0,
            coincidences: 0.0,
            pairs: zero(),
            pairs_alike: zero(),
            matrix: if self.kind.is_scale() { vec![0.0; self.labels * self.labels] } else { Vec::new() },
            distances: 0.0,
        };
        for case in drawn.iter().filter_map(|i| self.cases.get(*i)) {
            sums.rated += 1.0;
            for (label, n) in &case.given {
                sums.shares[*label] += n / case.ratings;
            }
            if case.ratings < 2.0 {
                continue;
            }
            let others = case.ratings - 1.0;
            sums.shared += 1.0;
            for (label, n) in &case.given {
                let alike = n * (n - 1.0);
                sums.ratings[*label] += n;
                sums.pairs[*label] += n * others;
                sums.pairs_alike[*label] += alike;
                if case.sets.is_none() {
                    sums.coincidences += alike / others;
                    sums.agreement += alike / others / case.ratings;
                }
            }
            if let Some(sets) = &case.sets {
                sums.agreement += sets.alike / others / case.ratings;
            }
            if self.kind.is_scale() {
                for (a, n) in &case.given {
                    for (b, m) in &case.given {
                        let pairs = n * if a == b { m - 1.0 } else { *m };
                        sums.matrix[a * self.labels + b] += pairs / others;
                        sums.distances += pairs * a.abs_diff(*b) as f64 / others / case.ratings;
                    }
                }
            }
        }
        sums
    }
}

impl Rated {
    fn of(&self, label: usize) -> f64 {
        self.given.iter().find(|(given, _)| *given == label).map_or(0.0, |(_, n)| *n)
    }

    /// Pairs of raters of whom one gave the one label and the other gave the other in its place.
    fn swapped(&self, a: usize, b: usize) -> f64 {
        match &self.sets {
            None => self.of(a) * self.of(b),
            Some(sets) => {
                let these = |(one, other, _): &&(usize, usize, f64)| (*one, *other) == (a.min(b), a.max(b));
                sets.swapped.iter().find(these).map_or(0.0, |(_, _, n)| *n)
            }
        }
    }
}

impl Sums {
    /// The mean share of agreeing pairs of raters; no number without a shared case.
    pub fn raw(&self) -> f64 {
        self.agreement / self.shared
    }

    /// Whether nothing disagrees.
    pub fn is_perfect(&self) -> bool {
        self.agreement >= self.shared * (1.0 - 1e-12)
    }
}
