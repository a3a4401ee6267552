//! Cases that were skipped and whose round was closed before they came back, as those from before the first round.

use crate::store::db::person::MY_NAMES;

/// Whether the case `c` of the round `r`, which is closed, is still to come back to the person who bears the name ?1: the person skipped it once, and
/// nobody has labelled its item. Until then it is as open as a case of an open round.
pub(in crate::store) fn comes_back() -> String {
    format!(
        "(r.closed_ms IS NOT NULL AND c.withdrawn_ms IS NULL AND c.reason <> 'repeat'
          AND c.item IN (SELECT s.item FROM label_event s WHERE s.action = 'skip' AND s.expert IN {MY_NAMES})
          AND 1 = (SELECT count(*) FROM standing_event s WHERE s.item = c.item AND s.action = 'skip' AND s.expert IN {MY_NAMES})
          AND NOT EXISTS (SELECT 1 FROM standing_event s WHERE s.item = c.item AND s.action IN ('set', 'adjudicate')))"
    )
}
