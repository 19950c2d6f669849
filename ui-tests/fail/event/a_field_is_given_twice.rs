use tapelog::event;
use tapelog::events::*;

fn main() {
    let px = 2.0;
    event!(BUY_BLOCKED, px, rule = "spread", px = 3.0);
}
