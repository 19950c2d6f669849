fn place(order: Order) -> Status {
    #[allow(unused_imports)]
    use decision as _;
    #[allow(unused_imports)]
    use log_performance as _;
    static __TAPELOG_DECISION: ::tapelog::__private::Decision = ::tapelog::__private::Decision::new(
        "place",
        ::tapelog::__private::module_path!(),
    );
    let decision = ::tapelog::__private::decide(&__TAPELOG_DECISION, ());
    static __TAPELOG_PERFORMANCE: ::tapelog::__private::Measured = ::tapelog::__private::Measured::new(
        "place\norder",
        ::tapelog::__private::module_path!(),
    );
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
            ::tapelog::__private::Field::recorded("limit_px"),
            ::tapelog::__private::Field::recorded("quote_budget"),
            ::tapelog::__private::Field::recorded("notional"),
            ::tapelog::__private::Field::recorded("tif"),
            ::tapelog::__private::Field::recorded("slippage_bps"),
            ::tapelog::__private::Field::recorded("min_notional"),
            ::tapelog::__private::Field::recorded("max_retries"),
            ::tapelog::__private::Field::recorded("retry_backoff_ms"),
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
    let timer = ::tapelog::__private::measure(&__TAPELOG_PERFORMANCE, (&order,));
    if attempt.starts() {
        use ::tapelog::__private::order::peel::*;
        let defaults = ::tapelog::__private::order::Of(&order);
        let defaults = (&defaults).peel();
        attempt
            .context(
                &(
                    ::tapelog::__private::field(
                        &::tapelog::__private::order::HasIntentId::intent_id(defaults),
                    ),
                    ::tapelog::__private::field(
                        &::tapelog::__private::order::HasSymbol::symbol(defaults),
                    ),
                    ::tapelog::__private::field(
                        &::tapelog::__private::order::HasSide::side(defaults),
                    ),
                ),
                &(
                    ::tapelog::__private::field(
                        &::tapelog::__private::order::HasQty::qty(defaults),
                    ),
                    ::tapelog::__private::field(
                        &::tapelog::__private::order::HasLimitPx::limit_px(defaults),
                    ),
                    ::tapelog::__private::field(
                        &::tapelog::__private::order::HasQuoteBudget::quote_budget(
                            defaults,
                        ),
                    ),
                    ::tapelog::__private::field(
                        &::tapelog::__private::order::HasNotional::notional(defaults),
                    ),
                    ::tapelog::__private::field(
                        &::tapelog::__private::order::HasTif::tif(defaults),
                    ),
                    ::tapelog::__private::field(
                        &::tapelog::__private::order::HasSlippageBps::slippage_bps(
                            defaults,
                        ),
                    ),
                    ::tapelog::__private::field(
                        &::tapelog::__private::order::HasMinNotional::min_notional(
                            defaults,
                        ),
                    ),
                    ::tapelog::__private::field(
                        &::tapelog::__private::order::HasMaxRetries::max_retries(
                            defaults,
                        ),
                    ),
                    ::tapelog::__private::field(
                        &::tapelog::__private::order::HasRetryBackoffMs::retry_backoff_ms(
                            defaults,
                        ),
                    ),
                ),
                ::tapelog::__private::order::Counted,
                &(),
            );
    }
    let result = ::tapelog::__private::call(
        #[inline(always)]
        || -> Status { send(order) },
    );
    let ended = ::tapelog::__private::Of(&result).read();
    if attempt.is_open() {
        attempt.close(::tapelog::__private::order::said(&result, said), &ended, &());
    }
    ::tapelog::__private::outcome::close(timer, &ended);
    ::tapelog::__private::outcome::close(decision, &ended);
    result
}
