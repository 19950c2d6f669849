async fn evaluate(&self) -> Result<Buy, Error> {
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
        ],
        &[
            ::tapelog::__private::Field::new(
                "function",
                ::tapelog::__private::Source::Text("evaluate"),
            ),
        ],
    );
    let mut decision = ::tapelog::__private::decision::Scope::open(
        &__TAPELOG_DECISION,
        ::tapelog::__private::decision::Joins::NEW,
        ::tapelog::__private::outcome::Outcome::Cancelled,
    );
    if decision.starts() {
        decision.start(&());
    }
    let result = ::tapelog::__private::within(
            &mut decision,
            async move {
                #[allow(
                    unreachable_code,
                    clippy::all,
                    clippy::pedantic,
                    clippy::nursery
                )]
                if false {
                    return ::tapelog::__private::never::<Result<Buy, Error>>();
                }
                { self.decide().await }
            },
        )
        .await;
    let ended = {
        use ::tapelog::__private::outcome::levels::*;
        (&&&&&&::tapelog::__private::outcome::Of(&result)).read()
    };
    decision.close(&ended);
    result
}
