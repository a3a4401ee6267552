//! The form in which a project is made, and a task is changed: pages of cells that one edits in any order.
//!
//! `cells` is what there is to edit and what may be written there, `about` says what each is for; `state` is where the person is and what each key does; `view` draws it;
//! `words` is what it says of the file;
//! `run` is the loop of a form that has the terminal to itself. It makes nothing: what was confirmed goes back to the caller.

mod about;
mod back;
mod cells;
mod keys;
mod label_names;
mod lacks;
mod leaving;
mod run;
mod state;
mod view;
mod words;

pub(in crate::tui) use state::{Form, Turn};
pub(in crate::tui) use view::draw_below_bar;

pub use run::{Filled, NewProject, Says, fill};
