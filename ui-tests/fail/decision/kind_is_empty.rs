use tapelog::decision;

#[decision(kind = "")]
fn evaluate() {}

fn main() {
    evaluate();
}
