//! Reads what each file declares and imports: `use` items at any depth, paths in code and types, words in macros.
//!
//! Left out on purpose: documentation (a link is not an import) and the path in `pub(in path)`.

use std::mem;

use syn::ext::IdentExt;
use syn::visit::{self, Visit};

use crate::tokens;
use crate::tree::{Binding, FileId, LIBRARY, ModuleId, Reach, Tree, Written};
use crate::{Breach, Source};

/// One path, written in one place.
pub struct Import {
    pub file: FileId,
    pub line: usize,
    /// The module in which the path is read; an inline block counts as one.
    pub module: ModuleId,
    pub path: Written,
    /// Written in code that only tests compile.
    pub test: bool,
}

/// Fills the tree with what the sources declare and returns what they import.
pub fn read(sources: &[Source], tree: &mut Tree, breaches: &mut Vec<Breach>) -> Vec<Import> {
    let mut imports = Vec::new();
    for (index, source) in sources.iter().enumerate() {
        let Some(syntax) = &source.syntax else {
            continue;
        };
        let file = FileId(index);
        let module = tree.module_of(file);
        let depth = Depth { block: 0, test: 0, attribute: 0 };
        let mut reader = Reader { tree, source, file, module, depth, imports: &mut imports, breaches };
        reader.visit_file(syntax);
    }
    for import in &mut imports {
        import.test |= tree.is_test(import.module);
    }
    imports
}

/// Whether these attributes leave the item to tests alone.
pub fn for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let condition = || attribute.parse_args::<syn::Meta>().is_ok_and(|meta| needs_test(&meta));
        attribute.path().is_ident("test") || attribute.path().is_ident("cfg") && condition()
    })
}

fn needs_test(condition: &syn::Meta) -> bool {
    let parts = |list: &syn::MetaList| {
        let parser = syn::punctuated::Punctuated::<syn::Meta, syn::Token![,]>::parse_terminated;
        list.parse_args_with(parser).unwrap_or_default()
    };
    match condition {
        syn::Meta::Path(path) => path.is_ident("test"),
        syn::Meta::List(list) if list.path.is_ident("all") => parts(list).iter().any(needs_test),
        syn::Meta::List(list) if list.path.is_ident("any") => parts(list).iter().all(needs_test),
        // The oracles of the tests, lent to `fuzz/`; no shipped build has the feature.
        syn::Meta::NameValue(pair) if pair.path.is_ident("feature") => {
            matches!(&pair.value, syn::Expr::Lit(syn::ExprLit { lit: syn::Lit::Str(name), .. }) if name.value() == "fuzz")
        }
        _ => false,
    }
}

/// How deep the reader stands in blocks, test items and attributes.
struct Depth {
    block: usize,
    test: usize,
    attribute: usize,
}

struct Reader<'a> {
    tree: &'a mut Tree,
    source: &'a Source,
    file: FileId,
    module: ModuleId,
    depth: Depth,
    imports: &'a mut Vec<Import>,
    breaches: &'a mut Vec<Breach>,
}

impl Reader<'_> {
    fn import(&mut self, line: usize, path: Written) {
        let test = self.depth.test > 0;
        self.imports.push(Import { file: self.file, line, module: self.module, path, test });
    }

    fn bind(&mut self, name: Option<String>, path: Written, reach: Reach) {
        // `as _` brings a trait's methods and no name.
        if name.as_deref() != Some("_") {
            self.tree.module_mut(self.module).bindings.push(Binding { name, path, reach });
        }
    }

    fn reach(&self, visibility: &syn::Visibility) -> Reach {
        match visibility {
            _ if self.depth.block > 0 => Reach::Block,
            syn::Visibility::Inherited => Reach::Module,
            _ => Reach::Shared,
        }
    }

    /// Takes a `use` tree apart; `before` is the path so far.
    fn take_use(&mut self, tree: &syn::UseTree, before: &Written, reach: Reach) {
        let beyond = |name: &syn::Ident| {
            let mut path = before.clone();
            // `{self}` names the path before it.
            if name != "self" || path.segments.is_empty() {
                path.segments.push(name.unraw().to_string());
            }
            path
        };
        match tree {
            syn::UseTree::Path(part) => self.take_use(&part.tree, &beyond(&part.ident), reach),
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.take_use(item, before, reach))
            }
            syn::UseTree::Name(part) => {
                let path = beyond(&part.ident);
                self.bind(path.segments.last().cloned(), path.clone(), reach);
                self.import(part.ident.span().start().line, path);
            }
            syn::UseTree::Rename(part) => {
                let path = beyond(&part.ident);
                self.bind(Some(part.rename.unraw().to_string()), path.clone(), reach);
                self.import(part.ident.span().start().line, path);
            }
            syn::UseTree::Glob(glob) => {
                self.bind(None, before.clone(), reach);
                self.import(glob.star_token.spans[0].start().line, before.clone());
            }
        }
    }

    /// Enters an item's name into its module.
    fn declare(&mut self, item: &syn::Item) {
        let home = self.module;
        let (name, value) = match item {
            syn::Item::Const(item) => (&item.ident, true),
            syn::Item::Static(item) => (&item.ident, true),
            syn::Item::Fn(item) => (&item.sig.ident, true),
            syn::Item::Enum(item) => (&item.ident, false),
            syn::Item::Struct(item) => (&item.ident, false),
            syn::Item::Trait(item) => (&item.ident, false),
            syn::Item::TraitAlias(item) => (&item.ident, false),
            syn::Item::Type(item) => (&item.ident, false),
            syn::Item::Union(item) => (&item.ident, false),
            syn::Item::Macro(item) => match &item.ident {
                Some(name) => {
                    if item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")) {
                        let library = self.tree.library();
                        self.tree.module_mut(library).types.insert(name.unraw().to_string(), home);
                    }
                    (name, false)
                }
                None => {
                    let words = tokens::idents(&item.mac.tokens).into_iter().map(|(word, _)| word);
                    self.tree.module_mut(home).generated.extend(words);
                    return;
                }
            },
            _ => return,
        };
        let name = name.unraw().to_string();
        let module = self.tree.module_mut(home);
        if value {
            module.values.insert(name);
        } else {
            module.types.insert(name, home);
        }
    }

    /// An attribute may carry a path as a string: `#[serde(with = "crate::domain::time")]`.
    fn take_string(&mut self, text: &str, line: usize) {
        let Ok(path) = syn::parse_str::<syn::Path>(text) else {
            return;
        };
        let path = written(&path);
        if path
            .segments
            .first()
            .is_some_and(|first| ["crate", "self", "super", LIBRARY].contains(&first.as_str()))
        {
            self.import(line, path);
        }
    }
}

fn written(path: &syn::Path) -> Written {
    let segments = path.segments.iter().map(|segment| segment.ident.unraw().to_string()).collect();
    Written { absolute: path.leading_colon.is_some(), segments }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        if self.depth.block == 0 {
            self.declare(item);
        }
        visit::visit_item(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        item.attrs.iter().for_each(|attribute| self.visit_attribute(attribute));
        let name = item.ident.unraw().to_string();
        let test = for_tests(&item.attrs);
        let Some((_, items)) = &item.content else {
            if test {
                self.tree.declare_test(self.module, &name);
            }
            return;
        };
        let block = self.tree.block(self.module, &name);
        self.tree.module_mut(block).test = test;
        let around = mem::replace(&mut self.module, block);
        let depth = mem::take(&mut self.depth.block);
        items.iter().for_each(|item| self.visit_item(item));
        self.depth.block = depth;
        self.module = around;
    }

    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        let test = usize::from(for_tests(&item.attrs));
        self.depth.test += test;
        visit::visit_item_fn(self, item);
        self.depth.test -= test;
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let test = usize::from(for_tests(&item.attrs));
        self.depth.test += test;
        let before = Written { absolute: item.leading_colon.is_some(), segments: Vec::new() };
        self.take_use(&item.tree, &before, self.reach(&item.vis));
        self.depth.test -= test;
    }

    fn visit_item_extern_crate(&mut self, item: &'ast syn::ItemExternCrate) {
        let name = item.ident.unraw().to_string();
        if name == "self" {
            return;
        }
        let path = Written { absolute: true, segments: vec![name.clone()] };
        let renamed = item.rename.as_ref().map(|(_, rename)| rename.unraw().to_string());
        self.bind(Some(renamed.unwrap_or(name)), path.clone(), self.reach(&item.vis));
        self.import(item.ident.span().start().line, path);
    }

    fn visit_block(&mut self, block: &'ast syn::Block) {
        self.depth.block += 1;
        visit::visit_block(self, block);
        self.depth.block -= 1;
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            self.import(path.segments[0].ident.span().start().line, written(path));
        }
        visit::visit_path(self, path);
    }

    fn visit_vis_restricted(&mut self, _: &'ast syn::VisRestricted) {}

    fn visit_attribute(&mut self, attribute: &'ast syn::Attribute) {
        if attribute.path().is_ident("doc") {
            return;
        }
        if attribute.path().is_ident("path") {
            let line = attribute.pound_token.spans[0].start().line;
            let what = "`#[path]` hides where a module lives; put the file where its name says".into();
            self.breaches.push(Breach { file: self.source.path.clone(), line, what });
        }
        self.depth.attribute += 1;
        visit::visit_attribute(self, attribute);
        self.depth.attribute -= 1;
    }

    fn visit_lit_str(&mut self, literal: &'ast syn::LitStr) {
        if self.depth.attribute > 0 {
            self.take_string(&literal.value(), literal.span().start().line);
        }
    }

    fn visit_token_stream(&mut self, stream: &'ast proc_macro2::TokenStream) {
        for found in tokens::paths(stream) {
            self.import(found.line, found.path);
        }
        if self.depth.attribute > 0 {
            for (text, line) in tokens::strings(stream) {
                self.take_string(&text, line);
            }
        }
    }
}
