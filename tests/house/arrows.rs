//! The arrows of the house: which folder of `src/` may import which.
//!
//! An arrow is followed to where the item lives: `desk` may import `store` and `tui` may import `desk`, and still
//! `tui` may not take an item of `store` that `desk` re-exports.

use crate::tree::{Target, Written};
use crate::{Breach, House};

/// Each room with the rooms it may import; its own files it may import always.
const PLAN: [(&str, &[&str]); 18] = [
    ("main", &["cli"]),
    ("lib", &[]),
    ("cli", &["tui", "desk", "insight", "job", "exchange", "upkeep", "simulate", "learn", "work", "domain"]),
    ("tui", &["desk", "insight", "domain"]),
    ("desk", &["insight", "formats", "store", "stats", "domain"]),
    ("insight", &["store", "stats", "domain"]),
    ("job", &["learn", "work", "formats", "store", "engine", "mining", "stats", "domain"]),
    ("simulate", &["learn", "work", "formats", "engine", "mining", "stats", "domain"]),
    ("exchange", &["learn", "work", "formats", "store", "engine", "domain"]),
    ("upkeep", &["exchange", "work", "store", "engine", "domain"]),
    ("learn", &["work", "store", "engine", "mining", "stats", "domain"]),
    ("work", &["store", "domain"]),
    ("store", &["domain"]),
    ("engine", &["domain"]),
    ("mining", &["domain"]),
    ("stats", &["domain"]),
    ("formats", &["domain"]),
    ("domain", &[]),
];

/// The folders that the plan has.
pub fn rooms() -> impl Iterator<Item = &'static str> {
    PLAN.iter().map(|(room, _)| *room).filter(|room| !["main", "lib"].contains(room))
}

fn allowed(room: &str) -> Option<&'static [&'static str]> {
    PLAN.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed)
}

/// `a`, `a and b`, `a, b and c`.
fn enumerated(words: &[&str]) -> String {
    match words {
        [] => "nothing".into(),
        [word] => (*word).into(),
        [before @ .., last] => format!("{} and {last}", before.join(", ")),
    }
}

/// A path as the source has it.
pub fn shown(path: &Written) -> String {
    let start = if path.absolute { "::" } else { "" };
    format!("{start}{}", path.segments.join("::"))
}

/// Imports without an arrow, and files in no room of the plan.
pub fn breaches(house: &House) -> Vec<Breach> {
    let mut breaches = strangers(house);
    for import in &house.imports {
        let from = house.tree.module(import.module).room.as_str();
        let Some(allowed) = allowed(from) else {
            continue;
        };
        let refused = |room: &str| room != from && !allowed.contains(&room);
        let file = &house.sources[import.file.0].path;
        let mut report = |room: &str, path: &str| {
            let to = if room == "lib" { "the root of the library" } else { room };
            let what = format!("{from} -> {to} (`{path}`); {from} may import {}", enumerated(allowed));
            breaches.push(Breach { file: file.clone(), line: import.line, what });
        };
        let path = shown(&import.path);
        let named =
            house.tree.named(import.module, &import.path).map(|id| house.tree.module(id).room.as_str());
        // A macro exported from its room is called through the root: for the root, where it lives decides.
        if let Some(room) = named.filter(|room| *room != "lib" && refused(room)) {
            report(room, &path);
            continue;
        }
        for target in house.tree.resolve(import.module, &import.path) {
            if let Target::Module(id) | Target::Item(id) = target {
                let home = house.tree.module(id);
                if refused(&home.room) {
                    let at = home.file.map_or(home.room.as_str(), |file| &house.sources[file.0].path);
                    report(&home.room, &format!("{path}` leads to `{at}"));
                }
            }
        }
    }
    breaches
}

fn strangers(house: &House) -> Vec<Breach> {
    let mut breaches = Vec::new();
    for source in &house.sources {
        let inner = source.path.trim_start_matches("src/").trim_end_matches(".rs");
        let room = inner.split('/').next().unwrap_or(inner);
        if allowed(room).is_none() {
            let known: Vec<&str> = rooms().collect();
            let what = format!("`{room}` is no room of the house; it has {}", enumerated(&known));
            breaches.push(Breach { file: source.path.clone(), line: 1, what });
        }
    }
    breaches
}
