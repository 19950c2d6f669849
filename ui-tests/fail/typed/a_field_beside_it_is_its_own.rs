use tapelog::event;
use tapelog::events::*;

fn main() {
    event!(CircuitBreakerReset { reason: "new day", .. }, halted_s = 5.0);
    event!(CircuitBreakerHalted { reason: "new day", .. }, is_halted = false);
}
