use tapelog::dash_event;
use tapelog::events::*;

fn main() {
    dash_event!(BUY_FILLED, "filled", display_time = "12:34:56", dashboard_event_type = "X");
}
