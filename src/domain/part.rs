//! A part of a project: a copy with cases for a reviewer elsewhere, made by `assign`.

/// Whether a part contains vectors and the weights of adapters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Models {
    Included,
    LeftOut,
}
