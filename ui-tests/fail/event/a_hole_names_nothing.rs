use tapelog::event;
use tapelog::events::*;

fn main() {
    event!(BUY_BLOCKED, "spread of {symbol}");
}
