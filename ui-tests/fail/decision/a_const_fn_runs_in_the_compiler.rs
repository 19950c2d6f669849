use tapelog::decision;

#[decision]
const fn limit() -> f64 {
    20.0
}

const LIMIT: f64 = limit();

fn main() {
    assert!(LIMIT > 1.0);
}
