//! Figures as they were reported.

use crate::domain::fault::Result;
use crate::domain::figure::Figure;
use crate::domain::ids::{PredictorId, RoundId};
use crate::store::db::clock::now_ms;
use crate::store::db::open::Store;

impl Store {
    /// Keeps a figure as it was reported.
    pub fn add_metric(
        &mut self,
        name: &str,
        round: Option<RoundId>,
        predictor: Option<PredictorId>,
        figure: &Figure,
    ) -> Result<()> {
        let (value, lo, hi, n, undefined) = match figure {
            Figure::Known { value, lo, hi, n } => (Some(*value), Some(*lo), Some(*hi), Some(*n as i64), None),
            Figure::Undefined { undefined } => (None, None, None, None, Some(undefined.as_str())),
        };
        self.write("keep a figure", |tx| {
            tx.execute(
                "INSERT INTO metric (round, predictor, name, value, lo, hi, n, undefined, created_ms)
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
                (round, predictor, name, value, lo, hi, n, undefined, now_ms()),
            )
            .map(drop)
        })
    }
}
