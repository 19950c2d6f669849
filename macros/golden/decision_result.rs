fn evaluate(symbol: &str, spread_bps: f64, why: Why) -> Result<Buy, Error> {
    static __TAPELOG_DECISION: ::tapelog::__private::Decision = ::tapelog::__private::Decision::new(
        "evaluate\nkind=tbuy\nsymbol\nspread\nwhy\nmax=f20.0",
        ::tapelog::__private::module_path!(),
    );
    let mut decision = ::tapelog::__private::decision::open_without(&__TAPELOG_DECISION);
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
    let result = ::tapelog::__private::call(
        #[inline(always)]
        || -> Result<Buy, Error> {
            let mut spread_bps = spread_bps;
            { decide(symbol) }
        },
    );
    ::tapelog::__private::Of(&result).close(decision);
    result
}
