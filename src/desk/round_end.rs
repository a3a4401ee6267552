//! How far an expert is in a round, and what there is to say at its end.

use std::fmt;

use super::session::Session;
use super::shown::RoundProgress;
use crate::domain::fault::Result;
use crate::domain::grouped::counted;
use crate::store::rounds::round_answers::AnswerAndPrelabel;

/// How often the model that chose a round's cases agreed with one expert's answers to them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RoundAgreement {
    pub agreed: usize,
    pub of: usize,
}

impl fmt::Display for RoundAgreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cases = counted(self.of, "case", "cases");
        write!(
            f,
            "You and the model agreed on {} of {cases}. These are hard cases, so this does not tell how often it is right.",
            self.agreed
        )
    }
}

impl Session {
    /// How far this expert is in the open round. `None` if no round is open.
    pub fn round_progress(&self) -> Result<Option<RoundProgress>> {
        let place = self.store.place_in_round(self.expert)?;
        Ok(place.map(|p| RoundProgress {
            round: p.round,
            cases: p.cases,
            answered: p.answered,
            mine: p.mine,
            left: p.left,
        }))
    }

    /// How often the model agreed with this expert's answers in the round of this number. `None` where it had read none of the texts.
    pub fn round_agreement(&self, round: i64) -> Result<Option<RoundAgreement>> {
        let answers = self.store.answers_and_prelabels(self.expert, round)?;
        let (kind, predictors) = (self.task().kind, self.store.predictors()?);
        let agrees = |answer: &&AnswerAndPrelabel| {
            let model = predictors.iter().find(|model| model.id == answer.predictor);
            model.is_some_and(|model| model.answer(kind, &answer.probabilities) == answer.answer)
        };
        let agreed = answers.iter().filter(agrees).count();
        Ok((!answers.is_empty()).then_some(RoundAgreement { agreed, of: answers.len() }))
    }
}
