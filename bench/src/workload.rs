//! What is recorded: one order with fourteen fields and a decision (W1), one decision of a guard (W2).
//!
//! Invariant: every contestant gets the same values, built before the clock starts. `attempt_start_ts` is among them,
//! so that no peer has to read a clock for it.

use std::hint::black_box;

/// One attempt to place an order.
#[derive(Clone, Debug)]
pub struct Order {
    /// `dec_YYYYMMDD_HHMMSS_xxxxxxxxxx`.
    pub decision_id: String,
    /// The wish that this attempt serves.
    pub intent_id: String,
    /// For example `BTC/USDT`.
    pub symbol: String,
    /// `buy` or `sell`.
    pub side: &'static str,
    /// How much.
    pub qty: f64,
    /// At which price at the most.
    pub limit_px: f64,
    /// For how much of the quote currency.
    pub quote_budget: f64,
    /// `qty` times price.
    pub notional: f64,
    /// Time in force.
    pub tif: &'static str,
    /// How far the price may slip.
    pub slippage_bps: f64,
    /// Less is not traded.
    pub min_notional: f64,
    /// How many attempts.
    pub max_retries: u32,
    /// The pause between them.
    pub retry_backoff_ms: u64,
    /// Seconds since 1970.
    pub attempt_start_ts: f64,
}

impl Order {
    /// The order that all contestants record.
    pub fn sample() -> Self {
        Self {
            decision_id: "dec_20251026_123456_a1b2c3d4e5".to_owned(),
            intent_id: "int_7f3a9c21".to_owned(),
            symbol: "BTC/USDT".to_owned(),
            side: "buy",
            qty: 0.015_37,
            limit_px: 43_251.07,
            quote_budget: 1_000.0,
            notional: 664.769,
            tif: "IOC",
            slippage_bps: 5.5,
            min_notional: 10.0,
            max_retries: 3,
            retry_backoff_ms: 250,
            attempt_start_ts: 1_761_482_096.123_456,
        }
    }

    /// The bytes of such a record in our ring: what the floor copies. A header of 40, the kinds of the fourteen values in
    /// 16, each number eight bytes, each text a length of four and its bytes; all of it a multiple of eight.
    pub fn record_len(&self) -> usize {
        let texts = [self.intent_id.len(), self.symbol.len(), self.side.len(), self.tif.len()];
        let numbers = 10;
        (40 + 16 + numbers * 8 + texts.iter().map(|len| 4 + len).sum::<usize>()).next_multiple_of(8)
    }
}

/// The spread that W2's function decides upon.
pub const SPREAD_BPS: f64 = 34.5;
/// Its limit.
pub const LIMIT_BPS: f64 = 20.0;

/// What W2's function does beside telling: next to nothing.
#[inline(always)]
pub fn body(symbol: &str, spread_bps: f64) -> bool {
    black_box(!symbol.is_empty() & (spread_bps <= LIMIT_BPS))
}

/// How many calls one burst has.
pub const BURST: u32 = 1_000;
