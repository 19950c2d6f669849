//! Golden expansions: what each macro's main shapes become, in `golden/`. They are read in review like an API.
//!
//! After a change: `TAPELOG_GOLDEN=overwrite cargo test -p tapelog-macros golden`.

use std::path::Path;

use proc_macro2::TokenStream;

use crate::wrapper::{self, Kind};

/// Expands and compares with the file of that name.
#[track_caller]
fn check(name: &str, expanded: &TokenStream) {
    let file = syn::parse2::<syn::File>(expanded.clone());
    let text = prettyplease::unparse(&file.unwrap_or_else(|error| panic!("{name}: {error}\n{expanded}")));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden").join(format!("{name}.rs"));
    if std::env::var_os("TAPELOG_GOLDEN").is_some_and(|what| what == "overwrite") {
        std::fs::write(&path, &text).unwrap();
        return;
    }
    let golden = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(golden == text, "{} differs; see the module's first lines. Now:\n{text}", path.display());
}

fn tokens(text: &str) -> TokenStream {
    text.parse().unwrap()
}

#[track_caller]
fn attribute(name: &str, kind: Kind, attr: &str, item: &str) {
    check(name, &wrapper::expand(kind, tokens(attr), tokens(item)));
}

/// A statement, in a function so that it can be printed.
#[track_caller]
fn statement(name: &str, expand: fn(TokenStream) -> TokenStream, input: &str) {
    let expanded = expand(tokens(input));
    check(name, &quote::quote!(fn statement() { #expanded }));
}

#[test]
fn tests() {
    let item = "#[tokio::test] async fn it_trades() -> Result<(), Error> { trade().await }";
    check("test_async", &crate::test::expand(TokenStream::new(), tokens(item)));
    let wrong = crate::test::expand(tokens("flavor = \"current_thread\""), tokens("async fn it_trades() {}"));
    check("test_mistakes", &wrong);
    check("test_sync", &crate::test::expand(TokenStream::new(), tokens("fn it_trades() { trade(); }")));
}

#[test]
fn decisions() {
    attribute("decision_unit", Kind::Decision, "", "fn tick(&self) { act(); }");
    attribute(
        "decision_result",
        Kind::Decision,
        r#"kind = "buy", fields(symbol, spread = spread_bps, why = %why, max = 20.0)"#,
        "fn evaluate(symbol: &str, mut spread_bps: f64, why: Why) -> Result<Buy, Error> { decide(symbol) }",
    );
    attribute(
        "decision_async",
        Kind::Decision,
        "",
        "async fn evaluate(&self) -> Result<Buy, Error> { self.decide().await }",
    );
    attribute(
        "decision_boxed_future",
        Kind::Decision,
        "",
        "fn evaluate(&self) -> Pin<Box<dyn Future<Output = Result<Buy, Error>> + Send + '_>> { Box::pin(async move { self.decide().await }) }",
    );
    attribute(
        "decision_everything",
        Kind::Decision,
        r#"id = id, inputs(quote, px = quote.px => quote.received), verdict = |result| result.is_ok(), lazy, deadline = "5s""#,
        "fn evaluate(id: DecisionId, quote: &Quote) -> Result<Buy, Error> { decide(quote) }",
    );
    attribute(
        "decision_resume",
        Kind::Decision,
        "resume = position.decision",
        "fn exit(position: &Position) {}",
    );
    attribute("decision_never", Kind::Decision, "verdict = never", "fn run() -> ! { loop {} }");
}

#[test]
fn orders() {
    attribute(
        "order_arguments",
        Kind::Order,
        r#"none(limit_px, quote_budget, notional, slippage_bps, min_notional, max_retries), tif = "IOC", retry_backoff_ms = 200"#,
        "fn place(intent_id: &str, symbol: &str, side: Side, qty: f64) -> Result<Ack, Error> { send() }",
    );
    attribute(
        "order_from_and_defaults",
        Kind::Order,
        "from = order, defaults(self.config), not_sent = Error::NoRoute, rejected = Error::Rejected { .. }, \
         returns(order_id = |ack| &ack.id), client_order_id = &order.client_id",
        "async fn place(&self, order: &Order) -> Result<Ack, Error> { self.send(order).await }",
    );
    attribute(
        "order_in_a_decision",
        Kind::Order,
        "defaults(order), outcome = said",
        "#[decision] #[log_performance(args(order))] fn place(order: Order) -> Status { send(order) }",
    );
    statement(
        "order_attempt",
        crate::order::statement,
        "from = order, none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms)",
    );
    check(
        "order_derive",
        &crate::order::derive(tokens(
            "#[order(notional = self.qty * self.px)] struct Order<'a> { symbol: &'a str, qty: f64, #[order(limit_px)] px: f64, other: u8 }",
        )),
    );
}

#[test]
fn measurements() {
    attribute(
        "performance",
        Kind::Performance,
        r#"slower_than = "5ms", every = 100, memory, args(a)"#,
        "fn sum(a: u32) -> u32 { a }",
    );
    check(
        "performance_block",
        &crate::performance::expand(
            TokenStream::new(),
            tokens("impl Router { fn one(&self) {} const fn two() {} #[tapelog(skip)] fn three(&self) {} }"),
        ),
    );
}

#[test]
fn events() {
    statement(
        "event",
        crate::event::event,
        r#"BUY_BLOCKED, symbol, rule = "spread", value = spread, limit = -20, "{symbol} too wide by {by:.1}""#,
    );
    statement(
        "event_places",
        crate::event::event,
        r#"BUY_BLOCKED, order.symbol, qty = order.qty, px = self.book.best.0, attempt, side = %order.side, order.tif"#,
    );
    statement("dash_event", crate::event::dash_event, r#"BUY_FILLED, "{symbol} @ ${px}""#);
    statement("verdict", crate::verdict::expand, r#"blocked, rule = "spread", value = spread"#);
    check(
        "events",
        &crate::events::expand(tokens(
            r#"/// Placed.
            pub HEDGE: execution, info, execution; POSITION: "events/positions", info, execution; Q: log "q", debug, risk;"#,
        )),
    );
}

#[test]
fn values() {
    check(
        "value_enum",
        &crate::value::expand(tokens(
            "enum Kind { Buy, IOC, Held(u32), Named { px: f64, #[value(skip)] no: u8 } }",
        )),
    );
    check(
        "value_words",
        &crate::value::expand(tokens("enum Side { Buy, #[value(rename = \"sell short\")] SellShort }")),
    );
    check(
        "value_struct",
        &crate::value::expand(tokens("struct Quote<T> { px: T, #[value(display)] venue: Venue }")),
    );
}

#[test]
fn mistakes_keep_the_function() {
    attribute("mistakes", Kind::Decision, "knd = 1, fields()", "#[must_use] fn f(a: u32) -> u32 { a }");
}
