use tapelog::decision;

#[decision(crate = crate::nowhere)]
fn evaluate() {}

fn main() {
    evaluate();
}
