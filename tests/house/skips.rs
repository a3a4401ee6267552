//! A test that cannot run on this machine says so through [`DECIDES`], which fails it where every test must run: none prints that it was
//! skipped and passes, and none looks for the test data by itself.

use proc_macro2::TokenStream;

use crate::{Breach, tokens};

/// The one file that decides what becomes of a test that cannot run.
const DECIDES: &str = "src/domain/skip.rs";
/// The samples there are meant to be wrong.
const SAMPLES: &str = "tests/house/";
/// Where the test data is, in either of its names.
const TEST_DATA: [&str; 2] = ["HARDCASE_TEST_DATA", "/../shared"];

/// Places in (path, text) pairs that skip a test on their own.
pub fn breaches(files: &[(String, String)]) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (path, text) in files {
        if path == DECIDES || path.starts_with(SAMPLES) {
            continue;
        }
        let Ok(stream) = text.parse::<TokenStream>() else { continue };
        let mut told = |line, what: &str| {
            let what = format!("{what}; `domain::skip` does, and fails the test where all have to run");
            breaches.push(Breach { file: path.clone(), line, what });
        };
        for (text, line) in tokens::printed(&stream) {
            let text = text.trim_start().to_lowercase();
            if text.starts_with("skipped") || text.starts_with("skipping") {
                told(line, "a test skips itself");
            }
        }
        for (text, line) in tokens::strings(&stream) {
            if TEST_DATA.iter().any(|name| text.contains(name)) {
                told(line, "a test looks for the test data itself");
            }
        }
    }
    breaches
}
