mod vendored {
    pub mod deep {
        pub use ::tapelog as tape;
    }
}

use vendored::deep::tape;

#[tape::decision(crate = crate::vendored::deep::tape, kind = "buy", fields(a))]
#[tape::log_performance(crate = crate::vendored::deep::tape)]
fn sync(a: u32) -> Result<u32, String> {
    tape::event!(crate = crate::vendored::deep::tape, tape::events::BUY_BLOCKED, a);
    tape::verdict!(blocked, rule = "x", crate = crate::vendored::deep::tape);
    Ok(a)
}

tape::events! {
    crate = crate::vendored::deep::tape;
    ONE: orders, info, execution;
}

#[derive(tape::Value)]
#[value(crate = crate::vendored::deep::tape)]
enum Side {
    Buy,
}

#[derive(tape::OrderContext)]
#[order(crate = crate::vendored::deep::tape)]
struct Order {
    qty: f64,
}

fn main() {
    let _ = (sync(1), ONE, Side::Buy, Order { qty: 1.0 }.qty);
}
