//! An expert's answers in a round, each with what the model that chose the round's cases had predicted.

use crate::domain::answer::Answer;
use crate::domain::fault::Result;
use crate::domain::ids::{ExpertId, PredictorId};
use crate::store::db::convert::f32_values;
use crate::store::db::open::Store;
use crate::store::db::person::ME;

/// An answer and the prelabel of its text.
#[derive(Clone, Debug, PartialEq)]
pub struct AnswerAndPrelabel {
    pub answer: Answer,
    /// Which model predicted it.
    pub predictor: PredictorId,
    /// One probability a label.
    pub probabilities: Vec<f32>,
}

impl Store {
    /// Of one expert, in the round of this number; repeats are left out.
    pub fn answers_and_prelabels(&self, expert: ExpertId, round: i64) -> Result<Vec<AnswerAndPrelabel>> {
        let sql = format!(
            "SELECT a.answer, r.predictor, p.probabilities
             FROM round r JOIN label_case c ON c.round = r.id AND c.reason <> 'repeat' AND c.withdrawn_ms IS NULL
             JOIN current_answer a ON a.item = c.item AND a.person = {ME} AND a.action = 'set'
             JOIN prediction p ON p.predictor = r.predictor AND p.item = c.item
             WHERE r.number = ?2 ORDER BY c.position"
        );
        self.all_rows_of(&sql, (expert, round), "read the answers of the round", |r| {
            Ok(AnswerAndPrelabel {
                answer: r.get(0)?,
                predictor: r.get(1)?,
                probabilities: f32_values(&r.get::<_, Vec<u8>>(2)?).collect(),
            })
        })
    }
}
