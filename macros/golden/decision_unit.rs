fn tick(&self) {
    static __TAPELOG_DECISION: ::tapelog::__private::decision::Decision = ::tapelog::__private::decision::Decision::new(
        "tick ok",
        ::tapelog::__private::module_path!(),
    );
    let mut frame = ::tapelog::__private::decision::Frame::EMPTY;
    let decision = ::tapelog::__private::decision::open_in_place(
        &mut frame,
        &__TAPELOG_DECISION,
        (),
    );
    {
        act();
    }
}
