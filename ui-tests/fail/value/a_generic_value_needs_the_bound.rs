use tapelog::{Value, event, events::*};

struct Book;

#[derive(Value)]
struct Pair<T> {
    one: T,
}

fn main() {
    event!(BUY_BLOCKED, pair = Pair { one: 1 });
    event!(BUY_BLOCKED, pair = Pair { one: Book });
}
