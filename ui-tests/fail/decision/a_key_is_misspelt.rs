use tapelog::decision;

#[decision(knd = "buy", field(symbol), verdct = |_| "x")]
fn evaluate(symbol: &str) -> bool {
    symbol.is_empty()
}

fn main() {
    evaluate("BTC/USDT");
}
