/// A hedge.
#[derive(tapelog::Event)]
#[event(name = "HedgePlaced", stream = ordres, level = "info", category = trading, message = "{qyt} {symbol:?}", colour = "red")]
struct HedgePlaced<'a, T> {
    #[event(renam = "x")]
    symbol: &'a str,
    #[event(display, debug)]
    why: T,
    #[event(null)]
    qty: f64,
    seq: u64,
}

/// Another.
#[derive(tapelog::Event)]
#[event(of = tapelog::events::ORDER_FILLED, level = info, constants(a = 1, b = f()))]
struct Twice {
    #[event(rename = "a")]
    x: u8,
}

/// Not a struct with names.
#[derive(tapelog::Event)]
#[event(stream = risk, level = info, category = risk)]
struct Tuple(f64);

/// Not a struct.
#[derive(tapelog::Event)]
#[event(stream = risk, level = info, category = risk)]
enum Either {
    A,
}

fn main() {}
