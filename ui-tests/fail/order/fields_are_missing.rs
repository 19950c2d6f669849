use tapelog::order_context;

#[order_context]
fn place() -> Result<(), String> {
    Ok(())
}

fn main() {
    place().ok();
}
