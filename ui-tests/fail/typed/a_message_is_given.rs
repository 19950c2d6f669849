use tapelog::event;
use tapelog::events::*;

fn main() {
    event!(CircuitBreakerReset { reason: "new day", .. }, "reset");
}
