use tapelog::event;
use tapelog::events::*;

fn main() {
    event!(CircuitBreakerReset { reason: "new day" });
    event!(CircuitBreakerReset { reason: "new day", halted: None });
    event!(CircuitBreakerReset { reason: 5, halted_s: None });
}
