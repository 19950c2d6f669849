use tapelog::Value;

#[derive(Value)]
enum Side {
    Buy,
    #[value(rename = "buy")]
    Long,
}

#[derive(Value)]
struct Quote {
    px: f64,
    #[value(rename = "px")]
    price: f64,
}

fn main() {
    let _ = (Side::Buy, Side::Long, Quote { px: 1.0, price: 1.0 });
}
