use tapelog::event;
use tapelog::events::*;

fn main() {
    event!(BUY_BLOKED, rule = "spread");
}
