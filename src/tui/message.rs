//! What comes in from outside: keys, responses of the desk, news of jobs, signals.

use ratatui::crossterm::event::{KeyEvent, MouseEvent};

use super::screens::case::attention::Nonce;
use crate::desk::browse;
use crate::desk::jobs::News;
use crate::desk::pages::Page;
use crate::desk::request::Response;
use crate::desk::survey;

/// One thing that happened.
#[derive(Debug)]
pub(super) enum Message {
    /// A key was pressed or repeats.
    Key(KeyEvent),
    /// The mouse was clicked, or its wheel turned.
    Mouse(MouseEvent),
    /// Text was pasted.
    Paste(String),
    /// The terminal has another size.
    Resized,
    /// The terminal said where its cursor is: what was drawn before the question has arrived.
    CursorReported(Nonce),
    /// The terminal did not say.
    CursorUnknown,
    /// The session answered.
    Session(Box<Response>),
    /// The desk found items, or fetched them.
    Browse(browse::Response),
    /// A job said something.
    Job(News),
    /// A page was read.
    Page(Page),
    /// A data file was looked at, before there is a project.
    Survey(survey::Answer),
    /// Somebody stops the program from another terminal, as Ctrl-Z does here.
    Stopped,
    /// The program goes on after it was stopped.
    Continued,
    /// The line is gone, or the system asks the program to end.
    HungUp,
}
