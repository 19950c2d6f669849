//! What stands in `#[order_context(…)]`.

use proc_macro2::{Span, TokenStream};
use syn::ext::IdentExt;
use syn::parse::{ParseStream, Parser};
use syn::{Expr, Ident, LitStr, Path, Token};

use super::known::FIELDS;
use crate::fields::{Fields, Message};
use crate::keys::{self, Form, Key, Value, end_of_item};
use crate::mistakes::Mistakes;

macro_rules! table {
    ($($field:literal)*) => {
        const KEYS: &[Key] = &[
            $(Key::new($field, Form::Order, concat!($field, " = expr")),)*
            Key::new("from", Form::Expr, "from = order"),
            Key::new("defaults", Form::List, "defaults(expr)"),
            Key::new("none", Form::List, "none(limit_px, notional)"),
            Key::new("fields", Form::List, "fields(a, b = expr)"),
            Key::new("outcome", Form::Expr, "outcome = |result| OrderOutcome::Accepted"),
            Key::new("not_sent", Form::Pattern, "not_sent = Error::Refused"),
            Key::new("rejected", Form::Pattern, "rejected = Error::Rejected { .. }"),
            Key::new("returns", Form::List, "returns(order_id = |ack| &ack.id)"),
            Key::new("action", Form::Expr, "action = cancel"),
            Key::new("each", Form::Expr, "each = orders"),
            Key::new("deadline", Form::Text, "deadline = \"5s\""),
            Key::new("crate", Form::Path, "crate = path"),
        ];
    };
}

table! {
    "intent_id" "symbol" "side" "qty" "limit_px" "quote_budget" "notional" "tif" "slippage_bps" "min_notional"
    "max_retries" "retry_backoff_ms" "attempt" "attempt_start_ts" "venue" "account" "strategy_id" "client_order_id"
    "orig_client_order_id" "order_type" "stop_px" "expire_at" "post_only" "reduce_only" "close_position" "position_side"
    "margin_mode" "leverage" "trigger_by" "contract" "expiry" "strike" "right" "multiplier" "group_id" "leg"
}

/// The arguments, as far as they were understood.
pub(crate) struct Args {
    /// The attribute, for mistakes that are nowhere in it.
    pub(super) at: Span,
    /// The order fields, as they were given.
    pub(super) given: Vec<(Ident, Given)>,
    pub(super) from: Option<Expr>,
    pub(super) defaults: Option<Expr>,
    pub(super) fields: Fields,
    pub(super) outcome: Option<(Ident, Expr)>,
    pub(super) not_sent: Option<(Ident, TokenStream)>,
    pub(super) rejected: Option<(Ident, TokenStream)>,
    pub(super) returns: Option<(Ident, Vec<(Ident, Expr)>)>,
    pub(super) action: Option<(Ident, Expr)>,
    pub(super) each: Option<(Ident, Expr)>,
    pub(super) deadline: Option<LitStr>,
    pub(crate) krate: Option<Path>,
}

/// Where the user says that a field comes from.
pub(super) enum Given {
    Expr(Expr),
    None,
    /// The key alone: the argument of that name, or `from`.
    Alone,
}

impl Args {
    /// Whether some key asks for the result itself.
    pub(crate) fn needs_result(&self) -> bool {
        self.outcome.is_some() || self.not_sent.is_some() || self.rejected.is_some() || self.returns.is_some()
    }

    pub(super) fn given(&self, name: &str) -> Option<&(Ident, Given)> {
        self.given.iter().find(|(at, _)| at.unraw() == name)
    }
}

/// Reads the arguments; `at` is the attribute.
pub(crate) fn parse(tokens: TokenStream, at: Span, mistakes: &mut Mistakes) -> Args {
    parse_as(tokens, at, "#[order_context]", mistakes)
}

pub(super) fn parse_as(tokens: TokenStream, at: Span, what: &str, mistakes: &mut Mistakes) -> Args {
    let mut args = Args {
        at,
        given: Vec::new(),
        from: None,
        defaults: None,
        fields: Fields::default(),
        outcome: None,
        not_sent: None,
        rejected: None,
        returns: None,
        action: None,
        each: None,
        deadline: None,
        krate: None,
    };
    let mut stated_none = Vec::new();
    for arg in keys::parse(tokens, KEYS, what, mistakes) {
        let at = arg.at;
        match (arg.key.name, arg.value) {
            ("from", Value::Expr(expr)) => args.from = Some(expr),
            ("defaults", Value::List(list)) => args.defaults = one_expr(list, "defaults(expr)", mistakes),
            ("none", Value::List(list)) => stated_none = names(list, mistakes),
            ("fields", Value::List(list)) => args.fields = Fields::parse(list, Message::Refused, mistakes),
            ("outcome", Value::Expr(expr)) => args.outcome = Some((at, expr)),
            ("not_sent", Value::Pattern(pattern)) => args.not_sent = Some((at, pattern)),
            ("rejected", Value::Pattern(pattern)) => args.rejected = Some((at, pattern)),
            ("returns", Value::List(list)) => args.returns = Some((at, returns(list, mistakes))),
            ("action", Value::Expr(expr)) => args.action = Some((at, expr)),
            ("each", Value::Expr(expr)) => args.each = Some((at, expr)),
            ("deadline", Value::Text(text)) => args.deadline = Some(text),
            ("crate", Value::Path(path)) => args.krate = Some(path),
            (_, Value::Expr(expr)) => args.given.push((at, Given::Expr(expr))),
            (_, Value::None) => args.given.push((at, Given::None)),
            (_, Value::Alone) => args.given.push((at, Given::Alone)),
            (_, _) => {}
        }
    }
    for name in stated_none {
        if args.given(&name.to_string()).is_some() {
            mistakes.at(&name, format!("`{name}` is given, and stated to be `none`; keep one"));
        } else {
            args.given.push((name, Given::None));
        }
    }
    args
}

fn one_expr(list: TokenStream, write: &str, mistakes: &mut Mistakes) -> Option<Expr> {
    let parser = |input: ParseStream<'_>| {
        let expr: Expr = input.parse()?;
        input.parse::<Option<Token![,]>>()?;
        if input.is_empty() {
            Ok(expr)
        } else {
            Err(input.error(format!("expected one expression; write `{write}`")))
        }
    };
    parser.parse2(list).map_err(|error| mistakes.push(error)).ok()
}

/// The names in `none(…)`.
fn names(list: TokenStream, mistakes: &mut Mistakes) -> Vec<Ident> {
    let mut names = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let before = mistakes.count();
            match input.call(Ident::parse_any) {
                Ok(name) if FIELDS.iter().any(|(field, _)| name == *field) => names.push(name),
                Ok(name) => mistakes.at(&name, unknown_field(&name.to_string())),
                Err(_) => {
                    mistakes.here(input.span(), "expected the name of an order field; write `none(limit_px)`")
                }
            }
            end_of_item(input, mistakes, before);
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(list) {
        mistakes.push(error);
    }
    names
}

fn unknown_field(name: &str) -> String {
    let known = FIELDS.iter().map(|(field, _)| *field);
    crate::names::nearest(known, name).map_or_else(
        || format!("`{name}` is not an order field"),
        |meant| format!("`{name}` is not an order field; did you mean `{meant}`?"),
    )
}

/// `order_id = |ack| &ack.id`.
fn returns(list: TokenStream, mistakes: &mut Mistakes) -> Vec<(Ident, Expr)> {
    let mut all: Vec<(Ident, Expr)> = Vec::new();
    let parser = |input: ParseStream<'_>| {
        while !input.is_empty() {
            let before = mistakes.count();
            match returned(input) {
                Ok((name, expr)) => {
                    let text = name.unraw().to_string();
                    if let Some(wrong) = crate::fields::refused(&text) {
                        mistakes.at(&name, wrong);
                    } else if all.iter().any(|(other, _)| *other == name) {
                        mistakes.at(&name, format!("`{text}` is given twice; keep one"));
                    } else {
                        all.push((name, expr));
                    }
                }
                Err(error) => mistakes.push(error),
            }
            end_of_item(input, mistakes, before);
        }
        Ok(())
    };
    if let Err(error) = parser.parse2(list) {
        mistakes.push(error);
    }
    all
}

fn returned(input: ParseStream<'_>) -> syn::Result<(Ident, Expr)> {
    if !input.peek(Ident::peek_any) || !input.peek2(Token![=]) {
        return Err(input.error("expected `name = |ok| value`; write `returns(order_id = |ack| &ack.id)`"));
    }
    let name = input.call(Ident::parse_any)?;
    input.parse::<Token![=]>()?;
    Ok((name, input.parse()?))
}

#[cfg(test)]
mod tests {
    use super::{FIELDS, KEYS};

    #[test]
    fn every_order_field_is_a_key() {
        for (at, (field, _)) in FIELDS.iter().enumerate() {
            assert_eq!(KEYS[at].name, *field);
        }
    }
}
