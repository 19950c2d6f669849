use tapelog::decision;

#[decision(colour = "red")]
fn evaluate() {}

fn main() {
    evaluate();
}
