//! The names of the labels of banking77, for tests of what is drawn where labels are many.

use crate::domain::skip;

/// The 77 names, in the order of the data set; none where the data is not there.
pub(in crate::tui) fn names() -> Option<Vec<String>> {
    let file = skip::test_data("data/banking77/categories.json")?;
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}
