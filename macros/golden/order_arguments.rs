fn place(intent_id: &str, symbol: &str, side: Side, qty: f64) -> Result<Ack, Error> {
    static __TAPELOG_ORDER: ::tapelog::__private::order::Sites = ::tapelog::__private::order::Sites::new(
        ::tapelog::__private::Place::new(
            ::tapelog::__private::file!(),
            ::tapelog::__private::line!(),
            ::tapelog::__private::column!(),
            ::tapelog::__private::module_path!(),
            "place",
        ),
        &[
            ::tapelog::__private::Field::recorded("intent_id"),
            ::tapelog::__private::Field::recorded("symbol"),
            ::tapelog::__private::Field::recorded("side"),
            ::tapelog::__private::Field::recorded("qty"),
            ::tapelog::__private::Field::new(
                "limit_px",
                ::tapelog::__private::Source::Null,
            ),
            ::tapelog::__private::Field::new(
                "quote_budget",
                ::tapelog::__private::Source::Null,
            ),
            ::tapelog::__private::Field::new(
                "notional",
                ::tapelog::__private::Source::Null,
            ),
            ::tapelog::__private::Field::new(
                "tif",
                ::tapelog::__private::Source::Text("IOC"),
            ),
            ::tapelog::__private::Field::new(
                "slippage_bps",
                ::tapelog::__private::Source::Null,
            ),
            ::tapelog::__private::Field::new(
                "min_notional",
                ::tapelog::__private::Source::Null,
            ),
            ::tapelog::__private::Field::new(
                "max_retries",
                ::tapelog::__private::Source::Null,
            ),
            ::tapelog::__private::Field::new(
                "retry_backoff_ms",
                ::tapelog::__private::Source::Int(200i64),
            ),
            ::tapelog::__private::Field::recorded("attempt"),
            ::tapelog::__private::Field::new(
                "attempt_start_ts",
                ::tapelog::__private::Source::EpochSeconds,
            ),
        ],
        &[],
    );
    let mut attempt = ::tapelog::__private::order::Attempt::open(
        &__TAPELOG_ORDER,
        ::tapelog::__private::outcome::Outcome::Panicked,
    );
    if attempt.starts() {
        attempt
            .context(
                &(
                    ::tapelog::__private::field(&intent_id),
                    ::tapelog::__private::field(&symbol),
                    ::tapelog::__private::field(&side),
                ),
                &(::tapelog::__private::field(&qty),),
                ::tapelog::__private::order::Counted,
                &(),
            );
    }
    let result = ::tapelog::__private::call(
        #[inline(always)]
        || -> Result<Ack, Error> { send() },
    );
    let ended = {
        use ::tapelog::__private::outcome::Level as _;
        (&&&&&&::tapelog::__private::outcome::Of(&result)).read()
    };
    if attempt.is_open() {
        attempt
            .close(
                ::tapelog::__private::order::of_result(
                    &result,
                    ::tapelog::__private::order::never,
                    ::tapelog::__private::order::never,
                ),
                &ended,
                &(),
            );
    }
    result
}
