//! The Progress screen: what to do next, and how well the model does.

pub(in crate::tui) mod screen;
mod view;

use crate::tui::screen::Tab;

pub(in crate::tui) const TAB: Tab = Tab {
    title: "Progress",
    name: "progress",
    keys: &["ctrl-o"],
    help: "what to do next, and how good the model is",
};
