use tapelog::decision;

#[decision(inherit = true, lazy(yes))]
fn evaluate() {}

fn main() {
    evaluate();
}
