use tapelog::event;

fn main() {
    let name = tapelog::events::BUY_BLOCKED;
    event!(name, rule = "spread");
}
