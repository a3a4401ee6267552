//! What a change of state asks the outside for.

use super::screens::case::attention::Nonce;
use crate::desk::browse;
use crate::desk::jobs::JobKind;
use crate::desk::pages::Page;
use crate::desk::request::Request;

/// Something to be carried out after the screen is drawn.
#[derive(Debug)]
pub(super) enum Effect {
    /// Request the session.
    Desk(Request),
    /// Look through the pool.
    Browse(browse::Request),
    /// Request the terminal where its cursor is.
    Sight(Nonce),
    /// Read a page.
    Read(Page),
    /// Start a job.
    Start(Vec<JobKind>),
    /// Start the judge: the file of this path, or who judged before where it is empty.
    Judge(String),
    /// Look for jobs of other processes.
    Follow,
    /// Tell the running job to stop.
    Stop,
    /// Draw every cell anew.
    Redraw,
    /// Take the terminal over again.
    Retake,
    /// Go to the shell for a while.
    Suspend,
}
