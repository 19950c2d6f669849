use tapelog::event;
use tapelog::events::*;

fn main() {
    let side = "buy";
    event!(BUY_BLOCKED, "{side:?}");
}
