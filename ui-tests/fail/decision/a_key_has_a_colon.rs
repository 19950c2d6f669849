use tapelog::decision;

#[decision(kind: "buy")]
fn evaluate() {}

fn main() {
    evaluate();
}
