//! What one record costs the thread that makes it, measured here and now.

use std::time::{Duration, Instant};

use tapelog::event;

use crate::events::CALIBRATION;
use crate::market::Symbol;

const BURSTS: usize = 10;
/// Far less than a ring holds, so that a burst measures recording and never waits for the drain.
const BURST: u32 = 100;

/// Nanoseconds of one record with eight fields: the median of the bursts' means.
pub(crate) fn record_ns() -> f64 {
    let mut means: Vec<f64> = (0..=BURSTS).map(|_| burst()).collect();
    // The first burst registers the site and is no measure of the others.
    means.remove(0);
    means.sort_by(f64::total_cmp);
    means[BURSTS / 2]
}

fn burst() -> f64 {
    let symbol = Symbol::Btc;
    let started = Instant::now();
    for number in 0..BURST {
        let px = 87_232.0 + f64::from(number);
        event!(
            CALIBRATION,
            number,
            symbol,
            side = "buy",
            px,
            qty = 0.034,
            spread_bps = px / 1e7,
            momentum_bps = 0.7,
            venue = "binance_sim",
        );
    }
    let mean = started.elapsed().as_secs_f64() * 1e9 / f64::from(BURST);
    // The drain takes the burst out before the next.
    std::thread::sleep(Duration::from_millis(2));
    mean
}
