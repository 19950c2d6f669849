use tapelog::event;
use tapelog::events::*;

fn main() {
    event!(OrderFilled { order_id: "o", symbol: "BTC/USDT", fill_qty: 1.0, .. });
}
