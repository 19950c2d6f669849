use tapelog::order_context;

#[order_context(from = order, defaults(a, b))]
fn place(order: u32, a: u32, b: u32) -> Result<(), String> {
    let _ = (order, a, b);
    Ok(())
}

#[order_context(from = order, defaults = order)]
fn place_again(order: u32) -> Result<(), String> {
    let _ = order;
    Ok(())
}

fn main() {
    place(1, 2, 3).ok();
    place_again(1).ok();
}
