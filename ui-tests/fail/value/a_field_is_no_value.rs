use tapelog::{Value, event, events::*};

struct Book;

#[derive(Value)]
struct Quote {
    px: f64,
    book: Book,
}

#[derive(Value)]
struct Wrapper(Book);

#[derive(Value)]
enum Kind {
    Empty,
    Full(Book),
}

fn main() {
    event!(BUY_BLOCKED, quote = Quote { px: 1.0, book: Book }, wrapper = Wrapper(Book), kind = Kind::Empty, full = Kind::Full(Book));
}
