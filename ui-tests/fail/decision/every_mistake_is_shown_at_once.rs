use tapelog::{decision, log_performance, order_context};

#[decision(knd = "buy", fields(level = 1, a, a), kind)]
#[log_performance(slower_than = "soon", evry = 3)]
#[order_context(qty = none, symbol = "BTC/USDT")]
fn place(a: u32, quantity: f64, intent_id: &str) -> Result<(), String> {
    let _ = (a, quantity, intent_id);
    Ok(())
}

fn main() {
    // The function is there all the same: no error says that it is not.
    place(1, 2.0, "x").ok();
}
