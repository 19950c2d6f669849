fn tick(&self) {
    static __TAPELOG_DECISION: ::tapelog::__private::Decision = ::tapelog::__private::Decision::new(
        "tick ok",
        ::tapelog::__private::module_path!(),
    );
    let decision = ::tapelog::__private::decide_in_place(&__TAPELOG_DECISION, ());
    {
        act();
    }
}
