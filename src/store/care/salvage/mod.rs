//! What is whole of a damaged file, row by row in a new one: damage costs the rows that it touches, and each of them is accounted for.
//!
//! The damaged file is only read, and it is a copy. Lists and indexes that follow from other tables are built again; a text must belong to its
//! key and a row that labels rest on to its seal, or it stays behind. Nothing is guessed: what is gone comes back from a backup, by `restore`
//! or `merge`.

mod accounts;
mod cells;
mod file_header;
mod references;
mod scan;
mod tables;

pub use file_header::mend_header;
pub use tables::{Lost, Salvage, salvage};
