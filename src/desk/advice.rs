//! What to do next, in one sentence.

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

/// One sentence: what to do next, and why.
pub fn advice(s: &Standing<'_>) -> String {
    if s.items == 0 {
        return "import texts: `hardcase import FILE DATA`".into();
    }
    if s.scored == 0 {
        return "scout the pool, so that there is a first boundary: `hardcase scout FILE`".into();
    }
    let Some((number, left)) = s.round else {
        return "mine the first round: `hardcase mine FILE`".into();
    };
    if left > 0 {
        let scouting =
            if s.scored < s.items { "; some texts are not scouted yet (`hardcase scout FILE`)" } else { "" };
        return format!("label the {left} cases left in round {number}{scouting}");
    }
    if let Some(label) = s.missing {
        if s.audit_moves_shares {
            return format!(
                "tune (`hardcase tune FILE`), so that the prelabels follow the audit answers, then mine another round: \
                 '{label}' has fewer than 2 training labels, too few for a head"
            );
        }
        return format!(
            "mine another round (`hardcase mine FILE`): '{label}' has fewer than 2 training labels, too few for a head"
        );
    }
    if s.new_training > 0 {
        return format!(
            "tune on the {} new training labels (`hardcase tune FILE`), then mine the next round",
            s.new_training
        );
    }
    if let (Figure::Known { value, .. }, Figure::Known { value: ceiling, lo, .. }) =
        (s.model_expert, s.expert_expert)
        && value >= lo
    {
        return format!(
            "stop here if you like: the model agrees with the experts ({value:.2}) about as well as they agree with each \
             other ({ceiling:.2})"
        );
    }
    if let Figure::Known { lo, hi, .. } = s.gain
        && *lo <= 0.0
        && *hi < 0.05
    {
        return format!(
            "stop or go on: the last round changed kappa by no more than {hi:.2}; another may not pay"
        );
    }
    "mine the next round: `hardcase mine FILE`".into()
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
        assert!(at(|s| s.items = 0).contains("import"));
        assert!(at(|s| s.scored = 0).contains("scout"));
        assert!(at(|s| s.round = None).contains("first round"));
        assert!(at(|s| s.round = Some((2, 7))).contains("7 cases left in round 2"));
        assert!(at(|s| s.missing = Some("spam")).contains("'spam'"));
        let moved = at(|s| (s.missing, s.audit_moves_shares) = (Some("spam"), true));
        assert!(moved.starts_with("tune") && moved.contains("'spam'"), "{moved}");
        assert!(at(|s| s.new_training = 3).contains("tune on the 3"));
        assert!(at(|_| ()).contains("next round"));
    }

    #[test]
    fn at_the_ceiling_it_says_stop() {
        let ceiling = Figure::Known { value: 0.8, lo: 0.7, hi: 0.9, n: 60 };
        let model = Figure::Known { value: 0.75, lo: 0.6, hi: 0.85, n: 60 };
        let s = Standing { model_expert: &model, expert_expert: &ceiling, ..standing(&model) };
        assert!(advice(&s).starts_with("stop here"));
    }
}
