//! Reading whole answers with one line.

use rusqlite::types::FromSql;
use rusqlite::{OptionalExtension, Params, Row};

use super::attempt::Attempt;
use super::open::Store;
use crate::domain::fault::Result;

impl Store {
    /// The first column of every row.
    pub(in crate::store) fn all<T: FromSql>(&self, sql: &str, what: &str) -> Result<Vec<T>> {
        self.all_rows(sql, what, |r| r.get(0))
    }

    /// Every row, read by `read`.
    pub(in crate::store) fn all_rows<T>(
        &self,
        sql: &str,
        what: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        self.all_rows_of(sql, (), what, read)
    }

    /// Every row of a query with parameters.
    pub(in crate::store) fn all_rows_of<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        what: &str,
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let mut statement = self.conn.prepare_cached(sql).attempting(what)?;
        statement.query_map(parameters, read).and_then(Iterator::collect).attempting(what)
    }

    /// The only row, where there is one.
    pub(in crate::store) fn one<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        what: &str,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>> {
        let mut statement = self.conn.prepare_cached(sql).attempting(what)?;
        statement.query_row(parameters, read).optional().attempting(what)
    }

    pub(in crate::store) fn count(&self, sql: &str, parameters: impl Params, what: &str) -> Result<usize> {
        let n: i64 = self.one(sql, parameters, what, |r| r.get(0))?.unwrap_or(0);
        Ok(usize::try_from(n).unwrap_or(0))
    }
}
