fn run() -> ! {
    static __TAPELOG_DECISION: ::tapelog::__private::decision::Decision = ::tapelog::__private::decision::Decision::new(
        "run",
        ::tapelog::__private::module_path!(),
    );
    let mut frame = ::tapelog::__private::decision::Frame::EMPTY;
    let mut decision = ::tapelog::__private::decision::open(
        &mut frame,
        &__TAPELOG_DECISION,
        (),
    );
    ::tapelog::__private::call(#[inline(always)] || -> ! { loop {} })
}
