use tapelog::event;
use tapelog::events::*;

fn main() {
    event!(if true { BUY_BLOCKED } else { SELL_BLOCKED }, rule = "spread");
}
