#[::core::prelude::v1::test]
fn it_trades() {
    let captured = ::tapelog::__private::captured(move || -> () {
        trade();
    });
    let ended = {
        use ::tapelog::__private::outcome::Level as _;
        (&&&&&&::tapelog::__private::outcome::Of(&captured.result)).read()
    };
    ::tapelog::__private::show_if_failed(&captured, &ended);
    captured.result
}
