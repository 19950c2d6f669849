use tapelog::Value;

#[derive(Value)]
#[value(rename_all = "camelCase")]
enum Side {
    #[value(rename)]
    Buy,
    #[value(rename = "")]
    Sell,
}

fn main() {
    let _ = (Side::Buy, Side::Sell);
}
