//! The ceiling: the agreement of people that the model's agreement is compared with. A model that has reached it has learned what the labels can
//! teach.

use crate::domain::figure::Figure;

/// A round that adds less than this to kappa may not be worth its price.
pub(crate) const WORTH_A_ROUND: f64 = 0.05;
/// Fewer cases do not show how well people agree.
const LEAST_FOR_A_CEILING: usize = 30;
/// What the model's agreement with the experts is compared with.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Ceiling<'a> {
    /// The experts' agreement with each other.
    Experts(&'a Figure),
    /// Each expert's agreement with their own earlier answers, on cases shown again.
    Own(&'a Figure),
}

impl<'a> Ceiling<'a> {
    /// The experts' agreement with each other if that rests on enough cases and is certainly above chance, else their self-agreement if that
    /// does. Reaching anything less certain is no reason to stop.
    pub fn of(expert_expert: &'a Figure, self_agreement: &'a Figure) -> Option<Self> {
        let is_reliable = |figure: &Figure| matches!(figure, Figure::Known { lo, n, .. } if *lo > 0.0 && *n >= LEAST_FOR_A_CEILING);
        if is_reliable(expert_expert) {
            return Some(Self::Experts(expert_expert));
        }
        is_reliable(self_agreement).then_some(Self::Own(self_agreement))
    }

    /// Why a known agreement is not a ceiling yet. `None` if there is a ceiling, or no agreement is known.
    pub fn missing(expert_expert: &'a Figure, self_agreement: &'a Figure) -> Option<String> {
        let most = [expert_expert, self_agreement].into_iter().filter_map(cases).max()?;
        match Self::of(expert_expert, self_agreement) {
            Some(_) => None,
            None if most < LEAST_FOR_A_CEILING => Some(format!(
                "The ceiling is not known yet ({most} of the {LEAST_FOR_A_CEILING} cases needed)."
            )),
            None => {
                Some("The ceiling is not known yet (so far, people may agree only by chance).".to_owned())
            }
        }
    }

    pub fn figure(self) -> &'a Figure {
        match self {
            Self::Experts(figure) | Self::Own(figure) => figure,
        }
    }

    /// Whether a model with this kappa has reached the ceiling: what to say, and the ceiling's kappa.
    pub(crate) fn reached_by(self, model: f64) -> Option<(StopBy, f64)> {
        let Figure::Known { value: ceiling, lo, n, .. } = *self.figure() else { return None };
        match self {
            Self::Experts(_) => (model >= lo).then_some((StopBy::Experts, ceiling)),
            // Few cases are repeated, so the interval reaches far down: the model must also be near the value itself.
            Self::Own(_) => (model >= lo && ceiling - model < WORTH_A_ROUND)
                .then_some((StopBy::Own { cases: n }, ceiling)),
        }
    }
}

fn cases(figure: &Figure) -> Option<usize> {
    match figure {
        Figure::Known { n, .. } => Some(*n),
        Figure::Undefined { .. } => None,
    }
}

/// What to say if people certainly agree less than `least`, with each other or with themselves: no model can learn what they do not agree on.
/// Without a target that is 0.8, the limit that K. Krippendorff sets for reliable data (*Content Analysis*, 2nd ed., 2004, ch. 11).
pub fn unclear(expert_expert: &Figure, self_agreement: &Figure, least: f64) -> Option<String> {
    let low = |figure: &Figure| matches!(figure, Figure::Known { hi, .. } if *hi < least);
    let (whose, figure) = if low(expert_expert) {
        ("experts agree with each other", expert_expert)
    } else if low(self_agreement) {
        ("people agree with their own earlier answers", self_agreement)
    } else {
        return None;
    };
    Some(format!(
        "The guideline leaves too much open: {whose} by only {figure}. Clarify it before you go on labelling."
    ))
}

/// What a ceiling that was reached rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopBy {
    /// The experts' agreement with each other.
    Experts,
    /// Self-agreement on this many cases shown again.
    Own { cases: usize },
}

impl StopBy {
    /// A clause with the model's kappa and the ceiling.
    pub fn in_words(self, model: f64, ceiling: f64) -> String {
        let model = format!("the model agrees with the experts ({model:.2}) about as well as");
        match self {
            Self::Experts => format!("{model} they agree with each other ({ceiling:.2})"),
            Self::Own { cases } => {
                format!("{model} they agree with their own earlier answers to {cases} cases ({ceiling:.2})")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::target::EXPERTS_KAPPA;

    #[test]
    fn people_who_certainly_agree_too_little_are_told_that_the_guideline_is_unclear() {
        let figure = |value, lo, hi, n| Figure::Known { value, lo, hi, n };
        let unknown = Figure::undefined("-");
        let (low, good) = (figure(0.4, 0.2, 0.6, 40), figure(0.7, 0.5, 0.85, 40));
        let says = |experts: &Figure, own: &Figure| unclear(experts, own, EXPERTS_KAPPA);
        assert_eq!([says(&unknown, &unknown), says(&good, &good)], [None, None]);
        assert_eq!(unclear(&low, &good, 0.5), None, "a target of their own");
        let end = "by only 0.40 (0.20 to 0.60, n = 40). Clarify it before you go on labelling.";
        for (experts, own, who) in [(&low, &good, "with each other"), (&unknown, &low, "their own earlier")] {
            let told = says(experts, own).unwrap();
            assert!(told.contains(who) && told.ends_with(end), "{told}");
        }
    }
}
