use tapelog::event;
use tapelog::events::*;

fn main() {
    let _px = 2.0;
    event!(BUY_BLOCKED, _px);
}
