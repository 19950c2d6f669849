fn run() -> ! {
    static __TAPELOG_DECISION: ::tapelog::__private::decision::Sites = ::tapelog::__private::decision::Sites::new(
        ::tapelog::__private::Place::new(
            ::tapelog::__private::file!(),
            ::tapelog::__private::line!(),
            ::tapelog::__private::column!(),
            ::tapelog::__private::module_path!(),
            "run",
        ),
        &[
            ::tapelog::__private::Field::new(
                "function",
                ::tapelog::__private::Source::Text("run"),
            ),
        ],
        &[
            ::tapelog::__private::Field::new(
                "function",
                ::tapelog::__private::Source::Text("run"),
            ),
        ],
    );
    let mut decision = ::tapelog::__private::decision::Current::open(
        &__TAPELOG_DECISION,
        ::tapelog::__private::decision::Joins::NEW,
        ::tapelog::__private::outcome::Outcome::Panicked,
    );
    if decision.starts() {
        decision.start(&());
    }
    ::tapelog::__private::call(|| -> ! { loop {} })
}
