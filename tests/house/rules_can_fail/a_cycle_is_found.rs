//! Files that reach themselves through the files they import.

use super::*;

fn among(files: &[(&str, &str)]) -> Vec<Breach> {
    cycles::breaches(&house(files))
}

#[test]
fn between_two_files_of_a_folder_and_shown_as_a_chain() {
    let files = [
        ("stats/a.rs", "//! a\nuse super::b::B;\npub struct A;"),
        ("stats/b.rs", "pub struct B;\nfn f() { crate::stats::a::A; }"),
    ];
    let expected = "src/stats/a.rs:2: a cycle between files:\
        \n    src/stats/a.rs:2 -> src/stats/b.rs (`super::b::B`)\
        \n    src/stats/b.rs:2 -> src/stats/a.rs (`crate::stats::a::A`)";
    told(among(&files), &[expected]);
}

#[test]
fn when_both_files_go_through_what_their_folder_re_exports() {
    let files = [
        ("stats/mod.rs", "mod a; mod b;\npub use self::a::A; pub use b::{B as Beta};"),
        ("stats/a.rs", "use super::Beta;\npub struct A;"),
        ("stats/b.rs", "use crate::stats::A;\npub struct B;"),
    ];
    told(
        among(&files),
        &["src/stats/a.rs:1: a cycle between files:\n    src/stats/a.rs:1 -> src/stats/b.rs"],
    );
}

#[test]
fn when_a_folder_re_exports_by_globs() {
    let files = [
        ("stats/mod.rs", "mod a; mod b;\npub use a::*; pub use b::*;"),
        ("stats/a.rs", "use super::B;\npub struct A;"),
        ("stats/b.rs", "use super::A;\nid! { pub struct B; }"),
    ];
    told(
        among(&files),
        &["src/stats/a.rs:1: a cycle between files:\n    src/stats/a.rs:1 -> src/stats/b.rs"],
    );
}

#[test]
fn when_a_child_takes_what_its_folder_itself_defines_and_the_folder_uses_the_child() {
    let files = [
        ("stats/mod.rs", "mod a;\npub struct Mean;\npub fn f() { a::run() }"),
        ("stats/a.rs", "use super::Mean;\npub fn run() {}"),
    ];
    told(
        among(&files),
        &["src/stats/a.rs:1: a cycle between files:\n    src/stats/a.rs:1 -> src/stats/mod.rs"],
    );
}

#[test]
fn when_a_child_takes_everything_its_folder_has() {
    let files = [("stats/mod.rs", "mod a;\npub use a::A;"), ("stats/a.rs", "use super::*;\npub struct A;")];
    told(among(&files), &["src/stats/a.rs:1: a cycle between files:"]);
}

#[test]
fn when_it_closes_only_in_test_code_and_says_so() {
    let files = [
        ("stats/a.rs", "pub struct A;\n#[cfg(test)]\nmod tests {\n use super::super::b::B;\n}"),
        ("stats/b.rs", "use super::a::A;\npub struct B;"),
    ];
    let chain = "\n    src/stats/a.rs:4 -> src/stats/b.rs (`super::super::b::B`, in test code)";
    told(among(&files), &[&format!("src/stats/a.rs:4: a cycle between files:{chain}")]);
}

#[test]
fn across_folders_and_inside_macros() {
    let files = [
        ("desk.rs", "use crate::store::open;"),
        ("store/mod.rs", "pub mod open;"),
        ("store/open.rs", "fn f() { log!(crate::desk::close()) }"),
    ];
    told(among(&files), &["src/desk.rs:1: a cycle between files:"]);
}

#[test]
fn once_for_each_cycle_of_files() {
    let files = [
        ("stats/a.rs", "use super::{b, c};"),
        ("stats/b.rs", "use super::{a, c};"),
        ("stats/c.rs", "use super::b;"),
        ("mining/a.rs", "use super::b;"),
        ("mining/b.rs", "use super::a;"),
    ];
    let expected = [
        "src/mining/a.rs:1: a cycle between files:",
        "src/stats/a.rs:1: a cycle between files (in a knot of 3 files):",
    ];
    told(among(&files), &expected);
}

#[test]
fn but_not_where_siblings_import_each_other_through_their_folder_in_one_direction() {
    let files = [
        ("stats/mod.rs", "//! m\nmod a; mod b; mod tests;\npub use a::A; pub use b::{B, beta};"),
        ("stats/a.rs", "pub struct A;\n#[cfg(test)]\nmod tests { use super::*; fn f(a: A) {} }"),
        (
            "stats/b.rs",
            "use super::A; use super::a::A as Alpha; pub struct B; pub fn beta() { crate::stats::A; }",
        ),
        ("stats/tests.rs", "use super::*; fn f() { B::new(); }"),
    ];
    told(among(&files), &[]);
}

#[test]
fn and_circular_re_exports_end() {
    told(
        among(&[("stats/mod.rs", "pub use self::x; pub use x::x as y; pub use y::*; fn f() { y::x(); }")]),
        &[],
    );
}
