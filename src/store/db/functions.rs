//! SQL functions that the statements of this room use.

use rusqlite::Connection;

use super::{row_seals, seals};
use crate::store::care::enum_columns;

/// Gives a connection all of them.
pub(in crate::store) fn install(conn: &Connection) -> rusqlite::Result<()> {
    seals::install(conn)?;
    row_seals::install(conn)?;
    enum_columns::install(conn)
}
