use tapelog::decision;

#[decision(fields(px * 2.0, "text", level = 1, kind = "x", px, px))]
fn evaluate(px: f64) -> bool {
    px > 1.0
}

fn main() {
    evaluate(1.0);
}
