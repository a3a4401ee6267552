//! What several screens draw with: frame, popups, help, intervals, text layout.

pub(in crate::tui) mod async_page;
#[cfg(test)]
pub(in crate::tui) mod banking77;
mod boxed;
pub(in crate::tui) mod changes;
pub(in crate::tui) mod choice;
pub(in crate::tui) mod frame;
pub(in crate::tui) mod help;
pub(in crate::tui) mod inline;
pub(in crate::tui) mod input;
pub(in crate::tui) mod interval;
pub(in crate::tui) mod label_finder;
pub(in crate::tui) mod label_list;
mod model_choice;
pub(in crate::tui) mod outcome;
pub(in crate::tui) mod popup;
pub(in crate::tui) mod results_form;
pub(in crate::tui) mod scroll;
pub(in crate::tui) mod text_layout;
