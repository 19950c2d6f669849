use tapelog::event;
use tapelog::events::*;

struct Order {
    px: f64,
}

fn main() {
    let order = Order { px: 1.0 };
    event!(BUY_BLOCKED, "{order.px}");
}
