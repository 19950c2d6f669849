#[tokio::test]
async fn it_trades() -> Result<(), Error> {
    let captured = ::tapelog::__private::captured_async(async move {
            let result: Result<(), Error> = { trade().await };
            result
        })
        .await;
    let ended = ::tapelog::__private::outcome::Of(&captured.result).read();
    ::tapelog::__private::show_if_failed(&captured, &ended);
    captured.result
}
