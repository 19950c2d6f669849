use tapelog::decision;

#[decision("buy", 3, , kind = "buy")]
fn evaluate() {}

fn main() {
    evaluate();
}
