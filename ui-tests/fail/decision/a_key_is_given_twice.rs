use tapelog::decision;

#[decision(kind = "buy", inherit, kind = "sell", inherit)]
fn evaluate() {}

fn main() {
    evaluate();
}
