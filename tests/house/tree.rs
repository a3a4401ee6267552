//! The modules of both crates, library and binary, and what a path written in one of them leads to.
//!
//! A path ends in the file where the item lives: re-exports are followed, `use` by `use`. Where a name cannot be
//! found (a macro may have made it), the path ends in the deepest module that was reached. Visibility counts for
//! `use`s alone, because globs pass over private ones; for the rest the compiler sees to it.

use std::collections::{BTreeMap, BTreeSet};

/// The library's name, as the binary imports it.
pub const LIBRARY: &str = "hardcase";

/// An index into the sources.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FileId(pub usize);

/// An index into the modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ModuleId(usize);

/// A path as written, generic arguments left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Begins with `::`.
    pub absolute: bool,
    pub segments: Vec<String>,
}

/// A name that a `use` brings into a module.
pub struct Binding {
    /// None for a glob.
    pub name: Option<String>,
    pub path: Written,
    pub reach: Reach,
}

/// Who sees a binding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// `use` in a block: the module's own code.
    Block,
    /// `use`: the module and what lies in it.
    Module,
    /// `pub use` of any scope.
    Shared,
}

/// Where a path ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    Module(ModuleId),
    /// An item of this module.
    Item(ModuleId),
    /// Another crate, with all segments from that crate's name on.
    Outside(Vec<String>),
}

/// A file, an inline `mod` block, or a folder that has no file of its own yet.
#[derive(Default)]
pub struct Module {
    pub file: Option<FileId>,
    /// The folder (or file) directly under `src/` that holds it: `store`, `main`, `lib`.
    pub room: String,
    pub parent: Option<ModuleId>,
    children: BTreeMap<String, ModuleId>,
    /// Types, traits and macros, with the module they live in.
    pub types: BTreeMap<String, ModuleId>,
    /// Functions, constants and statics, which never have a `::` behind them.
    pub values: BTreeSet<String>,
    pub bindings: Vec<Binding>,
    /// Every word inside the macros called among its items: any may be the name of an item.
    pub generated: BTreeSet<String>,
    /// Declared under `#[cfg(test)]`.
    pub test: bool,
}

/// All modules of both crates.
pub struct Tree {
    modules: Vec<Module>,
    of_file: Vec<ModuleId>,
    library: ModuleId,
}

impl Tree {
    /// Makes one module for each path, which begins with `src/`; `FileId`s count in the order given. The rooms
    /// are there from the start, so that a path leads to one that has no file yet.
    pub fn of<'a>(rooms: impl Iterator<Item = &'static str>, paths: impl Iterator<Item = &'a str>) -> Self {
        let library = ModuleId(0);
        let root = Module { room: "lib".into(), ..Module::default() };
        let mut tree = Self { modules: vec![root], of_file: Vec::new(), library };
        for room in rooms {
            tree.child(library, room);
        }
        for (index, path) in paths.enumerate() {
            let inner = path.strip_prefix("src/").unwrap_or(path).trim_end_matches(".rs");
            let module = match inner {
                "lib" => library,
                "main" => tree.add(Module { room: "main".into(), ..Module::default() }),
                _ => {
                    let names = inner.strip_suffix("/mod").unwrap_or(inner).split('/');
                    names.fold(library, |parent, name| tree.child(parent, name))
                }
            };
            tree.modules[module.0].file = Some(FileId(index));
            tree.of_file.push(module);
        }
        tree
    }

    fn add(&mut self, module: Module) -> ModuleId {
        self.modules.push(module);
        ModuleId(self.modules.len() - 1)
    }

    /// The child of that name, made if it is new.
    fn child(&mut self, parent: ModuleId, name: &str) -> ModuleId {
        if let Some(&child) = self.modules[parent.0].children.get(name) {
            return child;
        }
        let room = if parent == self.library { name.into() } else { self.modules[parent.0].room.clone() };
        let child = self.add(Module { room, parent: Some(parent), ..Module::default() });
        self.modules[parent.0].children.insert(name.into(), child);
        child
    }

    /// The module of an inline block. A file of the same name keeps the name (the two are under opposite `cfg`s).
    pub fn block(&mut self, parent: ModuleId, name: &str) -> ModuleId {
        let above = &self.modules[parent.0];
        let block =
            Module { file: above.file, room: above.room.clone(), parent: Some(parent), ..Module::default() };
        let block = self.add(block);
        self.modules[parent.0].children.entry(name.into()).or_insert(block);
        block
    }

    /// Notes that `mod name;` stands under `#[cfg(test)]`.
    pub fn declare_test(&mut self, parent: ModuleId, name: &str) {
        if let Some(child) = self.modules[parent.0].children.get(name).copied() {
            self.modules[child.0].test = true;
        }
    }

    pub fn library(&self) -> ModuleId {
        self.library
    }

    pub fn module_of(&self, file: FileId) -> ModuleId {
        self.of_file[file.0]
    }

    pub fn module(&self, id: ModuleId) -> &Module {
        &self.modules[id.0]
    }

    pub fn module_mut(&mut self, id: ModuleId) -> &mut Module {
        &mut self.modules[id.0]
    }

    /// Whether the module, or one around it, is compiled for tests alone.
    pub fn is_test(&self, mut id: ModuleId) -> bool {
        loop {
            let module = self.module(id);
            match module.parent {
                _ if module.test => return true,
                Some(parent) => id = parent,
                None => return false,
            }
        }
    }

    /// The module that a path names by its own words (`crate`, `self`, `super`, the library), no `use` followed:
    /// the deepest one reached. None for a path that begins with any other name.
    pub fn named(&self, from: ModuleId, path: &Written) -> Option<ModuleId> {
        let (first, rest) = path.segments.split_first()?;
        let mut at = match first.as_str() {
            "crate" => self.root(from),
            "self" => from,
            "super" => self.module(from).parent?,
            LIBRARY => self.library,
            _ => return None,
        };
        for segment in rest {
            let module = self.module(at);
            at = match segment.as_str() {
                "self" => at,
                "super" => module.parent?,
                name => match module.children.get(name) {
                    Some(&child) => child,
                    None => break,
                },
            };
        }
        Some(at)
    }

    /// All places where a path may end: more than one when a name is bound more than once, under opposite `cfg`s.
    pub fn resolve(&self, from: ModuleId, path: &Written) -> Vec<Target> {
        self.follow(from, path, &mut BTreeSet::new())
    }

    fn root(&self, mut id: ModuleId) -> ModuleId {
        while let Some(parent) = self.module(id).parent {
            id = parent;
        }
        id
    }

    /// Whether `inner` is this module or lies in it.
    fn is_within(&self, inner: ModuleId, outer: ModuleId) -> bool {
        inner == outer || self.module(inner).parent.is_some_and(|parent| self.is_within(parent, outer))
    }

    fn follow(&self, from: ModuleId, path: &Written, open: &mut BTreeSet<(ModuleId, String)>) -> Vec<Target> {
        let Some((first, rest)) = path.segments.split_first() else {
            return Vec::new();
        };
        let outside = || {
            if first == LIBRARY { Target::Module(self.library) } else { Target::Outside(vec![first.clone()]) }
        };
        let mut at = match first.as_str() {
            _ if path.absolute => vec![outside()],
            "crate" => vec![Target::Module(self.root(from))],
            "self" => vec![Target::Module(from)],
            "super" => self.module(from).parent.map(Target::Module).into_iter().collect(),
            name => {
                let found = self.members(from, name, !rest.is_empty(), from, open);
                if found.is_empty() { vec![outside()] } else { found }
            }
        };
        for (index, segment) in rest.iter().enumerate() {
            let more = index + 1 < rest.len();
            at = at.into_iter().flat_map(|target| self.step(target, segment, more, from, open)).collect();
        }
        at
    }

    fn step(
        &self,
        target: Target,
        segment: &str,
        more: bool,
        asker: ModuleId,
        open: &mut BTreeSet<(ModuleId, String)>,
    ) -> Vec<Target> {
        match target {
            Target::Item(_) => vec![target],
            Target::Outside(mut path) => {
                path.push(segment.into());
                vec![Target::Outside(path)]
            }
            Target::Module(module) => match segment {
                "self" => vec![target],
                "super" => self.module(module).parent.map(Target::Module).into_iter().collect(),
                name => {
                    let found = self.members(module, name, more, asker, open);
                    if found.is_empty() { vec![Target::Item(module)] } else { found }
                }
            },
        }
    }

    /// What a name means inside a module. `more` says that a `::` follows it; the asker is the module
    /// where the path stands. Lookups under way are remembered in `open`, so that circular `use`s end.
    fn members(
        &self,
        id: ModuleId,
        name: &str,
        more: bool,
        asker: ModuleId,
        open: &mut BTreeSet<(ModuleId, String)>,
    ) -> Vec<Target> {
        if !open.insert((id, name.into())) {
            return Vec::new();
        }
        let found = self.declared(id, name, more, asker, open);
        open.remove(&(id, name.into()));
        found
    }

    fn declared(
        &self,
        id: ModuleId,
        name: &str,
        more: bool,
        asker: ModuleId,
        open: &mut BTreeSet<(ModuleId, String)>,
    ) -> Vec<Target> {
        let module = self.module(id);
        let child = module.children.get(name).copied().map(Target::Module);
        if more && child.is_some() {
            return child.into_iter().collect();
        }
        let mut found: Vec<Target> = child.into_iter().collect();
        found.extend(module.types.get(name).copied().map(Target::Item));
        if !more && module.values.contains(name) {
            found.push(Target::Item(id));
        }
        let seen = |binding: &&Binding| match binding.reach {
            Reach::Block => asker == id,
            Reach::Module => self.is_within(asker, id),
            Reach::Shared => true,
        };
        let visible = || module.bindings.iter().filter(seen);
        for binding in visible().filter(|binding| binding.name.as_deref() == Some(name)) {
            found.extend(self.follow(id, &binding.path, open));
        }
        // A module's own code may name another crate by such a word.
        if found.is_empty() && asker != id && module.generated.contains(name) {
            found.push(Target::Item(id));
        }
        if found.is_empty() {
            for glob in visible().filter(|binding| binding.name.is_none()) {
                for target in self.follow(id, &glob.path, open) {
                    if let Target::Module(from) = target {
                        found.extend(self.members(from, name, more, id, open));
                    }
                }
            }
        }
        found
    }
}
