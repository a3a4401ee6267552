//! A file that is filled from a project and never held anything else, so that no page of it can hold what was left out.

use std::path::Path;

use rusqlite::Connection;

use crate::domain::fault::{Fault, Result};
use crate::store::db::attempt::Attempt;
use crate::store::db::migrate;
use crate::store::db::open::Store;
use crate::store::db::plain_path::plain;
use crate::store::db::private::create_private;
use crate::store::db::seals::{ALL, seal_new};
use crate::store::db::version::VERSIONS;

impl Store {
    /// Makes the file `path` and lets `fill` copy into its schema `part` from the schema `main` in one transaction, foreign keys checked at its end. Then
    /// seals the rows.
    ///
    /// # Errors
    /// The file exists, or cannot be written: then nothing is left of it.
    pub(super) fn fill_new_file(
        &self,
        path: &Path,
        fill: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<()> {
        let attempted = format!("write {}", path.display());
        create_private(path, &attempted)?;
        let made = self.filled(path, fill);
        if made.is_err() {
            let _ = std::fs::remove_file(path);
        }
        made.map_err(|f| f.while_trying(attempted))
    }

    fn filled(&self, path: &Path, fill: impl FnOnce(&Connection) -> rusqlite::Result<()>) -> Result<()> {
        let what = "write the file";
        {
            let mut part = Connection::open(plain(path)).attempting(what)?;
            part.pragma_update(None, "page_size", 4_096).attempting(what)?;
            migrate::apply(&mut part, VERSIONS)?;
        }
        let name = plain(path);
        let Some(name) = name.to_str() else {
            return Err(Fault::usage(what, "its name is not UTF-8").hint("Choose another name"));
        };
        // Sorting must not write texts to a temporary file either.
        self.conn.pragma_update(None, "temp_store", "MEMORY").attempting(what)?;
        self.conn.execute("ATTACH ?1 AS part", [name]).attempting(what)?;
        // Deferred: the project is only read, and only the new file is locked for writing.
        let filled = self
            .conn
            .execute_batch("BEGIN; PRAGMA defer_foreign_keys = ON;")
            .and_then(|()| fill(&self.conn))
            .and_then(|()| ALL.into_iter().try_for_each(|sealed| seal_new(&self.conn, "part", sealed)))
            .and_then(|()| self.conn.execute_batch("COMMIT"))
            .attempting(what);
        if filled.is_err() {
            let _ = self.conn.execute_batch("ROLLBACK");
        }
        let detached = self.conn.execute_batch("DETACH part").attempting(what);
        filled.and(detached)
    }
}
