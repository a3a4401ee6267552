//! What SQLite is taught: functions that the statements of this room use.

use rusqlite::Connection;

use super::{legible, seals};

/// Teaches a connection all of them.
pub(super) fn install(conn: &Connection) -> rusqlite::Result<()> {
    seals::install(conn)?;
    legible::install(conn)
}
