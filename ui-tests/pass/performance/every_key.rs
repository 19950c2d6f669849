use tapelog::log_performance;

#[log_performance(operation = "sum", args(a, b = a + 1, c = %a), memory, cpu, slower_than = "1.5ms", every = 100)]
fn sum(a: u32) -> u32 {
    a
}

#[log_performance(slower_than = "250us")]
async fn asynchronous(text: String) -> Result<String, String> {
    Ok(text)
}

#[log_performance(args(text))]
fn consumes(text: String) -> usize {
    text.into_bytes().len()
}

#[log_performance(args(text))]
async fn consumes_async(text: String) -> usize {
    text.into_bytes().len()
}

fn main() {
    assert_eq!(sum(1), 1);
    assert_eq!(consumes("abc".into()), 3);
    drop(asynchronous(String::new()));
    drop(consumes_async(String::new()));
}
