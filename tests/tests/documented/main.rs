//! Issue 8, point 7: `cargo doc` has an example for every public item.
//!
//! An item has an example when its own documentation has one that runs, or when an example of what it belongs to names it:
//! a method or a constant of a type one of the type or of its other methods; a function, a type or a constant of a module
//! one of the module or of what else the module declares. As for rustdoc's own coverage, fields and variants need none.
//! Read from the sources, so that no nightly is needed; what a macro of ours declares is looked for by its list.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod source;

use std::collections::{BTreeSet, HashMap};
use std::fs;
use std::path::Path;

use syn::{Attribute, ImplItem, Item, TraitItem, Type};

use source::{Crate, Place, docs_of, is_left_out, is_public, name_of};

/// One that can be used, its own examples, and those of what it belongs to.
struct Thing {
    path: String,
    own: String,
    around: String,
}

impl Thing {
    fn has_example(&self) -> bool {
        let name = self.path.rsplit("::").next().unwrap();
        !self.own.is_empty() || names(&self.around, name.trim_start_matches("r#"))
    }
}

/// The examples in some documentation that a documentation test compiles.
fn examples(docs: &str) -> String {
    let mut found = String::new();
    let mut inside = None;
    for line in docs.lines() {
        match (line.trim_start().strip_prefix("```"), inside) {
            (Some(kind), None) => {
                inside = Some(kind.split(',').all(|word| {
                    matches!(word.trim(), "" | "rust" | "no_run" | "should_panic" | "compile_fail")
                }));
            }
            (Some(_), Some(_)) => inside = None,
            (None, Some(true)) => {
                found.push_str(line);
                found.push('\n');
            }
            (None, _) => {}
        }
    }
    found
}

/// Whether the word stands in the text, and not within a longer one.
fn names(text: &str, word: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(word).any(|(at, _)| {
        let begins_within = word.starts_with(is_word) && text[..at].ends_with(is_word);
        let ends_within = text[at + word.len()..].starts_with(is_word);
        !begins_within && !ends_within
    })
}

/// The word as a part of something: how the example of a module shows what a type of it can do.
fn calls(text: &str, word: &str) -> String {
    let is_shown = [format!(".{word}"), format!("::{word}")].iter().any(|shown| names(text, shown));
    if is_shown { word.to_owned() } else { String::new() }
}

fn attrs_of(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        _ => &[],
    }
}

/// A method or a constant of a type: its name, its documentation, whether it can be used from outside.
type Member = (String, String, bool);

fn members_of(item: &Item) -> Vec<Member> {
    match item {
        Item::Trait(item) => item
            .items
            .iter()
            .filter_map(|item| match item {
                TraitItem::Fn(item) if !is_left_out(&item.attrs) => {
                    Some((item.sig.ident.to_string(), docs_of(&item.attrs), true))
                }
                TraitItem::Const(item) if !is_left_out(&item.attrs) => {
                    Some((item.ident.to_string(), docs_of(&item.attrs), true))
                }
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The methods and constants that `impl` blocks anywhere in the crate give to each type.
fn implemented(sources: &Crate) -> HashMap<Place, Vec<Member>> {
    let mut all: HashMap<Place, Vec<Member>> = HashMap::new();
    for (path, module) in &sources.0 {
        for item in &module.items {
            let Item::Impl(block) = item else { continue };
            let Type::Path(of) = &*block.self_ty else { continue };
            if block.trait_.is_some() || is_left_out(&block.attrs) {
                continue;
            }
            let of: Vec<_> = of.path.segments.iter().map(|part| part.ident.to_string()).collect();
            let Some(place) = sources.resolve(path, &of, 0) else { continue };
            let members = block.items.iter().filter_map(|item| match item {
                ImplItem::Fn(item) if !is_left_out(&item.attrs) => {
                    Some((item.sig.ident.to_string(), docs_of(&item.attrs), is_public(&item.vis)))
                }
                ImplItem::Const(item) if !is_left_out(&item.attrs) => {
                    Some((item.ident.to_string(), docs_of(&item.attrs), is_public(&item.vis)))
                }
                _ => None,
            });
            all.entry(place).or_default().extend(members);
        }
    }
    all
}

/// Everything that a user of the crate can name.
fn things(sources: &Crate) -> Vec<Thing> {
    let implemented = implemented(sources);
    let mut things = Vec::new();
    for ((path, name), through) in sources.public() {
        let module = &sources.0[&path];
        let Some(item) = module.items.iter().find(|item| name_of(item).is_some_and(|known| known == name))
        else {
            continue;
        };
        let place = (path.clone(), name.clone());
        let mut members = members_of(item);
        members.extend(implemented.get(&place).into_iter().flatten().cloned());
        let of_members: String = members.iter().map(|(_, docs, _)| examples(docs)).collect();
        let own = examples(&docs_of(attrs_of(item)));
        let around_members = format!("{own}{of_members}");
        let in_module = |path: &Vec<String>| {
            let module = &sources.0[path];
            let items: String = module.items.iter().map(|item| examples(&docs_of(attrs_of(item)))).collect();
            examples(&docs_of(&module.docs)) + &items
        };
        let around = of_members + &in_module(&path) + &in_module(&through);
        let path = format!("{}: {}", module.file.display(), [path, vec![name]].concat().join("::"));
        for (member, docs, _) in members.into_iter().filter(|(.., public)| *public) {
            things.push(Thing {
                path: format!("{path}::{member}"),
                own: examples(&docs),
                around: around_members.clone() + &calls(&around, &member),
            });
        }
        things.push(Thing { path, own, around });
    }
    things
}

fn read(krate: &str) -> Crate {
    Crate::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(krate).join("src/lib.rs"))
}

#[track_caller]
fn check(krate: &str, at_least: usize) {
    let things = things(&read(krate));
    // A reader that finds nothing would find no mistake either.
    assert!(things.len() >= at_least, "only {} public items were found in {krate}", things.len());
    let without: BTreeSet<_> =
        things.iter().filter(|thing| !thing.has_example()).map(|thing| &*thing.path).collect();
    let list: String = without.iter().map(|path| format!("\n  {path}")).collect();
    assert!(
        without.is_empty(),
        "{} of {} public items have no example; write one:{list}",
        without.len(),
        things.len()
    );
}

#[test]
fn every_public_item_of_the_runtime_has_an_example() {
    check("runtime", 400);
}

#[test]
fn every_macro_has_an_example() {
    check("macros", 15);
}

#[test]
fn every_public_item_of_the_web_crate_has_an_example() {
    check("web", 20);
}

#[test]
fn every_public_item_of_the_shipper_has_an_example() {
    check("ship", 30);
}

#[test]
fn every_event_stands_in_an_example() {
    // They are declared by a macro of ours, which is no source that could be read.
    let sources = read("runtime");
    let shown: String = sources
        .0
        .iter()
        .filter(|(path, _)| path.first().is_some_and(|first| first == "events"))
        .flat_map(|(_, module)| {
            let items = module.items.iter().map(|item| examples(&docs_of(attrs_of(item))));
            items.chain([examples(&docs_of(&module.docs))]).collect::<Vec<_>>()
        })
        .collect();
    let without: Vec<_> =
        tapelog::events::ALL.iter().map(|event| event.name).filter(|name| !names(&shown, name)).collect();
    assert!(
        without.is_empty(),
        "{} events stand in no example of `tapelog::events`: {without:?}",
        without.len()
    );
}

#[test]
fn the_trait_of_every_order_field_stands_in_an_example() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../runtime/src/scope/order/fields.rs");
    let source = fs::read_to_string(&file).unwrap();
    let docs: String = source
        .lines()
        .filter_map(|line| line.trim().strip_prefix("///"))
        .fold(String::new(), |text, line| text + line.strip_prefix(' ').unwrap_or(line) + "\n");
    let shown = examples(&docs);
    let (_, declared) = source.split_once("order_fields! {").unwrap();
    let traits: Vec<_> = declared.split_whitespace().filter(|word| word.starts_with("Has")).collect();
    assert!(traits.len() >= 36, "only {} order fields were found", traits.len());
    let without: Vec<_> = traits.into_iter().filter(|word| !names(&shown, word)).collect();
    assert!(without.is_empty(), "no example of `order::OrderContext` names {without:?}");
}

#[test]
fn an_example_is_code_that_is_compiled_and_names_what_it_shows() {
    assert_eq!(
        examples("Text.\n\n```\na.b();\n```\nMore `c`.\n```text\nd\n```\n```ignore\ne\n```\n"),
        "a.b();\n"
    );
    assert!(names("let x = tape.flush();", "flush"));
    assert!(!names("let flushed = 1;", "flush"));
}

#[test]
fn an_item_without_an_example_is_found_wherever_it_is_declared() {
    let dir = std::env::temp_dir().join(format!("tapelog-documented-{}", std::process::id()));
    fs::create_dir_all(&dir).unwrap();
    let lib = dir.join("lib.rs");
    fs::write(&lib, "mod hidden;\npub use hidden::{Shown, bare};\nimpl Shown { pub fn method(&self) {} fn own(&self) {} }").unwrap();
    let hidden = "/// ```\n/// Shown { px: 1.0, .. };\n/// ```\npub struct Shown { pub px: f64 }\n\
        pub fn bare() {}\npub fn unreachable() {}\n#[doc(hidden)]\npub fn left_out() {}";
    fs::write(dir.join("hidden.rs"), hidden).unwrap();
    let things = things(&Crate::read(&lib));
    fs::remove_dir_all(&dir).unwrap();
    let mut without: Vec<_> = things
        .iter()
        .filter(|thing| !thing.has_example())
        .map(|thing| thing.path.rsplit(": ").next().unwrap())
        .collect();
    without.sort_unstable();
    assert_eq!(without, ["hidden::Shown::method", "hidden::bare"]);
}
