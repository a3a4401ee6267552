//! The Case screen: the case, whether a label key counts for it, and what was done last.

pub(in crate::tui) mod attention;
pub(in crate::tui) mod choosing;
mod drafts;
mod finding;
mod found;
mod heard;
mod in_view;
mod no_case;
mod panes;
mod question;
mod said;
pub(in crate::tui) mod screen;
mod several;
mod shown;
mod view;

use crate::tui::screen::Tab;

pub(in crate::tui) const TAB: Tab =
    Tab { title: "Case", name: "case", keys: &["ctrl-l"], help: "the case to label" };
