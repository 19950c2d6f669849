//! The market: what happened, in the order in which it was received, and what the quote was at any time.
//!
//! Invariant: ticks are sorted by the time of receipt, so that a replay is the same on every machine.

use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use flate2::read::GzDecoder;
use serde::Serialize;
use tapelog::Value;

/// Instruments of the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Value, Serialize)]
pub(crate) enum Symbol {
    #[value(rename = "BTC/USDT")]
    Btc,
    #[value(rename = "ETH/USDT")]
    Eth,
    #[value(rename = "SOL/USDT")]
    Sol,
}

impl Symbol {
    pub(crate) const ALL: [Self; 3] = [Self::Btc, Self::Eth, Self::Sol];

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Btc => "BTC/USDT",
            Self::Eth => "ETH/USDT",
            Self::Sol => "SOL/USDT",
        }
    }

    /// The place in arrays that hold one thing for each symbol.
    pub(crate) const fn index(self) -> usize {
        self as usize
    }

    /// The smallest quantity that an order may differ by.
    pub(crate) const fn lot(self) -> f64 {
        match self {
            Self::Btc => 0.00001,
            Self::Eth => 0.0001,
            Self::Sol => 0.001,
        }
    }
}

impl fmt::Display for Symbol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// Nanoseconds since 1970 on the market's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MarketTime(pub(crate) u64);

impl MarketTime {
    pub(crate) fn after(self, delay: Duration) -> Self {
        Self(self.0 + delay.as_nanos() as u64)
    }

    /// How long after `earlier` this is; zero when it is before.
    pub(crate) fn since(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }

    /// As a field of an event: RFC 3339.
    pub(crate) fn wall(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_nanos(self.0)
    }
}

/// The best bid and ask.
#[derive(Clone, Copy, Debug, PartialEq, Value)]
pub(crate) struct Quote {
    pub(crate) bid_px: f64,
    pub(crate) bid_qty: f64,
    pub(crate) ask_px: f64,
    pub(crate) ask_qty: f64,
}

impl Quote {
    pub(crate) fn mid(&self) -> f64 {
        f64::midpoint(self.bid_px, self.ask_px)
    }

    /// The mid, weighted towards the side that is about to be used up.
    pub(crate) fn microprice(&self) -> f64 {
        let qty = self.bid_qty + self.ask_qty;
        if qty > 0.0 { (self.bid_px * self.ask_qty + self.ask_px * self.bid_qty) / qty } else { self.mid() }
    }

    pub(crate) fn spread_bps(&self) -> f64 {
        (self.ask_px - self.bid_px) / self.mid() * 1e4
    }
}

/// What a tick says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum What {
    Quote(Quote),
    /// `buyer` took, else the seller did.
    Trade {
        px: f64,
        qty: f64,
        buyer: bool,
    },
}

/// One line of the recording.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tick {
    pub(crate) at: MarketTime,
    /// When the exchange made it.
    pub(crate) made: MarketTime,
    pub(crate) symbol: Symbol,
    pub(crate) what: What,
}

/// The whole recording.
#[derive(Debug)]
pub(crate) struct Market {
    pub(crate) ticks: Vec<Tick>,
    /// For each symbol, when which quote began.
    quotes: [Vec<(MarketTime, Quote)>; 3],
}

impl Market {
    /// The recording that stands beside the sources.
    pub(crate) fn path() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("data/binance_spot_2025-03-25_btc_eth_sol.csv.gz")
    }

    pub(crate) fn load(path: &Path) -> Result<Self, MarketError> {
        let unreadable = |source| MarketError::Unreadable { path: path.to_owned(), source };
        let file = std::fs::File::open(path).map_err(unreadable)?;
        let mut text = String::new();
        GzDecoder::new(file).read_to_string(&mut text).map_err(unreadable)?;
        let lines = text.lines().enumerate().skip(1);
        let ticks: Result<Vec<Tick>, MarketError> = lines
            .map(|(at, line)| tick(line).map_err(|wrong| MarketError::Line { number: at + 1, wrong }))
            .collect();
        Ok(Self::new(ticks?))
    }

    pub(crate) fn new(mut ticks: Vec<Tick>) -> Self {
        // Stable: what was received in the same nanosecond stays in the order of the file.
        ticks.sort_by_key(|tick| tick.at);
        let mut quotes = [const { Vec::new() }; 3];
        for tick in &ticks {
            if let What::Quote(quote) = tick.what {
                quotes[tick.symbol.index()].push((tick.at, quote));
            }
        }
        Self { ticks, quotes }
    }

    /// The quote of `symbol` at `at`: what an order finds that arrives then.
    pub(crate) fn quote_at(&self, symbol: Symbol, at: MarketTime) -> Option<Quote> {
        let quotes = &self.quotes[symbol.index()];
        let later = quotes.partition_point(|(from, _)| *from <= at);
        Some(quotes.get(later.checked_sub(1)?)?.1)
    }
}

/// Why there is no market.
#[derive(Debug)]
pub(crate) enum MarketError {
    Unreadable { path: PathBuf, source: std::io::Error },
    Line { number: usize, wrong: String },
}

impl fmt::Display for MarketError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable { path, source } => write!(
                f,
                "cannot read the market data `{}`: {source}; run from a checkout, which has it in `examples/data`",
                path.display()
            ),
            Self::Line { number, wrong } => write!(f, "line {number} of the market data: {wrong}"),
        }
    }
}

impl std::error::Error for MarketError {}

/// `time_exchange,time_received,symbol,kind,bid_px,bid_qty,ask_px,ask_qty,trade_px,trade_qty,trade_side,trade_id`
fn tick(line: &str) -> Result<Tick, String> {
    let cells: Vec<&str> = line.split(',').collect();
    let [made, at, symbol, kind, bid_px, bid_qty, ask_px, ask_qty, px, qty, side, _id] = cells[..] else {
        return Err(format!("{} columns; expected 12", cells.len()));
    };
    let symbol = Symbol::ALL.into_iter().find(|known| known.as_str() == symbol);
    let what = match kind {
        "quote" => What::Quote(Quote {
            bid_px: number(bid_px)?,
            bid_qty: number(bid_qty)?,
            ask_px: number(ask_px)?,
            ask_qty: number(ask_qty)?,
        }),
        "trade" => What::Trade { px: number(px)?, qty: number(qty)?, buyer: side == "buy" },
        _ => return Err(format!("kind `{kind}`; expected `quote` or `trade`")),
    };
    Ok(Tick {
        at: time(at).ok_or_else(|| format!("`{at}` is not a time"))?,
        made: time(made).ok_or_else(|| format!("`{made}` is not a time"))?,
        symbol: symbol.ok_or("unknown symbol")?,
        what,
    })
}

fn number(text: &str) -> Result<f64, String> {
    text.parse().map_err(|_| format!("`{text}` is not a number"))
}

/// `2025-03-25T23:07:00.773684644Z`, with any number of digits of the second.
fn time(text: &str) -> Option<MarketTime> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-')?;
    let (clock, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let [hour, minute, second] = numbers(clock, ':')?;
    // Days since 1970, counted from March so that the leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    let nanos: u64 = format!("{fraction:0<9.9}").parse().ok()?;
    Some(MarketTime((days * 86_400 + hour * 3_600 + minute * 60 + second) * 1_000_000_000 + nanos))
}

fn numbers(text: &str, between: char) -> Option<[u64; 3]> {
    let mut parts = text.split(between).map(str::parse);
    let (Ok(a), Ok(b), Ok(c)) = (parts.next()?, parts.next()?, parts.next()?) else { return None };
    parts.next().is_none().then_some([a, b, c])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recording_is_whole_and_in_order() {
        let market = Market::load(&Market::path()).unwrap();
        assert_eq!(market.ticks.len(), 50_000);
        assert_eq!(market.quotes.iter().map(Vec::len).sum::<usize>(), 38_968);
        assert!(market.ticks.is_sorted_by_key(|tick| tick.at));
        assert_eq!(market.ticks[0].at, time("2025-03-25T23:07:00.773684644Z").unwrap());
    }

    #[test]
    fn times_are_nanoseconds_since_1970() {
        for (text, nanos) in [
            ("1970-01-01T00:00:00Z", 0),
            ("2025-03-25T23:07:00.5Z", 1_742_944_020_500_000_000),
            ("2024-02-29T00:00:00.000000001Z", 1_709_164_800_000_000_001),
        ] {
            assert_eq!(time(text), Some(MarketTime(nanos)), "{text}");
        }
        for text in ["", "2025-03-25", "2025-03-25T23:07:00", "2025-03-25T23:07Z", "x-03-25T23:07:00Z"] {
            assert_eq!(time(text), None, "{text}");
        }
    }

    #[test]
    fn an_order_finds_the_quote_of_its_arrival() {
        let quote = |px| Quote { bid_px: px, bid_qty: 1.0, ask_px: px, ask_qty: 1.0 };
        let tick = |at, px| Tick {
            at: MarketTime(at),
            made: MarketTime(at),
            symbol: Symbol::Btc,
            what: What::Quote(quote(px)),
        };
        let market = Market::new(vec![tick(20, 2.0), tick(10, 1.0)]);
        for (at, px) in [(9, None), (10, Some(1.0)), (19, Some(1.0)), (20, Some(2.0)), (99, Some(2.0))] {
            assert_eq!(market.quote_at(Symbol::Btc, MarketTime(at)).map(|quote| quote.bid_px), px);
        }
        assert_eq!(market.quote_at(Symbol::Eth, MarketTime(99)), None);
    }
}
