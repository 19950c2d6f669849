use tapelog::order_context;

#[order_context(each = orders, from = orders)]
fn place(orders: &[u32]) -> Result<u32, u32> {
    let _ = orders;
    Ok(1)
}

fn main() {
    place(&[1]).ok();
}
