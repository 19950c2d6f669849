use tapelog::event;
use tapelog::events::*;

fn main() {
    event!(BUY_BLOCKED, "rule" = "spread");
}
