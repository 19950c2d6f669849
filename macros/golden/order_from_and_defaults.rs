async fn place(&self, order: &Order) -> Result<Ack, Error> {
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
            ::tapelog::__private::Field::recorded("client_order_id"),
        ],
        &[::tapelog::__private::Field::recorded("order_id")],
    );
    let mut attempt = ::tapelog::__private::order::Attempt::open(
        &__TAPELOG_ORDER,
        ::tapelog::__private::outcome::Outcome::Cancelled,
    );
    if attempt.starts() {
        use ::tapelog::__private::order::peel::*;
        let from = ::tapelog::__private::order::Of(&order);
        let from = (&from).peel();
        let defaults = ::tapelog::__private::order::Of(&self.config);
        let defaults = (&defaults).peel();
        use ::tapelog::__private::order::pick::*;
        let pick = ::tapelog::__private::order::Pick(from, defaults);
        attempt.bind(&::tapelog::__private::field(&&order.client_id));
        attempt
            .context(
                &(
                    ::tapelog::__private::field(&(&&pick).intent_id()),
                    ::tapelog::__private::field(&(&&pick).symbol()),
                    ::tapelog::__private::field(&(&&pick).side()),
                ),
                &(
                    ::tapelog::__private::field(&(&&pick).qty()),
                    ::tapelog::__private::field(&(&&pick).limit_px()),
                    ::tapelog::__private::field(&(&&pick).quote_budget()),
                    ::tapelog::__private::field(&(&&pick).notional()),
                    ::tapelog::__private::field(&(&&pick).tif()),
                    ::tapelog::__private::field(&(&&pick).slippage_bps()),
                    ::tapelog::__private::field(&(&&pick).min_notional()),
                    ::tapelog::__private::field(&(&&pick).max_retries()),
                    ::tapelog::__private::field(&(&&pick).retry_backoff_ms()),
                ),
                ::tapelog::__private::order::Counted,
                &(::tapelog::__private::field(&&order.client_id),),
            );
    }
    let result = async move {
        #[allow(unreachable_code, clippy::all, clippy::pedantic, clippy::nursery)]
        if false {
            return ::tapelog::__private::never::<Result<Ack, Error>>();
        }
        { self.send(order).await }
    }
        .await;
    let ended = ::tapelog::__private::Of(&result).read();
    if attempt.is_open() {
        attempt
            .close(
                ::tapelog::__private::order::of_result(
                    &result,
                    |error| {
                        #[allow(
                            unreachable_patterns,
                            clippy::match_like_matches_macro,
                            clippy::all,
                            clippy::pedantic
                        )]
                        match error {
                            Error::NoRoute => true,
                            _ => false,
                        }
                    },
                    |error| {
                        #[allow(
                            unreachable_patterns,
                            clippy::match_like_matches_macro,
                            clippy::all,
                            clippy::pedantic
                        )]
                        match error {
                            Error::Rejected { .. } => true,
                            _ => false,
                        }
                    },
                ),
                &ended,
                &(::tapelog::__private::order::returned(&result, |ack| &ack.id),),
            );
    }
    result
}
