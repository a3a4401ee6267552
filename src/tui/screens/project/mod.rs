//! The Project screen: what the project is made of.

pub(in crate::tui) mod screen;
mod view;

use crate::tui::screen::Tab;

pub(in crate::tui) const TAB: Tab =
    Tab { title: "Project", name: "project", keys: &["ctrl-e"], help: "the task, the models, the file" };
