//! The sources of a crate as a tree of modules, and what each name in them means.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use syn::{Attribute, Expr, ExprLit, Item, Lit, Meta, UseTree, Visibility};

/// A module: its file, its items, and where those are that it has from elsewhere.
#[derive(Default)]
pub struct Module {
    pub file: PathBuf,
    pub docs: Vec<Attribute>,
    pub items: Vec<Item>,
    /// Names that `use` brings: the path as written, and whether it is public.
    uses: Vec<Use>,
    public_modules: Vec<String>,
}

struct Use {
    name: String,
    path: Vec<String>,
    public: bool,
}

/// All modules of a crate by their path; the root is the empty one.
#[derive(Default)]
pub struct Crate(pub HashMap<Vec<String>, Module>);

/// A name, and the module that declares it.
pub type Place = (Vec<String>, String);

impl Crate {
    pub fn read(lib: &Path) -> Self {
        let mut all = Self::default();
        let file = parse(lib);
        let dir = lib.parent().expect("a file stands in a folder").to_owned();
        all.add(Vec::new(), lib, &dir, file.attrs, file.items);
        all
    }

    fn add(&mut self, path: Vec<String>, file: &Path, dir: &Path, docs: Vec<Attribute>, items: Vec<Item>) {
        let mut module = Module { file: file.to_owned(), docs, ..Module::default() };
        for item in items {
            match item {
                Item::Mod(inner) if !is_left_out(&inner.attrs) => {
                    let name = inner.ident.to_string();
                    let path = [path.as_slice(), std::slice::from_ref(&name)].concat();
                    let dir_of_inner = dir.join(&name);
                    match inner.content {
                        Some((_, items)) => self.add(path, file, &dir_of_inner, inner.attrs, items),
                        None => {
                            let found = [dir.join(format!("{name}.rs")), dir_of_inner.join("mod.rs")]
                                .into_iter()
                                .find(|file| file.exists())
                                .unwrap_or_else(|| panic!("no file of `mod {name}` in {}", dir.display()));
                            let read = parse(&found);
                            self.add(
                                path,
                                &found,
                                &dir_of_inner,
                                [inner.attrs, read.attrs].concat(),
                                read.items,
                            );
                        }
                    }
                    if is_public(&inner.vis) {
                        module.public_modules.push(name);
                    }
                }
                Item::Use(item) if !is_left_out(&item.attrs) => {
                    flatten(&item.tree, &mut Vec::new(), is_public(&item.vis), &mut module.uses);
                }
                item => module.items.push(item),
            }
        }
        self.0.insert(path, module);
    }

    /// What a user can name: each declared place once, and the docs of the module through which it is reached.
    pub fn public(&self) -> Vec<(Place, Vec<String>)> {
        let mut places = Vec::new();
        self.walk(&[], &mut Vec::new(), &mut places);
        places
    }

    fn walk(&self, path: &[String], seen: &mut Vec<Vec<String>>, places: &mut Vec<(Place, Vec<String>)>) {
        let path = path.to_vec();
        if seen.contains(&path) {
            return;
        }
        seen.push(path.clone());
        let module = &self.0[&path];
        let mut add = |place: Place| {
            if !places.iter().any(|(known, _)| *known == place) {
                places.push((place, path.clone()));
            }
        };
        for item in &module.items {
            if let Some(name) = name_of(item).filter(|_| is_public_item(item)) {
                add((path.clone(), name));
            }
        }
        let mut inner: Vec<_> = module
            .public_modules
            .iter()
            .map(|name| [path.as_slice(), std::slice::from_ref(name)].concat())
            .collect();
        for item in module.uses.iter().filter(|item| item.public) {
            if item.name == "*" {
                let Some(whole) = self.module(&path, &item.path) else { continue };
                for item in &self.0[&whole].items {
                    if let Some(name) = name_of(item).filter(|_| is_public_item(item)) {
                        add((whole.clone(), name));
                    }
                }
            } else if let Some(whole) = self.module(&path, &item.path) {
                inner.push(whole);
            } else if let Some(place) = self.resolve(&path, &item.path, 0) {
                add(place);
            }
        }
        for inner in inner {
            self.walk(&inner, seen, places);
        }
    }

    /// The module that a path means, seen from another.
    fn module(&self, from: &[String], path: &[String]) -> Option<Vec<String>> {
        let mut at = from.to_vec();
        for (index, part) in path.iter().enumerate() {
            match part.as_str() {
                "crate" => at.clear(),
                "self" => {}
                "super" => drop(at.pop()),
                name => {
                    let inner = [at.as_slice(), &[name.to_owned()]].concat();
                    if self.0.contains_key(&inner) {
                        at = inner;
                    } else {
                        let used = self.0.get(&at)?.uses.iter().find(|item| item.name == name)?;
                        if used.path == path[..=index] && at == from {
                            return None;
                        }
                        at = self.module(&at.clone(), &used.path)?;
                    }
                }
            }
        }
        Some(at)
    }

    /// Where the item is declared that a path means; none for what another crate or a macro makes.
    pub fn resolve(&self, from: &[String], path: &[String], depth: usize) -> Option<Place> {
        let (name, modules) = path.split_last()?;
        let at = self.module(from, modules)?;
        let module = self.0.get(&at)?;
        if module.items.iter().any(|item| name_of(item).is_some_and(|known| known == *name)) {
            return Some((at, name.clone()));
        }
        if depth > 8 {
            return None;
        }
        let named = module.uses.iter().filter(|item| item.name == *name);
        let globs = module.uses.iter().filter(|item| item.name == "*");
        named
            .map(|item| item.path.clone())
            .chain(globs.map(|item| [item.path.as_slice(), std::slice::from_ref(name)].concat()))
            .find_map(|path| self.resolve(&at, &path, depth + 1))
    }
}

fn parse(file: &Path) -> syn::File {
    let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn flatten(tree: &UseTree, path: &mut Vec<String>, public: bool, uses: &mut Vec<Use>) {
    let mut add = |name: String, last: Option<String>| {
        let path = path.iter().cloned().chain(last).collect();
        uses.push(Use { name, path, public });
    };
    match tree {
        UseTree::Name(name) if name.ident == "self" => add(path.last().cloned().unwrap_or_default(), None),
        UseTree::Name(name) => add(name.ident.to_string(), Some(name.ident.to_string())),
        UseTree::Rename(name) => add(name.rename.to_string(), Some(name.ident.to_string())),
        UseTree::Glob(_) => add("*".to_owned(), None),
        UseTree::Path(inner) => {
            path.push(inner.ident.to_string());
            flatten(&inner.tree, path, public, uses);
            path.pop();
        }
        UseTree::Group(group) => group.items.iter().for_each(|tree| flatten(tree, path, public, uses)),
    }
}

/// Hidden from the documentation, or of tests and fuzzers alone.
pub fn is_left_out(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        Meta::List(list) => {
            let text = list.tokens.to_string();
            let is_cfg = list.path.is_ident("cfg") && (text == "test" || text.contains("fuzzing"));
            is_cfg || (list.path.is_ident("doc") && text == "hidden")
        }
        _ => false,
    })
}

/// The text of all documentation comments.
pub fn docs_of(attrs: &[Attribute]) -> String {
    let mut text = String::new();
    for attr in attrs {
        if let Meta::NameValue(pair) = &attr.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(ExprLit { lit: Lit::Str(line), .. }) = &pair.value
        {
            text.push_str(&line.value());
            text.push('\n');
        }
    }
    text
}

pub const fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

fn is_public_item(item: &Item) -> bool {
    let (attrs, public) = match item {
        Item::Const(item) => (&item.attrs, is_public(&item.vis)),
        Item::Static(item) => (&item.attrs, is_public(&item.vis)),
        Item::Enum(item) => (&item.attrs, is_public(&item.vis)),
        Item::Fn(item) => (&item.attrs, is_public(&item.vis)),
        Item::Struct(item) => (&item.attrs, is_public(&item.vis)),
        Item::Trait(item) => (&item.attrs, is_public(&item.vis)),
        Item::Type(item) => (&item.attrs, is_public(&item.vis)),
        Item::Macro(item) => {
            (&item.attrs, item.attrs.iter().any(|attr| attr.path().is_ident("macro_export")))
        }
        _ => return false,
    };
    public && !is_left_out(attrs)
}

pub fn name_of(item: &Item) -> Option<String> {
    match item {
        Item::Const(item) => Some(item.ident.to_string()),
        Item::Static(item) => Some(item.ident.to_string()),
        Item::Enum(item) => Some(item.ident.to_string()),
        Item::Fn(item) => Some(item.sig.ident.to_string()),
        Item::Struct(item) => Some(item.ident.to_string()),
        Item::Trait(item) => Some(item.ident.to_string()),
        Item::Type(item) => Some(item.ident.to_string()),
        Item::Macro(item) => item.ident.as_ref().map(ToString::to_string),
        _ => None,
    }
}
