use tapelog::log_performance;

struct Book;

#[log_performance(args(book))]
fn one(book: &Book) {
    let _ = book;
}

fn main() {
    one(&Book);
}
