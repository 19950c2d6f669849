use tapelog::decision;

#[decision(fields = symbol, inputs = [symbol])]
fn evaluate(symbol: &str) {
    let _ = symbol;
}

fn main() {
    evaluate("BTC/USDT");
}
