//! Small trees in memory, each with one fault, to prove that every rule can fail, and some without any, to prove
//! that it need not.

#![cfg(test)]

mod a_cycle_is_found;
mod an_arrow_is_missed;
mod manners_are_missed;
mod proofs_stay_short;
mod skips_are_hidden;

use crate::{Breach, House, arrows, cycles, manners};

/// A house of these files, all of which can be read; the paths leave out `src/`.
fn house(files: &[(&str, &str)]) -> House {
    let house =
        House::of(files.iter().map(|(path, text)| (format!("src/{path}"), (*text).to_owned())).collect());
    assert_eq!(house.unreadable, [], "the sample is not Rust");
    house
}

#[track_caller]
fn told(breaches: Vec<Breach>, expected: &[&str]) {
    let told: Vec<String> = breaches.iter().map(Breach::to_string).collect();
    assert_eq!(told.len(), expected.len(), "told: {told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "told:     {told}\nexpected: {expected}");
    }
}

const STORE: [(&str, &str); 2] = [
    ("store/mod.rs", "//! s\nmod item;\npub use item::Item;"),
    (
        "store/item.rs",
        "//! i\npub struct Item;\nimpl Item { pub fn new() -> Self { Self } }\npub const N: u8 = 1;",
    ),
];

/// The breaches of the arrows when there is one file next to the store.
fn with_store(path: &str, text: &str) -> Vec<Breach> {
    let mut files = vec![(path, text)];
    files.extend(STORE);
    arrows::breaches(&house(&files))
}
