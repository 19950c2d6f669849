use tapelog::event;
use tapelog::events::*;

struct Book;

fn main() {
    let book = Book;
    event!(BUY_BLOCKED, rule = "spread", book = &book, limit = 20.0);
}
