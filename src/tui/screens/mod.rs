//! One folder or file for each screen of the workstation.

pub mod agree;
pub mod case;
pub mod items;
pub(in crate::tui) mod jobs;
pub(in crate::tui) mod pages;
pub(in crate::tui) mod progress;
pub(in crate::tui) mod project;
