//! The case screen: one text, its labels, and whether a label key counts.

pub(in crate::tui) mod attention;
pub(in crate::tui) mod screen;
pub(in crate::tui) mod view;
