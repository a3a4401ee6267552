//! What another round would cost and probably bring, and what more audit answers would bring instead.

use std::fmt;

use serde::Serialize;

use crate::domain::figure::Figure;
use crate::domain::task_kind::TaskKind;

/// A kappa known to within ± this is precise enough.
const NARROW_ENOUGH: f64 = 0.1;

/// Another round like the last one.
#[derive(Clone, Debug, Serialize)]
pub struct NextRound {
    /// What is asked for: of a scale, kappa is the weighted one.
    #[serde(skip)]
    pub kind: TaskKind,
    /// Its price: the cases of the last round.
    pub cases: usize,
    /// By how much kappa on the hard cases would probably rise.
    pub gain: Figure,
    /// What audit answers would bring instead. `None` if the audit is precise enough, or no audit text is left.
    pub audit: Option<Narrower>,
}

/// The price of another round and what it would probably bring.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Outlook {
    /// Cases of another round.
    pub cases: usize,
    /// Lower end of the gain in kappa.
    pub low: f64,
    /// Upper end of the gain in kappa.
    pub high: f64,
    pub basis: Basis,
    pub kind: TaskKind,
}

/// What an expected gain is based on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// The curve through the models so far.
    Curve,
    /// The measured gain of the last round.
    LastRound,
}

/// How far more audit answers would narrow the audit's interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Narrower {
    pub cases: usize,
    /// Half the width of the interval now.
    pub from: f64,
    /// Half its width after these cases.
    pub to: f64,
    #[serde(skip)]
    pub kind: TaskKind,
}

impl Narrower {
    /// For a figure of the audit, whose interval narrows with the square root of the number of answers: the cases, of the `open` audit texts, that
    /// bring half the width to 0.1 or halve it, whichever needs fewer. `None` if it is that narrow already, is not known, or no text is left.
    pub fn of(figure: &Figure, kind: TaskKind, open: usize) -> Option<Self> {
        let Figure::Known { lo, hi, n, .. } = figure else { return None };
        let from = (hi - lo) / 2.0;
        if from <= NARROW_ENOUGH || open == 0 {
            return None;
        }
        let wanted = NARROW_ENOUGH.max(from / 2.0);
        let n = *n as f64;
        let cases = ((n * ((from / wanted).powi(2) - 1.0)).ceil() as usize).clamp(1, open);
        Some(Self { cases, from, to: from * (n / (n + cases as f64)).sqrt(), kind })
    }
}

impl fmt::Display for Narrower {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, from, to, kind } = self;
        let kappa = kind.kappa();
        let answers = if *cases == 1 { "answer" } else { "answers" };
        write!(
            f,
            "{cases} more audit {answers} would narrow the whole pool's {kappa} from ±{from:.2} to ±{to:.2}"
        )
    }
}

impl fmt::Display for Outlook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cases, low, high, basis, kind } = self;
        let kappa = kind.kappa();
        match basis {
            Basis::Curve => {
                write!(f, "another {cases} labels would probably add {low:.2} to {high:.2} to {kappa}")
            }
            Basis::LastRound => write!(
                f,
                "the last round changed {kappa} by {low:+.2} to {high:+.2}, and another {cases} labels would hardly add more"
            ),
        }
    }
}

impl NextRound {
    /// The outlook by the learning curve, if that is known.
    pub fn by_curve(&self) -> Option<Outlook> {
        self.outlook(&self.gain, Basis::Curve)
    }

    /// The outlook by any gain, if that is known.
    pub fn outlook(&self, gain: &Figure, basis: Basis) -> Option<Outlook> {
        match gain {
            Figure::Known { lo, hi, .. } => {
                // Not "-0.00".
                let low = if lo.abs() < 0.005 { 0.0 } else { *lo };
                Some(Outlook { cases: self.cases, low, high: *hi, basis, kind: self.kind })
            }
            Figure::Undefined { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audit(half: f64, n: usize) -> Figure {
        Figure::Known { value: 0.5, lo: 0.5 - half, hi: 0.5 + half, n }
    }

    #[test]
    fn four_times_the_answers_halve_an_interval_and_a_tenth_is_narrow_enough() {
        let halved = Narrower::of(&audit(0.3, 20), TaskKind::One, 999).unwrap();
        assert_eq!(halved.cases, 60);
        assert!((halved.to - 0.15).abs() < 1e-9);
        // (0.12 / 0.1)² − 1 = 0.44 of 50.
        let near = Narrower::of(&audit(0.12, 50), TaskKind::One, 999).unwrap();
        assert!((22..=23).contains(&near.cases) && near.to <= 0.1, "{near:?}");
        assert_eq!(Narrower::of(&audit(0.1, 50), TaskKind::One, 999), None);
        assert_eq!(Narrower::of(&Figure::undefined("-"), TaskKind::One, 999), None);
    }

    #[test]
    fn no_more_answers_are_asked_for_than_there_are_texts() {
        let few = Narrower::of(&audit(0.3, 20), TaskKind::One, 7).unwrap();
        assert_eq!(few.cases, 7);
        assert!((few.to - 0.3 * (20.0f64 / 27.0).sqrt()).abs() < 1e-12);
        assert_eq!(Narrower::of(&audit(0.3, 20), TaskKind::One, 0), None);
        let weighted = Narrower { kind: TaskKind::Scale, ..few };
        assert!(weighted.to_string().contains("whole pool's weighted kappa from"));
        let says = "7 more audit answers would narrow the whole pool's kappa from ±0.30 to ±0.26";
        assert_eq!(few.to_string(), says);
    }

    #[test]
    fn a_gain_is_said_with_its_price() {
        let next = NextRound { kind: TaskKind::One, cases: 60, gain: Figure::undefined("-"), audit: None };
        assert_eq!(next.by_curve(), None);
        let gain = Figure::Known { value: 0.01, lo: -0.001, hi: 0.03, n: 80 };
        let by = |basis| next.outlook(&gain, basis).unwrap().to_string();
        assert_eq!(by(Basis::Curve), "another 60 labels would probably add 0.00 to 0.03 to kappa");
        assert!(by(Basis::LastRound).ends_with("and another 60 labels would hardly add more"));
    }
}
