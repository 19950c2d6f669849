fn evaluate(&self) -> Pin<Box<dyn Future<Output = Result<Buy, Error>> + Send + '_>> {
    static __TAPELOG_DECISION: ::tapelog::__private::Decision = ::tapelog::__private::Decision::new(
        "evaluate cancelled",
        ::tapelog::__private::module_path!(),
    );
    let mut decision = ::tapelog::__private::decision::Scope::open(&__TAPELOG_DECISION);
    if decision.starts() {
        decision.start(&());
    }
    let future = decision
        .run(
            #[inline(always)]
            || -> Pin<Box<dyn Future<Output = Result<Buy, Error>> + Send + '_>> {
                Box::pin(async move { self.decide().await })
            },
        );
    ::tapelog::__private::boxed(async move {
        let result: Result<Buy, Error> = ::tapelog::__private::within(
                &mut decision,
                future,
            )
            .await;
        ::tapelog::__private::Of(&result).close(&mut decision);
        result
    })
}
