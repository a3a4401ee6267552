//! What another import of a file would bring.

/// Counted against all earlier imports of the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RowsToCome {
    /// Rows that none of them has.
    pub new: usize,
    /// Ids with another text than in any of them.
    pub changed: usize,
}
