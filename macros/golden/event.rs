fn statement() {
    {
        static __TAPELOG_SITE: ::tapelog::__private::Site = ::tapelog::__private::Site::new(
            &BUY_BLOCKED,
            "{symbol} too wide by {by:.1}",
            &[],
            &[
                ::tapelog::__private::Field::recorded("symbol"),
                ::tapelog::__private::Field::new(
                    "rule",
                    ::tapelog::__private::Source::Text("spread"),
                ),
                ::tapelog::__private::Field::recorded("value"),
                ::tapelog::__private::Field::new(
                    "limit",
                    ::tapelog::__private::Source::Int(-20i64),
                ),
                ::tapelog::__private::Field::recorded("by"),
            ],
            ::tapelog::__private::Place::new(
                ::tapelog::__private::file!(),
                ::tapelog::__private::line!(),
                ::tapelog::__private::column!(),
                ::tapelog::__private::module_path!(),
                "",
            ),
        );
        if __TAPELOG_SITE.enabled() {
            ::tapelog::__private::event(
                &__TAPELOG_SITE,
                &(
                    ::tapelog::__private::field(&symbol),
                    ::tapelog::__private::field(&spread),
                    ::tapelog::__private::field(&by),
                ),
            );
        }
    }
}
