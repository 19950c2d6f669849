use tapelog::event;
use tapelog::events::*;

fn main() {
    let level = 3;
    event!(BUY_BLOCKED, "level {level}");
}
