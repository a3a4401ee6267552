//! The strategies by name. To add one: write its file, then one line here and one in `mod.rs`.

use super::badge::Badge;
use super::boundary::Boundary;
use super::cal::Cal;
use super::confidence::LeastConfidence;
use super::entropy::Entropy;
use super::hybrid::Hybrid;
use super::k_center::KCenter;
use super::random::Random;
use super::strategy::Strategy;
use super::typiclust::TypiClust;
use crate::mining::margin::{DiverseMargin, Margin};

const ALL: [&dyn Strategy; 11] = [
    &Hybrid,
    &Boundary,
    &Margin,
    &DiverseMargin,
    &LeastConfidence,
    &Entropy,
    &KCenter,
    &Cal,
    &TypiClust,
    &Badge,
    &Random,
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

/// The strategy of this name.
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
