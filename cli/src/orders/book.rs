//! The book: lines of orders in the order in which they were recorded, as the state of each intent.
//!
//! The words are those of FIX: a fill is an execution, `cum_qty` never falls, a terminal order does not move. Memory is
//! that of the orders which are kept; who wants only the open ones takes the others out as they end.

use std::collections::{HashMap, HashSet};

use crate::json::{pairs, plain};
use crate::source::{Corpus, Notes, Want};
use crate::trace::story::{CUMULATED, ENDS, FILL_PX, FILL_QTY};

/// How an order stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum State {
    /// An attempt has begun and has no end.
    Pending,
    /// Nobody knows whether the venue has it.
    Unknown,
    Accepted,
    PartlyFilled,
    Filled,
    Cancelled,
    Expired,
    /// Over, and nobody said how.
    Closed,
    Rejected,
    /// Never sent.
    Failed,
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Unknown => "unknown",
            Self::Accepted => "accepted",
            Self::PartlyFilled => "partly filled",
            Self::Filled => "filled",
            Self::Cancelled => "cancelled",
            Self::Expired => "expired",
            Self::Closed => "closed",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
        }
    }

    /// Whether it may be live at a venue.
    pub(crate) fn may_be_live(self) -> bool {
        self <= Self::PartlyFilled
    }
}

/// One intent and what is known of its order.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) intent: String,
    pub(crate) decision: String,
    pub(crate) symbol: String,
    pub(crate) side: String,
    /// As they are written.
    pub(crate) qty: String,
    pub(crate) limit: String,
    pub(crate) venue: String,
    pub(crate) client_order: String,
    pub(crate) order: String,
    pub(crate) attempts: u64,
    pub(crate) state: State,
    /// Attempts that nobody knows the end of, though a later one may have ended well.
    pub(crate) unknown_attempts: Vec<String>,
    pub(crate) filled: f64,
    pub(crate) cost: f64,
    pub(crate) fills: u64,
    pub(crate) fees: f64,
    pub(crate) first_at: i64,
    pub(crate) last_at: i64,
    /// Of the newest context.
    pub(crate) seq: u64,
    pub(crate) run: usize,
    pub(crate) reason: String,
    cum_qty: f64,
    executions: HashSet<String>,
    /// Numbers of attempts without an end.
    open: Vec<String>,
    last_attempt: u64,
}

/// What cannot be true of an order.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fault {
    pub(crate) kind: &'static str,
    pub(crate) at: i64,
    pub(crate) run: usize,
    pub(crate) seq: u64,
    pub(crate) id: String,
    pub(crate) text: String,
}

/// Orders by their intents.
#[derive(Debug, Default)]
pub(crate) struct Book {
    pub(crate) orders: HashMap<String, Order>,
    pub(crate) faults: Vec<Fault>,
    pub(crate) faults_left_out: u64,
    /// From a run and an order's id, and from a client order's id, to the intent.
    by_order: HashMap<(usize, String), String>,
    by_client: HashMap<String, String>,
    /// Net quantity by venue and symbol, from fills.
    pub(crate) positions: HashMap<(String, String), Position>,
    pub(crate) counts: HashMap<&'static str, u64>,
    /// Orders that can no longer change are taken out.
    forget: bool,
    forgotten: HashSet<u64>,
}

/// What fills add up to.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Position {
    pub(crate) net: f64,
    pub(crate) decimals: usize,
}

impl Position {
    /// Whether it is more than how floats were added up.
    pub(crate) fn is_open(&self) -> bool {
        self.net.abs() > 0.5 * 10_f64.powi(-(self.decimals as i32)) * 0.999
    }

    /// With its sign, and the digits of its fills.
    pub(crate) fn text(&self) -> String {
        format!("{:+.*}", self.decimals, self.net)
    }
}

/// So many faults are kept.
const MOST_FAULTS: usize = 10_000;

/// The fields of a line that say something of an order.
#[derive(Debug, Default)]
struct Seen<'a> {
    of: HashMap<&'a str, &'a str>,
}

impl<'a> Seen<'a> {
    fn new(line: &'a str) -> Self {
        Self { of: pairs(line).collect() }
    }

    fn text(&self, key: &str) -> Option<String> {
        self.of.get(key).and_then(|json| plain(json)).map(std::borrow::Cow::into_owned)
    }

    fn first(&self, keys: &[&str]) -> Option<String> {
        keys.iter().find_map(|key| self.text(key))
    }

    fn number(&self, keys: &[&str]) -> Option<f64> {
        self.first(keys)?.parse().ok()
    }
}

/// The lines that a book is made of.
pub(crate) fn wanted() -> Want {
    Want::containing(&["\"event_type\":\"ORDER_", "\"event_type\":\"ORPHAN_EXECUTION\""])
}

impl Book {
    /// The orders of these runs, oldest first, as they stand at the end; only those that may be live when `forget`.
    pub(crate) fn of(corpus: &Corpus, runs: &[usize], forget: bool) -> (Self, Notes) {
        let mut book = Self { forget, ..Self::default() };
        let mut notes = Notes::default();
        for run in runs {
            notes.add(corpus.in_order(*run, &wanted(), |hit, seq| {
                book.line(hit.run, seq, hit.line);
                std::ops::ControlFlow::Continue(())
            }));
        }
        (book, notes)
    }

    pub(crate) fn line(&mut self, run: usize, seq: u64, line: &str) {
        let seen = Seen::new(line);
        let Some(event_type) = seen.text("event_type") else { return };
        let at = seen.text("timestamp").as_deref().and_then(crate::time::parse).unwrap_or(0);
        let place = Place { run, seq, at };
        if event_type == "ORPHAN_EXECUTION" {
            let id = seen.first(IDS).unwrap_or_default();
            self.fault("orphan fill", place, &id, "an execution of an order that this process does not know");
            return;
        }
        if !event_type.starts_with("ORDER_") {
            return;
        }
        let intent = self.intent_of(run, &seen);
        if event_type == "ORDER_CONTEXT" || event_type == "ORDER_RESTORED" {
            self.context(place, &seen, intent, event_type == "ORDER_CONTEXT");
            return;
        }
        let Some(intent) = intent.filter(|id| self.orders.contains_key(id)) else {
            return self.of_nobody(place, &seen, &event_type);
        };
        let Some(mut order) = self.orders.remove(&intent) else { return };
        order.last_at = order.last_at.max(at);
        self.learn(run, &mut order, &seen);
        if ENDS.contains(&event_type.as_str()) {
            self.end(place, &mut order, &seen, &event_type);
        } else {
            self.moved(place, &mut order, &seen, &event_type);
        }
        if self.forget && !order.state.may_be_live() && order.unknown_attempts.is_empty() {
            self.forgotten.insert(hash(&order.intent));
            self.by_order.retain(|_, known| *known != order.intent);
            self.by_client.remove(&order.client_order);
            return;
        }
        self.orders.insert(intent, order);
    }

    fn intent_of(&self, run: usize, seen: &Seen<'_>) -> Option<String> {
        seen.text("intent_id").or_else(|| {
            let order = seen.text("order_id");
            let of_run = order.clone().and_then(|id| self.by_order.get(&(run, id)));
            // An order that outlived the session in which it was placed.
            let earlier = || {
                let id = order.clone()?;
                (0..run).chain(run + 1..run + 64).find_map(|other| self.by_order.get(&(other, id.clone())))
            };
            let client = || self.by_client.get(&seen.first(&["client_order_id", "orig_client_order_id"])?);
            of_run.or_else(client).or_else(earlier).cloned()
        })
    }

    fn learn(&mut self, run: usize, order: &mut Order, seen: &Seen<'_>) {
        if let Some(id) = seen.text("order_id") {
            self.by_order.insert((run, id.clone()), order.intent.clone());
            order.order = id;
        }
        if let Some(id) = seen.text("client_order_id") {
            self.by_client.insert(id.clone(), order.intent.clone());
            order.client_order = id;
        }
        if order.venue.is_empty() {
            order.venue = seen.text("venue").unwrap_or_default();
        }
    }

    fn context(&mut self, place: Place, seen: &Seen<'_>, intent: Option<String>, tried: bool) {
        let Some(intent) = intent else {
            return self.fault("intent missing", place, "", "an ORDER_CONTEXT without an intent");
        };
        self.forgotten.remove(&hash(&intent));
        let cancels = seen.text("action").is_some_and(|action| action == "cancel");
        let mut order = self.orders.remove(&intent).unwrap_or_else(|| Order::new(&intent, place));
        let text = |key: &str| seen.text(key).unwrap_or_default();
        if !cancels {
            for (own, key) in [
                (&mut order.decision, "decision_id"),
                (&mut order.symbol, "symbol"),
                (&mut order.side, "side"),
                (&mut order.qty, "qty"),
                (&mut order.limit, "limit_px"),
            ] {
                let new = text(key);
                if !new.is_empty() {
                    *own = new;
                }
            }
        }
        self.learn(place.run, &mut order, seen);
        let number = seen.text("attempt").unwrap_or_else(|| (order.last_attempt + 1).to_string());
        if tried {
            add(&mut self.counts, "attempts");
            order.attempts += u64::from(!cancels);
            if order.state == State::Filled && !cancels {
                let words = format!("attempt {number} of an order that is filled");
                self.fault("impossible state", place, &intent, &words);
            }
            let value: u64 = number.parse().unwrap_or(0);
            if !cancels && value > 0 && value <= order.last_attempt && place.run == order.run {
                let words = format!("attempt {value} comes after attempt {}", order.last_attempt);
                self.fault("attempt repeated", place, &intent, &words);
            }
            order.last_attempt = order.last_attempt.max(value);
            if !cancels {
                order.open.push(number);
                if !matches!(order.state, State::PartlyFilled | State::Accepted | State::Filled) {
                    order.state = State::Pending;
                }
            }
        } else {
            // Its story began in an earlier session.
            order.state = order.state.min(State::Accepted);
        }
        (order.seq, order.run) = (place.seq, place.run);
        order.last_at = place.at;
        self.orders.insert(intent, order);
    }

    /// The end of an attempt.
    fn end(&mut self, place: Place, order: &mut Order, seen: &Seen<'_>, event_type: &str) {
        let number = seen.text("attempt");
        let open = match &number {
            Some(number) => order.open.iter().rposition(|open| open == number),
            None => order.open.len().checked_sub(1),
        };
        let Some(open) = open else {
            // The end of a cancel, which is no attempt to place the order.
            if number.as_ref().is_some_and(|number| number.parse().is_ok_and(|n: u64| n > order.last_attempt))
            {
                let words = format!("{event_type} of an attempt that never began");
                self.fault("end without a begin", place, &order.intent, &words);
            }
            return;
        };
        let number = order.open.remove(open);
        let reason = seen.first(&["error", "error_message", "reason", "reject_reason"]).unwrap_or_default();
        let state = match event_type {
            "ORDER_SUBMITTED" => State::Accepted,
            "ORDER_REJECTED" => State::Rejected,
            "ORDER_FAILED" => State::Failed,
            _ => {
                order.unknown_attempts.push(number);
                State::Unknown
            }
        };
        add(&mut self.counts, state.name());
        if !reason.is_empty() {
            order.reason = reason;
        }
        // A fill may be recorded before the call that placed the order returns.
        if matches!(order.state, State::Pending | State::Unknown | State::Failed | State::Rejected) {
            order.state = state;
        }
        if order.state != State::Unknown && !order.unknown_attempts.is_empty() && order.state > State::Filled
        {
            order.state = State::Unknown;
        }
    }

    /// What the venue says of it.
    fn moved(&mut self, place: Place, order: &mut Order, seen: &Seen<'_>, event_type: &str) {
        let terminal = matches!(
            order.state,
            State::Filled
                | State::Cancelled
                | State::Expired
                | State::Closed
                | State::Rejected
                | State::Failed
        );
        let fill = event_type.ends_with("_FILLED") || event_type.ends_with("_FILL");
        if fill {
            if terminal {
                let words = format!("{event_type} of an order that is {}", order.state.name());
                let kind =
                    if order.state == State::Filled { "fill after the end" } else { "impossible state" };
                self.fault(kind, place, &order.intent, &words);
            }
            self.fill(place, order, seen, event_type);
            return;
        }
        if event_type == "ORDER_CLOSED" {
            // What `order::closed` was told. An order whose end is known already needs no second one.
            if !terminal {
                let said = seen.text("order_state").unwrap_or_default();
                order.state = closed_as(&said);
                order.unknown_attempts.clear();
                add(&mut self.counts, order.state.name());
            }
            return;
        }
        let state = match event_type {
            "ORDER_CANCELLED" | "ORDER_CANCELED" => State::Cancelled,
            "ORDER_EXPIRED" => State::Expired,
            "ORDER_ACCEPTED" | "ORDER_REPLACED" | "ORDER_ACKNOWLEDGED" => State::Accepted,
            _ => return,
        };
        if order.state == State::Filled {
            let words = format!("{event_type} of an order that is filled");
            self.fault("impossible state", place, &order.intent, &words);
            return;
        }
        if terminal && state == State::Accepted && order.state != State::Rejected {
            let words = format!("{event_type} of an order that is {}", order.state.name());
            self.fault("impossible state", place, &order.intent, &words);
        }
        if event_type == "ORDER_REPLACED"
            && let Some(qty) = seen.text("qty")
        {
            order.qty = qty;
        }
        add(&mut self.counts, state.name());
        order.unknown_attempts.clear();
        if state != State::Accepted || order.state != State::PartlyFilled {
            order.state = state;
        }
    }

    fn fill(&mut self, place: Place, order: &mut Order, seen: &Seen<'_>, event_type: &str) {
        let execution = seen.first(&["exec_id", "execution_id", "fill_id", "trade_id", "last_exec_id"]);
        if let Some(id) = execution
            && !order.executions.insert(id.clone())
        {
            self.fault("duplicate fill", place, &order.intent, &format!("execution {id} is recorded twice"));
            return;
        }
        order.unknown_attempts.clear();
        let written = seen.first(FILL_QTY).unwrap_or_default();
        let qty: f64 = written.parse().unwrap_or(0.0);
        let wanted: Option<f64> = order.qty.parse().ok();
        let cum = seen.number(CUMULATED);
        if let Some(cum) = cum {
            if cum < order.cum_qty {
                let words = format!("cum_qty falls from {} to {cum}", order.cum_qty);
                self.fault("cum_qty falls", place, &order.intent, &words);
            }
            order.cum_qty = order.cum_qty.max(cum);
        }
        if let (Some(leaves), Some(cum), Some(wanted)) = (seen.number(&["leaves_qty"]), cum, wanted)
            && leaves > 0.0
            && (leaves + cum - wanted).abs() > wanted.abs() * TINY
        {
            let words = format!("leaves_qty {leaves} and cum_qty {cum} do not make {wanted}");
            self.fault("quantities disagree", place, &order.intent, &words);
        }
        // Some venues report the last of several fills with the quantity of all.
        let whole = event_type == "ORDER_FILLED" && order.fills > 0 && Some(qty) == wanted;
        let new = match cum {
            Some(cum) => (cum - order.filled).max(0.0),
            None if whole => (qty - order.filled).max(0.0),
            None => qty,
        };
        order.filled += new;
        order.fills += 1;
        order.cost += new * seen.number(FILL_PX).unwrap_or(0.0);
        order.fees += seen.number(&["fee", "fee_amount", "commission"]).unwrap_or(0.0);
        if let Some(wanted) = wanted
            && order.filled > wanted * (1.0 + TINY)
        {
            let words = format!("{} of {wanted} are filled", order.filled);
            self.fault("overfill", place, &order.intent, &words);
        }
        let side = if order.side.eq_ignore_ascii_case("sell") { -1.0 } else { 1.0 };
        let position = self.positions.entry((order.venue.clone(), order.symbol.clone())).or_default();
        position.net += side * new;
        position.decimals = position.decimals.max(crate::render::decimals(&written)).min(12);
        let complete = wanted.map_or(event_type == "ORDER_FILLED", |wanted| {
            order.filled >= wanted * (1.0 - TINY) || event_type == "ORDER_FILLED" && cum.is_none() && whole
        });
        order.state = if complete { State::Filled } else { State::PartlyFilled };
        add(&mut self.counts, order.state.name());
    }

    /// An event of an order that no context announced.
    fn of_nobody(&mut self, place: Place, seen: &Seen<'_>, event_type: &str) {
        let known = seen.text("intent_id").is_some_and(|id| self.forgotten.contains(&hash(&id)));
        if known {
            return;
        }
        let id = seen.first(IDS).unwrap_or_default();
        if event_type.ends_with("_FILLED") || event_type.ends_with("_FILL") {
            self.fault(
                "orphan fill",
                place,
                &id,
                &format!("{event_type} of an order that nobody placed here"),
            );
        } else if ENDS.contains(&event_type) {
            let words = format!("{event_type} of an attempt that never began");
            self.fault("end without a begin", place, &id, &words);
        }
    }

    pub(crate) fn fault(&mut self, kind: &'static str, place: Place, id: &str, text: &str) {
        if self.faults.len() >= MOST_FAULTS {
            self.faults_left_out += 1;
            return;
        }
        let Place { run, seq, at } = place;
        self.faults.push(Fault { kind, at, run, seq, id: id.to_owned(), text: text.to_owned() });
    }

    /// Those that may be live, oldest first.
    pub(crate) fn live(&self) -> Vec<&Order> {
        let mut all: Vec<_> = self
            .orders
            .values()
            .filter(|order| order.state.may_be_live() || !order.unknown_attempts.is_empty())
            .collect();
        all.sort_by_key(|order| (order.first_at, order.seq));
        all
    }
}

/// What a part in a million is: how floats were added up, not a quantity.
const TINY: f64 = 1e-6;
const IDS: &[&str] = &["intent_id", "client_order_id", "order_id"];

/// Where a line stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    pub(crate) run: usize,
    pub(crate) seq: u64,
    pub(crate) at: i64,
}

impl Order {
    fn new(intent: &str, place: Place) -> Self {
        let none = String::new;
        Self {
            intent: intent.to_owned(),
            decision: none(),
            symbol: none(),
            side: none(),
            qty: none(),
            limit: none(),
            venue: none(),
            client_order: none(),
            order: none(),
            attempts: 0,
            state: State::Pending,
            unknown_attempts: Vec::new(),
            filled: 0.0,
            cost: 0.0,
            fills: 0,
            fees: 0.0,
            first_at: place.at,
            last_at: place.at,
            seq: place.seq,
            run: place.run,
            reason: none(),
            cum_qty: 0.0,
            executions: HashSet::new(),
            open: Vec::new(),
            last_attempt: 0,
        }
    }

    /// Attempts that have begun and have no end.
    pub(crate) fn open_attempts(&self) -> &[String] {
        &self.open
    }

    /// The number of its newest attempt.
    pub(crate) fn attempt(&self) -> u64 {
        self.attempts.max(self.last_attempt)
    }

    /// The average price of its fills, with as many digits as prices here have.
    pub(crate) fn average(&self) -> Option<f64> {
        (self.filled > 0.0 && self.cost != 0.0).then(|| self.cost / self.filled)
    }
}

/// The state that `order_state` of ORDER_CLOSED names.
fn closed_as(said: &str) -> State {
    match said {
        "filled" => State::Filled,
        "cancelled" => State::Cancelled,
        "expired" => State::Expired,
        "rejected" => State::Rejected,
        _ => State::Closed,
    }
}

fn add(counts: &mut HashMap<&'static str, u64>, name: &'static str) {
    *counts.entry(name).or_default() += 1;
}

/// Tells finished intents apart in eight bytes each.
fn hash(text: &str) -> u64 {
    use std::hash::{Hash as _, Hasher as _};
    let mut hasher = std::hash::DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}
