//! What is whole of a damaged file, row by row in a new one: damage costs the rows that it touches, and each of them is accounted for.
//!
//! The damaged file is only read, and it is a copy. Lists and indexes that follow from other tables are made anew; a text must belong to its
//! key and a row that labels rest on to its seal, or it stays behind. A row that is one bit away from its hash gets that bit back.

mod cells;
mod file_header;
mod lent;
mod references;
mod scan;
mod tables;

pub use file_header::{bring_up_to_date, mend_header};
pub use tables::{Lost, Salvage, salvage};
