//! The Items screen: searching and reading the texts of the pool.

mod labelling;
pub(in crate::tui) mod screen;
mod sight;
mod view;

use crate::tui::screen::Tab;

pub(in crate::tui) const TAB: Tab =
    Tab { title: "Items", name: "items", keys: &["ctrl-t"], help: "all texts, and what you did with them" };
