//! Puts attributes before functions, in the text, so that everything else stays as its author wrote it.

use proc_macro2::{LineColumn, TokenStream, TokenTree};
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// How many functions there were, and what became of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    pub(crate) annotated: usize,
    /// `const fn`: the compiler runs them, so the macros refuse them.
    pub(crate) constant: usize,
    /// Functions that a test harness calls.
    pub(crate) tests: usize,
    /// Macros' entry points, panic handlers, naked functions.
    pub(crate) others: usize,
    /// Written inside of a macro or its definition, where the text is not yet a function.
    pub(crate) in_macros: usize,
}

impl core::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.annotated += other.annotated;
        self.constant += other.constant;
        self.tests += other.tests;
        self.others += other.others;
        self.in_macros += other.in_macros;
    }
}

/// The text with `attributes` before every function that can have them, and how many there were.
///
/// # Errors
/// When the text is not Rust that syn understands.
pub(crate) fn annotate(text: &str, attributes: &str) -> syn::Result<(String, Counts)> {
    let file = syn::parse_file(text)?;
    let mut places = Places::default();
    places.visit_file(&file);
    let starts: Vec<usize> = line_starts(text);
    let mut offsets: Vec<usize> = places.starts.iter().map(|place| offset(text, &starts, *place)).collect();
    offsets.sort_unstable();
    offsets.dedup();
    let mut out = String::with_capacity(text.len() + offsets.len() * (attributes.len() + 1));
    let mut last = 0;
    for offset in &offsets {
        out.push_str(&text[last..*offset]);
        out.push_str(attributes);
        out.push(' ');
        last = *offset;
    }
    out.push_str(&text[last..]);
    Ok((out, Counts { annotated: offsets.len(), ..places.counts }))
}

fn line_starts(text: &str) -> Vec<usize> {
    core::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect()
}

/// proc-macro2 counts columns in characters, and lines as the compiler does.
fn offset(text: &str, starts: &[usize], place: LineColumn) -> usize {
    let start = starts[place.line - 1];
    // A byte-order mark is not counted as a column.
    let start = if start == 0 && text.starts_with('\u{FEFF}') { 3 } else { start };
    text[start..].char_indices().nth(place.column).map_or(text.len(), |(at, _)| start + at)
}

/// Where the signature of each function begins, visibility included.
#[derive(Default)]
struct Places {
    starts: Vec<LineColumn>,
    counts: Counts,
}

impl Places {
    fn add(&mut self, attrs: &[syn::Attribute], visibility: Option<&syn::Visibility>, sig: &syn::Signature) {
        let has = |names: &[&str]| {
            let last = |attr: &syn::Attribute| attr.path().segments.last().map(|last| last.ident.to_string());
            attrs.iter().filter_map(last).any(|last| names.contains(&last.as_str()))
        };
        if sig.constness.is_some() {
            self.counts.constant += 1;
        } else if has(&TESTS) {
            self.counts.tests += 1;
        } else if has(&OTHERS) {
            self.counts.others += 1;
        } else {
            let visible = visibility.filter(|visibility| !matches!(visibility, syn::Visibility::Inherited));
            self.starts.push(visible.map_or_else(|| sig.span().start(), |visible| visible.span().start()));
        }
    }
}

/// Tests keep their harness to themselves.
const TESTS: [&str; 7] =
    ["test", "bench", "test_case", "rstest", "wasm_bindgen_test", "quickcheck", "test_log"];
/// What the compiler itself calls is not an ordinary function.
const OTHERS: [&str; 5] =
    ["proc_macro", "proc_macro_attribute", "proc_macro_derive", "panic_handler", "naked"];

/// How often a function with a name, or with one that a macro fills in, begins in these tokens.
fn functions_in(tokens: TokenStream) -> usize {
    let mut count = 0;
    let mut after_fn = false;
    for tree in tokens {
        let named = matches!(&tree, TokenTree::Ident(_))
            || matches!(&tree, TokenTree::Punct(punct) if punct.as_char() == '$');
        count += usize::from(after_fn && named);
        after_fn = matches!(&tree, TokenTree::Ident(word) if word == "fn");
        if let TokenTree::Group(group) = tree {
            count += functions_in(group.stream());
        }
    }
    count
}

impl<'ast> Visit<'ast> for Places {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.add(&item.attrs, Some(&item.vis), &item.sig);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.add(&item.attrs, Some(&item.vis), &item.sig);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        if item.default.is_some() {
            self.add(&item.attrs, None, &item.sig);
        }
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        self.counts.in_macros += functions_in(item.tokens.clone());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str, count: usize) {
        let (annotated, counts) = annotate(text, "#[d]").unwrap();
        assert_eq!((annotated.as_str(), counts.annotated), (expected, count));
    }

    #[test]
    fn every_function_with_a_body_is_found_where_it_begins() {
        check("/// é\npub fn a() {}", "/// é\n#[d] pub fn a() {}", 1);
        check(
            "impl A { async fn a(&self) { fn b() {} } }",
            "impl A { #[d] async fn a(&self) { #[d] fn b() {} } }",
            2,
        );
        check("trait T { fn a(); unsafe fn b() {} }", "trait T { fn a(); #[d] unsafe fn b() {} }", 1);
    }

    #[test]
    fn const_functions_and_tests_are_left_alone() {
        check(
            "const fn a() {} #[test] fn b() {} #[tokio::test] async fn c() {}",
            "const fn a() {} #[test] fn b() {} #[tokio::test] async fn c() {}",
            0,
        );
    }

    #[test]
    fn what_is_left_alone_is_counted() {
        let text = "const fn a() {} #[test] fn b() {} #[proc_macro] pub fn c(a: T) -> T { a }
            macro_rules! m { ($n:ident) => { fn $n() {} fn d() { let f: fn(u8) = e; } } }";
        let (_, counts) = annotate(text, "#[d]").unwrap();
        let expected = Counts { annotated: 0, constant: 1, tests: 1, others: 1, in_macros: 2 };
        assert_eq!(counts, expected);
    }
}
