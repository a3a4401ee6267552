//! The Case screen: the case, whether a label key counts for it, and what was done last.

pub(in crate::tui) mod attention;
mod drafts;
pub(in crate::tui) mod screen;
mod view;

use crate::tui::screen::Tab;

pub(in crate::tui) const TAB: Tab =
    Tab { title: "Case", name: "case", keys: &["ctrl-l"], help: "the case to label" };
