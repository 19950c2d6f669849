//! The signal: momentum of the microprice and the flow of trades, over one window.
//!
//! Invariant: a signal fires when its score rises past the threshold, and again only after it fell below half of it.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use tapelog::Value;

use crate::config::SignalConfig;
use crate::market::{MarketTime, Quote};

/// What a signal is made of.
#[derive(Clone, Copy, Debug, PartialEq, Value)]
pub(crate) struct Score {
    /// The move of the microprice over the window.
    pub(crate) momentum_bps: f64,
    /// From -1, only sellers took, to 1, only buyers.
    pub(crate) flow: f64,
    pub(crate) score_bps: f64,
}

/// The signal of one symbol.
#[derive(Clone, Debug)]
pub(crate) struct Signal {
    microprices: VecDeque<(MarketTime, f64)>,
    /// What was traded, negative where the seller took.
    flow: VecDeque<(MarketTime, f64)>,
    fired: bool,
}

impl Signal {
    pub(crate) const fn new() -> Self {
        Self { microprices: VecDeque::new(), flow: VecDeque::new(), fired: false }
    }

    pub(crate) fn on_trade(&mut self, at: MarketTime, notional: f64, buyer: bool) {
        self.flow.push_back((at, if buyer { notional } else { -notional }));
    }

    /// Takes the quote in; says the score if it fires by it.
    ///
    /// # Errors
    /// [`SignalError::ThinWindow`] when it would fire on too few quotes.
    pub(crate) fn on_quote(
        &mut self,
        at: MarketTime,
        quote: &Quote,
        config: &SignalConfig,
    ) -> Result<Option<Score>, SignalError> {
        if quote.bid_px >= quote.ask_px {
            return Err(SignalError::Crossed { bid_px: quote.bid_px, ask_px: quote.ask_px });
        }
        self.microprices.push_back((at, quote.microprice()));
        self.forget(at, Duration::from_millis(config.window_ms));
        let score = self.score(config);
        if score.score_bps < config.threshold_bps / 2.0 {
            self.fired = false;
        }
        if self.fired || score.score_bps < config.threshold_bps {
            return Ok(None);
        }
        self.fired = true;
        let samples = self.microprices.len();
        if samples < config.min_samples {
            return Err(SignalError::ThinWindow { samples, needed: config.min_samples });
        }
        Ok(Some(score))
    }

    fn forget(&mut self, now: MarketTime, window: Duration) {
        for old in [&mut self.microprices, &mut self.flow] {
            while old.front().is_some_and(|(at, _)| now.since(*at) > window) {
                old.pop_front();
            }
        }
    }

    fn score(&self, config: &SignalConfig) -> Score {
        let (first, last) = match (self.microprices.front(), self.microprices.back()) {
            (Some((_, first)), Some((_, last))) => (*first, *last),
            _ => (1.0, 1.0),
        };
        let momentum_bps = (last - first) / first * 1e4;
        let total: f64 = self.flow.iter().map(|(_, notional)| notional.abs()).sum();
        let signed: f64 = self.flow.iter().map(|(_, notional)| notional).sum();
        let flow = if total > 0.0 { signed / total } else { 0.0 };
        Score { momentum_bps, flow, score_bps: momentum_bps + flow * config.flow_weight_bps }
    }
}

/// Why a signal could not be evaluated.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum SignalError {
    Crossed { bid_px: f64, ask_px: f64 },
    ThinWindow { samples: usize, needed: usize },
}

impl fmt::Display for SignalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crossed { bid_px, ask_px } => write!(f, "the quote is crossed: bid {bid_px}, ask {ask_px}"),
            Self::ThinWindow { samples, needed } => {
                write!(f, "a signal on {samples} quotes in the window, {needed} are needed")
            }
        }
    }
}

impl std::error::Error for SignalError {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn quote(px: f64) -> Quote {
        Quote { bid_px: px, bid_qty: 1.0, ask_px: px + 0.001, ask_qty: 1.0 }
    }

    #[test]
    fn a_rise_fires_once_until_it_is_over() {
        let config = Config::default().signal;
        let mut signal = Signal::new();
        let mut fired = Vec::new();
        for (ms, px) in [
            (0, 100.0),
            (10, 100.0),
            (20, 100.0),
            (30, 100.0),
            (40, 100.1),
            (50, 100.2),
            (60, 100.0),
            (70, 100.1),
        ] {
            let at = MarketTime(ms * 1_000_000);
            fired.push(signal.on_quote(at, &quote(px), &config).unwrap().is_some());
        }
        assert_eq!(fired, [false, false, false, false, true, false, false, true]);
    }

    #[test]
    fn a_rise_on_two_quotes_is_an_error() {
        let config = Config::default().signal;
        let mut signal = Signal::new();
        signal.on_quote(MarketTime(0), &quote(100.0), &config).unwrap();
        let wrong = signal.on_quote(MarketTime(1), &quote(101.0), &config).unwrap_err();
        assert_eq!(wrong, SignalError::ThinWindow { samples: 2, needed: config.min_samples });
    }
}
