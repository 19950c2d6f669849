//! A simulated venue: latency, partial fills, rejects, connections that break, acknowledgements that get lost.
//!
//! Invariant: what happens to an order depends on the seed, its side, its number and the attempt, and on the quote that
//! it finds; never on the clock of this machine. A fault that every run must show happens to a certain order.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tapelog::log_performance;

use crate::config::Config;
use crate::market::{Market, MarketTime};
use crate::orders::{Fill, Order, Side};

/// No report of an order comes sooner, in market time. The strategy relies on it to replay exactly.
pub(crate) const LEAST_LATENCY: Duration = Duration::from_millis(5);

/// What the venue says of an order that arrived.
#[derive(Clone, Debug)]
pub(crate) struct Ack {
    pub(crate) order_id: String,
    /// Nothing when the price had moved past the limit.
    pub(crate) fill: Option<Fill>,
    /// In market time, until the acknowledgement was here.
    pub(crate) took: Duration,
}

/// Why there is no acknowledgement.
#[derive(Clone, Debug)]
pub(crate) enum VenueError {
    /// Nothing left this process.
    NotSent { reason: &'static str, took: Duration },
    /// The venue refused the order.
    Rejected { code: i64, reason: &'static str, took: Duration },
    /// It was sent, and nothing came back: the order may live.
    Timeout { took: Duration },
}

impl VenueError {
    pub(crate) fn took(&self) -> Duration {
        match self {
            Self::NotSent { took, .. } | Self::Rejected { took, .. } | Self::Timeout { took } => *took,
        }
    }
}

impl fmt::Display for VenueError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotSent { reason, .. } => write!(f, "not sent: {reason}"),
            Self::Rejected { code, reason, .. } => write!(f, "rejected with {code}: {reason}"),
            Self::Timeout { took } => write!(f, "no answer within {} ms", took.as_millis()),
        }
    }
}

impl std::error::Error for VenueError {}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    NotSent,
    Rejected,
    /// The order is executed, and the venue's answer never comes.
    LostAck,
    /// The order never comes to the venue.
    LostOrder,
}

/// Turns market time into time that is really waited.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// As `--speed`.
    pub(crate) speed: f64,
}

impl Pace {
    /// As fast as it goes still waits a tenth, so that orders really are under way at the same time.
    const FASTEST: f64 = 10.0;

    pub(crate) fn wall(self, market: Duration) -> Duration {
        market.div_f64(if self.speed > 0.0 { self.speed } else { Self::FASTEST })
    }

    pub(crate) async fn pass(self, market: Duration) {
        tokio::time::sleep(self.wall(market)).await;
    }
}

/// The venue.
#[derive(Debug)]
pub(crate) struct Venue {
    market: Arc<Market>,
    seed: u64,
    fee_bps: f64,
    ack_timeout: Duration,
    pace: Pace,
    /// Orders whose acknowledgement got lost, for whoever asks.
    unheard: Mutex<HashMap<(Side, u64), Ack>>,
}

impl Venue {
    pub(crate) fn new(market: Arc<Market>, config: &Config) -> Self {
        Self {
            market,
            seed: config.seed,
            fee_bps: config.venue.fee_bps,
            ack_timeout: Duration::from_millis(config.venue.ack_timeout_ms),
            pace: Pace { speed: config.speed },
            unheard: Mutex::default(),
        }
    }

    /// Sends an order at `at` and waits for what the venue says.
    ///
    /// # Errors
    /// See [`VenueError`]; each says what is known of the order.
    #[log_performance(operation = "venue_submit", args(symbol = order.symbol), slower_than = "10ms", every = 10)]
    pub(crate) async fn submit(
        &self,
        order: &Order,
        attempt: u32,
        at: MarketTime,
    ) -> Result<Ack, VenueError> {
        let mut dice = Dice::new(self.seed, order, attempt);
        let took = Duration::from_micros(8_000 + dice.below(40_000));
        match fault(order, attempt, &mut dice) {
            None => {
                let ack = self.execute(order, at.after(took / 2), took, &mut dice);
                self.pace.pass(took).await;
                Ok(ack)
            }
            Some(Fault::NotSent) => {
                self.pace.pass(LEAST_LATENCY).await;
                Err(VenueError::NotSent {
                    reason: "the connection was reset before the request was written",
                    took: LEAST_LATENCY,
                })
            }
            Some(Fault::Rejected) => {
                self.pace.pass(took).await;
                Err(VenueError::Rejected { code: -2010, reason: "account has insufficient balance", took })
            }
            Some(lost) => {
                if lost == Fault::LostAck {
                    let ack = self.execute(order, at.after(took / 2), self.ack_timeout, &mut dice);
                    self.unheard().insert((order.side, order.number), ack);
                }
                self.pace.pass(self.ack_timeout).await;
                Err(VenueError::Timeout { took: self.ack_timeout })
            }
        }
    }

    /// What became of an order that was not acknowledged; nothing when it never arrived.
    pub(crate) async fn query(&self, order: &Order) -> Option<Ack> {
        self.pace.pass(LEAST_LATENCY).await;
        self.unheard().remove(&(order.side, order.number))
    }

    fn unheard(&self) -> std::sync::MutexGuard<'_, HashMap<(Side, u64), Ack>> {
        self.unheard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Matches an order against the quote that it finds when it arrives.
    fn execute(&self, order: &Order, arrives: MarketTime, took: Duration, dice: &mut Dice) -> Ack {
        let order_id = format!("{}{:06}", if order.side == Side::Buy { "B" } else { "S" }, order.number);
        let quote = self.market.quote_at(order.symbol, arrives);
        let found = quote.and_then(|quote| match order.side {
            Side::Buy if quote.ask_px <= order.limit_px => Some((quote.ask_px, quote.ask_qty)),
            Side::Sell if quote.bid_px >= order.limit_px => Some((quote.bid_px, quote.bid_qty)),
            _ => None,
        });
        let fill = found.and_then(|(px, there)| {
            // One in five finds that somebody else was first at a part of it.
            let there = if dice.below(5) == 0 { there.min(order.qty) * 0.4 } else { there };
            let qty = whole_lots(order.qty.min(there), order.symbol.lot());
            (qty > 0.0).then(|| Fill { qty, px, fee: qty * px * self.fee_bps / 1e4 })
        });
        Ack { order_id, fill, took }
    }
}

/// As many lots as are in `qty`, with no more digits than a lot has.
pub(crate) fn whole_lots(qty: f64, lot: f64) -> f64 {
    // A lot is a power of ten below one; the division rounds to the nearest double of the decimal number.
    let per_unit = (1.0 / lot).round();
    (qty * per_unit + 1e-6).floor() / per_unit
}

fn fault(order: &Order, attempt: u32, dice: &mut Dice) -> Option<Fault> {
    match (order.side, order.number, attempt) {
        (Side::Buy, 2, 1 | 2) => return Some(Fault::NotSent),
        (Side::Buy, 4, _) => return Some(Fault::NotSent),
        (Side::Buy, 6, 1) => return Some(Fault::Rejected),
        (Side::Buy, 8, 1) => return Some(Fault::LostAck),
        (Side::Buy, 10, 1) => return Some(Fault::LostOrder),
        // What shows how a fault is survived must not meet another.
        (Side::Buy, 2 | 10, _) => return None,
        _ => {}
    }
    match dice.below(100) {
        0..6 => Some(Fault::NotSent),
        6..9 => Some(Fault::Rejected),
        9..11 => Some(Fault::LostAck),
        11..13 => Some(Fault::LostOrder),
        _ => None,
    }
}

/// Chance of one attempt.
#[derive(Debug)]
struct Dice(u64);

impl Dice {
    fn new(seed: u64, order: &Order, attempt: u32) -> Self {
        let side = u64::from(order.side == Side::Sell);
        let mut dice = Self(seed ^ (order.number << 9) ^ (u64::from(attempt) << 1) ^ side);
        dice.next();
        dice
    }

    /// The next of SplitMix64 (Steele, Lea, Flood 2014).
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut x = self.0;
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^ (x >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_are_whole_lots_with_few_digits() {
        for (qty, lot, lots) in
            [(0.034391, 0.00001, 0.03439), (1.0, 0.001, 1.0), (0.3, 0.1, 0.3), (0.0009, 0.001, 0.0)]
        {
            assert_eq!(whole_lots(qty, lot), lots);
        }
    }
}
