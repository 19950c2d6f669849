use tapelog::decision;

#[track_caller]
#[decision(verdict = |result: &u32| *result)]
fn evaluate() -> u32 {
    1
}

fn main() {
    evaluate();
}
