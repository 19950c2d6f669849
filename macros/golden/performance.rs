fn sum(a: u32) -> u32 {
    static __TAPELOG_PERFORMANCE: ::tapelog::__private::Measured = ::tapelog::__private::Measured::new(
        "sum memory slower_than_ns=5000000 every=100 ok\na",
        ::tapelog::__private::module_path!(),
    );
    let timer = ::tapelog::__private::measure_in_place(
        &__TAPELOG_PERFORMANCE,
        (::tapelog::__private::field(&a),),
    );
    { a }
}
