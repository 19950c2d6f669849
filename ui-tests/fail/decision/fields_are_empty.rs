use tapelog::decision;

#[decision(fields(), inputs())]
fn evaluate() {}

fn main() {
    evaluate();
}
