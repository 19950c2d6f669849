fn evaluate(id: DecisionId, quote: &Quote) -> Result<Buy, Error> {
    static __TAPELOG_DECISION: ::tapelog::__private::decision::Sites = ::tapelog::__private::decision::Sites::new(
            ::tapelog::__private::Place::new(
                ::tapelog::__private::file!(),
                ::tapelog::__private::line!(),
                ::tapelog::__private::column!(),
                ::tapelog::__private::module_path!(),
                "evaluate",
            ),
            &[
                ::tapelog::__private::Field::new(
                    "function",
                    ::tapelog::__private::Source::Text("evaluate"),
                ),
                ::tapelog::__private::Field::recorded("inputs"),
            ],
            &[
                ::tapelog::__private::Field::new(
                    "function",
                    ::tapelog::__private::Source::Text("evaluate"),
                ),
            ],
        )
        .with_deadline(5000000000u64);
    let mut decision = ::tapelog::__private::decision::Current::open(
        &__TAPELOG_DECISION,
        ::tapelog::__private::decision::lazy(
            ::tapelog::__private::decision::own(|| ::tapelog::__private::decision::id(
                id,
            )),
        ),
        ::tapelog::__private::outcome::Outcome::Panicked,
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
    let result = ::tapelog::__private::call(|| -> Result<Buy, Error> { decide(quote) });
    let ended = {
        use ::tapelog::__private::outcome::levels::*;
        (&&&&&&::tapelog::__private::outcome::Of(&result)).read()
    };
    ::tapelog::__private::decision::judge(
        &mut decision,
        &result,
        |result| result.is_ok(),
    );
    decision.close(&ended);
    result
}
