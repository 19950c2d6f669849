use tapelog::event;
use tapelog::events::*;

struct Order {
    symbol: String,
    qty: f64,
    px: f64,
}

fn place(order: &mut Order) {
    event!(BUY_BLOCKED, order.symbol, order.qty, order.px, limit = order.pxx);
}

fn main() {
    place(&mut Order { symbol: String::new(), qty: 1.0, px: 1.0 });
}
