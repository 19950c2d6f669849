fn statement() {
    {
        static __TAPELOG_SITE: ::tapelog::__private::Site = ::tapelog::__private::Site::new(
            &::tapelog::__private::DASH_EVENT,
            "{symbol} @ ${px}",
            &[
                ::tapelog::__private::Field::new(
                    "dashboard_event_type",
                    ::tapelog::__private::Source::Text(BUY_FILLED.name),
                ),
                ::tapelog::__private::Field::new(
                    "display_time",
                    ::tapelog::__private::Source::DisplayTime,
                ),
            ],
            &[
                ::tapelog::__private::Field::recorded("symbol"),
                ::tapelog::__private::Field::recorded("px"),
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
                &(::tapelog::__private::field(&symbol), ::tapelog::__private::field(&px)),
            );
        }
    }
}
