//! A rule that a project or a model must meet, held against a measured figure. The end of the interval that is against it decides, never the value.

use serde::Serialize;

use super::figure::Figure;

/// Whether a rule is met.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Verdict {
    /// The whole interval is on the right side.
    #[serde(rename = "met")]
    Met,
    /// A part of the interval is on the wrong side.
    #[serde(rename = "not met")]
    NotMet,
    /// There is no figure. It does not pass.
    #[serde(rename = "cannot be told")]
    Unknown,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not met",
            Self::Unknown => "cannot be told",
        }
    }
}

/// On which side of its limit a figure must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    AtLeast,
    AtMost,
}

/// A rule with what was measured.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Rule {
    /// What is measured, such as `recall of 'spam'`.
    pub rule: String,
    pub side: Side,
    /// The limit, in the unit of the figure.
    pub limit: f64,
    /// What was measured.
    pub measured: Figure,
    pub verdict: Verdict,
    /// Why it is not met or cannot be told, or what it rests on: a clause.
    pub why: String,
}

impl Rule {
    /// Met where the lower end of the interval reaches `limit`.
    pub fn at_least(rule: impl Into<String>, limit: f64, measured: Figure) -> Self {
        Self::of(rule.into(), (Side::AtLeast, limit), measured)
    }

    /// Met where the upper end of the interval does not go beyond `limit`.
    pub fn at_most(rule: impl Into<String>, limit: f64, measured: Figure) -> Self {
        Self::of(rule.into(), (Side::AtMost, limit), measured)
    }

    fn of(rule: String, (side, limit): (Side, f64), measured: Figure) -> Self {
        let (verdict, why) = match &measured {
            Figure::Undefined { undefined } => (Verdict::Unknown, undefined.clone()),
            Figure::Known { value, lo, hi, .. } => {
                let (end, name, met, value_is_right) = match side {
                    Side::AtLeast => (lo, "lower", *lo >= limit, *value >= limit),
                    Side::AtMost => (hi, "upper", *hi <= limit, *value <= limit),
                };
                // Written so that a bound that is no number is never met.
                match (met, value_is_right) {
                    (true, _) => {
                        (Verdict::Met, format!("the {name} end of the interval, {}, is", apart(*end, limit)))
                    }
                    (false, true) => (
                        Verdict::NotMet,
                        format!(
                            "the value is, but the {name} end of the interval, {}, is not",
                            apart(*end, limit)
                        ),
                    ),
                    (false, false) => (Verdict::NotMet, "the value itself is not".into()),
                }
            }
        };
        Self { rule, side, limit, measured, verdict, why }
    }

    /// The same, with another reason.
    #[must_use]
    pub fn because(mut self, why: impl Into<String>) -> Self {
        self.why = why.into();
        self
    }

    pub fn is_met(&self) -> bool {
        self.verdict == Verdict::Met
    }

    /// What must be, such as `recall of 'spam' at least 0.9`.
    pub fn wanted(&self) -> String {
        let side = match self.side {
            Side::AtLeast => "at least",
            Side::AtMost => "at most",
        };
        format!("{} {side} {}", self.rule, decimal(self.limit))
    }
}

impl std::fmt::Display for Rule {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.wanted(), self.verdict.as_str())?;
        match &self.measured {
            Figure::Undefined { .. } => write!(f, ": {}", self.why),
            Figure::Known { value, lo, hi, n } => write!(
                f,
                "; {} ({} to {}, n = {n}): {}",
                decimal(*value),
                decimal(*lo),
                decimal(*hi),
                self.why
            ),
        }
    }
}

/// A bound with as many decimals as tell it from its limit.
fn apart(x: f64, limit: f64) -> String {
    if decimal(x) == decimal(limit) && (x - limit).abs() > 1e-9 { format!("{x:.6}") } else { decimal(x) }
}

/// Up to three decimals.
fn decimal(x: f64) -> String {
    let text = format!("{x:.3}");
    let short = text.trim_end_matches('0').trim_end_matches('.');
    if short == "-0" { "0".into() } else { short.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(value: f64, lo: f64, hi: f64) -> Figure {
        Figure::Known { value, lo, hi, n: 40 }
    }

    #[test]
    fn the_end_of_the_interval_decides_and_not_the_value() {
        let verdict = |rule: Rule| rule.verdict;
        assert_eq!(verdict(Rule::at_least("kappa", 0.75, figure(0.9, 0.75, 1.0))), Verdict::Met);
        assert_eq!(verdict(Rule::at_least("kappa", 0.75, figure(0.9, 0.749, 1.0))), Verdict::NotMet);
        assert_eq!(verdict(Rule::at_most("ms", 20.0, figure(10.0, 8.0, 20.0))), Verdict::Met);
        assert_eq!(verdict(Rule::at_most("ms", 20.0, figure(10.0, 8.0, 21.0))), Verdict::NotMet);
        assert_eq!(verdict(Rule::at_least("kappa", 0.1, figure(f64::NAN, f64::NAN, 1.0))), Verdict::NotMet);
        assert_eq!(verdict(Rule::at_least("kappa", 0.1, Figure::undefined("none"))), Verdict::Unknown);
    }

    #[test]
    fn a_rule_is_one_line_that_says_why() {
        let said = |rule: Rule| rule.to_string();
        assert_eq!(
            said(Rule::at_least("recall of 'spam'", 0.9, figure(0.95, 0.896, 0.99))),
            "recall of 'spam' at least 0.9: not met; 0.95 (0.896 to 0.99, n = 40): the value is, but the lower end of the interval, \
             0.896, is not"
        );
        assert_eq!(
            said(Rule::at_least("kappa", 0.75, figure(0.8, 0.749_96, 0.84))),
            "kappa at least 0.75: not met; 0.8 (0.75 to 0.84, n = 40): the value is, but the lower end of the interval, 0.749960, is not"
        );
        assert_eq!(
            said(Rule::at_least("kappa", 0.75, figure(0.8, 0.76, 0.84))),
            "kappa at least 0.75: met; 0.8 (0.76 to 0.84, n = 40): the lower end of the interval, 0.76, is"
        );
        assert_eq!(
            said(Rule::at_least("kappa", 0.75, Figure::undefined("no audit case is answered yet"))),
            "kappa at least 0.75: cannot be told: no audit case is answered yet"
        );
    }
}
