use tapelog::order_attempt;

fn main() {
    let attempt = order_attempt!(intent_id = 1, symbol = "s", side = "buy", tif = none, prise = 3);
    let _ = attempt;
}
