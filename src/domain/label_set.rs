//! A set of labels by their places in a task: an answer as figures and training count it where a text may have several.

/// What an answer says that gives none of the labels.
pub const NONE: &str = "none of the labels";

/// The places of labels in a task, in order. Empty where none of them is right.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LabelSet(Vec<u16>);

impl FromIterator<usize> for LabelSet {
    fn from_iter<I: IntoIterator<Item = usize>>(places: I) -> Self {
        let mut places: Vec<u16> = places.into_iter().filter_map(|at| u16::try_from(at).ok()).collect();
        places.sort_unstable();
        places.dedup();
        Self(places)
    }
}

impl LabelSet {
    pub fn has(&self, at: usize) -> bool {
        u16::try_from(at).is_ok_and(|at| self.0.binary_search(&at).is_ok())
    }

    /// The places, in order.
    pub fn places(&self) -> impl ExactSizeIterator<Item = usize> + '_ {
        self.0.iter().map(|at| usize::from(*at))
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Its place, where it is exactly one.
    pub fn single(&self) -> Option<usize> {
        match self.0[..] {
            [at] => Some(usize::from(at)),
            _ => None,
        }
    }

    /// Adds the label, or takes it out.
    pub fn toggle(&mut self, at: usize) {
        let Ok(place) = u16::try_from(at) else { return };
        match self.0.binary_search(&place) {
            Ok(found) => drop(self.0.remove(found)),
            Err(free) => self.0.insert(free, place),
        }
    }

    /// How many labels both have.
    pub fn shared(&self, other: &Self) -> usize {
        self.0.iter().filter(|at| other.0.binary_search(at).is_ok()).count()
    }

    /// One minus the share of the labels of either that both have: 0 where they are the same, also where both are empty.
    pub fn jaccard_distance(&self, other: &Self) -> f64 {
        let shared = self.shared(other);
        let either = self.len() + other.len() - shared;
        if either == 0 { 0.0 } else { 1.0 - shared as f64 / either as f64 }
    }

    /// How far two sets differ, 0 to 1, as Passonneau measures it (2006, <https://aclanthology.org/L06-1392/>): one minus the share of labels that both have,
    /// times 1 where they are the same, two thirds where one holds the other, a third where they overlap, and 0 where they share nothing. An empty
    /// set shares nothing with another, and is the same as itself.
    pub fn masi_distance(&self, other: &Self) -> f64 {
        let shared = self.shared(other);
        let monotonicity = match shared {
            _ if self == other => return 0.0,
            0 => return 1.0,
            n if n == self.len() || n == other.len() => 2.0 / 3.0,
            _ => 1.0 / 3.0,
        };
        1.0 - (1.0 - self.jaccard_distance(other)) * monotonicity
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(places: &[usize]) -> LabelSet {
        places.iter().copied().collect()
    }

    #[test]
    fn a_set_has_its_labels_in_order_once_and_toggles_them() {
        let mut some = set(&[300, 2, 300, 70]);
        assert_eq!(some.places().collect::<Vec<_>>(), [2, 70, 300]);
        some.toggle(70);
        some.toggle(5);
        assert_eq!((&some, some.has(5), some.has(70)), (&set(&[2, 5, 300]), true, false));
        assert_eq!((some.single(), set(&[4]).single(), set(&[]).single()), (None, Some(4), None));
    }

    #[test]
    fn masi_and_jaccard_distances_are_those_of_the_literature() {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-12;
        let (ab, abc, cd) = (set(&[0, 1]), set(&[0, 1, 2]), set(&[2, 3]));
        assert_eq!((ab.masi_distance(&ab), set(&[]).masi_distance(&set(&[]))), (0.0, 0.0));
        assert_eq!((ab.masi_distance(&cd), ab.masi_distance(&set(&[]))), (1.0, 1.0));
        assert!(near(ab.masi_distance(&abc), 1.0 - 2.0 / 3.0 * 2.0 / 3.0), "one holds the other");
        assert!(near(abc.masi_distance(&cd), 1.0 - 0.25 / 3.0), "they overlap");
        assert!(near(ab.jaccard_distance(&abc), 1.0 / 3.0) && near(abc.jaccard_distance(&cd), 0.75));
        assert_eq!((ab.jaccard_distance(&cd), set(&[]).jaccard_distance(&set(&[]))), (1.0, 0.0));
    }
}
