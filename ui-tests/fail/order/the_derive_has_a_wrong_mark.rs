use tapelog::OrderContext;

#[derive(OrderContext)]
#[order(notionl = 1.0)]
struct Order {
    #[order(limitpx)]
    price: f64,
    #[order(qty)]
    amount: f64,
    qty: f64,
    #[order(side, skip)]
    side: u8,
}

fn main() {
    let order = Order { price: 1.0, amount: 1.0, qty: 1.0, side: 1 };
    let _ = (order.price, order.amount, order.qty, order.side);
}
