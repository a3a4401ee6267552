//! The thread that reads whole pages for a screen: figures take seconds, and nobody waits for them.

use std::path::Path;

use super::latest::Latest;
use crate::domain::fault::Result;
use crate::insight::agreement::{AgreementReport, agreement};
use crate::insight::project::{Project, project};
use crate::insight::status::{Status, status};

/// A page that takes time to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Page {
    /// Where the project stands.
    Progress,
    /// What it is made of.
    Project,
    /// Whether the experts agree.
    Agreement,
}

/// A page that was read.
#[derive(Debug)]
pub enum Read {
    /// Where the project stands.
    Progress(Result<Box<Status>>),
    /// What it is made of.
    Project(Result<Box<Project>>),
    /// Whether the experts agree.
    Agreement(Result<Box<AgreementReport>>),
}

/// Starts the thread for this expert; `tell` is called on it with each page. A page asked for while another is read is read next, and of several
/// only the last.
///
/// # Errors
/// The system gives no more threads.
pub fn start(path: &Path, expert: &str, tell: impl Fn(Read) + Send + 'static) -> Result<Latest<Page>> {
    let (path, expert) = (path.to_owned(), expert.to_owned());
    Latest::start("pages", move |page, _| {
        tell(match page {
            Page::Progress => Read::Progress(status(&path, &expert).map(Box::new)),
            Page::Project => Read::Project(project(&path).map(Box::new)),
            Page::Agreement => Read::Agreement(agreement(&path, &expert).map(Box::new)),
        });
    })
}
