//! What stands in `#[log_performance(…)]`.

use proc_macro2::TokenStream;
use syn::{Expr, Ident, LitStr, Path};

use crate::fields::{Fields, Message};
use crate::keys::{self, Form, Key, Value};
use crate::mistakes::Mistakes;

const KEYS: &[Key] = &[
    Key::new("operation", Form::Text, "operation = \"name\""),
    Key::new("args", Form::List, "args(a, b = expr)"),
    Key::new("memory", Form::Flag, "memory"),
    Key::new("cpu", Form::Flag, "cpu"),
    Key::new("slower_than", Form::Text, "slower_than = \"5ms\""),
    Key::new("every", Form::Expr, "every = 100"),
    Key::new("deadline", Form::Text, "deadline = \"5s\""),
    Key::new("crate", Form::Path, "crate = path"),
];

/// The arguments, as far as they were understood.
#[derive(Default)]
pub(crate) struct Args {
    pub(super) operation: Option<LitStr>,
    pub(super) args: Option<Fields>,
    pub(super) memory: bool,
    pub(super) cpu: bool,
    pub(super) slower_than: Option<LitStr>,
    pub(super) every: Option<(Ident, Expr)>,
    pub(super) deadline: Option<LitStr>,
    pub(crate) krate: Option<Path>,
}

/// Reads the arguments.
pub(crate) fn parse(tokens: TokenStream, mistakes: &mut Mistakes) -> Args {
    let mut args = Args::default();
    for arg in keys::parse(tokens, KEYS, "#[log_performance]", mistakes) {
        match (arg.key.name, arg.value) {
            ("operation", Value::Text(text)) => args.operation = Some(text),
            ("args", Value::List(list)) => args.args = Some(Fields::parse(list, Message::Refused, mistakes)),
            ("memory", Value::Alone) => args.memory = true,
            ("cpu", Value::Alone) => args.cpu = true,
            ("slower_than", Value::Text(text)) => args.slower_than = Some(text),
            ("every", Value::Expr(expr)) => args.every = Some((arg.at, expr)),
            ("deadline", Value::Text(text)) => args.deadline = Some(text),
            ("crate", Value::Path(path)) => args.krate = Some(path),
            (_, _) => {}
        }
    }
    args
}
