//! What stands in `#[decision(…)]`.

use proc_macro2::TokenStream;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, LitStr, Path, Token};

use crate::fields::{Fields, Message};
use crate::keys::{self, Form, Key, Value, end_of_item};
use crate::mistakes::Mistakes;

pub(super) const KEYS: &[Key] = &[
    Key::new("id", Form::Expr, "id = expr"),
    Key::new("kind", Form::Text, "kind = \"buy\""),
    Key::new("fields", Form::List, "fields(a, b = expr)"),
    Key::new("inputs", Form::List, "inputs(quote, px = expr)"),
    Key::new("inherit", Form::Flag, "inherit"),
    Key::new("resume", Form::Expr, "resume = expr"),
    Key::new("verdict", Form::Expr, "verdict = |result| expr"),
    Key::new("lazy", Form::Flag, "lazy"),
    Key::new("deadline", Form::Text, "deadline = \"5s\""),
    Key::new("crate", Form::Path, "crate = path"),
];

/// The arguments, as far as they were understood.
#[derive(Default)]
pub(crate) struct Args {
    pub(super) id: Option<(Ident, Expr)>,
    pub(super) kind: Option<(Ident, LitStr)>,
    pub(super) fields: Option<(Ident, Fields)>,
    pub(super) inputs: Option<(Ident, Vec<Input>)>,
    pub(super) inherit: Option<Ident>,
    pub(super) resume: Option<(Ident, Expr)>,
    pub(super) verdict: Option<(Ident, Expr)>,
    pub(super) lazy: Option<Ident>,
    pub(super) deadline: Option<(Ident, LitStr)>,
    pub(crate) krate: Option<Path>,
}

/// A value decided upon: `quote`, `px = expr`, `px = expr => since`.
pub(super) struct Input {
    pub(super) name: Ident,
    pub(super) value: Expr,
    /// When it was observed, if the type does not say.
    pub(super) since: Option<Expr>,
}

impl Args {
    /// Whether some key asks for the result itself.
    pub(crate) fn needs_result(&self) -> bool {
        self.verdict.is_some()
    }
}

/// Reads the arguments.
pub(crate) fn parse(tokens: TokenStream, mistakes: &mut Mistakes) -> Args {
    let mut args = Args::default();
    for arg in keys::parse(tokens, KEYS, "#[decision]", mistakes) {
        let at = arg.at;
        match (arg.key.name, arg.value) {
            ("id", Value::Expr(expr)) => args.id = Some((at, expr)),
            ("kind", Value::Text(text)) => args.kind = Some((at, text)),
            ("fields", Value::List(list)) => {
                args.fields = Some((at, Fields::parse(list, Message::Refused, mistakes)));
            }
            ("inputs", Value::List(list)) => args.inputs = Some((at, inputs(list, mistakes))),
            ("inherit", Value::Alone) => args.inherit = Some(at),
            ("resume", Value::Expr(expr)) => args.resume = Some((at, expr)),
            ("verdict", Value::Expr(expr)) => args.verdict = Some((at, expr)),
            ("lazy", Value::Alone) => args.lazy = Some(at),
            ("deadline", Value::Text(text)) => args.deadline = Some((at, text)),
            ("crate", Value::Path(path)) => args.krate = Some(path),
            // The table and this match are one list; a form that the table does not name was refused above.
            (_, _) => {}
        }
    }
    args
}

fn inputs(tokens: TokenStream, mistakes: &mut Mistakes) -> Vec<Input> {
    let mut inputs: Vec<Input> = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let before = mistakes.count();
            match one_input(input) {
                Ok(one) if inputs.iter().any(|other| other.name == one.name) => {
                    mistakes.at(&one.name, format!("`{}` is given twice; keep one", one.name));
                }
                Ok(one) => inputs.push(one),
                Err(error) => mistakes.push(error),
            }
            end_of_item(input, mistakes, before);
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(tokens) {
        mistakes.push(error);
    }
    inputs
}

fn one_input(input: ParseStream<'_>) -> syn::Result<Input> {
    let Ok(name) = input.parse::<Ident>() else {
        return Err(input.error("an input is a name, `name = expr`, or `name = expr => since`"));
    };
    let value: Expr = if input.peek(Token![=]) && !input.peek(Token![=>]) {
        input.parse::<Token![=]>()?;
        input.parse()?
    } else {
        syn::parse_quote!(#name)
    };
    let since = if input.parse::<Option<Token![=>]>>()?.is_some() { Some(input.parse()?) } else { None };
    Ok(Input { name, value, since })
}
