use tapelog::decision;

#[decision(crate = "tapelog")]
fn evaluate() {}

fn main() {
    evaluate();
}
