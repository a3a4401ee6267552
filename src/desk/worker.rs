//! A thread that answers requests for a screen: requests go in over a bounded queue, responses come out through a callback.
//!
//! The session answers every request in order. A thread that only reads answers the newest: a waiting request is replaced, and the one being
//! answered can see that it is obsolete.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::domain::fault::{Fault, Result};

/// Requests that may wait before the sender has to. Nobody types this far ahead of a working disk.
const CAPACITY: usize = 64;

/// Which requests are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Policy {
    /// All, in order. A worker that is dropped first answers the requests that still wait.
    Every,
    /// Only the newest of those that wait. A worker that is dropped stops at once, which is safe because it only reads.
    NewestOnly,
}

/// The sending end.
pub struct Worker<Q> {
    queue: Arc<Queue<Q>>,
    thread: Option<JoinHandle<()>>,
}

/// What came within a time.
#[derive(Debug, PartialEq, Eq)]
pub enum Came<Q> {
    Request(Q),
    /// Nothing did.
    Nothing,
    /// The worker is dropped: nothing more will come.
    Closed,
}

/// The receiving end, on the thread.
pub struct Inbox<Q> {
    queue: Arc<Queue<Q>>,
}

struct Queue<Q> {
    policy: Policy,
    state: Mutex<State<Q>>,
    changed: Condvar,
}

struct State<Q> {
    waiting: VecDeque<Q>,
    closed: bool,
    /// Whether the thread is done.
    ended: bool,
}

impl<Q> Queue<Q> {
    fn lock(&self) -> MutexGuard<'_, State<Q>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State<Q>>) -> MutexGuard<'s, State<Q>> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }
}

impl<Q> Inbox<Q> {
    /// The next request; waits for one. None once the worker is dropped.
    pub fn next(&self) -> Option<Q> {
        let mut state = self.queue.lock();
        loop {
            let given_up = state.closed && self.queue.policy == Policy::NewestOnly;
            if let Some(request) = state.waiting.pop_front().filter(|_| !given_up) {
                self.queue.changed.notify_all();
                return Some(request);
            }
            if state.closed {
                return None;
            }
            state = self.queue.wait(state);
        }
    }

    /// The next request, if it comes within that time.
    pub fn next_within(&self, time: Duration) -> Came<Q> {
        let until = Instant::now() + time;
        let mut state = self.queue.lock();
        loop {
            let given_up = state.closed && self.queue.policy == Policy::NewestOnly;
            if let Some(request) = state.waiting.pop_front().filter(|_| !given_up) {
                self.queue.changed.notify_all();
                return Came::Request(request);
            }
            if state.closed {
                return Came::Closed;
            }
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero())
            else {
                return Came::Nothing;
            };
            state = self.queue.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Whether the request being answered is obsolete.
    pub fn is_outdated(&self) -> bool {
        let state = self.queue.lock();
        self.queue.policy == Policy::NewestOnly && (state.closed || !state.waiting.is_empty())
    }
}

impl<Q> Drop for Inbox<Q> {
    /// However the thread ends, no sender is left waiting.
    fn drop(&mut self) {
        self.queue.lock().ended = true;
        self.queue.close();
    }
}

impl<Q: Send + 'static> Worker<Q> {
    /// Starts the thread. `serve` takes requests from the inbox until there are no more.
    ///
    /// # Errors
    /// The system gives no more threads.
    pub fn start(name: &str, policy: Policy, serve: impl FnOnce(&Inbox<Q>) + Send + 'static) -> Result<Self> {
        let state = Mutex::new(State { waiting: VecDeque::new(), closed: false, ended: false });
        let queue = Arc::new(Queue { policy, state, changed: Condvar::new() });
        let inbox = Inbox { queue: Arc::clone(&queue) };
        let thread = std::thread::Builder::new().name(name.into()).spawn(move || serve(&inbox));
        let thread = thread.map_err(|e| {
            Fault::new(format!("start the thread '{name}'"), "the system gives no more threads").because(e)
        })?;
        Ok(Self { queue, thread: Some(thread) })
    }

    /// Takes no more requests, and waits that long for those that were sent. False if the thread is still at them: it is left to itself then.
    pub fn end_within(mut self, time: Duration) -> bool {
        self.queue.close();
        let (state, _) = self
            .queue
            .changed
            .wait_timeout_while(self.queue.lock(), time, |state| !state.ended)
            .unwrap_or_else(PoisonError::into_inner);
        let ended = state.ended;
        drop(state);
        if !ended {
            self.thread = None;
        }
        ended
    }

    /// Sends a request. If every request is answered and the queue is full, waits for room.
    pub fn send(&self, request: Q) {
        let mut state = self.queue.lock();
        if self.queue.policy == Policy::NewestOnly {
            state.waiting.clear();
        }
        while state.waiting.len() >= CAPACITY && !state.closed {
            state = self.queue.wait(state);
        }
        state.waiting.push_back(request);
        self.queue.changed.notify_all();
    }
}

impl<Q> Drop for Worker<Q> {
    fn drop(&mut self) {
        self.queue.close();
        if let Some(thread) = self.thread.take().filter(|_| self.queue.policy == Policy::Every) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn a_newer_request_replaces_one_that_waits() {
        let (answered, answers) = mpsc::channel();
        let (go, gate) = mpsc::channel::<()>();
        let worker = Worker::start("test", Policy::NewestOnly, move |inbox| {
            while let Some(request) = inbox.next() {
                gate.recv().unwrap();
                answered.send((request, inbox.is_outdated())).unwrap();
            }
        })
        .unwrap();
        worker.send(1);
        // The first is taken before the others come: nothing else empties the queue.
        while !worker.queue.lock().waiting.is_empty() {
            std::thread::yield_now();
        }
        worker.send(2);
        worker.send(3);
        go.send(()).unwrap();
        assert_eq!(answers.recv().unwrap(), (1, true));
        go.send(()).unwrap();
        assert_eq!(answers.recv().unwrap(), (3, false));
    }

    #[test]
    fn every_request_is_answered_in_order_before_a_worker_is_gone() {
        let (answered, answers) = mpsc::channel();
        let worker = Worker::start("test", Policy::Every, move |inbox| {
            while let Some(request) = inbox.next() {
                answered.send(request).unwrap();
            }
        })
        .unwrap();
        // More than the queue holds: the sender waits for room, and loses nothing.
        let requests = 0..3 * CAPACITY;
        requests.clone().for_each(|request| worker.send(request));
        drop(worker);
        assert_eq!(answers.try_iter().collect::<Vec<_>>(), requests.collect::<Vec<_>>());
    }

    #[test]
    fn a_quiet_time_is_told_from_the_end() {
        let (came, what_came) = mpsc::channel();
        let worker = Worker::start("test", Policy::Every, move |inbox| {
            loop {
                let what = inbox.next_within(Duration::from_millis(1));
                let closed = what == Came::Closed;
                came.send(what).unwrap();
                if closed {
                    return;
                }
            }
        })
        .unwrap();
        assert_eq!(what_came.recv().unwrap(), Came::Nothing);
        worker.send(7);
        assert!(what_came.iter().any(|what| what == Came::Request(7)));
        drop(worker);
        assert_eq!(what_came.iter().last(), Some(Came::Closed));
    }

    #[test]
    fn a_thread_that_waits_for_another_is_left_to_itself_and_one_that_is_done_is_not() {
        let (go, gate) = mpsc::channel::<()>();
        let (done, finished) = mpsc::channel();
        let worker = Worker::start("test", Policy::Every, move |inbox: &Inbox<usize>| {
            while let Some(request) = inbox.next() {
                gate.recv().unwrap();
                done.send(request).unwrap();
            }
        })
        .unwrap();
        worker.send(1);
        assert!(!worker.end_within(Duration::from_millis(1)));
        go.send(()).unwrap();
        assert_eq!(finished.recv().unwrap(), 1, "what it was at is not lost");
        let worker =
            Worker::start("test", Policy::Every, |inbox: &Inbox<usize>| while inbox.next().is_some() {})
                .unwrap();
        worker.send(1);
        assert!(worker.end_within(Duration::from_secs(60)));
    }

    #[test]
    fn a_thread_that_ended_keeps_no_sender_waiting() {
        let worker = Worker::start("test", Policy::Every, |_: &Inbox<usize>| {}).unwrap();
        (0..3 * CAPACITY).for_each(|request| worker.send(request));
    }
}
