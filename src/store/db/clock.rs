//! The time as the file keeps it, also where the clock is wrong.

use std::time::{SystemTime, UNIX_EPOCH};

use uuid::{NoContext, Timestamp, Uuid};

/// UTC milliseconds since 1970.
pub(in crate::store) fn now_ms() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX))
}

/// A new id, which begins with the time. Before 1970 there is no such time, and it is random alone.
pub(in crate::store) fn new_uuid() -> Uuid {
    match SystemTime::now() < UNIX_EPOCH {
        true => Uuid::new_v7(Timestamp::from_unix(NoContext, 0, 0)),
        false => Uuid::now_v7(),
    }
}
