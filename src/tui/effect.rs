//! What a change of state asks the outside for.

use super::screens::case::attention::Nonce;
use super::theme::ThemeName;
use crate::desk::browse;
use crate::desk::grown::ChangedFile;
use crate::desk::jobs::JobKind;
use crate::desk::pages::PageRequest;
use crate::desk::request::Request;
use crate::desk::results::{Results, Wanted};

/// Something to be carried out after the screen is drawn.
#[derive(Debug)]
pub(super) enum Effect {
    /// Send this to the session.
    Session(Request),
    /// Search the pool, or fetch items of it.
    Browse(browse::Request),
    /// Read a page.
    Read(PageRequest),
    /// Ask the terminal where its cursor is.
    AskCursor(Nonce),
    /// Look for new rows of imported files, and for texts that the model has not read.
    LookForNew,
    /// Add what is new in these files.
    AddNew(Vec<ChangedFile>),
    /// Start jobs, one after the other.
    Start(Vec<JobKind>),
    /// List the models of this machine that can judge.
    ListJudges,
    /// Start the judge: the model of this name or path, or the one that judged before where it is empty.
    Judge(String),
    /// Count how much results of a kind would be.
    CountResults(Results),
    /// Read how good the labels are.
    AssessResults,
    /// Write results.
    WriteResults(Box<Wanted>),
    /// Keep this theme for the next time.
    KeepTheme(ThemeName),
    /// Look for jobs of other processes.
    Follow,
    /// Tell the running job to stop.
    Stop,
    /// Draw every cell again.
    Redraw,
    /// Take the terminal over again.
    Retake,
    /// Go to the shell for a while.
    Suspend,
}
