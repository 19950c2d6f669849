//! The function under an attribute: its head parsed, its body kept as the tokens that the user wrote.
//!
//! Invariant: what is emitted is what was parsed; nothing of the user's is dropped, reordered or given another span.

use proc_macro2::{Delimiter, Group, Punct, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Attribute, FnArg, Ident, Lifetime, Meta, Pat, ReceiverKind, ReturnType, Token, Visibility};

use crate::krate::Tokens;

/// A function, a method, or a default method of a trait.
pub(crate) struct Function {
    /// The outer attributes, in order.
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) sig: Signature,
    /// The inner attributes of the body, if it has some.
    inner: Option<TokenStream>,
    /// The body in its braces, without inner attributes.
    pub(crate) body: Group,
}

/// What stands between the attributes and the body, as it was written; and what the macros ask of it. Macros are not
/// optimised: to parse all of it took a third of their time, and the arguments are hardly ever looked into.
pub(crate) struct Signature {
    /// Visibility, qualifiers, name and generics.
    head: Tokens,
    pub(crate) constness: Option<Ident>,
    pub(crate) asyncness: Option<Ident>,
    /// Whether it is `extern`.
    pub(crate) abi: bool,
    pub(crate) ident: Ident,
    /// The arguments in their parentheses.
    inputs: Group,
    /// Whether one of them may be a variable that the body assigns. Only then they are parsed.
    may_assign: bool,
    pub(crate) variadic: bool,
    pub(crate) output: ReturnType,
    /// What `output` was read from, and `where …`.
    tail: Tokens,
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
        let rest = trees.split_off(attributes(&trees));
        match (Signature::split(rest), body) {
            (Some(sig), Some(body)) => {
                let attrs = match &trees[..] {
                    [] => Ok(Vec::new()),
                    trees => Attribute::parse_outer.parse2(trees.iter().cloned().collect()),
                };
                let attrs = attrs.map_err(NotAFunction::Syntax)?;
                let sig = sig.map_err(NotAFunction::Syntax)?;
                let (inner, body) = split_inner(body).map_err(NotAFunction::Syntax)?;
                Ok(Self { attrs, sig, inner, body })
            }
            (Some(Ok(sig)), None) if matches!(&end, Some(TokenTree::Punct(punct)) if punct.as_char() == ';') => {
                Err(NotAFunction::NoBody { at: sig.ident.span() })
            }
            (Some(_), None) => Err(NotAFunction::Syntax(syn::Error::new(
                end.map_or_else(Span::call_site, |end| end.span()),
                "expected the body of the function in braces",
            ))),
            (None, _) => Err(match other_item(item.clone()) {
                Some((what, at)) => NotAFunction::Other { what, at },
                None => NotAFunction::Syntax(why_no_function(item)),
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
        for input in &self.sig.inputs() {
            if let FnArg::Typed(argument) = input {
                bound(&argument.pat, &mut names);
            }
        }
        names
    }

    /// Arguments written `mut name: Type`, whose variable the body may assign. Takes the `mut` off them.
    pub(crate) fn take_assignable(&mut self) -> Vec<(Ident, Token![mut])> {
        if !self.sig.may_assign {
            return Vec::new();
        }
        let mut inputs = self.sig.inputs();
        let taken = inputs.iter_mut().filter_map(|input| match input {
            FnArg::Typed(argument) => match &mut *argument.pat {
                Pat::Ident(pat) if pat.by_ref.is_none() && pat.subpat.is_none() => {
                    Some((pat.ident.clone(), pat.mutability.take()?))
                }
                _ => None,
            },
            FnArg::Receiver(_) => None,
        });
        let taken: Vec<_> = taken.collect();
        if !taken.is_empty() {
            let mut group = Group::new(Delimiter::Parenthesis, inputs.into_token_stream());
            group.set_span(self.sig.inputs.span());
            self.sig.inputs = group;
        }
        taken
    }

    /// Whether it has a receiver that is assigned as a whole: `mut self: Type`.
    pub(crate) fn assigns_self(&self) -> bool {
        self.sig.may_assign
            && self.sig.inputs().iter().any(|input| match input {
                FnArg::Receiver(receiver) => {
                    receiver.mutability.is_some() && matches!(receiver.kind, ReceiverKind::Typed(..))
                }
                FnArg::Typed(_) => false,
            })
    }

    /// The attribute with this last path segment.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attrs.iter().find(|attr| last_segment(attr.path()).is_some_and(|last| last == name))
    }

    /// The body as the last expression of a block of ours. Its braces stay the user's: clippy looks at what stands right
    /// inside only where the braces do not come from a macro. A body of one line would be told that it does not need
    /// them; a label, which nothing breaks to, says that they are wanted.
    pub(crate) fn inner_block(&self) -> TokenStream {
        let body = TokenTree::Group(self.body.clone());
        if !stands_on_one_line(&self.body) {
            return body.into();
        }
        let mut labelled = Lifetime::new("'_body", Span::mixed_site()).into_token_stream();
        labelled.extend([TokenTree::Punct(Punct::new(':', Spacing::Alone)), body]);
        labelled
    }

    /// The function with `inside` as its body, below its inner attributes.
    pub(crate) fn with_body(&self, inside: &TokenStream) -> TokenStream {
        let Self { attrs, sig: Signature { head, inputs, tail, .. }, inner, body } = self;
        // The braces are the user's, so that lints about the body look where they always looked.
        let mut braces = Group::new(Delimiter::Brace, quote!(#inner #inside));
        braces.set_span(body.span());
        quote!(#(#attrs)* #head #inputs #tail #braces)
    }

    /// The function as it was, without the attributes that were taken off; `first` stands before its body.
    pub(crate) fn unchanged(&self, first: &TokenStream) -> TokenStream {
        let body = self.body.stream();
        self.with_body(&quote!(#first #body))
    }
}

impl Signature {
    /// Takes a signature apart; nothing where it is none.
    fn split(mut trees: Vec<TokenTree>) -> Option<syn::Result<Self>> {
        let (mut constness, mut asyncness, mut abi) = (None, None, false);
        let mut at = 0;
        loop {
            match trees.get(at)? {
                TokenTree::Ident(word) => match &*word.to_string() {
                    "fn" => break,
                    "const" => constness = Some(word.clone()),
                    "async" => asyncness = Some(word.clone()),
                    "extern" => abi = true,
                    "pub" | "default" | "unsafe" | "safe" => {}
                    _ => return None,
                },
                // `pub(crate)`, and a visibility that `macro_rules!` brings.
                TokenTree::Group(group)
                    if matches!(group.delimiter(), Delimiter::Parenthesis | Delimiter::None) => {}
                TokenTree::Literal(_) if abi => {}
                _ => return None,
            }
            at += 1;
        }
        let Some(TokenTree::Ident(ident)) = trees.get(at + 1) else { return None };
        let ident = ident.clone();
        at = generics(&trees, at + 2);
        let Some(TokenTree::Group(inputs)) = trees.get(at) else { return None };
        let inputs = inputs.clone();
        if inputs.delimiter() != Delimiter::Parenthesis {
            return None;
        }
        let tail = trees.split_off(at + 1);
        trees.pop();
        let output = match tail.first() {
            Some(TokenTree::Punct(arrow)) if arrow.as_char() == '-' => {
                let output = |input: ParseStream<'_>| {
                    let output = input.parse()?;
                    drain(input);
                    Ok(output)
                };
                output.parse2(tail.iter().cloned().collect())
            }
            _ => Ok(ReturnType::Default),
        };
        let (may_assign, variadic) = looked_over(&inputs);
        Some(output.map(|output| Self {
            head: Tokens::of(trees),
            constness,
            asyncness,
            abi,
            ident,
            inputs,
            may_assign,
            variadic,
            output,
            tail: Tokens::of(tail),
        }))
    }

    /// The arguments, parsed. What cannot be parsed is not parsed by the compiler either, which says so.
    fn inputs(&self) -> syn::punctuated::Punctuated<FnArg, Token![,]> {
        let inputs = &self.inputs;
        syn::parse2::<syn::Signature>(quote!(fn f #inputs)).map(|sig| sig.inputs).unwrap_or_default()
    }
}

/// Whether it does, where a compiler is there to say so: our own tests know of no lines.
fn stands_on_one_line(body: &Group) -> bool {
    proc_macro::is_available() && {
        let span = body.span().unwrap();
        span.line() == span.end().line()
    }
}

/// How many tokens the attributes at the front have.
fn attributes(trees: &[TokenTree]) -> usize {
    let mut at = 0;
    while let [TokenTree::Punct(pound), TokenTree::Group(group), ..] = &trees[at..]
        && pound.as_char() == '#'
        && group.delimiter() == Delimiter::Bracket
    {
        at += 2;
    }
    at
}

/// Where the generics end that may begin `at`.
fn generics(trees: &[TokenTree], mut at: usize) -> usize {
    let mut depth = 0_usize;
    let mut after_minus = false;
    while let Some(tree) = trees.get(at) {
        let punct = if let TokenTree::Punct(punct) = tree { punct.as_char() } else { ' ' };
        match punct {
            '<' => depth += 1,
            // Not that of an arrow.
            '>' if !after_minus => depth = depth.saturating_sub(1),
            _ if depth == 0 => break,
            _ => {}
        }
        after_minus = punct == '-';
        at += 1;
    }
    at
}

/// Whether arguments may have a `mut` that is not that of a reference or pointer; whether they end in `...`.
fn looked_over(inputs: &Group) -> (bool, bool) {
    let (mut may_assign, mut dots) = (false, 0);
    let (mut behind_reference, mut behind_tick) = (false, false);
    for tree in inputs.stream() {
        let punct = if let TokenTree::Punct(punct) = &tree { punct.as_char() } else { ' ' };
        may_assign |= match &tree {
            TokenTree::Ident(word) => !behind_reference && !behind_tick && word == "mut",
            // A fragment of `macro_rules!` may hold anything.
            TokenTree::Group(group) => group.delimiter() == Delimiter::None,
            _ => false,
        };
        dots = if punct == '.' { dots + 1 } else { dots };
        // `&'a mut`: what is behind the lifetime is behind the reference.
        behind_reference = matches!(punct, '&' | '*' | '\'') || behind_tick;
        behind_tick = punct == '\'';
    }
    (may_assign, dots >= 3)
}

/// What `syn` says of tokens that are no function.
fn why_no_function(item: TokenStream) -> syn::Error {
    let head = |input: ParseStream<'_>| {
        input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        input.parse::<Option<Token![default]>>()?;
        input.parse::<syn::Signature>()?;
        drain(input);
        Ok(())
    };
    match head.parse2(item.clone()) {
        Err(error) => error,
        Ok(()) => syn::Error::new_spanned(item, "expected a function"),
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
fn split_inner(body: Group) -> syn::Result<(Option<TokenStream>, Group)> {
    if !may_begin_with_an_attribute(&body) {
        return Ok((None, body));
    }
    let parser = |input: ParseStream<'_>| {
        let inner = input.call(Attribute::parse_inner)?;
        Ok((inner, drain(input)))
    };
    let (inner, rest) = parser.parse2(body.stream())?;
    let mut block = Group::new(Delimiter::Brace, rest);
    block.set_span(body.span());
    let inner = (!inner.is_empty()).then(|| inner.into_iter().map(ToTokens::into_token_stream).collect());
    Ok((inner, block))
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
