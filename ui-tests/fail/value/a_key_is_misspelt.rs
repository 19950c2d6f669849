use tapelog::Value;

#[derive(Value)]
#[value(renam_all = "snake_case")]
enum Side {
    #[value(renme = "b")]
    Buy,
    #[value(skip)]
    Sell,
}

#[derive(Value)]
#[value(rename_all = "snake_case")]
struct Quote {
    #[value(skipp)]
    px: f64,
    #[value(rename = "x", rename = "y")]
    qty: f64,
}

#[derive(Value)]
#[value("snake_case")]
enum Tif {
    #[value("IOC")]
    ImmediateOrCancel,
}

fn main() {
    let _ = (Tif::ImmediateOrCancel, Side::Buy, Side::Sell, Quote { px: 1.0, qty: 1.0 });
}
