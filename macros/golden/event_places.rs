fn statement() {
    {
        static __TAPELOG_SITE: ::tapelog::__private::Site = ::tapelog::__private::Site::new(
            &BUY_BLOCKED,
            "",
            &[],
            &[
                ::tapelog::__private::Field::recorded("symbol"),
                ::tapelog::__private::Field::recorded("qty"),
                ::tapelog::__private::Field::recorded("px"),
                ::tapelog::__private::Field::recorded("attempt"),
                ::tapelog::__private::Field::recorded("side"),
                ::tapelog::__private::Field::recorded("tif"),
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
            match &(
                ::tapelog::__private::field(&attempt),
                ::tapelog::__private::display(&order.side),
            ) {
                __tapelog_held => {
                    ::tapelog::__private::event_seen(
                        &__TAPELOG_SITE,
                        || (
                            ::tapelog::__private::field(&order.symbol),
                            ::tapelog::__private::field(&order.qty),
                            ::tapelog::__private::field(&self.book.best.0),
                            ::tapelog::__private::field(&__tapelog_held.0),
                            ::tapelog::__private::field(&__tapelog_held.1),
                            ::tapelog::__private::field(&order.tif),
                        ),
                    )
                }
            }
        }
    }
}
