//! A thread for questions of which only the newest matters: one that waits is replaced, and one that is being answered can see it.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::domain::fault::{Fault, Result};

/// The asking end. Dropped, it ends the thread once its answer is done, which nobody waits for: it only reads.
pub struct Latest<Q> {
    slot: Arc<Slot<Q>>,
}

struct Slot<Q> {
    waiting: Mutex<Waiting<Q>>,
    bell: Condvar,
}

struct Waiting<Q> {
    question: Option<Q>,
    closed: bool,
}

/// What the answering end can ask while it works.
pub struct Newer<'s, Q>(&'s Slot<Q>);

impl<Q> Newer<'_, Q> {
    /// Whether this answer is not wanted any more.
    pub fn is_waiting(&self) -> bool {
        let waiting = self.0.lock();
        waiting.closed || waiting.question.is_some()
    }
}

impl<Q> Slot<Q> {
    fn lock(&self) -> MutexGuard<'_, Waiting<Q>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn next(&self) -> Option<Q> {
        let mut waiting = self.lock();
        loop {
            if let Some(question) = waiting.question.take() {
                return Some(question);
            }
            if waiting.closed {
                return None;
            }
            waiting = self.bell.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<Q: Send + 'static> Latest<Q> {
    /// Starts the thread, which answers by `serve`.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(name: &str, mut serve: impl FnMut(Q, &Newer<'_, Q>) + Send + 'static) -> Result<Self> {
        let waiting = Mutex::new(Waiting { question: None, closed: false });
        let slot = Arc::new(Slot { waiting, bell: Condvar::new() });
        let heard = Arc::clone(&slot);
        let run = move || {
            while let Some(question) = heard.next() {
                serve(question, &Newer(&heard));
            }
        };
        std::thread::Builder::new().name(name.into()).spawn(run).map_err(|e| {
            Fault::new(format!("start the thread '{name}'"), "the system gives no more threads").because(e)
        })?;
        Ok(Self { slot })
    }

    /// Asks; a question that still waits is forgotten.
    pub fn ask(&self, question: Q) {
        self.slot.lock().question = Some(question);
        self.slot.bell.notify_one();
    }
}

impl<Q> Drop for Latest<Q> {
    fn drop(&mut self) {
        self.slot.lock().closed = true;
        self.slot.bell.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_newer_question_replaces_one_that_waits() {
        let (answered, answers) = mpsc::channel();
        let (go, gate) = mpsc::channel::<()>();
        let latest = Latest::start("test", move |question: u32, newer| {
            gate.recv().unwrap();
            answered.send((question, newer.is_waiting())).unwrap();
        })
        .unwrap();
        latest.ask(1);
        // The first is taken before the others come: nothing else empties the slot.
        while latest.slot.lock().question.is_some() {
            std::thread::yield_now();
        }
        latest.ask(2);
        latest.ask(3);
        go.send(()).unwrap();
        assert_eq!(answers.recv().unwrap(), (1, true));
        go.send(()).unwrap();
        assert_eq!(answers.recv().unwrap(), (3, false));
    }
}
