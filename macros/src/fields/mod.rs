//! Fields: `a = expr`, `a = %expr`, `a = ?expr`, `a`, `order.qty`, and a message. One grammar for every macro.
//!
//! Invariant: no two fields of one list have one name, and none has a name of the envelope.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, ExprPath, Ident, Lit, LitStr, Member, Token, UnOp};

use crate::keys::end_of_item;
use crate::mistakes::Mistakes;

mod places;
mod tokens;

pub(crate) use places::seen;
pub(crate) use tokens::{described, operand, references, tuple, values};

/// The keys that every line has (design §6); a field of such a name would be in the line twice.
const ENVELOPE: [&str; 12] = [
    "timestamp",
    "level",
    "event_type",
    "category",
    "service",
    "session_id",
    "decision_id",
    "message",
    "source",
    "thread",
    "event_id",
    "seq",
];

/// The limit of design §5.
const MOST_FIELDS: usize = 250;

/// How a value is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    Value,
    Display,
    Debug,
}

/// One field.
#[derive(Clone)]
pub(crate) struct Field {
    /// The key in the line, without `r#`.
    pub(crate) name: String,
    at: Span,
    source: Source,
}

#[derive(Clone)]
enum Source {
    /// An expression, evaluated when the site is on.
    Expr(Mode, Expr),
    /// A literal: a constant of the site, which costs nothing.
    Constant(Constant),
}

/// A variant of the runtime's `Source`, and what stands in it.
#[derive(Clone)]
struct Constant {
    kind: &'static str,
    value: Option<TokenStream>,
    /// As it stands in a description; empty where it cannot.
    plain: String,
}

impl Constant {
    /// Of a variant without a value.
    fn bare(kind: &'static str) -> Self {
        Self { kind, value: None, plain: if kind == "Null" { "0".to_owned() } else { String::new() } }
    }

    fn text(text: &str) -> Self {
        let plain = format!("t{}", text.replace('\\', "\\\\").replace('\n', "\\n"));
        Self { kind: "Text", value: Some(quote!(#text)), plain }
    }
}

/// The fields of one use of a macro, and its message.
#[derive(Default)]
pub(crate) struct Fields {
    pub(crate) list: Vec<Field>,
    pub(crate) message: Option<LitStr>,
}

/// Whether a list may hold a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Message {
    Allowed,
    Refused,
}

impl Field {
    /// A field that a macro knows of: `name` with the value of `expr`.
    pub(crate) fn new(name: &str, at: Span, expr: Expr) -> Self {
        let source = constant(&expr).map_or(Source::Expr(Mode::Value, expr), Source::Constant);
        Self { name: name.to_owned(), at, source }
    }

    /// As [`Field::new`], also when `expr` is a literal.
    pub(crate) fn recorded(name: &str, at: Span, expr: Expr) -> Self {
        Self { name: name.to_owned(), at, source: Source::Expr(Mode::Value, expr) }
    }

    /// A field stated to be absent.
    pub(crate) fn none(name: &str, at: Span) -> Self {
        Self { name: name.to_owned(), at, source: Source::Constant(Constant::bare("Null")) }
    }

    /// A field that the drain fills in: `kind` is a variant of the runtime's `Source` without a value.
    pub(crate) fn automatic(name: &str, kind: &'static str) -> Self {
        Self { name: name.to_owned(), at: Span::mixed_site(), source: Source::Constant(Constant::bare(kind)) }
    }

    /// A field whose value the macro adds to the record.
    pub(crate) fn stated(name: &str) -> Self {
        let nothing = Expr::Verbatim(TokenStream::new());
        Self { name: name.to_owned(), at: Span::mixed_site(), source: Source::Expr(Mode::Value, nothing) }
    }

    /// A field whose text the macro knows.
    pub(crate) fn known(name: &str, text: &str) -> Self {
        let source = Source::Constant(Constant::text(text));
        Self { name: name.to_owned(), at: Span::mixed_site(), source }
    }

    /// A field whose text is known at compile time: a constant expression.
    pub(crate) fn text(name: &str, text: impl quote::ToTokens) -> Self {
        let value = Some(text.into_token_stream());
        Self {
            name: name.to_owned(),
            at: Span::mixed_site(),
            source: Source::Constant(Constant { kind: "Text", value, plain: String::new() }),
        }
    }

    pub(crate) fn at(&self) -> Span {
        self.at
    }

    /// The line of a description: the name, and a constant behind `=`.
    pub(crate) fn describe(&self, text: &mut String) {
        text.push_str(&self.name);
        if let Source::Constant(constant) = &self.source {
            text.push('=');
            text.push_str(&constant.plain);
        }
    }

    /// The runtime's `Shape` of a constant.
    pub(crate) fn constant_shape(&self) -> &'static str {
        match &self.source {
            Source::Constant(Constant { kind: "Text" | "DisplayTime", .. }) => "Text",
            Source::Constant(Constant { kind: "Int", .. }) => "Integer",
            Source::Constant(Constant { kind: "Float" | "EpochSeconds", .. }) => "Number",
            Source::Constant(Constant { kind: "Bool", .. }) => "Bool",
            _ => "Any",
        }
    }
}

impl Fields {
    /// Reads a list of fields.
    pub(crate) fn parse(tokens: TokenStream, message: Message, mistakes: &mut Mistakes) -> Self {
        let mut fields = Self::default();
        let parser = |input: ParseStream<'_>| {
            fields.read(input, message, mistakes);
            Ok(())
        };
        if let Err(error) = parser.parse2(tokens) {
            mistakes.push(error);
        }
        fields
    }

    /// Reads fields, and a message, to the end of the input.
    pub(crate) fn read(&mut self, input: ParseStream<'_>, message: Message, mistakes: &mut Mistakes) {
        while !input.is_empty() {
            let before = mistakes.count();
            if let Err(error) = self.read_one(input, message, mistakes) {
                mistakes.push(error);
            }
            end_of_item(input, mistakes, before);
        }
    }

    fn read_one(
        &mut self,
        input: ParseStream<'_>,
        message: Message,
        mistakes: &mut Mistakes,
    ) -> syn::Result<()> {
        if input.peek(Token![,]) {
            mistakes.here(input.span(), "expected a field before this comma; remove the comma");
            return Ok(());
        }
        if let Some(name) = name_alone(input) {
            let expr = Expr::Path(ExprPath { attrs: Vec::new(), qself: None, path: name.clone().into() });
            self.add(&name.unraw().to_string(), name.span(), Mode::Value, expr, mistakes);
            return Ok(());
        }
        if input.peek(LitStr) {
            let text: LitStr = input.parse()?;
            self.read_text(input, text, message, mistakes);
            return Ok(());
        }
        if input.peek(Ident::peek_any) && input.peek2(Token![=]) && !input.peek2(Token![==]) {
            let name = input.call(Ident::parse_any)?;
            let equals: Token![=] = input.parse()?;
            if input.is_empty() || input.peek(Token![,]) {
                mistakes.here(equals.span, format!("`{name}` has no value; write `{name} = expr`"));
                return Ok(());
            }
            let mode = mode(input)?;
            let expr: Expr = input.parse()?;
            self.add(&name.unraw().to_string(), name.span(), mode, expr, mistakes);
            return Ok(());
        }
        if input.peek(Ident::peek_any) && input.peek2(Token![:]) && !input.peek2(Token![::]) {
            let name = input.call(Ident::parse_any)?;
            mistakes.here(input.span(), format!("a field is written with `=`; write `{name} = expr`"));
            return Ok(());
        }
        let mode = mode(input)?;
        let expr: Expr = input.parse()?;
        match short_name(&expr) {
            Some(name) => self.add(&name.unraw().to_string(), name.span(), mode, expr.clone(), mistakes),
            None => mistakes.over(&expr, "this field has no name; write `name = expr`"),
        }
        Ok(())
    }

    fn read_text(&mut self, input: ParseStream<'_>, text: LitStr, message: Message, mistakes: &mut Mistakes) {
        if input.peek(Token![=]) {
            let name = text.value();
            let name = if syn::parse_str::<Ident>(&name).is_ok() { name } else { "name".to_owned() };
            mistakes.at(&text, format!("a field's name has no quotes; write `{name} = expr`"));
            skip_value(input);
        } else if message == Message::Refused {
            mistakes.at(&text, "a text alone is no field; write `name = \"…\"`");
        } else if self.message.is_some() {
            mistakes.at(&text, "a second message; keep one text, and give the other a name: `name = \"…\"`");
        } else {
            self.message = Some(text);
        }
    }

    fn add(&mut self, name: &str, at: Span, mode: Mode, expr: Expr, mistakes: &mut Mistakes) {
        if let Some(wrong) = refused(name) {
            mistakes.here(at, wrong);
            return;
        }
        if self.has(name) {
            mistakes.here(at, format!("`{name}` is given twice; keep one, or name one of them otherwise"));
            return;
        }
        if self.list.len() == MOST_FIELDS {
            mistakes.here(
                at,
                format!("more than {MOST_FIELDS} fields; record some of them in an event of their own"),
            );
        }
        let source = constant(&expr).map_or(Source::Expr(mode, expr), Source::Constant);
        self.list.push(Field { name: name.to_owned(), at, source });
    }

    /// Whether there is a field of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.list.iter().any(|field| field.name == name)
    }

    /// Adds what a hole of the message captures.
    pub(crate) fn capture(&mut self, name: &str, at: Span, mistakes: &mut Mistakes) {
        if let Some(wrong) = refused(name) {
            mistakes.here(at, format!("the hole `{{{name}}}` would be a field, and {wrong}"));
            return;
        }
        let ident = Ident::new(name, at);
        self.list.push(Field {
            name: name.to_owned(),
            at,
            source: Source::Expr(Mode::Value, syn::parse_quote!(#ident)),
        });
    }
}

/// Why no field may have this name.
pub(crate) fn refused(name: &str) -> Option<String> {
    if ENVELOPE.contains(&name) {
        return Some(format!(
            "`{name}` is a key that every line has; name the field otherwise, for example `order_{name}`"
        ));
    }
    if name.starts_with('_') {
        return Some(format!(
            "`{name}` starts with `_`, which is kept for viewers; write `{} = {name}`",
            name.trim_start_matches('_')
        ));
    }
    None
}

/// A field that is a name and no more, which most are: to ask for an expression costs a hundred times as much.
fn name_alone(input: ParseStream<'_>) -> Option<Ident> {
    let (_, rest) = input.cursor().ident()?;
    let ends = rest.eof() || rest.punct().is_some_and(|(punct, _)| punct.as_char() == ',');
    // Not a keyword, such as `self`, which is no field.
    if ends { input.parse().ok() } else { None }
}

fn mode(input: ParseStream<'_>) -> syn::Result<Mode> {
    if input.parse::<Option<Token![%]>>()?.is_some() {
        return Ok(Mode::Display);
    }
    Ok(if input.parse::<Option<Token![?]>>()?.is_some() { Mode::Debug } else { Mode::Value })
}

fn skip_value(input: ParseStream<'_>) {
    let _ = input.parse::<Token![=]>();
    let _ = input.parse::<Expr>();
}

/// `symbol` of `symbol`, `qty` of `self.order.qty`.
fn short_name(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Path(path) if path.qself.is_none() => path.path.get_ident().filter(|ident| *ident != "self"),
        Expr::Field(field) => match &field.member {
            Member::Named(name) => Some(name),
            Member::Unnamed(_) => None,
        },
        Expr::Reference(reference) => short_name(&reference.expr),
        Expr::Group(group) => short_name(&group.expr),
        _ => None,
    }
}

/// The source of a literal, if it is one that can stand in a site.
fn constant(expr: &Expr) -> Option<Constant> {
    let (literal, negative) = match expr {
        Expr::Lit(literal) => (&literal.lit, false),
        Expr::Group(group) => return constant(&group.expr),
        Expr::Unary(unary) if matches!(unary.op, UnOp::Neg(_)) => match &*unary.expr {
            Expr::Lit(literal) => (&literal.lit, true),
            _ => return None,
        },
        _ => return None,
    };
    match literal {
        Lit::Str(text) if !negative => Some(Constant::text(&text.value())),
        Lit::Char(c) if !negative => Some(Constant::text(&c.value().to_string())),
        Lit::Bool(truth) if !negative => {
            let truth = truth.value;
            Some(Constant { kind: "Bool", value: Some(quote!(#truth)), plain: format!("b{truth}") })
        }
        Lit::Int(int) if int.suffix().starts_with('f') => float(int.base10_digits(), negative),
        Lit::Int(int) => {
            let sign = if negative { "-" } else { "" };
            let value: i64 = format!("{sign}{}", int.base10_digits()).parse().ok()?;
            Some(Constant { kind: "Int", value: Some(quote!(#value)), plain: format!("i{value}") })
        }
        Lit::Float(number) => float(number.base10_digits(), negative),
        _ => None,
    }
}

fn float(digits: &str, negative: bool) -> Option<Constant> {
    let value: f64 = digits.parse().ok()?;
    if !value.is_finite() {
        return None;
    }
    let literal = proc_macro2::Literal::f64_suffixed(value);
    let value = if negative { -value } else { value };
    let tokens = if negative { quote!(-#literal) } else { quote!(#literal) };
    // Rust reads back what it shows with all its bits.
    Some(Constant { kind: "Float", value: Some(tokens), plain: format!("f{value:?}") })
}
