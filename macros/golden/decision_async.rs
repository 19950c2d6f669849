async fn evaluate(&self) -> Result<Buy, Error> {
    static __TAPELOG_DECISION: ::tapelog::__private::Decision = ::tapelog::__private::Decision::new(
        "evaluate cancelled",
        ::tapelog::__private::module_path!(),
    );
    let mut decision = ::tapelog::__private::decision::Scope::open(&__TAPELOG_DECISION);
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
    ::tapelog::__private::Of(&result).close(&mut decision);
    result
}
