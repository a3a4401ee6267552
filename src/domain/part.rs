//! A part of a project, given to a reviewer elsewhere.

/// Whether a part comes with what computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Models {
    /// Vectors and the bytes of adapters are in it.
    Included,
    /// They stay behind.
    LeftOut,
}
