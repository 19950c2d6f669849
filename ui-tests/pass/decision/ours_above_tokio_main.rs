use tapelog::decision;

#[decision]
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), std::io::Error> {
    tokio::task::yield_now().await;
    Ok(())
}
