//! The architecture test: reads every file under `src/` and holds it to the plan of the house.
//!
//! It parses, it never compiles or runs what it reads, so it sees code behind every `cfg` alike. What it enforces:
//!
//! - the arrows between the folders of `src/` ([`arrows`]), test code included
//! - no cycle between files, inside a folder or across ([`cycles`])
//! - where `unsafe` and each outside crate may appear, and how files are named, opened and sized ([`manners`])
//! - who reads labels that existed before the project, which no figure may count ([`imported_labels`])
//! - that a test which cannot run says so in one way ([`skips`]), and that each long form of a proof is one that a test knows ([`proofs`]); for these
//!   it reads `tests/` too
//!
//! [`rules_can_fail`] proves on small trees in memory that every rule can be broken and is then named.

mod arrows;
mod cycles;
mod imported_labels;
mod imports;
mod manners;
mod proofs;
mod rules_can_fail;
mod skips;
mod tokens;
mod tree;

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use imports::Import;
use tree::Tree;

/// One broken rule, with the place to repair.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Breach {
    file: String,
    /// Counted from 1.
    line: usize,
    what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.line, self.what)
    }
}

/// A file under `src/`, its path from the root of the repository, written with `/`.
struct Source {
    path: String,
    text: String,
    /// None when the text is not Rust.
    syntax: Option<syn::File>,
}

/// Everything the rules look at.
struct House {
    sources: Vec<Source>,
    tree: Tree,
    imports: Vec<Import>,
    /// What reading alone found: text that is not Rust, modules that hide where they live.
    unreadable: Vec<Breach>,
}

impl House {
    /// Reads `src/` below `root`.
    fn at(root: &Path) -> io::Result<Self> {
        Ok(Self::of(sources_below(root, "src")?))
    }

    /// Reads a tree of (path, text) pairs; the paths begin with `src/`.
    fn of(mut files: Vec<(String, String)>) -> Self {
        files.sort();
        let mut unreadable = Vec::new();
        let mut sources = Vec::new();
        for (path, text) in files {
            let syntax = match syn::parse_file(&text) {
                Ok(syntax) => Some(syntax),
                Err(error) => {
                    let line = error.span().start().line;
                    unreadable.push(Breach { file: path.clone(), line, what: format!("not Rust: {error}") });
                    None
                }
            };
            sources.push(Source { path, text, syntax });
        }
        let mut tree = Tree::of(arrows::rooms(), sources.iter().map(|source| source.path.as_str()));
        let imports = imports::read(&sources, &mut tree, &mut unreadable);
        Self { sources, tree, imports, unreadable }
    }
}

/// Every Rust file below a folder of `root`: its path from `root`, written with `/`, and its text.
fn sources_below(root: &Path, folder: &str) -> io::Result<Vec<(String, String)>> {
    let mut files = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let parts = path.strip_prefix(root).map_err(io::Error::other)?.components();
                let name: Vec<_> = parts.map(|part| part.as_os_str().to_string_lossy()).collect();
                files.push((name.join("/"), fs::read_to_string(&path)?));
            }
        }
    }
    Ok(files)
}

/// One breach a line, sorted and each once.
fn listed(mut breaches: Vec<Breach>) -> String {
    breaches.sort();
    breaches.dedup();
    breaches.iter().map(|breach| format!("\n  {breach}")).collect()
}

/// The rules as they hold for this repository.
#[cfg(test)]
mod this_house {
    use super::*;

    fn house() -> House {
        House::at(Path::new(env!("CARGO_MANIFEST_DIR"))).expect("src/ can be read")
    }

    #[track_caller]
    fn none(breaches: Vec<Breach>) {
        assert!(breaches.is_empty(), "{}\n", listed(breaches));
    }

    #[test]
    fn every_file_can_be_read_and_main_leads_into_the_library() {
        let house = house();
        assert!(house.sources.iter().any(|source| source.path == "src/lib.rs"), "there is no src/lib.rs");
        let from_main = |import: &&Import| house.sources[import.file.0].path == "src/main.rs";
        assert!(
            house.imports.iter().any(|import| from_main(&import)),
            "main.rs imports nothing: was it read?"
        );
        none(house.unreadable);
    }

    #[test]
    fn every_import_follows_an_arrow() {
        none(arrows::breaches(&house()));
    }

    #[test]
    fn no_file_imports_itself_through_others() {
        none(cycles::breaches(&house()));
    }

    #[test]
    fn unsafe_code_lives_in_the_engine_alone() {
        none(manners::unsafe_code(&house()));
    }

    #[test]
    fn outside_crates_stay_in_their_rooms() {
        none(manners::outside_crates(&house()));
    }

    #[test]
    fn labels_from_before_are_read_for_learning_alone() {
        none(imported_labels::breaches(&house()));
    }

    #[test]
    fn the_roots_declare_modules_and_borrow_the_library() {
        none(manners::roots(&house()));
    }

    #[test]
    fn a_module_is_named_for_what_it_holds() {
        none(manners::names(&house()));
    }

    #[test]
    fn every_file_opens_with_what_it_owns() {
        none(manners::openings(&house()));
    }

    #[test]
    fn a_test_that_cannot_run_says_so_through_the_one_function_that_may_fail_it() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut files = sources_below(root, "src").expect("src/ can be read");
        files.extend(sources_below(root, "tests").expect("tests/ can be read"));
        none(skips::breaches(&files));
    }

    #[test]
    fn every_long_form_of_a_proof_is_one_that_a_test_knows() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let document = |name: &str| (name.to_owned(), fs::read_to_string(root.join(name)).unwrap());
        let documents = ["Makefile", "CONTRIBUTING.md", "docs/figures.md"].map(document);
        let mut code = sources_below(root, "tests/loop").unwrap();
        code.extend(sources_below(root, "src").unwrap());
        none(proofs::breaches(&documents, &code));
    }

    #[test]
    fn no_file_outgrows_its_reader() {
        none(manners::lengths(&house()));
    }
}
