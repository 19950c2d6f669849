use async_trait::async_trait;
use tapelog::{decision, log_performance};

#[async_trait]
trait Venue {
    async fn place(&self, qty: f64) -> Result<f64, String>;
    #[decision(kind = "default", fields(qty))]
    async fn default(&mut self, qty: f64) -> Result<f64, String> {
        Ok(qty)
    }
}

struct Simulated(f64);

#[async_trait]
impl Venue for Simulated {
    #[decision(kind = "buy", fields(qty))]
    #[log_performance(args(qty))]
    async fn place(&self, qty: f64) -> Result<f64, String> {
        tokio::task::yield_now().await;
        Ok(qty + self.0)
    }
}

#[decision]
#[tracing::instrument(err, ret)]
async fn ours_first(a: u32) -> Result<u32, String> {
    Ok(a)
}

#[tracing::instrument(err)]
#[decision]
#[log_performance]
async fn theirs_first(a: u32) -> Result<u32, String> {
    Ok(a)
}

#[tracing::instrument]
#[decision]
fn theirs_first_sync(a: u32) -> Result<u32, String> {
    Ok(a)
}

#[decision]
#[test]
fn a_test() {}

#[test]
#[log_performance]
fn another_test() -> Result<(), String> {
    Ok(())
}

#[tokio::test]
#[decision]
async fn an_async_test() {}

#[tokio::main(flavor = "current_thread")]
#[decision]
async fn main() {
    let mut venue = Simulated(1.0);
    assert_eq!(venue.place(1.0).await, Ok(2.0));
    assert_eq!(venue.default(1.0).await, Ok(1.0));
    assert_eq!(ours_first(1).await, Ok(1));
    assert_eq!(theirs_first(1).await, Ok(1));
    assert_eq!(theirs_first_sync(1), Ok(1));
}
