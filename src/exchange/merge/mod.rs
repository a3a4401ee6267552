//! `merge`: copies of a project, and logs of labels, come together in one file.

mod compare;
mod leads;
mod report;
mod work;

pub use compare::Brought;
pub(crate) use compare::brought;
pub use report::MergeReport;
pub(crate) use work::merge_log;
pub use work::{Mode, merge};
