//! What comes in from outside: keys, answers of the desk, news of jobs, signals.

use ratatui::crossterm::event::KeyEvent;

use super::screens::case::attention::Nonce;
use crate::desk::browse;
use crate::desk::jobs::News;
use crate::desk::pages::Read;
use crate::desk::request::Response;

/// One thing that happened.
#[derive(Debug)]
pub(super) enum Message {
    /// A key was pressed or repeats.
    Key(KeyEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size.
    Resized,
    /// The terminal answered a question.
    Sight(Nonce),
    /// The terminal did not answer.
    NoSight,
    /// The session answered.
    Response(Box<Response>),
    /// The desk found items, or fetched them.
    Browsed(browse::Response),
    /// A job said something.
    Job(News),
    /// A page was read.
    Read(Read),
    /// The program goes on after it was stopped.
    Continued,
    /// The line is gone, or the system asks to end.
    HungUp,
}
