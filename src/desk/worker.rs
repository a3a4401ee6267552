//! The thread that sits at the desk for a screen: questions in, answers out, one at a time and in order.

use std::sync::mpsc::{self, Sender};
use std::thread::JoinHandle;

use super::request::{Request, Response};
use super::session::Session;
use crate::domain::fault::{Fault, Result};

/// A session on a thread of its own. Dropped, it finishes what was asked, then the session ends in order.
pub struct Worker {
    asks: Option<Sender<Request>>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts the thread; `tell` is called on it with each answer.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(mut session: Session, tell: impl Fn(Response) + Send + 'static) -> Result<Self> {
        let (asks, asked) = mpsc::channel::<Request>();
        let run = move || {
            for ask in asked {
                tell(session.handle(ask));
            }
            // Whoever is gone cannot be told; the next opening finds a session that did not end in order.
            drop(session.close());
        };
        let thread = std::thread::Builder::new().name("desk".into()).spawn(run).map_err(|e| {
            Fault::new("start the desk's thread", "the system gives no more threads").because(e)
        })?;
        Ok(Self { asks: Some(asks), thread: Some(thread) })
    }

    /// Asks; the answer comes through `tell`.
    pub fn ask(&self, ask: Request) {
        if let Some(asks) = &self.asks {
            // A thread that ended has told its last answer before.
            let _ = asks.send(ask);
        }
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.asks = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
