//! Tests that skip themselves.

use super::*;
use crate::skips;

fn of(path: &str, text: &str) -> Vec<Breach> {
    skips::breaches(&[(path.to_owned(), text.to_owned())])
}

#[test]
fn by_printing_it_and_passing() {
    let text = "#[test]\nfn f() {\n eprintln!(\"skipped: no strace\");\n if x { return println!(\"Skipping {why}\") }\n}";
    told(
        of("tests/loop/a.rs", text),
        &["tests/loop/a.rs:3: a test skips itself", "tests/loop/a.rs:4: a test"],
    );
}

#[test]
fn by_looking_for_the_data_on_their_own() {
    let text =
        "fn data() {\n std::env::var_os(\"HARDCASE_TEST_DATA\");\n concat!(env!(\"X\"), \"/../shared\");\n}";
    told(
        of("src/stats/a.rs", text),
        &["src/stats/a.rs:2: a test looks for the test data", "src/stats/a.rs:3: a test looks"],
    );
}

#[test]
fn but_not_by_what_a_person_reads_about_a_case() {
    told(
        of("src/tui/a.rs", "fn f() { notice(\"skipped: it comes back once\"); println!(\"{n} skipped\") }"),
        &[],
    );
}
