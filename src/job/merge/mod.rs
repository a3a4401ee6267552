//! `merge`: copies of a project, and logs of labels, come together in one file.

mod compare;
mod report;
mod work;

pub use compare::Brought;
pub use report::MergeReport;
pub use work::{Mode, merge};
