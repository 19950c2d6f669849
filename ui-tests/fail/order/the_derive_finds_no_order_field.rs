use tapelog::OrderContext;

#[derive(OrderContext)]
struct Order {
    price: f64,
}

#[derive(OrderContext)]
struct Tuple(f64);

fn main() {
    let _ = (Order { price: 1.0 }.price, Tuple(1.0).0);
}
