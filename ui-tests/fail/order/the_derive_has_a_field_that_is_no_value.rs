use tapelog::OrderContext;

struct Symbol;

#[derive(OrderContext)]
struct Order {
    symbol: Symbol,
}

fn main() {
    let _ = Order { symbol: Symbol }.symbol;
}
