use tapelog::OrderContext;

#[derive(OrderContext)]
enum Order {
    New,
}

fn main() {
    let _ = Order::New;
}
