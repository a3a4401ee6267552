//! No file may reach itself through the files it imports.
//!
//! An import is an edge to the file where its item lives, so a folder's `mod.rs` may re-export its children and the
//! children may use one another by the folder's name. `mod child;` is no edge.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::arrows::shown;
use crate::tree::{FileId, Target};
use crate::{Breach, House, Import};

/// For each file the files it imports, with the first import of each.
type Edges<'a> = BTreeMap<FileId, BTreeMap<FileId, &'a Import>>;

/// One breach for each knot of files, showing the shortest cycle through the knot's first file.
pub fn breaches(house: &House) -> Vec<Breach> {
    let edges = edges(house);
    let reached: BTreeMap<FileId, BTreeSet<FileId>> =
        edges.keys().map(|&file| (file, reach(&edges, file))).collect();
    let mut breaches = Vec::new();
    let mut told = BTreeSet::new();
    for (&file, from_here) in &reached {
        if !from_here.contains(&file) || told.contains(&file) {
            continue;
        }
        let back = |other: &FileId| reached.get(other).is_some_and(|there| there.contains(&file));
        let knot: BTreeSet<FileId> = from_here.iter().copied().filter(back).collect();
        let chain = shortest(&edges, file);
        breaches.push(told_as(house, &chain, knot.len()));
        told.extend(knot);
    }
    breaches
}

fn edges(house: &House) -> Edges<'_> {
    let mut edges = Edges::new();
    for import in &house.imports {
        for target in house.tree.resolve(import.module, &import.path) {
            if let Target::Module(id) | Target::Item(id) = target
                && let Some(file) = house.tree.module(id).file
                && file != import.file
            {
                let first = edges.entry(import.file).or_default().entry(file).or_insert(import);
                // An edge that stands without the tests is told as such.
                if first.test && !import.test {
                    *first = import;
                }
            }
        }
    }
    edges
}

/// All files that an import leads to from here, at any distance.
fn reach(edges: &Edges<'_>, from: FileId) -> BTreeSet<FileId> {
    let mut reached = BTreeSet::new();
    let mut open = vec![from];
    while let Some(file) = open.pop() {
        for &next in edges.get(&file).into_iter().flat_map(BTreeMap::keys) {
            if reached.insert(next) {
                open.push(next);
            }
        }
    }
    reached
}

/// The imports of the shortest way from a file back to itself; empty when there is none.
fn shortest<'a>(edges: &Edges<'a>, start: FileId) -> Vec<(&'a Import, FileId)> {
    let mut came: BTreeMap<FileId, &Import> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(file) = open.pop_front() {
        for (&next, &import) in edges.get(&file).into_iter().flatten() {
            if came.contains_key(&next) {
                continue;
            }
            came.insert(next, import);
            if next != start {
                open.push_back(next);
                continue;
            }
            let mut chain = Vec::new();
            let mut at = start;
            while let Some(&import) = came.get(&at) {
                chain.push((import, at));
                at = import.file;
                if at == start {
                    break;
                }
            }
            chain.reverse();
            return chain;
        }
    }
    Vec::new()
}

fn told_as(house: &House, chain: &[(&Import, FileId)], knot: usize) -> Breach {
    let path = |file: FileId| house.sources[file.0].path.as_str();
    let steps: Vec<String> = chain
        .iter()
        .map(|(import, to)| {
            let test = if import.test { ", in test code" } else { "" };
            let from = path(import.file);
            format!("\n    {from}:{} -> {} (`{}`{test})", import.line, path(*to), shown(&import.path))
        })
        .collect();
    let others = if knot > chain.len() { format!(" (in a knot of {knot} files)") } else { String::new() };
    let (file, line) = chain.first().map_or(("", 0), |(import, _)| (path(import.file), import.line));
    Breach { file: file.into(), line, what: format!("a cycle between files{others}:{}", steps.concat()) }
}
