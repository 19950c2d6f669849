use tapelog::decision;

#[decision(kind = "buy")]
#[tapelog::decision]
fn evaluate() {}

fn main() {
    evaluate();
}
