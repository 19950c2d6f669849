fn evaluate(&self) -> Pin<Box<dyn Future<Output = Result<Buy, Error>> + Send + '_>> {
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
    let future = decision
        .run(|| -> Pin<Box<dyn Future<Output = Result<Buy, Error>> + Send + '_>> {
            Box::pin(async move { self.decide().await })
        });
    ::tapelog::__private::boxed(async move {
        let result: Result<Buy, Error> = ::tapelog::__private::within(
                &mut decision,
                future,
            )
            .await;
        let ended = {
            use ::tapelog::__private::outcome::levels::*;
            (&&&&&&::tapelog::__private::outcome::Of(&result)).read()
        };
        decision.close(&ended);
        result
    })
}
