use tapelog::decision;

const BUY: &str = "buy";

#[decision(kind = BUY)]
fn evaluate() {}

fn main() {
    evaluate();
}
