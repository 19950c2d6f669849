#![deny(warnings)]

use tapelog::{dash_event, event, events::*};

struct Order {
    px: f64,
    qty: f64,
}

fn main() {
    let symbol = "BTC/USDT";
    let px = 45_000.5;
    let order = Order { px, qty: 1.0 };
    event!(BUY_FILLED, "{symbol} @ {px:.2}");
    event!(BUY_FILLED, "message first", symbol, px);
    event!(BUY_FILLED, symbol, "in the middle {symbol}", px);
    event!(BUY_FILLED, order.px, order.qty, "{px} {qty} {{literal}}");
    event!(BUY_FILLED, value = order.px * 2.0, "{value:.1} of {symbol}",);
    event!(BUY_FILLED);
    event!(tapelog::events::BUY_FILLED, "path");
    dash_event!(BUY_FILLED, "{symbol} @ ${px}");
    dash_event!(BUY_FILLED, extra = 1, "{symbol} {extra}", more = px);
    dash_event!(BUY_FILLED);
}
