use tapelog::event;
use tapelog::events::*;

struct Book;

fn main() {
    event!(BUY_BLOCKED, book = %Book, also = ?Book);
}
