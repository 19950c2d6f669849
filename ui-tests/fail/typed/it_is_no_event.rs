struct Hedge {
    symbol: &'static str,
}

fn main() {
    tapelog::event!(Hedge { symbol: "BTC/USDT" });
}
