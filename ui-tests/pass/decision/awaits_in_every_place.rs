use std::sync::Arc;

use tapelog::{decision, event, events::BUY_BLOCKED};

#[decision(fields(a = later(1).await))]
async fn in_a_field(a: u32) -> Result<u32, String> {
    Ok(a)
}

async fn later(a: u32) -> u32 {
    a
}

#[decision]
async fn in_branches(list: Vec<Arc<u32>>) -> Result<u32, Box<dyn std::error::Error + Send + Sync>> {
    let mut sum = 0_u32;
    for item in &list {
        let Some(rest) = sum.checked_add(later(**item).await) else { continue };
        event!(BUY_BLOCKED, rest);
        sum = match later(rest).await {
            0 => return Ok(0),
            other => other,
        };
    }
    let (a, b) = (later(1).await, async { later(2).await }.await);
    Ok(sum + a + b)
}

fn is_send<T: Send>(_: &T) {}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let future = in_branches(vec![Arc::new(1)]);
    is_send(&future);
    assert_eq!(future.await.unwrap(), 4);
    assert_eq!(in_a_field(1).await, Ok(1));
}
