//! Documented.
#![deny(missing_docs, warnings)]

use tapelog::{Class, Level, event};

tapelog::events! {
    /// Class audit.
    pub ONE: orders, info, execution;
    /// A file of its own.
    #[allow(dead_code)]
    pub(crate) TWO: "events/positions", critical, audit;
    THREE: log "quotes-1", debug, strategy;
    FOUR_4: component "risk_monitor", warning, error
}

tapelog::events! {}

mod inner {
    tapelog::events! {
        pub(super) FIVE: error, error, system;
    }
}

fn main() {
    event!(THREE);
    event!(inner::FIVE, "from a module");
    assert_eq!(ONE.name, "ONE");
    assert_eq!(TWO.stream.file(), "events/positions.jsonl");
    assert_eq!((TWO.stream.class(), TWO.level), (Class::Audit, Level::Critical));
    assert_eq!(FOUR_4.stream.file(), "risk_monitor.log");
}
