//! The thread that reads whole pages for a screen: figures take seconds, and nobody waits for them.
//!
//! It knows no page: a request brings the function that reads one, and each screen knows its own by their type.

use std::any::{Any, TypeId};
use std::fmt;
use std::path::Path;

use super::worker::{Policy, Worker};
use crate::domain::fault::Result;

type Content = Result<Box<dyn Any + Send>>;
type ReadPage = Box<dyn FnOnce(&Path, &str) -> Content + Send>;

/// The request for a page of one type.
pub struct PageRequest {
    of: TypeId,
    read: ReadPage,
}

impl PageRequest {
    /// A page that `read` reads from the project at a path, as the expert of a name may see it.
    pub fn new<T: Any + Send>(read: fn(&Path, &str) -> Result<T>) -> Self {
        let read = move |project: &Path, expert: &str| {
            read(project, expert).map(|page| Box::new(page) as Box<dyn Any + Send>)
        };
        Self { of: TypeId::of::<T>(), read: Box::new(read) }
    }
}

impl fmt::Debug for PageRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PageRequest").field(&self.of).finish()
    }
}

/// A page that was read, or why it could not be.
#[derive(Debug)]
pub struct Page {
    of: TypeId,
    content: Content,
}

impl Page {
    /// A page of one type.
    pub fn new<T: Any + Send>(content: Result<T>) -> Self {
        let content = content.map(|page| Box::new(page) as Box<dyn Any + Send>);
        Self { of: TypeId::of::<T>(), content }
    }

    /// Whether it is of this type.
    pub fn is<T: Any>(&self) -> bool {
        self.of == TypeId::of::<T>()
    }

    /// What was read; none where the page is of another type.
    pub fn into_content<T: Any>(self) -> Option<Result<Box<T>>> {
        match self.content {
            Ok(page) => page.downcast().ok().map(Ok),
            Err(fault) if self.of == TypeId::of::<T>() => Some(Err(fault)),
            Err(_) => None,
        }
    }
}

/// Starts the thread for this expert; `respond` is called on it with each page. A page asked for while another is read is read next, and of
/// several only the last.
///
/// # Errors
/// The system gives no more threads.
pub fn start(
    project: &Path,
    expert: &str,
    respond: impl Fn(Page) + Send + 'static,
) -> Result<Worker<PageRequest>> {
    let (project, expert) = (project.to_owned(), expert.to_owned());
    Worker::start("pages", Policy::NewestOnly, move |inbox| {
        while let Some(PageRequest { of, read }) = inbox.next() {
            respond(Page { of, content: read(&project, &expert) });
        }
    })
}
