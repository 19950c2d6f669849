use tapelog::dash_event;

fn main() {
    dash_event!("BUY_FILLED", "filled");
}
