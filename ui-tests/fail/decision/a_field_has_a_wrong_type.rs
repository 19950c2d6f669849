use tapelog::decision;

struct Book;

#[decision(fields(depth = 3, book))]
fn evaluate(book: &Book) {
    let _ = book;
}

fn main() {
    evaluate(&Book);
}
