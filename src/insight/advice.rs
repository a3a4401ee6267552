//! Chooses the next step, and says why.

use std::fmt;

use serde::{Serialize, Serializer};

use super::ceiling::{Ceiling, StopBy, WORTH_A_ROUND};
use super::next_round::{Basis, Narrower, NextRound, Outlook};
use super::targets::{Budget, TargetStatus};
use crate::domain::figure::Figure;
use crate::domain::outstanding::Outstanding;

/// What the advice depends on.
#[derive(Clone, Debug)]
pub struct Standing<'a> {
    /// Texts in the pool.
    pub items: usize,
    /// Texts that have a prelabel.
    pub scored: usize,
    /// Texts that are labelled or were in a case.
    pub asked: usize,
    /// The newest round, and how many of its cases are left for the viewer.
    pub round: Option<(i64, usize)>,
    /// Whether this is a reviewer's copy without models, made by `assign`.
    pub is_part: bool,
    /// What the round still needs from others.
    pub others: Option<&'a Outstanding>,
    /// Training labels that the active model has not seen.
    pub new_training: usize,
    /// Whether labels from before teach otherwise than when the active model was trained.
    pub reweighed: bool,
    /// The label with too few training labels, if the head cannot be trained yet.
    pub missing: Option<&'a str>,
    /// Whether the audit answers would change zero-shot prelabels.
    pub audit_moves_shares: bool,
    /// Agreement of the active model with the experts.
    pub model_expert: &'a Figure,
    /// What that is compared with, if it is known.
    pub ceiling: Option<Ceiling<'a>>,
    /// What the task asks for.
    pub targets: &'a [TargetStatus],
    /// The answers that may be spent, where the task says so.
    pub budget: Option<Budget>,
    /// Set if people certainly agree too little, and the guideline has not changed since: a whole sentence.
    pub unclear: Option<&'a str>,
    /// The gain of the last model.
    pub gain: &'a Figure,
    /// What another round would bring.
    pub next: &'a NextRound,
}

/// What to do next. `Display` is for the command line, naming verbs; the screens have their own words, naming keys.
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
    /// All assigned cases of a reviewer's copy are done.
    GiveBack,
    /// The round has cases left for others.
    Wait { outstanding: Outstanding },
    /// A label has too few training labels for a head, but the prelabels can follow the audit answers.
    FollowAudit { missing: String },
    /// A label has too few training labels for a head.
    MineFor { missing: String },
    /// There are training labels that the model has not seen.
    Tune { new: usize },
    /// Labels from before count something else than when the model was trained, or say something else.
    TuneAgain,
    /// There is no text left to ask about.
    AllAsked { texts: usize },
    /// Every target of the task is met.
    Finish {
        /// How many there are.
        targets: usize,
    },
    /// All answers that the task allows are given, and a target is not met.
    BudgetSpent {
        budget: Budget,
        /// The targets that are not met.
        open: Vec<String>,
    },
    /// People agree too little for more labels to help.
    MendGuideline {
        /// How little, and what to do: whole sentences.
        why: String,
    },
    /// The model agrees with the experts as well as they do with each other, or with themselves.
    Stop {
        /// The model's kappa.
        model: f64,
        /// The experts' kappa.
        ceiling: f64,
        by: StopBy,
    },
    /// Another round would bring little.
    StopOrMine {
        /// What it would bring, and its price.
        outlook: Outlook,
        /// What audit answers would bring instead.
        audit: Option<Narrower>,
    },
    /// No reason against another round.
    Mine,
}

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
    let finish = (!s.targets.is_empty() && s.targets.iter().all(|target| target.rule.is_met()))
        .then_some(Advice::Finish { targets: s.targets.len() });
    if let Some(budget) = s.budget.filter(|budget| budget.is_spent() && !s.is_part) {
        let open = s.targets.iter().filter(|target| !target.rule.is_met());
        let open = open.map(|target| target.rule.wanted()).collect();
        return finish.unwrap_or(Advice::BudgetSpent { budget, open });
    }
    if left > 0 {
        return Advice::Label { left, round, unscouted: s.scored < s.items };
    }
    if s.is_part {
        return Advice::GiveBack;
    }
    if let Some(outstanding) = s.others {
        return Advice::Wait { outstanding: outstanding.clone() };
    }
    // The finish line comes before everything that would ask for more answers.
    if let Some(finish) = finish {
        return finish;
    }
    if let Some(why) = s.unclear {
        return Advice::MendGuideline { why: why.to_owned() };
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
    if s.reweighed {
        return Advice::TuneAgain;
    }
    if s.asked >= s.items {
        return Advice::AllAsked { texts: s.items };
    }
    if let (Some(model), Some(ceiling)) = (s.model_expert.value(), s.ceiling)
        && let Some((by, ceiling)) = ceiling.reached_by(model)
    {
        return Advice::Stop { model, ceiling, by };
    }
    // The curve comes first: it is about the next round, the measured gain about the last.
    let measured = s.next.outlook(s.gain, Basis::LastRound).filter(|outlook| outlook.low <= 0.0);
    match [s.next.by_curve(), measured].into_iter().flatten().find(|outlook| outlook.high < WORTH_A_ROUND) {
        Some(outlook) => Advice::StopOrMine { outlook, audit: s.next.audit },
        None => Advice::Mine,
    }
}

impl fmt::Display for Advice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Import => f.write_str("import texts: `hardcase import FILE DATA`"),
            Self::Scout => f.write_str("compute a first guess for every text: `hardcase scout FILE`"),
            Self::MineFirst => f.write_str("choose the cases of the first round: `hardcase mine FILE`"),
            Self::Label { left, round, unscouted } => {
                match left {
                    1 => write!(f, "label the last case of round {round}")?,
                    left => write!(f, "label the {left} cases left in round {round}")?,
                }
                if *unscouted {
                    f.write_str("; some texts have no prelabel yet (`hardcase scout FILE`)")?;
                }
                Ok(())
            }
            Self::GiveBack => f.write_str(
                "all assigned cases are done: return this copy, to be merged with `hardcase merge PROJECT COPY`",
            ),
            Self::Wait { outstanding } => write!(
                f,
                "wait for the other experts, or go on meanwhile (`hardcase tune FILE`, then `hardcase mine FILE --keep-open`): round {}, {outstanding}",
                outstanding.round
            ),
            Self::FollowAudit { missing } => write!(
                f,
                "update the prelabels from the audit answers (`hardcase tune FILE`), then mine another round: the model cannot learn \
                 '{missing}' yet, which has fewer than 2 training labels"
            ),
            Self::MineFor { missing } => write!(
                f,
                "mine another round (`hardcase mine FILE`): the model cannot learn '{missing}' yet, which has fewer than 2 training labels"
            ),
            Self::Tune { new } => write!(
                f,
                "train on the {new} new training labels (`hardcase tune FILE`), then mine the next round"
            ),
            Self::TuneAgain => f.write_str(
                "train again (`hardcase tune FILE`): the labels that teach have changed, or what imported ones count, since the model was trained",
            ),
            Self::AllAsked { texts } => write!(
                f,
                "you are done: you were asked about all {texts} texts. `hardcase export FILE` writes the results"
            ),
            Self::Finish { targets } => write!(
                f,
                "you are done: {} met. `hardcase export FILE` writes the results",
                match targets {
                    1 => "the target of the task is".to_owned(),
                    n => format!("all {n} targets of the task are"),
                }
            ),
            Self::BudgetSpent { budget, open } => {
                write!(f, "stop here: {budget}")?;
                match &open[..] {
                    [] => f.write_str(". `hardcase export FILE` writes the results"),
                    open => write!(
                        f,
                        ", and not yet met: {}. Raise `answers` in the task, or lower the target (`hardcase task FILE --set TASK.toml`)",
                        open.join(", ")
                    ),
                }
            }
            Self::MendGuideline { why } => write!(
                f,
                "mend the guideline before you label on (`hardcase adjudicate FILE --list` shows where people disagree). {why}"
            ),
            Self::Stop { model, ceiling, by } => {
                write!(f, "stop here if you like: {}", by.in_words(*model, *ceiling))
            }
            Self::StopOrMine { outlook, audit } => {
                write!(f, "stop here, or mine another round (`hardcase mine FILE`): {outlook}")?;
                match audit {
                    Some(narrower) => write!(
                        f,
                        "; {narrower} (with `hardcase mine FILE --budget 12`, half of the cases are audit cases)"
                    ),
                    None => Ok(()),
                }
            }
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
    use crate::domain::rule::Rule;
    use crate::domain::task_kind::TaskKind;

    static NOTHING: NextRound = NextRound {
        kind: TaskKind::One,
        cases: 60,
        gain: Figure::Undefined { undefined: String::new() },
        audit: None,
    };

    fn standing<'a>(unknown: &'a Figure) -> Standing<'a> {
        Standing {
            items: 10,
            scored: 10,
            asked: 5,
            round: Some((2, 0)),
            is_part: false,
            others: None,
            new_training: 0,
            reweighed: false,
            missing: None,
            audit_moves_shares: false,
            model_expert: unknown,
            ceiling: None,
            targets: &[],
            budget: None,
            unclear: None,
            gain: unknown,
            next: &NOTHING,
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
        let outstanding = Outstanding {
            round: 2,
            cases: 60,
            first: 1,
            more: 6,
            by: [("bob".into(), 5), ("cy".into(), 2)].into(),
        };
        let unknown_yet = standing(&unknown);
        let waits = advice(&Standing { others: Some(&outstanding), new_training: 9, ..unknown_yet });
        assert_eq!(waits, Advice::Wait { outstanding: outstanding.clone() });
        assert!(waits.to_string().ends_with(
            "round 2, 53 of 60 cases complete, 1 needs a first answer, 6 need a second answer (bob can answer 5 of them, cy 2)"
        ));
        let early = at(|s| (s.round, s.scored) = (Some((1, 7)), 3));
        assert_eq!(early, Advice::Label { left: 7, round: 1, unscouted: true });
        assert_eq!(at(|s| s.missing = Some("spam")), Advice::MineFor { missing: "spam".into() });
        let moved = at(|s| (s.missing, s.audit_moves_shares) = (Some("spam"), true));
        assert_eq!(moved, Advice::FollowAudit { missing: "spam".into() });
        assert_eq!(at(|s| s.new_training = 3), Advice::Tune { new: 3 });
        assert_eq!(at(|s| (s.new_training, s.is_part) = (3, true)), Advice::GiveBack);
        assert_eq!(at(|s| (s.new_training, s.reweighed) = (3, true)), Advice::Tune { new: 3 });
        assert_eq!(at(|s| (s.asked, s.reweighed) = (10, true)), Advice::TuneAgain);
        assert_eq!(at(|_| ()), Advice::Mine);
        assert_eq!(at(|s| s.asked = 10), Advice::AllAsked { texts: 10 });
        assert_eq!(at(|s| (s.asked, s.new_training) = (10, 3)), Advice::Tune { new: 3 });
    }

    #[test]
    fn the_finish_line_comes_first_and_only_lower_ends_cross_it() {
        let unknown = Figure::undefined("-");
        let target = |lo| TargetStatus {
            rule: Rule::at_least("kappa", 0.75, Figure::Known { value: 0.9, lo, hi: 1.0, n: 60 }),
            missing: None,
        };
        let at = |lo, change: fn(&mut Standing<'_>)| {
            let targets = [target(0.8), target(lo)];
            let mut s = Standing { new_training: 3, targets: &targets, ..standing(&unknown) };
            change(&mut s);
            advice(&s)
        };
        assert_eq!(at(0.75, |_| ()), Advice::Finish { targets: 2 });
        assert_eq!(at(0.74, |_| ()), Advice::Tune { new: 3 }, "the value of 0.9 alone is not enough");
        let left = Advice::Label { left: 7, round: 2, unscouted: false };
        assert_eq!(at(0.75, |s| s.round = Some((2, 7))), left, "a round is finished first");
        let spent = |s: &mut Standing<'_>| {
            s.round = Some((2, 7));
            s.budget = Some(Budget { spent: 400, of: 400 });
        };
        assert_eq!(at(0.75, spent), Advice::Finish { targets: 2 });
        let says = at(0.74, spent).to_string();
        assert!(
            says.contains("400 answers of at most 400 given, and not yet met: kappa at least 0.75"),
            "{says}"
        );
        let mend = at(0.74, |s| s.unclear = Some("People agree by only 0.40."));
        assert_eq!(mend, Advice::MendGuideline { why: "People agree by only 0.40.".into() });
        assert_eq!(at(0.75, |s| s.unclear = Some("-")), Advice::Finish { targets: 2 });
        let nothing_asked = advice(&Standing { new_training: 3, ..standing(&unknown) });
        assert_eq!(nothing_asked, Advice::Tune { new: 3 }, "no target is not all targets met");
    }

    #[test]
    fn the_command_line_has_each_advice_in_one_sentence_with_its_verb() {
        let missing = || "spam".to_owned();
        for (advice, verb) in [
            (Advice::Import, "hardcase import"),
            (Advice::Scout, "hardcase scout"),
            (Advice::MineFirst, "hardcase mine"),
            (Advice::Label { left: 7, round: 1, unscouted: true }, "label the 7 cases left in round 1; some"),
            (Advice::GiveBack, "hardcase merge PROJECT COPY"),
            (Advice::FollowAudit { missing: missing() }, "audit answers (`hardcase tune"),
            (Advice::MineFor { missing: missing() }, "cannot learn 'spam' yet"),
            (Advice::Tune { new: 3 }, "train on the 3"),
            (Advice::TuneAgain, "train again (`hardcase tune"),
            (Advice::AllAsked { texts: 10 }, "hardcase export FILE"),
            (Advice::Mine, "the next round"),
            (Advice::Finish { targets: 1 }, "the target of the task is met. `hardcase export"),
            (Advice::BudgetSpent { budget: Budget { spent: 9, of: 9 }, open: Vec::new() }, "hardcase export"),
            (Advice::MendGuideline { why: "So little.".into() }, "hardcase adjudicate FILE --list"),
        ] {
            assert!(advice.to_string().contains(verb), "{advice}");
            assert_eq!(serde_json::to_value(&advice).unwrap(), advice.to_string());
        }
    }

    #[test]
    fn at_the_ceiling_it_says_stop() {
        let ceiling = Figure::Known { value: 0.8, lo: 0.7, hi: 0.9, n: 60 };
        let model = Figure::Known { value: 0.75, lo: 0.6, hi: 0.85, n: 60 };
        let unknown = Figure::undefined("-");
        let at = |ceiling| advice(&Standing { model_expert: &model, ceiling, ..standing(&model) });
        let stop = Advice::Stop { model: 0.75, ceiling: 0.8, by: StopBy::Experts };
        assert_eq!(at(Ceiling::of(&ceiling, &unknown)), stop);
        assert_eq!(at(Ceiling::of(&ceiling, &model)), stop, "the experts' own comes second");
        assert!(stop.to_string().ends_with("(0.75) about as well as they agree with each other (0.80)"));
        assert_eq!(Ceiling::of(&unknown, &unknown), None);
    }

    #[test]
    fn inconsistent_or_too_few_repeated_answers_are_no_ceiling() {
        let figure = |value, lo, hi, n| Figure::Known { value, lo, hi, n };
        let unknown = Figure::undefined("-");
        let model = figure(0.36, 0.2, 0.5, 60);
        let (against_himself, few) = (figure(-0.36, -0.67, 0.0, 5), figure(0.3, 0.1, 0.9, 12));
        let chance = figure(0.2, -0.05, 0.45, 80);
        for people in [&against_himself, &few, &chance] {
            for (experts, own) in [(people, &unknown), (&unknown, people)] {
                let ceiling = Ceiling::of(experts, own);
                let next = advice(&Standing { model_expert: &model, ceiling, ..standing(&unknown) });
                assert_eq!((ceiling, next), (None, Advice::Mine), "{people}");
            }
        }
        let missing = |own| Ceiling::missing(&unknown, own).unwrap();
        assert!(missing(&few).ends_with("not known yet (12 of the 30 cases needed)."));
        assert!(missing(&chance).contains("only by chance"), "{}", missing(&chance));
        assert_eq!(Ceiling::missing(&unknown, &unknown), None, "that is said by the figures themselves");
        let enough = figure(0.85, 0.6, 1.0, 40);
        assert_eq!(Ceiling::of(&few, &enough), Some(Ceiling::Own(&enough)));
        assert_eq!(Ceiling::missing(&few, &enough), None);
    }

    #[test]
    fn one_experts_ceiling_is_self_agreement_and_the_model_must_be_near_it() {
        let unknown = Figure::undefined("-");
        let own = Figure::Known { value: 0.85, lo: 0.5, hi: 1.0, n: 34 };
        let model = |value| Figure::Known { value, lo: 0.6, hi: 0.9, n: 60 };
        let at = |model: &Figure| {
            let ceiling = Ceiling::of(&unknown, &own);
            advice(&Standing { model_expert: model, ceiling, ..standing(&unknown) })
        };
        assert_eq!(at(&model(0.7)), Advice::Mine, "within a wide interval alone it is not there yet");
        let stop = at(&model(0.82));
        assert_eq!(
            stop.to_string(),
            "stop here if you like: the model agrees with the experts (0.82) about as well as they agree with their own earlier \
             answers to 34 cases (0.85)"
        );
    }

    #[test]
    fn if_another_round_would_bring_little_it_says_so_with_the_price_and_the_audit() {
        let unknown = Figure::undefined("-");
        let figure = |lo, hi| Figure::Known { value: (lo + hi) / 2.0, lo, hi, n: 60 };
        let audit = Some(Narrower { cases: 40, from: 0.2, to: 0.15, kind: TaskKind::One });
        let next = |gain: &Figure| NextRound { kind: TaskKind::One, cases: 60, gain: gain.clone(), audit };
        let at = |gain: &Figure, next: &NextRound| advice(&Standing { gain, next, ..standing(&unknown) });
        let little = at(&unknown, &next(&figure(0.0, 0.03)));
        assert_eq!(
            little.to_string(),
            "stop here, or mine another round (`hardcase mine FILE`): another 60 labels would probably add 0.00 to 0.03 to kappa; 40 more \
             audit answers would narrow the whole pool's kappa from ±0.20 to ±0.15 (with `hardcase mine FILE --budget 12`, half of the \
             cases are audit cases)"
        );
        assert_eq!(at(&unknown, &next(&figure(0.0, 0.07))), Advice::Mine);
        let measured = at(&figure(-0.02, 0.03), &next(&unknown));
        assert!(
            measured.to_string().contains("changed kappa by -0.02 to +0.03, and another 60"),
            "{measured}"
        );
        assert_eq!(at(&figure(-0.02, 0.09), &next(&unknown)), Advice::Mine, "too wide to say");
        assert_eq!(at(&figure(0.01, 0.04), &next(&unknown)), Advice::Mine, "it still gains");
    }
}
