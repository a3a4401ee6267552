//! `unsafe`, outside crates, roots, names, openings and lengths.

use super::*;

#[test]
fn by_unsafe_code_outside_the_engine() {
    let files = [
        ("engine/ffi.rs", "fn f() { unsafe { g() } }"),
        (
            "store/mod.rs",
            "/// unsafe in words\nfn f() {\n unsafe { g() }\n}\nunsafe impl Send for X {}\nlog!(unsafe { g() });",
        ),
    ];
    let expected =
        ["src/store/mod.rs:3: `unsafe`", "src/store/mod.rs:5: `unsafe`", "src/store/mod.rs:6: `unsafe`"];
    told(manners::unsafe_code(&house(&files)), &expected);
}

#[test]
fn by_a_figure_that_counts_labels_from_before() {
    let files = [
        (
            "store/log/answers.rs",
            "const SQL: &str = \"SELECT answer FROM label_event UNION SELECT answer FROM imported_label l\";",
        ),
        ("store/log/imported_labels.rs", "const SQL: &str = \"SELECT answer FROM imported_label l\";"),
        (
            "insight/figures.rs",
            "fn f(store: &Store) {\n // store.training_labels()\n store.training_labels();\n}",
        ),
        ("learn/training.rs", "fn f(store: &Store) { store.training_labels(); }"),
    ];
    let expected = [
        "src/insight/figures.rs:3: asks for labels to learn from, with imported ones among them: to measure, ask `Store::votes`",
        "src/store/log/answers.rs:1: reads imported labels, which no figure may count: ask `Store::training_labels`, or `Store::votes` to measure",
    ];
    told(crate::imported_labels::breaches(&house(&files)), &expected);
}

#[test]
fn by_outside_crates_in_the_wrong_room() {
    let files = [
        ("store/mod.rs", "use rusqlite::Connection;"),
        ("engine/mod.rs", "use llama_cpp_2 as llama; use llama_cpp_sys_2::ggml_tensor;"),
        ("tui/mod.rs", "use ratatui::{crossterm, Frame};"),
        (
            "desk/mod.rs",
            "fn f(c: &rusqlite::Connection) {\n rusqlite::params![];\n log!(::rusqlite::Row::get());\n}",
        ),
        (
            "job/mod.rs",
            "use llama_cpp_2 as llama;\nextern crate llama_cpp_sys_2 as sys;\nuse ::llama_cpp_2::*;",
        ),
        ("cli/mod.rs", "use {\n ratatui,\n crossterm::event\n};\nwrap! { use llama_cpp_sys_2; }"),
    ];
    let expected = [
        "src/cli/mod.rs:2: `ratatui`: `ratatui` is imported only in src/tui/",
        "src/cli/mod.rs:3: `crossterm::event`: `crossterm` is imported only in src/tui/",
        "src/cli/mod.rs:5: `llama_cpp_sys_2`: `llama_cpp_sys_2` is imported only in src/engine/",
        "src/desk/mod.rs:1: `rusqlite::Connection`: `rusqlite` is imported only in src/store/",
        "src/desk/mod.rs:2: `rusqlite::params`",
        "src/desk/mod.rs:3: `::rusqlite::Row::get`",
        "src/job/mod.rs:1: `llama_cpp_2`: `llama_cpp_2` is imported only in src/engine/",
        "src/job/mod.rs:2: `::llama_cpp_sys_2`",
        "src/job/mod.rs:3: `::llama_cpp_2`",
    ];
    told(manners::outside_crates(&house(&files)), &expected);
}

#[test]
fn by_a_socket_anywhere_under_any_name() {
    let files = [
        (
            "engine/mod.rs",
            "use std::{io, net::TcpStream};\nuse std as s;\nfn f() { s::net::TcpListener::bind(0); }",
        ),
        ("job/net.rs", "use super::net; fn f() { net::open() }"),
    ];
    let expected = [
        "src/engine/mod.rs:1: `std::net::TcpStream`: `std::net` is imported nowhere in this house",
        "src/engine/mod.rs:3: `s::net::TcpListener::bind`",
    ];
    told(manners::outside_crates(&house(&files)), &expected);
}

#[test]
fn by_a_connection_made_outside_the_one_file_that_may() {
    let files = [
        ("engine/judge/endpoint/connection.rs", "use ureq::Agent;"),
        ("engine/judge/endpoint/server.rs", "use ureq::Agent;"),
        ("job/judge.rs", "fn f() { ureq::get(URL); }"),
    ];
    let expected = [
        "src/engine/judge/endpoint/server.rs:1: `ureq::Agent`: `ureq` is imported only in src/engine/judge/endpoint/connection.rs",
        "src/job/judge.rs:1: `ureq::get`",
    ];
    told(manners::outside_crates(&house(&files)), &expected);
}

#[test]
fn but_not_by_a_file_of_our_own_that_has_a_crates_name() {
    let files = [
        ("job/mod.rs", "mod rusqlite;\nuse self::rusqlite::open;\nfn f() { rusqlite::open(); }"),
        ("job/rusqlite.rs", ""),
    ];
    told(manners::outside_crates(&house(&files)), &[]);
}

#[test]
fn by_a_library_root_that_does_more_than_declare() {
    let text = "//! map\npub mod cli;\n\npub use cli::run;\n/// n\npub const N: u8 = 1;\nmod inline {}";
    let expected = ["src/lib.rs:4: src/lib.rs only declares", "src/lib.rs:5: ", "src/lib.rs:7: "];
    told(manners::roots(&house(&[("lib.rs", text)])), &expected);
}

#[test]
fn by_a_main_that_declares_modules_of_its_own() {
    let text = "//! main\nmod cli;\nfn main() {}";
    told(manners::roots(&house(&[("main.rs", text)])), &["src/main.rs:2: src/main.rs declares no module"]);
}

#[test]
fn by_names_that_say_nothing() {
    let files = [
        ("store/utils.rs", ""),
        ("desk/common/mod.rs", ""),
        ("tui/mod.rs", "mod inner {\n mod helpers {}\n}"),
        ("job/manager.rs", ""),
    ];
    let expected = [
        "src/desk/common/mod.rs:1: `common` says nothing",
        "src/job/manager.rs:1: `manager`",
        "src/store/utils.rs:1: `utils`",
        "src/tui/mod.rs:2: `helpers`",
    ];
    told(manners::names(&house(&files)), &expected);
}

#[test]
fn by_a_file_that_does_not_say_what_it_owns() {
    let files = [("store/a.rs", "//! owns a"), ("store/b.rs", "// not a doc\n//! late")];
    told(manners::openings(&house(&files)), &["src/store/b.rs:1: a file opens with"]);
}

#[test]
fn by_a_file_too_long_without_its_tests() {
    let code = "fn f() {}\n".repeat(500);
    let tests = format!("/// about\n#[cfg(test)]\nmod tests {{\n{code}}}\n");
    let files = [
        ("store/full.rs", format!("{code}{tests}")),
        ("store/long.rs", format!("//! l\n{code}{tests}")),
        ("store/split.rs", format!("//! s\n{tests}{code}")),
        ("store/mod.rs", "#[cfg(all(test, unix))]\nmod journeys;\n#[cfg(any(test, unix))]\nmod both;".into()),
        ("store/journeys.rs", format!("//! j\n{code}")),
        ("store/both.rs", format!("//! j\n{code}")),
    ];
    let files: Vec<_> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let expected = [
        "src/store/both.rs:501: 501 lines",
        "src/store/long.rs:501: 501 lines without its tests; 500 are the most",
        "src/store/split.rs:501: 1005 lines",
    ];
    told(manners::lengths(&house(&files)), &expected);
}

#[test]
fn by_a_module_whose_file_lies_elsewhere_and_by_text_that_is_not_rust() {
    let files = [("a.rs", "//! a\n#[path = \"elsewhere.rs\"]\nmod b;"), ("c.rs", "//! c\n\nfn (")];
    let files = files.iter().map(|(path, text)| (format!("src/{path}"), (*text).to_owned()));
    let mut unreadable = House::of(files.collect()).unreadable;
    unreadable.sort();
    told(unreadable, &["src/a.rs:2: `#[path]`", "src/c.rs:3: not Rust"]);
}
