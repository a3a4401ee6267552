//! The Agree screen: figures of agreement, the cases on which experts differ, and one of them in detail.

mod disagreement_detail;
pub(in crate::tui) mod screen;
mod view;

use crate::tui::screen::Tab;

pub(in crate::tui) const TAB: Tab = Tab {
    title: "Agree",
    name: "agreement",
    keys: &["ctrl-d"],
    help: "whether the experts agree, and where they differ",
};
