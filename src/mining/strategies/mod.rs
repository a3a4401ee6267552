//! The strategies: one file each, which implements [`strategy::Strategy`], and the list of them here.
//!
//! To add one, write its file, declare it here, and add it to `ALL`. Each of its picks has a reason from `domain/case.rs`, which is stored
//! and told to the expert after the answer: take one that is true of it, or add one there. The tests of `round.rs` run over the whole list.

mod badge;
mod boundary;
mod cal;
mod confidence;
pub(in crate::mining) mod diverse_margin;
mod entropy;
mod hybrid;
mod k_center;
mod margin;
mod random;
pub(in crate::mining) mod strategy;
mod typiclust;

use strategy::Strategy;

/// All strategies, the default one first.
const ALL: [&dyn Strategy; 11] = [
    &hybrid::Hybrid,
    &boundary::Boundary,
    &margin::Margin,
    &diverse_margin::DiverseMargin,
    &confidence::LeastConfidence,
    &entropy::Entropy,
    &k_center::KCenter,
    &cal::Cal,
    &typiclust::TypiClust,
    &badge::Badge,
    &random::Random,
];

/// The strategy that is used when none is named.
pub const DEFAULT: &str = "hybrid";

/// The names of all strategies, the default one first.
pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|s| s.name())
}

/// The names in one line, for help and messages.
pub fn listed() -> String {
    names().collect::<Vec<_>>().join(", ")
}

pub fn strategy_by_name(name: &str) -> Option<&'static dyn Strategy> {
    ALL.into_iter().find(|s| s.name() == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_own_strategy_and_the_default_is_one_of_them() {
        for name in names() {
            assert_eq!(strategy_by_name(name).unwrap().name(), name);
        }
        assert_eq!(names().next(), Some(DEFAULT));
        assert!(strategy_by_name("Boundary").is_none());
    }
}
