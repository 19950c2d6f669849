//! One attempt.

use core::fmt::Display;

use super::bindings;
use super::closings::decision_closed;
use super::counts;
use super::outcome::{Attempted, OrderOutcome, of_ended, of_result};
use crate::events;
use crate::found::FoundText;
use crate::hot::activity::{self, Entered};
use crate::hot::encoder::tag;
use crate::hot::fields::{And, Fields};
use crate::hot::ids::DecisionId;
use crate::hot::open::{Listed, What};
use crate::hot::record::{record, record_at};
use crate::hot::registry::heard;
use crate::hot::site::{Field, Place, Site};
use crate::hot::suffix::mix;
use crate::hot::value::{Elapsed, Maybe, Value};
use crate::hot::{clock, thread};
use crate::scope::kept::Kept;
use crate::scope::lazy;
use crate::scope::outcome::{Ended, Outcome, written};

/// The sites of an attempt: its context, and the four ways in which it may end.
#[derive(Debug)]
pub struct Sites {
    context: Site,
    accepted: Site,
    rejected: Site,
    failed: Site,
    unknown: Site,
    /// The decision's last order, where the attempt itself was the end of it.
    closed: Site,
}

const END: &[Field] = &[
    Field::recorded("intent_id"),
    Field::recorded("symbol"),
    Field::recorded("side"),
    Field::recorded("attempt"),
    Field::recorded("duration_ms"),
    Field::recorded("outcome"),
    Field::recorded("ended"),
    Field::recorded("error"),
];

impl Sites {
    /// What the macro writes, in a `static`.
    #[must_use]
    pub const fn new(place: Place, context: &'static [Field], end: &'static [Field]) -> Self {
        Self {
            context: Site::new(
                &events::ORDER_CONTEXT,
                "attempt {attempt}: {side} {symbol}",
                &[],
                context,
                place,
            ),
            accepted: Site::new(
                &events::ORDER_SUBMITTED,
                "attempt {attempt} on {symbol} accepted",
                END,
                end,
                place,
            ),
            rejected: Site::new(
                &events::ORDER_REJECTED,
                "attempt {attempt} on {symbol} rejected",
                END,
                end,
                place,
            ),
            failed: Site::new(
                &events::ORDER_FAILED,
                "attempt {attempt} on {symbol} not sent",
                END,
                end,
                place,
            ),
            unknown: Site::new(
                &events::ORDER_UNKNOWN,
                "attempt {attempt} on {symbol}: nobody knows whether the order is live",
                END,
                end,
                place,
            ),
            closed: decision_closed(place),
        }
    }

    /// The same, with a deadline of so many nanoseconds for each attempt.
    #[must_use]
    pub const fn with_deadline(mut self, deadline_ns: u64) -> Self {
        self.context.deadline_ns = deadline_ns;
        self
    }

    fn of(&'static self, outcome: OrderOutcome) -> &'static Site {
        match outcome {
            OrderOutcome::Accepted => &self.accepted,
            OrderOutcome::Rejected => &self.rejected,
            OrderOutcome::Failed => &self.failed,
            OrderOutcome::Unknown => &self.unknown,
        }
    }
}

/// Where the number of an attempt comes from.
pub trait AttemptNumber {
    /// What is recorded.
    type Number: Value;
    /// The number of the next attempt of the intent with this key.
    fn number(self, intent: u64) -> Self::Number;
}

/// Counted, for each intent.
#[derive(Clone, Copy, Debug)]
pub struct Counted;

impl AttemptNumber for Counted {
    type Number = u64;
    #[inline]
    fn number(self, intent: u64) -> u64 {
        counts::next(intent)
    }
}

/// Stated by the caller.
#[derive(Clone, Copy, Debug)]
pub struct Given<V>(pub V);

impl<V: Value> AttemptNumber for Given<V> {
    type Number = V;
    #[inline]
    fn number(self, _intent: u64) -> V {
        self.0
    }
}

/// Intent (a UUID as text), symbol, side and attempt.
type Head = Kept<96>;

/// An attempt to place an order that has not ended. Dropped so, it records ORDER_UNKNOWN.
///
/// ```
/// use tapelog::{OrderOutcome, order_attempt};
///
/// fn send() -> Result<u64, String> {
///     Err("503 no capacity".to_owned())
/// }
///
/// for _ in 0..3 {
///     let attempt = order_attempt!(
///         intent_id = "int_1", symbol = "BTC/USDT", side = "buy", qty = 0.5,
///         none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms),
///     );
///     let result = send();
///     // `finish(&result)` calls every error unknown; here more is known.
///     attempt.finish_by(&result, |error| match error.starts_with("503") {
///         true => OrderOutcome::Rejected,
///         false => OrderOutcome::Unknown,
///     });
/// }
/// # let dry = order_attempt!(intent_id = "int_2", symbol = "BTC/USDT", side = "buy", qty = 0.5,
/// #     none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms));
/// // No result at all: what the caller knows.
/// dry.end(OrderOutcome::Failed);
/// # let last = order_attempt!(intent_id = "int_3", symbol = "BTC/USDT", side = "buy", qty = 0.5,
/// #     none(limit_px, quote_budget, notional, tif, slippage_bps, min_notional, max_retries, retry_backoff_ms));
/// last.finish(&send());
/// ```
#[must_use = "an attempt that is dropped is recorded as unknown; keep it, and write `attempt.finish(&result)`"]
#[derive(Debug)]
pub struct Attempt {
    sites: Option<&'static Sites>,
    started: u64,
    decision: DecisionId,
    unclosed: Outcome,
    unwinding: bool,
    head: Head,
    intent: u64,
    /// Under which id later executions find the decision.
    bound: u64,
    entered: Entered,
    listed: Listed,
}

impl Attempt {
    /// Begins an attempt; nothing is recorded yet.
    #[doc(hidden)]
    #[inline]
    pub fn open(sites: &'static Sites, unclosed: Outcome) -> Self {
        Self {
            sites: if heard() { Some(sites) } else { None },
            started: 0,
            decision: DecisionId::NONE,
            unclosed,
            unwinding: false,
            head: Head::EMPTY,
            intent: 0,
            bound: 0,
            entered: Entered::NOT,
            listed: Listed::NOT,
        }
    }

    /// Whether the context is wanted: then its fields are evaluated.
    #[doc(hidden)]
    #[inline]
    #[must_use]
    pub fn starts(&self) -> bool {
        self.sites.is_some_and(|sites| sites.context.enabled())
    }

    /// Whether the context was recorded and the end was not.
    #[doc(hidden)]
    #[inline]
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.started != 0
    }

    /// Records ORDER_CONTEXT.
    #[doc(hidden)]
    #[inline]
    pub fn context<A, B, C, N>(
        &mut self,
        head: &(A, B, C),
        before: &impl Fields,
        attempt: N,
        after: &impl Fields,
    ) where
        A: Value,
        B: Value,
        C: Value,
        N: AttemptNumber,
    {
        let Some(sites) = self.sites else { return };
        lazy::begin();
        self.head.add(&(&head.0,));
        self.intent = key(self.head.bytes());
        let attempt = (attempt.number(self.intent),);
        self.head.add(&And((&head.1, &head.2), &attempt));
        self.decision = thread::decision();
        self.unwinding = std::thread::panicking();
        self.started = clock::now();
        record_at(&sites.context, &And(And(head, before), And(&attempt, after)), self.started);
        self.watch(sites);
        if self.bound == 0 {
            self.bound = self.intent;
        }
        bindings::bind(self.bound, self.decision, &sites.closed);
    }

    /// While it is open, the heartbeat knows of it: on this thread, or on none if it may be awaited.
    #[inline]
    fn watch(&mut self, sites: &'static Sites) {
        if self.unclosed == Outcome::Cancelled {
            self.listed = Listed::list(What::Attempt, &sites.context, self.started, self.decision);
        } else {
            self.entered = activity::enter(&sites.context, self.started, self.decision);
        }
    }

    /// The order has an id of the user's own: executions name that one, not the intent. Before [`Attempt::context`].
    #[doc(hidden)]
    #[inline]
    pub fn bind<V: Value + ?Sized>(&mut self, client_order_id: &V) {
        self.bound = bindings::key_of(client_order_id) | CLIENT_ORDER;
    }

    pub(super) fn bind_key(&mut self, key: u64) {
        self.bound = key;
    }

    /// Records the end.
    #[doc(hidden)]
    #[inline]
    pub fn close<F: Fields>(&mut self, outcome: OrderOutcome, ended: &Ended, returns: &F) {
        let Some(sites) = self.sites else { return };
        let site = sites.of(outcome);
        activity::exit(self.entered);
        self.listed = Listed::NOT;
        if self.started != 0 && site.enabled() {
            lazy::begin();
            let previous = thread::swap_decision(self.decision);
            let how = (
                Elapsed(self.started),
                outcome.as_str(),
                ended.outcome.as_str(),
                Maybe(ended.error.as_ref()),
            );
            record(site, &And(&self.head, And(how, returns)));
            thread::set_decision(previous);
        }
        if matches!(outcome, OrderOutcome::Rejected | OrderOutcome::Failed) {
            bindings::unbind(self.bound, &sites.closed);
        }
        self.started = 0;
    }

    /// Ends the attempt as its result says: `Ok` is accepted, an error is unknown, since the order may be live.
    /// Where more is known, write [`Attempt::finish_by`].
    pub fn finish<T, E: Display>(self, result: &Result<T, E>) {
        self.finish_by(result, |_| OrderOutcome::Unknown);
    }

    /// As [`Attempt::finish`]; `of_error` says what an error means.
    pub fn finish_by<T, E: Display>(
        mut self,
        result: &Result<T, E>,
        of_error: impl FnOnce(&E) -> OrderOutcome,
    ) {
        if !self.is_open() {
            return;
        }
        let (outcome, ended) = match result.result() {
            Ok(_) => (of_result(result, |_| false, |_| false), Ended::OK),
            Err(error) => {
                let text = FoundText::new(written(format_args!("{error}")));
                (of_error(error), Ended { outcome: Outcome::Err, error: Some(text) })
            }
        };
        self.close(outcome, &ended, &());
    }

    /// Ends the attempt with what the caller knows.
    pub fn end(mut self, outcome: OrderOutcome) {
        if self.is_open() {
            self.close(outcome, &Ended::RETURNED, &());
        }
    }
}

impl Drop for Attempt {
    #[inline]
    fn drop(&mut self) {
        if self.is_open() {
            let panics = std::thread::panicking() && !self.unwinding;
            let ended = Ended::with(if panics { Outcome::Panicked } else { self.unclosed });
            // What was not returned is left out.
            self.close(of_ended(&ended), &ended, &());
        }
    }
}

/// In a key of an order: that of its client order id, not of its intent.
pub(super) const CLIENT_ORDER: u64 = 1 << 63;

/// A key for tables, of one encoded id: equal bytes give equal keys, a number has the key of its digits; never 0, and
/// without [`CLIENT_ORDER`].
#[inline]
pub(super) fn key(bytes: &[u8]) -> u64 {
    let number = number(bytes).map(|number| {
        let mut word = [tag::U64; 9];
        word[1..].copy_from_slice(&number.to_le_bytes());
        word
    });
    let bytes = number.as_ref().map_or(bytes, |word| word.as_slice());
    let mut hash = 0x9E37_79B9_7F4A_7C15 ^ bytes.len() as u64;
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        hash = mix(hash.rotate_left(5) ^ u64::from_le_bytes(word));
    }
    (hash & !CLIENT_ORDER).max(1)
}

/// The number that an encoded id is, also as text: ids are text in lines, and come back as text after a restart.
#[inline]
fn number(bytes: &[u8]) -> Option<u64> {
    match bytes {
        [tag::I64, word @ ..] => u64::try_from(i64::from_le_bytes(word.try_into().ok()?)).ok(),
        [tag::TEXT, _, _, _, _, digits @ ..] => match digits {
            [b'0'] => Some(0),
            [b'1'..=b'9', ..] if digits.len() < 20 => digits.iter().try_fold(0, |number, digit| {
                digit.is_ascii_digit().then(|| number * 10 + u64::from(digit - b'0'))
            }),
            _ => None,
        },
        _ => None,
    }
}
