use tapelog::{decision, log_performance};

async fn plain(a: [u8; 256], b: &str) -> Result<usize, String> {
    std::future::ready(()).await;
    Ok(a.len() + b.len())
}

#[decision(kind = "buy", fields(b))]
async fn decided(a: [u8; 256], b: &str) -> Result<usize, String> {
    std::future::ready(()).await;
    Ok(a.len() + b.len())
}

#[log_performance]
async fn measured(a: [u8; 256], b: &str) -> Result<usize, String> {
    std::future::ready(()).await;
    Ok(a.len() + b.len())
}

fn is_send<T: Send>(_: &T) {}

fn main() {
    let sizes = [
        size_of_val(&plain([0; 256], "")),
        size_of_val(&decided([0; 256], "")),
        size_of_val(&measured([0; 256], "")),
    ];
    // The stated bound: the arguments once more, and 512 bytes.
    for size in &sizes[1..] {
        assert!(*size <= sizes[0] + 256 + 16 + 512, "{sizes:?}");
    }
    is_send(&decided([0; 256], ""));
    is_send(&measured([0; 256], ""));
}
