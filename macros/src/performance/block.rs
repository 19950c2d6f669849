//! `#[log_performance]` on an `impl` block, a trait impl or an inline module.

use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use quote::quote;
use syn::{Attribute, ImplItem, Item, ItemImpl, ItemMod};

/// A block whose functions are annotated one by one.
pub(super) enum Block {
    Impl(ItemImpl),
    Module(ItemMod),
}

impl Block {
    /// Nothing for anything but an `impl` block or a module with a body.
    pub(super) fn parse(item: &TokenStream) -> Option<Self> {
        if !begins_a_block(item) {
            return None;
        }
        match syn::parse2(item.clone()).ok()? {
            Item::Impl(item) => Some(Self::Impl(item)),
            Item::Mod(item) if item.content.is_some() => Some(Self::Module(item)),
            _ => None,
        }
    }

    /// Puts the attribute on every function that can have it.
    pub(super) fn annotate(self, attr: &TokenStream) -> TokenStream {
        match self {
            Self::Impl(item) => annotate_impl(item, attr),
            Self::Module(item) => annotate_module(item, attr),
        }
    }
}

/// Whether the first keyword is `impl` or `mod`: most items are functions, and to parse their bodies would cost compile
/// time for nothing.
fn begins_a_block(item: &TokenStream) -> bool {
    let first = item.clone().into_iter().find_map(|tree| match tree {
        TokenTree::Ident(word) if !["pub", "unsafe", "default"].iter().any(|prefix| word == prefix) => {
            Some(word)
        }
        _ => None,
    });
    first.is_some_and(|word| word == "impl" || word == "mod")
}

fn annotate_impl(mut item: ItemImpl, attr: &TokenStream) -> TokenStream {
    for inside in &mut item.items {
        if let ImplItem::Fn(method) = inside {
            let attribute = attribute(attr);
            annotate(&mut method.attrs, method.sig.constness.is_some(), attribute);
        }
    }
    quote!(#item)
}

#[expect(clippy::collapsible_match, reason = "a pattern's guard cannot borrow mutably")]
fn annotate_module(mut item: ItemMod, attr: &TokenStream) -> TokenStream {
    let items = item.content.as_mut().map(|(_, items)| items).into_iter().flatten();
    for inside in items {
        match inside {
            Item::Fn(function) => {
                annotate(&mut function.attrs, function.sig.constness.is_some(), attribute(attr))
            }
            Item::Impl(block) => {
                if !skipped(&mut block.attrs) {
                    *inside = Item::Verbatim(annotate_impl(block.clone(), attr));
                }
            }
            Item::Mod(module) => {
                if !skipped(&mut module.attrs) && module.content.is_some() {
                    *inside = Item::Verbatim(annotate_module(module.clone(), attr));
                }
            }
            _ => {}
        }
    }
    quote!(#item)
}

fn attribute(attr: &TokenStream) -> Attribute {
    let arguments = (!attr.is_empty()).then(|| Group::new(Delimiter::Parenthesis, attr.clone()));
    let krate = crate_of(attr);
    syn::parse_quote!(#[#krate::log_performance #arguments])
}

/// The path after `crate =`, or `::tapelog`.
fn crate_of(attr: &TokenStream) -> TokenStream {
    let mut mistakes = crate::mistakes::Mistakes::new();
    let args = super::parse(attr.clone(), &mut mistakes);
    // Whatever is wrong is reported on each function.
    drop(mistakes.finish());
    args.krate.map_or_else(|| quote!(::tapelog), |path| quote!(#path))
}

fn annotate(attrs: &mut Vec<Attribute>, is_const: bool, attribute: Attribute) {
    let leave = skipped(attrs) || is_const || attrs.iter().any(is_ours_or_test);
    if !leave {
        attrs.push(attribute);
    }
}

/// Functions that have the attribute already, and those that the test harness calls.
fn is_ours_or_test(attr: &Attribute) -> bool {
    let last = crate::function::last_segment(attr.path());
    last.is_some_and(|last| last == "log_performance" || last == "test" || last == "naked")
}

/// Takes `#[tapelog(skip)]` off.
fn skipped(attrs: &mut Vec<Attribute>) -> bool {
    let before = attrs.len();
    attrs.retain(|attr| !attr.path().is_ident("tapelog"));
    attrs.len() != before
}
