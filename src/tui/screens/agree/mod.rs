//! The agreement screen: figures, disagreements, and one of them in detail.

pub(in crate::tui) mod disagreement_detail;
pub(in crate::tui) mod screen;
pub(in crate::tui) mod view;
