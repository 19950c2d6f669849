use tapelog::event;
use tapelog::events::*;

fn main() {
    let level = 3;
    event!(
        BUY_BLOCKED,
        timestamp = 1,
        level,
        event_type = 1,
        category = 1,
        service = 1,
        session_id = 1,
        decision_id = 1,
        message = 1,
        source = 1,
        thread = 1,
        event_id = 1,
        seq = 1
    );
}
