use tapelog::event;
use tapelog::events::*;

fn main() {
    let px = 1.0;
    event!(BUY_BLOCKED, "{px:>8}");
}
