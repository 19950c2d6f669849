//! The function under an attribute: its head parsed, its body kept as the tokens that the user wrote.
//!
//! Invariant: what is emitted is what was parsed; nothing of the user's is dropped, reordered or given another span.

use proc_macro2::{Delimiter, Group, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, FnArg, Ident, Meta, Pat, Signature, Token, Visibility};

/// A function, a method, or a default method of a trait.
pub(crate) struct Function {
    /// The outer attributes, in order.
    pub(crate) attrs: Vec<Attribute>,
    vis: Visibility,
    default: Option<Token![default]>,
    pub(crate) sig: Signature,
    /// The inner attributes of the body.
    inner: TokenStream,
    /// The body in its braces, without inner attributes.
    pub(crate) body: Group,
}

/// Why an item is not a function that can be annotated.
pub(crate) enum NotAFunction {
    /// `struct`, `impl`, …: the word and where it stands.
    Other { what: &'static str, at: Span },
    /// A method of a trait without a body.
    NoBody { at: Span },
    /// Tokens that are no item at all.
    Syntax(syn::Error),
}

impl Function {
    /// Reads a function. Its body stays one token: to look into it would cost compile time for nothing.
    pub(crate) fn parse(item: TokenStream) -> Result<Self, NotAFunction> {
        let mut trees: Vec<TokenTree> = item.clone().into_iter().collect();
        let end = trees.pop();
        let body = end.clone().and_then(body_of);
        if body.is_none() {
            trees.extend(end.clone());
        }
        let head = |input: ParseStream<'_>| {
            let attrs = input.call(Attribute::parse_outer)?;
            let vis: Visibility = input.parse()?;
            let default: Option<Token![default]> = input.parse()?;
            let sig: Signature = input.parse()?;
            let ends: Option<Token![;]> = if body.is_none() { input.parse()? } else { None };
            Ok((attrs, vis, default, sig, ends))
        };
        let read = head.parse2(trees.into_iter().collect());
        match (read, body) {
            (Ok((attrs, vis, default, sig, _)), Some(body)) => {
                let (inner, body) = split_inner(body).map_err(NotAFunction::Syntax)?;
                Ok(Self { attrs, vis, default, sig, inner, body })
            }
            (Ok((.., sig, Some(_))), None) => Err(NotAFunction::NoBody { at: sig.ident.span() }),
            (Ok(_), None) => Err(NotAFunction::Syntax(syn::Error::new(
                end.map_or_else(Span::call_site, |end| end.span()),
                "expected the body of the function in braces",
            ))),
            (Err(error), _) => Err(match other_item(item) {
                Some((what, at)) => NotAFunction::Other { what, at },
                None => NotAFunction::Syntax(error),
            }),
        }
    }

    /// The name, without `r#`.
    pub(crate) fn name(&self) -> String {
        self.sig.ident.unraw().to_string()
    }

    /// The names that arguments bind, also inside patterns.
    pub(crate) fn arguments(&self) -> Vec<Ident> {
        let mut names = Vec::new();
        for input in &self.sig.inputs {
            if let FnArg::Typed(argument) = input {
                bound(&argument.pat, &mut names);
            }
        }
        names
    }

    /// Arguments written `mut name: Type`, whose variable the body may assign.
    pub(crate) fn assignable(&self) -> impl Iterator<Item = (&Ident, &Token![mut])> {
        self.sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(argument) => match &*argument.pat {
                Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
                    pat.mutability.as_ref().map(|token| (&pat.ident, token))
                }
                _ => None,
            },
            FnArg::Receiver(_) => None,
        })
    }

    /// Takes `mut` off the arguments that [`Function::assignable`] names.
    pub(crate) fn drop_argument_mut(&mut self) {
        for input in &mut self.sig.inputs {
            if let FnArg::Typed(argument) = input
                && let Pat::Ident(pat) = &mut *argument.pat
                && pat.by_ref.is_none()
                && pat.subpat.is_none()
            {
                pat.mutability = None;
            }
        }
    }

    /// The attribute with this last path segment.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attrs.iter().find(|attr| last_segment(attr.path()).is_some_and(|last| last == name))
    }

    /// The body as the last expression of a block of ours. Its braces stay the user's: clippy looks at what stands right
    /// inside only where the braces do not come from a macro.
    pub(crate) fn inner_block(&self) -> Group {
        self.body.clone()
    }

    /// The function with `inside` as its body, below its inner attributes.
    pub(crate) fn with_body(&self, inside: &TokenStream) -> TokenStream {
        let Self { attrs, vis, default, sig, inner, body } = self;
        // The braces are the user's, so that lints about the body look where they always looked.
        let mut braces = Group::new(Delimiter::Brace, quote!(#inner #inside));
        braces.set_span(body.span());
        quote!(#(#attrs)* #vis #default #sig #braces)
    }

    /// The function as it was, without the attributes that were taken off; `first` stands before its body.
    pub(crate) fn unchanged(&self, first: &TokenStream) -> TokenStream {
        let body = self.body.stream();
        self.with_body(&quote!(#first #body))
    }
}

/// The last name of a path: `decision` of `tapelog::decision`.
pub(crate) fn last_segment(path: &syn::Path) -> Option<&Ident> {
    path.segments.last().map(|segment| &segment.ident)
}

/// Whether the attribute is `unsafe(name)` or `name`.
pub(crate) fn is_attribute(attr: &Attribute, name: &str) -> bool {
    match &attr.meta {
        Meta::List(list) if list.path.is_ident("unsafe") => list.tokens.to_string().starts_with(name),
        meta => meta.path().is_ident(name),
    }
}

fn bound(pat: &Pat, names: &mut Vec<Ident>) {
    match pat {
        Pat::Ident(pat) => {
            names.push(pat.ident.clone());
            if let Some((_, inside)) = &pat.subpat {
                bound(inside, names);
            }
        }
        Pat::Paren(pat) => bound(&pat.pat, names),
        Pat::Reference(pat) => bound(&pat.pat, names),
        Pat::Type(pat) => bound(&pat.pat, names),
        Pat::Slice(pat) => pat.elems.iter().for_each(|pat| bound(pat, names)),
        Pat::Tuple(pat) => pat.elems.iter().for_each(|pat| bound(pat, names)),
        Pat::TupleStruct(pat) => pat.elems.iter().for_each(|pat| bound(pat, names)),
        Pat::Struct(pat) => pat.fields.iter().for_each(|field| bound(&field.pat, names)),
        _ => {}
    }
}

/// The braces, also where a `$body:block` of `macro_rules!` puts them into a group without delimiters.
fn body_of(tree: TokenTree) -> Option<Group> {
    let TokenTree::Group(group) = tree else { return None };
    match group.delimiter() {
        Delimiter::Brace => Some(group),
        Delimiter::None => {
            let mut inside = group.stream().into_iter();
            inside.next().filter(|_| inside.next().is_none()).and_then(body_of)
        }
        _ => None,
    }
}

/// Takes the inner attributes off the front of a body.
fn split_inner(body: Group) -> syn::Result<(TokenStream, Group)> {
    if !may_begin_with_an_attribute(&body) {
        return Ok((TokenStream::new(), body));
    }
    let parser = |input: ParseStream<'_>| {
        let inner = input.call(Attribute::parse_inner)?;
        Ok((inner, drain(input)))
    };
    let (inner, rest) = parser.parse2(body.stream())?;
    let mut block = Group::new(Delimiter::Brace, rest);
    block.set_span(body.span());
    Ok((inner.into_iter().map(ToTokens::into_token_stream).collect(), block))
}

/// The source text tells it sooner than the tokens do. Where it is not known, or where `macro_rules!` puts something
/// first, the tokens are looked at.
fn may_begin_with_an_attribute(body: &Group) -> bool {
    let Some(text) = body.span().source_text() else { return true };
    let Some(mut rest) = text.strip_prefix('{') else { return true };
    loop {
        rest = rest.trim_start();
        let comment = if rest.starts_with("//") { rest.split_once('\n') } else { None };
        match comment {
            // Inner documentation is an attribute.
            Some((comment, after)) if !comment.starts_with("//!") => rest = after,
            _ => return rest.starts_with(['#', '$', '/']),
        }
    }
}

fn drain(input: ParseStream<'_>) -> TokenStream {
    let mut rest = TokenStream::new();
    while let Ok(tree) = input.parse::<TokenTree>() {
        rest.extend([tree]);
    }
    rest
}

/// What an item is that is not a function, by its first keyword outside of attributes and visibility.
fn other_item(item: TokenStream) -> Option<(&'static str, Span)> {
    let mut after_pound = false;
    let mut after_pub = false;
    for tree in item {
        match tree {
            TokenTree::Punct(punct) if punct.as_char() == '#' => after_pound = true,
            TokenTree::Punct(punct) if punct.as_char() == '!' && after_pound => {}
            TokenTree::Group(group) if after_pound && group.delimiter() == Delimiter::Bracket => {
                after_pound = false
            }
            TokenTree::Group(group) if after_pub && group.delimiter() == Delimiter::Parenthesis => {
                after_pub = false
            }
            TokenTree::Punct(punct) if punct.as_char() == '|' => return Some(("a closure", punct.span())),
            TokenTree::Ident(word) => {
                let what = match word.to_string().as_str() {
                    "pub" => {
                        after_pub = true;
                        continue;
                    }
                    "unsafe" | "default" | "auto" | "async" | "extern" => continue,
                    "fn" => return None,
                    "struct" => "a struct",
                    "enum" => "an enum",
                    "union" => "a union",
                    "trait" => "a trait",
                    "impl" => "an `impl` block",
                    "mod" => "a module",
                    "const" => "a constant",
                    "static" => "a static",
                    "type" => "a type",
                    "use" => "a `use`",
                    "macro_rules" => "a macro",
                    "move" => "a closure",
                    "let" => "a statement",
                    _ => "an expression",
                };
                return Some((what, word.span()));
            }
            TokenTree::Literal(literal) => return Some(("an expression", literal.span())),
            TokenTree::Group(group) => return Some(("an expression", group.span_open())),
            TokenTree::Punct(_) => {}
        }
    }
    None
}
