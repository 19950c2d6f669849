fn sum(a: u32) -> u32 {
    static __TAPELOG_PERFORMANCE: ::tapelog::__private::performance::Measured = ::tapelog::__private::performance::Measured::new(
        "sum memory slower_than_ns=5000000 every=100 ok\na",
        ::tapelog::__private::module_path!(),
    );
    let mut timing = ::tapelog::__private::performance::Frame::EMPTY;
    let timer = ::tapelog::__private::performance::open_in_place(
        &mut timing,
        &__TAPELOG_PERFORMANCE,
        (&a,),
    );
    { a }
}
