//! What to do next, and why.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::domain::figure::Figure;

/// What the advice depends on.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// Texts of the pool.
    pub items: usize,
    /// Texts that have a prelabel.
    pub scored: usize,
    /// The open round and its cases that are left.
    pub round: Option<(i64, usize)>,
    /// Training labels that the active model has not seen.
    pub new_training: usize,
    /// The label with too few training labels, where the head cannot be trained yet.
    pub missing: Option<&'a str>,
    /// Whether the audit answers would move zero-shot prelabels.
    pub audit_moves_shares: bool,
    /// The active model with the experts.
    pub model_expert: &'a Figure,
    /// The experts with each other.
    pub expert_expert: &'a Figure,
    /// The gain of the last model.
    pub gain: &'a Figure,
}

/// What to do next. Its words are those of the command line; a screen has its own, with its keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Advice {
    /// The pool is empty.
    Import,
    /// Nothing has a prelabel.
    Scout,
    /// There was no round yet.
    MineFirst,
    /// The round has cases left.
    Label {
        /// Cases left in the round.
        left: usize,
        /// Its number.
        round: i64,
        /// Whether some texts have no prelabel yet.
        unscouted: bool,
    },
    /// Too few training labels of a label for a head, but the prelabels can follow the audit answers.
    FollowAudit {
        /// The label.
        missing: String,
    },
    /// Too few training labels of a label for a head.
    MineFor {
        /// The label.
        missing: String,
    },
    /// There are training labels that the model has not seen.
    Tune {
        /// How many.
        new: usize,
    },
    /// The model agrees with the experts as well as they do with each other.
    Stop {
        /// The model's kappa.
        model: f64,
        /// The experts' own.
        ceiling: f64,
    },
    /// The last round changed little.
    StopOrMine {
        /// The upper end of the gain's interval.
        most: f64,
    },
    /// Nothing stands against another round.
    Mine,
}

/// What to do next, and why.
pub fn advice(s: &Standing<'_>) -> Advice {
    if s.items == 0 {
        return Advice::Import;
    }
    if s.scored == 0 {
        return Advice::Scout;
    }
    let Some((round, left)) = s.round else {
        return Advice::MineFirst;
    };
    if left > 0 {
        return Advice::Label { left, round, unscouted: s.scored < s.items };
    }
    if let Some(label) = s.missing {
        let missing = label.to_owned();
        return if s.audit_moves_shares {
            Advice::FollowAudit { missing }
        } else {
            Advice::MineFor { missing }
        };
    }
    if s.new_training > 0 {
        return Advice::Tune { new: s.new_training };
    }
    if let (Figure::Known { value: model, .. }, Figure::Known { value: ceiling, lo, .. }) =
        (s.model_expert, s.expert_expert)
        && model >= lo
    {
        return Advice::Stop { model: *model, ceiling: *ceiling };
    }
    if let Figure::Known { lo, hi, .. } = s.gain
        && *lo <= 0.0
        && *hi < 0.05
    {
        return Advice::StopOrMine { most: *hi };
    }
    Advice::Mine
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Import => f.write_str("import texts: `hardcase import FILE DATA`"),
            Self::Scout => {
                f.write_str("scout the pool, so that there is a first boundary: `hardcase scout FILE`")
            }
            Self::MineFirst => f.write_str("mine the first round: `hardcase mine FILE`"),
            Self::Label { left, round, unscouted } => {
                write!(f, "label the {left} cases left in round {round}")?;
                if *unscouted {
                    f.write_str("; some texts are not scouted yet (`hardcase scout FILE`)")?;
                }
                Ok(())
            }
            Self::FollowAudit { missing } => write!(
                f,
                "tune (`hardcase tune FILE`), so that the prelabels follow the audit answers, then mine another round: \
                 '{missing}' has fewer than 2 training labels, too few for a head"
            ),
            Self::MineFor { missing } => write!(
                f,
                "mine another round (`hardcase mine FILE`): '{missing}' has fewer than 2 training labels, too few for a head"
            ),
            Self::Tune { new } => write!(
                f,
                "tune on the {new} new training labels (`hardcase tune FILE`), then mine the next round"
            ),
            Self::Stop { model, ceiling } => write!(
                f,
                "stop here if you like: the model agrees with the experts ({model:.2}) about as well as they agree with \
                 each other ({ceiling:.2})"
            ),
            Self::StopOrMine { most } => write!(
                f,
                "stop or go on: the last round changed kappa by no more than {most:.2}; another may not pay"
            ),
            Self::Mine => f.write_str("mine the next round: `hardcase mine FILE`"),
        }
    }
}

impl Serialize for Advice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing<'a>(unknown: &'a Figure) -> Standing<'a> {
        Standing {
            items: 10,
            scored: 10,
            round: Some((2, 0)),
            new_training: 0,
            missing: None,
            audit_moves_shares: false,
            model_expert: unknown,
            expert_expert: unknown,
            gain: unknown,
        }
    }

    #[test]
    fn the_advice_follows_the_loop() {
        let unknown = Figure::undefined("-");
        let at = |change: fn(&mut Standing<'_>)| {
            let mut s = standing(&unknown);
            change(&mut s);
            advice(&s)
        };
        assert_eq!(at(|s| s.items = 0), Advice::Import);
        assert_eq!(at(|s| s.scored = 0), Advice::Scout);
        assert_eq!(at(|s| s.round = None), Advice::MineFirst);
        assert_eq!(at(|s| s.round = Some((2, 7))), Advice::Label { left: 7, round: 2, unscouted: false });
        let early = at(|s| (s.round, s.scored) = (Some((1, 7)), 3));
        assert_eq!(early, Advice::Label { left: 7, round: 1, unscouted: true });
        assert_eq!(at(|s| s.missing = Some("spam")), Advice::MineFor { missing: "spam".into() });
        let moved = at(|s| (s.missing, s.audit_moves_shares) = (Some("spam"), true));
        assert_eq!(moved, Advice::FollowAudit { missing: "spam".into() });
        assert_eq!(at(|s| s.new_training = 3), Advice::Tune { new: 3 });
        assert_eq!(at(|_| ()), Advice::Mine);
    }

    #[test]
    fn the_command_line_has_each_advice_in_one_sentence_with_its_verb() {
        let missing = || "spam".to_owned();
        for (advice, verb) in [
            (Advice::Import, "hardcase import"),
            (Advice::Scout, "hardcase scout"),
            (Advice::MineFirst, "hardcase mine"),
            (Advice::Label { left: 7, round: 1, unscouted: true }, "label the 7 cases left in round 1; some"),
            (Advice::FollowAudit { missing: missing() }, "tune (`hardcase tune"),
            (Advice::MineFor { missing: missing() }, "'spam' has fewer"),
            (Advice::Tune { new: 3 }, "tune on the 3"),
            (Advice::Mine, "the next round"),
        ] {
            assert!(advice.to_string().contains(verb), "{advice}");
            assert_eq!(serde_json::to_value(&advice).unwrap(), advice.to_string());
        }
    }

    #[test]
    fn at_the_ceiling_it_says_stop() {
        let ceiling = Figure::Known { value: 0.8, lo: 0.7, hi: 0.9, n: 60 };
        let model = Figure::Known { value: 0.75, lo: 0.6, hi: 0.85, n: 60 };
        let s = Standing { model_expert: &model, expert_expert: &ceiling, ..standing(&model) };
        assert_eq!(advice(&s), Advice::Stop { model: 0.75, ceiling: 0.8 });
        let little = Figure::Known { value: 0.01, lo: -0.02, hi: 0.03, n: 60 };
        let unknown = Figure::undefined("-");
        assert_eq!(
            advice(&Standing { gain: &little, ..standing(&unknown) }),
            Advice::StopOrMine { most: 0.03 }
        );
    }
}
