#[::core::prelude::v1::test]
fn it_trades() {
    let captured = ::tapelog::__private::captured(move || -> () {
        trade();
    });
    let ended = ::tapelog::__private::outcome::Of(&captured.result).read();
    ::tapelog::__private::show_if_failed(&captured, &ended);
    captured.result
}
