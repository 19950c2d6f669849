use tapelog::order_context;

#[order_context(action = cancel)]
fn cancel(intent_id: &str, client_order_id: &str) -> Result<u32, u32> {
    let _ = (intent_id, client_order_id);
    Ok(1)
}

#[order_context(action = replace)]
fn replace(intent_id: &str, symbol: &str, orig_client_order_id: &str) -> Result<u32, u32> {
    let _ = (intent_id, symbol, orig_client_order_id);
    Ok(1)
}

fn main() {
    cancel("i", "c").ok();
    replace("i", "s", "c").ok();
}
