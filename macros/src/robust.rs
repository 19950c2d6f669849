//! Any attribute text on any item: no macro panics, and what it gives parses.

use proc_macro2::TokenStream;
use proptest::prelude::*;

use crate::wrapper::{self, Kind};

/// Words that mean something to us or to the grammar, and some that do not.
const WORDS: &[&str] = &[
    "id",
    "kind",
    "fields",
    "inputs",
    "inherit",
    "resume",
    "verdict",
    "lazy",
    "crate",
    "operation",
    "args",
    "memory",
    "slower_than",
    "every",
    "from",
    "defaults",
    "none",
    "outcome",
    "not_sent",
    "rejected",
    "returns",
    "action",
    "cancel",
    "each",
    "intent_id",
    "symbol",
    "side",
    "qty",
    "limit_px",
    "attempt",
    "x",
    "self",
    "r#type",
    "_",
    "BUY_BLOCKED",
    "\"text\"",
    "\"{x} {} {y:.2} {\"",
    "\"5ms\"",
    "''",
    "1",
    "-2.5",
    "0x1F",
    "1e400",
    "'c'",
    "'a",
    "b\"b\"",
    "true",
    "=",
    "==",
    "=>",
    ",",
    ",,",
    ";",
    ":",
    "::",
    "|",
    "||",
    "%",
    "?",
    "&",
    "*",
    "!",
    "#",
    "..",
    "<",
    ">",
    "->",
    "fn",
    "async",
    "if",
    "match",
    "struct",
    "move",
    "const",
    "unsafe",
    "impl",
    "orders",
    "info",
    "log",
    "pub",
];

const ITEMS: &[&str] = &[
    "fn f() {}",
    "fn f(a: u32, (b, mut c): (u8, u8), _: X, r#type: &str) -> Result<u32, E> { Ok(a) }",
    "pub(crate) async unsafe fn f<'a, T: Tr, const N: usize>(mut self: Box<Self>, a: &'a T) -> impl Tr + use<'a, T> where T: X { todo!() }",
    "const fn f() -> u8 { 1 }",
    "fn f() -> ! { loop {} }",
    "fn f() -> Pin<Box<dyn Future<Output = ()> + Send + 'static>> { Box::pin(async {}) }",
    "fn f() -> impl Future<Output = Result<(), E>> { async { Ok(()) } }",
    "#[track_caller] extern \"C\" fn f(symbol: X) -> (A, B) { #![allow(x)] x }",
    "#[decision(lazy)] #[order_context] #[log_performance(every = 3)] #[inline] fn f(qty: f64) {}",
    "fn f(&self);",
    "struct S { symbol: u8, #[order(qty)] #[value(rename = \"x\")] a: u8 }",
    "struct T(u8, #[value(skip)] u16);",
    "enum E { A, B(u8), C { x: u8 } }",
    "enum Empty {}",
    "union U { a: u8 }",
    "trait T { fn f(); }",
    "impl S { fn f(&self) {} const fn g() {} #[tapelog(skip)] fn h() {} }",
    "mod m { fn f() {} impl S { fn g() {} } }",
    "static S: u8 = 1;",
    "use a::b;",
    "macro_rules! m { () => {}; }",
];

/// Random trees: words, and groups of them.
fn text() -> impl Strategy<Value = String> {
    let word = proptest::sample::select(WORDS).prop_map(str::to_owned);
    let tree = word.prop_recursive(3, 24, 6, |inner| {
        (proptest::collection::vec(inner, 0..6), 0..4_u8).prop_map(|(inside, delimiter)| {
            let inside = inside.join(" ");
            match delimiter {
                0 => format!("fields({inside})"),
                1 => format!("({inside})"),
                2 => format!("[{inside}]"),
                _ => format!("{{{inside}}}"),
            }
        })
    });
    proptest::collection::vec(tree, 0..12).prop_map(|trees| trees.join(" "))
}

fn parses(tokens: TokenStream) -> Result<(), String> {
    let text = tokens.to_string();
    syn::parse2::<syn::File>(tokens).map(drop).map_err(|error| format!("{error}: {text}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn attributes_never_panic_and_give_items(
        attr in text(),
        item in proptest::sample::select(ITEMS),
        kind in proptest::sample::select(&Kind::ALL[..]),
    ) {
        let Ok(attr) = attr.parse::<TokenStream>() else { return Ok(()) };
        let item: TokenStream = item.parse().unwrap();
        // A method without a body is an item of a trait only.
        let whole = syn::parse2::<syn::Item>(item.clone()).is_ok();
        for expanded in [
            wrapper::expand(kind, attr.clone(), item.clone()),
            crate::performance::expand(attr, item.clone()),
        ] {
            if whole {
                prop_assert_eq!(parses(expanded), Ok(()));
            }
        }
    }

    #[test]
    fn broken_items_never_panic(attr in text(), item in text(), kind in proptest::sample::select(&Kind::ALL[..])) {
        if let (Ok(attr), Ok(item)) = (attr.parse::<TokenStream>(), item.parse::<TokenStream>()) {
            let expanded = wrapper::expand(kind, attr.clone(), item.clone()).to_string();
            // The user's tokens are there all the same.
            prop_assert!(item.is_empty() || !expanded.is_empty());
            crate::performance::expand(attr, item);
        }
    }

    #[test]
    fn function_like_macros_never_panic(input in text()) {
        let Ok(input) = input.parse::<TokenStream>() else { return Ok(()) };
        for expand in [crate::event::event, crate::event::dash_event, crate::verdict::expand, crate::order::statement] {
            let expanded = expand(input.clone());
            prop_assert_eq!(parses(quote::quote!(fn f() { let _ = #expanded; })), Ok(()));
        }
        prop_assert_eq!(parses(crate::events::expand(input)), Ok(()));
    }

    #[test]
    fn derives_never_panic(attr in text(), item in proptest::sample::select(ITEMS)) {
        let item = format!("#[value({attr})] #[order({attr})] {item}");
        let Ok(item) = item.parse::<TokenStream>() else { return Ok(()) };
        prop_assert_eq!(parses(crate::value::expand(item.clone())), Ok(()));
        prop_assert_eq!(parses(crate::order::derive(item)), Ok(()));
    }
}
