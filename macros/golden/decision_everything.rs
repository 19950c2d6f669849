fn evaluate(id: DecisionId, quote: &Quote) -> Result<Buy, Error> {
    static __TAPELOG_DECISION: ::tapelog::__private::Decision = ::tapelog::__private::Decision::new(
        "evaluate lazy deadline_ns=5000000000\ninputs",
        ::tapelog::__private::module_path!(),
    );
    let mut decision = ::tapelog::__private::decision::open_as(
        &__TAPELOG_DECISION,
        || ::tapelog::__private::decision::id(id),
    );
    if decision.starts() {
        decision
            .start(
                &::tapelog::__private::And(
                    (
                        ::tapelog::__private::Map(
                            ::tapelog::__private::Entry(
                                "quote",
                                ::tapelog::__private::field(&quote),
                                ::tapelog::__private::OptionalEntry(
                                    "quote_age_ms",
                                    {
                                        use ::tapelog::__private::age::levels::*;
                                        (&::tapelog::__private::age::Of(&quote)).age()
                                    },
                                    ::tapelog::__private::Entry(
                                        "px",
                                        ::tapelog::__private::field(&quote.px),
                                        ::tapelog::__private::OptionalEntry(
                                            "px_age_ms",
                                            ::tapelog::__private::age::since(&quote.received),
                                            ::tapelog::__private::End,
                                        ),
                                    ),
                                ),
                            ),
                        ),
                    ),
                    (),
                ),
            );
    }
    let result = ::tapelog::__private::call(
        #[inline(always)]
        || -> Result<Buy, Error> { decide(quote) },
    );
    ::tapelog::__private::decision::judge(
        &mut decision,
        &result,
        |result| result.is_ok(),
    );
    ::tapelog::__private::Of(&result).close(decision);
    result
}
