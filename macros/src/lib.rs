//! The macros of [tapelog](https://docs.rs/tapelog). Depend on `tapelog`, which re-exports them and documents them with
//! the runtime that they need.
//!
//! Every macro is parse → check → expand: what the user wrote, what is wrong with it, what it becomes. All mistakes of
//! one use are shown at once, each on its own token. An expansion is data, and calls to `tapelog::__private`.

mod build_info;
mod code;
mod config;
mod decision;
mod declarations;
mod duration;
mod edition;
mod errors;
mod event;
mod events;
mod fields;
mod function;
mod helper;
mod keys;
mod krate;
mod log;
mod message;
mod mistakes;
mod names;
mod order;
mod output;
mod performance;
mod report;
mod test;
mod typed;
mod value;
mod verdict;
mod wrapper;

#[cfg(test)]
mod golden;
#[cfg(test)]
mod robust;

use proc_macro::TokenStream;

use wrapper::Kind;

/// Opens a decision around a function: an id that everything below carries, DECISION_START, DECISION_END.
///
/// | key | |
/// |---|---|
/// | `kind = "buy"` | what is decided, in START and END |
/// | `fields(a, b = expr, c = %shown, d = ?debugged)` | fields of START, evaluated before the body |
/// | `inputs(quote, px = expr => since)` | the values decided upon, with their age in milliseconds |
/// | `id = expr` | a `DecisionId` that exists already, or `None` for a new one |
/// | `inherit` | joins the decision around it, if there is one, without START and END |
/// | `resume = expr` | joins a known decision without START and END |
/// | `verdict = expr` | called with `&result`; what it returns is `verdict` in END |
/// | `deadline = "5s"` | longer than this, it is stalled: THREAD_STALLED, or DECISION_STALLED where nobody polls it |
/// | `lazy` | START is written only when something happens inside (a record, an error, a verdict, its id given away); `started_at` has the true time |
/// | `crate = path` | where `tapelog` is, when it has another name |
///
/// END has `outcome`: `ok` or `err` where the type is a `Result`; `ok` where it is `()` or cannot be an error;
/// `returned` where the type is generic or a type of yours; `panicked`; `cancelled` for a future that was dropped.
///
/// The macro works on sync and async functions, and on functions that return `impl Future` or `Pin<Box<dyn Future>>`.
/// With others of ours on one function it makes one wrapper, whatever their order.
///
/// ```
/// use tapelog::{assert_events, decision, event, events::*, testing::capture};
///
/// #[decision(kind = "buy", fields(symbol, spread_bps))]
/// fn evaluate(symbol: &str, spread_bps: f64) -> Result<(), String> {
///     if spread_bps > 20.0 {
///         event!(BUY_BLOCKED, rule = "spread", value = spread_bps, limit = 20.0, "too wide");
///         return Err("blocked".to_owned());
///     }
///     Ok(())
/// }
///
/// let taken = capture(|| evaluate("BTC/USDT", 34.0));
/// assert_events!(taken, exactly [
///     DECISION_START { kind: "buy", symbol: "BTC/USDT" },
///     BUY_BLOCKED,
///     DECISION_END { outcome: "err" },
/// ]);
/// let ids: Vec<_> = taken.all().iter().map(|event| event.text("decision_id")).collect();
/// assert!(ids[0].starts_with("dec_") && ids.iter().all(|id| *id == ids[0]));
/// ```
#[proc_macro_attribute]
pub fn decision(attr: TokenStream, item: TokenStream) -> TokenStream {
    report::attribute("#[decision]", attr, item, |attr, item| wrapper::expand(Kind::Decision, attr, item))
}

/// Records ORDER_CONTEXT before the body of a function that tries to place an order, and what became of it after.
///
/// Each documented field comes from `name = expr`, else from the argument of that name, else from `from = order`, else
/// from `defaults(expr)`, else from an explicit `none`. One that comes from nowhere is a compile error.
///
/// | fields | |
/// |---|---|
/// | `intent_id, symbol, side, qty` | always required |
/// | `limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms` | required, or `none` |
/// | `attempt, attempt_start_ts` | automatic unless given: attempts are counted for each intent |
/// | `venue, account, client_order_id, …` | optional: `venue = expr`, or `venue` for an argument |
///
/// | key | |
/// |---|---|
/// | `from = order` | a value whose type derives `OrderContext` |
/// | `defaults(expr)` | another such value, asked for what `from` has not |
/// | `none(limit_px, notional)` | the same as `limit_px = none, notional = none` |
/// | `fields(…)` | any more fields |
/// | `not_sent = pattern`, `rejected = pattern` | errors after which the order is known not to be live |
/// | `outcome = expr` | called with `&result`; returns an `OrderOutcome` |
/// | `returns(order_id = \|ack\| &ack.id)` | fields of the end, from the `Ok` of the result; ids are texts: write a number as `ack.id.to_string()` |
/// | `action = new` | or `cancel`, `replace`, which have required fields of their own |
/// | `deadline = "5s"` | longer than this, the attempt is stalled: THREAD_STALLED, or DECISION_STALLED of an async one |
/// | `each = orders` | one context for each order of a batch |
/// | `crate = path` | where `tapelog` is, when it has another name |
///
/// ```
/// use tapelog::{assert_events, events::*, order_context, testing::capture};
///
/// #[derive(Debug)]
/// enum Refused {
///     Offline,
/// }
/// # impl std::fmt::Display for Refused {
/// #     fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str("no connection") }
/// # }
///
/// #[order_context(
///     tif = "IOC", slippage_bps = 5.0, max_retries = 3, retry_backoff_ms = 250,
///     none(quote_budget, notional, min_notional),
///     not_sent = Refused::Offline,
///     returns(order_id = |ack| ack.clone()),
/// )]
/// fn place(intent_id: &str, symbol: &str, side: &str, qty: f64, limit_px: f64) -> Result<String, Refused> {
///     if qty > 1.0 { Err(Refused::Offline) } else { Ok("o-7".to_owned()) }
/// }
///
/// let taken = capture(|| place("int_1", "BTC/USDT", "buy", 0.5, 45_000.5));
/// assert_events!(taken, [ORDER_CONTEXT { intent_id: "int_1", attempt: 1, tif: "IOC" }, ORDER_SUBMITTED { order_id: "o-7" }]);
/// let taken = capture(|| place("int_2", "BTC/USDT", "buy", 5.0, 45_000.5));
/// assert_events!(taken, [ORDER_CONTEXT, ORDER_FAILED { error: "no connection" }]);
/// ```
#[proc_macro_attribute]
pub fn order_context(attr: TokenStream, item: TokenStream) -> TokenStream {
    report::attribute("#[order_context]", attr, item, |attr, item| wrapper::expand(Kind::Order, attr, item))
}

/// Records PERFORMANCE with `operation`, `execution_time_ms` and `outcome`, and counts every call in a histogram.
///
/// | key | |
/// |---|---|
/// | `operation = "name"` | instead of the function's name |
/// | `args(a, b = expr)` | fields, evaluated before the body |
/// | `memory` | `memory_usage_mb`, the resident memory of the process after the call |
/// | `cpu` | `cpu_usage_percent`, processor time by elapsed time |
/// | `slower_than = "5ms"` | records only slower calls, as warnings |
/// | `deadline = "5s"` | longer than this, the call is stalled: THREAD_STALLED, or DECISION_STALLED of an async one |
/// | `every = 100` | records the first of every 100 calls; with `slower_than`, those and the slower ones |
/// | `crate = path` | where `tapelog` is, when it has another name |
///
/// On an `impl` block or a module it annotates every function inside, except `const` ones and those marked
/// `#[tapelog(skip)]`.
///
/// ```
/// use tapelog::{assert_events, events::*, log_performance, testing::capture};
///
/// #[log_performance(operation = "reprice", args(levels))]
/// fn reprice(levels: usize) -> usize {
///     levels * 2
/// }
///
/// let taken = capture(|| reprice(5));
/// assert_events!(taken, [PERFORMANCE { operation: "reprice", levels: 5, outcome: "ok" }]);
/// assert!(taken.one(&PERFORMANCE).get("execution_time_ms").is_some());
/// ```
#[proc_macro_attribute]
pub fn log_performance(attr: TokenStream, item: TokenStream) -> TokenStream {
    report::attribute("#[log_performance]", attr, item, performance::expand)
}

/// Records one event: `event!(BUY_BLOCKED, rule = "spread", value = 34.0, "spread of {symbol} too wide")`.
///
/// The name is a constant: one of `tapelog::events`, or your own from `events!`. A field is `name = expr`,
/// `name = %expr` for its `Display`, `name = ?expr` for its `Debug`, or `name` or `order.qty` alone. A hole in the message
/// names a field, or captures the variable of that name as one more field. Nothing is evaluated while nobody records, and
/// everything once, but for places such as `order.qty`: where there are several, they are looked at while they are written,
/// so a `Deref` of your own may be asked more than once.
///
/// ```
/// use tapelog::{event, events::*, testing::capture};
///
/// let (symbol, spread) = ("BTC/USDT", 34.0);
/// let taken = capture(|| event!(BUY_BLOCKED, rule = "spread", value = spread, limit = 20.0, "spread of {symbol} too wide"));
/// assert_eq!(
///     taken.render(),
///     "BUY_BLOCKED \"spread of BTC/USDT too wide\" rule=\"spread\" value=34.0 limit=20.0 symbol=\"BTC/USDT\"\n"
/// );
/// ```
#[proc_macro]
pub fn event(input: TokenStream) -> TokenStream {
    report::function_like("event!", input, event::event)
}

/// Records what the dashboard is told: `dash_event!(BUY_FILLED, "{symbol} @ ${px}")`, an event DASH_EVENT with the name
/// as `dashboard_event_type`.
///
/// ```
/// use tapelog::{assert_events, dash_event, events::*, testing::capture};
///
/// let (symbol, px) = ("BTC/USDT", 45_000.5);
/// let taken = capture(|| dash_event!(BUY_FILLED, "{symbol} @ ${px}"));
/// assert_events!(taken, [DASH_EVENT { dashboard_event_type: "BUY_FILLED", message: "BTC/USDT @ $45000.5" }]);
/// ```
#[proc_macro]
pub fn dash_event(input: TokenStream) -> TokenStream {
    report::function_like("dash_event!", input, event::dash_event)
}

/// Declares types of events.
///
/// ```
/// tapelog::events! {
///     /// A hedge was placed.
///     pub HEDGE_PLACED: execution, info, execution;
///     /// Class audit, written to `events/hedges.jsonl`.
///     pub HEDGE_CLOSED: "events/hedges", info, execution;
///     /// Class log, written to `quotes.jsonl`.
///     QUOTE_SEEN: log "quotes", debug, strategy;
///     /// Class log, written to `risk_monitor.log`.
///     LIMIT_SEEN: component "risk_monitor", warning, risk;
/// }
///
/// tapelog::event!(HEDGE_PLACED, symbol = "ETH/USDT", qty = 0.5, "{qty} {symbol} hedged");
/// assert_eq!(HEDGE_CLOSED.stream.file(), "events/hedges.jsonl");
/// # tapelog::event!(QUOTE_SEEN); tapelog::event!(LIMIT_SEEN);
/// ```
///
/// Behind the name stand the stream, the level and the category. Streams: `orders`, `decisions`, `audit`, `risk`,
/// `execution`, `dashboard`, `performance`, `system`, `strategy`, `error`, or a name in quotes. Levels: `debug`, `info`,
/// `warning`, `error`, `critical`. Categories: `execution`, `risk`, `strategy`, `system`, `audit`, `error`.
#[proc_macro]
pub fn events(input: TokenStream) -> TokenStream {
    report::items("events!", input, events::expand)
}

/// A test that captures what it records: `tapelog::testing::events()` gives it, and a failure shows it.
///
/// On an async test, write it above the attribute that runs it: `#[tapelog::test] #[tokio::test] async fn …`. Needs the
/// feature `testing`.
///
/// ```
/// #[tapelog::test]
/// fn a_wide_spread_blocks() {
///     tapelog::event!(tapelog::events::BUY_BLOCKED, rule = "spread", "too wide");
///     assert_eq!(tapelog::testing::events().one(&tapelog::events::BUY_BLOCKED).text("rule"), "spread");
/// }
/// ```
#[proc_macro_attribute]
pub fn test(attr: TokenStream, item: TokenStream) -> TokenStream {
    report::attribute("#[tapelog::test]", attr, item, test::expand)
}

/// States what a guard found: `verdict!(blocked, rule = "spread", value = 34.0, limit = 20.0)`. It is copied into the
/// DECISION_END of the decision around it; the last one counts.
///
/// ```
/// use tapelog::{assert_events, decision, events::*, testing::capture, verdict};
///
/// #[decision(kind = "buy")]
/// fn evaluate(spread_bps: f64) {
///     if spread_bps > 20.0 {
///         verdict!(blocked, rule = "spread", value = spread_bps, limit = 20.0);
///     }
/// }
///
/// let taken = capture(|| evaluate(34.0));
/// assert_events!(taken, [DECISION_END { verdict: "blocked", rule: "spread", value: 34, limit: 20 }]);
/// ```
#[proc_macro]
pub fn verdict(input: TokenStream) -> TokenStream {
    report::function_like("verdict!", input, verdict::expand)
}

/// The statement form of `#[order_context]`, for a loop inside one function:
/// `let attempt = order_attempt!(…); … attempt.finish(&result)`. Dropped unfinished, it records ORDER_UNKNOWN.
///
/// ```
/// use tapelog::{assert_events, events::*, order_attempt, testing::capture};
///
/// let taken = capture(|| {
///     for answer in [Err("503"), Ok("o-7")] {
///         let attempt = order_attempt!(
///             intent_id = "int_1", symbol = "BTC/USDT", side = "buy", qty = 0.5, max_retries = 3, retry_backoff_ms = 250,
///             none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional),
///         );
///         attempt.finish(&answer);
///     }
/// });
/// assert_events!(taken, [ORDER_CONTEXT { attempt: 1 }, ORDER_UNKNOWN, ORDER_CONTEXT { attempt: 2 }, ORDER_SUBMITTED]);
/// ```
#[proc_macro]
pub fn order_attempt(input: TokenStream) -> TokenStream {
    report::function_like("order_attempt!", input, order::statement)
}

/// Makes a type a `Value`: enums are their variant's name, newtypes what they hold, structs an object.
///
/// `Side::Buy` is `"buy"`; a name without lower-case letters, such as `IOC`, is kept (clippy prefers `Ioc` with
/// `#[value(rename = "IOC")]`). `#[value(rename = "…")]` on a
/// variant or a field gives another name, `#[value(display)]` and `#[value(debug)]` record a field's text,
/// `#[value(skip)]` leaves it out.
///
/// ```
/// use tapelog::{Value, assert_events, event, events::*, testing::capture};
///
/// #[derive(Value)]
/// enum Side { Buy, #[value(rename = "short")] SellShort }
///
/// #[derive(Value)]
/// struct Level { px: f64, qty: f64, #[value(skip)] dirty: bool }
///
/// let taken = capture(|| event!(BUY_TRIGGERED, side = Side::SellShort, other = Side::Buy, best = Level { px: 45_000.5, qty: 2.0, dirty: true }));
/// assert_events!(taken, [BUY_TRIGGERED { side: "short", other: "buy" }]);
/// assert!(taken.lines().contains(r#""best":{"px":45000.5,"qty":2.0}"#));
/// ```
#[proc_macro_derive(Value, attributes(value))]
pub fn derive_value(item: TokenStream) -> TokenStream {
    report::items("#[derive(Value)]", item, value::expand)
}

/// Lets `#[order_context(from = order)]` take fields from a struct: every field that has the name of an order field.
///
/// `#[order(limit_px)]` on a field says which order field it is, `#[order(skip)]` that it is none, and
/// `#[order(notional = self.qty * self.px)]` on the struct computes one.
///
/// ```
/// use tapelog::{OrderContext, assert_events, events::*, order_context, testing::capture};
///
/// #[derive(OrderContext)]
/// #[order(notional = self.qty * self.price)]
/// struct Order {
///     intent_id: String,
///     symbol: &'static str,
///     side: &'static str,
///     qty: f64,
///     #[order(limit_px)]
///     price: f64,
/// }
///
/// #[order_context(from = order, none(quote_budget, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms))]
/// fn place(order: &Order) -> Result<(), String> {
///     Ok(())
/// }
///
/// let order = Order { intent_id: "int_1".to_owned(), symbol: "BTC/USDT", side: "buy", qty: 0.5, price: 45_000.0 };
/// assert_events!(capture(|| place(&order)), [ORDER_CONTEXT { limit_px: 45_000, notional: 22_500 }]);
/// ```
#[proc_macro_derive(OrderContext, attributes(order))]
pub fn derive_order_context(item: TokenStream) -> TokenStream {
    report::items("#[derive(OrderContext)]", item, order::derive)
}

/// Tells the configuration audit which fields are secret, and which environment variables set which.
///
/// | on a field | |
/// |---|---|
/// | `secret` | never leaves the process but as a mark and a keyed fingerprint |
/// | `public` | its name sounds secret, and it is not |
/// | `env = "NAME"` | the variable that sets it |
/// | `default = 20.0` | its value without the variable, when it stands in the source |
/// | `parse = expr` | reads the variable's text as the program does: `fn(&str) -> Option<serde_json::Value>` |
/// | `nested` | a configuration with a table of its own, also in `Option`, `Vec`, `Box` and maps |
/// | `rename = "key"` | its key, where a `Serialize` written by hand names it otherwise |
///
/// On the type: `env_prefix = "ENGINE_"`, variables that begin so and set no key are typos; `crate = path`.
///
/// Keys are those that serde writes: `rename`, `rename_all`, `flatten`, `skip`, `tag`, `content` and `untagged` are
/// read.
///
/// ```
/// use tapelog::config::{ConfigSnapshot, MARK};
///
/// #[derive(serde::Serialize, ConfigSnapshot)]
/// #[config(env_prefix = "ENGINE_")]
/// struct Engine {
///     #[config(env = "ENGINE_MAX_QTY", default = 1.0)]
///     max_qty: f64,
///     #[config(secret)]
///     login: String,
/// }
///
/// # let root = std::env::temp_dir().join(format!("tapelog-doc-derive-{}", std::process::id()));
/// let audit = tapelog::config::Audit::new(&root, "execution", "session_20260105_093000");
/// let report = audit.run_snapshot(&Engine { max_qty: 2.5, login: "alice".to_owned() })?;
/// assert_eq!((&report.current.config["max_qty"], &report.current.config["login"]), (&2.5.into(), &MARK.into()));
/// # std::fs::remove_dir_all(&root)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[proc_macro_derive(ConfigSnapshot, attributes(config))]
pub fn derive_config_snapshot(item: TokenStream) -> TokenStream {
    report::items("#[derive(ConfigSnapshot)]", item, config::derive)
}

/// Declares error codes: prefix and number, severity, text (S2-036…038).
///
/// ```
/// tapelog::errors! {
///     pub EXEC_001: "EXEC-001", high, "order execution failed";
///     pub RISK_001: "RISK-001", high, "risk limit breached";
/// }
///
/// assert_eq!(EXEC_001.code, "EXEC-001");
/// ```
///
/// Prefixes: `POS`, `EXP`, `RISK`, `PNL`, `STRAT`, `EXEC`, `VEN`, `ENGINE`. Severities: `critical`, `high`, `medium`,
/// `low`. A code that is there twice does not compile.
#[proc_macro]
pub fn errors(input: TokenStream) -> TokenStream {
    report::items("errors!", input, errors::expand)
}

/// Records ERROR with a declared code: `error!(EXEC_001, from = &error, order_id, "placing {symbol}")`.
///
/// The line has `error_code`, `severity`, `error_message` (the text of the code), `component` (from the module),
/// `error` and `error_chain` (what `from` and its sources say), and `backtrace` where RUST_BACKTRACE asks for one. The
/// level is that of the severity. Fields and message are those of [`event!`].
///
/// ```
/// use tapelog::{assert_events, error, errors::codes::EXEC_001, events::*, testing::capture};
///
/// let late = std::io::Error::other("no answer within 5 s");
/// let taken = capture(|| error!(EXEC_001, from = &late, order_id = "o-7", "placing BTC/USDT"));
/// assert_events!(taken, [ERROR { error_code: "EXEC-001", severity: "HIGH", error: "no answer within 5 s", order_id: "o-7" }]);
/// ```
#[proc_macro]
pub fn error(input: TokenStream) -> TokenStream {
    report::function_like("error!", input, errors::error)
}

/// A line of a component's log: `log!(MONITOR, info, positions_count = 3, "positions updated")`.
///
/// The component is a constant (`const MONITOR: Component = Component::new("position_monitor");`); without one it is
/// that of the module: in `engine::services::execution::router` it is `execution`. The line goes to `<component>.log`.
/// Fields and message are those of [`event!`].
///
/// ```
/// use tapelog::{Component, log, testing::capture};
///
/// const MONITOR: Component = Component::new("position_monitor");
///
/// let taken = capture(|| {
///     log!(MONITOR, info, positions_count = 3, "positions updated");
///     log!(debug, "of this module's own component");
/// });
/// assert_eq!(taken.all()[0].file(), "position_monitor.log");
/// assert_eq!((taken.all()[1].text("level"), taken.all().len()), ("debug", 2));
/// ```
#[proc_macro]
pub fn log(input: TokenStream) -> TokenStream {
    report::function_like("log!", input, log::expand)
}

/// Makes a struct an event: `event!(HedgePlaced { symbol, qty: 0.5 })` records it.
///
/// ```
/// use tapelog::{event, testing::capture};
///
/// /// A hedge was placed.
/// #[derive(tapelog::Event)]
/// #[event(stream = execution, level = info, category = execution, message = "{qty} {symbol} hedged")]
/// struct HedgePlaced<'a> {
///     /// What was bought or sold.
///     symbol: &'a str,
///     qty: f64,
///     /// Left out of the line when `None`; `event!(HedgePlaced { symbol, qty: 0.5, .. })` leaves it out too.
///     venue: Option<&'a str>,
/// }
///
/// let taken = capture(|| event!(HedgePlaced { symbol: "ETH/USDT", qty: 0.5, .. }));
/// assert_eq!(taken.render(), "HEDGE_PLACED \"0.5 ETH/USDT hedged\" symbol=\"ETH/USDT\" qty=0.5\n");
/// ```
///
/// | key of the type | |
/// |---|---|
/// | `stream = orders` | as in `events!`: a standard stream, `"name"`, `log "name"` or `component "name"` |
/// | `level = info`, `category = risk` | as in `events!` |
/// | `name = "HEDGE"` | what stands in `event_type`; unless said, the type's name in SCREAMING_SNAKE_CASE |
/// | `message = "…"` | text with holes, which are fields |
/// | `constants(is_halted = true)` | fields with a value known at compile time |
/// | `crate = path` | where `tapelog` is, when it has another name |
///
/// | key of a field | |
/// |---|---|
/// | `rename = "…"` | another key in the line |
/// | `display`, `debug` | the field's text, for a type that is no `Value` |
/// | `null` | an `Option` that is `None` is written as `null` instead of being left out |
#[proc_macro_derive(Event, attributes(event))]
pub fn derive_event(item: TokenStream) -> TokenStream {
    report::items("#[derive(Event)]", item, typed::derive)
}

/// What this build was made of, for `run.json`: `Recorder::builder("execution").build(tapelog::build_info!())`.
///
/// Version, commit and whether files differed from it, the SHA-256 of `Cargo.lock`, the package's features: found when
/// the package is compiled, and again when the commit or `Cargo.lock` changes. What cannot be found is absent. Where
/// sources are built without their repository, set `TAPELOG_COMMIT` for the build.
///
/// ```
/// const BUILD: tapelog::BuildInfo = tapelog::build_info!();
/// assert!(!BUILD.version.is_empty());
/// ```
#[proc_macro]
pub fn build_info(input: TokenStream) -> TokenStream {
    report::function_like("build_info!", input, build_info::expand)
}
