use tapelog::decision;

struct Book;

#[decision(fields(depth = 3, book))]
fn evaluate(book: &Book) -> Result<(), String> {
    let _ = book;
    Ok(())
}

fn main() {
    let _ = evaluate(&Book);
}
