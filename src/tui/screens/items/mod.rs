//! The items screen: searching and browsing the pool.

pub(in crate::tui) mod screen;
pub(in crate::tui) mod view;
