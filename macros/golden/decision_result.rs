fn evaluate(symbol: &str, spread_bps: f64, why: Why) -> Result<Buy, Error> {
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
            ::tapelog::__private::Field::new(
                "kind",
                ::tapelog::__private::Source::Text("buy"),
            ),
            ::tapelog::__private::Field::recorded("symbol"),
            ::tapelog::__private::Field::recorded("spread"),
            ::tapelog::__private::Field::recorded("why"),
            ::tapelog::__private::Field::new(
                "max",
                ::tapelog::__private::Source::Float(20f64),
            ),
        ],
        &[
            ::tapelog::__private::Field::new(
                "function",
                ::tapelog::__private::Source::Text("evaluate"),
            ),
            ::tapelog::__private::Field::new(
                "kind",
                ::tapelog::__private::Source::Text("buy"),
            ),
        ],
    );
    let mut decision = ::tapelog::__private::decision::Current::open(
        &__TAPELOG_DECISION,
        ::tapelog::__private::decision::Joins::NEW,
        ::tapelog::__private::outcome::Outcome::Panicked,
    );
    if decision.starts() {
        decision
            .start(
                &(
                    ::tapelog::__private::field(&symbol),
                    ::tapelog::__private::field(&spread_bps),
                    ::tapelog::__private::display(&why),
                ),
            );
    }
    let result = ::tapelog::__private::call(|| -> Result<Buy, Error> {
        let mut spread_bps = spread_bps;
        { decide(symbol) }
    });
    let ended = {
        use ::tapelog::__private::outcome::levels::*;
        (&&&&&&::tapelog::__private::outcome::Of(&result)).read()
    };
    decision.close(&ended);
    result
}
