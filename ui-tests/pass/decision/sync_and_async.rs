use tapelog::decision;

#[decision]
fn sync(a: u32) -> Result<u32, String> {
    Ok(a)
}

#[decision(kind = "buy", fields(a, b = a + 1, c = %a, d = ?a, e = "text", f = -1.5))]
async fn asynchronous(a: u32) -> Result<u32, String> {
    Ok(a)
}

fn main() {
    assert_eq!(sync(1), Ok(1));
    drop(asynchronous(1));
}
