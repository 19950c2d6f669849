//! A body of one line keeps its braces, and nothing tells the user that it does not need them: a strict crate stays
//! one (issue 3, point 4).
#![deny(warnings)]

use tapelog::{decision, log_performance};

#[rustfmt::skip]
mod one_line {
    use super::{decision, log_performance};

    #[decision(fields(symbol))]
    pub fn wide(symbol: &str, spread_bps: f64) -> bool { symbol.len() > 3 && spread_bps > 1.0 }

    #[log_performance]
    pub fn len(symbol: &str) -> usize { symbol.len() }

    #[decision(fields(symbol))]
    #[log_performance]
    pub fn checked(symbol: &str) -> Result<usize, String> { Ok(symbol.len()) }

    #[decision]
    pub fn moved(mut count: usize) -> Option<usize> { { count += 1; } Some(count) }

    #[decision]
    pub async fn awaited(symbol: &str) -> usize { symbol.len() }

    #[log_performance]
    pub async fn chosen(symbol: &str) -> usize { if symbol.len() > 3 { 1 } else { 2 } }
}

fn main() {
    assert!(one_line::wide("BTCUSDT", 2.0));
    assert_eq!((one_line::len("ETH"), one_line::checked("ETH"), one_line::moved(1)), (3, Ok(3), Some(2)));
    drop((one_line::awaited("ETH"), one_line::chosen("ETH")));
}
