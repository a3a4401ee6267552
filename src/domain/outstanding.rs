//! What a round still needs, and from whom, in words.

use std::collections::BTreeMap;
use std::fmt;

use serde::Serialize;

/// What a round still needs, and from whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outstanding {
    /// The round's number.
    pub round: i64,
    pub cases: usize,
    /// Of these, cases that nobody has labelled.
    pub first: usize,
    /// Of these, cases that were labelled and need another expert.
    pub more: usize,
    /// How many of the open cases each expert can still answer, by first name.
    pub by: BTreeMap<String, usize>,
}

impl Outstanding {
    /// Cases that are open.
    pub fn open(&self) -> usize {
        self.first + self.more
    }

    /// Who can give the missing answers: `bob can answer 12 of them, cy 6`; empty if nobody can.
    fn by_whom(&self) -> String {
        let each = |(i, (name, n)): (usize, (&String, &usize))| match i {
            0 => format!("{name} can answer {n} of them"),
            _ => format!("{name} {n}"),
        };
        self.by.iter().enumerate().map(each).collect::<Vec<_>>().join(", ")
    }
}

/// `42 of 60 cases complete, 18 need a second answer (bob can answer 18 of them)`.
impl fmt::Display for Outstanding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} cases complete", self.cases - self.open(), self.cases)?;
        for (n, which) in [(self.first, "first"), (self.more, "second")] {
            if n > 0 {
                write!(f, ", {n} need{} a {which} answer", if n == 1 { "s" } else { "" })?;
            }
        }
        match self.by_whom() {
            nobody if nobody.is_empty() => Ok(()),
            names => write!(f, " ({names})"),
        }
    }
}
