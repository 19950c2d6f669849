fn sum(a: u32) -> u32 {
    static __TAPELOG_PERFORMANCE: ::tapelog::__private::performance::Sites = ::tapelog::__private::performance::Sites::new(
        "sum",
        ::tapelog::__private::Place::new(
            ::tapelog::__private::file!(),
            ::tapelog::__private::line!(),
            ::tapelog::__private::column!(),
            ::tapelog::__private::module_path!(),
            "sum",
        ),
        &[
            ::tapelog::__private::Field::text("operation", "sum"),
            ::tapelog::__private::Field::recorded("execution_time_ms"),
            ::tapelog::__private::Field::recorded("outcome"),
            ::tapelog::__private::Field::recorded("memory_usage_mb"),
            ::tapelog::__private::Field::recorded("a"),
        ],
        ::tapelog::__private::performance::Options {
            slower_than_ns: 5000000u64,
            every: 100u32,
            memory: true,
            cpu: false,
            across_threads: false,
        },
    );
    let mut timer = ::tapelog::__private::performance::Timer::new(
        ::tapelog::__private::outcome::Outcome::Ok,
    );
    timer.start(&__TAPELOG_PERFORMANCE);
    if timer.keeps() {
        timer.keep(&(::tapelog::__private::field(&a),));
    }
    { a }
}
