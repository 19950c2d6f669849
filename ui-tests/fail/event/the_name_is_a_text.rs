use tapelog::event;

fn main() {
    event!("BUY_BLOCKED", rule = "spread");
}
