//! A session whose project is taken away while it is open: it stops at once, and what was labelled is kept.

use super::rescue::write_rescue;
use super::session::Session;
use super::shown::Over;
use crate::domain::event::NewEvent;
use crate::domain::fault::{Fault, FaultKind, Result};
use crate::domain::grouped::counted;
use crate::store::log::events::{Appended, Known, Reveals};

impl Session {
    /// Appends an event to the log, if the file is there.
    pub(super) fn append_safely(
        &mut self,
        event: NewEvent,
        reveals: Reveals,
        known: Known,
    ) -> Result<Appended> {
        if let Some(over) = &self.over {
            return Err(over.fault("save the label"));
        }
        let done = self.store.append_knowing(self.session, event, reveals, known);
        self.keep_safe(done)
    }

    /// Whether the project is still the file that was opened; looked at where nobody asks for anything. Says so once.
    ///
    /// # Errors
    /// It is not.
    pub fn look_after_file(&mut self) -> Result<()> {
        if self.over.is_some() {
            return Ok(());
        }
        let there = self.store.check_still_there("go on");
        self.keep_safe(there)
    }

    /// Hands a result on. If it says that the project was taken away, the labels of the session are written to a file of their own first.
    pub(super) fn keep_safe<T>(&mut self, done: Result<T>) -> Result<T> {
        match done {
            Err(fault) if fault.is_displaced() => {
                if self.over.is_none() {
                    self.over = Some(self.rescue(fault.why()));
                }
                Err(self.over.as_ref().map_or(fault, |over| over.fault("go on")))
            }
            done => done,
        }
    }

    fn rescue(&self, why: &str) -> Over {
        let project = self.store.path();
        let log = self.store.log_to_rescue();
        let labels = counted(self.store.events_in_hand(), "label event", "label events");
        let orphan = self.store.leave_place_clean();
        let aside = orphan.map_or_else(String::new, |log| {
            format!(". The log of the file that was open is kept as {}", log.display())
        });
        let over = |hint| Over { why: why.to_owned(), hint, kept_in: None };
        if log.events.is_empty() {
            return over(format!("Nothing was labelled here since it was opened{aside}"));
        }
        let drive_is_gone = self.store.drive_is_gone();
        match write_rescue(project, &log, drive_is_gone) {
            Ok(file) => {
                let way = if drive_is_gone {
                    "Connect the drive again. Then "
                } else if project.exists() {
                    ""
                } else {
                    "Put the project back in its place, or restore a backup (`hardcase restore`). Then "
                };
                let bring =
                    format!("`hardcase merge {} {}` brings them in", project.display(), file.display());
                let since = format!(
                    "{labels} since you opened it, and all others that could be read, are kept in {}",
                    file.display()
                );
                Over { kept_in: Some(file), ..over(format!("{since}. {way}{bring}{aside}")) }
            }
            Err(fault) => over(format!(
                "{labels} since you opened it could not be kept either ({fault}){aside}. Do not close other windows that have this project open, and copy its folder"
            )),
        }
    }
}

impl Over {
    fn fault(&self, attempted: &str) -> Fault {
        let fault =
            Fault::new(attempted, self.why.clone()).hint(self.hint.clone()).kind(FaultKind::Displaced);
        match &self.kept_in {
            Some(file) => fault.kept_in(file.clone()),
            None => fault,
        }
    }
}
