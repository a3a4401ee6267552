//! Settings on their way from one file to another, whose items and predictors have other numbers.
//!
//! On the way out numbers become keys and UUIDs; on the way in they become the numbers of the other file, and what it does not know is dropped. Where ids
//! stand is for the types to say (`domain::predictor`, `domain::adapter`); the lines of a log keep the text.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::domain::adapter::AdapterKind;
use crate::domain::log::{AdapterLine, PredictorLine};
use crate::domain::predictor::PredictorKind;
use crate::domain::settings::{IdMap, LEFT_OUT};

/// A line of a log that carries settings.
pub(super) trait Carries {
    /// The settings with every id mapped.
    fn settings_mapped<I, J, P, Q>(&self, ids: &mut IdMap<'_, I, J, P, Q>) -> String
    where
        I: DeserializeOwned,
        J: Serialize,
        P: DeserializeOwned,
        Q: Serialize;
}

impl Carries for AdapterLine {
    fn settings_mapped<I, J, P, Q>(&self, ids: &mut IdMap<'_, I, J, P, Q>) -> String
    where
        I: DeserializeOwned,
        J: Serialize,
        P: DeserializeOwned,
        Q: Serialize,
    {
        let kind = self.adapts.parse::<AdapterKind>();
        kind.map_or_else(|_| LEFT_OUT.into(), |kind| kind.map_settings(&self.settings, ids))
    }
}

impl Carries for PredictorLine {
    fn settings_mapped<I, J, P, Q>(&self, ids: &mut IdMap<'_, I, J, P, Q>) -> String
    where
        I: DeserializeOwned,
        J: Serialize,
        P: DeserializeOwned,
        Q: Serialize,
    {
        let kind = self.predicts.parse::<PredictorKind>();
        kind.map_or_else(|_| LEFT_OUT.into(), |kind| kind.map_settings(&self.settings, ids))
    }
}
