//! How far a search for a free case has come.

use std::time::Instant;

use crate::domain::ids::{ExpertId, RoundId};

/// Where it is: how often its cases were skipped, or 2 for those of closed rounds that come back; the round, and the position there.
pub(in crate::store) type SearchPlace = (i64, RoundId, i64);

/// One expert's search.
#[derive(Clone, Copy, Debug)]
pub(in crate::store) struct Searched {
    pub expert: ExpertId,
    pub place: SearchPlace,
    /// When all before it was looked at.
    pub since: Instant,
}
