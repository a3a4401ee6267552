//! What a change of state asks the outside for.

use super::attention::Nonce;
use crate::desk::ask::Ask;
use crate::desk::browse;
use crate::desk::jobs::JobKind;
use crate::desk::pages::Page;

/// Something to be carried out after the screen is drawn.
#[derive(Debug)]
pub(super) enum Effect {
    /// Ask the sitting.
    Desk(Ask),
    /// Look through the pool.
    Browse(browse::Ask),
    /// Ask the terminal where its cursor is.
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
