//! A set of labels by their places in a task: an answer as figures and training count it where a text may have several.

use super::answer::{Answer, SaidLabels};
use super::fault::{Fault, Result};
use super::task::Task;

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

impl Task {
    /// The places of labels that are named; of those that the task does not have, none.
    pub fn places_of(&self, names: &[String]) -> LabelSet {
        names.iter().filter_map(|name| self.labels.iter().position(|label| label.name == *name)).collect()
    }

    /// The names of the labels at these places.
    pub fn names_at(&self, set: &LabelSet) -> Vec<String> {
        set.places().filter_map(|at| self.labels.get(at)).map(|label| label.name.clone()).collect()
    }

    /// The labels of an answer by their places; none where one of them is no label of this task any more.
    pub fn set_of(&self, answer: &Answer) -> Option<LabelSet> {
        answer.labels().iter().map(|key| self.index_of_id(key)).collect()
    }

    /// The answer that gives the labels at these places.
    pub fn answer_of(&self, set: &LabelSet) -> Answer {
        Answer::of(set.places().filter_map(|at| self.labels.get(at)).map(|label| label.id.as_str()))
    }

    /// The answer that a person means.
    ///
    /// # Errors
    /// A usage fault where one of the labels is not of the task, or where the task asks for exactly one.
    pub fn find_answer(&self, said: &SaidLabels) -> Result<Answer> {
        if self.kind.gives_one() && said.0.len() != 1 {
            let given = match said.0.len() {
                0 => "give none of the labels".to_owned(),
                n => format!("give {n} labels"),
            };
            return Err(Fault::usage(given, "this project asks for exactly one label for each text")
                .hint("Where none is right, skip the text"));
        }
        let found = said.0.iter().map(|label| Ok(self.find_label(label)?.id.as_str()));
        Ok(Answer::of(found.collect::<Result<Vec<_>>>()?))
    }

    /// The answer that a known label of a file gives, as the file's row keeps it: a name, or a JSON list of names where a text may have several. None where
    /// something in it is no label of the task.
    pub fn answer_of_gold(&self, gold: &str) -> Option<Answer> {
        let id =
            |name: &str| self.labels.iter().find(|label| label.name == name).map(|label| label.id.clone());
        match self.kind.is_several().then(|| serde_json::from_str::<Vec<String>>(gold)) {
            Some(Ok(names)) => names.iter().map(|name| id(name)).collect::<Option<Vec<_>>>().map(Answer::of),
            _ => id(gold).map(Answer::one),
        }
    }

    /// What an answer says, as a person reads it.
    pub fn in_words(&self, answer: &Answer) -> String {
        if answer.is_none() { NONE.to_owned() } else { self.names_of(answer).join(", ") }
    }

    /// The names of an answer's labels in the order of the task; a label that it no longer has stands last, by its stable key.
    pub fn names_of(&self, answer: &Answer) -> Vec<String> {
        let known = self.labels.iter().filter(|label| answer.has(&label.id)).map(|label| label.name.clone());
        let gone = answer.labels().iter().filter(|key| self.index_of_id(key).is_none()).cloned();
        known.chain(gone).collect()
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
