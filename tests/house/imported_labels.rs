//! Labels that existed before the project are read in one place: what counts answers cannot count what it does not read.

use crate::{Breach, House};

/// Files that name the table: the one that decides which of them teach, and those that copy, save, seal or remove rows.
const MAY_READ: [&str; 10] = [
    "store/log/imported_labels.rs",
    "store/pool/embeddings.rs",
    "store/pool/known_rows.rs",
    "store/pool/sources.rs",
    "store/sync/merge/read_log.rs",
    "store/sync/merge/take_labels.rs",
    "store/care/forget.rs",
    "store/care/salvage/tables.rs",
    "store/care/salvage/references.rs",
    "store/db/row_seals.rs",
];

/// Files that may ask for training labels with the imported ones among them: what learns, and what tells how many they are.
const MAY_ASK: [&str; 4] =
    ["learn/training.rs", "insight/imported_labels.rs", "insight/status.rs", "insight/report/data.rs"];

/// Places that read imported labels, or count labels with them among them, and may not.
pub fn breaches(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in &house.sources {
        let Some(file) = source.path.strip_prefix("src/") else { continue };
        // What the tests of a file do is counted nowhere.
        let lines = source.text.lines().take_while(|line| line.trim() != "#[cfg(test)]").zip(1..);
        for (text, line) in lines.filter(|(text, _)| !text.trim_start().starts_with("//")) {
            let mut breach = |what: &str| {
                breaches.push(Breach { file: source.path.clone(), line, what: what.to_owned() });
            };
            let names_table = text.contains("imported_label ") || text.contains("imported_label\"");
            if names_table && !MAY_READ.contains(&file) {
                breach(
                    "reads imported labels, which no figure may count: ask `Store::training_labels`, or `Store::votes` to measure",
                );
            }
            if text.contains("training_labels()") && !MAY_ASK.contains(&file) {
                breach(
                    "asks for labels to learn from, with imported ones among them: to measure, ask `Store::votes`",
                );
            }
        }
    }
    breaches
}
