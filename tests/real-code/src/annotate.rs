//! Puts attributes before functions, in the text, so that everything else stays as its author wrote it.

use proc_macro2::LineColumn;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};

/// The text with `attributes` before every function that can have them, and how many there were.
///
/// # Errors
/// When the text is not Rust that syn understands.
pub(crate) fn annotate(text: &str, attributes: &str) -> syn::Result<(String, usize)> {
    let file = syn::parse_file(text)?;
    let mut places = Places(Vec::new());
    places.visit_file(&file);
    let starts: Vec<usize> = line_starts(text);
    let mut offsets: Vec<usize> = places.0.iter().map(|place| offset(text, &starts, *place)).collect();
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
    Ok((out, offsets.len()))
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
struct Places(Vec<LineColumn>);

impl Places {
    fn add(&mut self, attrs: &[syn::Attribute], visibility: Option<&syn::Visibility>, sig: &syn::Signature) {
        if sig.constness.is_some() || attrs.iter().any(keeps_away) {
            return;
        }
        let visible = visibility.filter(|visibility| !matches!(visibility, syn::Visibility::Inherited));
        let start = visible.map_or_else(|| sig.span().start(), |visibility| visibility.span().start());
        self.0.push(start);
    }
}

/// Tests keep their harness to themselves, and a macro that is defined here is not a function.
fn keeps_away(attr: &syn::Attribute) -> bool {
    let last = attr.path().segments.last().map(|segment| segment.ident.to_string()).unwrap_or_default();
    let tests = ["test", "bench", "test_case", "rstest", "wasm_bindgen_test", "quickcheck", "test_log"];
    let macros = ["proc_macro", "proc_macro_attribute", "proc_macro_derive", "panic_handler", "naked"];
    tests.contains(&last.as_str()) || macros.contains(&last.as_str())
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str, count: usize) {
        assert_eq!(annotate(text, "#[d]").unwrap(), (expected.to_owned(), count));
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
}
