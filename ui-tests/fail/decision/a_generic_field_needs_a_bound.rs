use tapelog::decision;

#[decision(fields(value))]
fn evaluate<T>(value: T) -> T {
    value
}

fn main() {
    evaluate(1);
}
