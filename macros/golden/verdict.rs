fn statement() {
    {
        if ::tapelog::__private::recording() {
            ::tapelog::__private::decision::verdict(
                &(
                    "blocked",
                    ::tapelog::__private::field(&"spread"),
                    ::tapelog::__private::field(&spread),
                    ::tapelog::__private::ABSENT,
                ),
            );
        }
    }
}
