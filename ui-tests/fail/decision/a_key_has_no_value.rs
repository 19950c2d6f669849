use tapelog::decision;

#[decision(id, kind = , verdict)]
fn evaluate() {}

fn main() {
    evaluate();
}
