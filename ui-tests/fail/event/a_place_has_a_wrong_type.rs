use tapelog::event;
use tapelog::events::*;

struct Book;

struct Order {
    symbol: String,
    qty: f64,
    px: f64,
    book: Book,
}

fn place(order: &Order) {
    event!(BUY_BLOCKED, order.symbol, order.qty, order.px, order.book);
}

fn main() {
    place(&Order { symbol: String::new(), qty: 1.0, px: 1.0, book: Book });
}
