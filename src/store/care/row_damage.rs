//! Whether rows hold what was written, in the tables whose rows have their seal in themselves: when a project is opened, before anything is
//! exported, and where a row is used.

use crate::domain::fault::{Fault, Result};
use crate::store::db::open::Store;
use crate::store::db::row_seals::{Checked, ROW_SEALED};
use crate::store::db::seals::WAY_OUT;

impl Store {
    /// Which rows are not as they were written, in the tables that are looked at on these occasions. Empty where all is well.
    pub(in crate::store) fn row_damage(&self, when: &[Checked]) -> Result<Vec<String>> {
        let mut found = Vec::new();
        for sealed in ROW_SEALED.iter().filter(|sealed| when.contains(&sealed.checked)) {
            // Large bytes are not walked through before they are asked for.
            if sealed.is_last() {
                self.note_lines(&format!("PRAGMA integrity_check('{}')", sealed.table), &mut found)?;
            }
            let sql = format!("SELECT {} FROM {} WHERE {}", sealed.number, sealed.table, sealed.is_broken());
            self.note_numbers(&sql, &format!("{} are not as they were written", sealed.called), &mut found)?;
        }
        Ok(found)
    }

    /// The one rule of what goes on with a damaged file: nothing that reads labels or writes any, which is every verb but those that look after
    /// the file. Takes some milliseconds for a thousand labels.
    ///
    /// # Errors
    /// Labels, or the settings, cases and models that they belong to, are not as they were written.
    pub(in crate::store) fn check_opened(&self, attempted: &str) -> Result<()> {
        let mut found = self.label_damage()?;
        found.extend(self.row_damage(&[Checked::WhenOpened])?);
        refuse(attempted, &found)
    }

    /// Whether all that an export can hold is as it was written; what the project was opened with is known to be.
    ///
    /// # Errors
    /// It is not: what is wrong, and what to do.
    pub fn check_rows(&self, attempted: &str) -> Result<()> {
        refuse(attempted, &self.row_damage(&[Checked::BeforeExport])?)
    }

    /// Whether predictions can be counted: a damaged key sends a search past half of them, and no row that it finds is wrong.
    ///
    /// # Errors
    /// They do not stand in order.
    pub fn check_countable(&self, attempted: &str) -> Result<()> {
        let mut found = Vec::new();
        self.note_lines("PRAGMA quick_check('prediction')", &mut found)?;
        self.note_numbers(
            "SELECT predictor FROM prediction GROUP BY predictor HAVING predictor NOT IN (SELECT id FROM predictor)",
            "predictors of predictions are gone",
            &mut found,
        )?;
        refuse(attempted, &found)
    }

    /// Whether every row of the file is as it was written.
    ///
    /// # Errors
    /// Those of [`Self::check_rows`].
    pub fn check_all_rows(&self, attempted: &str) -> Result<()> {
        refuse(
            attempted,
            &self.row_damage(&[Checked::WhenOpened, Checked::BeforeExport, Checked::WhereUsed])?,
        )
    }
}

/// Refuses to go on where something was found.
pub(in crate::store) fn refuse(attempted: &str, found: &[String]) -> Result<()> {
    let Some(first) = found.first() else { return Ok(()) };
    let more = if found.len() > 1 { format!(" (and {} more)", found.len() - 1) } else { String::new() };
    Err(Fault::new(attempted, format!("the project file is damaged: {first}{more}")).hint(WAY_OUT))
}
