//! The long forms of proofs: a name that the Makefile or CONTRIBUTING.md sets is one that a test reads, so that none stays short unnoticed.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;

use crate::{Breach, tokens};

const BEGINS: &str = "HARDCASE_PROOF_";

/// Names that a document of (path, text) sets and no file of code, likewise, reads as a string.
pub fn breaches(documents: &[(String, String)], code: &[(String, String)]) -> Vec<Breach> {
    let mut read = BTreeSet::new();
    for stream in code.iter().filter_map(|(_, text)| text.parse::<TokenStream>().ok()) {
        read.extend(tokens::strings(&stream).into_iter().map(|(text, _)| text));
    }
    let mut breaches = Vec::new();
    for (path, text) in documents {
        for (at, line) in text.lines().enumerate() {
            for (start, _) in line.match_indices(BEGINS) {
                let is_of_name = |c: char| c.is_ascii_uppercase() || c == '_';
                let end = line[start..].find(|c| !is_of_name(c)).map_or(line.len(), |end| start + end);
                let name = &line[start..end];
                if !read.contains(name) {
                    let what = format!("no test reads {name}");
                    breaches.push(Breach { file: path.clone(), line: at + 1, what });
                }
            }
        }
    }
    breaches
}
