use std::time::{Duration, Instant, SystemTime};

use tapelog::{Observed, Value, decision};

#[derive(Value)]
struct Quote {
    px: f64,
    #[value(skip)]
    received: Instant,
}

impl Observed for Quote {
    fn age(&self) -> Duration {
        self.received.elapsed()
    }
}

#[decision(inputs(
    quote,
    px = quote.px,
    a = 1.0 => Instant::now(),
    b = 1.0 => SystemTime::now(),
    c = 1.0 => Duration::from_millis(3),
    d = 1.0 => quote.received,
))]
fn evaluate(quote: &Quote) -> Result<(), String> {
    let _ = quote;
    Ok(())
}

fn main() {
    evaluate(&Quote { px: 1.0, received: Instant::now() }).unwrap();
}
