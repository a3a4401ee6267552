//! SQLite's errors as sentences.

use rusqlite::{ErrorCode, ffi};

use crate::domain::fault::{Fault, Result};

const FULL: &str = "the disk is full";
const MAKE_ROOM: &str = "Free some space and try again; everything that was saved is safe";

/// Gives an SQLite result the sentence that a person needs.
pub(in crate::store) trait Attempt<T> {
    /// `what` is an infinitive without "to": "save the label".
    fn attempting(self, what: &str) -> Result<T>;
}

impl<T> Attempt<T> for rusqlite::Result<T> {
    fn attempting(self, what: &str) -> Result<T> {
        self.map_err(|e| fault(what, e))
    }
}

/// Whether it only failed because another process had the file locked.
pub(in crate::store) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed)
    )
}

fn fault(what: &str, error: rusqlite::Error) -> Fault {
    let (why, hint): (String, &str) = match error.sqlite_error_code() {
        _ if is_busy(&error) => (
            "another program kept the project locked for 10 seconds".into(),
            "Try again. If it goes on, `hardcase status` shows which job is running",
        ),
        Some(ErrorCode::DiskFull) => (FULL.into(), MAKE_ROOM),
        // The log's index cannot grow: SQLite does not say why, and there is only one reason.
        _ if error.sqlite_error().is_some_and(|e| e.extended_code == ffi::SQLITE_IOERR_SHMSIZE) => {
            (FULL.into(), MAKE_ROOM)
        }
        Some(ErrorCode::ReadOnly) => (
            "the project file or its folder is read-only".into(),
            "Allow writing to both (chmod u+w) or work on a copy",
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            ("the project file is damaged".into(), super::seals::WAY_OUT)
        }
        Some(ErrorCode::CannotOpen | ErrorCode::PermissionDenied) => (
            "the project file cannot be opened".into(),
            "Check that it exists and that you may read and write it and its folder",
        ),
        Some(ErrorCode::SystemIoFailure) => (
            format!("the disk reported an error ({error})"),
            "Check the disk, and then the project with `hardcase doctor FILE`",
        ),
        _ => (error.to_string(), ""),
    };
    let fault = Fault::new(what, why).because(error);
    if hint.is_empty() { fault } else { fault.hint(hint) }
}
