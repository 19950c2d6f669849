::core::compile_error! {
    "`#[tapelog::test]` has no arguments; write them on `#[tokio::test]` below it"
}
::core::compile_error! {
    "nobody runs an async test; write `#[tokio::test]` below `#[tapelog::test]`"
}
async fn it_trades() {}
