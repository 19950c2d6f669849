#![deny(dead_code)]

use tapelog::{decision, event, events::*, log_performance};

#[decision]
fn never_called() {
    event!(BUY_BLOCKED);
}

struct Router;

#[log_performance]
impl Router {
    fn never_called_either(&self) {}
}

fn main() {
    let _ = Router;
}
