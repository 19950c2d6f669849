/// Placed.
pub const HEDGE: ::tapelog::__private::EventType = ::tapelog::__private::EventType::new(
    "HEDGE",
    ::tapelog::__private::Stream::EXECUTION,
    ::tapelog::__private::Level::Info,
    ::tapelog::__private::Category::Execution,
);
const POSITION: ::tapelog::__private::EventType = ::tapelog::__private::EventType::new(
    "POSITION",
    ::tapelog::__private::Stream::audit("events/positions"),
    ::tapelog::__private::Level::Info,
    ::tapelog::__private::Category::Execution,
);
const Q: ::tapelog::__private::EventType = ::tapelog::__private::EventType::new(
    "Q",
    ::tapelog::__private::Stream::log("q"),
    ::tapelog::__private::Level::Debug,
    ::tapelog::__private::Category::Risk,
);
