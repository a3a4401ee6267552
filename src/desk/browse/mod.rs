//! Looking through the pool on threads of its own: one searches and streams what it finds, one fetches the rows on the screen.
//!
//! Both answer only the newest request. They are as blind as the session: the model's view of an item that this expert has not answered does not
//! leave this folder, and nothing can be found by it.

mod messages;
mod reader;
mod search;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use messages::{
    Fetch, Fetched, Found, FullItem, ModelView, Origin, OtherAnswer, Others, Request, Response, Row, Search,
    State,
};
use reader::PoolReader;

use super::worker::{Policy, Worker};
use crate::domain::fault::Result;

/// The two threads. Dropped, they end within a piece of a search.
pub struct Browser {
    searcher: Worker<Search>,
    fetcher: Worker<Fetch>,
}

impl Browser {
    /// Starts the threads; `respond` is called on them. The project is opened with the first request.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(
        project: &Path,
        expert: &str,
        respond: impl Fn(Response) + Clone + Send + 'static,
    ) -> Result<Self> {
        let mut reader = Lazy { project: project.to_owned(), expert: expert.to_owned(), open: None };
        let fetched = respond.clone();
        let fetcher = Worker::start("fetcher", Policy::NewestOnly, move |inbox| {
            while let Some(request) = inbox.next() {
                fetched(Response::Fetched(reader.get().and_then(|reader| reader.fetch(request))));
            }
        })?;
        let mut reader = Lazy { project: project.to_owned(), expert: expert.to_owned(), open: None };
        let searcher = Worker::start("searcher", Policy::NewestOnly, move |inbox| {
            while let Some(search) = inbox.next() {
                let Search { number, .. } = search;
                let found = |found| respond(Response::Found(found));
                if let Err(fault) = reader.get().and_then(|reader| reader.find(search, inbox, found)) {
                    respond(Response::Refused { number, fault });
                }
            }
        })?;
        Ok(Self { searcher, fetcher })
    }

    /// Sends a request; the responses come through `respond`.
    pub fn send(&self, request: Request) {
        match request {
            Request::Search(search) => self.searcher.send(search),
            Request::Fetch(look) => self.fetcher.send(look),
        }
    }
}

/// A project that is opened when it is first read.
struct Lazy {
    project: PathBuf,
    expert: String,
    open: Option<PoolReader>,
}

impl Lazy {
    fn get(&mut self) -> Result<&PoolReader> {
        let open = match self.open.take() {
            Some(mut open) => {
                open.refresh()?;
                open
            }
            None => PoolReader::open(&self.project, &self.expert)?,
        };
        Ok(self.open.insert(open))
    }
}
