use tapelog::decision;

#[decision(inputs(px, px, 3, qty = 1.0 => "yesterday"))]
fn evaluate(px: f64) -> bool {
    px > 1.0
}

#[decision(inputs(px => "yesterday"))]
fn evaluate_again(px: f64) -> bool {
    px > 1.0
}

fn main() {
    evaluate(1.0);
    evaluate_again(1.0);
}
