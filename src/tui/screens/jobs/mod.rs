//! The Jobs screen: what runs, what can be started, what ended and how.

pub(in crate::tui) mod screen;
pub(in crate::tui) mod view;

use crate::tui::screen::Tab;

pub(in crate::tui) const TAB: Tab =
    Tab { title: "Jobs", name: "jobs", keys: &["ctrl-k"], help: "what is running, and what can be started" };
