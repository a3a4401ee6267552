//! Rules that look at one file at a time: where `unsafe` and outside crates may appear, what the two roots may
//! hold, how modules are named, how files open and how long they may be.

use std::fmt;

use proc_macro2::TokenStream;
use syn::ext::IdentExt;

use crate::arrows::shown;
use crate::imports::for_tests;
use crate::tokens;
use crate::tree::{FileId, LIBRARY, Target};
use crate::{Breach, House, Source};

/// The most lines a file may have, the tests at its end not counted.
const LONGEST: usize = 500;

/// Where an outside crate may be imported.
enum Home {
    Room(&'static str),
    /// One file alone, by its path below `src/`.
    File(&'static str),
    Nowhere,
}

impl Home {
    fn is(&self, room: &str, path: &str) -> bool {
        match self {
            Self::Room(home) => *home == room,
            Self::File(home) => path.strip_prefix("src/") == Some(home),
            Self::Nowhere => false,
        }
    }
}

impl fmt::Display for Home {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Room(home) => write!(f, "only in src/{home}/"),
            Self::File(home) => write!(f, "only in src/{home}"),
            Self::Nowhere => write!(f, "nowhere in this house"),
        }
    }
}

/// Outside crates, or modules of them, with the one place that may import them. What opens a socket is one file.
const OUTSIDE: [(&[&str], Home); 8] = [
    (&["rusqlite"], Home::Room("store")),
    (&["ratatui"], Home::Room("tui")),
    (&["crossterm"], Home::Room("tui")),
    (&["llama_cpp_2"], Home::Room("engine")),
    (&["llama_cpp_sys_2"], Home::Room("engine")),
    (&["ureq"], Home::File("engine/judge/endpoint/connection.rs")),
    (&["std", "net"], Home::Nowhere),
    (&["std", "os", "unix", "net"], Home::Nowhere),
];

/// Names that say nothing of what a module holds.
const EMPTY_NAMES: [&str; 7] = ["util", "utils", "helper", "helpers", "common", "manager", "managers"];

fn breach(source: &Source, line: usize, what: impl Into<String>) -> Breach {
    Breach { file: source.path.clone(), line, what: what.into() }
}

/// `unsafe` in any form, outside `src/engine/`.
pub fn unsafe_code(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in house.sources.iter().filter(|source| !source.path.starts_with("src/engine/")) {
        let Ok(stream) = source.text.parse::<TokenStream>() else {
            continue;
        };
        for (_, line) in tokens::idents(&stream).into_iter().filter(|(word, _)| word == "unsafe") {
            breaches.push(breach(source, line, "`unsafe` outside src/engine/"));
        }
    }
    breaches
}

/// Outside crates imported where they do not belong.
pub fn outside_crates(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for import in &house.imports {
        let room = house.tree.module(import.module).room.as_str();
        for target in house.tree.resolve(import.module, &import.path) {
            let Target::Outside(path) = target else {
                continue;
            };
            for (name, home) in &OUTSIDE {
                let inside =
                    path.len() >= name.len() && path.iter().zip(*name).all(|(have, want)| have == want);
                let source = &house.sources[import.file.0];
                if inside && !home.is(room, &source.path) {
                    let what = format!("`{}`: `{}` is imported {home}", shown(&import.path), name.join("::"));
                    breaches.push(breach(source, import.line, what));
                }
            }
        }
    }
    breaches
}

/// `lib.rs` only declares modules; `main.rs` declares none and takes what it needs from the library.
pub fn roots(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in &house.sources {
        let items = source.syntax.iter().flat_map(|syntax| &syntax.items);
        for item in items {
            let is_file = matches!(item, syn::Item::Mod(module) if module.content.is_none());
            if source.path == "src/lib.rs" && !is_file {
                breaches.push(breach(
                    source,
                    line_of(item),
                    "src/lib.rs only declares modules (`pub mod name;`)",
                ));
            }
            if source.path == "src/main.rs" && is_file {
                let what = format!("src/main.rs declares no module; it uses the library as `{LIBRARY}::cli`");
                breaches.push(breach(source, line_of(item), what));
            }
        }
    }
    breaches
}

/// The first line of an item, its attributes included.
fn line_of(item: &syn::Item) -> usize {
    let mut first = FirstLine(None);
    syn::visit::Visit::visit_item(&mut first, item);
    first.0.unwrap_or(1)
}

/// The line of the first identifier or attribute met; good enough to find an item by.
struct FirstLine(Option<usize>);

impl<'ast> syn::visit::Visit<'ast> for FirstLine {
    fn visit_span(&mut self, span: &proc_macro2::Span) {
        let line = span.start().line;
        self.0 = Some(self.0.map_or(line, |first| first.min(line)));
    }
}

/// Modules named `utils`, `helpers`, `common`, `manager` or the like.
pub fn names(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in &house.sources {
        let inner = source.path.trim_start_matches("src/").trim_end_matches(".rs");
        let parts = inner.split('/').map(|name| (name.to_owned(), 1));
        let items = source.syntax.iter().flat_map(|syntax| blocks(&syntax.items));
        for (name, line) in parts.chain(items).filter(|(name, _)| EMPTY_NAMES.contains(&name.as_str())) {
            breaches.push(breach(
                source,
                line,
                format!("`{name}` says nothing; name the module for what it holds"),
            ));
        }
    }
    breaches
}

/// The names of inline modules, with their lines.
fn blocks(items: &[syn::Item]) -> Vec<(String, usize)> {
    let mut found = Vec::new();
    for item in items {
        if let syn::Item::Mod(module) = item
            && let Some((_, inner)) = &module.content
        {
            found.push((module.ident.unraw().to_string(), module.ident.span().start().line));
            found.extend(blocks(inner));
        }
    }
    found
}

/// Files that do not begin with `//!`.
pub fn openings(house: &House) -> Vec<Breach> {
    let silent = house.sources.iter().filter(|source| !source.text.starts_with("//!"));
    silent
        .map(|source| breach(source, 1, "a file opens with `//!`: what it owns, and what it must never do"))
        .collect()
}

/// Files of more than [`LONGEST`] lines. Files of tests alone may be longer.
pub fn lengths(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for (index, source) in house.sources.iter().enumerate() {
        let lines = source.text.lines().count() - lines_of_tests(source);
        if lines > LONGEST && !house.tree.is_test(house.tree.module_of(FileId(index))) {
            let what = format!("{lines} lines without its tests; {LONGEST} are the most");
            breaches.push(breach(source, LONGEST + 1, what));
        }
    }
    breaches
}

/// The lines of the `#[cfg(test)] mod … { }` that ends the file, if one does.
fn lines_of_tests(source: &Source) -> usize {
    let last = source.syntax.as_ref().and_then(|syntax| syntax.items.last());
    match last {
        Some(item @ syn::Item::Mod(module)) if for_tests(&module.attrs) => {
            let end = module.content.as_ref().map(|(brace, _)| brace.span.close().end().line);
            end.map_or(0, |end| end + 1 - line_of(item))
        }
        _ => 0,
    }
}
