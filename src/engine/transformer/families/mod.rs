//! The architectures that are computed here, each a file of data.
//!
//! A new one is a file and its name in the list below. The tests of parity with llama.cpp and of gradients run over the whole list, on models of
//! random numbers, so llama.cpp has to know the architecture under the same name. `cargo fmt` does not see these files, because the macro declares
//! them: run `rustfmt` on yours.

use super::family::{Family, Role};

/// Declares the file of each family and lists them all.
macro_rules! families {
    ($($file:ident),* $(,)?) => {
        $(mod $file;)*
        impl Family {
            /// All of them.
            pub const ALL: &'static [&'static Self] = &[$(&$file::FAMILY),*];
        }
    };
}

families!(llama, qwen2, qwen3, gemma3, bert, eurobert);

impl Family {
    /// The one with this name in files.
    pub fn named(name: &str) -> Option<&'static Self> {
        Self::ALL.iter().copied().find(|family| family.name == name)
    }

    /// Those of a role.
    pub fn with(role: Role) -> impl Iterator<Item = &'static Self> {
        Self::ALL.iter().copied().filter(move |family| family.role == role)
    }
}
