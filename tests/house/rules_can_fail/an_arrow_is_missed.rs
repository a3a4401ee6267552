//! Imports that the plan of the house does not have, in every form that an import takes.

use super::*;

#[test]
fn by_a_plain_use() {
    let expected =
        "src/tui/app.rs:2: tui -> store (`crate::store::Item`); tui may import desk, insight and domain";
    told(with_store("tui/app.rs", "//! a\nuse crate::store::Item;"), &[expected]);
}

#[test]
fn by_each_branch_of_nested_groups_on_its_own_line() {
    let text = "use crate::{\n  domain::Case,\n  store::{\n    self,\n    item::{Item as Thing},\n  },\n};";
    let expected = [
        "src/tui.rs:4: tui -> store (`crate::store`)",
        "src/tui.rs:5: tui -> store (`crate::store::item::Item`)",
    ];
    told(with_store("tui.rs", text), &expected);
}

#[test]
fn by_climbing_with_super() {
    let expected = ["src/stats/kappa.rs:1: stats -> store (`super::super::store::Item`)"];
    told(with_store("stats/kappa.rs", "pub use super::super::store::Item;"), &expected);
}

#[test]
fn by_climbing_with_super_out_of_an_inline_module() {
    let text = "pub struct Own;\n#[cfg(test)]\nmod tests {\n use super::Own;\n use super::super::super::store::*;\n}";
    let expected = ["src/stats/kappa.rs:5: stats -> store (`super::super::super::store`)"];
    told(with_store("stats/kappa.rs", text), &expected);
}

#[test]
fn by_climbing_from_self() {
    told(with_store("stats/mod.rs", "use self::super::store;"), &["src/stats/mod.rs:1: stats -> store"]);
}

#[test]
fn by_a_path_in_an_expression() {
    let text = "pub fn f() {\n let _ = [crate::store::Item::new()];\n}";
    told(
        with_store("mining/mod.rs", text),
        &["src/mining/mod.rs:2: mining -> store (`crate::store::Item::new`)"],
    );
}

#[test]
fn by_a_path_in_a_type_a_bound_or_a_pattern() {
    let text = "pub fn f<T: crate::store::Item>(\n _: Vec<crate::store::Item>) {\n match 1 { crate::store::N => (), _ => () }\n}";
    let expected = ["src/formats.rs:1: ", "src/formats.rs:2: ", "src/formats.rs:3: "];
    told(with_store("formats.rs", text), &expected);
}

#[test]
fn by_a_qualified_path() {
    let text = "pub fn f(x: u8) { <u8 as crate::store::Item>::new(x) }";
    told(with_store("formats.rs", text), &["src/formats.rs:1: formats -> store"]);
}

#[test]
fn by_a_path_inside_a_macro() {
    let text = "pub fn f() {\n assert!(vec![(1, crate::store::Item::new())].is_empty());\n}";
    told(with_store("stats.rs", text), &["src/stats.rs:2: stats -> store (`crate::store::Item::new`)"]);
}

#[test]
fn by_a_use_inside_a_macro() {
    let text = "wrap! {\n use crate::{domain::Case,\n  store::{item, Item as Thing}};\n}";
    let expected = ["src/stats.rs:3: ", "src/stats.rs:3: "];
    told(with_store("stats.rs", text), &expected);
}

#[test]
fn by_the_body_of_a_macro_of_our_own() {
    let text = "macro_rules! make { () => { $crate::store::Item }; ($m:ident) => { $m::store::Item } }";
    told(with_store("stats.rs", text), &["src/stats.rs:1: stats -> store (`crate::store::Item`)"]);
}

#[test]
fn by_an_attribute_and_the_strings_in_one() {
    let text = "#[derive(crate::store::Item)]\n#[serde(with = \"crate::store::item\")]\npub struct S;";
    told(
        with_store("domain.rs", text),
        &["src/domain.rs:1: domain -> store", "src/domain.rs:2: domain -> store"],
    );
}

#[test]
fn by_a_use_inside_a_function_and_the_name_it_gives() {
    let text = "pub fn f() {\n use crate as house;\n use house::store as s;\n s::Item::new();\n}";
    let expected = [
        "src/stats.rs:2: stats -> the root of the library",
        "src/stats.rs:3: stats -> store (`house::store` leads to `src/store/mod.rs`)",
        "src/stats.rs:4: stats -> store (`s::Item::new` leads to `src/store/item.rs`)",
    ];
    told(with_store("stats.rs", text), &expected);
}

#[test]
fn by_an_item_that_an_allowed_room_re_exports() {
    let files = [("desk.rs", "pub use crate::store::Item;"), ("tui.rs", "use crate::desk::Item;")];
    let expected = ["src/tui.rs:1: tui -> store (`crate::desk::Item` leads to `src/store/item.rs`)"];
    told(arrows::breaches(&house(&[files[0], files[1], STORE[0], STORE[1]])), &expected);
}

#[test]
fn by_an_item_that_an_allowed_room_re_exports_by_a_glob() {
    let files = [("desk.rs", "pub use crate::store::*;"), ("tui.rs", "use crate::desk::Item;")];
    let expected = ["src/tui.rs:1: tui -> store (`crate::desk::Item` leads to `src/store/item.rs`)"];
    told(arrows::breaches(&house(&[files[0], files[1], STORE[0], STORE[1]])), &expected);
}

#[test]
fn by_the_domain_importing_anything() {
    let expected = "src/domain/case.rs:1: domain -> store (`crate::store`); domain may import nothing";
    told(with_store("domain/case.rs", "use crate::store;"), &[expected]);
}

#[test]
fn by_main_reaching_past_the_command_line() {
    let text = "use hardcase::cli;\nfn main() { cli::run(hardcase::store::N); ::hardcase::cli::run(); }";
    told(
        with_store("main.rs", text),
        &["src/main.rs:2: main -> store (`hardcase::store::N`); main may import cli"],
    );
}

#[test]
fn by_test_code_as_by_any_other() {
    let text = "#[cfg(test)]\nmod tests {\n #[test]\n fn f() { crate::store::Item::new(); }\n}";
    told(with_store("mining.rs", text), &["src/mining.rs:4: mining -> store"]);
}

#[test]
fn by_a_folder_that_is_not_in_the_plan() {
    told(with_store("cellar/mod.rs", ""), &["src/cellar/mod.rs:1: `cellar` is no room of the house"]);
}

#[test]
fn but_not_by_the_arrows_of_the_design() {
    let files = [
        ("main.rs", "fn main() { hardcase::cli::run() }"),
        ("lib.rs", "pub mod cli; pub mod tui; pub mod job; pub mod store; pub mod domain;"),
        ("cli/mod.rs", "use crate::{desk, job::import, tui, domain::Case};\npub fn run() { import::run() }"),
        ("tui/mod.rs", "use crate::desk::Session;\nuse crate::domain::*;"),
        ("desk.rs", "use crate::stats; pub struct Session(crate::store::Item);"),
        ("job/mod.rs", "use crate::{engine, mining, store::Item, stats, formats}; pub mod import;"),
        (
            "job/import.rs",
            "use super::super::formats; use std::io; pub fn run() { formats::read(io::stdin()) }",
        ),
        (
            "stats.rs",
            "use crate::domain::Case; pub(in crate::stats) fn f() {} /// [`crate::store`]\nfn g() {}",
        ),
        ("domain/mod.rs", "mod case; pub use self::case::Case;"),
        ("domain/case.rs", "pub struct Case; thing! { pub(in crate::store) fn f() {} }"),
    ];
    told(arrows::breaches(&house(&[&files[..], &STORE[..]].concat())), &[]);
}

#[test]
fn and_not_by_a_macro_exported_from_ones_own_room() {
    let text = "#[macro_export]\nmacro_rules! id { () => {} }\npub fn f() { crate::id!() }";
    told(with_store("domain.rs", text), &[]);
}
